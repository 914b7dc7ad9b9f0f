//! What happened, in order.

use diesel::RunQueryDsl as _;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use engine::ports::Cursor;
use uuid::Uuid;

use crate::failure::Failure;
use crate::json::Json;
use crate::statement::statement;

/// An event, ready to be written.
pub(crate) struct NewRow<'a> {
    pub(crate) stream: &'a str,
    pub(crate) version: i64,
    pub(crate) event_type: String,
    pub(crate) schema_version: i32,
    pub(crate) payload: Json,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) metadata: Json,
    pub(crate) audience: String,
    pub(crate) visitor: Option<Uuid>,
    pub(crate) occurred_at: PgTimestamp,
}

/// Between the terms of an audience on their way into the array; no term holds one.
pub(crate) const BETWEEN_TERMS: &str = "\n";

/// Appends events in the given order; where the last one stands, as (`recorded_in`, position).
pub(crate) fn append(connection: &mut PgConnection, rows: &[NewRow<'_>]) -> Result<Option<(i64, i64)>, Failure> {
    if rows.is_empty() {
        return Ok(None);
    }
    let place = statement::<(BigInt, BigInt)>(
        "WITH written AS (
             INSERT INTO event_log
                 (stream, version, type, schema_version, payload, sealed, metadata, audience, visitor, occurred_at)
             SELECT u.stream, u.version, u.type, u.schema_version, u.payload, u.sealed, u.metadata,
                    string_to_array(u.audience, E'\\n'), u.visitor, u.occurred_at
             FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 AS u (stream, version, type, schema_version, payload, sealed, metadata, audience, visitor, occurred_at)
             RETURNING recorded_in, position
         )
         SELECT max(recorded_in), max(position) FROM written",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.stream).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.version).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.event_type.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.schema_version).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(rows.iter().map(|row| &row.payload).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(rows.iter().map(|row| row.sealed.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(rows.iter().map(|row| &row.metadata).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.audience.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|row| row.visitor).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.occurred_at).collect::<Vec<_>>())
    .get_result(connection)?;
    Ok(Some(place))
}

/// An event as the log has it.
pub(crate) struct LogRow {
    pub(crate) recorded_in: i64,
    pub(crate) position: i64,
    pub(crate) stream: String,
    pub(crate) version: i64,
    pub(crate) event_type: String,
    pub(crate) schema_version: i32,
    pub(crate) payload: Json,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) metadata: Json,
    pub(crate) audience: Vec<String>,
    pub(crate) visitor: Option<Uuid>,
    pub(crate) occurred_at: PgTimestamp,
}

type LogColumns = (
    BigInt,
    BigInt,
    Text,
    BigInt,
    Text,
    Integer,
    Jsonb,
    Nullable<Binary>,
    Jsonb,
    Array<Text>,
    Nullable<SqlUuid>,
    Timestamptz,
);
type LogTuple = (
    i64,
    i64,
    String,
    i64,
    String,
    i32,
    Json,
    Option<Vec<u8>>,
    Json,
    Vec<String>,
    Option<Uuid>,
    PgTimestamp,
);

fn row(tuple: LogTuple) -> LogRow {
    let (recorded_in, position, stream, version, event_type, schema_version, payload, sealed, metadata, audience, visitor, occurred_at) =
        tuple;
    LogRow {
        recorded_in,
        position,
        stream,
        version,
        event_type,
        schema_version,
        payload,
        sealed,
        metadata,
        audience,
        visitor,
        occurred_at,
    }
}

/// Events behind a place, in order, below the oldest running transaction: whatever is above may still get a neighbour below.
pub(crate) fn after(connection: &mut PgConnection, recorded_in: i64, position: i64, most: i64) -> Result<Vec<LogRow>, Failure> {
    let rows: Vec<LogTuple> = statement::<LogColumns>(READ)
        .bind::<BigInt, _>(recorded_in)
        .bind::<BigInt, _>(position)
        .bind::<BigInt, _>(most)
        .load(connection)?;
    Ok(rows.into_iter().map(row).collect())
}

/// The read of [`after`].
pub(crate) const READ: &str =
    "SELECT recorded_in, position, stream, version, type, schema_version, payload, sealed, metadata, audience, visitor, occurred_at
     FROM event_log
     WHERE (recorded_in, position) > (?, ?) AND recorded_in < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
     ORDER BY recorded_in, position
     LIMIT ?";

/// The read of [`one`].
pub(crate) const ONE: &str =
    "SELECT recorded_in, position, stream, version, type, schema_version, payload, sealed, metadata, audience, visitor, occurred_at
     FROM event_log WHERE stream = ? AND version = ?";

/// One event of a stream.
pub(crate) fn one(connection: &mut PgConnection, stream: &str, version: i64) -> Result<Option<LogRow>, Failure> {
    let rows: Vec<LogTuple> = statement::<LogColumns>(ONE)
        .bind::<Text, _>(stream)
        .bind::<BigInt, _>(version)
        .load(connection)?;
    Ok(rows.into_iter().next().map(row))
}

/// The place just before everything that this snapshot does not show.
pub(crate) fn horizon(connection: &mut PgConnection, epoch: i64) -> Result<Cursor, Failure> {
    let (recorded_in,): (i64,) =
        statement::<(BigInt,)>("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").get_result(connection)?;
    Ok(Cursor {
        epoch,
        recorded_in,
        position: 0,
    })
}

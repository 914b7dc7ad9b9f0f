//! Lanes: one row per visitor and class with work. Only the first effect of a lane may run.
//!
//! Invariant: whoever changes a lane or its effects holds the lane's row first. Claiming skips rows that somebody holds, so it
//! never waits for a transaction, and a transaction waits for it only as long as one statement takes.

use std::collections::BTreeMap;

use diesel::RunQueryDsl as _;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::effect::LaneClass;
use shared::{Timestamp, VisitorId};
use uuid::Uuid;

use crate::failure::Failure;
use crate::instant::{from_pg, to_pg};
use crate::statement::statement;

/// Which lane.
pub(crate) type LaneKey = (VisitorId, LaneClass);

/// A lane as the table has one.
pub(crate) struct Lane {
    pub(crate) page: String,
    pub(crate) quiet_until: Option<Timestamp>,
}

pub(crate) fn class_of(word: &str) -> Option<LaneClass> {
    [LaneClass::Bot, LaneClass::Message]
        .into_iter()
        .find(|class| class.as_str() == word)
}

/// The lock of [`lock`].
pub(crate) const LOCK: &str =
    "SELECT visitor, class, page_id, quiet_until FROM lane WHERE visitor = ANY(?) ORDER BY visitor, class FOR UPDATE";

/// The lanes of these visitors, locked.
pub(crate) fn lock(connection: &mut PgConnection, visitors: &[Uuid]) -> Result<BTreeMap<LaneKey, Lane>, Failure> {
    if visitors.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(Uuid, String, String, Option<PgTimestamp>)> = statement::<(SqlUuid, Text, Text, Nullable<Timestamptz>)>(LOCK)
        .bind::<Array<SqlUuid>, _>(visitors)
        .load(connection)?;
    let lanes = rows.into_iter().filter_map(|(visitor, class, page, quiet_until)| {
        let lane = Lane {
            page,
            quiet_until: quiet_until.map(from_pg),
        };
        Some(((VisitorId(visitor), class_of(&class)?), lane))
    });
    Ok(lanes.collect())
}

/// What a lane shall be.
pub(crate) struct Standing {
    pub(crate) key: LaneKey,
    pub(crate) page: String,
    pub(crate) head_due: Option<Timestamp>,
    pub(crate) busy: bool,
    pub(crate) quiet_until: Option<Timestamp>,
}

pub(crate) fn put(connection: &mut PgConnection, lanes: &[Standing]) -> Result<(), Failure> {
    if lanes.is_empty() {
        return Ok(());
    }
    let times = |of: fn(&Standing) -> Option<Timestamp>| {
        lanes
            .iter()
            .map(|lane| of(lane).map(to_pg).transpose())
            .collect::<Result<Vec<_>, _>>()
    };
    statement::<()>(
        "INSERT INTO lane (visitor, class, page_id, head_due, busy, quiet_until)
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?)
         ON CONFLICT (visitor, class) DO UPDATE
         SET head_due = excluded.head_due, busy = excluded.busy, quiet_until = excluded.quiet_until",
    )
    .bind::<Array<SqlUuid>, _>(lanes.iter().map(|lane| lane.key.0.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lanes.iter().map(|lane| lane.key.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lanes.iter().map(|lane| lane.page.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(times(|lane| lane.head_due)?)
    .bind::<Array<Bool>, _>(lanes.iter().map(|lane| lane.busy).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(times(|lane| lane.quiet_until)?)
    .execute(connection)?;
    Ok(())
}

pub(crate) fn delete(connection: &mut PgConnection, lanes: &[LaneKey]) -> Result<(), Failure> {
    if lanes.is_empty() {
        return Ok(());
    }
    statement::<()>("DELETE FROM lane l USING unnest(?, ?) AS u (visitor, class) WHERE l.visitor = u.visitor AND l.class = u.class")
        .bind::<Array<SqlUuid>, _>(lanes.iter().map(|key| key.0.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lanes.iter().map(|key| key.1.as_str()).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

/// Forgets lanes that have nothing to do and whose quiet period is over.
pub(crate) fn forget_quiet(connection: &mut PgConnection, now: PgTimestamp, most: i64) -> Result<(), Failure> {
    statement::<()>(
        "WITH over AS MATERIALIZED (
             SELECT visitor, class FROM lane WHERE head_due IS NULL AND quiet_until < ? LIMIT ? FOR UPDATE SKIP LOCKED
         )
         DELETE FROM lane l USING over WHERE l.visitor = over.visitor AND l.class = over.class",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most)
    .execute(connection)?;
    Ok(())
}

/// The look-up of [`next_due`].
pub(crate) const NEXT_DUE: &str = "SELECT head_due FROM lane
     WHERE NOT busy AND head_due IS NOT NULL
       AND NOT (class = 'message' AND EXISTS (SELECT 1 FROM page_gate g WHERE g.page_id = lane.page_id))
     ORDER BY head_due LIMIT 1";

/// When the next free lane falls due.
pub(crate) fn next_due(connection: &mut PgConnection) -> Result<Option<Timestamp>, Failure> {
    let rows: Vec<(PgTimestamp,)> = statement::<(Timestamptz,)>(NEXT_DUE).load(connection)?;
    Ok(rows.into_iter().next().map(|(due,)| from_pg(due)))
}

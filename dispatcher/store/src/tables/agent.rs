//! Agents on the floor.

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::projection::AgentRow;
use uuid::Uuid;

use crate::failure::Failure;
use crate::instant::to_pg;
use crate::statement::statement;

pub(crate) fn put(connection: &mut PgConnection, row: &AgentRow) -> Result<(), Failure> {
    let active: Vec<Uuid> = row.state.active.iter().map(|id| id.0).collect();
    statement::<()>(
        "INSERT INTO agent (id, presence, since, active, last_engaged, version) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             presence = excluded.presence, since = excluded.since, active = excluded.active,
             last_engaged = excluded.last_engaged, version = excluded.version",
    )
    .bind::<SqlUuid, _>(row.id.0)
    .bind::<Text, _>(row.state.presence.as_str())
    .bind::<Timestamptz, _>(to_pg(row.state.since)?)
    .bind::<Array<SqlUuid>, _>(active)
    .bind::<Timestamptz, _>(to_pg(row.state.last_engaged)?)
    .bind::<BigInt, _>(row.version)
    .execute(connection)?;
    Ok(())
}

//! The right to do something alone, until it lapses.

use diesel::RunQueryDsl as _;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::failure::Failure;
use crate::statement::statement;

/// Takes or renews; the epoch, or `None` where somebody else has it. The epoch rises with every new holder, and for one whose lease
/// lapsed: others may have acted meanwhile.
pub(crate) fn take(
    connection: &mut PgConnection,
    name: &str,
    holder: Uuid,
    now: PgTimestamp,
    until: PgTimestamp,
) -> Result<Option<i64>, Failure> {
    let rows: Vec<(i64,)> = statement::<(BigInt,)>(
        "INSERT INTO lease (name, holder, epoch, until) VALUES (?, ?, 1, ?)
         ON CONFLICT (name) DO UPDATE SET
             epoch = CASE WHEN lease.holder = excluded.holder AND lease.until > ? THEN lease.epoch ELSE lease.epoch + 1 END,
             holder = excluded.holder,
             until = excluded.until
         WHERE lease.holder IS NULL OR lease.holder = excluded.holder OR lease.until <= ?
         RETURNING epoch",
    )
    .bind::<Text, _>(name)
    .bind::<SqlUuid, _>(holder)
    .bind::<Timestamptz, _>(until)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now)
    .load(connection)?;
    Ok(rows.into_iter().next().map(|(epoch,)| epoch))
}

/// Gives back. The row stays, for the epoch.
pub(crate) fn release(connection: &mut PgConnection, name: &str, holder: Uuid) -> Result<(), Failure> {
    statement::<()>("UPDATE lease SET holder = NULL WHERE name = ? AND holder = ?")
        .bind::<Text, _>(name)
        .bind::<SqlUuid, _>(holder)
        .execute(connection)?;
    Ok(())
}

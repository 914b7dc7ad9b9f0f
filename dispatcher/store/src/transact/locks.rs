//! The locks of a transaction: one statement, sorted.

use std::collections::BTreeSet;

use diesel::RunQueryDsl as _;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Timestamptz};
use domain::event::StreamId;
use engine::ports::Scope;
use sha2::{Digest as _, Sha256};
use shared::Timestamp;

use super::find::Found;
use crate::failure::Failure;
use crate::instant::from_pg;
use crate::statement::statement;

/// Takes the locks; the database's time once they are held.
pub(super) fn take(connection: &mut PgConnection, scope: &Scope, found: &Found) -> Result<Timestamp, Failure> {
    let keys: Vec<i64> = keys(scope, found).into_iter().collect();
    // Outer joined, so that there is a row even without any lock.
    let (now,): (PgTimestamp,) = statement::<(Timestamptz,)>(
        "SELECT clock_timestamp() FROM (
             SELECT count(*) FROM (SELECT pg_advisory_xact_lock(key) FROM unnest(?) AS wanted (key) OFFSET 0) held
         ) held",
    )
    .bind::<Array<BigInt>, _>(keys)
    .get_result(connection)?;
    Ok(from_pg(now))
}

/// Sorted, each once. Every writer of a stream uses the same key.
fn keys(scope: &Scope, found: &Found) -> BTreeSet<i64> {
    let mut keys: BTreeSet<i64> = found.ids.values().map(|id| key_of(&StreamId::from(*id).to_string())).collect();
    // A visitor whom nobody has seen has no id that others could lock: the identity stands in.
    keys.extend(found.fresh.values().map(|new| key(&new.identity)));
    keys.extend(scope.agent.map(|agent| key_of(&StreamId::agent(agent).to_string())));
    keys.extend(scope.directory.map(|stream| key_of(&stream.to_string())));
    keys
}

fn key_of(name: &str) -> i64 {
    key(name.as_bytes())
}

/// 48 bits of the hash.
fn key(name: &[u8]) -> i64 {
    let digest: [u8; 32] = Sha256::digest(name).into();
    let [a, b, c, d, e, f, ..] = digest;
    i64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

//! Keys of received events: what was processed is not processed again.

use std::collections::BTreeSet;

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, Binary, Nullable, Text};
use engine::ports::{Arrived, InboxKey};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::statement::statement;

fn hashed(key: &InboxKey) -> [u8; 32] {
    Sha256::digest(key.0.as_bytes()).into()
}

/// The look-up of [`known`].
pub(crate) const LOOK_UP: &str = "SELECT key FROM inbox WHERE key = ANY(?)";

/// Which of the keys were written before.
pub(crate) fn known(connection: &mut PgConnection, keys: &[InboxKey]) -> Result<BTreeSet<InboxKey>, Failure> {
    if keys.is_empty() {
        return Ok(BTreeSet::new());
    }
    let hashes: Vec<[u8; 32]> = keys.iter().map(hashed).collect();
    let rows: Vec<(Vec<u8>,)> = statement::<(Binary,)>(LOOK_UP)
        .bind::<Array<Binary>, _>(hashes.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>())
        .load(connection)?;
    let found: BTreeSet<Vec<u8>> = rows.into_iter().map(|(key,)| key).collect();
    let known = keys.iter().zip(&hashes).filter(|(_, hash)| found.contains(hash.as_slice()));
    Ok(known.map(|(key, _)| key.clone()).collect())
}

/// Writes keys. A key that is there already fails the transaction: two of them process the same event.
pub(crate) fn insert(connection: &mut PgConnection, arrived: &[Arrived]) -> Result<(), Failure> {
    if arrived.is_empty() {
        return Ok(());
    }
    let hashes: Vec<[u8; 32]> = arrived.iter().map(|arrived| hashed(&arrived.key)).collect();
    statement::<()>("INSERT INTO inbox (key, receipt) SELECT * FROM unnest(?, ?)")
        .bind::<Array<Binary>, _>(hashes.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(arrived.iter().map(|arrived| arrived.receipt.as_deref()).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

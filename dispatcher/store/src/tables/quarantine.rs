//! What could not be processed, sealed with the service's key.

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use engine::ports::{QuarantineKind, Quarantined};
use uuid::Uuid;

use crate::failure::{Failure, unreadable};
use crate::instant::to_pg;
use crate::names::readable;
use crate::statement::statement;
use crate::vault::{Vault, place};

const fn word(kind: QuarantineKind) -> &'static str {
    match kind {
        QuarantineKind::UnknownPage => "unknown_page",
        QuarantineKind::Poison => "poison",
    }
}

pub(crate) fn insert(connection: &mut PgConnection, vault: &Vault, kept: &[Quarantined]) -> Result<(), Failure> {
    if kept.is_empty() {
        return Ok(());
    }
    let seal = |what: &str, id: Uuid, plain: &[u8]| vault.seal_for_service(&place(what, id), plain);
    let envelopes = kept.iter().map(|one| seal("envelope", one.id, one.envelope.as_bytes()));
    let bodies = kept.iter().map(|one| seal("body", one.id, &one.body));
    let times = kept.iter().map(|one| to_pg(one.at)).collect::<Result<Vec<_>, _>>()?;
    statement::<()>(
        "INSERT INTO quarantine (id, kind, reason, page_id, envelope, body, at)
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)",
    )
    .bind::<Array<SqlUuid>, _>(kept.iter().map(|one| one.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(kept.iter().map(|one| word(one.kind)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(kept.iter().map(|one| readable(&one.reason).into_owned()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        kept.iter()
            .map(|one| one.page.as_ref().map(|page| page.as_str().to_owned()))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Binary>, _>(envelopes.collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(bodies.collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(times)
    .execute(connection)?;
    Ok(())
}

/// The read of [`redrivable`].
pub(crate) const REDRIVABLE: &str = "SELECT q.id, q.envelope, q.body
     FROM channel c
     CROSS JOIN LATERAL (
         SELECT q.id, q.envelope, q.body, q.at FROM quarantine q
         WHERE q.kind = 'unknown_page' AND q.page_id = c.page_id
         ORDER BY q.at, q.id LIMIT ?
     ) q
     ORDER BY q.at, q.id LIMIT ?";

/// The oldest of what waited for a channel that is there now.
pub(crate) fn redrivable(connection: &mut PgConnection, vault: &Vault, most: i64) -> Result<Vec<(Uuid, String, Vec<u8>)>, Failure> {
    let rows: Vec<(Uuid, Vec<u8>, Vec<u8>)> = statement::<(SqlUuid, Binary, Binary)>(REDRIVABLE)
        .bind::<BigInt, _>(most)
        .bind::<BigInt, _>(most)
        .load(connection)?;
    let open = |(id, envelope, body): (Uuid, Vec<u8>, Vec<u8>)| {
        let envelope = vault.open_for_service(&place("envelope", id), &envelope)?;
        let envelope = String::from_utf8(envelope).map_err(|_not_text| unreadable(place("envelope", id)))?;
        Ok((id, envelope, vault.open_for_service(&place("body", id), &body)?))
    };
    rows.into_iter().map(open).collect()
}

/// Removes what has been processed; how many of them were there.
pub(crate) fn remove(connection: &mut PgConnection, ids: &[Uuid]) -> Result<usize, Failure> {
    if ids.is_empty() {
        return Ok(0);
    }
    let removed = statement::<()>("DELETE FROM quarantine WHERE id = ANY(?)")
        .bind::<Array<SqlUuid>, _>(ids)
        .execute(connection)?;
    Ok(removed)
}

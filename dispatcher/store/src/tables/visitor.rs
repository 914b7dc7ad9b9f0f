//! Who writes to a Page.

use std::collections::{BTreeMap, BTreeSet};

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, Binary, Nullable, Text, Uuid as SqlUuid};
use shared::VisitorId;
use uuid::Uuid;

use crate::failure::Failure;
use crate::statement::statement;
use crate::vault::{Identity, Introduced};

type Tuple = (Uuid, String, Option<Vec<u8>>, Vec<u8>);

/// A visitor as the table has one.
pub(crate) struct VisitorRow {
    pub(crate) id: Uuid,
    pub(crate) page_id: String,
    pub(crate) data_key: Option<Vec<u8>>,
    pub(crate) party: Vec<u8>,
}

pub(crate) fn by_id(connection: &mut PgConnection, ids: &BTreeSet<VisitorId>) -> Result<Vec<VisitorRow>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Tuple> =
        statement::<(SqlUuid, Text, Nullable<Binary>, Binary)>("SELECT id, page_id, data_key, party FROM visitor WHERE id = ANY(?)")
            .bind::<Array<SqlUuid>, _>(ids)
            .load(connection)?;
    let rows = rows.into_iter().map(|(id, page_id, data_key, party)| VisitorRow {
        id,
        page_id,
        data_key,
        party,
    });
    Ok(rows.collect())
}

/// The look-up of [`by_identity`].
pub(crate) const BY_IDENTITY: &str = "SELECT identity, id FROM visitor WHERE identity = ANY(?)";

/// Which of these identities are known, and as whom.
pub(crate) fn by_identity(connection: &mut PgConnection, identities: &[Identity]) -> Result<BTreeMap<Identity, VisitorId>, Failure> {
    if identities.is_empty() {
        return Ok(BTreeMap::new());
    }
    let identities: Vec<&[u8]> = identities.iter().map(<[u8; 32]>::as_slice).collect();
    let rows: Vec<(Vec<u8>, Uuid)> = statement::<(Binary, SqlUuid)>(BY_IDENTITY)
        .bind::<Array<Binary>, _>(identities)
        .load(connection)?;
    let known = rows
        .into_iter()
        .filter_map(|(identity, id)| Some((Identity::try_from(identity).ok()?, VisitorId(id))));
    Ok(known.collect())
}

pub(crate) fn insert(connection: &mut PgConnection, introduced: &[&Introduced]) -> Result<(), Failure> {
    if introduced.is_empty() {
        return Ok(());
    }
    statement::<()>(
        "INSERT INTO visitor (id, page_id, identity, data_key, party)
         SELECT * FROM unnest(?, ?, ?, ?, ?)",
    )
    .bind::<Array<SqlUuid>, _>(introduced.iter().map(|new| new.known.id.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(introduced.iter().map(|new| new.known.page.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(introduced.iter().map(|new| new.identity.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(introduced.iter().map(|new| new.data_key.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(introduced.iter().map(|new| new.party.as_slice()).collect::<Vec<_>>())
    .execute(connection)?;
    Ok(())
}

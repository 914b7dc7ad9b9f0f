//! Answers to commands that carried a key.

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Text, Uuid as SqlUuid};
use engine::ports::Idempotency;
use serde_json::Value;

use crate::failure::{Failure, unreadable};
use crate::json::Json;
use crate::statement::statement;

/// An answer that was given.
pub(crate) struct Kept {
    pub(crate) fingerprint: String,
    pub(crate) response: Value,
}

pub(crate) fn find(connection: &mut PgConnection, key: &Idempotency) -> Result<Option<Kept>, Failure> {
    let rows: Vec<(String, Json)> =
        statement::<(Text, Jsonb)>("SELECT fingerprint, response FROM idempotency WHERE person = ? AND key = ?")
            .bind::<SqlUuid, _>(key.person.0)
            .bind::<Text, _>(key.key.as_str())
            .load(connection)?;
    let Some((fingerprint, response)) = rows.into_iter().next() else {
        return Ok(None);
    };
    let response = response.value().map_err(|_unreadable| unreadable("idempotency"))?;
    Ok(Some(Kept { fingerprint, response }))
}

pub(crate) fn insert(connection: &mut PgConnection, key: &Idempotency, response: &Value) -> Result<(), Failure> {
    statement::<()>("INSERT INTO idempotency (person, key, fingerprint, response) VALUES (?, ?, ?, ?)")
        .bind::<SqlUuid, _>(key.person.0)
        .bind::<Text, _>(key.key.as_str())
        .bind::<Text, _>(key.fingerprint.as_str())
        .bind::<Jsonb, _>(Json::of(response)?)
        .execute(connection)?;
    Ok(())
}

//! JSON columns as text: what the domain reads goes through serde once and never through a tree in between.

use std::io::Write as _;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Jsonb;
use engine::ports::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The version byte of jsonb on the wire.
const VERSION: u8 = 1;

/// A JSON document, written out.
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub(crate) struct Json(String);

impl Json {
    /// Writes a value out.
    ///
    /// # Errors
    /// [`StoreError::Data`] where the database cannot hold it: jsonb has no NUL.
    pub(crate) fn of<T: Serialize>(value: &T) -> Result<Self, StoreError> {
        let refused = |reason: &str| StoreError::Data { reason: reason.to_owned() };
        let text = serde_json::to_string(value).map_err(|_unwritable| refused("a value cannot be written as JSON"))?;
        if names_nul(&text) {
            return Err(refused("a structured field holds NUL"));
        }
        Ok(Self(text))
    }

    /// Reads a value.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    /// As a tree.
    pub(crate) fn value(&self) -> Result<Value, serde_json::Error> {
        self.read()
    }
}

/// Whether a written document holds the escape of NUL: `\u0000` behind an even number of backslashes.
fn names_nul(text: &str) -> bool {
    text.match_indices("\\u0000").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0
    })
}

impl FromSql<Jsonb, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((&VERSION, text)) => Ok(Self(std::str::from_utf8(text)?.to_owned())),
            _ => Err("not a jsonb value of a known version".into()),
        }
    }
}

impl ToSql<Jsonb, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[VERSION])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_is_found_and_its_spelling_is_not_mistaken_for_it() {
        assert!(Json::of(&json!({"mid": "a\0"})).is_err());
        assert!(Json::of(&json!({"mid": "\\\0"})).is_err());
        assert!(Json::of(&json!({"mid": "a\\u0000"})).is_ok());
    }
}

//! How the columns of a row become values.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::Timestamp;

use crate::failure::{Failure, unreadable};

/// A word of a closed list, as the table writes it.
pub(super) fn word<T: DeserializeOwned>(text: &str, place: &str) -> Result<T, Failure> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|_unknown| unreadable(place).into())
}

/// JSON of a known shape.
pub(super) fn json<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|_unknown| unreadable(place).into())
}

/// A number that is never negative.
pub(super) fn count(number: i32, place: &str) -> Result<u32, Failure> {
    u32::try_from(number).map_err(|_unknown| unreadable(place).into())
}

pub(super) fn instant(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

pub(super) fn timestamptz(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.as_millis()).unwrap_or_default()
}

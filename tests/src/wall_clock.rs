//! The time of day, as the platforms stamp it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
#[must_use]
pub fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    now_us() / 1000
}

/// Seconds since 1970.
#[must_use]
pub fn now_s() -> i64 {
    now_us() / 1_000_000
}

//! Instants as the domain sees them: milliseconds since 1970, UTC. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads a number of Facebook's: values below 10^11 are seconds, everything else is milliseconds
    /// (samples mix both, `entry.time` against `timestamp`).
    #[must_use]
    pub const fn from_facebook(number: i64) -> Self {
        if number > -100_000_000_000 && number < 100_000_000_000 {
            Self(number.saturating_mul(1000))
        } else {
            Self(number)
        }
    }

    /// This instant moved into the future, saturating.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        assert_eq!(Timestamp::from_facebook(1_600_000_000), Timestamp::from_millis(1_600_000_000_000));
        assert_eq!(
            Timestamp::from_facebook(1_458_692_752_478),
            Timestamp::from_millis(1_458_692_752_478)
        );
    }

    #[test]
    fn time_before_the_start_is_no_time() {
        assert_eq!(Timestamp::from_millis(5).since(Timestamp::from_millis(9)), Duration::ZERO);
    }
}

//! Times: the domain's milliseconds and PostgreSQL's microseconds since 2000.

use diesel::data_types::PgTimestamp;
use engine::ports::StoreError;
use shared::Timestamp;

/// 2000-01-01 in milliseconds since 1970.
const YEAR_2000: i64 = 946_684_800_000;
/// What `timestamptz` can hold, in microseconds since 2000: from 4713 BC to 294276 AD. Beyond are its infinities.
const FIRST: i64 = -211_813_488_000_000_000;
const LAST: i64 = 9_223_371_331_199_999_999;

/// As the database keeps it.
///
/// # Errors
/// [`StoreError::Data`] where the database cannot hold it; Facebook's numbers are not ours.
pub(crate) fn to_pg(at: Timestamp) -> Result<PgTimestamp, StoreError> {
    at.as_millis()
        .checked_sub(YEAR_2000)
        .and_then(|millis| millis.checked_mul(1000))
        .filter(|micros| (FIRST..=LAST).contains(micros))
        .map(PgTimestamp)
        .ok_or_else(|| StoreError::Data {
            reason: "a time is out of range".to_owned(),
        })
}

/// As the domain has it.
pub(crate) const fn from_pg(at: PgTimestamp) -> Timestamp {
    Timestamp::from_millis(at.0.div_euclid(1000).saturating_add(YEAR_2000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_database() {
        for millis in [0, -1, 1, 1_900_000_000_123, YEAR_2000 - 1] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(from_pg(to_pg(at).unwrap()), at);
        }
    }

    #[test]
    fn a_time_that_the_database_cannot_hold_is_refused_and_not_turned_into_another() {
        for millis in [i64::MAX, i64::MIN, 9_300_000_000_000_000, i64::MIN / 1000] {
            assert!(
                matches!(to_pg(Timestamp::from_millis(millis)), Err(StoreError::Data { .. })),
                "{millis}"
            );
        }
    }
}

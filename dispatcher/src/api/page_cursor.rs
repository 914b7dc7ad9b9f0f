//! Places in lists, as callers carry them around: opaque, so that what a list is sorted by may change.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared::Timestamp;

use super::problem::{Problem, Refused};

/// Writes a place: what the list is sorted by, and what tells those at the same time apart.
pub(crate) fn write(at: Timestamp, tie: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {tie}", at.as_millis()))
}

/// Reads a place.
///
/// # Errors
/// `invalid_request` for what [`write`] did not write.
pub(crate) fn read<T: FromStr>(text: &str) -> Result<(Timestamp, T), Refused> {
    parse(text).ok_or_else(|| Problem::InvalidRequest.because("this is no place in a list"))
}

fn parse<T: FromStr>(text: &str) -> Option<(Timestamp, T)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (at, tie) = text.split_once(' ')?;
    // Far beyond any calendar the database would refuse it.
    let at = at.parse().ok().filter(|millis: &i64| millis.unsigned_abs() < 1 << 47)?;
    Some((Timestamp::from_millis(at), tie.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn a_place_survives_the_caller(at in -1_i64 << 46..1_i64 << 46, id in any::<u128>()) {
            let (at, id) = (Timestamp::from_millis(at), Uuid::from_u128(id));
            prop_assert_eq!(read::<Uuid>(&write(at, id)), Ok((at, id)));
        }

        #[test]
        fn anything_else_is_refused_and_breaks_nothing(text in ".{0,60}") {
            if let Ok((at, id)) = read::<Uuid>(&text) {
                prop_assert_eq!(write(at, id), text);
            }
        }
    }
}

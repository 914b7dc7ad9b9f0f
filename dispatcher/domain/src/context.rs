//! What a decision may know beside the state: the time and fresh ids, both handed in.

use std::collections::BTreeSet;

use shared::{MessageId, Timestamp, TurnId};
use uuid::Uuid;

/// A source of ids for one command: a fresh time-ordered id whose last 16 bits count up.
///
/// The ids are drawn outside, so that the same command with the same seed decides the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdSeed(Uuid);

impl IdSeed {
    /// From a fresh version-7 id.
    #[must_use]
    pub const fn new(fresh: Uuid) -> Self {
        Self(fresh)
    }

    /// The n-th id of this seed.
    #[must_use]
    pub fn nth(self, n: u16) -> Uuid {
        let low = u128::from(n);
        Uuid::from_u128((self.0.as_u128() & !0xffff_u128) | low)
    }

    /// The n-th message id.
    #[must_use]
    pub fn message(self, n: u16) -> MessageId {
        MessageId(self.nth(n))
    }

    /// The n-th turn id.
    #[must_use]
    pub fn turn(self, n: u16) -> TurnId {
        TurnId(self.nth(n))
    }
}

/// The circumstances of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// When the command is decided.
    pub now: Timestamp,
    /// Fresh ids.
    pub ids: IdSeed,
    /// Messages whose attempt has not begun: only these can still be withdrawn.
    pub unattempted: &'a BTreeSet<MessageId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_different_ids_and_the_same_ones_again() {
        let seed = IdSeed::new(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_abcd));
        assert_ne!(seed.nth(0), seed.nth(1));
        assert_eq!(seed.nth(7), seed.nth(7));
    }
}

//! What ingress tells afterwards about its promises: which receipts the broker confirmed, as ranges per boot and partition.
//!
//! Invariant: a sequence number appears only after the broker confirmed its message, so a number that is listed here and not in the
//! log is a loss, and one that is in neither was never promised.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

/// One message of the ledger queue: what was confirmed since the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The run of ingress, see [`crate::Receipt`].
    pub boot: Uuid,
    /// When this was written.
    pub at: Timestamp,
    /// Per partition, what was confirmed.
    pub partitions: Vec<ConfirmedPartition>,
}

/// The confirmed sequence numbers of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedPartition {
    /// The partition's number.
    pub partition: u8,
    /// Inclusive ranges, ascending, without overlap.
    pub ranges: Vec<(u64, u64)>,
}

/// Sequence numbers that arrive in almost ascending order, kept as ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds one number. Cheap when it follows the last one.
    pub fn insert(&mut self, number: u64) {
        if let Some((_, end)) = self.0.last_mut()
            && number == end.saturating_add(1)
        {
            *end = number;
            return;
        }
        self.insert_range((number, number));
    }

    /// Adds every number of an inclusive range.
    pub fn insert_range(&mut self, (start, end): (u64, u64)) {
        let position = self.0.partition_point(|(other, _)| *other <= start);
        self.0.insert(position, (start, end.max(start)));
        while self.close_gap(position) {}
        if let Some(before) = position.checked_sub(1) {
            while self.close_gap(before) {}
        }
    }

    /// Takes everything, leaving nothing.
    #[must_use]
    pub fn take(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.0)
    }

    /// Whether nothing was added since the last [`Ranges::take`].
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Joins the range at `position` with the next one where they touch; whether they did.
    fn close_gap(&mut self, position: usize) -> bool {
        let (Some(&(_, end)), Some(&(next_start, next_end))) = (self.0.get(position), self.0.get(position.saturating_add(1))) else {
            return false;
        };
        if next_start > end.saturating_add(1) {
            return false;
        }
        self.0.remove(position.saturating_add(1));
        if let Some(joined) = self.0.get_mut(position) {
            joined.1 = joined.1.max(next_end);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_order_are_one_range() {
        let mut ranges = Ranges::default();
        (1..=1000).for_each(|number| ranges.insert(number));
        assert_eq!(ranges.take(), [(1, 1000)]);
        assert!(ranges.is_empty());
    }

    proptest! {
        #[test]
        fn ranges_hold_exactly_the_numbers_that_were_added(
            numbers in prop::collection::vec(0_u64..60, 0..80),
            spans in prop::collection::vec((0_u64..60, 0_u64..9), 0..9),
        ) {
            let mut ranges = Ranges::default();
            numbers.iter().for_each(|number| ranges.insert(*number));
            spans.iter().for_each(|(start, length)| ranges.insert_range((*start, start + length)));
            let taken = ranges.take();
            let held: BTreeSet<u64> = taken.iter().flat_map(|(start, end)| *start..=*end).collect();
            let spanned = spans.iter().flat_map(|(start, length)| *start..=start + length);
            prop_assert_eq!(held, numbers.iter().copied().chain(spanned).collect());
            prop_assert!(taken.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?} touch or are out of order", taken);
        }
    }
}

//! Chance that can be had again: SplitMix64, seeded.

use std::ops::Range;

use uuid::Uuid;

/// A source of chance. The same seed gives the same numbers, in the order in which they are drawn.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A source of its own for a part of the world, so that one part's draws do not shift another's.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `bound`; 0 where there is none.
    pub const fn below(&mut self, bound: u64) -> u64 {
        match self.next().checked_rem(bound) {
            Some(number) => number,
            None => 0,
        }
    }

    /// A number of the range; its start where the range is empty.
    pub const fn within(&mut self, range: &Range<u64>) -> u64 {
        range.start.saturating_add(self.below(range.end.saturating_sub(range.start)))
    }

    /// True in so many of a thousand cases.
    pub const fn per_mille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        let bound = u64::try_from(several.len()).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).ok().and_then(|index| several.get(index))
    }

    /// A version-7 id of that millisecond.
    pub fn id_at(&mut self, millis: i64) -> Uuid {
        let time = u128::try_from(millis).unwrap_or(0) & 0xffff_ffff_ffff;
        let (high, low) = (u128::from(self.next()) & 0x0fff, u128::from(self.next()) & 0x3fff_ffff_ffff_ffff);
        Uuid::from_u128((time << 80) | (7 << 76) | (high << 64) | (2 << 62) | low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            [chance.next(), chance.next(), chance.below(7)]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn ids_are_of_version_7_and_carry_their_time() {
        let id = Chance::new(3).id_at(1_763_800_000_000);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().map(|time| time.to_unix().0), Some(1_763_800_000));
    }

    #[test]
    fn an_empty_range_gives_its_start() {
        assert_eq!(Chance::new(9).within(&(5..5)), 5);
    }
}

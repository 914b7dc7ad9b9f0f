//! When a fault strikes: for the next few calls, or with a probability that a seed decides.
//!
//! Invariant: a roll depends only on the seed, the fault, the visitor and how often that visitor was rolled for, so that two
//! visitors who interleave differently still meet the same faults.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// When a fault strikes. The default is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trigger {
    /// Strikes this many more times.
    pub next: u32,
    /// After that, strikes with this probability, 0 to 1.
    pub chance: f64,
}

impl Trigger {
    /// Strikes every time.
    pub const ALWAYS: Self = Self { next: 0, chance: 1.0 };
    /// Never strikes.
    pub const NEVER: Self = Self { next: 0, chance: 0.0 };

    /// Strikes the next `count` times.
    #[must_use]
    pub const fn next(count: u32) -> Self {
        Self { next: count, chance: 0.0 }
    }

    /// Strikes with a probability.
    #[must_use]
    pub const fn chance(chance: f64) -> Self {
        Self { next: 0, chance }
    }

    /// Whether it strikes now; counts down.
    pub fn strikes(&mut self, dice: &mut Dice, fault: &'static str, key: &str) -> bool {
        if self.next > 0 {
            self.next -= 1;
            return true;
        }
        self.chance > 0.0 && dice.roll(fault, key) < self.chance
    }
}

/// Randomness that repeats itself under the same seed.
#[derive(Debug, Clone)]
pub struct Dice {
    seed: u64,
    rolled: HashMap<(&'static str, String), u64>,
}

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rolled: HashMap::new(),
        }
    }

    /// A number in 0..1 for the next roll of this key.
    pub fn roll(&mut self, fault: &'static str, key: &str) -> f64 {
        let times = self.rolled.entry((fault, key.to_owned())).or_insert(0);
        *times += 1;
        let digest = Sha256::new()
            .chain_update(self.seed.to_be_bytes())
            .chain_update(fault)
            .chain_update(times.to_be_bytes())
            .chain_update(key)
            .finalize();
        let head = digest.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        f64::from(head) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_trigger_strikes_exactly_as_often_as_it_says() {
        let mut dice = Dice::new(1);
        let mut trigger = Trigger::next(2);
        let struck: Vec<bool> = (0..4).map(|_| trigger.strikes(&mut dice, "cut", "7")).collect();
        assert_eq!(struck, [true, true, false, false]);
    }

    #[test]
    fn the_same_seed_strikes_the_same_calls_however_visitors_interleave() {
        let mut together = Dice::new(42);
        let mut apart = Dice::new(42);
        let mut trigger = Trigger::chance(0.5);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..64 {
            first.push(trigger.strikes(&mut together, "cut", "a"));
            second.push(trigger.strikes(&mut together, "cut", "b"));
        }
        let second_alone: Vec<bool> = (0..64).map(|_| trigger.strikes(&mut apart, "cut", "b")).collect();
        let first_alone: Vec<bool> = (0..64).map(|_| trigger.strikes(&mut apart, "cut", "a")).collect();
        assert_eq!((first, second), (first_alone, second_alone));
    }

    #[test]
    fn a_probability_is_met_roughly() {
        let mut dice = Dice::new(3);
        let mut trigger = Trigger::chance(0.25);
        let struck = (0..4000).filter(|_| trigger.strikes(&mut dice, "cut", "a")).count();
        assert!((800..1200).contains(&struck), "{struck} of 4000");
    }
}

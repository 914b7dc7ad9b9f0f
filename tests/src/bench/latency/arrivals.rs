//! What arrived somewhere, when, and how often.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::wall_clock;
use crate::watched::{NotReached, Watched};

/// When something arrived, by what it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// In microseconds since 1970; the first time each.
    first: HashMap<String, i64>,
    /// How often something arrived that had arrived before.
    pub(super) repeated: u64,
}

impl Arrivals {
    /// When it arrived.
    pub(super) fn of(&self, what: &str) -> Option<i64> {
        self.first.get(what).copied()
    }

    fn note(&mut self, what: String, at_us: i64) {
        match self.first.entry(what) {
            std::collections::hash_map::Entry::Occupied(_) => self.repeated += 1,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(at_us);
            }
        }
    }
}

/// The list that a listener fills while others wait for it.
#[derive(Debug, Clone)]
pub(super) struct Board(Arc<Watched<Arrivals>>);

impl Board {
    pub(super) fn new() -> Self {
        Self(Arc::new(Watched::new(Arrivals::default())))
    }

    pub(super) fn note(&self, what: String, at_us: i64) {
        self.0.change(|arrivals| arrivals.note(what, at_us));
    }

    pub(super) fn note_now(&self, what: String) {
        self.note(what, wall_clock::now_us());
    }

    /// Waits until so many different things have arrived.
    pub(super) async fn wait_for(&self, count: usize, patience: Duration) -> Result<(), NotReached> {
        let complete = |arrivals: &Arrivals| (arrivals.first.len() >= count).then_some(());
        self.0.wait_for(complete, patience).await
    }

    pub(super) fn taken(&self) -> Arrivals {
        self.0.read(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_arrival_counts_and_repetitions_are_told() {
        let board = Board::new();
        board.note("a".to_owned(), 1);
        board.note("b".to_owned(), 2);
        board.note("a".to_owned(), 3);
        board.wait_for(2, Duration::from_secs(5)).await.unwrap();
        let arrivals = board.taken();
        assert_eq!((arrivals.of("a"), arrivals.of("b"), arrivals.of("c")), (Some(1), Some(2), None));
        assert_eq!(arrivals.repeated, 1);
    }
}

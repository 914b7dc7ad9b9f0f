//! How slow the store is, and how it breaks.

use std::ops::Range;
use std::time::Duration;

use engine::ports::StoreError;

use crate::simulation::chance::Chance;

/// The manners of a store: spans in milliseconds, faults in per mille of the transactions.
#[derive(Debug, Clone)]
pub struct Manners {
    /// From the locks to the first write.
    pub deciding: Range<u64>,
    /// From the first write to the commit.
    pub writing: Range<u64>,
    /// From the commit to the answer.
    pub answering: Range<u64>,
    /// Transactions that hold their locks for longer than rivals are willing to wait.
    pub stuck: u64,
    /// Commits whose answer is lost.
    pub lost_answer: u64,
    /// Transactions that break off before their commit.
    pub broken_off: u64,
}

impl Manners {
    /// At once, and never broken.
    pub const CALM: Self = Self {
        deciding: 0..0,
        writing: 0..0,
        answering: 0..0,
        stuck: 0,
        lost_answer: 0,
        broken_off: 0,
    };

    /// A healthy database under load.
    pub const BUSY: Self = Self {
        deciding: 0..4,
        writing: 0..8,
        answering: 0..3,
        ..Self::CALM
    };

    /// A database with bad days.
    pub const TROUBLED: Self = Self {
        stuck: 8,
        lost_answer: 10,
        broken_off: 10,
        ..Self::BUSY
    };
}

/// How long a stuck transaction takes: longer than anybody waits for its locks.
const STUCK: u64 = 700;

/// What happens to one transaction, drawn before it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) deciding: Duration,
    pub(super) writing: Duration,
    pub(super) answering: Duration,
    pub(super) lost_answer: bool,
    pub(super) broken_off: bool,
}

impl Fate {
    pub(super) fn draw(manners: &Manners, chance: &mut Chance) -> Self {
        let stuck = if chance.per_mille(manners.stuck) { STUCK } else { 0 };
        Self {
            deciding: Duration::from_millis(chance.within(&manners.deciding)),
            writing: Duration::from_millis(chance.within(&manners.writing).saturating_add(stuck)),
            answering: Duration::from_millis(chance.within(&manners.answering)),
            lost_answer: chance.per_mille(manners.lost_answer),
            broken_off: chance.per_mille(manners.broken_off),
        }
    }
}

/// Waits, unless there is nothing to wait for.
pub(super) async fn pass(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}

/// The link to the store broke.
#[derive(Debug, thiserror::Error)]
#[error("the simulated link broke")]
struct LinkBroke;

pub(super) fn unavailable() -> StoreError {
    StoreError::Unavailable(Box::new(LinkBroke))
}

/// The data was refused.
pub(super) fn refused(reason: &str) -> StoreError {
    StoreError::Data { reason: reason.to_owned() }
}

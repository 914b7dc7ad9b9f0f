//! Simulated time: tokio's clock, which a test pauses and which then jumps to the next thing that is due.

use shared::Timestamp;
use tokio::time::Instant;

/// When every simulated day begins: 2025-11-22T08:00:00Z.
const FIRST: Timestamp = Timestamp::from_millis(1_763_798_400_000);

/// Counts from a fixed instant on, with tokio's clock.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedClock {
    started: Instant,
}

impl SimulatedClock {
    /// Starts the day. Needs a running tokio runtime.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        FIRST.plus(self.started.elapsed())
    }
}

//! Time and ids for one simulated process.

use std::sync::{Mutex, PoisonError};

use engine::ports::Environment;
use shared::Timestamp;
use uuid::Uuid;

use super::chance::Chance;
use super::clock::SimulatedClock;

/// The paused clock, and ids out of the seed.
#[derive(Debug)]
pub struct SimulatedEnvironment {
    clock: SimulatedClock,
    chance: Mutex<Chance>,
}

impl SimulatedEnvironment {
    /// For one process.
    #[must_use]
    pub const fn new(clock: SimulatedClock, chance: Chance) -> Self {
        Self {
            clock,
            chance: Mutex::new(chance),
        }
    }
}

impl Environment for SimulatedEnvironment {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn fresh_id(&self) -> Uuid {
        let millis = self.clock.now().as_millis();
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).id_at(millis)
    }
}

//! A whole world in one thread, out of one seed: the engine's real loops against a store, a broker and platforms in memory, on tokio's paused
//! clock.
//!
//! Invariant: chance comes from the seed alone and time from the paused clock alone, so the same seed gives the same run, event for event.

pub mod agent;
pub mod broker;
pub mod chance;
pub mod checks;
pub mod clock;
pub mod environment;
pub mod live;
pub mod memory;
pub mod platforms;
pub mod process;
pub mod tape;
pub mod trace;
pub mod visitor;
pub mod webhooks;
pub mod world;

pub use broker::{SimulatedBroker, SimulatedDeliveries, Weather};
pub use chance::Chance;
pub use clock::SimulatedClock;
pub use environment::SimulatedEnvironment;
pub use live::{Fanout, SimulatedLive};
pub use memory::{Manners, MemoryStore};
pub use platforms::{SimulatedPlatforms, Temper};
pub use tape::{Entry, Moment, Tape};
pub use trace::Trace;
pub use webhooks::Webhooks;
pub use world::simulate;

//! The loops of the dispatcher: intake, relay and router, the door for people's commands, and the ports through which all
//! of them reach the world.
//!
//! Invariant: no loop reads a clock, draws an id, touches a socket or spawns a task by itself; the same code runs in
//! production and under a simulated world.

pub mod arrival;
pub mod commands;
pub mod directory_thing;
pub mod intake;
pub mod kept;
pub mod ports;
pub mod relay;
pub mod relay_handle;
pub mod router;
pub mod unit;
pub mod wakes;

pub use commands::{Answer, CommandError, Commands};
pub use directory_thing::DirectoryThing;
pub use intake::Intake;
pub use relay::Relay;
pub use relay_handle::{RelayHandle, RelayInbox, door};
pub use router::Router;
pub use wakes::Wakes;

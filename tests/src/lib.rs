//! The world that Frontdesk runs in, simulated: Facebook's Messenger Platform, the Chatopera bot service, and a phone on which
//! a person writes as a visitor. They are real HTTP servers; a test starts them on port 0, the demo runs the binary `platforms`.
//!
//! Invariants: nothing here uses the product's own code, so that an error in it cannot confirm itself; nothing here reaches out
//! of the machine; tests wait for conditions, never for time to pass. Only [`mod@bench`], [`simulation`] and [`world`], which are not the
//! world but hold the product in it, know the product.

pub mod bench;
pub mod chaos_proxy;
pub mod chatopera;
pub mod cut;
pub mod facebook;
pub mod phone;
pub mod platforms;
pub mod server;
pub mod simulation;
pub mod trigger;
pub mod wall_clock;
pub mod watched;
pub mod world;

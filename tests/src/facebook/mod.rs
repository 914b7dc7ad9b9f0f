//! A simulated Facebook: Graph with the checks of the real one, webhooks that are signed, repeated, doubled and delayed, and
//! faults that a test sets while it runs.
//!
//! Invariant: a message is in [`World::sent`] exactly if it was accepted, whatever the caller was told about it.

pub mod config;
mod control;
pub mod escape;
pub mod event;
mod faults;
mod graph;
mod handshake;
mod lane;
pub mod message;
mod mid;
mod platform;
pub mod refusal;
pub mod send_request;
pub mod signature;
mod simulated;
pub mod thread;
mod visitor_acts;
pub mod world;

pub use config::{App, Callback, CallbackError, FacebookConfig, Page, WebhookConfig};
pub use faults::{ErrorFault, Faults};
pub use handshake::Handshake;
pub use platform::Facebook;
pub use refusal::Refusal;
pub use simulated::SimulatedFacebook;
pub use thread::{Item, Side, Thread};
pub use visitor_acts::Tap;
pub use world::{Sent, WebhookCounts, World};

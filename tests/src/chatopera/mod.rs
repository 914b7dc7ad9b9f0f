//! A simulated Chatopera: one bot that checks every signature, answers by the text alone, and can be slow, mute or down.

pub mod answer;
pub mod credentials;
pub mod modes;
pub mod record;
mod service;
mod simulated;

pub use credentials::{AuthError, Credentials};
pub use modes::{Modes, ServiceError, State};
pub use record::{Query, Record};
pub use service::Chatopera;
pub use simulated::SimulatedChatopera;

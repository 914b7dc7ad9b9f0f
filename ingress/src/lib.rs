//! The webhook service: verify, split, publish, answer.
//!
//! Invariant: 200 is a promise. Every event of the body is confirmed by the broker, or belongs to another app's Page and is counted as refused.
//! Anything that cannot be promised is answered so that Facebook sends it again. Nothing here knows what an event means.

mod callback;
pub mod config;
mod counters;
mod directory;
mod handshake;
mod health;
mod outgoing;
mod raw_body;
mod server;
mod service;
mod traffic;
mod webhook;

pub use config::Config;
pub use server::{ServeError, serve};

//! What both services need from the machine they run on: configuration, logs and metrics, signals, the connection to the broker.
//!
//! Invariant: nothing here knows what a conversation is, and nothing here writes a secret or a message text anywhere.

pub mod broker;
pub mod config;
pub mod live;
pub mod metrics;
pub mod publisher;
pub mod shutdown;
pub mod telemetry;

//! The store against a real PostgreSQL, one database per test.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests by their attribute; this whole crate is tests"
)]

mod claims;
mod collisions;
mod database;
mod directory;
mod effects;
mod log;
mod migrations_redo;
mod outage;
mod plans;
mod read_models;
mod scene;
mod sealing;
mod stream_order;
mod transactions;

//! The HTTP API over a real PostgreSQL, asked the way a console asks.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is around the tests may fail as loudly as they"
)]

mod console;
mod database;
mod directory;
mod feed;
mod openapi;
mod permissions;
mod session;
mod visitors;
mod workbench;
mod world;

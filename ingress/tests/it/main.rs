//! The real binary against a real RabbitMQ and a real PostgreSQL: `scripts/services run -- cargo nextest run -p ingress`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod acceptance;
mod directory;
mod facebook;
mod handshake;
mod ledger;
mod outages;
mod process;
mod proxy;
mod refusals;
mod world;

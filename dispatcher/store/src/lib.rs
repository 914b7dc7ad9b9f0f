//! PostgreSQL behind the engine's `Store` port.
//!
//! * [`PgStore`] keeps the port's contract; [`StoreConfig`] says where and how.
//! * [`directory`] is what the adapters need to reach Facebook and the bots.
//! * [`queries`] is the read side of the HTTP API.
//!
//! Invariants: what is written comes from a pure step and from nowhere else; the locks of a transaction are taken in one
//! statement, sorted, before its first write; texts, names and addresses are sealed everywhere but in the read models.

#[cfg(test)]
extern crate self as store;

mod config;
pub mod directory;
mod failure;
mod instant;
mod json;
mod names;
#[cfg(test)]
mod plans;
mod pool;
mod postgres;
pub mod queries;
mod recent;
mod server;
mod statement;
mod tables;
mod transact;
mod vault;

pub use config::StoreConfig;
pub use postgres::PgStore;
pub use server::UnsafeServer;

//! The dispatcher: adapters, HTTP API, feed, command line and composition around the engine.
//!
//! Invariant: adapters never touch the store; no rule of the domain is decided here.

pub mod administrator;
pub mod api;
pub mod chatopera;
pub mod config;
pub mod deliveries;
pub mod door;
pub mod environment;
pub mod feed;
pub mod graph;
pub mod live;
pub mod people;
pub mod perform;
pub mod schema;
pub mod seed;
pub mod serve;

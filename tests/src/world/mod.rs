//! A whole installation for one test: its own database, its own names at the broker, simulated platforms in this process, and the real
//! binaries as processes of their own.
//!
//! Invariants: two worlds share nothing but the servers they stand on; nothing is waited for but conditions, and those only for a while;
//! whatever a world started ends with it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test that built the world"
)]

mod acknowledged;
mod binaries;
mod broker;
mod config;
mod database;
mod desk;
mod eventually;
mod feed;
mod folder;
mod installation;
mod load;
mod log;
mod private_broker;
mod seed;
mod servers;
mod service;
mod verdict;
mod visitor;
mod webhook;

pub use acknowledged::{Acknowledged, Ledger};
pub use binaries::binary;
pub use broker::{Poison, TestBroker};
pub use config::WorldConfig;
pub use database::Database;
pub use desk::{Answer, Desk};
pub use eventually::{PATIENCE, eventually, within};
pub use feed::{Feed, FeedEvent};
pub use folder::Folder;
pub use installation::World;
pub use load::{Load, LoadPlan};
pub use log::{LogEvent, Received};
pub use private_broker::PrivateBroker;
pub use seed::Seed;
pub use servers::{broker_server, database_server, number_from_environment};
pub use service::{Launch, Service};
pub use visitor::VisitorActs;
pub use webhook::Sender;

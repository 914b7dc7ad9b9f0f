//! One file per table: all SQL of the store is here.
//!
//! Invariant: many rows travel as arrays through `unnest`, one round trip per table; a statement with nothing to do is not sent.

pub(crate) mod agent;
pub(crate) mod conversation;
pub(crate) mod directory;
pub(crate) mod event_log;
pub(crate) mod idempotency;
pub(crate) mod inbox;
pub(crate) mod lane;
pub(crate) mod lease;
pub(crate) mod outbox;
pub(crate) mod quarantine;
pub(crate) mod settings;
pub(crate) mod streams;
pub(crate) mod timeline;
pub(crate) mod visitor;

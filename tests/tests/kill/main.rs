//! Trouble under load: processes killed and wires cut at random instants. Whatever was acknowledged is in the log once and in order, and
//! nobody reads anything twice.
//!
//! FRONTDESK_KILLS says how often, FRONTDESK_SEED which instants; a failed run names its seed.

#![expect(clippy::unwrap_used, reason = "clippy knows tests by their attribute; this whole crate is tests")]

mod cuts;
mod kills;
mod trouble;

//! The live feed: what happens, told to every console that may know it, over server-sent events.
//!
//! One [`LogReader`] per process follows the log and fills a [`Ring`]; clients read from the ring, and from the log itself only
//! while they are behind the ring.
//!
//! Invariant: what a client is told is exactly the visible part of the log behind its cursor, in order, each event once. A cut
//! anywhere changes nothing: the id of the last event that arrived is the cursor from which the next connection goes on.

mod client;
mod entry;
mod follower;
mod reader;
mod ring;
mod source;

#[cfg(test)]
mod tests;

pub use client::{Client, End, Rhythm, Viewer, Witness};
pub use entry::{Entry, rfc3339};
pub use follower::{Follower, Next};
pub use reader::LogReader;
pub use ring::{Ring, Stretch};
pub use source::LogSource;

/// How many events the ring keeps.
pub const RING_SIZE: usize = 10_000;

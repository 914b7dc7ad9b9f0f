//! Whatever arrives at the webhook ends in 200 and is kept, or in a clear refusal; nothing hangs, nothing falls over, and what is broken
//! never takes its siblings with it.
//!
//! FRONTDESK_MUTATIONS says how many bodies, FRONTDESK_SEED which; a failed run names its seed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests by their attribute; this whole crate is tests"
)]

mod account;
mod bodies;
mod bytes;
mod samples;
mod structure;
mod suite;

//! The simulated platforms, seen from outside: over HTTP, with a callback that answers as told.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests by their attribute; this whole crate is tests"
)]

mod bot;
mod faults;
mod phone;
mod receiver;
mod sending;
mod webhooks;

//! Facebook's webhook: what kinds of events there are, how a body is taken apart, and how one event is read.
//!
//! Invariant: nothing that Facebook sends makes this fail as a whole. A body is split without writing JSON again, so that what is stored is what
//! was signed; an event that cannot be understood is passed on as unknown; only a body that is not JSON is refused, and kept whole.

pub mod dedupe;
pub mod event;
mod json;
pub mod kind;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod samples;
pub mod split;

pub use event::{Event, EventError, parse_event};
pub use kind::EventKind;
pub use split::{Split, SplitError, SplitEvent, Unreadable, split};

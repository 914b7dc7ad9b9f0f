//! A conversation (会话): one case with one visitor, from the first message to the close.
//!
//! Invariants: a closed conversation never changes again, but for the fate of messages that were already intended; a
//! bot's answer of an older epoch is never intended; the place in the queue is that of the first arrival, always.

mod command;
mod decide;
mod event;
mod phase;

pub use command::{Command, Inbound, Settings};
pub use decide::decide;
pub use event::{CloseCause, ConversationEvent, HandOverCause, InboundKind, ReturnCause};
pub use phase::{Conversation, Epoch, Phase};

#[cfg(test)]
mod tests;

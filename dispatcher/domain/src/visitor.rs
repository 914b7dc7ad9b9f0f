//! The visitor's own stream: what Facebook tells of a person outside any conversation.
//!
//! Reactions, edits, deliveries, reads, opt-ins, echoes and kinds that nobody knows yet are kept here whole; they never
//! open a conversation.

use serde::{Deserialize, Serialize};
use shared::Timestamp;

use crate::content::Content;

/// An event of a visitor's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum VisitorEvent {
    /// Facebook told something that belongs to no conversation.
    Noted {
        /// Facebook's kind of event, as the webhook model names it.
        kind: String,
        /// The message that it is about, if it names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mid: Option<String>,
        /// When it happened, by Facebook's clock.
        sent_at: Timestamp,
        /// The event as received.
        #[serde(skip)]
        content: Content,
    },
}

/// A visitor, folded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Visitor {
    /// The newest thing that Facebook told, by Facebook's clock.
    pub last_told: Timestamp,
}

impl Visitor {
    /// The visitor after one more event.
    #[must_use]
    pub fn evolve(mut self, event: &VisitorEvent) -> Self {
        match event {
            VisitorEvent::Noted { sent_at, .. } => self.last_told = self.last_told.max(*sent_at),
        }
        self
    }
}

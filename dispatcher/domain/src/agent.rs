//! An agent (坐席): presence, and the conversations that count against the capacity.
//!
//! Invariant: an agent never has more active conversations than the capacity that held when each was taken.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared::{ConversationId, Timestamp};

use crate::rejection::Rejection;

/// Whether an agent takes conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// 就绪: takes new conversations.
    Ready,
    /// 示忙: keeps the ones at hand, takes no new ones.
    Busy,
    /// Not here.
    #[default]
    Offline,
}

impl Presence {
    /// The presence as API and read model write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Offline => "offline",
        }
    }
}

/// An event of an agent's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum AgentEvent {
    /// The agent said so, or signed out.
    PresenceChanged {
        /// The new presence.
        presence: Presence,
        /// Since when.
        at: Timestamp,
    },
    /// A conversation counts against the capacity from now on.
    Engaged {
        /// Which one.
        conversation: ConversationId,
        /// Since when.
        at: Timestamp,
    },
    /// A conversation no longer counts against the capacity.
    Released {
        /// Which one.
        conversation: ConversationId,
        /// Since when.
        at: Timestamp,
    },
}

/// An agent, folded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Agent {
    /// Presence now.
    pub presence: Presence,
    /// Since when it is so.
    pub since: Timestamp,
    /// Conversations that count against the capacity.
    pub active: BTreeSet<ConversationId>,
    /// When the agent was last given or rid of one: the one idle longest is asked first.
    pub last_engaged: Timestamp,
}

impl Agent {
    /// The agent after one more event.
    #[must_use]
    pub fn evolve(mut self, event: &AgentEvent) -> Self {
        match event {
            AgentEvent::PresenceChanged { presence, at } => {
                self.presence = *presence;
                self.since = *at;
            }
            AgentEvent::Engaged { conversation, at } => {
                self.active.insert(*conversation);
                self.last_engaged = *at;
            }
            AgentEvent::Released { conversation, at } => {
                self.active.remove(conversation);
                self.last_engaged = *at;
            }
        }
        self
    }

    /// Changes the presence; saying the same again is no event.
    #[must_use]
    pub fn change_presence(&self, presence: Presence, now: Timestamp) -> Vec<AgentEvent> {
        if self.presence == presence {
            Vec::new()
        } else {
            vec![AgentEvent::PresenceChanged { presence, at: now }]
        }
    }

    /// Takes a conversation.
    ///
    /// `picked` says that the agent took it by hand: then being busy is no obstacle, being full still is.
    ///
    /// # Errors
    /// [`Rejection::AgentNotReady`] and [`Rejection::NoCapacity`].
    pub fn engage(&self, conversation: ConversationId, capacity: u32, picked: bool, now: Timestamp) -> Result<Vec<AgentEvent>, Rejection> {
        if self.active.contains(&conversation) {
            return Ok(Vec::new());
        }
        let present = match self.presence {
            Presence::Ready => true,
            Presence::Busy => picked,
            Presence::Offline => false,
        };
        if !present {
            return Err(Rejection::AgentNotReady);
        }
        if self.active.len() >= usize::try_from(capacity).unwrap_or(usize::MAX) {
            return Err(Rejection::NoCapacity);
        }
        Ok(vec![AgentEvent::Engaged { conversation, at: now }])
    }

    /// Gives a conversation up; one that is not held is no event.
    #[must_use]
    pub fn release(&self, conversation: ConversationId, now: Timestamp) -> Vec<AgentEvent> {
        if self.active.contains(&conversation) {
            vec![AgentEvent::Released { conversation, at: now }]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn conversation(n: u128) -> ConversationId {
        ConversationId(Uuid::from_u128(n))
    }

    fn ready_with(active: &[u128]) -> Agent {
        Agent {
            presence: Presence::Ready,
            active: active.iter().map(|n| conversation(*n)).collect(),
            ..Agent::default()
        }
    }

    #[test]
    fn a_full_agent_takes_no_more_even_by_hand() {
        assert_eq!(
            ready_with(&[1, 2]).engage(conversation(3), 2, true, Timestamp::default()),
            Err(Rejection::NoCapacity)
        );
    }

    #[test]
    fn a_busy_agent_is_given_nothing_but_may_pick() {
        let busy = Agent {
            presence: Presence::Busy,
            ..Agent::default()
        };
        assert_eq!(
            busy.engage(conversation(1), 5, false, Timestamp::default()),
            Err(Rejection::AgentNotReady)
        );
        assert!(busy.engage(conversation(1), 5, true, Timestamp::default()).is_ok());
    }

    #[test]
    fn taking_the_same_conversation_twice_counts_once() {
        assert_eq!(
            ready_with(&[1]).engage(conversation(1), 1, false, Timestamp::default()),
            Ok(Vec::new())
        );
    }
}

//! The phases of a conversation, and how events lead from one to the next.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use shared::{BotId, ChannelId, MessageId, PageId, PersonId, SkillGroupId, Timestamp, VisitorId};

use super::event::ConversationEvent;
use crate::outbound::Sender;
use crate::texts::TextKey;
use crate::work_mode::{Responder, WorkMode};

/// Counts the hand-overs: a turn belongs to the epoch in which it began (turn fence).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch after the next hand-over.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Phase {
    /// The bot answers.
    WithBot,
    /// In the queue of its skill group.
    Waiting {
        /// First arrival.
        since: Timestamp,
    },
    /// Offered to an agent who has not taken it yet.
    Offered {
        /// To whom.
        agent: PersonId,
        /// First arrival, for the way back.
        since: Timestamp,
    },
    /// An agent answers.
    WithAgent {
        /// Who.
        agent: PersonId,
        /// First arrival, for the way back.
        since: Timestamp,
        /// The agent has left and owes nothing: counts against nobody's capacity.
        parked: bool,
    },
    /// The agent finishes the paperwork.
    WrapUp {
        /// Who.
        agent: PersonId,
        /// First arrival, for the way back.
        since: Timestamp,
    },
    /// Over.
    Closed {
        /// Since when.
        at: Timestamp,
    },
}

impl Phase {
    /// The phase as API and read model write it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::WithBot => "with_bot",
            Self::Waiting { .. } => "waiting",
            Self::Offered { .. } => "offered",
            Self::WithAgent { .. } => "with_agent",
            Self::WrapUp { .. } => "wrap_up",
            Self::Closed { .. } => "closed",
        }
    }

    /// The agent whose conversation it is.
    #[must_use]
    pub const fn agent(&self) -> Option<PersonId> {
        match self {
            Self::Offered { agent, .. } | Self::WithAgent { agent, .. } | Self::WrapUp { agent, .. } => Some(*agent),
            Self::WithBot | Self::Waiting { .. } | Self::Closed { .. } => None,
        }
    }

    /// The first arrival in the queue, where there was one.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting { since } | Self::Offered { since, .. } | Self::WithAgent { since, .. } | Self::WrapUp { since, .. } => {
                Some(*since)
            }
            Self::WithBot | Self::Closed { .. } => None,
        }
    }
}

/// A message that was intended and whose end is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// Who speaks.
    pub sender: Sender,
    /// In which epoch it was decided.
    pub epoch: Epoch,
}

/// A conversation, folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// With whom.
    pub visitor: VisitorId,
    /// Through which channel.
    pub channel: ChannelId,
    /// On which Page.
    pub page: PageId,
    /// Whose skill group's it is.
    pub skill_group: SkillGroupId,
    /// The bot that it began with.
    pub bot: Option<BotId>,
    /// The work mode that it began with.
    pub mode: WorkMode,
    /// Where it stands.
    pub phase: Phase,
    /// The turn fence.
    pub epoch: Epoch,
    /// When it began.
    pub opened_at: Timestamp,
    /// The newest turn of either side.
    pub last_activity: Timestamp,
    /// The newest message of the visitor, by Facebook's clock.
    pub last_sent_at: Timestamp,
    /// The visitor wrote and nobody has answered.
    pub unanswered: bool,
    /// The queue text was given since it last began to wait.
    pub queue_notice: Option<TextKey>,
    /// Messages whose end is not known yet.
    pub under_way: BTreeMap<MessageId, UnderWay>,
    /// Bot turns begun in the minute that starts at the timestamp.
    pub bot_turns: (Timestamp, u32),
}

impl Conversation {
    /// The conversation after one more event; `None` is one that has not begun.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &ConversationEvent) -> Option<Self> {
        match (state, event) {
            (
                None,
                ConversationEvent::Opened {
                    visitor,
                    channel,
                    page,
                    skill_group,
                    bot,
                    mode,
                    responder,
                    at,
                },
            ) => Some(Self {
                visitor: *visitor,
                channel: *channel,
                page: page.clone(),
                skill_group: *skill_group,
                bot: *bot,
                mode: *mode,
                phase: match responder {
                    Responder::Bot => Phase::WithBot,
                    Responder::Human => Phase::Waiting { since: *at },
                },
                epoch: Epoch::default(),
                opened_at: *at,
                last_activity: *at,
                last_sent_at: Timestamp::default(),
                unanswered: false,
                queue_notice: None,
                under_way: BTreeMap::new(),
                bot_turns: (Timestamp::default(), 0),
            }),
            // The log begins every conversation with its opening; anything before it changes nothing.
            (None, _) => None,
            (Some(state), event) => Some(state.after(event)),
        }
    }

    fn after(mut self, event: &ConversationEvent) -> Self {
        match event {
            ConversationEvent::Opened { .. } | ConversationEvent::BotNotAsked { .. } | ConversationEvent::BotAnswered { .. } => {}
            ConversationEvent::BotAnswerRefused { .. } | ConversationEvent::BotFailed { .. } => {}
            ConversationEvent::MessageReceived { sent_at, .. } => {
                self.last_sent_at = self.last_sent_at.max(*sent_at);
                self.last_activity = self.last_activity.max(*sent_at);
                self.unanswered = true;
            }
            ConversationEvent::BotAsked { at, .. } => self.bot_turns = self.turns_with_one_more(*at),
            ConversationEvent::HandedOver { to, epoch, .. } => {
                self.epoch = *epoch;
                match to {
                    Responder::Bot => self.phase = Phase::WithBot,
                    Responder::Human => {}
                }
            }
            ConversationEvent::Queued { since } | ConversationEvent::Returned { since, .. } => {
                self.phase = Phase::Waiting { since: *since };
                self.queue_notice = None;
            }
            ConversationEvent::Offered { agent, at, .. } => {
                self.phase = Phase::Offered {
                    agent: *agent,
                    since: self.first_arrival(*at),
                }
            }
            ConversationEvent::Accepted { agent, at } => {
                self.phase = Phase::WithAgent {
                    agent: *agent,
                    since: self.first_arrival(*at),
                    parked: false,
                };
            }
            ConversationEvent::Parked { agent } => {
                self.phase = Phase::WithAgent {
                    agent: *agent,
                    since: self.first_arrival(self.opened_at),
                    parked: true,
                };
            }
            ConversationEvent::MessageIntended {
                message,
                sender,
                epoch,
                at,
                ..
            } => {
                self.under_way.insert(
                    *message,
                    UnderWay {
                        sender: *sender,
                        epoch: *epoch,
                    },
                );
                self.last_activity = self.last_activity.max(*at);
                self.note_answer(*sender);
            }
            ConversationEvent::MessageWithdrawn { message }
            | ConversationEvent::MessageSent { message, .. }
            | ConversationEvent::MessageRefused { message, .. }
            | ConversationEvent::MessageUnknown { message, .. } => {
                self.under_way.remove(message);
            }
            ConversationEvent::MessageDeferred { .. } => {}
            ConversationEvent::WrapUpStarted { agent, at } => {
                self.phase = Phase::WrapUp {
                    agent: *agent,
                    since: self.first_arrival(*at),
                }
            }
            ConversationEvent::Resumed { agent } => {
                self.phase = Phase::WithAgent {
                    agent: *agent,
                    since: self.first_arrival(self.opened_at),
                    parked: false,
                };
            }
            ConversationEvent::Closed { at, .. } => self.phase = Phase::Closed { at: *at },
        }
        self
    }

    fn note_answer(&mut self, sender: Sender) {
        match sender {
            Sender::Bot { .. } | Sender::Agent { .. } => self.unanswered = false,
            Sender::System { key } => match key {
                TextKey::NoAgent | TextKey::Queued => self.queue_notice = Some(key),
                TextKey::Assigned
                | TextKey::Ended
                | TextKey::BotUnavailable
                | TextKey::BotNoAnswer
                | TextKey::HandoverRefused
                | TextKey::TransferManualService => {}
            },
        }
    }

    /// The place in the queue that the conversation has, or would have from `now` on.
    #[must_use]
    pub fn first_arrival(&self, now: Timestamp) -> Timestamp {
        self.phase.since().unwrap_or(now)
    }

    /// Bot turns of the running minute when one more begins.
    #[must_use]
    pub fn turns_with_one_more(&self, now: Timestamp) -> (Timestamp, u32) {
        let (start, count) = self.bot_turns;
        if now.since(start) < std::time::Duration::from_secs(60) {
            (start, count.saturating_add(1))
        } else {
            (now, 1)
        }
    }

    /// True once nothing more can happen.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }
}

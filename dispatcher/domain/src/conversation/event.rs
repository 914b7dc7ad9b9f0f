//! The facts of a conversation, past tense.

use serde::{Deserialize, Serialize};
use shared::{BotId, ChannelId, MessageId, PageId, PersonId, SkillGroupId, Timestamp, TurnId, VisitorId};

use super::phase::Epoch;
use crate::bot::BotFailure;
use crate::content::Content;
use crate::outbound::{Refusal, Sender, Shape};
use crate::routing::Explanation;
use crate::work_mode::{Responder, WorkMode};

/// What the visitor did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundKind {
    /// Wrote or sent something, or tapped a quick reply.
    Message,
    /// Tapped a button.
    Postback,
    /// Came through a link or an ad.
    Referral,
}

/// Why a conversation changed between bot and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum HandOverCause {
    /// The visitor asked for a person.
    VisitorAsked,
    /// The bot failed.
    BotFailed,
    /// An agent did it.
    Agent {
        /// Which one.
        agent: PersonId,
    },
}

/// Why an agent no longer serves a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnCause {
    /// The agent left while the visitor waits for an answer.
    AgentLeft,
    /// The agent did not take the offer.
    Declined,
    /// The agent put it back.
    PutBack,
    /// The visitor wrote again after the agent had left.
    VisitorReturned,
}

/// Who closed a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum CloseCause {
    /// A person of the contact centre.
    Person {
        /// Which one.
        person: PersonId,
    },
}

/// An event of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ConversationEvent {
    /// It began.
    Opened {
        /// With whom.
        visitor: VisitorId,
        /// Through which channel.
        channel: ChannelId,
        /// On which Page.
        page: PageId,
        /// Whose skill group's it is.
        skill_group: SkillGroupId,
        /// The channel's bot at that time.
        bot: Option<BotId>,
        /// The channel's work mode at that time.
        mode: WorkMode,
        /// Who answers first.
        responder: Responder,
        /// When.
        at: Timestamp,
    },
    /// The visitor did something that counts as a turn of theirs.
    MessageReceived {
        /// Our id of it.
        message: MessageId,
        /// Facebook's id of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mid: Option<String>,
        /// What it was.
        kind: InboundKind,
        /// When, by Facebook's clock.
        sent_at: Timestamp,
        /// It happened before something that arrived earlier.
        late: bool,
        /// The words.
        #[serde(skip)]
        content: Content,
    },
    /// The bot is to be asked.
    BotAsked {
        /// The turn.
        turn: TurnId,
        /// The epoch in which the answer is welcome.
        epoch: Epoch,
        /// Which bot.
        bot: BotId,
        /// When.
        at: Timestamp,
        /// The question.
        #[serde(skip)]
        content: Content,
    },
    /// The bot's turn is skipped: this visitor caused too many in a minute.
    BotNotAsked {
        /// The message that stays unanswered.
        message: MessageId,
    },
    /// The bot answered in time; what it said follows as intended messages.
    BotAnswered {
        /// The turn.
        turn: TurnId,
        /// Who inside the bot answered.
        provider: String,
        /// Whether it understood.
        is_fallback: bool,
    },
    /// The bot answered after a hand-over: nobody gets to read it.
    BotAnswerRefused {
        /// The turn.
        turn: TurnId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// The bot did not answer.
    BotFailed {
        /// The turn.
        turn: TurnId,
        /// What happened; absent where the visitor is muted at the bot.
        reason: Option<BotFailure>,
    },
    /// The conversation changed sides; older turns are void.
    HandedOver {
        /// To whom.
        to: Responder,
        /// Why.
        by: HandOverCause,
        /// The new epoch.
        epoch: Epoch,
        /// When.
        at: Timestamp,
    },
    /// It waits in the queue of its group.
    Queued {
        /// The first arrival, kept over every return.
        since: Timestamp,
    },
    /// The router, or the agent's own hand, gave it to an agent.
    Offered {
        /// To whom.
        agent: PersonId,
        /// When.
        at: Timestamp,
        /// How the router came to it; absent when the agent picked it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explanation: Option<Box<Explanation>>,
    },
    /// The agent has it.
    Accepted {
        /// Who.
        agent: PersonId,
        /// When.
        at: Timestamp,
    },
    /// The agent no longer has it; it waits again.
    Returned {
        /// Who had it.
        agent: PersonId,
        /// Why.
        cause: ReturnCause,
        /// Its place in the queue: the first arrival.
        since: Timestamp,
    },
    /// The agent left, nothing is owed: it stays theirs without counting.
    Parked {
        /// Whose it is.
        agent: PersonId,
    },
    /// A message shall be sent.
    MessageIntended {
        /// Our id; travels in Facebook's `metadata`.
        message: MessageId,
        /// Who speaks.
        sender: Sender,
        /// The epoch in which it was decided.
        epoch: Epoch,
        /// Its shape.
        shape: Shape,
        /// When.
        at: Timestamp,
        /// The words.
        #[serde(skip)]
        content: Content,
    },
    /// It will not be sent: a hand-over came first.
    MessageWithdrawn {
        /// Which one.
        message: MessageId,
    },
    /// Facebook took it.
    MessageSent {
        /// Which one.
        message: MessageId,
        /// Facebook's id.
        mid: String,
        /// Which attempt.
        attempt: u32,
    },
    /// Facebook refused it for good.
    MessageRefused {
        /// Which one.
        message: MessageId,
        /// Why.
        refusal: Refusal,
        /// Which attempt.
        attempt: u32,
    },
    /// Facebook said not now.
    MessageDeferred {
        /// Which one.
        message: MessageId,
        /// When it is tried again.
        not_before: Timestamp,
        /// Which attempt.
        attempt: u32,
    },
    /// It may have arrived; nobody knows, so nobody sends it again.
    MessageUnknown {
        /// Which one.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
    },
    /// The agent is done with the visitor and finishes the paperwork.
    WrapUpStarted {
        /// Who.
        agent: PersonId,
        /// When.
        at: Timestamp,
    },
    /// The visitor wrote during wrap-up: the conversation goes on.
    Resumed {
        /// With whom.
        agent: PersonId,
    },
    /// It is over.
    Closed {
        /// Who said so.
        by: CloseCause,
        /// When.
        at: Timestamp,
    },
}

impl ConversationEvent {
    /// What of it is sealed.
    #[must_use]
    pub const fn content(&self) -> Option<&Content> {
        match self {
            Self::MessageReceived { content, .. } | Self::BotAsked { content, .. } | Self::MessageIntended { content, .. } => Some(content),
            _ => None,
        }
    }

    /// What of it is sealed, to be filled after decoding.
    #[must_use]
    pub const fn content_mut(&mut self) -> Option<&mut Content> {
        match self {
            Self::MessageReceived { content, .. } | Self::BotAsked { content, .. } | Self::MessageIntended { content, .. } => Some(content),
            _ => None,
        }
    }
}

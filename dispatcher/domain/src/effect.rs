//! Effects: what the outside world has to do because of an event.
//!
//! Invariant: an effect follows from an event alone; nothing reaches the outside world by another way.

use serde::{Deserialize, Serialize};
use shared::{BotId, ConversationId, MessageId, PageId, TurnId};

use crate::content::Content;
use crate::conversation::{ConversationEvent, Epoch};
use crate::outbound::{Sender, Shape};

/// The class of a lane: the effects of one visitor and class are performed one after the other.
///
/// Two classes, so that an agent's words never wait for a bot that thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneClass {
    /// Questions to the bot.
    Bot,
    /// Messages to the visitor.
    Message,
}

impl LaneClass {
    /// The class as the outbox writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Message => "message",
        }
    }
}

/// One outbound side effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Ask a bot. May be repeated: nobody sees a question twice.
    AskBot {
        /// For which conversation.
        conversation: ConversationId,
        /// On which Page.
        page: PageId,
        /// The turn.
        turn: TurnId,
        /// Its epoch.
        epoch: Epoch,
        /// Which bot.
        bot: BotId,
        /// The question.
        question: String,
    },
    /// Send a message. Never repeated blindly.
    Send {
        /// For which conversation.
        conversation: ConversationId,
        /// On which Page.
        page: PageId,
        /// The message; travels in `metadata`.
        message: MessageId,
        /// Who speaks.
        sender: Sender,
        /// Its epoch.
        epoch: Epoch,
        /// Its shape.
        shape: Shape,
        /// The words.
        content: Content,
    },
}

impl Effect {
    /// The class of its lane.
    #[must_use]
    pub const fn class(&self) -> LaneClass {
        match self {
            Self::AskBot { .. } => LaneClass::Bot,
            Self::Send { .. } => LaneClass::Message,
        }
    }

    /// The Page on whose behalf it happens.
    #[must_use]
    pub const fn page(&self) -> &PageId {
        match self {
            Self::AskBot { page, .. } | Self::Send { page, .. } => page,
        }
    }

    /// The conversation that it belongs to.
    #[must_use]
    pub const fn conversation(&self) -> ConversationId {
        match self {
            Self::AskBot { conversation, .. } | Self::Send { conversation, .. } => *conversation,
        }
    }

    /// The message that it sends.
    #[must_use]
    pub const fn message(&self) -> Option<MessageId> {
        match self {
            Self::AskBot { .. } => None,
            Self::Send { message, .. } => Some(*message),
        }
    }

    /// Whether the attempt must be on record before it begins, because it cannot be taken back or repeated.
    #[must_use]
    pub const fn is_once(&self) -> bool {
        match self {
            Self::AskBot { .. } => false,
            Self::Send { .. } => true,
        }
    }
}

/// The effect that an event asks for.
#[must_use]
pub fn effect_of(conversation: ConversationId, page: &PageId, event: &ConversationEvent) -> Option<Effect> {
    match event {
        ConversationEvent::BotAsked {
            turn, epoch, bot, content, ..
        } => Some(Effect::AskBot {
            conversation,
            page: page.clone(),
            turn: *turn,
            epoch: *epoch,
            bot: *bot,
            question: content.text.clone().unwrap_or_default(),
        }),
        ConversationEvent::MessageIntended {
            message,
            sender,
            epoch,
            shape,
            content,
            ..
        } => Some(Effect::Send {
            conversation,
            page: page.clone(),
            message: *message,
            sender: *sender,
            epoch: *epoch,
            shape: *shape,
            content: content.clone(),
        }),
        _ => None,
    }
}

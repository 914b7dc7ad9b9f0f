//! What can be asked of a conversation, and under which settings.

use shared::{BotId, ChannelId, MessageId, PageId, PersonId, SkillGroupId, Timestamp, TurnId, VisitorId};

use super::event::InboundKind;
use super::phase::Epoch;
use crate::bot::BotOutcome;
use crate::content::Content;
use crate::directory::AcceptMode;
use crate::outbound::Outcome;
use crate::routing::Explanation;
use crate::texts::{TextKey, Texts};
use crate::work_mode::WorkMode;

/// The settings that hold when a command is decided: the channel's and its skill group's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The channel.
    pub channel: ChannelId,
    /// Its Page.
    pub page: PageId,
    /// Its skill group.
    pub skill_group: SkillGroupId,
    /// Its work mode.
    pub mode: WorkMode,
    /// Its bot, if it has one that is on.
    pub bot: Option<BotId>,
    /// Off: nothing is answered.
    pub enabled: bool,
    /// Its texts.
    pub texts: Texts,
    /// How the group's agents get conversations.
    pub accept: AcceptMode,
    /// Whether closing leads through wrap-up.
    pub wrap_up: bool,
    /// Whether an agent of the group is ready.
    pub humans_ready: bool,
}

/// Something that a visitor did, ready for the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// From whom.
    pub visitor: VisitorId,
    /// Facebook's id of it.
    pub mid: Option<String>,
    /// What it was.
    pub kind: InboundKind,
    /// When, by Facebook's clock.
    pub sent_at: Timestamp,
    /// The words.
    pub content: Content,
}

/// What can be asked of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The visitor did something.
    Receive(Inbound),
    /// A question to the bot ended.
    RecordBotOutcome {
        /// The turn.
        turn: TurnId,
        /// The epoch in which it began.
        epoch: Epoch,
        /// How it ended.
        outcome: BotOutcome,
    },
    /// An attempt to send ended.
    RecordSend {
        /// The message.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// An agent answers.
    Reply {
        /// Who.
        agent: PersonId,
        /// The words.
        text: String,
    },
    /// The router offers it to an agent.
    Offer {
        /// To whom.
        agent: PersonId,
        /// The name that the visitor reads.
        public_name: String,
        /// How the router came to it.
        explanation: Box<Explanation>,
    },
    /// An agent takes it: what was offered, or from the queue by hand.
    Accept {
        /// Who.
        agent: PersonId,
        /// The name that the visitor reads.
        public_name: String,
    },
    /// The visitor is told that the queue is long, or empty of agents.
    GiveQueueNotice {
        /// Which text.
        key: TextKey,
        /// How many wait before.
        ahead: usize,
    },
    /// An agent hands it to the bot.
    HandToBot {
        /// Who.
        agent: PersonId,
    },
    /// An agent puts it back into the queue.
    PutBack {
        /// Who.
        agent: PersonId,
    },
    /// The agent is gone.
    AgentLeft {
        /// Who.
        agent: PersonId,
    },
    /// A person ends it.
    Close {
        /// Who.
        person: PersonId,
        /// An administrator may close anybody's.
        any: bool,
    },
}

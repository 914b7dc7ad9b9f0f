//! The domain's "no": the caller asked for something that the rules do not allow. Nothing broke.

use crate::conversation::Epoch;
use crate::work_mode::WorkMode;

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The conversation is closed, or was never opened.
    #[error("the conversation is over")]
    ConversationOver,
    /// Somebody else, or nobody, serves this conversation.
    #[error("the conversation is not with this agent")]
    NotYourConversation,
    /// The work mode of the channel keeps this conversation with the bot.
    #[error("work mode {mode:?} allows no hand-over to a person")]
    HandOverNotAllowed {
        /// The mode that says so.
        mode: WorkMode,
    },
    /// The channel has no bot that could take over.
    #[error("the channel has no bot")]
    NoBot,
    /// A bot's answer belongs to a turn that a hand-over has ended.
    #[error("the answer belongs to epoch {answer}, the conversation is at {current}")]
    StaleTurn {
        /// Epoch in which the question was put.
        answer: Epoch,
        /// Epoch now.
        current: Epoch,
    },
    /// The conversation is not waiting, so it cannot be offered.
    #[error("the conversation is not waiting")]
    NotWaiting,
    /// The agent is not ready.
    #[error("the agent is not ready")]
    AgentNotReady,
    /// The agent serves as many conversations as the capacity allows.
    #[error("the agent has no free capacity")]
    NoCapacity,
    /// The agent does not belong to the conversation's skill group.
    #[error("the agent is not in the skill group")]
    NotInSkillGroup,
    /// There is nothing to send.
    #[error("the text is empty")]
    TextEmpty,
    /// More than may be sent in one go.
    #[error("the text has {length} characters, {most} are allowed")]
    TextTooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        most: usize,
    },
    /// The outcome names a message that the conversation does not know as under way.
    #[error("the message is not under way")]
    NotUnderWay,
    /// What was read before is no longer so.
    #[error("somebody changed it in the meantime")]
    Stale,
    /// The thing exists already.
    #[error("{what} exists already")]
    AlreadyExists {
        /// Which thing.
        what: &'static str,
    },
    /// The thing does not exist.
    #[error("{what} does not exist")]
    NotFound {
        /// Which thing.
        what: &'static str,
    },
    /// A field has a value that makes no sense.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

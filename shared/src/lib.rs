//! What the services agree on, without any I/O: ids, time, the webhook model, the signature, the event envelope and the
//! broker topology as data.
//!
//! Invariant: nothing here reads a clock, a socket or a file; the build checks that no I/O crate is reachable from here.

pub mod envelope;
pub mod ids;
pub mod ledger;
pub mod sealing;
pub mod signature;
pub mod timestamp;
pub mod topology;
pub mod webhook;

pub use envelope::{Envelope, EventArray, Receipt};
pub use ids::{
    AppId, BotId, ChannelId, ConversationId, EffectId, FacebookAppId, IdError, MessageId, PageId, Party, PersonId, SkillGroupId, TurnId,
    VisitorId,
};
pub use timestamp::Timestamp;
pub use topology::Partition;
pub use webhook::EventKind;

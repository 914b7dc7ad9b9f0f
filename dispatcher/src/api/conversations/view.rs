//! A conversation, as the console sees it.

use serde::Serialize;
use shared::{AppId, BotId, ChannelId, PersonId, SkillGroupId};
use store::queries::{ConversationRecord, LastMessage, Named};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::instant::Instant;
use crate::api::words;

/// Something with a name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reference {
    id: Uuid,
    name: String,
}

macro_rules! reference_from {
    ($($id:ident),+) => {
        $(impl From<Named<$id>> for Reference {
            fn from(named: Named<$id>) -> Self {
                Self { id: named.id.0, name: named.name }
            }
        })+
    };
}
reference_from!(AppId, BotId, ChannelId, PersonId, SkillGroupId);

/// A conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conversation {
    id: Uuid,
    visitor: ConversationVisitor,
    channel: Reference,
    skill_group: Reference,
    #[schema(schema_with = words::phase)]
    phase: String,
    agent: Option<Reference>,
    opened_at: Instant,
    /// First arrival in the queue, kept over every return.
    waiting_since: Option<Instant>,
    last_activity_at: Instant,
    last_message: Option<ConversationMessage>,
    /// The visitor wrote and nobody has answered.
    unanswered: bool,
    version: i64,
}

/// The visitor of a conversation.
#[derive(Serialize, ToSchema)]
struct ConversationVisitor {
    id: Uuid,
    name: Option<String>,
    page_id: String,
}

/// The newest message of a conversation.
#[derive(Serialize, ToSchema)]
struct ConversationMessage {
    #[schema(schema_with = words::message_direction)]
    direction: String,
    text: Option<String>,
    at: Instant,
}

impl From<LastMessage> for ConversationMessage {
    fn from(last: LastMessage) -> Self {
        Self {
            direction: last.direction,
            text: last.text,
            at: Instant(last.at),
        }
    }
}

impl From<ConversationRecord> for Conversation {
    fn from(record: ConversationRecord) -> Self {
        Self {
            id: record.id.0,
            visitor: ConversationVisitor {
                id: record.visitor.0,
                name: record.visitor_name,
                page_id: record.page_id,
            },
            channel: record.channel.into(),
            skill_group: record.skill_group.into(),
            phase: record.phase,
            agent: record.agent.map(Reference::from),
            opened_at: Instant(record.opened_at),
            waiting_since: record.waiting_since.map(Instant),
            last_activity_at: Instant(record.last_activity_at),
            last_message: record.last_message.map(ConversationMessage::from),
            unanswered: record.unanswered,
            version: record.version,
        }
    }
}

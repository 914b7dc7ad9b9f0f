//! Read models as data: which rows an event changes. SQL and memory run the same changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{AppId, BotId, ChannelId, ConversationId, MessageId, PersonId, SkillGroupId, Timestamp, VisitorId};
use uuid::Uuid;

use crate::agent::Agent;
use crate::content::{Attachment, Content};
use crate::conversation::{Conversation, ConversationEvent, HandOverCause, InboundKind};
use crate::directory::{App, Bot, Channel, Person, SkillGroup};
use crate::outbound::Sender;
use crate::visitor::VisitorEvent;
use crate::work_mode::Responder;

/// A change of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// A conversation is so now.
    Conversation(Box<ConversationRow>),
    /// The newest message of a conversation.
    LastMessage(LastMessageRow),
    /// Something new on a visitor's timeline.
    TimelineItem(Box<TimelineRow>),
    /// What became of an outbound message.
    MessageStatus(MessageStatusRow),
    /// An agent is so now.
    Agent(AgentRow),
    /// An app is so now.
    App(Box<DirectoryRow<AppId, App>>),
    /// A channel is so now.
    Channel(Box<DirectoryRow<ChannelId, Channel>>),
    /// A bot is so now.
    Bot(Box<DirectoryRow<BotId, Bot>>),
    /// A skill group is so now.
    SkillGroup(Box<DirectoryRow<SkillGroupId, SkillGroup>>),
    /// A person is so now.
    Person(Box<DirectoryRow<PersonId, Person>>),
}

/// A conversation in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// Which one.
    pub id: ConversationId,
    /// The conversation, folded.
    pub state: Conversation,
    /// Length of its stream.
    pub version: i64,
}

/// The newest message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastMessageRow {
    /// Of which one.
    pub conversation: ConversationId,
    /// From the visitor or to them.
    pub inbound: bool,
    /// The words.
    pub text: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What became of an outbound message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStatusRow {
    /// Which message.
    pub message: MessageId,
    /// pending, sent, refused, unknown, withdrawn, deferred.
    pub status: &'static str,
    /// Why, where there is a reason.
    pub reason: Option<&'static str>,
    /// Facebook's id, once known.
    pub mid: Option<String>,
}

/// An agent on the floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRow {
    /// Who.
    pub id: PersonId,
    /// The agent, folded.
    pub state: Agent,
    /// Length of the stream.
    pub version: i64,
}

/// A thing of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRow<I, S> {
    /// Which one.
    pub id: I,
    /// As it is now.
    pub state: S,
    /// Names and secrets.
    pub content: Content,
    /// Length of its stream.
    pub version: i64,
}

/// Who made a timeline item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// The visitor.
    Visitor,
    /// The bot.
    Bot,
    /// An agent.
    Agent,
    /// A text of the channel, or Frontdesk itself.
    System,
    /// Facebook.
    Platform,
}

impl AuthorKind {
    /// As API and read model write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Bot => "bot",
            Self::Agent => "agent",
            Self::System => "system",
            Self::Platform => "platform",
        }
    }
}

/// One item of a visitor's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// The message's id, or the event's.
    pub id: Uuid,
    /// Whose timeline.
    pub visitor: VisitorId,
    /// In which conversation, if in one.
    pub conversation: Option<ConversationId>,
    /// Facebook's time where there is one.
    pub at: Timestamp,
    /// message, postback, referral, event, notice.
    pub kind: &'static str,
    /// in, out, none.
    pub direction: &'static str,
    /// Who.
    pub author: AuthorKind,
    /// Which agent.
    pub author_id: Option<PersonId>,
    /// The words.
    pub text: Option<String>,
    /// Attachments.
    pub attachments: Vec<Attachment>,
    /// Titles of buttons and quick replies.
    pub buttons: Vec<String>,
    /// Of an outbound message.
    pub status: Option<&'static str>,
    /// Facebook's id.
    pub mid: Option<String>,
    /// What happened, for notices and events.
    pub event: Option<String>,
    /// It arrived after something newer.
    pub late: bool,
}

/// Where in its stream an event stands; ids of items without an id of their own come from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The stream's id.
    pub stream: Uuid,
    /// Position in the stream, from 1.
    pub version: i64,
    /// When the event was decided.
    pub at: Timestamp,
}

impl Place {
    /// An id that follows from the place alone, so that a rebuild gives the same one.
    ///
    /// The stream's own version-7 id with the version in its last 20 bits turned over: unique within the stream, and as
    /// good as unique among streams.
    fn item_id(self) -> Uuid {
        let version = u128::try_from(self.version).unwrap_or(0);
        Uuid::from_u128(self.stream.as_u128() ^ (version << 1 | 1))
    }
}

/// The rows that an event of a conversation changes, but for the conversation's own row.
#[must_use]
pub fn project_conversation(id: ConversationId, state: &Conversation, event: &ConversationEvent, place: Place) -> Vec<RowChange> {
    match event {
        ConversationEvent::MessageReceived {
            message,
            mid,
            kind,
            sent_at,
            late,
            content,
        } => vec![
            RowChange::TimelineItem(Box::new(TimelineRow {
                id: message.0,
                kind: match kind {
                    InboundKind::Message => "message",
                    InboundKind::Postback => "postback",
                    InboundKind::Referral => "referral",
                },
                direction: "in",
                author: AuthorKind::Visitor,
                text: content.text.clone().or_else(|| content.payload.clone()),
                attachments: content.attachments.clone(),
                mid: mid.clone(),
                late: *late,
                ..item(id, state, *sent_at)
            })),
            RowChange::LastMessage(LastMessageRow {
                conversation: id,
                inbound: true,
                text: content.text.clone(),
                at: *sent_at,
            }),
        ],
        ConversationEvent::MessageIntended {
            message,
            sender,
            at,
            content,
            ..
        } => {
            let (author, author_id) = author_of(*sender);
            let buttons = content.buttons.iter().map(|button| button.title.clone());
            let replies = content.quick_replies.iter().map(|reply| reply.title.clone());
            vec![
                RowChange::TimelineItem(Box::new(TimelineRow {
                    id: message.0,
                    kind: "message",
                    direction: "out",
                    author,
                    author_id,
                    text: content.text.clone(),
                    buttons: buttons.chain(replies).collect(),
                    status: Some("pending"),
                    ..item(id, state, *at)
                })),
                RowChange::LastMessage(LastMessageRow {
                    conversation: id,
                    inbound: false,
                    text: content.text.clone(),
                    at: *at,
                }),
            ]
        }
        ConversationEvent::MessageWithdrawn { message } => vec![status(*message, "withdrawn", None, None)],
        ConversationEvent::MessageSent { message, mid, .. } => vec![status(*message, "sent", None, Some(mid.clone()))],
        ConversationEvent::MessageRefused { message, refusal, .. } => {
            vec![status(*message, "refused", Some(refusal.reason.as_str()), None)]
        }
        ConversationEvent::MessageDeferred { message, .. } => vec![status(*message, "pending", Some("deferred"), None)],
        ConversationEvent::MessageUnknown { message, .. } => vec![status(*message, "unknown", None, None)],
        ConversationEvent::Opened { at, .. } => vec![notice(id, state, "conversation_opened", None, *at, place)],
        ConversationEvent::HandedOver { to, by, at, .. } => {
            let author = match by {
                HandOverCause::Agent { agent } => Some(*agent),
                HandOverCause::VisitorAsked | HandOverCause::BotFailed => None,
            };
            let name = match to {
                Responder::Human => "handed_over",
                Responder::Bot => "handed_to_bot",
            };
            vec![notice(id, state, name, author, *at, place)]
        }
        ConversationEvent::BotFailed { .. } => vec![notice(id, state, "bot_failed", None, place.at, place)],
        ConversationEvent::Queued { .. } => vec![notice(id, state, "queued", None, place.at, place)],
        ConversationEvent::Returned { agent, .. } => vec![notice(id, state, "returned", Some(*agent), place.at, place)],
        ConversationEvent::Accepted { agent, at } => vec![notice(id, state, "assigned", Some(*agent), *at, place)],
        ConversationEvent::Parked { agent } => vec![notice(id, state, "parked", Some(*agent), place.at, place)],
        ConversationEvent::WrapUpStarted { agent, at } => vec![notice(id, state, "wrap_up_started", Some(*agent), *at, place)],
        ConversationEvent::Resumed { agent } => vec![notice(id, state, "resumed", Some(*agent), place.at, place)],
        ConversationEvent::Closed { at, .. } => vec![notice(id, state, "closed", None, *at, place)],
        ConversationEvent::Offered { .. }
        | ConversationEvent::BotAsked { .. }
        | ConversationEvent::BotNotAsked { .. }
        | ConversationEvent::BotAnswered { .. }
        | ConversationEvent::BotAnswerRefused { .. } => Vec::new(),
    }
}

/// The rows that an event of a visitor's stream changes.
#[must_use]
pub fn project_visitor(visitor: VisitorId, event: &VisitorEvent, place: Place) -> Vec<RowChange> {
    match event {
        VisitorEvent::Noted { kind, mid, sent_at, .. } => vec![RowChange::TimelineItem(Box::new(TimelineRow {
            id: place.item_id(),
            visitor,
            conversation: None,
            at: *sent_at,
            kind: "event",
            direction: "none",
            author: AuthorKind::Platform,
            author_id: None,
            text: None,
            attachments: Vec::new(),
            buttons: Vec::new(),
            status: None,
            mid: mid.clone(),
            event: Some(kind.clone()),
            late: false,
        }))],
    }
}

/// The public half of a directory thing's content: what is no secret.
#[must_use]
pub fn without_secrets(content: &Content) -> BTreeMap<String, String> {
    use crate::directory::field::{LOGIN, NAME, PUBLIC_NAME, TEXT};
    let public = |name: &str| name == NAME || name == LOGIN || name == PUBLIC_NAME || name.starts_with(TEXT);
    content
        .fields
        .iter()
        .filter(|(name, _)| public(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

const fn author_of(sender: Sender) -> (AuthorKind, Option<PersonId>) {
    match sender {
        Sender::Bot { .. } => (AuthorKind::Bot, None),
        Sender::Agent { agent } => (AuthorKind::Agent, Some(agent)),
        Sender::System { .. } => (AuthorKind::System, None),
    }
}

const fn item(conversation: ConversationId, state: &Conversation, at: Timestamp) -> TimelineRow {
    TimelineRow {
        id: Uuid::nil(),
        visitor: state.visitor,
        conversation: Some(conversation),
        at,
        kind: "notice",
        direction: "none",
        author: AuthorKind::System,
        author_id: None,
        text: None,
        attachments: Vec::new(),
        buttons: Vec::new(),
        status: None,
        mid: None,
        event: None,
        late: false,
    }
}

fn notice(id: ConversationId, state: &Conversation, event: &str, author_id: Option<PersonId>, at: Timestamp, place: Place) -> RowChange {
    RowChange::TimelineItem(Box::new(TimelineRow {
        id: place.item_id(),
        event: Some(event.to_owned()),
        author_id,
        ..item(id, state, at)
    }))
}

const fn status(message: MessageId, status: &'static str, reason: Option<&'static str>, mid: Option<String>) -> RowChange {
    RowChange::MessageStatus(MessageStatusRow {
        message,
        status,
        reason,
        mid,
    })
}

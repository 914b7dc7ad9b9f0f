//! Events of every stream, and how they are named in the log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{AppId, BotId, ChannelId, ConversationId, PersonId, SkillGroupId, VisitorId};
use uuid::Uuid;

use crate::agent::AgentEvent;
use crate::content::Content;
use crate::conversation::ConversationEvent;
use crate::directory::{AppEvent, BotEvent, ChannelEvent, PersonEvent, SkillGroupEvent};
use crate::visitor::VisitorEvent;

/// What a stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// One case with one visitor.
    Conversation,
    /// What Facebook tells of a visitor outside any conversation.
    Visitor,
    /// An agent's presence and engagements.
    Agent,
    /// A person's account.
    Person,
    /// A Facebook app.
    App,
    /// A connected Page.
    Channel,
    /// A bot.
    Bot,
    /// A skill group.
    SkillGroup,
}

impl StreamKind {
    /// The kind as the log writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Visitor => "visitor",
            Self::Agent => "agent",
            Self::Person => "person",
            Self::App => "app",
            Self::Channel => "channel",
            Self::Bot => "bot",
            Self::SkillGroup => "skill_group",
        }
    }

    const ALL: [Self; 8] = [
        Self::Conversation,
        Self::Visitor,
        Self::Agent,
        Self::Person,
        Self::App,
        Self::Channel,
        Self::Bot,
        Self::SkillGroup,
    ];
}

/// The name of a stream: its kind and the id of the thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// What the stream is about.
    pub kind: StreamKind,
    /// Which one.
    pub id: Uuid,
}

/// A text that names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a stream")]
pub struct NotAStream;

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind.as_str(), self.id)
    }
}

impl FromStr for StreamId {
    type Err = NotAStream;
    fn from_str(text: &str) -> Result<Self, NotAStream> {
        let (kind, id) = text.split_once(':').ok_or(NotAStream)?;
        let kind = StreamKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or(NotAStream)?;
        Uuid::parse_str(id).map(|id| Self { kind, id }).or(Err(NotAStream))
    }
}

macro_rules! stream_of {
    ($($id:ident => $kind:ident),+ $(,)?) => {
        $(impl From<$id> for StreamId {
            fn from(id: $id) -> Self {
                Self { kind: StreamKind::$kind, id: id.0 }
            }
        })+
    };
}
stream_of! { ConversationId => Conversation, VisitorId => Visitor, AppId => App, ChannelId => Channel, BotId => Bot, SkillGroupId => SkillGroup }

impl StreamId {
    /// The stream of an agent's presence and engagements.
    #[must_use]
    pub const fn agent(person: PersonId) -> Self {
        Self {
            kind: StreamKind::Agent,
            id: person.0,
        }
    }

    /// The stream of a person's account.
    #[must_use]
    pub const fn person(person: PersonId) -> Self {
        Self {
            kind: StreamKind::Person,
            id: person.0,
        }
    }
}

/// Who caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Actor {
    /// The visitor, through Facebook.
    Visitor,
    /// A person who is signed in.
    Person {
        /// Which one.
        person: PersonId,
    },
    /// Frontdesk itself: router, relay, timers, command line.
    System,
}

/// An event of any stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Of a conversation.
    Conversation(ConversationEvent),
    /// Of a visitor.
    Visitor(VisitorEvent),
    /// Of an agent.
    Agent(AgentEvent),
    /// Of a person.
    Person(PersonEvent),
    /// Of an app.
    App(AppEvent),
    /// Of a channel.
    Channel(ChannelEvent),
    /// Of a bot.
    Bot(BotEvent),
    /// Of a skill group.
    SkillGroup(SkillGroupEvent),
}

/// An event that this version does not know, or cannot read.
#[derive(Debug, thiserror::Error)]
#[error("event type {event_type} of schema {schema_version} cannot be read")]
pub struct UnreadableEvent {
    /// The type in the log.
    pub event_type: String,
    /// The schema version in the log.
    pub schema_version: i32,
    /// What the decoder said.
    #[source]
    pub source: serde_json::Error,
}

/// An event as the log keeps it: name, structure, and what will be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The type's name.
    pub event_type: String,
    /// The version of its structure.
    pub schema_version: i32,
    /// Structure without any text, name or address.
    pub payload: Value,
    /// Texts, names and addresses.
    pub content: Option<Content>,
}

/// The version in which events are written today.
pub const SCHEMA_VERSION: i32 = 1;

impl Event {
    /// The event as the log keeps it.
    ///
    /// # Errors
    /// None in practice: every event is made of maps with text keys.
    pub fn encode(&self) -> Result<Encoded, serde_json::Error> {
        let mut payload = serde_json::to_value(self)?;
        let event_type = payload
            .as_object_mut()
            .and_then(|fields| fields.remove("type"))
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default();
        let content = self.content().filter(|content| !content.is_empty()).cloned();
        Ok(Encoded {
            event_type,
            schema_version: SCHEMA_VERSION,
            payload,
            content,
        })
    }

    /// Reads an event of the log back.
    ///
    /// # Errors
    /// [`UnreadableEvent`] when the type is unknown or its fields are not what this version expects.
    pub fn decode(
        kind: StreamKind,
        event_type: &str,
        schema_version: i32,
        payload: &Value,
        content: Option<Content>,
    ) -> Result<Self, UnreadableEvent> {
        let mut tagged = payload.clone();
        if let Some(fields) = tagged.as_object_mut() {
            fields.insert("type".to_owned(), Value::String(event_type.to_owned()));
        }
        let unreadable = |source| UnreadableEvent {
            event_type: event_type.to_owned(),
            schema_version,
            source,
        };
        let mut event = match kind {
            StreamKind::Conversation => serde_json::from_value(tagged).map(Self::Conversation),
            StreamKind::Visitor => serde_json::from_value(tagged).map(Self::Visitor),
            StreamKind::Agent => serde_json::from_value(tagged).map(Self::Agent),
            StreamKind::Person => serde_json::from_value(tagged).map(Self::Person),
            StreamKind::App => serde_json::from_value(tagged).map(Self::App),
            StreamKind::Channel => serde_json::from_value(tagged).map(Self::Channel),
            StreamKind::Bot => serde_json::from_value(tagged).map(Self::Bot),
            StreamKind::SkillGroup => serde_json::from_value(tagged).map(Self::SkillGroup),
        }
        .map_err(unreadable)?;
        if let (Some(slot), Some(content)) = (event.content_mut(), content) {
            *slot = content;
        }
        Ok(event)
    }

    /// What of the event is sealed.
    #[must_use]
    pub const fn content(&self) -> Option<&Content> {
        match self {
            Self::Conversation(event) => event.content(),
            Self::Visitor(VisitorEvent::Noted { content, .. })
            | Self::Person(PersonEvent::PersonSaved { content, .. })
            | Self::App(AppEvent::AppSaved { content, .. })
            | Self::Channel(ChannelEvent::ChannelSaved { content, .. })
            | Self::Bot(BotEvent::BotSaved { content, .. })
            | Self::SkillGroup(SkillGroupEvent::SkillGroupSaved { content, .. }) => Some(content),
            Self::Agent(_) => None,
        }
    }

    const fn content_mut(&mut self) -> Option<&mut Content> {
        match self {
            Self::Conversation(event) => event.content_mut(),
            Self::Visitor(VisitorEvent::Noted { content, .. })
            | Self::Person(PersonEvent::PersonSaved { content, .. })
            | Self::App(AppEvent::AppSaved { content, .. })
            | Self::Channel(ChannelEvent::ChannelSaved { content, .. })
            | Self::Bot(BotEvent::BotSaved { content, .. })
            | Self::SkillGroup(SkillGroupEvent::SkillGroupSaved { content, .. }) => Some(content),
            Self::Agent(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{MessageId, Timestamp};

    #[test]
    fn no_word_of_a_message_stands_in_the_payload() {
        let event = Event::Conversation(ConversationEvent::MessageReceived {
            message: MessageId(Uuid::from_u128(7)),
            mid: Some("m_1".into()),
            kind: crate::conversation::InboundKind::Message,
            sent_at: Timestamp::from_millis(5),
            late: false,
            content: Content::of_text("秘密"),
        });
        let encoded = event.encode().unwrap();
        assert_eq!(encoded.event_type, "message_received");
        assert!(!encoded.payload.to_string().contains("秘密"));
        let back = Event::decode(StreamKind::Conversation, &encoded.event_type, 1, &encoded.payload, encoded.content).unwrap();
        assert_eq!(back, event);
    }

    #[test]
    fn an_unknown_type_is_refused_and_never_skipped() {
        let refused = Event::decode(StreamKind::Conversation, "from_the_future", 1, &serde_json::json!({}), None);
        assert!(refused.is_err());
    }

    #[test]
    fn a_stream_survives_its_name() {
        let stream = StreamId {
            kind: StreamKind::SkillGroup,
            id: Uuid::from_u128(3),
        };
        assert_eq!(stream.to_string().parse(), Ok(stream));
    }
}

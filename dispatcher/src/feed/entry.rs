//! An event as the feed tells it.
//!
//! Invariant: an event of the directory shows only which thing changed and its version; its content may hold secrets.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use domain::Content;
use domain::event::{Event, StreamKind};
use engine::ports::{Cursor, ReadEvent};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{PersonId, Timestamp};
use uuid::Uuid;

/// An event, written once for all who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub cursor: Cursor,
    /// Who may see it.
    pub audience: Vec<String>,
    /// Whose account changed, if one did: that person's rights have to be looked up again.
    pub account: Option<PersonId>,
    /// The event as it goes over the wire.
    pub frame: Bytes,
}

#[derive(Serialize)]
struct Change<'a> {
    cursor: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    stream: &'static str,
    conversation_id: Option<Uuid>,
    visitor_id: Option<Uuid>,
    agent_id: Option<Uuid>,
    occurred_at: String,
    payload: Value,
}

impl Entry {
    /// The event as the feed tells it.
    ///
    /// # Errors
    /// None in practice: events are made of maps with text keys.
    pub fn of(read: &ReadEvent) -> Result<Self, serde_json::Error> {
        let encoded = read.event.encode()?;
        let kind = read.stream.kind;
        let payload = match is_of_directory(kind) {
            true => json!({ "id": read.stream.id, "version": read.version }),
            false => with_content(encoded.payload, encoded.content.as_ref())?,
        };
        let change = Change {
            cursor: read.cursor.to_string(),
            event_type: &encoded.event_type,
            stream: kind.as_str(),
            conversation_id: conversation_of(read, &payload),
            visitor_id: read.visitor.map(|visitor| visitor.0),
            agent_id: agent_of(read, &payload),
            occurred_at: rfc3339(read.occurred_at),
            payload,
        };
        // JSON has no raw line ends, so it is one line of `data`.
        let data = serde_json::to_string(&change)?;
        Ok(Self {
            cursor: read.cursor,
            audience: read.audience.clone(),
            account: matches!(read.event, Event::Person(_)).then_some(PersonId(read.stream.id)),
            frame: Bytes::from(format!("id: {}\nevent: changed\ndata: {data}\n\n", change.cursor)),
        })
    }

    /// Whether somebody who answers to these terms may see it.
    #[must_use]
    pub fn is_for(&self, terms: &[String]) -> bool {
        self.audience.iter().any(|term| terms.contains(term))
    }
}

/// An instant as the API writes it: RFC 3339, UTC, always with milliseconds, so that instants sort as texts.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

const fn is_of_directory(kind: StreamKind) -> bool {
    match kind {
        StreamKind::Conversation | StreamKind::Visitor | StreamKind::Agent => false,
        StreamKind::Person | StreamKind::App | StreamKind::Channel | StreamKind::Bot | StreamKind::SkillGroup => true,
    }
}

/// The payload with what was sealed. The event as Facebook sent it stays out: it names the visitor by Facebook's id.
fn with_content(mut payload: Value, content: Option<&Content>) -> Result<Value, serde_json::Error> {
    if let (Some(fields), Some(content)) = (payload.as_object_mut(), content) {
        let shown = Content {
            raw: None,
            ..content.clone()
        };
        fields.insert("content".to_owned(), serde_json::to_value(shown)?);
    }
    Ok(payload)
}

fn conversation_of(read: &ReadEvent, payload: &Value) -> Option<Uuid> {
    match read.stream.kind {
        StreamKind::Conversation => Some(read.stream.id),
        StreamKind::Agent => id_in(payload, "/conversation"),
        StreamKind::Visitor | StreamKind::Person | StreamKind::App | StreamKind::Channel | StreamKind::Bot | StreamKind::SkillGroup => None,
    }
}

fn agent_of(read: &ReadEvent, payload: &Value) -> Option<Uuid> {
    match read.stream.kind {
        StreamKind::Agent => Some(read.stream.id),
        StreamKind::Conversation => ["/agent", "/sender/agent", "/by/agent", "/by/person"]
            .into_iter()
            .find_map(|place| id_in(payload, place)),
        StreamKind::Visitor | StreamKind::Person | StreamKind::App | StreamKind::Channel | StreamKind::Bot | StreamKind::SkillGroup => None,
    }
}

fn id_in(payload: &Value, place: &str) -> Option<Uuid> {
    payload
        .pointer(place)
        .and_then(Value::as_str)
        .and_then(|text| Uuid::parse_str(text).ok())
}

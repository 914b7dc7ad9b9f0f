//! One received event, read and sorted: what opens or continues a conversation, and what is only noted.

use domain::Content;
use domain::content::Attachment;
use domain::conversation::{Inbound, InboundKind};
use domain::visitor::VisitorEvent;
use shared::webhook::event as facebook;
use shared::{Envelope, EventArray, EventKind, Party, Timestamp, VisitorId};

use crate::ports::{Delivery, InboxKey};
use crate::unit::raw;

/// Payloads of the evaluation buttons under a bot's answer: they never open a conversation.
const EVALUATION: [&str; 2] = ["__chatbot_help_positive", "__chatbot_help_negative"];

/// Why an event cannot be processed. Kept, never lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison(pub String);

/// An event that can be processed.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What travelled around it.
    pub envelope: Envelope,
    /// What to do with it.
    pub act: Act,
}

/// What an event is to us.
#[derive(Debug, Clone)]
pub enum Act {
    /// A turn of the visitor: opens a conversation, or goes on with the open one.
    Turn {
        /// What the visitor did.
        kind: InboundKind,
        /// Facebook's id.
        mid: Option<String>,
        /// When.
        sent_at: Timestamp,
        /// The words.
        content: Content,
        /// Goes on with an open conversation, but opens none.
        never_opens: bool,
    },
    /// Belongs to no conversation.
    Note(VisitorEvent),
}

/// The inbox key of a delivery.
///
/// A copy for listeners (`standby`) has a key of its own: where the owner's copy of the same message comes later, it must
/// not be taken for a duplicate.
#[must_use]
pub fn inbox_key(envelope: &Envelope) -> InboxKey {
    let suffix = match envelope.array {
        EventArray::Standby => "|standby",
        EventArray::Messaging | EventArray::Changes | EventArray::Entry => "",
    };
    InboxKey(format!("{}|{}{suffix}", envelope.page_id, envelope.dedupe_key))
}

/// Reads a delivery.
///
/// # Errors
/// [`Poison`] when headers or body cannot be read. Unknown kinds are no poison: they are noted.
pub fn read(delivery: &Delivery) -> Result<Arrival, Poison> {
    let envelope = delivery.envelope.clone().map_err(Poison)?;
    let event = shared::webhook::parse_event(&envelope.kind, &delivery.body).map_err(|error| Poison(error.to_string()))?;
    let sent_at = event.timestamp.or(envelope.event_at).unwrap_or(envelope.received_at);
    let act = turn(&envelope, &event, sent_at).unwrap_or_else(|| {
        Act::Note(VisitorEvent::Noted {
            kind: envelope.kind.as_text().into_owned(),
            mid: mid_of(&event.content),
            sent_at,
            content: raw(&delivery.body),
        })
    });
    Ok(Arrival { envelope, act })
}

impl Arrival {
    /// The turn as the domain wants it.
    #[must_use]
    pub fn inbound(&self, visitor: VisitorId) -> Option<Inbound> {
        match &self.act {
            Act::Turn {
                kind,
                mid,
                sent_at,
                content,
                ..
            } => Some(Inbound {
                visitor,
                mid: mid.clone(),
                kind: *kind,
                sent_at: *sent_at,
                content: content.clone(),
            }),
            Act::Note(_) => None,
        }
    }
}

fn turn(envelope: &Envelope, event: &facebook::Event, sent_at: Timestamp) -> Option<Act> {
    let ours = match envelope.array {
        EventArray::Messaging | EventArray::Changes => true,
        // Another app answers there; we only listen.
        EventArray::Standby | EventArray::Entry => false,
    };
    if !ours || matches!(envelope.party, Party::Page) {
        return None;
    }
    match (&envelope.kind, &event.content) {
        (EventKind::Message, facebook::Content::Message(message)) => message_turn(message, sent_at),
        (EventKind::Postback, facebook::Content::Postback(postback)) => Some(postback_turn(postback, sent_at)),
        (EventKind::Referral, facebook::Content::Referral(referral)) => Some(referral_turn(referral, sent_at)),
        _ => None,
    }
}

fn message_turn(message: &facebook::Message, sent_at: Timestamp) -> Option<Act> {
    let says_nothing = message.text.is_none() && message.quick_reply.is_none() && message.attachments.is_empty();
    // Facebook's own notices have neither words nor mid; what is taken back is an unsend.
    if message.is_echo || message.is_deleted || (says_nothing && !message.is_unsupported) {
        return None;
    }
    let attachments = message.attachments.iter().map(attachment).collect();
    let content = Content {
        text: message.text.clone(),
        payload: message.quick_reply.clone(),
        attachments,
        ..Content::default()
    };
    Some(Act::Turn {
        kind: InboundKind::Message,
        mid: message.mid.clone(),
        sent_at,
        content,
        never_opens: false,
    })
}

fn postback_turn(postback: &facebook::Postback, sent_at: Timestamp) -> Act {
    let never_opens = postback.payload.as_deref().is_some_and(|payload| EVALUATION.contains(&payload));
    let content = Content {
        text: postback.title.clone(),
        payload: postback.payload.clone(),
        ..Content::default()
    };
    Act::Turn {
        kind: InboundKind::Postback,
        mid: postback.mid.clone(),
        sent_at,
        content,
        never_opens,
    }
}

fn referral_turn(referral: &facebook::Referral, sent_at: Timestamp) -> Act {
    let mut content = Content::default();
    let fields = [
        ("ref", &referral.reference),
        ("source", &referral.source),
        ("ad_id", &referral.ad_id),
        ("ad_title", &referral.ad_title),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            content.fields.insert(name.to_owned(), value.clone());
        }
    }
    Act::Turn {
        kind: InboundKind::Referral,
        mid: None,
        sent_at,
        content,
        never_opens: false,
    }
}

fn attachment(attachment: &facebook::Attachment) -> Attachment {
    let place = attachment
        .coordinates
        .as_ref()
        .map(|(latitude, longitude)| format!("{latitude},{longitude}"));
    Attachment {
        kind: attachment.kind.clone(),
        url: attachment.url.clone(),
        title: attachment.title.clone().or(place),
    }
}

fn mid_of(content: &facebook::Content) -> Option<String> {
    match content {
        facebook::Content::Message(message) => message.mid.clone(),
        facebook::Content::Postback(postback) => postback.mid.clone(),
        facebook::Content::Reaction(reaction) => reaction.mid.clone(),
        facebook::Content::Edit { mid, .. } | facebook::Content::ResponseFeedback { mid, .. } => mid.clone(),
        _ => None,
    }
}

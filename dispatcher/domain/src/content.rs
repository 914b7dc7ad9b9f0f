//! What may not be read by everybody who can read the database: texts, names, addresses, secrets.
//!
//! Invariant: nothing of this ever stands in an event's `payload`; it is sealed with the visitor's key (with the service's
//! key where there is no visitor) before it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::outbound::{Button, QuickReply};

/// The sealed half of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// The words, as the visitor wrote or will read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a tapped button or quick reply carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Pictures, files, places and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Buttons of an outbound template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// Quick replies under an outbound message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quick_replies: Vec<QuickReply>,
    /// The event's JSON as Facebook sent it, where we keep it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Names and secrets of the directory's streams, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// One attachment of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attachment {
    /// Facebook's type: image, video, audio, file, sticker, location, fallback, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it can be fetched, as long as Facebook's link lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its title, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Content {
    /// Content that is only a text.
    #[must_use]
    pub fn of_text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// True when there is nothing to seal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

//! How the envelope of a kept event is written down, so that it can be taken up again unchanged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::Envelope;
use shared::envelope::Properties;

use crate::ports::Delivery;

/// Properties and headers of a kept event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Kept {
    message_id: Option<String>,
    kind: Option<String>,
    timestamp: Option<u64>,
    headers: BTreeMap<String, String>,
    /// Where the headers could not be read: what was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

impl Kept {
    /// Writes down what travelled around a delivery.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Self {
        match &delivery.envelope {
            Ok(envelope) => Self {
                message_id: Some(envelope.dedupe_key.clone()),
                kind: Some(envelope.kind.as_text().into_owned()),
                timestamp: envelope.timestamp_property(),
                headers: envelope
                    .headers()
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
                unreadable: None,
            },
            Err(reason) => Self {
                unreadable: Some(reason.clone()),
                ..Self::default()
            },
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The envelope again.
    ///
    /// # Errors
    /// In words, when it could not be read then and cannot be read now.
    pub fn envelope(&self) -> Result<Envelope, String> {
        let properties = Properties {
            message_id: self.message_id.as_deref(),
            kind: self.kind.as_deref(),
            timestamp: self.timestamp,
        };
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Envelope::read(properties, headers).map_err(|error| error.to_string())
    }
}

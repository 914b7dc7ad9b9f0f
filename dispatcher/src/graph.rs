//! Facebook's Send API.
//!
//! Invariant: what cannot be known is called unknown. Only an answer that says "not taken" leads to another attempt.

use std::time::Duration;

use domain::content::Content;
use domain::outbound::{Outcome, Refusal, RefusalReason, Shape};
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{MessageId, PageId, Party, Timestamp};

/// The pinned version of the Graph API. An expired one would silently become the oldest that lives.
pub const GRAPH_VERSION: &str = "v25.0";
/// Attempts before "later" becomes a refusal.
const MOST_ATTEMPTS: u32 = 8;

/// A client of the Graph API.
#[derive(Debug, Clone)]
pub struct Graph {
    client: Client,
    base: String,
}

/// A message to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// From which Page.
    pub page: &'a PageId,
    /// To whom.
    pub party: &'a Party,
    /// Our id; Facebook echoes it.
    pub id: MessageId,
    /// Its shape.
    pub shape: Shape,
    /// Its words.
    pub content: &'a Content,
    /// Which attempt, from 1.
    pub attempt: u32,
}

#[derive(Deserialize)]
struct Accepted {
    message_id: String,
}

#[derive(Deserialize)]
struct Failed {
    error: GraphError,
}

/// An error of the Graph API. Its text is not kept: it may quote the message.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct GraphError {
    code: i64,
    #[serde(default)]
    error_subcode: Option<i64>,
    #[serde(default)]
    is_transient: Option<bool>,
}

impl Graph {
    /// A client for a base URL, through a proxy if there is one.
    ///
    /// # Errors
    /// When the TLS machinery cannot be set up or the proxy's address is wrong.
    pub fn new(base: &str, proxy: Option<&str>) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(12))
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none());
        builder = match proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy)?),
            None => builder.no_proxy(),
        };
        Ok(Self {
            client: builder.build()?,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Sends one message, once.
    pub async fn send(&self, token: &SecretString, message: Message<'_>, now: Timestamp) -> Outcome {
        let url = format!("{}/{GRAPH_VERSION}/{}/messages", self.base, message.page);
        let Some(body) = body_of(message) else {
            return Outcome::Refused(Refusal {
                reason: RefusalReason::Invalid,
                code: None,
                subcode: None,
            });
        };
        let response = self.client.post(url).bearer_auth(token.expose_secret()).json(&body).send().await;
        match response {
            // The connection never came about: nothing can have been taken.
            Err(error) if error.is_connect() => later(message.attempt, now),
            Err(_) => Outcome::Unknown,
            Ok(response) => {
                let status = response.status();
                match response.bytes().await {
                    Ok(bytes) => outcome_of(status, &bytes, message.attempt, now),
                    Err(_) => Outcome::Unknown,
                }
            }
        }
    }
}

fn body_of(message: Message<'_>) -> Option<Value> {
    let recipient = match message.party {
        Party::Psid(id) => json!({ "id": id }),
        Party::UserRef(reference) => json!({ "user_ref": reference }),
        // The Page does not write to itself.
        Party::Page => return None,
    };
    let text = message.content.text.as_deref()?;
    let mut words = match message.shape {
        Shape::Text => json!({ "text": text }),
        Shape::Buttons => {
            let buttons: Vec<Value> = message
                .content
                .buttons
                .iter()
                .map(|button| json!({ "type": "postback", "title": button.title, "payload": button.payload }))
                .collect();
            json!({ "attachment": { "type": "template", "payload": { "template_type": "button", "text": text, "buttons": buttons } } })
        }
    };
    let fields = words.as_object_mut()?;
    fields.insert("metadata".to_owned(), Value::String(message.id.to_string()));
    if !message.content.quick_replies.is_empty() {
        let replies = message
            .content
            .quick_replies
            .iter()
            .map(|reply| json!({ "content_type": "text", "title": reply.title, "payload": reply.payload }));
        fields.insert("quick_replies".to_owned(), replies.collect());
    }
    Some(json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": words }))
}

/// What an answer means.
#[must_use]
pub fn outcome_of(status: StatusCode, body: &[u8], attempt: u32, now: Timestamp) -> Outcome {
    if status.is_success() {
        return serde_json::from_slice::<Accepted>(body).map_or(Outcome::Unknown, |accepted| Outcome::Sent { mid: accepted.message_id });
    }
    match serde_json::from_slice::<Failed>(body) {
        Ok(Failed { error }) => error.outcome(attempt, now),
        // A gateway's page, or nothing: the message may have been taken behind it.
        Err(_) => Outcome::Unknown,
    }
}

impl GraphError {
    fn outcome(&self, attempt: u32, now: Timestamp) -> Outcome {
        match (self.code, self.error_subcode) {
            // "Received invalid JSON reply": the messages were sent.
            (1, Some(1_357_046)) => Outcome::Unknown,
            _ if self.is_temporary() => later(attempt, now),
            _ => Outcome::Refused(self.refusal()),
        }
    }

    /// `is_transient` overrides the table where Facebook gives it.
    fn is_temporary(&self) -> bool {
        let by_table = match (self.code, self.error_subcode) {
            (4, Some(2_018_354)) | (613, Some(1_893_016 | 2_018_338)) => false,
            (1 | 2 | 4 | 17 | 32 | 341 | 613 | 1200 | 80_001 | 80_006 | 2_018_321, _) => true,
            _ => false,
        };
        self.is_transient.unwrap_or(by_table)
    }

    fn refusal(&self) -> Refusal {
        let reason = match (self.code, self.error_subcode) {
            (10, Some(2_018_278 | 2_534_022 | 2_018_065)) => RefusalReason::WindowClosed,
            (10, Some(1_893_063)) | (368 | 2022, _) => RefusalReason::PageRestricted,
            (551, _) | (200, Some(1_545_041)) | (100, Some(2_018_001)) | (10, Some(2_018_108 | 1_893_015)) => {
                RefusalReason::VisitorUnavailable
            }
            (102 | 190 | 200 | 230, _) => RefusalReason::TokenDead,
            (2_018_300, _) | (_, Some(2_018_300)) => RefusalReason::OtherAppOwnsThread,
            (100 | 105, _) => RefusalReason::Invalid,
            _ => RefusalReason::Other,
        };
        Refusal {
            reason,
            code: Some(self.code),
            subcode: self.error_subcode,
        }
    }
}

/// Not now: twice as long each time, a minute at most, and not for ever.
fn later(attempt: u32, now: Timestamp) -> Outcome {
    if attempt >= MOST_ATTEMPTS {
        return Outcome::Refused(Refusal {
            reason: RefusalReason::Other,
            code: None,
            subcode: None,
        });
    }
    let pause = Duration::from_millis(500)
        .saturating_mul(1 << attempt.min(7))
        .min(Duration::from_secs(60));
    Outcome::Later {
        not_before: now.plus(pause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Outcome {
        outcome_of(StatusCode::from_u16(status).unwrap(), body.as_bytes(), 1, Timestamp::from_millis(0))
    }

    #[test]
    fn a_message_id_means_sent() {
        assert_eq!(
            of(200, r#"{"recipient_id":"1","message_id":"m_1"}"#),
            Outcome::Sent { mid: "m_1".into() }
        );
    }

    #[test]
    fn success_without_a_message_id_is_unknown() {
        assert_eq!(of(200, "{}"), Outcome::Unknown);
    }

    #[test]
    fn a_gateways_page_is_unknown_and_not_tried_again() {
        assert_eq!(of(502, "<html>"), Outcome::Unknown);
    }

    #[test]
    fn the_closed_window_is_a_refusal_with_its_reason() {
        let outcome = of(400, r#"{"error":{"message":"x","code":10,"error_subcode":2018278}}"#);
        assert!(
            matches!(
                outcome,
                Outcome::Refused(Refusal {
                    reason: RefusalReason::WindowClosed,
                    ..
                })
            ),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_rate_limit_comes_back_later_unless_facebook_says_it_is_final() {
        assert!(matches!(of(400, r#"{"error":{"code":613}}"#), Outcome::Later { .. }));
        assert!(matches!(
            of(400, r#"{"error":{"code":613,"is_transient":false}}"#),
            Outcome::Refused(_)
        ));
        assert!(matches!(
            of(400, r#"{"error":{"code":551,"is_transient":true}}"#),
            Outcome::Later { .. }
        ));
    }

    #[test]
    fn sent_after_all_is_never_sent_again() {
        assert_eq!(of(500, r#"{"error":{"code":1,"error_subcode":1357046}}"#), Outcome::Unknown);
    }

    #[test]
    fn later_does_not_mean_for_ever() {
        assert!(matches!(later(MOST_ATTEMPTS, Timestamp::from_millis(0)), Outcome::Refused(_)));
    }
}

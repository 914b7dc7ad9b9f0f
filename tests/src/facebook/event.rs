//! What Facebook tells an app's callback, event by event.

use serde::Serialize;
use serde_json::Value;

use super::escape::to_escaped_json;
use super::message::{OutgoingMessage, QuickReply};

/// One event of a `messaging` array.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// Who acted.
    pub sender: Id<'a>,
    /// On whom.
    pub recipient: Id<'a>,
    /// When, in milliseconds since 1970.
    pub timestamp: i64,
    /// What happened.
    #[serde(flatten)]
    pub happened: Happened<'a>,
}

/// An id in its wrapping.
#[derive(Debug, Serialize)]
pub struct Id<'a> {
    /// The id.
    pub id: &'a str,
}

/// What happened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened<'a> {
    /// A message of the visitor, or the echo of one of the Page's.
    Message(MessageEvent<'a>),
    /// A button was tapped.
    Postback(PostbackEvent<'a>),
    /// Messages reached the visitor's phone.
    Delivery(DeliveryEvent<'a>),
    /// The visitor looked.
    Read(ReadEvent),
}

/// A message.
#[derive(Debug, Default, Serialize)]
pub struct MessageEvent<'a> {
    /// Set for the Page's own messages.
    #[serde(skip_serializing_if = "is_false")]
    pub is_echo: bool,
    /// The app that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<u64>,
    /// What the sender wanted to see again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'a str>,
    /// Its id.
    pub mid: &'a str,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The quick reply that was tapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_reply: Option<TappedReply<'a>>,
    /// Its attachments, as they were written.
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    pub attachments: &'a [Value],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The payload of a tapped quick reply.
#[derive(Debug, Serialize)]
pub struct TappedReply<'a> {
    /// What the reply carried.
    pub payload: &'a str,
}

/// A tapped button.
#[derive(Debug, Serialize)]
pub struct PostbackEvent<'a> {
    /// Its id.
    pub mid: &'a str,
    /// What the button said.
    pub title: &'a str,
    /// What the button carried.
    pub payload: &'a str,
}

/// Messages reached the visitor's phone.
#[derive(Debug, Serialize)]
pub struct DeliveryEvent<'a> {
    /// Which.
    pub mids: [&'a str; 1],
    /// And everything before this time.
    pub watermark: i64,
}

/// The visitor looked.
#[derive(Debug, Serialize)]
pub struct ReadEvent {
    /// At everything before this time.
    pub watermark: i64,
}

/// A visitor's message or the answer to a quick reply.
pub(super) fn visitor_message(page_id: &str, psid: &str, at: i64, mid: &str, text: &str, tapped: Option<&QuickReply>) -> String {
    let quick_reply = tapped.map(|reply| TappedReply { payload: &reply.payload });
    let message = MessageEvent {
        mid,
        text: Some(text),
        quick_reply,
        ..MessageEvent::default()
    };
    written(psid, page_id, at, Happened::Message(message))
}

/// A visitor's tap on a button.
pub(super) fn postback(page_id: &str, psid: &str, at: i64, mid: &str, title: &str, payload: &str) -> String {
    written(psid, page_id, at, Happened::Postback(PostbackEvent { mid, title, payload }))
}

/// The echo of a message of the Page.
pub(super) fn echo(page_id: &str, psid: &str, at: i64, mid: &str, app_id: u64, message: &OutgoingMessage, attachments: &[Value]) -> String {
    let echo = MessageEvent {
        is_echo: true,
        app_id: Some(app_id),
        metadata: message.metadata.as_deref(),
        mid,
        text: message.text.as_deref(),
        quick_reply: None,
        attachments,
    };
    written(page_id, psid, at, Happened::Message(echo))
}

/// A message of the Page reached the phone.
pub(super) fn delivery(page_id: &str, psid: &str, at: i64, mid: &str) -> String {
    written(
        psid,
        page_id,
        at,
        Happened::Delivery(DeliveryEvent {
            mids: [mid],
            watermark: at,
        }),
    )
}

/// The visitor looked.
pub(super) fn read(page_id: &str, psid: &str, at: i64) -> String {
    written(psid, page_id, at, Happened::Read(ReadEvent { watermark: at }))
}

#[expect(clippy::expect_used, reason = "an event is strings and numbers under string keys")]
fn written(sender: &str, recipient: &str, timestamp: i64, happened: Happened<'_>) -> String {
    let event = Event {
        sender: Id { id: sender },
        recipient: Id { id: recipient },
        timestamp,
        happened,
    };
    to_escaped_json(&event).expect("an event has a JSON form")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_echo_names_the_page_as_sender_and_carries_app_and_metadata() {
        let message = OutgoingMessage {
            text: Some("您好".to_owned()),
            metadata: Some("our id".to_owned()),
            ..OutgoingMessage::default()
        };
        let event: Value = serde_json::from_str(&echo("1", "7", 5, "m_a", 99, &message, &[])).unwrap();
        assert_eq!(
            event,
            json!({"sender": {"id": "1"}, "recipient": {"id": "7"}, "timestamp": 5,
                   "message": {"is_echo": true, "app_id": 99, "metadata": "our id", "mid": "m_a", "text": "您好"}})
        );
    }

    #[test]
    fn a_visitor_message_names_the_visitor_as_sender() {
        let event: Value = serde_json::from_str(&visitor_message("1", "7", 5, "m_a", "你好", None)).unwrap();
        let expected = json!({"sender": {"id": "7"}, "recipient": {"id": "1"}, "timestamp": 5, "message": {"mid": "m_a", "text": "你好"}});
        assert_eq!(event, expected);
    }

    #[test]
    fn a_delivery_names_the_message_and_the_watermark() {
        let event: Value = serde_json::from_str(&delivery("1", "7", 5, "m_a")).unwrap();
        assert_eq!(event["delivery"], json!({"mids": ["m_a"], "watermark": 5}));
    }
}

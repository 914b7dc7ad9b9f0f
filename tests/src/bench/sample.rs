//! Webhooks as Facebook sends them. Every part before the text has a fixed length, so that the floors find the parts without parsing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest as _, Sha512};
use shared::signature::AppSecret;

/// The Page that everybody writes to.
pub(super) const PAGE: &str = "159955055741";

const BEFORE_ENTRY_TIME: &str = r#"{"object":"page","entry":[{"id":"159955055741","time":"#;
const BEFORE_EVENT: &str = r#","messaging":["#;
const BEFORE_PSID: &str = r#"{"sender":{"id":""#;
const BEFORE_EVENT_TIME: &str = r#""},"recipient":{"id":"159955055741"},"timestamp":"#;
const BEFORE_MID: &str = r#","message":{"mid":""#;
const BEFORE_TEXT: &str = r#"","text":""#;
const AFTER_TEXT: &str = r#""}}"#;
const CLOSING: &str = "]}]}";
const TIME_LENGTH: usize = 13;
const PSID_LENGTH: usize = 16;
/// `m_` and 64 bytes in base64, which is about what a real one has.
const MID_LENGTH: usize = 88;

/// A message of a visitor.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) psid: String,
    pub(super) mid: String,
    /// In milliseconds since 1970.
    pub(super) at: i64,
    /// As JSON writes it, with everything beyond ASCII escaped, as Facebook does.
    pub(super) escaped_text: String,
}

impl Message {
    /// The number-th message, from this visitor.
    pub(super) fn new(number: u32, visitor: u32, at: i64, escaped_text: &str) -> Self {
        Self {
            psid: psid(visitor),
            mid: format!("m_{}", URL_SAFE_NO_PAD.encode(Sha512::digest(number.to_be_bytes()))),
            at,
            escaped_text: escaped_text.to_owned(),
        }
    }

    fn body(&self) -> String {
        let Self {
            psid,
            mid,
            at,
            escaped_text,
        } = self;
        let event = format!("{BEFORE_PSID}{psid}{BEFORE_EVENT_TIME}{at}{BEFORE_MID}{mid}{BEFORE_TEXT}{escaped_text}{AFTER_TEXT}");
        format!("{BEFORE_ENTRY_TIME}{at}{BEFORE_EVENT}{event}{CLOSING}")
    }

    /// A whole signed request.
    pub(super) fn request(&self, secret: &AppSecret) -> Vec<u8> {
        let body = self.body();
        let (signature, length) = (secret.sign(body.as_bytes()), body.len());
        format!(
            "POST /facebook/webhook/{PAGE} HTTP/1.1\r\nHost: frontdesk.example\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n\
             Content-Type: application/json\r\nX-Hub-Signature-256: {signature}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// The visitor of a number.
pub(super) fn psid(visitor: u32) -> String {
    format!("24{visitor:014}")
}

/// The parts of a body that a publisher needs, found by their place.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// The event as it stands in the body.
    pub(super) event: Bytes,
    pub(super) entry_time: &'a str,
    /// None for anything but a visitor's message.
    pub(super) message: Option<MessageParts<'a>>,
}

/// The parts of a visitor's message.
#[derive(Debug, Clone, Copy)]
pub(super) struct MessageParts<'a> {
    pub(super) psid: &'a str,
    pub(super) mid: &'a str,
    pub(super) seconds: u64,
    /// The visitor's number, for choosing a partition.
    pub(super) visitor: u64,
    pub(super) escaped_text: &'a str,
}

impl<'a> Parts<'a> {
    /// None for a body that is not a webhook with one event.
    pub(super) fn of(body: &'a Bytes) -> Option<Self> {
        let start = BEFORE_ENTRY_TIME.len() + TIME_LENGTH + BEFORE_EVENT.len();
        let event = start..body.len().checked_sub(CLOSING.len())?;
        Some(Self {
            entry_time: part(body, BEFORE_ENTRY_TIME.len(), TIME_LENGTH)?,
            message: MessageParts::of(body.get(event.clone())?),
            event: body.slice(event),
        })
    }
}

impl<'a> MessageParts<'a> {
    /// None for an event that is not a visitor's message.
    pub(super) fn of(event: &'a [u8]) -> Option<Self> {
        let psid_at = BEFORE_PSID.len();
        let time_at = psid_at + PSID_LENGTH + BEFORE_EVENT_TIME.len();
        let mid_at = time_at + TIME_LENGTH + BEFORE_MID.len();
        let text_at = mid_at + MID_LENGTH + BEFORE_TEXT.len();
        if part(event, mid_at - BEFORE_MID.len(), BEFORE_MID.len())? != BEFORE_MID {
            return None;
        }
        let psid = part(event, psid_at, PSID_LENGTH)?;
        let millis: u64 = part(event, time_at, TIME_LENGTH)?.parse().ok()?;
        let text_length = event.len().checked_sub(text_at + AFTER_TEXT.len())?;
        Some(Self {
            psid,
            mid: part(event, mid_at, MID_LENGTH)?,
            seconds: millis / 1000,
            visitor: psid.parse().ok()?,
            escaped_text: part(event, text_at, text_length)?,
        })
    }
}

fn part(bytes: &[u8], start: usize, length: usize) -> Option<&str> {
    std::str::from_utf8(bytes.get(start..start.checked_add(length)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r"\u8fd0\u8d39 \uff1f #7";

    fn message(number: u32) -> Message {
        Message::new(number, number, 1_700_000_000_123, TEXT)
    }

    #[test]
    fn the_parts_found_by_place_are_those_that_ingress_finds_by_parsing() {
        for number in [0, 7, 123_456_789] {
            let body = Bytes::from(message(number).body());
            let split = shared::webhook::split(&body).unwrap();
            assert_eq!((split.events.len(), split.unreadable.len()), (1, 0));
            let event = &split.events[0];
            let parts = Parts::of(&body).unwrap();
            let found = parts.message.unwrap();
            assert_eq!(parts.event, event.json.as_bytes());
            assert_eq!(parts.entry_time, event.entry_time.unwrap().as_millis().to_string());
            assert_eq!(found.psid, event.party.as_key());
            assert_eq!(found.visitor % 16, u64::from(number) % 16);
            assert_eq!(format!("{PAGE}/msg:{}", found.mid), event.dedupe_key);
            assert_eq!(event.kind.as_text(), "message");
            assert_eq!(event.array.as_str(), "messaging");
            assert_eq!(found.seconds, u64::try_from(event.event_at.unwrap().as_millis()).unwrap() / 1000);
            assert_eq!(found.escaped_text, TEXT);
        }
    }

    #[test]
    fn what_is_not_a_visitors_message_has_an_event_and_no_message() {
        for event in [
            r#"{"sender":{"id":"2400000000000007"},"recipient":{"id":"159955055741"},"timestamp":1700000000123,"delivery":{"mids":["m_0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"],"watermark":1700000000123}}"#,
            r#"{"sender":{"id":"159955055741"},"recipient":{"id":"2400000000000007"},"timestamp":1700000000123,"message":{"is_echo":true,"app_id":1,"mid":"m_01234567890123456789012345678901234567890123456789012345678901234567890","text":"x"}}"#,
        ] {
            let body = Bytes::from(format!("{BEFORE_ENTRY_TIME}1700000000123{BEFORE_EVENT}{event}{CLOSING}"));
            let parts = Parts::of(&body).unwrap();
            assert_eq!(parts.event, event.as_bytes());
            assert!(parts.message.is_none(), "{event}");
        }
    }

    #[test]
    fn a_request_is_signed_over_its_body() {
        let secret = AppSecret::new("secret").unwrap();
        let request = String::from_utf8(message(1).request(&secret)).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&secret.sign(body.as_bytes())));
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }
}

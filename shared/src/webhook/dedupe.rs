//! The key by which two deliveries of one event are recognised. Facebook promises at least once, so telling them apart is our duty.
//!
//! Invariant: two different events never share a key (one of them would be lost); a retried delivery, which is byte-identical, always does.
//! Where a choice had to be made it was for "seen twice", which is harmless, against "never seen". Keys are scoped by Page and fit an AMQP short text.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::json::Object;
use crate::{EventKind, PageId, Party, Timestamp};

/// An AMQP short text, which `message_id` is, holds this many bytes.
const LONGEST: usize = 255;

/// What a key is made of.
pub(super) struct Facts<'a> {
    pub(super) page_id: &'a PageId,
    pub(super) party: &'a Party,
    pub(super) kind: &'a EventKind,
    /// The value of the key that names the kind.
    pub(super) detail: Option<&'a Object<'a>>,
    pub(super) raw_detail: Option<&'a str>,
    pub(super) event_at: Option<Timestamp>,
    pub(super) entry_time: Option<Timestamp>,
    /// The whole event.
    pub(super) json: &'a str,
}

/// The key of an event.
pub(super) fn key(facts: &Facts<'_>) -> String {
    let local = facts
        .detail
        .and_then(|detail| by_kind(facts, detail))
        .unwrap_or_else(|| facts.by_content());
    let key = format!("{}/{local}", facts.page_id);
    if key.len() <= LONGEST {
        key
    } else {
        format!("{}/long:{}", facts.page_id, digest([key.as_str()]))
    }
}

fn by_kind(facts: &Facts<'_>, detail: &Object<'_>) -> Option<String> {
    let who = || facts.party.as_key();
    let when = || facts.when();
    let text = |key: &str| detail.text(key).unwrap_or_default();
    let mid = detail.id("mid");
    let key = match facts.kind {
        // One key for the copies in `messaging` and in `standby`; intake lets the owner's copy win.
        EventKind::Message | EventKind::Echo => format!("msg:{}", mid?),
        // It names the mid of the message that it takes back.
        EventKind::Unsend => format!("del:{}", mid?),
        EventKind::Postback => match mid {
            Some(mid) => format!("pb:{mid}"),
            None => format!("pb:{}:{}:{}", who(), when(), digest([text("title"), text("payload")])),
        },
        EventKind::MessageEdit => format!("edit:{}:{}", mid?, detail.text("num_edit")?),
        EventKind::Reaction => format!("rx:{}:{}:{}:{}:{}", mid?, who(), text("action"), text("emoji"), when()),
        EventKind::ResponseFeedback => format!("rf:{}:{}:{}", mid?, who(), when()),
        // The mids are evidence for unknown sends and come only sometimes: two deliveries up to the same watermark may name different ones.
        EventKind::Delivery => format!("dl:{}:{}:{}", who(), detail.text("watermark")?, digest([detail.get("mids")?.get()])),
        EventKind::Read => format!("rd:{}:{}", who(), detail.text("watermark")?),
        EventKind::Referral => format!("ref:{}:{}:{}", who(), when(), digest(["ref", "source", "type", "ad_id"].map(text))),
        EventKind::Optin => return opt_in(facts, detail),
        EventKind::PassThreadControl | EventKind::TakeThreadControl | EventKind::RequestThreadControl => {
            let owners = ["new_owner_app_id", "requested_owner_app_id", "previous_owner_app_id"].map(text);
            format!("{}:{}:{}:{}", facts.kind, who(), when(), owners.join(":"))
        }
        EventKind::AccountLinking => format!("al:{}:{}:{}", who(), when(), text("status")),
        EventKind::PolicyEnforcement => format!("pe:{}:{}:{}", who(), when(), text("action")),
        EventKind::AppRoles
        | EventKind::MessagingFeedback
        | EventKind::CustomerInformation
        | EventKind::Order
        | EventKind::Template
        | EventKind::Lead => format!("{}:{}:{}:{}", facts.kind, who(), when(), digest([facts.raw_detail?])),
        EventKind::Change(_) | EventKind::Unknown(_) => return None,
    };
    Some(key)
}

/// Tokens are permissions to write, so their digest stands for them.
fn opt_in(facts: &Facts<'_>, detail: &Object<'_>) -> Option<String> {
    if let Some(token) = detail.id("one_time_notif_token") {
        return Some(format!("otn:{}", digest([token])));
    }
    if let Some(token) = detail.id("notification_messages_token") {
        let status = detail.text("notification_messages_status").unwrap_or_default();
        return Some(format!("nm:{}:{}", digest([token, status]), facts.when()));
    }
    let reference = detail.id("user_ref").or_else(|| detail.id("ref"))?;
    Some(format!("opt:{}:{}:{}", facts.party.as_key(), digest([reference]), facts.when()))
}

impl Facts<'_> {
    /// The event's own time, or the entry's where it has none (customer feedback).
    fn when(&self) -> String {
        self.event_at
            .or(self.entry_time)
            .map(|at| at.as_millis().to_string())
            .unwrap_or_default()
    }

    /// The digest of the event itself. Not of the entry, whose time may change with a retry.
    fn by_content(&self) -> String {
        let mut key = format!("{}:{}", prefix(self.kind), digest([self.json]));
        if let (EventKind::Change(_), Some(at)) = (self.kind, self.entry_time) {
            // Changes carry no time of their own: a label set, removed and set again is the same text twice, and happened twice.
            let _infallible = write!(key, ":{}", at.as_millis());
        }
        key
    }
}

const fn prefix(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Change(_) => "change",
        EventKind::Unknown(_) => "raw",
        _ => "body",
    }
}

/// 128 bits of SHA-256 over the parts, each with its length, so that moving a byte from one part to the next changes it.
fn digest<const N: usize>(parts: [impl AsRef<str>; N]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref().as_bytes();
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (half, _) = digest.split_at(16);
    hex::encode(half)
}

#[cfg(test)]
mod tests {
    use crate::webhook::split;

    const PAGE: &str = "159955055741";

    /// The key of one event of a visitor.
    fn key_at(event: &str, entry_time: u64) -> String {
        let body = format!(
            r#"{{"entry":[{{"id":"{PAGE}","time":{entry_time},"messaging":[{{"sender":{{"id":"4711"}},"recipient":{{"id":"{PAGE}"}},{event}}}]}}]}}"#
        );
        split(body.as_bytes()).unwrap().events[0].dedupe_key.clone()
    }

    fn key(event: &str) -> String {
        key_at(event, 1_458_692_752_478)
    }

    fn change_key(change: &str, entry_time: u64) -> String {
        let body = format!(r#"{{"entry":[{{"id":"{PAGE}","time":{entry_time},"changes":[{change}]}}]}}"#);
        split(body.as_bytes()).unwrap().events[0].dedupe_key.clone()
    }

    #[test]
    fn events_that_name_the_same_message_have_different_keys() {
        let events = [
            r#""message":{"mid":"m_1","text":"a"}"#,
            r#""message":{"mid":"m_1","is_deleted":true}"#,
            r#""postback":{"mid":"m_1"}"#,
            r#""message_edit":{"mid":"m_1","text":"b","num_edit":1}"#,
            r#""message_edit":{"mid":"m_1","text":"c","num_edit":"2"}"#,
            r#""timestamp":1,"reaction":{"mid":"m_1","action":"react","emoji":"👍"}"#,
            r#""timestamp":2,"reaction":{"mid":"m_1","action":"unreact","emoji":"👍"}"#,
            r#""timestamp":3,"reaction":{"mid":"m_1","action":"react","emoji":"👍"}"#,
            r#""timestamp":3,"response_feedback":{"mid":"m_1","feedback":"Good response"}"#,
        ];
        let keys: std::collections::BTreeSet<_> = events.iter().map(|event| key(event)).collect();
        assert_eq!(keys.len(), events.len(), "{keys:?}");
    }

    #[test]
    fn a_message_and_its_copies_have_one_key() {
        assert_eq!(key(r#""message":{"mid":"m_1","text":"a"}"#), format!("{PAGE}/msg:m_1"));
        assert_eq!(
            key(r#""timestamp":9,"message":{"mid":"m_1","is_echo":true}"#),
            format!("{PAGE}/msg:m_1")
        );
    }

    #[test]
    fn a_retry_with_a_new_entry_time_has_the_same_key() {
        for event in [
            r#""timestamp":5,"message":{"admin_text":"x"}"#,
            r#""timestamp":5,"postback":{}"#,
            r#""timestamp":5,"referral":{"ref":"a","source":"ADS"}"#,
            r#""timestamp":5,"pass_thread_control":{"previous_owner_app_id":null,"new_owner_app_id":"1"}"#,
            r#""timestamp":5,"order":{"products":[]}"#,
            r#""timestamp":5,"game_play":{"a":1}"#,
            r#""delivery":{"mids":["m_1"],"watermark":7}"#,
            r#""read":{"watermark":"7"}"#,
            r#""optin":{"type":"one_time_notif_req","one_time_notif_token":"t"}"#,
        ] {
            assert_eq!(key_at(event, 1_458_692_752_478), key_at(event, 1_458_692_999_999), "{event}");
        }
    }

    #[test]
    fn events_that_differ_in_one_word_have_different_keys() {
        let pairs = [
            (
                r#""timestamp":5,"postback":{"title":"a","payload":"bc"}"#,
                r#""timestamp":5,"postback":{"title":"ab","payload":"c"}"#,
            ),
            (r#""timestamp":5,"referral":{"ref":"a"}"#, r#""timestamp":5,"referral":{"ref":"b"}"#),
            (
                r#""delivery":{"mids":["m_1"],"watermark":7}"#,
                r#""delivery":{"mids":["m_2"],"watermark":7}"#,
            ),
            (r#""timestamp":5,"optin":{"ref":"a"}"#, r#""timestamp":5,"optin":{"ref":"b"}"#),
            (
                r#""timestamp":5,"account_linking":{"status":"linked"}"#,
                r#""timestamp":5,"account_linking":{"status":"unlinked"}"#,
            ),
            (r#""timestamp":5,"message":{"text":"a"}"#, r#""timestamp":5,"message":{"text":"b"}"#),
        ];
        for (one, other) in pairs {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn the_same_change_at_two_times_happened_twice() {
        let change = r#"{"field":"inbox_labels","value":{"action":"add"}}"#;
        assert_eq!(change_key(change, 1_600_000_000), change_key(change, 1_600_000_000));
        assert_ne!(change_key(change, 1_600_000_000), change_key(change, 1_600_000_001));
    }

    #[test]
    fn a_key_always_fits_a_message_id_and_long_ones_stay_apart() {
        let long = |end: &str| key(&format!(r#""message":{{"mid":"{}{end}"}}"#, "x".repeat(300)));
        assert!(long("a").len() <= 255);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn a_token_is_not_readable_in_the_key() {
        for name in ["one_time_notif_token", "notification_messages_token"] {
            assert!(!key(&format!(r#""timestamp":5,"optin":{{"{name}":"geheim"}}"#)).contains("geheim"));
        }
    }

    #[test]
    fn a_mid_that_is_no_text_does_not_merge_events() {
        let one = key(r#""message":{"mid":"\ud800","text":"a"}"#);
        let other = key(r#""message":{"mid":"\ud801","text":"b"}"#);
        assert_ne!(one, other);
    }
}

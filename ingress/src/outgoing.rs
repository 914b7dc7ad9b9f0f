//! Events as messages for the broker.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use runtime::broker::short;
use runtime::publisher::{Destination, Outgoing};
use sha2::{Digest as _, Sha256};
use shared::webhook::SplitEvent;
use shared::{Partition, Timestamp, envelope};

/// When and in which trace a webhook arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) received_at: Timestamp,
    pub(crate) traceparent: Option<&'a str>,
}

/// The message of one event. Its body is a part of the webhook's, not a copy.
pub(crate) fn event(event: &SplitEvent<'_>, body: &Bytes, arrival: Arrival<'_>) -> Outgoing {
    let mut headers = headers(event.page_id.as_str(), arrival);
    put(&mut headers, envelope::VISITOR_ID, event.party.as_key());
    put(&mut headers, envelope::ARRAY, event.array.as_str());
    if let Some(time) = event.entry_time {
        put(&mut headers, envelope::ENTRY_TIME, time.as_millis().to_string());
    }
    Outgoing {
        destination: Destination::Partition(Partition::of(&event.page_id, &event.party)),
        body: body.slice_ref(event.json.as_bytes()),
        properties: properties(&event.dedupe_key, &event.kind.as_text(), event.event_at),
        headers,
    }
}

/// The message of a signed body that could not be taken apart, or not entirely: the whole body.
pub(crate) fn unparsed(page_id: &str, body: &Bytes, reason: &str, arrival: Arrival<'_>) -> Outgoing {
    let mut headers = headers(page_id, arrival);
    put(&mut headers, "reason", reason);
    let digest = hex::encode(Sha256::digest(body));
    Outgoing {
        destination: Destination::Unparsed,
        body: body.clone(),
        properties: properties(&digest, "unparsed", None),
        headers,
    }
}

fn headers(page_id: &str, arrival: Arrival<'_>) -> FieldTable {
    let mut headers = FieldTable::default();
    put(&mut headers, envelope::PAGE_ID, page_id);
    put(&mut headers, envelope::RECEIVED_AT, arrival.received_at.as_millis().to_string());
    if let Some(traceparent) = arrival.traceparent {
        put(&mut headers, envelope::TRACEPARENT, traceparent);
    }
    headers
}

fn put(headers: &mut FieldTable, name: &str, value: impl Into<String>) {
    let value: String = value.into();
    headers.insert(short(name), AMQPValue::LongString(value.into()));
}

fn properties(message_id: &str, kind: &str, event_at: Option<Timestamp>) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_content_type(short("application/json"))
        .with_message_id(short(message_id))
        .with_type(short(kind));
    // AMQP keeps whole seconds since 1970 and knows nothing before.
    match event_at.and_then(|at| u64::try_from(at.as_millis().div_euclid(1000)).ok()) {
        Some(seconds) => properties.with_timestamp(seconds),
        None => properties,
    }
}

/// A W3C trace context, if the header holds one: `00-<32 hex>-<16 hex>-<2 hex>`.
pub(crate) fn traceparent(header: Option<&[u8]>) -> Option<&str> {
    let text = std::str::from_utf8(header?).ok()?;
    let lengths = text.split('-').map(str::len).eq([2, 32, 16, 2]);
    let digits = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (lengths && digits).then_some(text)
}

#[cfg(test)]
mod tests {
    use shared::{EventKind, webhook};

    use super::*;

    const ARRIVAL: Arrival<'static> = Arrival {
        received_at: Timestamp::from_millis(1_700_000_000_123),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    };

    #[test]
    fn what_is_published_reads_back_as_the_same_envelope() {
        let body = Bytes::from_static(
            br#"{"entry":[{"id":"159955055741","time":1700000000100,"standby":[{"sender":{"id":"4711"},"recipient":{"id":"159955055741"},"timestamp":1700000000000,"message":{"mid":"m_1"}}]}]}"#,
        );
        let split = webhook::split(&body).unwrap();
        let message = event(&split.events[0], &body, ARRIVAL);
        assert_eq!(message.body, split.events[0].json);
        assert!(body.as_ptr_range().contains(&message.body.as_ptr()), "the body was copied");

        let text = |text: &Option<lapin::types::ShortString>| text.as_ref().unwrap().to_string();
        let (id, kind) = (text(message.properties.message_id()), text(message.properties.kind()));
        let properties = envelope::Properties {
            message_id: Some(&id),
            kind: Some(&kind),
            timestamp: *message.properties.timestamp(),
        };
        let receipt = "00000000-0000-0000-0000-000000000007/3/42";
        let headers: Vec<_> = message
            .headers
            .inner()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_long_string().unwrap().to_string()))
            .collect();
        let pairs = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([(envelope::RECEIPT, receipt)]);
        let envelope = shared::Envelope::read(properties, pairs).unwrap();
        assert_eq!(envelope.kind, EventKind::Message);
        assert_eq!(envelope.dedupe_key, split.events[0].dedupe_key);
        assert_eq!(
            (envelope.page_id, envelope.party),
            (split.events[0].page_id.clone(), split.events[0].party.clone())
        );
        assert_eq!(
            (envelope.array, envelope.entry_time),
            (split.events[0].array, split.events[0].entry_time)
        );
        assert_eq!(
            (envelope.event_at, envelope.received_at),
            (split.events[0].event_at, ARRIVAL.received_at)
        );
        assert_eq!(envelope.traceparent.as_deref(), ARRIVAL.traceparent);
    }

    #[test]
    fn only_a_well_formed_trace_context_is_passed_on() {
        assert_eq!(traceparent(ARRIVAL.traceparent.map(str::as_bytes)), ARRIVAL.traceparent);
        for wrong in [
            "",
            "00-x",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        ] {
            assert_eq!(traceparent(Some(wrong.as_bytes())), None, "{wrong}");
        }
    }
}

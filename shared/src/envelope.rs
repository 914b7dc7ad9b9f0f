//! What travels around an event at the broker: who, what, when, from where. The body is the event exactly as Facebook sent it.
//!
//! Invariant: what [`Envelope::headers`] and the properties carry is enough for [`Envelope::read`] to give the same envelope again, except
//! that the broker keeps the event's time in whole seconds.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use uuid::Uuid;

use crate::topology::PartitionError;
use crate::{EventKind, IdError, PageId, Partition, Party, Timestamp};

/// The name of the header with the page id.
pub const PAGE_ID: &str = "page_id";
/// The name of the header with the party's key.
pub const VISITOR_ID: &str = "visitor_id";
/// The name of the header with the receipt.
pub const RECEIPT: &str = "receipt";
/// The name of the header with the time of receipt.
pub const RECEIVED_AT: &str = "received_at";
/// The name of the header that says which array of the entry held the event.
pub const ARRAY: &str = "array";
/// The name of the header with the entry's own time.
pub const ENTRY_TIME: &str = "entry_time";
/// The name of the W3C trace context header.
pub const TRACEPARENT: &str = "traceparent";

/// Which array of the webhook's entry held the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventArray {
    /// We own the thread, or nobody routes it.
    Messaging,
    /// Another app owns the thread; we only listen.
    Standby,
    /// A field of the Page changed.
    Changes,
    /// None of the three: the entry itself, or a key of it that we do not know yet.
    Entry,
}

impl EventArray {
    /// As the header carries it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messaging => "messaging",
            Self::Standby => "standby",
            Self::Changes => "changes",
            Self::Entry => "entry",
        }
    }
}

impl FromStr for EventArray {
    type Err = EnvelopeError;
    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        match text {
            "messaging" => Ok(Self::Messaging),
            "standby" => Ok(Self::Standby),
            "changes" => Ok(Self::Changes),
            "entry" => Ok(Self::Entry),
            _ => Err(EnvelopeError::UnknownArray),
        }
    }
}

/// The number of one published message: unique, and without gaps per run of ingress and partition, so that a loss can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipt {
    /// The run of ingress.
    pub boot: Uuid,
    /// The partition it was published to.
    pub partition: Partition,
    /// Counts from 1.
    pub sequence: u64,
}

impl fmt::Display for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.boot, self.partition, self.sequence)
    }
}

impl FromStr for Receipt {
    type Err = EnvelopeError;
    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().ok_or(EnvelopeError::MalformedReceipt);
        let boot = Uuid::parse_str(next()?).or(Err(EnvelopeError::MalformedReceipt))?;
        Ok(Self {
            boot,
            partition: next()?.parse()?,
            sequence: next()?.parse()?,
        })
    }
}

/// Everything around one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The Page it happened on.
    pub page_id: PageId,
    /// Who it concerns.
    pub party: Party,
    /// What it is.
    pub kind: EventKind,
    /// Equal for two deliveries of the same event, see [`crate::webhook::dedupe`].
    pub dedupe_key: String,
    /// Where ingress published it.
    pub receipt: Receipt,
    /// When ingress received it.
    pub received_at: Timestamp,
    /// The array of the entry that held it.
    pub array: EventArray,
    /// When Facebook sent the notification.
    pub entry_time: Option<Timestamp>,
    /// When it happened, in Facebook's words.
    pub event_at: Option<Timestamp>,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
}

/// Why a message at the broker has no readable envelope. It was not published by ingress then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A header or property is absent.
    #[error("the message has no {0}")]
    Missing(&'static str),
    /// The page id is not one.
    #[error("page id")]
    PageId(#[from] IdError),
    /// The receipt is not `boot/partition/sequence`.
    #[error("the receipt is not boot/partition/sequence")]
    MalformedReceipt,
    /// The receipt names no partition.
    #[error("partition")]
    Partition(#[from] PartitionError),
    /// A number is not one.
    #[error("number")]
    Number(#[from] ParseIntError),
    /// The array has a name that this build does not know.
    #[error("unknown array")]
    UnknownArray,
}

/// The properties of a message that carry a part of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties<'a> {
    /// `message_id`: the dedupe key.
    pub message_id: Option<&'a str>,
    /// `type`: the kind.
    pub kind: Option<&'a str>,
    /// `timestamp`: when it happened, in whole seconds since 1970.
    pub timestamp: Option<u64>,
}

impl Envelope {
    /// The headers, all of them texts.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (PAGE_ID, self.page_id.to_string()),
            (VISITOR_ID, self.party.as_key()),
            (RECEIPT, self.receipt.to_string()),
            (RECEIVED_AT, self.received_at.as_millis().to_string()),
            (ARRAY, self.array.as_str().to_owned()),
        ];
        headers.extend(self.entry_time.map(|time| (ENTRY_TIME, time.as_millis().to_string())));
        headers.extend(self.traceparent.clone().map(|trace| (TRACEPARENT, trace)));
        headers
    }

    /// The `timestamp` property: whole seconds, none for times before 1970.
    #[must_use]
    pub fn timestamp_property(&self) -> Option<u64> {
        self.event_at.and_then(|at| u64::try_from(at.as_millis().div_euclid(1000)).ok())
    }

    /// Reads an envelope from a message's properties and headers.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn read<'a>(properties: Properties<'a>, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, EnvelopeError> {
        let mut found = Headers::default();
        headers.into_iter().for_each(|(name, value)| found.put(name, value));
        Ok(Self {
            page_id: PageId::parse(required(PAGE_ID, found.page_id)?)?,
            party: Party::from_key(required(VISITOR_ID, found.visitor_id)?),
            kind: EventKind::from_text(required("type", properties.kind)?),
            dedupe_key: required("message_id", properties.message_id)?.to_owned(),
            receipt: required(RECEIPT, found.receipt)?.parse()?,
            received_at: millis(required(RECEIVED_AT, found.received_at)?)?,
            array: required(ARRAY, found.array)?.parse()?,
            entry_time: found.entry_time.map(millis).transpose()?,
            event_at: properties.timestamp.map(from_seconds),
            traceparent: found.traceparent.map(ToOwned::to_owned),
        })
    }
}

#[derive(Default)]
struct Headers<'a> {
    page_id: Option<&'a str>,
    visitor_id: Option<&'a str>,
    receipt: Option<&'a str>,
    received_at: Option<&'a str>,
    array: Option<&'a str>,
    entry_time: Option<&'a str>,
    traceparent: Option<&'a str>,
}

impl<'a> Headers<'a> {
    fn put(&mut self, name: &str, value: &'a str) {
        let slot = match name {
            PAGE_ID => &mut self.page_id,
            VISITOR_ID => &mut self.visitor_id,
            RECEIPT => &mut self.receipt,
            RECEIVED_AT => &mut self.received_at,
            ARRAY => &mut self.array,
            ENTRY_TIME => &mut self.entry_time,
            TRACEPARENT => &mut self.traceparent,
            // The broker adds its own, such as x-delivery-count.
            _ => return,
        };
        *slot = Some(value);
    }
}

fn required<'a>(name: &'static str, value: Option<&'a str>) -> Result<&'a str, EnvelopeError> {
    value.ok_or(EnvelopeError::Missing(name))
}

fn millis(text: &str) -> Result<Timestamp, EnvelopeError> {
    Ok(Timestamp::from_millis(text.parse()?))
}

fn from_seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            page_id: PageId::parse("159955055741").unwrap(),
            party: Party::UserRef("a/b".into()),
            kind: EventKind::Message,
            dedupe_key: "159955055741/msg:m_1".into(),
            receipt: Receipt {
                boot: Uuid::from_u128(7),
                partition: Partition::new(3).unwrap(),
                sequence: 42,
            },
            received_at: Timestamp::from_millis(1_700_000_000_123),
            array: EventArray::Standby,
            entry_time: Some(Timestamp::from_millis(1_700_000_000_100)),
            event_at: Some(Timestamp::from_millis(1_700_000_000_000)),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        }
    }

    fn read_back(envelope: &Envelope) -> Result<Envelope, EnvelopeError> {
        let kind = envelope.kind.as_text();
        let properties = Properties {
            message_id: Some(&envelope.dedupe_key),
            kind: Some(&kind),
            timestamp: envelope.timestamp_property(),
        };
        let headers = envelope.headers();
        Envelope::read(
            properties,
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .chain([("x-delivery-count", "2")]),
        )
    }

    #[test]
    fn an_envelope_survives_the_broker() {
        let full = envelope();
        assert_eq!(read_back(&full), Ok(full));
        let bare = Envelope {
            entry_time: None,
            event_at: None,
            traceparent: None,
            party: Party::Page,
            ..envelope()
        };
        assert_eq!(read_back(&bare), Ok(bare));
    }

    #[test]
    fn a_missing_header_is_named() {
        let headers = envelope().headers();
        for absent in [PAGE_ID, VISITOR_ID, RECEIPT, RECEIVED_AT, ARRAY] {
            let rest = headers
                .iter()
                .filter(|(name, _)| *name != absent)
                .map(|(name, value)| (*name, value.as_str()));
            let properties = Properties {
                message_id: Some("k"),
                kind: Some("message"),
                timestamp: None,
            };
            assert_eq!(Envelope::read(properties, rest), Err(EnvelopeError::Missing(absent)));
        }
    }

    #[test]
    fn a_receipt_is_read_back_and_refused_when_malformed() {
        let receipt = envelope().receipt;
        assert_eq!(receipt.to_string().parse(), Ok(receipt));
        for wrong in [
            "",
            "x/1/2",
            "00000000-0000-0000-0000-000000000007/1",
            "00000000-0000-0000-0000-000000000007/99/1",
        ] {
            assert!(wrong.parse::<Receipt>().is_err(), "{wrong}");
        }
    }
}

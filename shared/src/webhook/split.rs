//! Taking a webhook's body apart into single events, each with the exact bytes that Facebook sent.
//!
//! Invariant: every element of every `messaging`, `standby` and `changes` array of every entry comes out exactly once, as an event or as
//! unreadable; what cannot be read never takes its siblings with it; no JSON is written again, every slice lies inside the body.

use serde_json::value::RawValue;

use super::dedupe::{self, Facts};
use super::json::{self, Object};
use crate::{EventArray, EventKind, PageId, Party, Timestamp};

/// PSIDs have 15 to 17 digits today; what is longer than this is none, and would not fit a header frame.
const LONGEST_PSID: usize = 128;
/// Developers choose these references themselves.
const LONGEST_USER_REF: usize = 512;

/// Why a body could not be taken apart at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Not JSON, or not UTF-8.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but no object with an `entry` array.
    #[error("the body has no array of entries")]
    NoEntries,
    /// A webhook of another product, such as a user's or Instagram's.
    #[error("the webhook is not about a page")]
    NotAPage,
}

/// A body, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split<'a> {
    /// Everything that belongs to a Page, in the order of the body.
    pub events: Vec<SplitEvent<'a>>,
    /// What names no Page. The whole body is kept for its sake.
    pub unreadable: Vec<Unreadable<'a>>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitEvent<'a> {
    /// The event's JSON exactly as received.
    pub json: &'a str,
    /// The Page it happened on.
    pub page_id: PageId,
    /// Who it concerns.
    pub party: Party,
    /// What it is.
    pub kind: EventKind,
    /// Equal for two deliveries of the same event.
    pub dedupe_key: String,
    /// The array that held it.
    pub array: EventArray,
    /// When it happened, in Facebook's words.
    pub event_at: Option<Timestamp>,
    /// When Facebook sent the notification.
    pub entry_time: Option<Timestamp>,
}

/// A part of a body for which no Page is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable<'a> {
    /// The part's JSON exactly as received.
    pub json: &'a str,
}

/// Takes a body apart.
///
/// # Errors
/// [`SplitError`] when the body as a whole is not a webhook about Pages. The caller keeps it whole.
pub fn split(body: &[u8]) -> Result<Split<'_>, SplitError> {
    // Checked once here; from a text, serde_json hands out slices without checking each again.
    let text = std::str::from_utf8(body).or(Err(SplitError::NotJson))?;
    let whole: &RawValue = serde_json::from_str(text).or(Err(SplitError::NotJson))?;
    let object = json::object(whole).ok_or(SplitError::NoEntries)?;
    if object.text("object").is_some_and(|object| object != "page") {
        return Err(SplitError::NotAPage);
    }
    let mut split = Split::default();
    let mut arrays = object
        .members()
        .filter(|(key, _)| *key == "entry")
        .filter_map(|(_, value)| json::array(value))
        .peekable();
    arrays.peek().ok_or(SplitError::NoEntries)?;
    arrays.flatten().for_each(|entry| split_entry(entry, &mut split));
    Ok(split)
}

/// The Page of an entry, and when it was sent.
struct Entry {
    page: EntryPage,
    time: Option<Timestamp>,
}

enum EntryPage {
    Known(PageId),
    /// The entry names none (customer feedback comes like that); then the event's addresses tell.
    Absent,
    /// The entry names something that is no Page id.
    Malformed,
}

fn split_entry<'a>(raw: &'a RawValue, split: &mut Split<'a>) {
    let Some(object) = json::object(raw) else {
        split.unreadable.push(Unreadable { json: raw.get() });
        return;
    };
    let entry = Entry {
        page: page_of(&object),
        time: object.time("time"),
    };
    let mut recognised = false;
    for (key, value) in object.members() {
        let elements = match key {
            "id" | "time" => continue,
            "messaging" => json::array(value).map(|elements| (EventArray::Messaging, elements)),
            "standby" => json::array(value).map(|elements| (EventArray::Standby, elements)),
            "changes" => json::array(value).map(|elements| (EventArray::Changes, elements)),
            // A key of the future may hold events.
            _ if value.get().starts_with(['[', '{']) => None,
            _ => continue,
        };
        recognised = true;
        match elements {
            Some((array, elements)) => elements
                .into_iter()
                .for_each(|element| entry.place(read_element(element, array), element, array, split)),
            None => entry.place(Reading::unknown(key), value, EventArray::Entry, split),
        }
    }
    if !recognised {
        entry.place(Reading::unknown("entry"), raw, EventArray::Entry, split);
    }
}

fn page_of(entry: &Object<'_>) -> EntryPage {
    match entry.get("id") {
        None => EntryPage::Absent,
        Some(raw) => json::id(raw)
            .and_then(|id| PageId::parse(&id).ok())
            .map_or(EntryPage::Malformed, EntryPage::Known),
    }
}

impl Entry {
    /// Puts one element where it belongs: under its Page, or with what is unreadable.
    fn place<'a>(&self, reading: Reading<'a>, element: &'a RawValue, array: EventArray, split: &mut Split<'a>) {
        let page_id = match &self.page {
            EntryPage::Known(page_id) => Some(page_id.clone()),
            EntryPage::Absent => reading.page(),
            EntryPage::Malformed => None,
        };
        let json = element.get();
        match page_id {
            Some(page_id) => split.events.push(reading.into_event(json, page_id, array, self.time)),
            None => split.unreadable.push(Unreadable { json }),
        }
    }
}

/// What one element says about itself.
struct Reading<'a> {
    kind: EventKind,
    /// The value of the key that names the kind.
    detail: Option<Object<'a>>,
    /// The raw text of that value.
    raw_detail: Option<&'a RawValue>,
    sender: Option<Address>,
    recipient: Option<Address>,
    timestamp: Option<Timestamp>,
}

/// One end of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// An id: a person's or the Page's.
    Id(String),
    /// A plugin's reference.
    UserRef(String),
}

impl Address {
    pub(super) fn read(event: &Object<'_>, end: &str) -> Option<Self> {
        let object = event.object(end)?;
        object.id("id").map(Self::Id).or_else(|| object.id("user_ref").map(Self::UserRef))
    }

    fn is_page(&self, page_id: &PageId) -> bool {
        matches!(self, Self::Id(id) if id == page_id.as_str())
    }

    /// The party at this end; none where the id cannot be one.
    pub(super) fn party(&self) -> Option<Party> {
        match self {
            Self::Id(id) if id.len() <= LONGEST_PSID && Party::from_key(id) == Party::Psid(id.clone()) => Some(Party::Psid(id.clone())),
            Self::UserRef(reference) if reference.len() <= LONGEST_USER_REF => Some(Party::UserRef(reference.clone())),
            Self::Id(_) | Self::UserRef(_) => None,
        }
    }
}

fn read_element(element: &RawValue, array: EventArray) -> Reading<'_> {
    let Some(object) = json::object(element) else {
        return Reading::unknown("not_an_object");
    };
    if array != EventArray::Changes {
        return Reading::of_event(&object);
    }
    // The dashboard's Test button and some samples wrap a messaging event as the value of a change.
    let wrapped = object.object("value").map(|value| Reading::of_event(&value));
    match (wrapped, object.id("field")) {
        (Some(event), _) if event.is_addressed() => event,
        (_, Some(field)) => Reading::bare(EventKind::change(&field)),
        (_, None) => Reading::unknown("change"),
    }
}

impl<'a> Reading<'a> {
    fn bare(kind: EventKind) -> Self {
        Self {
            kind,
            detail: None,
            raw_detail: None,
            sender: None,
            recipient: None,
            timestamp: None,
        }
    }

    fn unknown(key: &str) -> Self {
        Self::bare(EventKind::unknown(key))
    }

    fn of_event(object: &Object<'a>) -> Self {
        let (kind, raw_detail) = kind_of(object);
        let detail = raw_detail.and_then(json::object);
        let kind = match (kind, &detail) {
            (EventKind::Message, Some(message)) => message_kind(message),
            (kind @ (EventKind::Unknown(_) | EventKind::Change(_)), _) | (kind, Some(_)) => kind,
            // A known key with a value of another shape: nobody can read it, everybody may keep it.
            (kind, None) => EventKind::unknown(&kind.as_text()),
        };
        let sender = Address::read(object, "sender").or_else(|| opted_in(detail.as_ref()));
        Self {
            kind,
            detail,
            raw_detail,
            sender,
            recipient: Address::read(object, "recipient"),
            timestamp: object.time("timestamp"),
        }
    }

    fn is_addressed(&self) -> bool {
        (self.sender.is_some() || self.recipient.is_some()) && !matches!(self.kind, EventKind::Unknown(_))
    }

    fn is_echo(&self) -> bool {
        self.detail.as_ref().is_some_and(|message| message.is_true("is_echo"))
    }

    /// The Page as the addresses tell it, for entries that do not.
    fn page(&self) -> Option<PageId> {
        let address = if self.is_echo() { &self.sender } else { &self.recipient };
        match address {
            Some(Address::Id(id)) => PageId::parse(id).ok(),
            Some(Address::UserRef(_)) | None => None,
        }
    }

    fn into_event(self, json: &'a str, page_id: PageId, array: EventArray, entry_time: Option<Timestamp>) -> SplitEvent<'a> {
        let (party, kind) = match self.party(&page_id) {
            Ok(party) => (party, self.kind),
            Err(UnreadableParty) => (Party::Page, EventKind::unknown(&self.kind.as_text())),
        };
        let facts = Facts {
            page_id: &page_id,
            party: &party,
            kind: &kind,
            detail: self.detail.as_ref(),
            raw_detail: self.raw_detail.map(RawValue::get),
            event_at: self.timestamp,
            entry_time,
            json,
        };
        let dedupe_key = dedupe::key(&facts);
        SplitEvent {
            json,
            page_id,
            party,
            kind,
            dedupe_key,
            array,
            event_at: self.timestamp.or(entry_time),
            entry_time,
        }
    }

    /// Whom the event concerns. The direction of echoes is reversed; events without a sender are the Page's own.
    fn party(&self, page_id: &PageId) -> Result<Party, UnreadableParty> {
        let outbound = self.is_echo() || self.sender.as_ref().is_some_and(|sender| sender.is_page(page_id));
        let ends = if outbound {
            [&self.recipient, &self.sender]
        } else {
            [&self.sender, &None]
        };
        match ends.into_iter().flatten().find(|end| !end.is_page(page_id)) {
            Some(address) => address.party().ok_or(UnreadableParty),
            None => Ok(Party::Page),
        }
    }
}

/// An id that cannot belong to a visitor.
struct UnreadableParty;

/// The key that names an event's kind, and its value.
fn kind_of<'a>(object: &Object<'a>) -> (EventKind, Option<&'a RawValue>) {
    let known = object
        .members()
        .filter_map(|(key, value)| EventKind::of_key(key).map(|kind| (kind, value)));
    if let Some((kind, value)) = known.min_by_key(|(kind, _)| kind.rank()) {
        return (kind, Some(value));
    }
    let other = object
        .members()
        .map(|(key, _)| key)
        .find(|key| !matches!(*key, "sender" | "recipient" | "timestamp"));
    (EventKind::unknown(other.unwrap_or("empty")), None)
}

fn message_kind(message: &Object<'_>) -> EventKind {
    if message.is_true("is_deleted") {
        EventKind::Unsend
    } else if message.is_true("is_echo") {
        EventKind::Echo
    } else {
        EventKind::Message
    }
}

/// Opt-ins through a plugin have no sender; the reference is inside.
fn opted_in(detail: Option<&Object<'_>>) -> Option<Address> {
    detail?.id("user_ref").map(Address::UserRef)
}

#[cfg(test)]
mod tests;

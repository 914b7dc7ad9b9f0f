//! Streams and log: what was appended, in which transaction, and how far a reader may read.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{Encoded, Event, StreamId, StreamKind};
use engine::ports::{Append, Cursor, LogPage, NewEvent, ReadEvent, StoreError, StreamState};
use serde::de::DeserializeOwned;
use shared::{ConversationId, VisitorId};

use super::faults::refused;

/// The epoch of a cluster that was never restored.
const EPOCH: i64 = 1;

/// A stream at its head.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) version: i64,
    pub(super) visitor: Option<VisitorId>,
    pub(super) live: bool,
    state: serde_json::Value,
    newest: Encoded,
}

/// An event as it lies in the log: structure and content apart.
#[derive(Debug, Clone)]
struct Row {
    stream: StreamId,
    version: i64,
    visitor: Option<VisitorId>,
    encoded: Encoded,
    new: NewEvent,
}

/// An append whose events are ready for the log.
#[derive(Debug)]
pub(super) struct Prepared {
    append: Append,
    encoded: Vec<Encoded>,
}

/// Streams and log.
#[derive(Debug, Default)]
pub(super) struct Streams {
    heads: BTreeMap<StreamId, Stream>,
    log: BTreeMap<Cursor, Row>,
    position: i64,
    transaction: i64,
    running: BTreeSet<i64>,
}

impl Streams {
    /// A transaction is about to write: readers stay below it until it has ended.
    pub(super) fn begin(&mut self) -> i64 {
        self.transaction += 1;
        self.running.insert(self.transaction);
        self.transaction
    }

    pub(super) fn end(&mut self, transaction: i64) {
        self.running.remove(&transaction);
    }

    pub(super) fn visitor_of(&self, conversation: ConversationId) -> Option<VisitorId> {
        self.heads.get(&conversation.into()).and_then(|stream| stream.visitor)
    }

    pub(super) fn live_conversation(&self, visitor: VisitorId) -> Option<ConversationId> {
        let mut live = self
            .heads
            .iter()
            .filter(|(id, stream)| id.kind == StreamKind::Conversation && stream.live && stream.visitor == Some(visitor));
        live.next().map(|(id, _)| ConversationId(id.id))
    }

    pub(super) fn of_kind(&self, kind: StreamKind) -> impl Iterator<Item = StreamId> {
        self.heads.keys().filter(move |id| id.kind == kind).copied()
    }

    /// A stream's folded state; `None` where it has not begun.
    pub(super) fn load<S: DeserializeOwned>(&self, id: StreamId) -> Result<Option<StreamState<S>>, StoreError> {
        let Some(stream) = self.heads.get(&id) else { return Ok(None) };
        let unreadable = StoreError::Unreadable { stream: id.to_string() };
        let state = serde_json::from_value(stream.state.clone()).or(Err(unreadable))?;
        Ok(Some(StreamState {
            version: stream.version,
            state,
        }))
    }

    /// A stream's version and newest event.
    pub(super) fn newest(&self, id: StreamId) -> Result<(i64, Option<Event>), StoreError> {
        match self.heads.get(&id) {
            Some(stream) => Ok((stream.version, Some(decode(id, &stream.newest)?))),
            None => Ok((0, None)),
        }
    }

    pub(super) fn version(&self, id: StreamId) -> i64 {
        self.heads.get(&id).map_or(0, |stream| stream.version)
    }

    /// Checks what the database would check, without writing anything.
    pub(super) fn prepare(&self, appends: Vec<Append>) -> Result<Vec<Prepared>, StoreError> {
        let mut versions: BTreeMap<StreamId, i64> = BTreeMap::new();
        let mut live: BTreeMap<VisitorId, StreamId> = BTreeMap::new();
        let mut prepared = Vec::with_capacity(appends.len());
        for append in appends {
            let version = versions.entry(append.stream).or_insert_with(|| self.version(append.stream));
            if *version != append.expected {
                return Err(conflict(&append));
            }
            let length = i64::try_from(append.events.len()).or(Err(refused("too many events")))?;
            *version = version.saturating_add(length);
            if let (StreamKind::Conversation, Some(visitor)) = (append.stream.kind, append.visitor) {
                note_liveness(&mut live, &append, visitor);
            }
            let encoded = append.events.iter().map(|new| new.event.encode());
            let encoded = encoded.collect::<Result<_, _>>().or(Err(refused("an event cannot be written")))?;
            prepared.push(Prepared { append, encoded });
        }
        for (visitor, stream) in live {
            self.must_be_the_only_one(visitor, stream, &prepared)?;
        }
        Ok(prepared)
    }

    /// At most one conversation of a visitor is live, as the database's index has it.
    fn must_be_the_only_one(&self, visitor: VisitorId, stream: StreamId, prepared: &[Prepared]) -> Result<(), StoreError> {
        let ends_here = |id: StreamId| {
            prepared
                .iter()
                .rev()
                .find(|other| other.append.stream == id)
                .is_some_and(|end| !end.append.live)
        };
        let rival_in_table = self.live_conversation(visitor).map(StreamId::from);
        let rivals_here = prepared.iter().map(|other| &other.append);
        let rival_here = rivals_here
            .filter(|append| append.stream.kind == StreamKind::Conversation && append.visitor == Some(visitor))
            .map(|append| append.stream);
        let is_rival = |id: &StreamId| *id != stream && !ends_here(*id);
        match rival_in_table.into_iter().chain(rival_here).find(is_rival) {
            Some(_) => Err(StoreError::Conflict {
                stream,
                expected: self.version(stream),
            }),
            None => Ok(()),
        }
    }

    /// Writes. Returns where the newest event stands.
    pub(super) fn write(&mut self, transaction: i64, prepared: Vec<Prepared>) -> Option<Cursor> {
        let mut newest = None;
        for Prepared { append, encoded } in prepared {
            let mut version = append.expected;
            let Some(last) = encoded.last().cloned() else { continue };
            for (new, encoded) in append.events.into_iter().zip(encoded) {
                version += 1;
                self.position += 1;
                let cursor = Cursor {
                    epoch: EPOCH,
                    recorded_in: transaction,
                    position: self.position,
                };
                let row = Row {
                    stream: append.stream,
                    version,
                    visitor: append.visitor,
                    encoded,
                    new,
                };
                self.log.insert(cursor, row);
                newest = Some(cursor);
            }
            let head = Stream {
                version,
                visitor: append.visitor,
                live: append.live,
                state: append.state,
                newest: last,
            };
            self.heads.insert(append.stream, head);
        }
        newest
    }

    /// The events of one transaction.
    pub(super) fn written_in(&self, transaction: i64) -> Result<Vec<ReadEvent>, StoreError> {
        let at = |recorded_in: i64| Cursor {
            epoch: EPOCH,
            recorded_in,
            position: 0,
        };
        let rows = self.log.range(at(transaction)..at(transaction.saturating_add(1)));
        rows.map(|(cursor, row)| row.read(*cursor)).collect()
    }

    /// Everything below the oldest running transaction can be read without missing anything.
    fn horizon(&self) -> Cursor {
        let recorded_in = self.running.first().copied().unwrap_or(self.transaction.saturating_add(1));
        Cursor {
            epoch: EPOCH,
            recorded_in,
            position: 0,
        }
    }

    /// The newest event that can be read.
    pub(super) fn head(&self) -> Cursor {
        let below = self.log.range(..self.horizon()).next_back();
        below.map_or_else(Cursor::default, |(cursor, _)| *cursor)
    }

    pub(super) fn read(&self, after: Cursor, most: usize) -> Result<LogPage, StoreError> {
        let horizon = self.horizon();
        let mut rows = self
            .log
            .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .take_while(|(cursor, _)| **cursor < horizon);
        let events: Vec<ReadEvent> = rows
            .by_ref()
            .take(most)
            .map(|(cursor, row)| row.read(*cursor))
            .collect::<Result<_, _>>()?;
        Ok(LogPage {
            next: events.last().map_or(after, |event| event.cursor),
            full: rows.next().is_some(),
            events,
        })
    }
}

impl Row {
    fn read(&self, cursor: Cursor) -> Result<ReadEvent, StoreError> {
        Ok(ReadEvent {
            cursor,
            stream: self.stream,
            version: self.version,
            visitor: self.visitor,
            event: decode(self.stream, &self.encoded)?,
            occurred_at: self.new.occurred_at,
            actor: self.new.actor,
            audience: self.new.audience.clone(),
        })
    }
}

/// Which conversation a visitor would have open after these appends.
fn note_liveness(live: &mut BTreeMap<VisitorId, StreamId>, append: &Append, visitor: VisitorId) {
    if append.live {
        live.insert(visitor, append.stream);
    } else if live.get(&visitor) == Some(&append.stream) {
        live.remove(&visitor);
    }
}

fn conflict(append: &Append) -> StoreError {
    StoreError::Conflict {
        stream: append.stream,
        expected: append.expected,
    }
}

fn decode(stream: StreamId, encoded: &Encoded) -> Result<Event, StoreError> {
    let Encoded {
        event_type,
        schema_version,
        payload,
        content,
    } = encoded;
    let event = Event::decode(stream.kind, event_type, *schema_version, payload, content.clone());
    event.or(Err(StoreError::Unreadable {
        stream: stream.to_string(),
    }))
}

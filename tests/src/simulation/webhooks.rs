//! Facebook's side of the webhook: what it tells, when, and how often; and an ingress that does what the real one does with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shared::{PageId, Party, Timestamp};
use tokio::sync::Notify;

use super::broker::SimulatedBroker;
use super::chance::Chance;
use super::clock::SimulatedClock;
use super::tape::{Entry, Published, Tape};

/// Events that Facebook tells twice, per mille.
const TWICE: u64 = 80;

#[derive(Debug, Default)]
struct Outgoing {
    /// Bodies by the time of their delivery; the number keeps the order of equal times.
    bodies: BTreeMap<(Timestamp, u64), String>,
    posted: u64,
    told: BTreeSet<String>,
}

/// The webhooks that are still to come.
#[derive(Debug)]
pub struct Webhooks {
    clock: SimulatedClock,
    tape: Arc<Tape>,
    broker: Arc<SimulatedBroker>,
    outgoing: Mutex<Outgoing>,
    chance: Mutex<Chance>,
    news: Notify,
}

impl Webhooks {
    /// None yet.
    #[must_use]
    pub fn new(clock: SimulatedClock, tape: Arc<Tape>, broker: Arc<SimulatedBroker>, chance: Chance) -> Self {
        Self {
            clock,
            tape,
            broker,
            outgoing: Mutex::default(),
            chance: Mutex::new(chance),
            news: Notify::new(),
        }
    }

    /// Tells an event after a while, and perhaps a second time later.
    pub fn post(&self, page: &PageId, event: Value, delay: Duration) {
        let now = self.clock.now();
        let body = json!({"object": "page", "entry": [{"id": page.as_str(), "time": now.as_millis(), "messaging": [event]}]});
        let body = body.to_string();
        let again = {
            let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
            chance.per_mille(TWICE).then(|| Duration::from_millis(chance.within(&(0..40_000))))
        };
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        let due = now.plus(delay);
        outgoing.put(due, body.clone());
        if let Some(later) = again {
            outgoing.put(due.plus(later), body);
        }
        drop(outgoing);
        self.news.notify_one();
    }

    /// Everything has been told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).bodies.is_empty()
    }

    /// Tells what is due, for ever.
    pub async fn run(&self) {
        loop {
            while let Some(body) = self.next_due() {
                self.publish(&body);
            }
            let first = {
                let outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
                outgoing.bodies.keys().next().map(|(due, _)| due.since(self.clock.now()))
            };
            tokio::select! {
                biased;
                () = self.news.notified() => {}
                () = tokio::time::sleep(first.unwrap_or(Duration::from_secs(3_600))) => {}
            }
        }
    }

    fn next_due(&self) -> Option<String> {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        let first = outgoing.bodies.first_entry()?;
        (first.key().0 <= self.clock.now()).then(|| first.remove())
    }

    /// What ingress does: split, publish, answer 200.
    fn publish(&self, body: &str) {
        let Ok(split) = shared::webhook::split(body.as_bytes()) else {
            return;
        };
        for event in &split.events {
            let published = Published {
                page: event.page_id.clone(),
                party: event.party.clone(),
                key: event.dedupe_key.clone(),
                json: event.json.to_owned(),
            };
            let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
            let first = outgoing.told.insert(published.key.clone());
            drop(outgoing);
            self.tape.record(if first {
                Entry::Published(published)
            } else {
                Entry::PublishedAgain(published)
            });
            self.broker.publish(event, self.clock.now());
        }
    }
}

impl Outgoing {
    fn put(&mut self, due: Timestamp, body: String) {
        self.posted += 1;
        self.bodies.insert((due, self.posted), body);
    }
}

/// The frame of an event from a visitor.
#[must_use]
pub fn from_visitor(page: &PageId, party: &Party, at: Timestamp, name: &str, detail: &Value) -> Value {
    json!({"sender": {"id": party.as_key()}, "recipient": {"id": page.as_str()}, "timestamp": at.as_millis(), name: detail})
}

/// The frame of an event about something that the Page sent.
#[must_use]
pub fn from_page(page: &PageId, party: &Party, at: Timestamp, name: &str, detail: &Value) -> Value {
    json!({"sender": {"id": page.as_str()}, "recipient": {"id": party.as_key()}, "timestamp": at.as_millis(), name: detail})
}

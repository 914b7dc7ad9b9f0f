//! The broker: one line per partition, one active consumer per line, and what is not acknowledged comes again, in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use engine::ports::{Deliveries, Delivery, DeliveryTag};
use shared::webhook::SplitEvent;
use shared::{Envelope, PageId, Partition, Party, Receipt, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use super::chance::Chance;

/// The run of the ingress that publishes.
const BOOT: Uuid = Uuid::from_u128(0x0192_b007_0000_7000_8000_0000_0000_0001);

/// How the links behave, per mille of the acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// The link breaks before the broker has read the acknowledgement.
    pub breaks_before: u64,
    /// The link breaks just after.
    pub breaks_after: u64,
}

impl Weather {
    /// Nothing breaks.
    pub const FAIR: Self = Self {
        breaks_before: 0,
        breaks_after: 0,
    };
    /// Links break now and then.
    pub const FOUL: Self = Self {
        breaks_before: 15,
        breaks_after: 10,
    };
}

#[derive(Debug, Clone)]
struct Message {
    envelope: Result<Envelope, String>,
    body: Bytes,
}

#[derive(Debug, Default)]
struct Line {
    ready: VecDeque<Message>,
    unacknowledged: VecDeque<(DeliveryTag, Message)>,
    /// Links in the order of their subscription; the first one is active.
    subscribers: VecDeque<u64>,
}

#[derive(Debug)]
struct State {
    lines: BTreeMap<Partition, Line>,
    links: u64,
    published: u64,
    handed_out: u64,
    weather: Weather,
    chance: Chance,
}

/// The broker.
#[derive(Debug)]
pub struct SimulatedBroker {
    state: Mutex<State>,
    news: Notify,
}

impl SimulatedBroker {
    /// An empty broker.
    #[must_use]
    pub fn new(weather: Weather, chance: Chance) -> Self {
        let state = State {
            lines: Partition::all().map(|partition| (partition, Line::default())).collect(),
            links: 0,
            published: 0,
            handed_out: 0,
            weather,
            chance,
        };
        Self {
            state: Mutex::new(state),
            news: Notify::new(),
        }
    }

    /// Changes the weather.
    pub fn turn(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// Takes an event over from ingress.
    pub fn publish(&self, event: &SplitEvent<'_>, received_at: Timestamp) {
        let partition = Partition::of(&event.page_id, &event.party);
        let mut state = self.state();
        state.published += 1;
        let envelope = Envelope {
            page_id: event.page_id.clone(),
            party: event.party.clone(),
            kind: event.kind.clone(),
            dedupe_key: event.dedupe_key.clone(),
            receipt: Receipt {
                boot: BOOT,
                partition,
                sequence: state.published,
            },
            received_at,
            array: event.array,
            entry_time: event.entry_time,
            event_at: event.event_at,
            traceparent: None,
        };
        let body = Bytes::copy_from_slice(event.json.as_bytes());
        state.put(
            partition,
            Message {
                envelope: Ok(envelope),
                body,
            },
        );
        drop(state);
        self.news.notify_waiters();
    }

    /// Puts something on the line of a visitor that ingress never wrote: nobody can read its headers.
    pub fn publish_garbage(&self, page: &PageId, party: &Party, body: &'static [u8]) {
        let envelope = Err("the message has no headers".to_owned());
        let body = Bytes::from_static(body);
        self.state().put(Partition::of(page, party), Message { envelope, body });
        self.news.notify_waiters();
    }

    /// Nothing waits and nothing is in anybody's hands.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let state = self.state();
        state
            .lines
            .values()
            .all(|line| line.ready.is_empty() && line.unacknowledged.is_empty())
    }

    /// A stream of deliveries of these partitions.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>, partitions: Vec<Partition>) -> SimulatedDeliveries {
        let link = self.state().open(&partitions);
        SimulatedDeliveries {
            broker: Arc::clone(self),
            partitions,
            link,
        }
    }

    /// Breaks every link there is. What is in somebody's hands comes again.
    pub fn break_all_links(&self) {
        let mut state = self.state();
        let newest = state.links;
        (1..=newest).for_each(|link| state.close(link));
        drop(state);
        self.news.notify_waiters();
    }

    fn close(&self, link: u64) {
        self.state().close(link);
        self.news.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, partition: Partition, message: Message) {
        self.lines.entry(partition).or_default().ready.push_back(message);
    }

    fn open(&mut self, partitions: &[Partition]) -> u64 {
        self.links += 1;
        for partition in partitions {
            let line = self.lines.entry(*partition).or_default();
            line.subscribers.push_back(self.links);
        }
        self.links
    }

    fn is_open(&self, link: u64) -> bool {
        self.lines.values().any(|line| line.subscribers.contains(&link))
    }

    fn close(&mut self, link: u64) {
        for line in self.lines.values_mut() {
            line.subscribers.retain(|other| *other != link);
            let all = std::mem::take(&mut line.unacknowledged);
            let (lost, kept): (VecDeque<_>, VecDeque<_>) = all.into_iter().partition(|(tag, _)| tag.link == link);
            line.unacknowledged = kept;
            for (_, message) in lost.into_iter().rev() {
                line.ready.push_front(message);
            }
        }
    }

    fn take(&mut self, link: u64, most: usize) -> Vec<Delivery> {
        let mut batch = Vec::new();
        for line in self.lines.values_mut().filter(|line| line.subscribers.front() == Some(&link)) {
            while batch.len() < most
                && let Some(message) = line.ready.pop_front()
            {
                self.handed_out += 1;
                let tag = DeliveryTag {
                    link,
                    number: self.handed_out,
                };
                batch.push(Delivery {
                    tag,
                    envelope: message.envelope.clone(),
                    body: message.body.clone(),
                });
                line.unacknowledged.push_back((tag, message));
            }
        }
        batch
    }

    fn acknowledge(&mut self, tags: &[DeliveryTag]) {
        for line in self.lines.values_mut() {
            line.unacknowledged.retain(|(tag, _)| !tags.contains(tag));
        }
    }
}

/// A subscription. It ends when it is dropped; what it holds then comes again.
#[derive(Debug)]
pub struct SimulatedDeliveries {
    broker: Arc<SimulatedBroker>,
    partitions: Vec<Partition>,
    link: u64,
}

impl SimulatedDeliveries {
    async fn reconnect(&mut self) {
        let pause = self.broker.state().chance.within(&(20..400));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        self.link = self.broker.state().open(&self.partitions);
    }
}

impl Deliveries for SimulatedDeliveries {
    async fn next_batch(&mut self, most: usize) -> Vec<Delivery> {
        let broker = Arc::clone(&self.broker);
        loop {
            let news = broker.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if !broker.state().is_open(self.link) {
                self.reconnect().await;
            }
            let batch = broker.state().take(self.link, most);
            if !batch.is_empty() {
                return batch;
            }
            news.await;
        }
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (before, after) = {
            let State { weather, chance, .. } = &mut *self.broker.state();
            (chance.per_mille(weather.breaks_before), chance.per_mille(weather.breaks_after))
        };
        if before {
            self.broker.close(self.link);
        }
        // Tags of a closed link are no longer there.
        self.broker.state().acknowledge(tags);
        if after {
            self.broker.close(self.link);
        }
    }

    async fn hand_back(&mut self) {
        self.broker.close(self.link);
        tokio::task::yield_now().await;
    }
}

impl Drop for SimulatedDeliveries {
    fn drop(&mut self) {
        self.broker.close(self.link);
    }
}

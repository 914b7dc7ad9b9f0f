//! Publishing so that it can be promised: a message counts only after the broker confirmed it.
//!
//! Invariants: `publish` returns success only when every message of the batch is confirmed and was routed. One task owns the channel of a
//! link: lapin numbers a message and queues its frames in two steps, and two threads between them would confirm each other's messages.
//! A message that comes back unroutable is given by lapin to whichever confirm resolves next, so results are collected until none is
//! ready before any is released, and a single returned message fails everything that was not released.

mod batch;
mod link;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::try_join_all;
use lapin::BasicProperties;
use lapin::types::FieldTable;
use shared::Partition;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::broker::Broker;
use batch::Batch;
pub use link::Link;

/// How long a batch may wait for its confirms. Facebook gives us 5 s for the whole answer.
pub const CONFIRM_TIMEOUT: Duration = Duration::from_secs(3);
/// Bodies that may be unconfirmed at once.
pub const UNCONFIRMED_BYTES: usize = 16 * 1024 * 1024;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To a partition of the events exchange; it gets a receipt.
    Partition(Partition),
    /// To the broker queue of what could not be taken apart.
    Unparsed,
}

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where it goes.
    pub destination: Destination,
    /// Its body, as it stands.
    pub body: Bytes,
    /// Its properties without headers; delivery mode 2 is added.
    pub properties: BasicProperties,
    /// Its headers; the receipt is added.
    pub headers: FieldTable,
}

/// Why a batch is not at the broker for certain. Some of it may be: publishing it again is right, consumers recognise duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Too much is unconfirmed already.
    #[error("too many bytes are unconfirmed")]
    Overloaded,
    /// The broker asked us to stop (memory or disk alarm).
    #[error("the broker has blocked publishing")]
    Blocked,
    /// There is no connection.
    #[error("the broker is not connected")]
    NotConnected,
    /// The confirms did not come in time.
    #[error("the broker did not confirm in time")]
    TimedOut,
    /// The broker answered that it did not take a message.
    #[error("the broker refused a message")]
    Refused,
    /// No broker queue took a message.
    #[error("a message was not routed to any broker queue")]
    Unroutable,
    /// The connection broke while confirms were outstanding.
    #[error("the broker connection was lost")]
    ConnectionLost,
}

/// What a link tells about itself.
#[derive(Debug)]
struct LinkState {
    ready: AtomicBool,
    blocked: AtomicBool,
    /// When the link went down, in milliseconds since `started`; meaningless while it is ready.
    down_since: AtomicI64,
    started: Instant,
}

impl LinkState {
    fn new() -> Self {
        Self {
            ready: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            down_since: AtomicI64::new(0),
            started: Instant::now(),
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn up(&self) {
        self.blocked.store(false, Ordering::Relaxed);
        self.ready.store(true, Ordering::Release);
    }

    fn down(&self) {
        if self.ready.swap(false, Ordering::AcqRel) {
            self.down_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Whether waiting for this link makes sense. A short cut is waited out; a broker that is away is told at once.
    fn check(&self) -> Result<(), PublishError> {
        if self.blocked.load(Ordering::Relaxed) {
            return Err(PublishError::Blocked);
        }
        if self.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let down_for = self.now().saturating_sub(self.down_since.load(Ordering::Relaxed));
        let patience = i64::try_from(CONFIRM_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        if down_for < patience {
            Ok(())
        } else {
            Err(PublishError::NotConnected)
        }
    }
}

/// Bytes that are promised to nobody yet.
#[derive(Debug, Default)]
struct Unconfirmed(AtomicUsize);

/// A share of [`UNCONFIRMED_BYTES`], given back when dropped.
#[derive(Debug)]
struct Reservation {
    of: Arc<Unconfirmed>,
    bytes: usize,
}

impl Unconfirmed {
    fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Reservation, PublishError> {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let reservation = Reservation {
            of: Arc::clone(self),
            bytes,
        };
        if before.saturating_add(bytes) > UNCONFIRMED_BYTES {
            Err(PublishError::Overloaded)
        } else {
            Ok(reservation)
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The handle by which any thread publishes.
#[derive(Debug, Clone)]
pub struct Publisher {
    links: Arc<[LinkHandle]>,
    unconfirmed: Arc<Unconfirmed>,
    boot: Uuid,
}

#[derive(Debug)]
struct LinkHandle {
    batches: mpsc::UnboundedSender<Batch>,
    state: Arc<LinkState>,
}

impl Publisher {
    /// A publisher over `connections` (one or two) connections, and the links to run: each must be polled until it ends, which it does
    /// after `stop`, when what was confirmed is in the ledger.
    #[must_use]
    pub fn new(broker: &Broker, connections: usize, stop: &CancellationToken) -> (Self, Vec<Link>) {
        let boot = Uuid::now_v7();
        let pairs = (0..connections.clamp(1, 2)).map(|_| {
            let (batches, received) = mpsc::unbounded_channel();
            let state = Arc::new(LinkState::new());
            (
                LinkHandle {
                    batches,
                    state: Arc::clone(&state),
                },
                Link::new(broker.clone(), boot, received, state, stop.clone()),
            )
        });
        let (handles, links): (Vec<_>, Vec<_>) = pairs.unzip();
        (
            Self {
                links: handles.into(),
                unconfirmed: Arc::default(),
                boot,
            },
            links,
        )
    }

    /// This run, as receipts name it.
    #[must_use]
    pub const fn boot(&self) -> Uuid {
        self.boot
    }

    /// Whether every link is connected and not blocked.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.links
            .iter()
            .all(|link| link.state.ready.load(Ordering::Acquire) && !link.state.blocked.load(Ordering::Relaxed))
    }

    /// Bytes whose confirms are outstanding.
    #[must_use]
    pub fn unconfirmed_bytes(&self) -> usize {
        self.unconfirmed.0.load(Ordering::Relaxed)
    }

    /// Publishes all messages, in this order within each partition, and returns when all are confirmed.
    ///
    /// # Errors
    /// [`PublishError`] when not all of them are confirmed in [`CONFIRM_TIMEOUT`].
    pub async fn publish(&self, messages: Vec<Outgoing>) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let confirmed = match &*self.links {
            [only] => timeout(CONFIRM_TIMEOUT, settled(self.submit(only, messages)?)).await,
            several => {
                let waiting = self.distribute(several, messages)?;
                let all = try_join_all(waiting.into_iter().map(settled));
                timeout(CONFIRM_TIMEOUT, all).await.map(|settled| settled.map(|_| ()))
            }
        };
        confirmed.unwrap_or(Err(PublishError::TimedOut))
    }

    fn distribute(&self, links: &[LinkHandle], messages: Vec<Outgoing>) -> Result<Vec<Reply>, PublishError> {
        let mut parts: Vec<Vec<Outgoing>> = links.iter().map(|_| Vec::new()).collect();
        for message in messages {
            let index = match message.destination {
                Destination::Partition(partition) => partition.index() % links.len(),
                Destination::Unparsed => 0,
            };
            if let Some(part) = parts.get_mut(index) {
                part.push(message);
            }
        }
        links
            .iter()
            .zip(parts)
            .filter(|(_, part)| !part.is_empty())
            .map(|(link, part)| self.submit(link, part))
            .collect()
    }

    fn submit(&self, link: &LinkHandle, messages: Vec<Outgoing>) -> Result<Reply, PublishError> {
        link.state.check()?;
        let bytes = messages.iter().map(|message| message.body.len()).sum();
        let reservation = self.unconfirmed.reserve(bytes)?;
        let (reply, receiver) = oneshot::channel();
        let batch = Batch::new(messages, reply, reservation);
        link.batches.send(batch).or(Err(PublishError::NotConnected))?;
        Ok(receiver)
    }
}

type Reply = oneshot::Receiver<Result<(), PublishError>>;

async fn settled(reply: Reply) -> Result<(), PublishError> {
    reply.await.unwrap_or(Err(PublishError::ConnectionLost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unconfirmed_bytes_are_limited_and_given_back() {
        let unconfirmed = Arc::new(Unconfirmed::default());
        let first = unconfirmed.reserve(UNCONFIRMED_BYTES).unwrap();
        assert_eq!(unconfirmed.reserve(1).unwrap_err(), PublishError::Overloaded);
        drop(first);
        assert_eq!(unconfirmed.0.load(Ordering::Relaxed), 0);
        assert!(unconfirmed.reserve(1).is_ok());
    }

    #[test]
    fn a_blocked_link_is_told_at_once() {
        let state = LinkState::new();
        state.up();
        assert_eq!(state.check(), Ok(()));
        state.blocked.store(true, Ordering::Relaxed);
        assert_eq!(state.check(), Err(PublishError::Blocked));
    }

    #[test]
    fn a_short_cut_is_waited_out_and_a_long_one_is_told_at_once() {
        let mut state = LinkState::new();
        state.up();
        state.down();
        assert_eq!(state.check(), Ok(()));
        state.started = Instant::now().checked_sub(CONFIRM_TIMEOUT).unwrap();
        assert_eq!(state.check(), Err(PublishError::NotConnected));
        state.up();
        assert_eq!(state.check(), Ok(()));
    }
}

//! Batches on their way: which confirms each still waits for, and who waits for it.

use std::collections::HashMap;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Outgoing, PublishError, Reservation};

/// Messages that are promised together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) messages: Vec<Outgoing>,
    waiting: Waiting,
}

/// Who waits for a batch.
#[derive(Debug)]
struct Waiting {
    remaining: usize,
    reply: oneshot::Sender<Result<(), PublishError>>,
    since: Instant,
    /// Held until the broker answered for all of it, even if nobody waits any more: the bytes are still in memory.
    _reservation: Reservation,
}

impl Batch {
    pub(super) fn new(messages: Vec<Outgoing>, reply: oneshot::Sender<Result<(), PublishError>>, reservation: Reservation) -> Self {
        let waiting = Waiting {
            remaining: messages.len(),
            reply,
            since: Instant::now(),
            _reservation: reservation,
        };
        Self { messages, waiting }
    }

    /// Whether the caller gave up before anything was published. Facebook sends it again, so publishing it now would only double it.
    pub(super) fn is_abandoned(&self) -> bool {
        self.waiting.reply.is_closed()
    }
}

/// All batches with outstanding confirms.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    batches: HashMap<u64, Waiting>,
    next: u64,
}

impl Outstanding {
    /// Takes a batch of at least one message in; its messages are handed out for publishing under the returned number.
    pub(super) fn admit(&mut self, batch: Batch) -> (u64, Vec<Outgoing>) {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.batches.insert(number, batch.waiting);
        (number, batch.messages)
    }

    /// One message of a batch is confirmed.
    pub(super) fn confirm(&mut self, number: u64) {
        let Some(waiting) = self.batches.get_mut(&number) else { return };
        waiting.remaining = waiting.remaining.saturating_sub(1);
        if waiting.remaining == 0
            && let Some(waiting) = self.batches.remove(&number)
        {
            answer(waiting, Ok(()));
        }
    }

    /// A batch will never be complete.
    pub(super) fn fail(&mut self, number: u64, error: PublishError) {
        if let Some(waiting) = self.batches.remove(&number) {
            answer(waiting, Err(error));
        }
    }

    /// No batch will ever be complete.
    pub(super) fn fail_all(&mut self, error: PublishError) {
        for (_, waiting) in self.batches.drain() {
            answer(waiting, Err(error));
        }
    }

    /// When the oldest outstanding batch was handed in.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.batches.values().map(|waiting| waiting.since).min()
    }
}

fn answer(waiting: Waiting, result: Result<(), PublishError>) {
    // A caller that timed out is not there to hear it.
    let _heard = waiting.reply.send(result);
}

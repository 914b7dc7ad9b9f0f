//! How the other loops reach this process's relay: effects that a transaction has just made go to it without a detour.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::ports::{ClaimedEffect, RelayId};

/// The relay's door.
#[derive(Debug, Clone)]
pub struct RelayHandle {
    id: RelayId,
    sender: mpsc::UnboundedSender<ClaimedEffect>,
    in_hand: Arc<AtomicUsize>,
    most: usize,
}

/// The relay's side of the door.
#[derive(Debug)]
pub struct RelayInbox {
    /// What was claimed for it.
    pub(crate) receiver: mpsc::UnboundedReceiver<ClaimedEffect>,
    /// How much it has in hand.
    pub(crate) in_hand: Arc<AtomicUsize>,
}

/// A door to a relay that has at most `most` effects in hand at a time.
#[must_use]
pub fn door(id: RelayId, most: usize) -> (RelayHandle, RelayInbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let in_hand = Arc::new(AtomicUsize::new(0));
    (
        RelayHandle {
            id,
            sender,
            in_hand: Arc::clone(&in_hand),
            most,
        },
        RelayInbox { receiver, in_hand },
    )
}

impl RelayHandle {
    /// The relay.
    #[must_use]
    pub const fn id(&self) -> RelayId {
        self.id
    }

    /// For [`crate::ports::Scope::claim`]: the relay and how many effects it can take. `None` once it has stopped: then
    /// effects wait in the outbox for another.
    #[must_use]
    pub fn room(&self) -> Option<(RelayId, usize)> {
        self.room_after(0)
    }

    /// The same once `freed` of those in hand are done.
    #[must_use]
    pub fn room_after(&self, freed: usize) -> Option<(RelayId, usize)> {
        let in_hand = self.in_hand.load(Ordering::Relaxed).saturating_sub(freed);
        let room = self.most.saturating_sub(in_hand);
        (room > 0 && !self.sender.is_closed()).then_some((self.id, room))
    }

    /// Hands over what a transaction has claimed for the relay.
    pub fn take(&self, claimed: Vec<ClaimedEffect>) {
        for effect in claimed {
            self.in_hand.fetch_add(1, Ordering::Relaxed);
            // A relay that stopped in between leaves the effect to its lease.
            if self.sender.send(effect).is_err() {
                self.in_hand.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// So many effects are no longer in hand.
    pub(crate) fn done(&self, count: usize) {
        let lower = |in_hand: usize| Some(in_hand.saturating_sub(count));
        let _before = self.in_hand.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower);
    }
}

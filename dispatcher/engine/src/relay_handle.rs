//! How the other loops reach this process's relay: effects that a transaction has just made go to it without a detour.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::EffectId;
use tokio::sync::mpsc;

use crate::ports::{ClaimedEffect, RelayId};

/// What a relay has in hand: leases are renewed for that, and for nothing else.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<Mutex<BTreeSet<EffectId>>>);

impl InHand {
    fn held(&self) -> MutexGuard<'_, BTreeSet<EffectId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These are in hand from now on.
    pub(crate) fn take(&self, effects: impl IntoIterator<Item = EffectId>) {
        self.held().extend(effects);
    }

    /// These are no longer.
    pub(crate) fn done(&self, effects: impl IntoIterator<Item = EffectId>) {
        let mut held = self.held();
        for effect in effects {
            held.remove(&effect);
        }
    }

    /// All of it.
    pub(crate) fn all(&self) -> Vec<EffectId> {
        self.held().iter().copied().collect()
    }

    fn count(&self) -> usize {
        self.held().len()
    }
}

/// The relay's door.
#[derive(Debug, Clone)]
pub struct RelayHandle {
    id: RelayId,
    sender: mpsc::UnboundedSender<ClaimedEffect>,
    in_hand: InHand,
    most: usize,
}

/// The relay's side of the door.
#[derive(Debug)]
pub struct RelayInbox {
    /// What was claimed for it.
    pub(crate) receiver: mpsc::UnboundedReceiver<ClaimedEffect>,
    /// What it has in hand.
    pub(crate) in_hand: InHand,
}

/// A door to a relay that has at most `most` effects in hand at a time.
#[must_use]
pub fn door(id: RelayId, most: usize) -> (RelayHandle, RelayInbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let in_hand = InHand::default();
    (
        RelayHandle {
            id,
            sender,
            in_hand: in_hand.clone(),
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
        let in_hand = self.in_hand.count().saturating_sub(freed);
        let room = self.most.saturating_sub(in_hand);
        (room > 0 && !self.sender.is_closed()).then_some((self.id, room))
    }

    /// Hands over what a transaction has claimed for the relay.
    pub fn take(&self, claimed: Vec<ClaimedEffect>) {
        for effect in claimed {
            let id = effect.id;
            self.in_hand.take([id]);
            // A relay that stopped in between leaves the effect to its lease.
            if self.sender.send(effect).is_err() {
                self.in_hand.done([id]);
            }
        }
    }

    /// What the relay has in hand.
    pub(crate) const fn in_hand(&self) -> &InHand {
        &self.in_hand
    }
}

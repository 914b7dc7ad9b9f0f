//! The outbox: effects in lanes. Only the head of a lane may be performed, and only by one relay.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::effect::{Effect, LaneClass};
use engine::ports::{EffectRef, NewEffect, RelayId, Settlement};
use shared::{EffectId, MessageId, Timestamp, VisitorId};

/// A visitor's lane of one class.
pub(super) type LaneKey = (VisitorId, LaneClass);

/// A relay's hold on an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) relay: RelayId,
    pub(super) until: Timestamp,
}

/// How far an effect has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody has it.
    Free,
    /// A relay has it; nothing has happened yet.
    Claimed(Hold),
    /// The attempt is on record: it may have happened.
    Started(Hold),
}

/// An effect that waits or is under way.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: EffectId,
    pub(super) visitor: VisitorId,
    pub(super) effect: Effect,
    pub(super) due: Timestamp,
    pub(super) attempt: u32,
    pub(super) standing: Standing,
    sequence: u64,
}

#[derive(Debug, Clone, Default)]
struct Lane {
    line: VecDeque<EffectId>,
    quiet_until: Timestamp,
}

/// Effects in lanes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: BTreeMap<EffectId, Entry>,
    lanes: BTreeMap<LaneKey, Lane>,
    /// Effects that a running transaction settles: nobody else takes them meanwhile.
    in_hand: BTreeMap<EffectId, usize>,
    added: u64,
}

impl Outbox {
    pub(super) fn entry(&self, id: EffectId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Everything, in order of addition.
    pub(super) fn entries(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| entry.sequence);
        entries
    }

    pub(super) fn is_ours(&self, effect: EffectRef) -> bool {
        self.entries.get(&effect.effect).is_some_and(|entry| {
            let held = matches!(entry.standing, Standing::Claimed(_) | Standing::Started(_));
            held && entry.attempt == effect.attempt
        })
    }

    /// Messages of a visitor whose attempt has not begun.
    pub(super) fn unattempted(&self, visitor: VisitorId) -> BTreeSet<MessageId> {
        let of_visitor = self.entries.values().filter(|entry| entry.visitor == visitor);
        of_visitor
            .filter(|entry| !matches!(entry.standing, Standing::Started(_)))
            .filter_map(|entry| entry.effect.message())
            .collect()
    }

    /// The effect that sends a message, if its attempt has not begun, or has ended in being put off.
    pub(super) fn withdrawable(&self, visitor: VisitorId, message: MessageId, put_off: &BTreeSet<EffectId>) -> Option<EffectId> {
        self.entries
            .values()
            .find(|entry| entry.visitor == visitor && entry.effect.message() == Some(message))
            .filter(|entry| !matches!(entry.standing, Standing::Started(_)) || put_off.contains(&entry.id))
            .map(|entry| entry.id)
    }

    pub(super) fn keep_in_hand(&mut self, effects: &[EffectRef]) {
        for effect in effects {
            *self.in_hand.entry(effect.effect).or_default() += 1;
        }
    }

    pub(super) fn let_go(&mut self, effects: &[EffectRef]) {
        for effect in effects {
            if let Some(hands) = self.in_hand.get_mut(&effect.effect) {
                *hands = hands.saturating_sub(1);
            }
        }
        self.in_hand.retain(|_, hands| *hands > 0);
    }

    pub(super) fn add(&mut self, new: &NewEffect) {
        self.added += 1;
        let entry = Entry {
            id: new.id,
            visitor: new.visitor,
            effect: new.effect.clone(),
            due: new.due,
            attempt: 0,
            standing: Standing::Free,
            sequence: self.added,
        };
        let lane = self.lanes.entry((new.visitor, new.effect.class())).or_default();
        lane.line.push_back(new.id);
        self.entries.insert(new.id, entry);
    }

    pub(super) fn remove(&mut self, id: EffectId) {
        if let Some(entry) = self.entries.remove(&id)
            && let Some(lane) = self.lanes.get_mut(&lane_of(&entry))
        {
            lane.line.retain(|other| *other != id);
        }
    }

    pub(super) fn settle(&mut self, id: EffectId, settlement: &Settlement) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match settlement {
            Settlement::Done => self.remove(id),
            Settlement::Again { not_before } => {
                entry.due = *not_before;
                entry.standing = Standing::Free;
            }
            Settlement::Unknown { quiet_until } => {
                let lane = lane_of(entry);
                self.remove(id);
                if let Some(lane) = self.lanes.get_mut(&lane) {
                    lane.quiet_until = lane.quiet_until.max(*quiet_until);
                }
            }
        }
    }

    /// The lane's head, and from when on it may go.
    fn head(&self, lane: &Lane) -> Option<(&Entry, Timestamp)> {
        let entry = lane.line.front().and_then(|id| self.entries.get(id))?;
        Some((entry, entry.due.max(lane.quiet_until)))
    }

    /// The effect that a relay may take from a lane now.
    pub(super) fn claimable(&self, lane: &LaneKey, now: Timestamp) -> Option<EffectId> {
        let (entry, ready_at) = self.lanes.get(lane).and_then(|lane| self.head(lane))?;
        let free = match entry.standing {
            Standing::Free => true,
            Standing::Claimed(hold) => hold.until <= now,
            Standing::Started(_) => false,
        };
        (free && ready_at <= now && !self.in_hand.contains_key(&entry.id)).then_some(entry.id)
    }

    /// Effects that may be taken now, those due longest first.
    pub(super) fn all_claimable(&self, now: Timestamp, most: usize) -> Vec<EffectId> {
        let free = self.lanes.keys().filter_map(|lane| self.claimable(lane, now));
        let mut order: Vec<(Timestamp, u64, EffectId)> = free
            .filter_map(|id| self.entries.get(&id).map(|entry| (entry.due, entry.sequence, id)))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, id)| id).take(most).collect()
    }

    /// Gives an effect to a relay: one more attempt.
    pub(super) fn claim(&mut self, id: EffectId, hold: Hold, started: bool) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.attempt += 1;
            entry.standing = if started {
                Standing::Started(hold)
            } else {
                Standing::Claimed(hold)
            };
        }
    }

    /// Puts an attempt on record, if the effect is still the relay's.
    pub(super) fn start(&mut self, relay: RelayId, effect: EffectRef) -> bool {
        match self.entries.get_mut(&effect.effect) {
            Some(entry) if entry.attempt == effect.attempt => match entry.standing {
                Standing::Claimed(hold) if hold.relay == relay => {
                    entry.standing = Standing::Started(hold);
                    true
                }
                Standing::Free | Standing::Claimed(_) | Standing::Started(_) => false,
            },
            _ => false,
        }
    }

    /// Takes over started effects whose relay is gone. The attempt stays the same one: it is its end that is looked for.
    pub(super) fn take_lapsed(&mut self, relay: RelayId, now: Timestamp, most: usize, lease: Duration) -> Vec<EffectId> {
        let in_hand = &self.in_hand;
        let mut taken = Vec::new();
        for entry in self.entries.values_mut().filter(|entry| !in_hand.contains_key(&entry.id)) {
            match entry.standing {
                Standing::Started(hold) if hold.until <= now && taken.len() < most => {
                    let until = now.plus(lease);
                    entry.standing = Standing::Started(Hold { relay, until });
                    taken.push(entry.id);
                }
                Standing::Free | Standing::Claimed(_) | Standing::Started(_) => {}
            }
        }
        taken
    }

    /// Prolongs what a relay names, as far as it has it.
    pub(super) fn renew(&mut self, effects: &[EffectId], hold: Hold) {
        for entry in self.entries.values_mut().filter(|entry| effects.contains(&entry.id)) {
            match &mut entry.standing {
                Standing::Claimed(held) | Standing::Started(held) if held.relay == hold.relay => *held = hold,
                Standing::Free | Standing::Claimed(_) | Standing::Started(_) => {}
            }
        }
    }

    /// When the next effect that nobody has may go.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let heads = self.lanes.values().filter_map(|lane| self.head(lane));
        heads
            .filter(|(entry, _)| entry.standing == Standing::Free)
            .map(|(_, ready_at)| ready_at)
            .min()
    }
}

pub(super) const fn lane_of(entry: &Entry) -> LaneKey {
    (entry.visitor, entry.effect.class())
}

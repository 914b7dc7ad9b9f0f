//! A store in memory that keeps the contract of the engine's `Store` port, with the manners of a database: locks that rivals wait for, a
//! horizon below which readers stay, commits whose answer is lost.
//!
//! Invariants: a transaction is applied in one step that cannot be interrupted, or not at all; dropping its future at any point
//! leaves no lock, no half transaction and no reader behind a horizon that never moves; the same seed gives the same manners.

mod faults;
mod leases;
mod locks;
mod outbox;
mod read_models;
mod settings;
mod streams;
mod tables;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::effect::Effect;
use domain::routing::Floor;
use engine::ports::{
    Changes, ClaimedEffect, Committed, Cursor, EffectRef, Lease, Loaded, LogPage, QuarantineKind, Quarantined, ReadEvent, RelayId, Scope,
    Step, Store, StoreError,
};
use shared::{EffectId, Timestamp, VisitorId};
use uuid::Uuid;

pub use faults::Manners;
pub use read_models::ReadModels;

use self::faults::{Fate, pass, unavailable};
use self::locks::Locks;
use self::outbox::{Hold, Standing};
use self::tables::{Kept, Outcome, Tables, locks_of};
use super::chance::Chance;
use super::clock::SimulatedClock;
use super::tape::{Entry, Tape};

/// Most events that one page of the log has when everything is wanted.
const EVERYTHING: usize = usize::MAX;

/// An effect that the outbox still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldEffect {
    /// Which one.
    pub id: EffectId,
    /// Whose.
    pub visitor: VisitorId,
    /// What.
    pub effect: Effect,
    /// Not before.
    pub due: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// The newest attempt is on record and has not ended.
    pub started: bool,
}

/// The store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    clock: SimulatedClock,
    tables: Mutex<Tables>,
    locks: Locks,
    manners: Mutex<(Manners, Chance)>,
    begun: AtomicU64,
    tape: Arc<Tape>,
}

impl MemoryStore {
    /// An empty store that puts down on tape what it commits.
    #[must_use]
    pub fn new(clock: SimulatedClock, manners: Manners, chance: Chance, tape: Arc<Tape>) -> Self {
        Self {
            clock,
            tables: Mutex::default(),
            locks: Locks::default(),
            manners: Mutex::new((manners, chance)),
            begun: AtomicU64::new(0),
            tape,
        }
    }

    /// Changes the manners from now on.
    pub fn behave(&self, manners: Manners) {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner).0 = manners;
    }

    /// How many transactions were begun so far, whatever became of them.
    pub fn transactions(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// The whole log.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub fn log(&self) -> Result<Vec<ReadEvent>, StoreError> {
        Ok(self.tables().streams.read(Cursor::default(), EVERYTHING)?.events)
    }

    /// What the outbox still holds, in order of addition.
    #[must_use]
    pub fn outbox(&self) -> Vec<HeldEffect> {
        let tables = self.tables();
        let entries = tables.outbox.entries();
        let held = entries.into_iter().map(|entry| HeldEffect {
            id: entry.id,
            visitor: entry.visitor,
            effect: entry.effect.clone(),
            due: entry.due,
            attempts: entry.attempt,
            started: matches!(entry.standing, Standing::Started(_)),
        });
        held.collect()
    }

    /// The floor as the read models have it.
    #[must_use]
    pub fn standing_floor(&self) -> Floor {
        self.tables().read_models.floor()
    }

    /// The read models.
    #[must_use]
    pub fn read_models(&self) -> ReadModels {
        self.tables().read_models.clone()
    }

    /// What is kept aside.
    #[must_use]
    pub fn quarantine(&self) -> Vec<Quarantined> {
        self.tables().quarantine.clone()
    }

    /// Places in the ledger whose events have arrived.
    #[must_use]
    pub fn receipts(&self) -> BTreeSet<String> {
        self.tables().receipts.clone()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self) -> Fate {
        let mut manners = self.manners.lock().unwrap_or_else(PoisonError::into_inner);
        let (manners, chance) = &mut *manners;
        Fate::draw(manners, chance)
    }

    /// A statement that is a transaction of its own.
    async fn state<T>(&self, run: impl FnOnce(&mut Tables) -> T + Send) -> Result<T, StoreError> {
        let fate = self.fate();
        pass(fate.deciding).await;
        if fate.broken_off {
            return Err(unavailable());
        }
        let result = run(&mut self.tables());
        pass(fate.answering).await;
        if fate.lost_answer { Err(unavailable()) } else { Ok(result) }
    }
}

/// A transaction between its first write and its end, however it ends.
struct Running<'a> {
    store: &'a MemoryStore,
    number: i64,
}

impl<'a> Running<'a> {
    fn begin(store: &'a MemoryStore) -> Self {
        let number = store.tables().streams.begin();
        Self { store, number }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.store.tables().streams.end(self.number);
    }
}

/// The effects that a transaction settles; nobody else takes them until it has ended.
struct InHand<'a> {
    store: &'a MemoryStore,
    effects: Vec<EffectRef>,
}

impl<'a> InHand<'a> {
    fn take(store: &'a MemoryStore, effects: Vec<EffectRef>) -> Self {
        store.tables().outbox.keep_in_hand(&effects);
        Self { store, effects }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.store.tables().outbox.let_go(&self.effects);
    }
}

impl MemoryStore {
    fn commit(&self, transaction: i64, scope: &Scope, loaded: &Loaded, changes: Changes) -> Result<Outcome, StoreError> {
        let mut tables = self.tables();
        let outcome = tables.commit(transaction, scope, loaded, changes, self.clock.now())?;
        for event in tables.streams.written_in(transaction)? {
            self.tape.record(Entry::Appended(Box::new(event)));
        }
        for claimed in outcome.claimed.iter().filter(|claimed| claimed.started) {
            self.note_start(&claimed.effect);
        }
        Ok(outcome)
    }

    fn note_start(&self, effect: &Effect) {
        if let Some(message) = effect.message() {
            self.tape.record(Entry::Started(message));
        }
    }
}

impl Store for MemoryStore {
    async fn transact<T: Send + 'static>(&self, scope: Scope, mut step: Step<T>) -> Result<Committed<T>, StoreError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let fate = self.fate();
        let identities = self.tables().look_up(&scope);
        let locks = self.locks.take(locks_of(&scope, &identities)).await?;
        pass(fate.deciding).await;
        if let Some(kept) = scope.idempotency.as_ref().and_then(|command| self.tables().answer_to(command)) {
            return Ok(replay(&scope, kept));
        }
        let in_hand = InHand::take(self, scope.effects.clone());
        let loaded = self.tables().load(&scope, &identities)?;
        let (changes, value) = step(&loaded);
        let running = Running::begin(self);
        pass(fate.writing).await;
        if fate.broken_off {
            return Err(unavailable());
        }
        let Outcome {
            cursor,
            claimed,
            more_effects,
        } = self.commit(running.number, &scope, &loaded, changes)?;
        drop((running, in_hand, locks));
        pass(fate.answering).await;
        if fate.lost_answer {
            return Err(unavailable());
        }
        Ok(Committed {
            value: Some(value),
            replayed: None,
            key_reused: false,
            cursor,
            claimed,
            more_effects,
        })
    }

    async fn claim(&self, relay: RelayId, now: Timestamp, most: usize, lease: Duration) -> Result<Vec<ClaimedEffect>, StoreError> {
        self.state(|tables| {
            let free = tables.outbox.all_claimable(now, most);
            tables.claim(&free, relay, now, lease, false)
        })
        .await
    }

    async fn start_attempts(&self, relay: RelayId, effects: Vec<EffectRef>) -> Result<BTreeSet<EffectId>, StoreError> {
        self.state(|tables| {
            let started = effects.into_iter().filter(|effect| tables.outbox.start(relay, *effect));
            let started: BTreeSet<EffectId> = started.map(|effect| effect.effect).collect();
            let entries = started.iter().filter_map(|id| tables.outbox.entry(*id));
            entries.for_each(|entry| self.note_start(&entry.effect));
            started
        })
        .await
    }

    async fn lapsed(&self, relay: RelayId, now: Timestamp, most: usize, lease: Duration) -> Result<Vec<ClaimedEffect>, StoreError> {
        self.state(|tables| {
            let taken = tables.outbox.take_lapsed(relay, now, most, lease);
            taken.into_iter().filter_map(|id| tables.claimed(id)).collect()
        })
        .await
    }

    async fn renew(&self, relay: RelayId, effects: Vec<EffectId>, now: Timestamp, lease: Duration) -> Result<(), StoreError> {
        let until = now.plus(lease);
        self.state(move |tables| tables.outbox.renew(&effects, Hold { relay, until })).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.state(|tables| tables.outbox.next_due()).await
    }

    async fn read_log(&self, after: Cursor, most: usize) -> Result<LogPage, StoreError> {
        self.state(|tables| tables.streams.read(after, most)).await?
    }

    async fn head(&self) -> Result<Cursor, StoreError> {
        self.state(|tables| tables.streams.head()).await
    }

    async fn floor(&self) -> Result<(Floor, Cursor), StoreError> {
        self.state(|tables| (tables.read_models.floor(), tables.streams.head())).await
    }

    async fn lease(&self, name: &'static str, holder: Uuid, now: Timestamp, span: Duration) -> Result<Option<Lease>, StoreError> {
        self.state(|tables| tables.leases.take(name, holder, now, now.plus(span))).await
    }

    async fn release(&self, name: &'static str, holder: Uuid) -> Result<(), StoreError> {
        self.state(|tables| tables.leases.release(name, holder)).await
    }

    async fn redrivable(&self, most: usize) -> Result<Vec<(Uuid, String, Vec<u8>)>, StoreError> {
        self.state(|tables| {
            let connected = tables.read_models.connected_pages();
            let waiting = |kept: &&Quarantined| {
                kept.kind == QuarantineKind::UnknownPage && kept.page.as_ref().is_some_and(|page| connected.contains(page))
            };
            let mut kept: Vec<&Quarantined> = tables.quarantine.iter().filter(waiting).collect();
            kept.sort_by_key(|kept| kept.at);
            let oldest = kept.into_iter().take(most);
            oldest.map(|kept| (kept.id, kept.envelope.clone(), kept.body.clone())).collect()
        })
        .await
    }
}

fn replay<T>(scope: &Scope, kept: Kept) -> Committed<T> {
    let same = scope
        .idempotency
        .as_ref()
        .is_some_and(|command| command.fingerprint == kept.fingerprint);
    Committed {
        value: None,
        replayed: same.then_some(kept.response),
        key_reused: !same,
        cursor: None,
        claimed: Vec::new(),
        more_effects: false,
    }
}

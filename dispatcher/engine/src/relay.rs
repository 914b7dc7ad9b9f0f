//! The relay: performs effects and brings their outcomes back through the same door as everything else.
//!
//! Invariants: one effect in flight per lane; what goes once is on record as started before the request is written; a
//! started effect whose end nobody saw becomes unknown and is never performed again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::bot::{BotFailure, BotOutcome};
use domain::context::IdSeed;
use domain::conversation::Command;
use domain::effect::Effect;
use domain::event::Actor;
use domain::outbound::Outcome;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::ports::{
    ClaimedEffect, EffectRef, Environment, Live, Loaded, Perform, Performed, Scope, Seen, Settled, Settlement, Store, StoreError, Topic,
    VisitorRef,
};
use crate::relay_handle::{RelayHandle, RelayInbox};
use crate::unit::{Cause, Unit, settings_for};

/// How long an effect is this relay's without a renewal.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often leases are renewed and lapsed ones looked for.
const SWEEP: Duration = Duration::from_secs(2);
/// Most outcomes settled in one transaction.
const BATCH: usize = 200;
/// Settling transactions at a time.
const WRITERS: usize = 1;
/// The pause after the store failed.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a stopping relay waits for what is in flight.
const FAREWELL: Duration = Duration::from_secs(8);

/// The relay loop of a process.
pub struct Relay<S, P, E, L> {
    /// Where outcomes go.
    pub store: Arc<S>,
    /// Performs.
    pub perform: Arc<P>,
    /// Time and ids.
    pub environment: Arc<E>,
    /// Wakes the others.
    pub live: Arc<L>,
    /// Its own door.
    pub handle: RelayHandle,
    /// How long the later messages of a visitor wait after a send whose end is unknown.
    pub quiet_period: Duration,
}

/// An effect and how it ended.
type Done = (ClaimedEffect, Performed);

enum Progress {
    Settled(Vec<ClaimedEffect>, bool),
    NotSettled(Vec<Done>),
    Started(Vec<ClaimedEffect>),
    NotStarted(Vec<ClaimedEffect>),
    Swept(Vec<ClaimedEffect>, Vec<ClaimedEffect>),
}

/// What the relay has in hand.
#[derive(Default)]
struct Hands<'a> {
    performing: FuturesUnordered<BoxFuture<'a, Done>>,
    writing: FuturesUnordered<BoxFuture<'a, Progress>>,
    to_start: Vec<ClaimedEffect>,
    starting: usize,
    done: VecDeque<Done>,
    settling: usize,
    sweeping: bool,
}

impl Hands<'_> {
    fn is_empty(&self) -> bool {
        self.performing.is_empty() && self.done.is_empty() && self.settling == 0 && self.starting == 0
    }
}

impl<S: Store, P: Perform, E: Environment, L: Live> Relay<S, P, E, L> {
    /// Performs until it is told to stop; then finishes what is in flight, as far as that takes a few seconds.
    pub async fn run(&self, mut inbox: RelayInbox, stop: CancellationToken) {
        let mut hands = Hands::default();
        let mut seen = Seen::default();
        let mut sweep_at = self.environment.now();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(done) = hands.performing.next() => hands.done.push_back(done),
                Some(progress) = hands.writing.next() => self.on(progress, &mut hands, &inbox).await,
                Some(effect) = inbox.receiver.recv() => self.begin(effect, &mut hands),
                () = self.live.wait(Topic::Outbox, &mut seen) => {
                    self.sweep(false, &mut hands);
                }
            }
            while let Ok(effect) = inbox.receiver.try_recv() {
                self.begin(effect, &mut hands);
            }
            let now = self.environment.now();
            // Refused while another sweep is under way, which on an idle relay is always so at this place: then at the next turn.
            if now >= sweep_at && self.sweep(true, &mut hands) {
                sweep_at = now.plus(SWEEP);
            }
            self.write(&mut hands);
        }
        inbox.receiver.close();
        // What is on record as started and not performed would become unknown. What is only claimed is another relay's when its lease lapses.
        while let Ok(effect) = inbox.receiver.try_recv() {
            if effect.started {
                self.begin(effect, &mut hands);
            }
        }
        let _in_time = tokio::time::timeout(FAREWELL, self.finish(&mut hands, &inbox)).await;
    }

    async fn finish<'a>(&'a self, hands: &mut Hands<'a>, inbox: &RelayInbox) {
        while !hands.is_empty() {
            tokio::select! {
                biased;
                Some(done) = hands.performing.next() => hands.done.push_back(done),
                Some(progress) = hands.writing.next() => self.on(progress, hands, inbox).await,
            }
            self.write(hands);
        }
    }

    fn begin<'a>(&'a self, effect: ClaimedEffect, hands: &mut Hands<'a>) {
        if effect.effect.is_once() && !effect.started {
            hands.to_start.push(effect);
        } else {
            hands.performing.push(Box::pin(self.perform_one(effect)));
        }
    }

    async fn perform_one(&self, effect: ClaimedEffect) -> Done {
        let performed = self.perform.perform(&effect).await;
        (effect, performed)
    }

    /// Begins the transactions that there is work for.
    fn write<'a>(&'a self, hands: &mut Hands<'a>) {
        if !hands.to_start.is_empty() && hands.starting == 0 {
            hands.starting += 1;
            let effects = std::mem::take(&mut hands.to_start);
            hands.writing.push(Box::pin(self.start(effects)));
        }
        while !hands.done.is_empty() && hands.settling < WRITERS {
            hands.settling += 1;
            let count = hands.done.len().min(BATCH);
            let batch: Vec<Done> = hands.done.drain(..count).collect();
            hands.writing.push(Box::pin(self.settle(batch)));
        }
    }

    /// Begins a sweep, unless one is under way: whether it did.
    fn sweep<'a>(&'a self, renew: bool, hands: &mut Hands<'a>) -> bool {
        let begins = !hands.sweeping;
        if begins {
            hands.sweeping = true;
            hands.writing.push(Box::pin(self.claim(renew)));
        }
        begins
    }

    async fn on<'a>(&'a self, progress: Progress, hands: &mut Hands<'a>, inbox: &RelayInbox) {
        match progress {
            Progress::Settled(claimed, more) => {
                hands.settling -= 1;
                self.handle.take(claimed);
                if more {
                    self.live.wake(Topic::Outbox);
                }
            }
            Progress::NotSettled(batch) => {
                hands.settling -= 1;
                hands.done.extend(batch);
                tokio::time::sleep(PAUSE).await;
            }
            Progress::Started(effects) => {
                hands.starting -= 1;
                for effect in effects {
                    hands.performing.push(Box::pin(self.perform_one(effect)));
                }
            }
            Progress::NotStarted(effects) => {
                hands.starting -= 1;
                hands.to_start.extend(effects);
                tokio::time::sleep(PAUSE).await;
            }
            Progress::Swept(claimed, lapsed) => {
                hands.sweeping = false;
                self.handle.take(claimed);
                inbox.in_hand.take(lapsed.iter().map(|effect| effect.id));
                hands.done.extend(lapsed.into_iter().map(|effect| {
                    let performed = nobody_saw(&effect);
                    (effect, performed)
                }));
            }
        }
    }

    async fn claim(&self, renew: bool) -> Progress {
        let now = self.environment.now();
        let id = self.handle.id();
        if renew && let Err(error) = self.store.renew(id, self.handle.in_hand().all(), now, LEASE).await {
            tracing::warn!(error = error.as_error(), "leases were not renewed");
        }
        let room = self.handle.room().map_or(0, |(_, room)| room);
        let claimed = if room == 0 {
            Ok(Vec::new())
        } else {
            self.store.claim(id, now, room.min(BATCH), LEASE).await
        };
        let lapsed = if renew {
            self.store.lapsed(id, now, BATCH, LEASE).await
        } else {
            Ok(Vec::new())
        };
        Progress::Swept(claimed.unwrap_or_default(), lapsed.unwrap_or_default())
    }

    async fn start(&self, effects: Vec<ClaimedEffect>) -> Progress {
        let refs = effects.iter().map(reference).collect();
        match self.store.start_attempts(self.handle.id(), refs).await {
            Ok(begun) => {
                let lost = effects.iter().map(|effect| effect.id).filter(|id| !begun.contains(id));
                self.handle.in_hand().done(lost);
                Progress::Started(
                    effects
                        .into_iter()
                        .filter(|effect| begun.contains(&effect.id))
                        .map(|effect| ClaimedEffect { started: true, ..effect })
                        .collect(),
                )
            }
            Err(_) => Progress::NotStarted(effects),
        }
    }

    async fn settle(&self, batch: Vec<Done>) -> Progress {
        match self.transact(&batch).await {
            Ok((claimed, more)) => Progress::Settled(claimed, more),
            Err(StoreError::Data { reason }) => {
                tracing::error!(reason, "an outcome was refused by the store");
                self.settle_one_by_one(batch).await
            }
            Err(StoreError::Conflict { .. } | StoreError::LockTimeout) if batch.len() > 1 => self.settle_one_by_one(batch).await,
            Err(error) => {
                tracing::warn!(error = error.as_error(), outcomes = batch.len(), "outcomes wait for the store");
                Progress::NotSettled(batch)
            }
        }
    }

    async fn settle_one_by_one(&self, batch: Vec<Done>) -> Progress {
        let mut claimed = Vec::new();
        let mut more = false;
        let mut left = Vec::new();
        for done in batch {
            match self.transact(std::slice::from_ref(&done)).await {
                Ok((effects, others)) => {
                    claimed.extend(effects);
                    more |= others;
                }
                Err(_) => left.push(done),
            }
        }
        if left.is_empty() {
            return Progress::Settled(claimed, more);
        }
        self.handle.take(claimed);
        Progress::NotSettled(left)
    }

    async fn transact(&self, batch: &[Done]) -> Result<(Vec<ClaimedEffect>, bool), StoreError> {
        let scope = Scope {
            visitors: batch
                .iter()
                .map(|(effect, _)| VisitorRef::Of(effect.effect.conversation()))
                .collect(),
            effects: batch.iter().map(|(effect, _)| reference(effect)).collect(),
            claim: self.handle.room_after(batch.len()),
            ..Scope::default()
        };
        let items: Vec<(ClaimedEffect, Performed, IdSeed)> = batch
            .iter()
            .map(|(effect, performed)| (effect.clone(), performed.clone(), IdSeed::new(self.environment.fresh_id())))
            .collect();
        let now = self.environment.now();
        let quiet_period = self.quiet_period;
        let committed = self
            .store
            .transact(scope, Box::new(move |loaded| (step(&items, loaded, now, quiet_period), ())))
            .await?;
        self.handle.in_hand().done(batch.iter().map(|(effect, _)| effect.id));
        if committed.cursor.is_some() {
            self.live.wake(Topic::Log);
        }
        Ok((committed.claimed, committed.more_effects))
    }
}

const fn reference(effect: &ClaimedEffect) -> EffectRef {
    EffectRef {
        effect: effect.id,
        attempt: effect.attempt,
    }
}

/// What is on record of an attempt whose relay died.
const fn nobody_saw(effect: &ClaimedEffect) -> Performed {
    match effect.effect {
        Effect::Send { .. } => Performed::Sent(Outcome::Unknown),
        Effect::AskBot { .. } => Performed::Bot(BotOutcome::Failed { reason: BotFailure::Late }),
    }
}

/// The pure step of the relay.
fn step(
    items: &[(ClaimedEffect, Performed, IdSeed)],
    loaded: &Loaded,
    now: shared::Timestamp,
    quiet_period: Duration,
) -> crate::ports::Changes {
    let mut unit = Unit::new(loaded, now);
    for (effect, performed, seed) in items {
        // Somebody else has it by now, and brings its end.
        if !loaded.ours.contains(&effect.id) {
            continue;
        }
        record(&mut unit, effect, performed, *seed);
        let settlement = match performed {
            Performed::Sent(Outcome::Later { not_before }) => Settlement::Again { not_before: *not_before },
            Performed::Sent(Outcome::Unknown) => Settlement::Unknown {
                quiet_until: now.plus(quiet_period),
            },
            Performed::Sent(Outcome::Sent { .. } | Outcome::Refused(_)) | Performed::Bot(_) => Settlement::Done,
        };
        unit.changes().settled.push(Settled {
            effect: effect.id,
            settlement,
        });
    }
    unit.finish()
}

fn record(unit: &mut Unit<'_>, effect: &ClaimedEffect, performed: &Performed, seed: IdSeed) {
    let id = effect.effect.conversation();
    let Some(conversation) = unit.conversation(id) else { return };
    let settings = settings_for(unit.loaded(), conversation);
    let command = match (&effect.effect, performed) {
        (Effect::AskBot { turn, epoch, .. }, Performed::Bot(outcome)) => Command::RecordBotOutcome {
            turn: *turn,
            epoch: *epoch,
            outcome: outcome.clone(),
        },
        (Effect::Send { message, .. }, Performed::Sent(outcome)) => Command::RecordSend {
            message: *message,
            attempt: effect.attempt,
            outcome: outcome.clone(),
        },
        // A performer answers in kind; anything else is nothing that could be recorded.
        (Effect::AskBot { .. }, Performed::Sent(_)) | (Effect::Send { .. }, Performed::Bot(_)) => return,
    };
    let cause = Cause {
        actor: Actor::System,
        correlation: effect.id.0,
        traceparent: None,
    };
    if let Err(rejection) = unit.command(id, effect.visitor, &command, &settings, seed, &cause) {
        tracing::warn!(effect.id = %effect.id, %rejection, "an outcome was not recorded");
    }
}

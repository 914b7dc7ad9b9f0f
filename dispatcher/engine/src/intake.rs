//! Intake: deliveries become events, in one transaction per batch; commit, then acknowledge.
//!
//! Invariants: nothing is acknowledged that is not committed; a duplicate changes nothing; poison never holds up its
//! neighbours; a failing database never quarantines anything.

use std::sync::Arc;
use std::time::Duration;

use domain::context::IdSeed;
use domain::conversation::Command;
use domain::event::Actor;
use shared::{ConversationId, VisitorId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::arrival::{Act, Arrival, Poison, inbox_key, read};
use crate::ports::{
    Arrived, Changes, Deliveries, Delivery, DeliveryTag, Environment, InboxKey, Live, Loaded, QuarantineKind, Quarantined, Scope, Seen,
    Store, StoreError, Topic, VisitorRef,
};
use crate::relay_handle::RelayHandle;
use crate::unit::{Cause, Unit};

/// Most deliveries in one transaction.
pub const BATCH: usize = 200;
/// The pause before a batch is tried again.
const PAUSE: Duration = Duration::from_millis(100);
/// Tries of a single event on conflicts before the pause.
const TRIES: u32 = 5;

/// The intake loop of one stream of deliveries.
pub struct Intake<S, E, L> {
    /// Where events go.
    pub store: Arc<S>,
    /// Time and ids.
    pub environment: Arc<E>,
    /// Wakes the others.
    pub live: Arc<L>,
    /// Takes the effects.
    pub relay: RelayHandle,
}

/// One delivery, prepared.
#[derive(Clone)]
struct Item {
    delivery: Delivery,
    key: Option<InboxKey>,
    receipt: Option<String>,
    arrival: Result<Arrival, Poison>,
    visitor: Option<VisitorRef>,
    seed: IdSeed,
    fresh: Uuid,
    /// Taken out of quarantine: the inbox knows it already.
    redriven: Option<Uuid>,
}

impl<S: Store, E: Environment, L: Live> Intake<S, E, L> {
    /// Takes in what the broker hands out until it is told to stop.
    pub async fn run<D: Deliveries>(&self, mut deliveries: D, stop: CancellationToken) {
        loop {
            let batch = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                batch = deliveries.next_batch(BATCH) => batch,
            };
            let tags: Vec<DeliveryTag> = batch.iter().map(|delivery| delivery.tag).collect();
            let items = batch.into_iter().map(|delivery| self.prepare(delivery, None)).collect();
            // Once begun a batch is finished: what is committed must be acknowledged, or it comes again.
            if self.take_in(items, &stop).await {
                deliveries.acknowledge(&tags).await;
            } else {
                deliveries.hand_back().await;
            }
        }
        // What the broker has handed out in advance goes back as one, by the link's end. Merely dropped, the consumers would be cancelled
        // first, and their successor would get a visitor's newer events before the ones given back.
        deliveries.hand_back().await;
    }

    /// Takes kept events whose channel has appeared through the same door, until it is told to stop.
    pub async fn redrive(&self, stop: CancellationToken) {
        let mut seen = Seen::default();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.live.wait(Topic::Directory, &mut seen) => {}
            }
            while let Ok(kept) = self.store.redrivable(BATCH).await {
                let items: Vec<Item> = kept
                    .into_iter()
                    .filter_map(|(id, envelope, body)| self.reopened(id, &envelope, body))
                    .collect();
                if items.is_empty() || !self.take_in(items, &stop).await {
                    break;
                }
            }
        }
    }

    fn reopened(&self, id: Uuid, envelope: &str, body: Vec<u8>) -> Option<Item> {
        let kept: crate::kept::Kept = serde_json::from_str(envelope).ok()?;
        let tag = DeliveryTag { link: 0, number: 0 };
        let delivery = Delivery {
            tag,
            envelope: kept.envelope(),
            body: body.into(),
        };
        Some(self.prepare(delivery, Some(id)))
    }

    fn prepare(&self, delivery: Delivery, redriven: Option<Uuid>) -> Item {
        let arrival = read(&delivery);
        let envelope = delivery.envelope.as_ref().ok();
        let key = envelope.map(inbox_key);
        let receipt = envelope.map(|envelope| envelope.receipt.to_string());
        let visitor = arrival.as_ref().ok().map(|arrival| VisitorRef::Identity {
            page: arrival.envelope.page_id.clone(),
            party: arrival.envelope.party.clone(),
            fresh: VisitorId(self.environment.fresh_id()),
        });
        let seed = IdSeed::new(self.environment.fresh_id());
        Item {
            delivery,
            key,
            receipt,
            arrival,
            visitor,
            seed,
            fresh: self.environment.fresh_id(),
            redriven,
        }
    }

    /// Takes in all of it, splitting where a part cannot be. `false` when told to stop before everything was committed.
    async fn take_in(&self, items: Vec<Item>, stop: &CancellationToken) -> bool {
        let mut parts = vec![items];
        let mut tries = 0_u32;
        while let Some(mut part) = parts.pop() {
            let result = self.transact(&part).await;
            match result {
                Ok(()) => tries = 0,
                Err(StoreError::Conflict { .. } | StoreError::LockTimeout | StoreError::Data { .. }) if part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
                // Another process has redriven it. If not, it is found again.
                Err(StoreError::Conflict { .. }) if part.iter().any(|item| item.redriven.is_some()) => {}
                Err(StoreError::Data { reason }) => parts.push(part.into_iter().map(|item| item.poisoned(&reason)).collect()),
                Err(StoreError::Conflict { .. } | StoreError::LockTimeout) if tries < TRIES => {
                    tries += 1;
                    parts.push(part);
                }
                Err(error) => {
                    if stop.is_cancelled() {
                        return false;
                    }
                    tracing::warn!(error = error.as_error(), events = part.len(), "intake waits for the store");
                    tries = 0;
                    parts.push(part);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        true
    }

    async fn transact(&self, items: &[Item]) -> Result<(), StoreError> {
        let scope = Scope {
            visitors: items.iter().filter_map(|item| item.visitor.clone()).collect(),
            pages: items
                .iter()
                .filter_map(|item| item.arrival.as_ref().ok())
                .map(|arrival| arrival.envelope.page_id.clone())
                .collect(),
            inbox: items
                .iter()
                .filter(|item| item.redriven.is_none())
                .filter_map(|item| item.key.clone())
                .collect(),
            claim: self.relay.room(),
            ..Scope::default()
        };
        let items = items.to_vec();
        let now = self.environment.now();
        let committed = self
            .store
            .transact(scope, Box::new(move |loaded| (step(&items, loaded, now), ())))
            .await?;
        self.relay.take(committed.claimed);
        if committed.cursor.is_some() {
            self.live.wake(Topic::Log);
        }
        if committed.more_effects {
            self.live.wake(Topic::Outbox);
        }
        Ok(())
    }
}

impl Item {
    fn poisoned(mut self, reason: &str) -> Self {
        self.arrival = Err(Poison(reason.to_owned()));
        self.visitor = None;
        self
    }
}

/// The pure step of intake.
fn step(items: &[Item], loaded: &Loaded, now: shared::Timestamp) -> Changes {
    let mut unit = Unit::new(loaded, now);
    let mut seen = std::collections::BTreeSet::new();
    for item in items {
        let known = item
            .key
            .as_ref()
            .is_some_and(|key| item.redriven.is_none() && (loaded.known.contains(key) || !seen.insert(key.clone())));
        if known {
            continue;
        }
        match &item.arrival {
            Ok(arrival) => take_one(&mut unit, item, arrival),
            Err(Poison(reason)) => keep(&mut unit, item, QuarantineKind::Poison, reason),
        }
        match (item.redriven, &item.key) {
            (Some(id), _) => unit.changes().redriven.push(id),
            (None, Some(key)) => unit.changes().arrived.push(Arrived {
                key: key.clone(),
                receipt: item.receipt.clone(),
            }),
            (None, None) => {}
        }
    }
    unit.finish()
}

fn take_one(unit: &mut Unit<'_>, item: &Item, arrival: &Arrival) {
    let loaded = unit.loaded();
    let (Some(settings), Some(visitor)) = (
        loaded.pages.get(&arrival.envelope.page_id),
        item.visitor.as_ref().and_then(|visitor| loaded.found.get(visitor)).copied(),
    ) else {
        return keep(unit, item, QuarantineKind::UnknownPage, "no channel is connected to the page");
    };
    let cause = Cause {
        actor: Actor::Visitor,
        correlation: item.fresh,
        traceparent: arrival.envelope.traceparent.clone(),
    };
    let open = unit.open_conversation(visitor);
    let turn = match &arrival.act {
        Act::Turn { never_opens, .. } if settings.enabled && (open.is_some() || !never_opens) => arrival.inbound(visitor),
        Act::Turn { .. } | Act::Note(_) => None,
    };
    match turn {
        Some(inbound) => {
            let id = open.unwrap_or(ConversationId(item.fresh));
            // Nothing that a visitor does is rejected; a rejection here would be a defect of the rules, and is kept as poison.
            if let Err(rejection) = unit.command(id, visitor, &Command::Receive(inbound), settings, item.seed, &cause) {
                keep(unit, item, QuarantineKind::Poison, &rejection.to_string());
            }
        }
        None => unit.note(visitor, note_of(item, arrival), settings, &cause),
    }
}

fn note_of(item: &Item, arrival: &Arrival) -> domain::visitor::VisitorEvent {
    match &arrival.act {
        Act::Note(event) => event.clone(),
        Act::Turn { mid, sent_at, .. } => domain::visitor::VisitorEvent::Noted {
            kind: arrival.envelope.kind.as_text().into_owned(),
            mid: mid.clone(),
            sent_at: *sent_at,
            content: crate::unit::raw(&item.delivery.body),
        },
    }
}

fn keep(unit: &mut Unit<'_>, item: &Item, kind: QuarantineKind, reason: &str) {
    let at = unit.now();
    unit.changes().quarantined.push(Quarantined {
        id: item.fresh,
        kind,
        reason: reason.to_owned(),
        page: item.delivery.envelope.as_ref().ok().map(|envelope| envelope.page_id.clone()),
        envelope: crate::kept::Kept::of(&item.delivery).to_json(),
        body: item.delivery.body.to_vec(),
        at,
    });
}

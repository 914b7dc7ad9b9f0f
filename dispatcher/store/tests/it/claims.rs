//! Claiming, starting and losing effects.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::ports::{Changes, ClaimedEffect, EffectRef, Scope, Settled, Settlement, Store as _, StoreError, VisitorRef};
use shared::{ConversationId, EffectId, VisitorId};
use store::PgStore;
use tokio::sync::Barrier;

use crate::database::Database;
use crate::scene::{LEASE, about, add, ask, message, met, now, relay, run, send};

fn reference(effect: &ClaimedEffect) -> EffectRef {
    EffectRef {
        effect: effect.id,
        attempt: effect.attempt,
    }
}

async fn waiting(store: &PgStore, visitors: usize, each: usize) -> Vec<(VisitorId, ConversationId)> {
    let mut all = Vec::new();
    for n in 0..visitors {
        let (visitor, conversation) = met(store, &n.to_string(), "您好").await;
        add(
            store,
            (0..each).map(|n| send(visitor, conversation, message(), &n.to_string())).collect(),
        )
        .await;
        all.push((visitor, conversation));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_hands_out_one_effect_at_a_time_and_the_limit_holds() {
    let database = Database::new();
    let store = database.store().await;
    waiting(&store, 5, 3).await;
    let first = store.claim(relay(1), now(), 3, LEASE).await.unwrap();
    let second = store.claim(relay(2), now(), 10, LEASE).await.unwrap();
    assert_eq!((first.len(), second.len()), (3, 2));
    let lanes: BTreeSet<VisitorId> = first.iter().chain(&second).map(|effect| effect.visitor).collect();
    assert_eq!(lanes.len(), 5);
    assert!(store.claim(relay(1), now(), 10, LEASE).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_that_claim_at_the_same_time_share_and_never_double() {
    let database = Database::new();
    let store = database.store().await;
    waiting(&store, 40, 1).await;
    let barrier = Arc::new(Barrier::new(4));
    let claim = |n: u128| {
        let (store, barrier) = (store.clone(), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            let mut mine = Vec::new();
            loop {
                let claimed = store.claim(relay(n), now(), 3, LEASE).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|effect| effect.id));
            }
        })
    };
    let tasks: Vec<_> = (1..=4).map(claim).collect();
    let mut ids: Vec<EffectId> = Vec::new();
    for task in tasks {
        ids.extend(task.await.unwrap());
    }
    // A claim passes over what another one holds at that moment.
    ids.extend(
        store
            .claim(relay(9), now(), 100, LEASE)
            .await
            .unwrap()
            .into_iter()
            .map(|effect| effect.id),
    );
    assert_eq!(ids.len(), 40);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_effect_whose_lease_lapsed_is_free_again() {
    let database = Database::new();
    let store = database.store().await;
    waiting(&store, 1, 2).await;
    let first = store.claim(relay(1), now(), 10, LEASE).await.unwrap();
    let later = now().plus(LEASE + Duration::from_secs(1));
    let second = store.claim(relay(2), later, 10, LEASE).await.unwrap();
    assert_eq!((second.len(), second[0].id, second[0].attempt), (1, first[0].id, 2));
    let begun = store.start_attempts(relay(1), vec![reference(&first[0])]).await.unwrap();
    assert!(begun.is_empty(), "the first relay has lost it");
    let begun = store.start_attempts(relay(2), vec![reference(&second[0])]).await.unwrap();
    assert_eq!(begun.into_iter().collect::<Vec<_>>(), [first[0].id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_effect_is_never_claimed_again_and_is_found_when_its_lease_lapsed() {
    let database = Database::new();
    let store = database.store().await;
    waiting(&store, 1, 2).await;
    let first = store.claim(relay(1), now(), 10, LEASE).await.unwrap();
    store.start_attempts(relay(1), vec![reference(&first[0])]).await.unwrap();
    assert!(store.lapsed(relay(2), now(), 10, LEASE).await.unwrap().is_empty());
    let later = now().plus(LEASE + Duration::from_secs(1));
    assert!(store.claim(relay(2), later, 10, LEASE).await.unwrap().is_empty());
    let lost = store.lapsed(relay(2), later, 10, LEASE).await.unwrap();
    assert_eq!(
        (lost.len(), lost[0].id, lost[0].attempt, lost[0].started),
        (1, first[0].id, 1, true)
    );
    assert!(
        store.lapsed(relay(3), later, 10, LEASE).await.unwrap().is_empty(),
        "it is the second relay's now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_lease_does_not_lapse() {
    let database = Database::new();
    let store = database.store().await;
    let visitors = waiting(&store, 2, 1).await;
    add(&store, vec![ask(visitors[0].0, visitors[0].1, "问题")]).await;
    let mine = store.claim(relay(1), now(), 10, LEASE).await.unwrap();
    assert_eq!(mine.len(), 3);
    store.start_attempts(relay(1), vec![reference(&mine[0])]).await.unwrap();
    let all: Vec<_> = mine.iter().map(|effect| effect.id).collect();
    store.renew(relay(1), all.clone(), now(), LEASE * 4).await.unwrap();
    store.renew(relay(2), all, now(), Duration::ZERO).await.unwrap();
    let later = now().plus(LEASE + Duration::from_secs(1));
    assert!(store.claim(relay(2), later, 10, LEASE).await.unwrap().is_empty());
    assert!(store.lapsed(relay(2), later, 10, LEASE).await.unwrap().is_empty());
}

/// Producers, relays and withdrawals at once: every lane in order, one at a time, nothing lost, nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn lanes_keep_their_order_under_load_serial() {
    const LANES: usize = 6;
    const EACH: usize = 12;
    let database = Database::new();
    let store = database.store().await;
    let visitors = waiting(&store, LANES, 0).await;
    let produce = {
        let (store, visitors) = (store.clone(), visitors.clone());
        tokio::spawn(async move {
            for n in 0..EACH {
                for (visitor, conversation) in &visitors {
                    add(&store, vec![send(*visitor, *conversation, message(), &n.to_string())]).await;
                }
            }
        })
    };
    let performed = Arc::new(tokio::sync::Mutex::new(Vec::<(VisitorId, String)>::new()));
    let perform = |n: u128| {
        let (store, performed) = (store.clone(), Arc::clone(&performed));
        tokio::spawn(async move {
            let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
            let mut hand: Vec<ClaimedEffect> = Vec::new();
            while performed.lock().await.len() < LANES * EACH {
                assert!(tokio::time::Instant::now() < deadline);
                if hand.is_empty() {
                    let claimed = store.claim(relay(n), now(), 2, LEASE).await.unwrap();
                    let begun = store
                        .start_attempts(relay(n), claimed.iter().map(reference).collect())
                        .await
                        .unwrap();
                    hand.extend(claimed.into_iter().filter(|effect| begun.contains(&effect.id)));
                }
                let Some(effect) = hand.pop() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let domain::effect::Effect::Send { content, .. } = &effect.effect else {
                    panic!()
                };
                performed.lock().await.push((effect.visitor, content.text.clone().unwrap()));
                hand.extend(done(&store, n, &effect).await);
            }
        })
    };
    let relays: Vec<_> = (1..=3).map(perform).collect();
    produce.await.unwrap();
    for task in relays {
        task.await.unwrap();
    }
    let performed = performed.lock().await;
    assert_eq!(performed.len(), LANES * EACH);
    for (visitor, _) in visitors {
        let order: Vec<usize> = performed
            .iter()
            .filter(|(whose, _)| *whose == visitor)
            .map(|(_, text)| text.parse().unwrap())
            .collect();
        assert_eq!(order, (0..EACH).collect::<Vec<_>>());
    }
}

async fn done(store: &PgStore, n: u128, effect: &ClaimedEffect) -> Vec<ClaimedEffect> {
    loop {
        let scope = Scope {
            effects: vec![reference(effect)],
            claim: Some((relay(n), 1)),
            ..about([VisitorRef::Id(effect.visitor)])
        };
        let id = effect.id;
        let settled = run(store, scope, move |loaded| {
            assert!(loaded.ours.contains(&id));
            let settled = Settled {
                effect: id,
                settlement: Settlement::Done,
            };
            let changes = Changes {
                settled: vec![settled],
                ..Changes::default()
            };
            (changes, ())
        });
        match settled.await {
            Ok(committed) => return committed.claimed,
            Err(StoreError::LockTimeout) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_holder_at_a_time_has_a_lease_and_its_epoch_rises_with_every_new_one() {
    let database = Database::new();
    let store = database.store().await;
    let (one, two) = (relay(1).0, relay(2).0);
    let at = now();
    let epoch = |lease: Option<engine::ports::Lease>| lease.map(|lease| lease.epoch);
    assert_eq!(epoch(store.lease("router", one, at, LEASE).await.unwrap()), Some(1));
    assert_eq!(epoch(store.lease("router", two, at, LEASE).await.unwrap()), None);
    assert_eq!(epoch(store.lease("router", one, at.plus(LEASE / 2), LEASE).await.unwrap()), Some(1));
    assert_eq!(
        epoch(store.lease("router", two, at.plus(LEASE), LEASE).await.unwrap()),
        None,
        "it was renewed"
    );
    assert_eq!(epoch(store.lease("router", two, at.plus(LEASE * 2), LEASE).await.unwrap()), Some(2));
    store.release("router", one).await.unwrap();
    assert_eq!(epoch(store.lease("router", one, at.plus(LEASE * 2), LEASE).await.unwrap()), None);
    store.release("router", two).await.unwrap();
    assert_eq!(epoch(store.lease("router", one, at.plus(LEASE * 2), LEASE).await.unwrap()), Some(3));
    assert_eq!(epoch(store.lease("timers", two, at, LEASE).await.unwrap()), Some(1));
}

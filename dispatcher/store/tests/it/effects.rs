//! What transactions do to the outbox.

use engine::ports::{
    Changes, ClaimedEffect, EffectRef, NewEffect, Scope, Settled, Settlement, Store as _, StoreError, VisitorRef, Withdrawal,
};
use shared::{MessageId, VisitorId};
use std::time::Duration;
use store::PgStore;

use crate::database::Database;
use crate::scene::{LEASE, about, add, ask, message, met, now, relay, run, send};

async fn add_and_claim(store: &PgStore, most: usize, effects: Vec<NewEffect>) -> (Vec<ClaimedEffect>, bool) {
    let visitors: std::collections::BTreeSet<_> = effects.iter().map(|effect| VisitorRef::Id(effect.visitor)).collect();
    let scope = Scope {
        claim: Some((relay(1), most)),
        ..about(visitors)
    };
    let committed = run(store, scope, move |_| {
        let changes = Changes {
            effects: effects.clone(),
            ..Changes::default()
        };
        (changes, ())
    })
    .await
    .unwrap();
    (committed.claimed, committed.more_effects)
}

async fn settle(store: &PgStore, effect: &ClaimedEffect, settlement: Settlement, claim: Option<usize>) -> (Vec<ClaimedEffect>, bool) {
    let reference = EffectRef {
        effect: effect.id,
        attempt: effect.attempt,
    };
    let scope = Scope {
        effects: vec![reference],
        claim: claim.map(|most| (relay(1), most)),
        ..about([VisitorRef::Id(effect.visitor)])
    };
    let id = effect.id;
    let committed = run(store, scope, move |loaded| {
        let settled = Settled {
            effect: id,
            settlement: settlement.clone(),
        };
        let changes = Changes {
            settled: vec![settled],
            ..Changes::default()
        };
        (changes, loaded.ours.contains(&id))
    })
    .await
    .unwrap();
    (committed.claimed, committed.value.unwrap())
}

async fn unattempted(store: &PgStore, visitor: VisitorId) -> Vec<MessageId> {
    let seen = run(store, about([VisitorRef::Id(visitor)]), move |loaded| {
        (Changes::default(), loaded.visitors[&visitor].unattempted.clone())
    });
    seen.await.unwrap().value.unwrap().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_free_lane_is_given_to_the_relay_that_adds_it() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let (one, two) = (message(), message());
    let effects = vec![
        send(visitor, conversation, one, "第一句"),
        send(visitor, conversation, two, "第二句"),
        ask(visitor, conversation, "问题"),
    ];
    let (mut claimed, more) = add_and_claim(&store, 10, effects.clone()).await;
    claimed.sort_by_key(|effect| effect.started);
    assert!(!more);
    assert_eq!(claimed.len(), 2, "the second message waits for the first: {claimed:?}");
    assert_eq!(
        (&claimed[0].effect, claimed[0].started, claimed[0].attempt),
        (&effects[2].effect, false, 1)
    );
    assert_eq!(
        (&claimed[1].effect, claimed[1].started, claimed[1].attempt),
        (&effects[0].effect, true, 1)
    );
    assert_eq!(claimed[1].party, shared::Party::Psid("1001".to_owned()));
    // What is on record as begun can no longer be withdrawn.
    assert_eq!(unattempted(&store, visitor).await, [two]);
    assert!(store.claim(relay(2), now(), 10, LEASE).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_effect_makes_room_for_the_next_of_its_lane() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let effects: Vec<_> = (0..4).map(|n| send(visitor, conversation, message(), &n.to_string())).collect();
    let (mut claimed, _) = add_and_claim(&store, 1, effects.clone()).await;
    for expected in &effects[1..] {
        assert_eq!(claimed.len(), 1);
        let (next, ours) = settle(&store, &claimed[0], Settlement::Done, Some(1)).await;
        assert!(ours);
        assert_eq!(next[0].effect, expected.effect);
        assert!(next[0].started);
        claimed = next;
    }
    let (none, ours) = settle(&store, &claimed[0], Settlement::Done, Some(1)).await;
    assert!(none.is_empty() && ours);
    let (_, ours) = settle(&store, &claimed[0], Settlement::Done, Some(1)).await;
    assert!(!ours, "it is settled once");
    assert_eq!(store.next_due().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_room_for_all_of_it_takes_nothing_and_says_so() {
    let database = Database::new();
    let store = database.store().await;
    let mut effects = Vec::new();
    for n in 0..3 {
        let (visitor, conversation) = met(&store, &n.to_string(), "您好").await;
        effects.push(send(visitor, conversation, message(), "好"));
    }
    let (claimed, more) = add_and_claim(&store, 2, effects).await;
    assert_eq!((claimed.len(), more), (0, true));
    assert_eq!(store.claim(relay(2), now(), 10, LEASE).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_is_not_due_waits_for_its_time() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let due = now().plus(Duration::from_secs(60));
    let effect = NewEffect {
        due,
        ..send(visitor, conversation, message(), "稍后")
    };
    let (claimed, more) = add_and_claim(&store, 2, vec![effect]).await;
    assert_eq!((claimed.len(), more), (0, false));
    assert!(store.claim(relay(1), now(), 10, LEASE).await.unwrap().is_empty());
    assert_eq!(store.next_due().await.unwrap(), Some(due));
    let claimed = store.claim(relay(1), due.plus(Duration::from_millis(1)), 10, LEASE).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].started, claimed[0].attempt), (1, false, 1));
    assert_eq!(store.next_due().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_put_off_keeps_its_place_at_the_head_of_the_lane() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let effects = vec![
        send(visitor, conversation, message(), "一"),
        send(visitor, conversation, message(), "二"),
    ];
    let (claimed, _) = add_and_claim(&store, 1, effects.clone()).await;
    let not_before = now().plus(Duration::from_secs(60));
    let (next, _) = settle(&store, &claimed[0], Settlement::Again { not_before }, Some(1)).await;
    assert!(next.is_empty(), "the second waits behind the first: {next:?}");
    assert_eq!(store.next_due().await.unwrap(), Some(not_before));
    let again = store.claim(relay(2), not_before, 10, LEASE).await.unwrap();
    assert_eq!((again.len(), &again[0].effect, again[0].attempt), (1, &effects[0].effect, 2));
    // The answer of the first attempt comes too late to be ours.
    let (_, ours) = settle(&store, &claimed[0], Settlement::Done, None).await;
    assert!(!ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_unknown_end_the_lane_is_quiet_for_a_while() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let effects = vec![
        send(visitor, conversation, message(), "一"),
        send(visitor, conversation, message(), "二"),
    ];
    let (claimed, _) = add_and_claim(&store, 1, effects.clone()).await;
    let quiet_until = now().plus(Duration::from_secs(20));
    let (next, _) = settle(&store, &claimed[0], Settlement::Unknown { quiet_until }, Some(1)).await;
    assert!(next.is_empty());
    assert_eq!(store.next_due().await.unwrap(), Some(quiet_until));
    let second = store.claim(relay(1), quiet_until, 10, LEASE).await.unwrap();
    assert_eq!(second[0].effect, effects[1].effect);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_in_a_quiet_period_waits_for_its_end() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let (claimed, _) = add_and_claim(&store, 1, vec![send(visitor, conversation, message(), "一")]).await;
    let quiet_until = now().plus(Duration::from_secs(20));
    settle(&store, &claimed[0], Settlement::Unknown { quiet_until }, Some(1)).await;
    assert_eq!(store.next_due().await.unwrap(), None);
    let (claimed, more) = add_and_claim(&store, 1, vec![send(visitor, conversation, message(), "二")]).await;
    assert_eq!((claimed.len(), more), (0, false));
    assert_eq!(store.next_due().await.unwrap(), Some(quiet_until));
    // A lane that only remembers its quiet period is forgotten once that is over; one with work is not.
    store
        .lapsed(relay(1), quiet_until.plus(Duration::from_secs(1)), 10, LEASE)
        .await
        .unwrap();
    assert_eq!(store.claim(relay(1), quiet_until, 10, LEASE).await.unwrap().len(), 1);
}

async fn withdraw(store: &PgStore, visitor: VisitorId, messages: Vec<MessageId>) -> Result<(), StoreError> {
    run(store, about([VisitorRef::Id(visitor)]), move |_| {
        let withdrawn = messages.iter().map(|message| Withdrawal {
            visitor,
            message: *message,
        });
        let changes = Changes {
            withdrawn: withdrawn.collect(),
            ..Changes::default()
        };
        (changes, ())
    })
    .await
    .map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_begun_can_be_withdrawn_and_never_goes_out() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let (one, two, three) = (message(), message(), message());
    let effects = [one, two, three].map(|message| send(visitor, conversation, message, "好"));
    add(&store, effects.to_vec()).await;
    // Claimed is not begun.
    let claimed = store.claim(relay(1), now(), 10, LEASE).await.unwrap();
    assert_eq!(unattempted(&store, visitor).await, [one, two, three]);
    withdraw(&store, visitor, vec![one, two]).await.unwrap();
    let references = claimed.iter().map(|effect| EffectRef {
        effect: effect.id,
        attempt: effect.attempt,
    });
    let begun = store.start_attempts(relay(1), references.collect()).await.unwrap();
    assert!(begun.is_empty(), "it was taken back");
    let next = store.claim(relay(1), now(), 10, LEASE).await.unwrap();
    assert_eq!((next.len(), next[0].effect.message()), (1, Some(three)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_of_what_has_begun_fails_and_takes_nothing_back() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let (one, two) = (message(), message());
    let effects = vec![send(visitor, conversation, one, "一"), send(visitor, conversation, two, "二")];
    add_and_claim(&store, 1, effects).await;
    let refused = withdraw(&store, visitor, vec![two, one]).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(unattempted(&store, visitor).await, [two]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_may_not_send_is_passed_over_and_its_bot_goes_on() {
    use diesel::connection::SimpleConnection as _;
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let gate = "INSERT INTO page_gate (page_id, reason) VALUES ('159955055741', 'token_dead')";
    database.connection().batch_execute(gate).unwrap();
    let effects = vec![send(visitor, conversation, message(), "一"), ask(visitor, conversation, "问题")];
    let (claimed, more) = add_and_claim(&store, 10, effects).await;
    assert_eq!((claimed.len(), more), (1, false));
    assert!(!claimed[0].effect.is_once());
    assert!(store.claim(relay(1), now(), 10, LEASE).await.unwrap().is_empty());
    assert_eq!(store.next_due().await.unwrap(), None);
    database.connection().batch_execute("DELETE FROM page_gate").unwrap();
    assert_eq!(store.claim(relay(1), now(), 10, LEASE).await.unwrap().len(), 1);
}

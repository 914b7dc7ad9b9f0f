//! How effects end: done, again, unknown; and what happens when their relay dies.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::conversation::Command;
use domain::outbound::Outcome;
use domain::work_mode::WorkMode;
use engine::ports::{ClaimedEffect, RelayId, Scope, Settlement, Store};
use shared::Timestamp;

use crate::desk::{Desk, LEASE, reference, text_of};

crate::every_store!(
    when_the_head_is_done_the_next_one_goes,
    an_effect_that_is_tried_again_waits_for_its_time_and_its_lane_waits_with_it,
    an_effect_whose_end_is_unknown_never_goes_again_and_its_lane_keeps_quiet,
    an_effect_that_somebody_else_has_is_not_ours,
    what_was_settled_once_is_nobodys,
    a_claimed_effect_whose_lease_lapsed_is_free_again,
    a_started_effect_whose_lease_lapsed_is_only_found_as_lapsed,
    a_renewed_lease_does_not_lapse,
    what_the_relay_does_not_name_is_not_renewed,
    only_what_is_this_relays_is_started,
);

const HOUR: Duration = Duration::from_secs(3_600);

async fn two_messages<S: Store>(desk: &Desk<S>) -> (RelayId, ClaimedEffect) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.answered(&page, "1", &["一", "二"]).await;
    let relay = desk.relay();
    let head = desk.claim(relay, desk.now()).await.remove(0);
    (relay, head)
}

async fn start<S: Store>(desk: &Desk<S>, relay: RelayId, effect: &ClaimedEffect) -> bool {
    let begun = desk.store.start_attempts(relay, vec![reference(effect)]).await.unwrap();
    begun == BTreeSet::from([effect.id])
}

fn outcome(effect: &ClaimedEffect, outcome: Outcome) -> Command {
    Command::RecordSend {
        message: effect.effect.message().unwrap(),
        attempt: effect.attempt,
        outcome,
    }
}

fn sent(effect: &ClaimedEffect) -> Command {
    outcome(effect, Outcome::Sent { mid: "m_1".into() })
}

async fn when_the_head_is_done_the_next_one_goes<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    assert!(start(&desk, relay, &head).await);
    let done = desk.end(&head, sent(&head), Settlement::Done, Some((relay, 5))).await;
    assert_eq!(done.claimed.iter().map(text_of).collect::<Vec<_>>(), ["二"]);
    let last = &done.claimed[0];
    let done = desk.end(last, sent(last), Settlement::Done, Some((relay, 5))).await;
    assert!(done.claimed.is_empty() && !done.more_effects);
    assert_eq!(desk.claim(relay, desk.now().plus(HOUR)).await, []);
    assert_eq!(desk.store.next_due().await.unwrap(), None);
}

async fn an_effect_that_is_tried_again_waits_for_its_time_and_its_lane_waits_with_it<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    assert!(start(&desk, relay, &head).await);
    let not_before = desk.now().plus(Duration::from_secs(30));
    let later = outcome(&head, Outcome::Later { not_before });
    let ended = desk.end(&head, later, Settlement::Again { not_before }, Some((relay, 5))).await;
    assert!(ended.claimed.is_empty() && !ended.more_effects);
    assert_eq!(desk.claim(relay, desk.now()).await, []);
    assert_eq!(desk.store.next_due().await.unwrap(), Some(not_before));
    let again = desk.claim(relay, not_before).await.remove(0);
    assert_eq!((again.id, again.attempt, again.started), (head.id, 2, false));
}

async fn an_effect_whose_end_is_unknown_never_goes_again_and_its_lane_keeps_quiet<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    assert!(start(&desk, relay, &head).await);
    let quiet_until = desk.now().plus(Duration::from_secs(20));
    let unknown = outcome(&head, Outcome::Unknown);
    let ended = desk
        .end(&head, unknown, Settlement::Unknown { quiet_until }, Some((relay, 5)))
        .await;
    assert!(ended.claimed.is_empty() && !ended.more_effects);
    assert_eq!(desk.claim(relay, desk.now()).await, []);
    assert_eq!(desk.store.next_due().await.unwrap(), Some(quiet_until));
    let next = desk.claim(relay, quiet_until).await;
    assert_eq!(next.iter().map(text_of).collect::<Vec<_>>(), ["二"]);
    assert!(start(&desk, relay, &next[0]).await);
    desk.end(&next[0], sent(&next[0]), Settlement::Done, None).await;
    assert_eq!(desk.claim(relay, quiet_until.plus(HOUR)).await, []);
    assert_eq!(desk.store.lapsed(relay, quiet_until.plus(HOUR), 10, LEASE).await.unwrap(), []);
}

async fn an_effect_that_somebody_else_has_is_not_ours<S: Store>(desk: Desk<S>) {
    let (_, head) = two_messages(&desk).await;
    let (thief, later) = (desk.relay(), desk.now().plus(HOUR));
    let stolen = desk.claim(thief, later).await.remove(0);
    assert_eq!((stolen.id, stolen.attempt), (head.id, 2));
    let scope = Scope {
        effects: vec![reference(&head)],
        ..crate::streams::of(head.effect.conversation())
    };
    assert!(desk.look(scope.clone()).await.ours.is_empty());
    // Even a step that does not ask settles nothing.
    let id = head.id;
    desk.act(scope, move |unit| {
        unit.changes().settled.push(engine::ports::Settled {
            effect: id,
            settlement: Settlement::Done,
        });
    })
    .await
    .unwrap();
    assert!(start(&desk, thief, &stolen).await);
}

async fn what_was_settled_once_is_nobodys<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    assert!(start(&desk, relay, &head).await);
    desk.end(&head, sent(&head), Settlement::Done, None).await;
    let scope = Scope {
        effects: vec![reference(&head)],
        ..crate::streams::of(head.effect.conversation())
    };
    assert!(desk.look(scope).await.ours.is_empty());
    assert!(!start(&desk, relay, &head).await);
}

async fn a_claimed_effect_whose_lease_lapsed_is_free_again<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    let (other, in_time, later) = (desk.relay(), desk.now(), desk.now().plus(HOUR));
    assert_eq!(desk.claim(other, in_time).await, []);
    assert_eq!(
        desk.store.lapsed(other, later, 10, LEASE).await.unwrap(),
        [],
        "nothing has been started"
    );
    let taken = desk.claim(other, later).await.remove(0);
    assert_eq!((taken.id, taken.attempt), (head.id, 2));
    assert!(!start(&desk, relay, &head).await, "it is no longer the first relay's");
    assert!(start(&desk, other, &taken).await);
}

async fn a_started_effect_whose_lease_lapsed_is_only_found_as_lapsed<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    assert!(start(&desk, relay, &head).await);
    let (other, later) = (desk.relay(), desk.now().plus(HOUR));
    assert_eq!(desk.store.lapsed(other, desk.now(), 10, LEASE).await.unwrap(), []);
    assert_eq!(desk.claim(other, later).await, []);
    let found = desk.store.lapsed(other, later, 10, LEASE).await.unwrap();
    assert_eq!(found.iter().map(|effect| effect.id).collect::<Vec<_>>(), [head.id]);
    assert!(found[0].started && found[0].leased_until >= later);
    assert_eq!(
        desk.store.lapsed(desk.relay(), later, 10, LEASE).await.unwrap(),
        [],
        "it is the other relay's now"
    );
    let quiet_until = later.plus(Duration::from_secs(20));
    let unknown = outcome(&found[0], Outcome::Unknown);
    desk.end(&found[0], unknown, Settlement::Unknown { quiet_until }, None).await;
    let next = desk.claim(other, quiet_until).await;
    assert_eq!(next.iter().map(text_of).collect::<Vec<_>>(), ["二"]);
}

async fn a_renewed_lease_does_not_lapse<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.answered(&page, "1", &["一"]).await;
    desk.receive(&page, "2", "您好").await;
    let (relay, other) = (desk.relay(), desk.relay());
    let claimed = desk.claim(relay, desk.now()).await;
    let message = claimed.iter().find(|effect| effect.effect.is_once()).unwrap();
    assert!(start(&desk, relay, message).await);
    let renewed = desk.now().plus(Duration::from_secs(10));
    let all: Vec<_> = claimed.iter().map(|effect| effect.id).collect();
    desk.store.renew(relay, all.clone(), renewed, LEASE).await.unwrap();
    desk.store.renew(other, all, renewed.plus(HOUR), LEASE).await.unwrap();
    let inside = renewed.plus(Duration::from_secs(14));
    assert_eq!(
        (desk.claim(other, inside).await, lapsed(&desk, other, inside).await),
        (Vec::new(), 0)
    );
    let outside = renewed.plus(Duration::from_secs(16));
    assert_eq!(
        (desk.claim(other, outside).await.len(), lapsed(&desk, other, outside).await),
        (1, 1)
    );
}

/// A commit whose answer was lost may have given effects to a relay that never hears of them: their leases must lapse.
async fn what_the_relay_does_not_name_is_not_renewed<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.answered(&page, "1", &["一"]).await;
    desk.receive(&page, "2", "您好").await;
    let (relay, other) = (desk.relay(), desk.relay());
    let claimed = desk.claim(relay, desk.now()).await;
    assert_eq!(claimed.len(), 2);
    let renewed = desk.now().plus(Duration::from_secs(10));
    desk.store.renew(relay, vec![claimed[0].id], renewed, LEASE).await.unwrap();
    let free = desk.claim(other, renewed.plus(Duration::from_secs(14))).await;
    assert_eq!(free.iter().map(|effect| effect.id).collect::<Vec<_>>(), [claimed[1].id]);
}

async fn lapsed<S: Store>(desk: &Desk<S>, relay: RelayId, now: Timestamp) -> usize {
    desk.store.lapsed(relay, now, 10, LEASE).await.unwrap().len()
}

async fn only_what_is_this_relays_is_started<S: Store>(desk: Desk<S>) {
    let (relay, head) = two_messages(&desk).await;
    assert!(!start(&desk, desk.relay(), &head).await, "another relay has it");
    let other_attempt = ClaimedEffect {
        attempt: head.attempt + 1,
        ..head.clone()
    };
    assert!(
        !start(&desk, relay, &other_attempt).await,
        "that attempt is not the one it was claimed for"
    );
    assert!(start(&desk, relay, &head).await);
}

//! Lanes: effects of one visitor and class are handed out one at a time, in order, to one relay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::effect::LaneClass;
use domain::work_mode::WorkMode;
use engine::ports::{ClaimedEffect, Committed, NewEffect, RelayId, Scope, Settled, Settlement, Store, VisitorRef};
use shared::{EffectId, Timestamp};

use crate::desk::{Desk, LEASE, reference, text_of};

crate::every_store!(
    only_the_head_of_a_lane_is_handed_out,
    a_question_to_the_bot_does_not_hold_up_messages,
    the_lanes_of_two_visitors_do_not_wait_for_each_other,
    no_more_is_claimed_than_was_asked_for_and_the_oldest_first,
    nothing_is_handed_out_before_it_is_due,
    two_relays_never_get_the_same_effect,
    what_a_transaction_frees_is_taken_within_it,
    a_message_that_is_taken_within_its_transaction_is_on_record_as_started,
    more_than_the_relay_wants_is_left_for_the_others,
    what_waits_behind_another_effect_is_not_free,
    a_claimed_effect_carries_everything_that_its_performer_needs,
);

async fn only_the_head_of_a_lane_is_handed_out<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.answered(&page, "1", &["一", "二", "三"]).await;
    let (relay, other) = (desk.relay(), desk.relay());
    let first = desk.claim(relay, desk.now()).await;
    assert_eq!(first.iter().map(text_of).collect::<Vec<_>>(), ["一"]);
    assert_eq!(desk.claim(relay, desk.now()).await, []);
    assert_eq!(desk.claim(other, desk.now()).await, []);
}

async fn a_question_to_the_bot_does_not_hold_up_messages<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.answered(&page, "1", &["一"]).await;
    desk.receive(&page, "1", "还有").await;
    let claimed = desk.claim(desk.relay(), desk.now()).await;
    let classes: BTreeSet<LaneClass> = claimed.iter().map(|effect| effect.effect.class()).collect();
    assert_eq!(classes, BTreeSet::from([LaneClass::Bot, LaneClass::Message]));
}

async fn the_lanes_of_two_visitors_do_not_wait_for_each_other<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (one, _) = desk.answered(&page, "1", &["一", "二"]).await;
    let (other, _) = desk.answered(&page, "2", &["三"]).await;
    let claimed = desk.claim(desk.relay(), desk.now()).await;
    let lanes: BTreeSet<_> = claimed.iter().map(|effect| effect.visitor).collect();
    assert_eq!((claimed.len(), lanes), (2, BTreeSet::from([one, other])));
}

async fn no_more_is_claimed_than_was_asked_for_and_the_oldest_first<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    for psid in ["1", "2", "3"] {
        desk.receive(&page, psid, "您好").await;
    }
    let ages = BTreeMap::from([("1", 10), ("2", 30), ("3", 20)]);
    for asked in desk.claim(desk.relay(), desk.now()).await {
        let age = ages[asked.party.as_key().as_str()] * 1_000;
        let due = Timestamp::from_millis(desk.now().as_millis() - age);
        replace(&desk, asked, due, None).await;
    }
    let whose = |claimed: Vec<ClaimedEffect>| claimed.into_iter().map(|effect| effect.party.as_key()).collect::<Vec<_>>();
    let first = desk.store.claim(desk.relay(), desk.now(), 2, LEASE).await.unwrap();
    assert_eq!(whose(first), ["2", "3"]);
    let rest = desk.store.claim(desk.relay(), desk.now(), 2, LEASE).await.unwrap();
    assert_eq!(whose(rest), ["1"]);
}

/// Settles a question and puts the same one again, due at another time.
async fn replace<S: Store>(desk: &Desk<S>, asked: ClaimedEffect, due: Timestamp, claim: Option<(RelayId, usize)>) -> Committed<()> {
    let again = NewEffect {
        id: EffectId(desk.fresh()),
        visitor: asked.visitor,
        effect: asked.effect.clone(),
        due,
    };
    let scope = Scope {
        effects: vec![reference(&asked)],
        claim,
        ..crate::streams::of(asked.effect.conversation())
    };
    let step = desk.act(scope, move |unit| {
        unit.changes().settled.push(Settled {
            effect: asked.id,
            settlement: Settlement::Done,
        });
        unit.changes().effects.push(again.clone());
    });
    step.await.unwrap()
}

async fn nothing_is_handed_out_before_it_is_due<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    assert_eq!(desk.store.next_due().await.unwrap(), None);
    desk.receive(&page, "1", "您好").await;
    let asked = desk.claim(desk.relay(), desk.now()).await.remove(0);
    let due = desk.now().plus(Duration::from_secs(60));
    let committed = replace(&desk, asked, due, Some((desk.relay(), 10))).await;
    assert!(committed.claimed.is_empty() && !committed.more_effects);
    assert_eq!(desk.claim(desk.relay(), desk.now()).await, []);
    assert_eq!(desk.store.next_due().await.unwrap(), Some(due));
    assert_eq!(desk.claim(desk.relay(), due).await.len(), 1);
}

async fn two_relays_never_get_the_same_effect<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    for n in 0..20 {
        desk.receive(&page, &n.to_string(), "您好").await;
    }
    let (now, relays) = (desk.now(), [desk.relay(), desk.relay(), desk.relay(), desk.relay()]);
    let claims = relays.map(|relay| desk.store.claim(relay, now, 7, LEASE));
    let claimed: Vec<EffectId> = futures::future::join_all(claims)
        .await
        .into_iter()
        .flat_map(|claimed| claimed.unwrap().into_iter().map(|effect| effect.id))
        .collect();
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), claimed.len());
    // What SKIP LOCKED passed over is there for the next look.
    let rest = desk.claim(relays[0], now).await;
    assert_eq!(claimed.len() + rest.len(), 20);
}

async fn what_a_transaction_frees_is_taken_within_it<S: Store>(desk: Desk<S>) {
    let (page, relay) = (desk.connect("1001", WorkMode::BotFirst).await, desk.relay());
    let received = desk.receive_for(&page, "1", "您好", Some((relay, 1))).await;
    assert_eq!((received.claimed.len(), received.more_effects), (1, false));
    let asked = &received.claimed[0];
    assert_eq!(
        (asked.attempt, asked.started),
        (1, false),
        "a question may be repeated: it need not be on record"
    );
    assert!(asked.leased_until > desk.now());
    assert_eq!(desk.claim(desk.relay(), desk.now()).await, []);
}

async fn a_message_that_is_taken_within_its_transaction_is_on_record_as_started<S: Store>(desk: Desk<S>) {
    let (page, relay) = (desk.connect("1001", WorkMode::BotFirst).await, desk.relay());
    let received = desk.receive_for(&page, "1", "您好", Some((relay, 1))).await;
    let answered = desk.answer(&received.claimed[0], "您好！", Some((relay, 1))).await;
    let sent = &answered.claimed[0];
    assert_eq!((text_of(sent), sent.attempt, sent.started), ("您好！", 1, true));
    let late = desk.now().plus(Duration::from_secs(3_600));
    assert_eq!(desk.claim(desk.relay(), late).await, [], "a started effect is never free again");
}

async fn more_than_the_relay_wants_is_left_for_the_others<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let nobody = desk.receive_for(&page, "1", "您好", None).await;
    assert!(nobody.claimed.is_empty() && nobody.more_effects);
    let full = desk.receive_for(&page, "2", "您好", Some((desk.relay(), 0))).await;
    assert!(full.claimed.is_empty() && full.more_effects);
    assert_eq!(desk.claim(desk.relay(), desk.now()).await.len(), 2);
}

async fn what_waits_behind_another_effect_is_not_free<S: Store>(desk: Desk<S>) {
    let (page, relay) = (desk.connect("1001", WorkMode::BotFirst).await, desk.relay());
    desk.receive_for(&page, "1", "您好", Some((relay, 1))).await;
    let second = desk.receive_for(&page, "1", "在吗", Some((relay, 5))).await;
    assert!(second.claimed.is_empty() && !second.more_effects);
}

async fn a_claimed_effect_carries_everything_that_its_performer_needs<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, id) = desk.answered(&page, "4242", &["答案：一"]).await;
    let now = desk.now();
    let claimed = desk.claim(desk.relay(), now).await.remove(0);
    assert_eq!(
        (claimed.visitor, &claimed.page, claimed.party.as_key().as_str()),
        (visitor, &page.page, "4242")
    );
    assert_eq!((claimed.effect.conversation(), text_of(&claimed)), (id, "答案：一"));
    assert_eq!(
        (claimed.attempt, claimed.started, claimed.leased_until),
        (1, false, now.plus(LEASE))
    );
    let known = desk.look(Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        ..Scope::default()
    });
    let under_way = &known.await.visitors[&visitor].conversations[&id].state.under_way;
    assert!(under_way.contains_key(&claimed.effect.message().unwrap()));
}

//! Commands with a key are carried out once.

use domain::conversation::{Command, ConversationEvent};
use domain::event::Event;
use domain::work_mode::WorkMode;
use engine::ports::{Idempotency, Scope, Store};
use serde_json::json;
use shared::{ConversationId, PersonId};

use crate::desk::Desk;
use crate::streams::of;

crate::every_store!(
    the_same_command_again_gets_the_kept_answer_and_does_nothing,
    a_key_with_another_request_is_refused,
    the_same_key_of_another_person_is_another_key,
    a_command_that_was_rejected_may_be_tried_again,
    of_the_same_command_twice_at_once_one_acts,
);

fn key(person: PersonId, fingerprint: &str) -> Option<Idempotency> {
    Some(Idempotency {
        person,
        key: "a key".into(),
        fingerprint: fingerprint.into(),
    })
}

/// A command that answers, under a key.
async fn keep<S: Store>(
    desk: &Desk<S>,
    id: ConversationId,
    idempotency: Option<Idempotency>,
    response: Option<&'static str>,
) -> engine::ports::Committed<&'static str> {
    let scope = Scope { idempotency, ..of(id) };
    let step = desk.act(scope, move |unit| {
        unit.changes().response = response.map(|text| json!({ "said": text }));
        "done"
    });
    step.await.unwrap()
}

async fn conversation<S: Store>(desk: &Desk<S>) -> ConversationId {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.receive(&page, "1", "您好").await.1
}

async fn the_same_command_again_gets_the_kept_answer_and_does_nothing<S: Store>(desk: Desk<S>) {
    let (id, person) = (conversation(&desk).await, PersonId(desk.fresh()));
    let close = Command::Close { person, any: true };
    let scope = Scope {
        idempotency: key(person, "close"),
        ..Scope::default()
    };
    let first = keep(&desk, id, key(person, "x"), Some("1")).await;
    assert_eq!((first.value, first.replayed), (Some("done"), None));
    let again = keep(&desk, id, key(person, "x"), Some("2")).await;
    assert_eq!(
        (again.value, again.replayed, again.key_reused),
        (None, Some(json!({ "said": "1" })), false)
    );
    assert_eq!(again.cursor, None);
    let other = desk.command(id, close, scope).await.unwrap();
    assert!(other.key_reused && other.value.is_none());
    let closed = |read: &engine::ports::ReadEvent| matches!(read.event, Event::Conversation(ConversationEvent::Closed { .. }));
    assert!(!desk.log().await.iter().any(closed));
}

async fn a_key_with_another_request_is_refused<S: Store>(desk: Desk<S>) {
    let (id, person) = (conversation(&desk).await, PersonId(desk.fresh()));
    keep(&desk, id, key(person, "x"), Some("1")).await;
    let reused = keep(&desk, id, key(person, "y"), Some("2")).await;
    assert!(reused.key_reused);
    assert_eq!((reused.value, reused.replayed), (None, None));
}

async fn the_same_key_of_another_person_is_another_key<S: Store>(desk: Desk<S>) {
    let id = conversation(&desk).await;
    keep(&desk, id, key(PersonId(desk.fresh()), "x"), Some("1")).await;
    let other = keep(&desk, id, key(PersonId(desk.fresh()), "y"), Some("2")).await;
    assert_eq!((other.value, other.key_reused), (Some("done"), false));
}

async fn a_command_that_was_rejected_may_be_tried_again<S: Store>(desk: Desk<S>) {
    let (id, person) = (conversation(&desk).await, PersonId(desk.fresh()));
    for _ in 0..2 {
        let rejected = keep(&desk, id, key(person, "x"), None).await;
        assert_eq!((rejected.value, rejected.key_reused), (Some("done"), false));
    }
}

async fn of_the_same_command_twice_at_once_one_acts<S: Store>(desk: Desk<S>) {
    let (id, person) = (conversation(&desk).await, PersonId(desk.fresh()));
    let both = (0..4).map(|_| keep(&desk, id, key(person, "x"), Some("1")));
    let both = futures::future::join_all(both).await;
    assert_eq!(both.iter().filter(|committed| committed.value.is_some()).count(), 1);
    assert_eq!(both.iter().filter(|committed| committed.replayed.is_some()).count(), 3);
}

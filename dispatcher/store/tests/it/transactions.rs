//! What a transaction loads and writes.

use engine::ports::{Arrived, Changes, Idempotency, InboxKey, Scope, Store as _, StoreError, VisitorRef};
use serde_json::json;
use shared::{ConversationId, PersonId, VisitorId};
use uuid::Uuid;

use crate::database::Database;
use crate::scene::{Talk, about, identity, met, run, whole_log};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_loaded_again_and_read_from_the_log() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好，在吗").await;

    let seen = run(&store, about([identity("1001")]), move |loaded| {
        (Changes::default(), loaded.visitors[&visitor].clone())
    })
    .await
    .unwrap();
    let seen = seen.value.unwrap();
    assert_eq!(seen.conversations[&conversation].version, 2);
    assert!(seen.conversations[&conversation].state.unanswered);

    let events = whole_log(&store, 2).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].event.content().unwrap().text.as_deref(), Some("您好，在吗"));
    assert_eq!(events[1].audience, ["group:1", "administrators"]);
    assert!(events[0].cursor < events[1].cursor);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_carries_the_place_of_the_newest_event() {
    let database = Database::new();
    let store = database.store().await;
    let reference = identity("1001");
    let committed = run(&store, about([reference.clone()]), move |loaded| {
        (Talk::opened(loaded.found[&reference]).into_changes(), ())
    })
    .await
    .unwrap();
    assert_eq!(committed.cursor, whole_log(&store, 1).await.last().map(|event| event.cursor));

    let nothing = run(&store, Scope::default(), |_| (Changes::default(), ())).await.unwrap();
    assert_eq!(nothing.cursor, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_of_whom_nothing_is_appended_stays_unknown() {
    let database = Database::new();
    let store = database.store().await;
    let reference = identity("1001");
    let first = reference.clone();
    let seen = run(&store, about([reference]), move |loaded| (Changes::default(), loaded.found[&first]))
        .await
        .unwrap();
    let again = run(&store, about([VisitorRef::Id(seen.value.unwrap())]), |loaded| {
        (Changes::default(), loaded.visitors.len())
    })
    .await
    .unwrap();
    assert_eq!(again.value, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_visitor_who_stands_twice_in_a_batch_is_one_visitor() {
    let database = Database::new();
    let store = database.store().await;
    let (one, two) = (identity("1001"), identity("1001"));
    let same = run(&store, about([one.clone(), two.clone()]), move |loaded| {
        let changes = Talk::opened(loaded.found[&one]).into_changes();
        (changes, loaded.found[&one] == loaded.found[&two])
    })
    .await
    .unwrap();
    assert_eq!(same.value, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_leads_to_its_visitor_and_a_missing_one_to_nobody() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    let missing = ConversationId(Uuid::now_v7());
    let scope = about([
        VisitorRef::Of(conversation),
        VisitorRef::Of(missing),
        VisitorRef::Id(VisitorId(Uuid::now_v7())),
    ]);
    let found = run(&store, scope, |loaded| (Changes::default(), loaded.found.clone()))
        .await
        .unwrap()
        .value
        .unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(VisitorRef::Of(conversation), visitor)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_conversation_is_loaded_only_where_it_is_named() {
    use domain::conversation::{CloseCause, ConversationEvent};
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "您好").await;
    run(&store, about([VisitorRef::Id(visitor)]), move |loaded| {
        let mut talk = Talk::of(loaded, visitor);
        talk.then(ConversationEvent::Closed {
            by: CloseCause::Person {
                person: PersonId(Uuid::from_u128(1)),
            },
            at: crate::scene::now(),
        });
        (talk.into_changes(), ())
    })
    .await
    .unwrap();
    for (reference, count) in [(VisitorRef::Id(visitor), 0), (VisitorRef::Of(conversation), 1)] {
        let seen = run(&store, about([reference]), move |loaded| {
            (Changes::default(), loaded.visitors[&visitor].conversations.len())
        });
        assert_eq!(seen.await.unwrap().value, Some(count));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_key_is_written_once_and_known_afterwards() {
    let database = Database::new();
    let store = database.store().await;
    let key = InboxKey("159955055741\nm_1".to_owned());
    let scope = Scope {
        inbox: vec![key.clone(), InboxKey("other".to_owned())],
        ..Scope::default()
    };
    let write = |key: InboxKey| {
        move |loaded: &engine::ports::Loaded| {
            let arrived = Arrived {
                key: key.clone(),
                receipt: Some("boot/3/7".to_owned()),
            };
            let arrived = if loaded.known.contains(&key) { vec![] } else { vec![arrived] };
            (
                Changes {
                    arrived,
                    ..Changes::default()
                },
                loaded.known.clone(),
            )
        }
    };
    let first = run(&store, scope.clone(), write(key.clone())).await.unwrap();
    assert_eq!(first.value.unwrap().len(), 0);
    let second = run(&store, scope, write(key.clone())).await.unwrap();
    assert_eq!(second.value.unwrap().into_iter().collect::<Vec<_>>(), [key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_with_a_known_key_is_answered_and_not_carried_out() {
    let database = Database::new();
    let store = database.store().await;
    let key = |fingerprint: &str| Scope {
        idempotency: Some(Idempotency {
            person: PersonId(Uuid::from_u128(9)),
            key: "k".to_owned(),
            fingerprint: fingerprint.to_owned(),
        }),
        ..Scope::default()
    };
    let answer = |n: i64| {
        move |_: &engine::ports::Loaded| {
            (
                Changes {
                    response: Some(json!({ "n": n })),
                    ..Changes::default()
                },
                n,
            )
        }
    };
    let first = run(&store, key("a"), answer(1)).await.unwrap();
    assert_eq!((first.value, first.replayed), (Some(1), None));
    let again = run(&store, key("a"), answer(2)).await.unwrap();
    assert_eq!((again.value, again.replayed), (None, Some(json!({ "n": 1 }))));
    let other = run(&store, key("b"), answer(3)).await.unwrap();
    assert_eq!((other.value, other.replayed, other.key_reused), (None, None, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_the_database_cannot_hold_is_refused_and_leaves_nothing_behind() {
    let database = Database::new();
    let store = database.store().await;
    // A NUL, and something too long for an index that does not compress.
    let long = rand::random_iter::<char>()
        .take(5_000)
        .filter(|letter| *letter != '\0')
        .collect::<String>();
    for poison in ["mid with \0".to_owned(), long] {
        let reference = identity("1001");
        let mid = poison.clone();
        let refused = run(&store, about([reference.clone()]), move |loaded| {
            let mut talk = Talk::opened(loaded.found[&reference]);
            talk.then(domain::conversation::ConversationEvent::MessageReceived {
                message: crate::scene::message(),
                mid: Some(mid.clone()),
                kind: domain::conversation::InboundKind::Message,
                sent_at: crate::scene::now(),
                late: false,
                content: domain::content::Content::default(),
            });
            (talk.into_changes(), ())
        })
        .await;
        let error = refused.unwrap_err();
        assert!(
            matches!(&error, StoreError::Data { reason } if !reason.contains(&poison)),
            "{error:?}"
        );
    }
    assert!(
        store
            .read_log(engine::ports::Cursor::default(), 10)
            .await
            .unwrap()
            .events
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_nul_is_kept_whole_in_the_log_and_readable_in_the_timeline() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "a\0b").await;
    let events = whole_log(&store, 2).await;
    assert_eq!(events[1].event.content().unwrap().text.as_deref(), Some("a\0b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_beyond_the_calendar_is_refused_as_data() {
    let database = Database::new();
    let store = database.store().await;
    let reference = identity("1001");
    let refused = run(&store, about([reference.clone()]), move |loaded| {
        let mut talk = Talk::opened(loaded.found[&reference]);
        talk.received_at("您好", shared::Timestamp::from_millis(i64::MAX));
        (talk.into_changes(), ())
    })
    .await;
    assert!(matches!(refused, Err(StoreError::Data { .. })), "{refused:?}");
}

//! Streams: versions, and all or nothing.

use domain::conversation::Command;
use domain::event::{Event, StreamId};
use domain::work_mode::WorkMode;
use engine::ports::{Append, Arrived, Changes, InboxKey, NewEvent, Scope, Store, StoreError, VisitorRef};
use shared::{ConversationId, PersonId, VisitorId};
use uuid::Uuid;

use crate::desk::{Desk, noted};

crate::every_store!(
    an_append_at_another_version_conflicts_and_nothing_is_written,
    one_wrong_append_undoes_the_right_ones_beside_it,
    a_second_live_conversation_of_a_visitor_is_refused,
    a_closed_conversation_makes_room_for_a_new_one,
    writers_of_one_visitor_take_turns,
    a_step_that_wants_nothing_writes_nothing,
);

async fn write<S: Store>(desk: &Desk<S>, visitor: VisitorId, changes: Changes) -> Result<(), StoreError> {
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        inbox: changes.arrived.iter().map(|arrived| arrived.key.clone()).collect(),
        ..Scope::default()
    };
    let mut changes = Some(changes);
    let step = move |_: &_| (changes.take().unwrap_or_default(), ());
    desk.store.transact(scope, Box::new(step)).await.map(drop)
}

async fn an_append_at_another_version_conflicts_and_nothing_is_written<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, _) = desk.receive(&page, "1", "您好").await;
    let before = desk.log().await;
    for expected in [1, 7] {
        let changes = Changes {
            appends: vec![noted(visitor, expected, desk.now())],
            ..Changes::default()
        };
        match write(&desk, visitor, changes).await {
            Err(StoreError::Conflict { stream, expected: told }) => assert_eq!((stream, told), (visitor.into(), expected)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(desk.log().await, before);
    let right = Changes {
        appends: vec![noted(visitor, 0, desk.now())],
        ..Changes::default()
    };
    assert!(write(&desk, visitor, right).await.is_ok());
}

async fn one_wrong_append_undoes_the_right_ones_beside_it<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, _) = desk.receive(&page, "1", "您好").await;
    let (other, _) = desk.receive(&page, "2", "您好").await;
    let before = desk.log().await;
    let key = InboxKey("1001|msg:half".into());
    let changes = Changes {
        appends: vec![noted(visitor, 0, desk.now()), noted(other, 5, desk.now())],
        arrived: vec![Arrived {
            key: key.clone(),
            receipt: None,
        }],
        ..Changes::default()
    };
    let refused = write(&desk, visitor, changes).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(desk.log().await, before);
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        inbox: vec![key],
        ..Scope::default()
    };
    let loaded = desk.look(scope).await;
    assert_eq!(loaded.visitors[&visitor].stream.version, 0);
    assert!(loaded.known.is_empty());
}

async fn a_second_live_conversation_of_a_visitor_is_refused<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, open) = desk.receive(&page, "1", "您好").await;
    let before = desk.log().await;
    let event = before.iter().find(|read| read.stream == open.into()).unwrap();
    let state = desk.look(of(open)).await.visitors[&visitor].conversations[&open].state.clone();
    let second = Append {
        stream: ConversationId(desk.fresh()).into(),
        state: serde_json::to_value(&state).unwrap(),
        events: vec![NewEvent {
            event: event.event.clone(),
            occurred_at: desk.now(),
            actor: event.actor,
            audience: Vec::new(),
            correlation: Uuid::from_u128(1),
            traceparent: None,
        }],
        ..noted(visitor, 0, desk.now())
    };
    let changes = Changes {
        appends: vec![second],
        ..Changes::default()
    };
    // Fresh state shows the open one: trying again makes sense.
    let refused = write(&desk, visitor, changes).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(desk.log().await, before);
}

async fn a_closed_conversation_makes_room_for_a_new_one<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, first) = desk.receive(&page, "1", "您好").await;
    let close = Command::Close {
        person: PersonId(desk.fresh()),
        any: true,
    };
    desk.command(first, close, Scope::default()).await.unwrap().value.unwrap().unwrap();
    let (same, second) = desk.receive(&page, "1", "又是我").await;
    assert_eq!(same, visitor);
    assert_ne!(second, first);
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        ..Scope::default()
    };
    let loaded = desk.look(scope).await;
    assert_eq!(loaded.visitors[&visitor].conversations.keys().collect::<Vec<_>>(), [&second]);
}

async fn writers_of_one_visitor_take_turns<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotOnly).await;
    let (visitor, id) = desk.receive(&page, "1", "0").await;
    let writers = (0..12).map(|n| desk.receive(&page, "1", ["一", "二", "三"][n % 3]));
    // Nobody conflicts: each loads what the one before has committed.
    let places = futures::future::join_all(writers).await;
    assert!(places.iter().all(|place| *place == (visitor, id)));
    let log = desk.log().await;
    let versions: Vec<i64> = log
        .iter()
        .filter(|read| read.stream == id.into())
        .map(|read| read.version)
        .collect();
    assert_eq!(versions, (1..=i64::try_from(versions.len()).unwrap()).collect::<Vec<_>>());
    let received = log.iter().filter(|read| {
        let Event::Conversation(event) = &read.event else { return false };
        matches!(event, domain::conversation::ConversationEvent::MessageReceived { .. })
    });
    assert_eq!(received.count(), 13);
}

async fn a_step_that_wants_nothing_writes_nothing<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (_, id) = desk.receive(&page, "1", "您好").await;
    let before = desk.log().await;
    let committed = desk.act(of(id), |_| "seen").await.unwrap();
    assert_eq!((committed.value, committed.cursor), (Some("seen"), None));
    assert!(committed.claimed.is_empty() && !committed.more_effects && committed.replayed.is_none());
    assert_eq!(desk.log().await, before);
    assert!(before.iter().any(|read| read.stream == StreamId::from(id)));
}

pub(crate) fn of(conversation: ConversationId) -> Scope {
    Scope {
        visitors: vec![VisitorRef::Of(conversation)],
        ..Scope::default()
    }
}

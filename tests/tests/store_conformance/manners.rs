//! The bad manners of the store in memory: without them a simulation would prove nothing.

use std::time::Duration;

use domain::work_mode::WorkMode;
use engine::ports::{Cursor, Store, StoreError};
use tests::simulation::Manners;

use crate::desk::{Desk, in_memory};
use crate::streams::of;

const SLOW: Manners = Manners {
    writing: 400..401,
    ..Manners::CALM
};

#[tokio::test(start_paused = true)]
async fn a_rival_waits_for_a_lock_and_gives_up_after_half_a_second() {
    let desk = in_memory();
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (_, id) = desk.receive(&page, "1", "您好").await;
    desk.store.behave(SLOW);
    let begun = tokio::time::Instant::now();
    let (one, other) = futures::join!(desk.act(of(id), |_| ()), desk.act(of(id), |_| ()));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(begun.elapsed(), Duration::from_millis(800), "one after the other");
    desk.store.behave(Manners {
        writing: 600..601,
        ..Manners::CALM
    });
    let (one, other) = futures::join!(desk.act(of(id), |_| ()), desk.act(of(id), |_| ()));
    assert!(one.is_ok());
    assert!(matches!(other, Err(StoreError::LockTimeout)));
}

#[tokio::test(start_paused = true)]
async fn a_running_transaction_hides_what_committed_after_its_beginning() {
    let desk = in_memory();
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let head = desk.store.head().await.unwrap();
    desk.store.behave(SLOW);
    let slow = desk.receive(&page, "1", "慢");
    futures::pin_mut!(slow);
    assert!(tokio::time::timeout(Duration::from_millis(10), &mut slow).await.is_err());
    desk.store.behave(Manners::CALM);
    let (_, quick) = desk.receive(&page, "2", "快").await;
    assert_eq!(desk.store.read_log(head, 10).await.unwrap().events, []);
    assert_eq!(desk.store.head().await.unwrap(), head);
    let (_, slow) = slow.await;
    let order: Vec<_> = desk
        .store
        .read_log(head, 10)
        .await
        .unwrap()
        .events
        .iter()
        .map(|read| read.stream)
        .collect();
    assert_eq!(
        order,
        [slow.into(), slow.into(), slow.into(), quick.into(), quick.into(), quick.into()]
    );
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_dropped_leaves_nothing_behind() {
    let desk = in_memory();
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (_, id) = desk.receive(&page, "1", "您好").await;
    let before = desk.store.log().unwrap();
    desk.store.behave(SLOW);
    let dropped = tokio::time::timeout(Duration::from_millis(200), desk.receive(&page, "1", "再见")).await;
    assert!(dropped.is_err());
    desk.store.behave(Manners::CALM);
    assert!(desk.act(of(id), |_| ()).await.is_ok(), "its lock is free");
    assert_eq!(desk.store.log().unwrap(), before);
    desk.receive(&page, "1", "还在").await;
    assert!(desk.log().await.len() > before.len(), "no reader waits for it");
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_lost_after_the_commit_and_before_it() {
    let desk = in_memory();
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, id) = desk.receive(&page, "1", "您好").await;
    for (manners, committed) in [
        (
            Manners {
                lost_answer: 1_000,
                ..Manners::CALM
            },
            true,
        ),
        (
            Manners {
                broken_off: 1_000,
                ..Manners::CALM
            },
            false,
        ),
    ] {
        let head = desk.store.head().await.unwrap();
        desk.store.behave(manners);
        let close = domain::conversation::Command::GiveQueueNotice {
            key: domain::texts::TextKey::Queued,
            ahead: 0,
        };
        let _rejected = desk.command(id, close, engine::ports::Scope::default()).await;
        let noted = note(&desk, visitor).await;
        assert!(matches!(noted, Err(StoreError::Unavailable(_))));
        desk.store.behave(Manners::CALM);
        assert_eq!(desk.store.read_log(head, 10).await.unwrap().events.len(), usize::from(committed));
    }
    assert_ne!(desk.store.head().await.unwrap(), Cursor::default());
}

async fn note<S: Store>(desk: &Desk<S>, visitor: shared::VisitorId) -> Result<(), StoreError> {
    let scope = engine::ports::Scope {
        visitors: vec![engine::ports::VisitorRef::Id(visitor)],
        ..engine::ports::Scope::default()
    };
    let sent_at = desk.now();
    desk.act(scope, move |unit| {
        let event = domain::visitor::VisitorEvent::Noted {
            kind: "read".into(),
            mid: None,
            sent_at,
            content: domain::Content::default(),
        };
        let settings = unit.loaded().pages.values().next().unwrap().clone();
        unit.note(visitor, event, &settings, &crate::desk::cause());
    })
    .await
    .map(drop)
}

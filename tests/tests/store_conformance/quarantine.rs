//! Quarantine: kept, sealed, and taken up again when its Page appears.

use std::time::Duration;

use domain::work_mode::WorkMode;
use engine::ports::{Arrived, InboxKey, QuarantineKind, Quarantined, Scope, Store, StoreError};
use shared::PageId;
use uuid::Uuid;

use crate::desk::Desk;

crate::every_store!(
    what_came_for_an_unknown_page_is_redrivable_when_the_channel_appears,
    poison_is_kept_and_never_redriven_by_itself,
    what_was_redriven_is_gone,
    what_somebody_else_has_redriven_fails_the_whole_transaction,
    bytes_that_are_no_text_are_kept_as_they_are,
);

const BODY: &[u8] = b"{\"text\":\"\\u0000\"}\xff\x00";

async fn keep<S: Store>(desk: &Desk<S>, page: &str, kind: QuarantineKind, seconds: u64) -> Uuid {
    let id = desk.fresh();
    let kept = Quarantined {
        id,
        kind,
        reason: "no channel is connected to the page".into(),
        page: PageId::parse(page).ok(),
        envelope: format!("{{\"of\":\"{page}\"}}"),
        body: BODY.to_vec(),
        at: desk.now().plus(Duration::from_secs(seconds)),
    };
    let key = InboxKey(format!("{page}|{id}"));
    let scope = Scope {
        inbox: vec![key.clone()],
        ..Scope::default()
    };
    desk.act(scope, move |unit| {
        unit.changes().quarantined.push(kept.clone());
        unit.changes().arrived.push(Arrived {
            key: key.clone(),
            receipt: None,
        });
    })
    .await
    .unwrap();
    id
}

async fn redrivable<S: Store>(desk: &Desk<S>, most: usize) -> Vec<Uuid> {
    desk.store
        .redrivable(most)
        .await
        .unwrap()
        .into_iter()
        .map(|(id, _, _)| id)
        .collect()
}

async fn redrive<S: Store>(desk: &Desk<S>, ids: &[Uuid]) -> Result<(), StoreError> {
    let ids = ids.to_vec();
    desk.act(Scope::default(), move |unit| unit.changes().redriven.extend(&ids))
        .await
        .map(drop)
}

async fn what_came_for_an_unknown_page_is_redrivable_when_the_channel_appears<S: Store>(desk: Desk<S>) {
    let late = keep(&desk, "1001", QuarantineKind::UnknownPage, 9).await;
    let early = keep(&desk, "1001", QuarantineKind::UnknownPage, 1).await;
    let elsewhere = keep(&desk, "1002", QuarantineKind::UnknownPage, 0).await;
    assert!(redrivable(&desk, 10).await.is_empty());
    desk.connect("1001", WorkMode::BotFirst).await;
    assert_eq!(redrivable(&desk, 10).await, [early, late], "oldest first");
    assert_eq!(redrivable(&desk, 1).await, [early]);
    assert_eq!(redrivable(&desk, 10).await, [early, late], "looking takes nothing away");
    desk.connect("1002", WorkMode::BotFirst).await;
    assert_eq!(redrivable(&desk, 10).await, [elsewhere, early, late]);
}

async fn poison_is_kept_and_never_redriven_by_itself<S: Store>(desk: Desk<S>) {
    keep(&desk, "1001", QuarantineKind::Poison, 0).await;
    desk.connect("1001", WorkMode::BotFirst).await;
    assert!(redrivable(&desk, 10).await.is_empty());
}

async fn what_was_redriven_is_gone<S: Store>(desk: Desk<S>) {
    desk.connect("1001", WorkMode::BotFirst).await;
    let one = keep(&desk, "1001", QuarantineKind::UnknownPage, 0).await;
    let other = keep(&desk, "1001", QuarantineKind::UnknownPage, 1).await;
    redrive(&desk, &[one]).await.unwrap();
    assert_eq!(redrivable(&desk, 10).await, [other]);
}

async fn what_somebody_else_has_redriven_fails_the_whole_transaction<S: Store>(desk: Desk<S>) {
    desk.connect("1001", WorkMode::BotFirst).await;
    let one = keep(&desk, "1001", QuarantineKind::UnknownPage, 0).await;
    let other = keep(&desk, "1001", QuarantineKind::UnknownPage, 1).await;
    redrive(&desk, &[one]).await.unwrap();
    let refused = redrive(&desk, &[other, one]).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(redrivable(&desk, 10).await, [other]);
}

async fn bytes_that_are_no_text_are_kept_as_they_are<S: Store>(desk: Desk<S>) {
    desk.connect("1001", WorkMode::BotFirst).await;
    let id = keep(&desk, "1001", QuarantineKind::UnknownPage, 0).await;
    let kept = desk.store.redrivable(10).await.unwrap();
    assert_eq!(kept, [(id, "{\"of\":\"1001\"}".to_owned(), BODY.to_vec())]);
}

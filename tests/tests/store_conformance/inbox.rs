//! The inbox: what arrived once never arrives again.

use domain::work_mode::WorkMode;
use engine::ports::{Arrived, InboxKey, Scope, Store, StoreError};

use crate::desk::{Connected, Desk};

crate::every_store!(
    a_key_is_known_once_it_was_written_and_not_before,
    of_two_transactions_with_one_key_the_second_sees_it_as_known,
    of_two_visitors_transactions_with_one_key_only_one_writes_it,
);

/// Brings one key for a visitor. Tries again as intake does. Returns whether the key was known.
async fn bring<S: Store>(desk: &Desk<S>, page: &Connected, psid: &str, key: &InboxKey) -> bool {
    loop {
        let scope = Scope {
            visitors: vec![desk.identity(page, psid)],
            inbox: vec![key.clone()],
            ..Scope::default()
        };
        let wanted = key.clone();
        let step = desk.act(scope, move |unit| {
            let known = unit.loaded().known.contains(&wanted);
            if !known {
                unit.changes().arrived.push(Arrived {
                    key: wanted.clone(),
                    receipt: Some("boot/1/1".into()),
                });
            }
            known
        });
        match step.await {
            Ok(committed) => return committed.value.unwrap(),
            Err(StoreError::Conflict { .. } | StoreError::LockTimeout) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn a_key_is_known_once_it_was_written_and_not_before<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (one, other) = (InboxKey("1001|msg:a".into()), InboxKey("1001|msg:b".into()));
    assert!(!bring(&desk, &page, "1", &one).await);
    assert!(bring(&desk, &page, "1", &one).await);
    let scope = Scope {
        inbox: vec![one.clone(), other],
        ..Scope::default()
    };
    assert_eq!(desk.look(scope).await.known.into_iter().collect::<Vec<_>>(), [one]);
}

async fn of_two_transactions_with_one_key_the_second_sees_it_as_known<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    for n in 0..10 {
        let key = InboxKey(format!("1001|msg:{n}"));
        let all = futures::future::join_all((0..4).map(|_| bring(&desk, &page, "1", &key))).await;
        assert_eq!(all.into_iter().filter(|known| !known).count(), 1);
    }
}

async fn of_two_visitors_transactions_with_one_key_only_one_writes_it<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    for n in 0..10 {
        let key = InboxKey(format!("1001|msg:{n}"));
        let (one, other) = futures::join!(bring(&desk, &page, "1", &key), bring(&desk, &page, "2", &key));
        assert!(one != other, "exactly one of them was the first");
    }
}

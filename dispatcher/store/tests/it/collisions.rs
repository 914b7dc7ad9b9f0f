//! Transactions that collide: one of them sees what the other did, or is told so.

use std::sync::Arc;

use domain::event::StreamId;
use engine::ports::{Arrived, Changes, InboxKey, Scope, Store as _, StoreError, VisitorRef};
use tokio::sync::Barrier;

use crate::database::Database;
use crate::scene::{Talk, about, identity, met, run, step, whole_log};

#[tokio::test(flavor = "multi_thread")]
async fn an_append_to_a_stream_that_has_moved_on_is_a_conflict_and_writes_nothing() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "一").await;
    let stale = run(&store, about([VisitorRef::Id(visitor)]), move |loaded| {
        let mut state = loaded.visitors[&visitor].conversations[&conversation].clone();
        state.version -= 1;
        let mut talk = Talk::on(conversation, visitor, state.version, state.state);
        talk.received("二");
        (talk.into_changes(), ())
    })
    .await;
    match stale {
        Err(StoreError::Conflict { stream, expected }) => assert_eq!((stream, expected), (StreamId::from(conversation), 1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(whole_log(&store, 2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_beginning_of_a_stream_is_a_conflict() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, "1001", "一").await;
    let twice = run(&store, about([VisitorRef::Id(visitor)]), move |_| {
        let mut talk = Talk::opened(visitor);
        talk.id = conversation;
        (talk.into_changes(), ())
    })
    .await;
    assert!(matches!(twice, Err(StoreError::Conflict { expected: 0, .. })), "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_never_has_two_open_conversations() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, _) = met(&store, "1001", "一").await;
    let second = run(&store, about([VisitorRef::Id(visitor)]), move |_| {
        (Talk::opened(visitor).into_changes(), ())
    })
    .await;
    assert!(matches!(second, Err(StoreError::Conflict { .. })), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_is_met_by_many_at_once_becomes_one_visitor() {
    let database = Database::new();
    let store = database.store().await;
    let barrier = Arc::new(Barrier::new(6));
    let meet = |n: usize| {
        let (store, barrier) = (store.clone(), Arc::clone(&barrier));
        tokio::spawn(async move {
            let reference = identity("1001");
            barrier.wait().await;
            let committed = run(&store, about([reference.clone()]), move |loaded| {
                let visitor = loaded.found[&reference];
                let open = loaded.visitors[&visitor].conversations.keys().next().copied();
                let mut talk = match open {
                    Some(_) => Talk::of(loaded, visitor),
                    None => Talk::opened(visitor),
                };
                talk.received(&format!("{n}"));
                (talk.into_changes(), visitor)
            });
            committed.await.unwrap().value.unwrap()
        })
    };
    let tasks: Vec<_> = (0..6).map(meet).collect();
    let mut visitors = std::collections::BTreeSet::new();
    for task in tasks {
        visitors.insert(task.await.unwrap());
    }
    assert_eq!(visitors.len(), 1);
    assert_eq!(whole_log(&store, 7).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_transactions_with_the_same_inbox_key_the_second_sees_it_as_known() {
    let database = Database::new();
    let store = database.store().await;
    let barrier = Arc::new(Barrier::new(4));
    let take = || {
        let (store, barrier) = (store.clone(), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            loop {
                let key = InboxKey("k".to_owned());
                let scope = Scope {
                    inbox: vec![key.clone()],
                    ..Scope::default()
                };
                let taken = store.transact(
                    scope,
                    step(move |loaded| {
                        let is_new = !loaded.known.contains(&key);
                        let arrived = is_new.then(|| Arrived {
                            key: key.clone(),
                            receipt: None,
                        });
                        let changes = Changes {
                            arrived: arrived.into_iter().collect(),
                            ..Changes::default()
                        };
                        (changes, is_new)
                    }),
                );
                match taken.await {
                    Ok(committed) => return committed.value.unwrap(),
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
    };
    let tasks: Vec<_> = (0..4).map(|_| take()).collect();
    let mut processed = 0;
    for task in tasks {
        processed += usize::from(task.await.unwrap());
    }
    assert_eq!(processed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_over_the_same_visitors_in_any_order_never_deadlock() {
    let database = Database::new();
    let store = database.store().await;
    let mut visitors = Vec::new();
    for n in 0..8 {
        visitors.push(met(&store, &format!("{n}"), "一").await.0);
    }
    let work = |seed: usize| {
        let (store, visitors) = (store.clone(), visitors.clone());
        tokio::spawn(async move {
            let mut timeouts = 0;
            for round in 0..25 {
                let mut mine = visitors.clone();
                mine.rotate_left((seed * 3 + round) % visitors.len());
                if round % 2 == 0 {
                    mine.reverse();
                }
                mine.truncate(5);
                let scope = about(mine.iter().copied().map(VisitorRef::Id));
                let done = run(&store, scope, move |loaded| {
                    let mut changes = Changes::default();
                    for visitor in &mine {
                        let mut talk = Talk::of(loaded, *visitor);
                        talk.received("又");
                        let more = talk.into_changes();
                        changes.appends.extend(more.appends);
                        changes.rows.extend(more.rows);
                    }
                    (changes, ())
                });
                match done.await {
                    Ok(_) => {}
                    // Waiting too long for a lock is no deadlock; a deadlock would take a second to be found.
                    Err(StoreError::LockTimeout) => timeouts += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
            timeouts
        })
    };
    let tasks: Vec<_> = (0..4).map(work).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut connection = database.connection();
    use diesel::RunQueryDsl as _;
    let deadlocks =
        diesel::sql_query("SELECT 1 FROM pg_stat_database WHERE datname = current_database() AND deadlocks > 0").execute(&mut connection);
    assert_eq!(deadlocks.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_to_be_had_in_time_is_told_apart_serial() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, _) = met(&store, "1001", "一").await;
    let (entered, inside) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let holder = {
        let store = store.clone();
        tokio::spawn(async move {
            run(&store, about([VisitorRef::Id(visitor)]), move |_| {
                entered.send(()).unwrap();
                left.recv().unwrap();
                (Changes::default(), ())
            })
            .await
        })
    };
    tokio::task::block_in_place(|| inside.recv().unwrap());
    let refused = run(&store, about([VisitorRef::Id(visitor)]), |_| (Changes::default(), ())).await;
    leave.send(()).unwrap();
    assert!(matches!(refused, Err(StoreError::LockTimeout)), "{refused:?}");
    holder.await.unwrap().unwrap();
}

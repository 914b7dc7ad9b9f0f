//! The two traps of a log in PostgreSQL: what commits late must not be skipped, and a stream must be read in its own order.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use engine::ports::{Cursor, Store as _, VisitorRef};

use crate::database::Database;
use crate::scene::{Talk, about, met, run, whole_log};

#[tokio::test(flavor = "multi_thread")]
async fn what_commits_late_is_not_skipped_serial() {
    let database = Database::new();
    let store = database.store().await;
    let mut early = database.connection();
    // Draws its position first and commits last.
    early
        .batch_execute(
            "BEGIN;
             INSERT INTO event_log (stream, version, type, schema_version, payload, metadata, audience, occurred_at)
             VALUES ('agent:00000000-0000-0000-0000-000000000001', 1, 'presence_changed', 1, '{\"presence\":\"ready\",\"at\":1}',
                     '{\"actor\":{\"kind\":\"system\"},\"correlation\":\"00000000-0000-0000-0000-000000000001\"}', '{}', now())",
        )
        .unwrap();
    met(&store, "1001", "您好").await;
    let blind = store.read_log(Cursor::default(), 10).await.unwrap();
    assert!(blind.events.is_empty(), "{:?}", blind.events);
    early.batch_execute("COMMIT").unwrap();

    let mut positions = Vec::new();
    let mut cursor = blind.next;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while positions.len() < 3 {
        assert!(tokio::time::Instant::now() < deadline, "{positions:?}");
        let page = store.read_log(cursor, 1).await.unwrap();
        positions.extend(page.events.iter().map(|event| event.cursor.position));
        cursor = page.next;
    }
    assert_eq!(positions, [1, 2, 3]);
}

/// Two writers of the same stream, and others that make the transaction numbers race, while a reader follows.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_in_its_own_order_whoever_writes_it_serial() {
    const WRITERS: usize = 6;
    const ROUNDS: usize = 40;
    let database = Database::new();
    let store = database.store().await;
    let mut visitors = Vec::new();
    for n in 0..3 {
        visitors.push(met(&store, &format!("{n}"), "一").await.0);
    }
    let head = store.head().await.unwrap();
    let write = |n: usize| {
        let (store, visitor) = (store.clone(), visitors[n % visitors.len()]);
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                let act = move |loaded: &engine::ports::Loaded| {
                    let mut talk = Talk::of(loaded, visitor);
                    talk.received("又");
                    let mut changes = talk.into_changes();
                    changes.arrived.push(engine::ports::Arrived {
                        key: engine::ports::InboxKey(uuid::Uuid::now_v7().to_string()),
                        receipt: None,
                    });
                    (changes, ())
                };
                run(&store, about([VisitorRef::Id(visitor)]), act).await.unwrap();
            }
        })
    };
    let tasks: Vec<_> = (0..WRITERS).map(write).collect();
    let mut seen = BTreeMap::new();
    let mut count = 0;
    let mut cursor = Cursor::default();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while count < WRITERS * ROUNDS + 6 {
        assert!(tokio::time::Instant::now() < deadline, "{count} events");
        let page = store.read_log(cursor, 7).await.unwrap();
        for event in &page.events {
            let before = seen.insert(event.stream, event.version).unwrap_or(0);
            assert_eq!(event.version, before + 1, "{}", event.stream);
            assert!(event.cursor > cursor || cursor == Cursor::default());
            count += 1;
        }
        cursor = page.next;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert!(head < cursor);
    assert_eq!(whole_log(&store, count).await.len(), count);
}

//! Reading the log.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use engine::ports::{Cursor, Store as _, StoreError};

use crate::database::Database;
use crate::scene::{met, whole_log};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_news_begins_behind_everything_that_is_there() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "旧").await;
    whole_log(&store, 2).await;
    // Once nothing older runs, the head is behind all of it.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let head = loop {
        let head = store.head().await.unwrap();
        if store.read_log(head, 10).await.unwrap().events.is_empty() {
            break head;
        }
        assert!(tokio::time::Instant::now() < deadline);
    };
    met(&store, "1002", "新").await;
    let news = loop {
        let page = store.read_log(head, 10).await.unwrap();
        if page.events.len() == 2 {
            break page;
        }
        assert!(tokio::time::Instant::now() < deadline);
    };
    assert!(!news.full);
    assert_eq!(news.next, news.events[1].cursor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_full_says_so() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "您好").await;
    whole_log(&store, 2).await;
    let first = store.read_log(Cursor::default(), 1).await.unwrap();
    assert!(first.full);
    let second = store.read_log(first.next, 2).await.unwrap();
    assert_eq!((second.events.len(), second.full), (1, false));
    let none = store.read_log(second.next, 2).await.unwrap();
    assert_eq!((none.events.len(), none.next), (0, second.next));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_later_version_is_never_skipped() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "您好").await;
    whole_log(&store, 2).await;
    let update = "UPDATE event_log SET type = 'from_the_future' WHERE version = 2";
    database.connection().batch_execute(update).unwrap();
    let read = store.read_log(Cursor::default(), 10).await;
    assert!(matches!(read, Err(StoreError::Unreadable { .. })), "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_another_cluster_the_epoch_rises_and_nothing_of_the_log_is_out_of_reach() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "旧").await;
    let before = whole_log(&store, 2).await;
    // As after a restore: another cluster's number, and transactions far ahead of this one's.
    let foreign = "UPDATE log_epoch SET cluster = '1/1'; UPDATE event_log SET recorded_in = recorded_in + 4000000000";
    database.connection().batch_execute(foreign).unwrap();
    let store = database.store().await;
    let after = whole_log(&store, 2).await;
    assert_eq!(after[1].cursor.epoch, before[1].cursor.epoch + 1);
    met(&store, "1002", "新").await;
    assert_eq!(whole_log(&store, 4).await[3].version, 2);
    // A place in the old cluster is no place here: read from the beginning.
    assert_eq!(store.read_log(before[1].cursor, 10).await.unwrap().events.len(), 4);
    assert_eq!(database.store().await.head().await.unwrap().epoch, after[1].cursor.epoch);
}

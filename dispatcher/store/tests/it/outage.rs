//! The database goes away and comes back.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use engine::ports::{Changes, Scope, Store as _, StoreError};

use crate::database::Database;
use crate::scene::{met, run};

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_are_said_to_be_an_outage_and_replaced_by_new_ones() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "您好").await;
    store.next_due().await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.connection().batch_execute(cut).unwrap();
    let mut outages = 0;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        match run(&store, Scope::default(), |_| (Changes::default(), ())).await {
            Ok(_) => break,
            Err(StoreError::Unavailable(_)) => outages += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert!(tokio::time::Instant::now() < deadline, "{outages} outages");
    }
    assert!(outages > 0, "the cut was noticed");
    met(&store, "1002", "您好").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_was_cut_in_the_middle_leaves_nothing_behind() {
    let database = Database::new();
    let store = database.store().await;
    let reference = crate::scene::identity("1001");
    let mut rival = database.connection();
    let cut = run(&store, crate::scene::about([reference.clone()]), move |loaded| {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
        rival.batch_execute(cut).unwrap();
        (crate::scene::Talk::opened(loaded.found[&reference]).into_changes(), ())
    })
    .await;
    assert!(matches!(cut, Err(StoreError::Unavailable(_))), "{cut:?}");
    use diesel::RunQueryDsl as _;
    let left = diesel::sql_query("SELECT 1 FROM streams UNION ALL SELECT 1 FROM visitor UNION ALL SELECT 1 FROM event_log");
    assert_eq!(left.execute(&mut database.connection()).unwrap(), 0);
}

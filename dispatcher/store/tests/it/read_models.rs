//! The rows that lists and timelines read.

use std::time::Duration;

use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use domain::conversation::ConversationEvent;
use domain::outbound::{Refusal, RefusalReason};
use engine::ports::VisitorRef;
use shared::VisitorId;
use store::PgStore;

use crate::database::Database;
use crate::scene::{Talk, about, message, met, now, run};

#[derive(QueryableByName, Debug, PartialEq)]
struct ListRow {
    #[diesel(sql_type = Text)]
    phase: String,
    #[diesel(sql_type = Bool)]
    unanswered: bool,
    #[diesel(sql_type = Nullable<Text>)]
    last_direction: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_text: Option<String>,
}

fn list_row(database: &Database) -> ListRow {
    sql_query("SELECT phase, unanswered, last_direction, last_text FROM conversation")
        .get_result(&mut database.connection())
        .unwrap()
}

fn row(unanswered: bool, direction: &str, text: &str) -> ListRow {
    ListRow {
        phase: "waiting".to_owned(),
        unanswered,
        last_direction: Some(direction.to_owned()),
        last_text: Some(text.to_owned()),
    }
}

async fn go_on(store: &PgStore, visitor: VisitorId, act: impl Fn(&mut Talk) + Send + 'static) {
    run(store, about([VisitorRef::Id(visitor)]), move |loaded| {
        let mut talk = Talk::of(loaded, visitor);
        act(&mut talk);
        (talk.into_changes(), ())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_newest_message_whatever_arrives_late() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, _) = met(&store, "1001", "一").await;
    assert_eq!(list_row(&database), row(true, "in", "一"));
    let (one, start) = (message(), now());
    go_on(&store, visitor, move |talk| {
        talk.intended(one, "答");
    })
    .await;
    assert_eq!(list_row(&database), row(false, "out", "答"));
    go_on(&store, visitor, move |talk| {
        let late = shared::Timestamp::from_millis(start.as_millis() - 60_000);
        talk.received_at("迟到", late);
    })
    .await;
    assert_eq!(list_row(&database), row(true, "out", "答"));
    go_on(&store, visitor, move |talk| {
        talk.received_at("新", start.plus(Duration::from_secs(5))).received_at("旧", start);
    })
    .await;
    assert_eq!(list_row(&database), row(true, "in", "新"));
}

#[derive(QueryableByName, Debug, PartialEq)]
struct ItemRow {
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    mid: Option<String>,
}

fn outbound(database: &Database) -> Vec<ItemRow> {
    let query = "SELECT text, status, status_reason, mid FROM timeline_item WHERE direction = 'out' ORDER BY text";
    sql_query(query).load(&mut database.connection()).unwrap()
}

fn item(text: &str, status: &str, reason: Option<&str>, mid: Option<&str>) -> ItemRow {
    ItemRow {
        text: Some(text.to_owned()),
        status: Some(status.to_owned()),
        status_reason: reason.map(str::to_owned),
        mid: mid.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_shows_what_became_of_a_message_in_its_own_transaction_and_later() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, _) = met(&store, "1001", "一").await;
    let (one, two, three) = (message(), message(), message());
    go_on(&store, visitor, move |talk| {
        talk.intended(one, "1").intended(two, "2").intended(three, "3");
        talk.then(ConversationEvent::MessageWithdrawn { message: three });
    })
    .await;
    let pending = |text| item(text, "pending", None, None);
    assert_eq!(
        outbound(&database),
        [pending("1"), pending("2"), item("3", "withdrawn", None, None)]
    );
    go_on(&store, visitor, move |talk| {
        let refusal = Refusal {
            reason: RefusalReason::WindowClosed,
            code: Some(10),
            subcode: None,
        };
        talk.then(ConversationEvent::MessageDeferred {
            message: one,
            not_before: now(),
            attempt: 1,
        });
        talk.then(ConversationEvent::MessageSent {
            message: one,
            mid: "m_1".to_owned(),
            attempt: 2,
        });
        talk.then(ConversationEvent::MessageRefused {
            message: two,
            refusal,
            attempt: 1,
        });
    })
    .await;
    let expected = [
        item("1", "sent", None, Some("m_1")),
        item("2", "refused", Some("window_closed"), None),
        item("3", "withdrawn", None, None),
    ];
    assert_eq!(outbound(&database), expected);
}

//! What somebody finds who can read the database but has no key.

use std::process::Command;

use diesel::connection::SimpleConnection as _;
use engine::ports::{Arrived, Changes, Idempotency, InboxKey, QuarantineKind, Quarantined, Scope, Store as _, VisitorRef};
use serde_json::json;
use shared::PersonId;
use uuid::Uuid;

use crate::database::Database;
use crate::scene::{Talk, about, ask, message, met, now, page, run, send, whole_log};

const WORDS: [&str; 5] = [
    "护照号码是",
    "退款到账",
    "4429001122334455",
    "m_secret_mid_of_facebook",
    "raw-bytes-of-facebook",
];

fn dump(database: &Database, tables: &[&str]) -> String {
    let mut dump = Command::new("pg_dump");
    dump.arg("--data-only").arg(database.url());
    for table in tables {
        dump.arg("--table").arg(table);
    }
    let output = dump.output().expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// bytea is dumped in hexadecimal.
fn holds(dump: &str, word: &str) -> bool {
    let hexadecimal: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    dump.contains(word) || dump.contains(&hexadecimal)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_and_no_address_stands_in_log_streams_outbox_inbox_or_quarantine() {
    let database = Database::new();
    let store = database.store().await;
    let (visitor, conversation) = met(&store, WORDS[2], WORDS[0]).await;
    let reply = message();
    let scope = Scope {
        idempotency: Some(Idempotency {
            person: PersonId(Uuid::from_u128(1)),
            key: "k".to_owned(),
            fingerprint: "f".to_owned(),
        }),
        ..about([VisitorRef::Id(visitor)])
    };
    run(&store, scope, move |loaded| {
        let mut talk = Talk::of(loaded, visitor);
        talk.intended(reply, WORDS[1]);
        let changes = Changes {
            effects: vec![send(visitor, conversation, reply, WORDS[1]), ask(visitor, conversation, WORDS[0])],
            arrived: vec![Arrived {
                key: InboxKey(WORDS[3].to_owned()),
                receipt: None,
            }],
            quarantined: vec![Quarantined {
                id: Uuid::now_v7(),
                kind: QuarantineKind::Poison,
                reason: "cannot be read".to_owned(),
                page: Some(page()),
                envelope: WORDS[2].to_owned(),
                body: WORDS[4].as_bytes().to_vec(),
                at: now(),
            }],
            response: Some(json!({ "message_id": reply })),
            ..talk.into_changes()
        };
        (changes, ())
    })
    .await
    .unwrap();

    let tables = [
        "event_log",
        "streams",
        "visitor",
        "outbox",
        "lane",
        "inbox",
        "quarantine",
        "idempotency",
        "service_key",
    ];
    let sealed = dump(&database, &tables);
    assert!(
        sealed.contains(&visitor.to_string()) && sealed.contains(&reply.to_string()),
        "the dump has the rows"
    );
    for word in WORDS {
        assert!(!holds(&sealed, word), "{word}");
    }
    // The read models hold plain text: people search in it.
    let plain = dump(&database, &["timeline_item", "conversation"]);
    assert!(holds(&plain, WORDS[0]) && holds(&plain, WORDS[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_leaves_the_facts_and_takes_the_words() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "您好").await;
    whole_log(&store, 2).await;
    database.connection().batch_execute("UPDATE visitor SET data_key = NULL").unwrap();
    let events = whole_log(&database.store().await, 2).await;
    assert!(events[1].event.content().unwrap().is_empty());
    assert_eq!(events[1].version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_was_moved_to_another_event_does_not_open_there() {
    let database = Database::new();
    let store = database.store().await;
    met(&store, "1001", "一").await;
    met(&store, "1002", "二").await;
    whole_log(&store, 4).await;
    let swap = "UPDATE event_log SET sealed = (SELECT sealed FROM event_log WHERE position = 2) WHERE position = 4";
    database.connection().batch_execute(swap).unwrap();
    let read = store.read_log(engine::ports::Cursor::default(), 10).await;
    assert!(matches!(read, Err(engine::ports::StoreError::Unreadable { .. })), "{read:?}");
}

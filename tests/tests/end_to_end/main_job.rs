use serde_json::Value;
use tests::chatopera::answer::{FALLBACK, GREETING};
use tests::world::{Database, VisitorActs as _, World, WorldConfig};

use crate::{TAKEN_BY_ZHANGSAN, TRANSFER, VISITOR};

const QUESTION: &str = "明天上海的天气如何";
const REPLY: &str = "您好，我是张三，明天上海多云。";

#[tokio::test]
async fn a_visitor_asks_the_bot_then_for_a_person_and_reads_the_agents_answer() {
    let world = World::build(WorldConfig::default()).await;
    let agent = world.agent().await;
    agent.ready().await;
    let feed = agent.feed(None).await;

    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    world.facebook.visitor_writes(VISITOR, QUESTION);
    let fallback = world.facebook.visitor_sees(VISITOR, FALLBACK).await;
    assert_eq!(
        fallback.buttons.iter().map(|button| button.title.as_str()).collect::<Vec<_>>(),
        ["转人工"]
    );
    assert!(agent.conversations("mine").await.is_empty(), "with the bot it is nobody's");

    world.facebook.visitor_taps_payload(VISITOR, TRANSFER);
    let conversation = agent
        .until_shown(&feed, "mine", "the visitor's conversation", |shown| shown["phase"] == "with_agent")
        .await;
    let id = conversation["id"].as_str().unwrap();
    let assigned = feed
        .wait_for(tests::world::PATIENCE, |event| {
            event.data["type"] == "accepted" && event.data["conversation_id"] == id
        })
        .await;
    assert!(assigned.is_ok(), "the conversation never came up on the feed: {:?}", feed.events());
    world.facebook.visitor_sees(VISITOR, TAKEN_BY_ZHANGSAN).await;

    let answer = agent.reply(id, REPLY).await;
    world.facebook.visitor_sees(VISITOR, REPLY).await;
    assert_eq!(world.facebook.words_to(VISITOR), [GREETING, FALLBACK, TAKEN_BY_ZHANGSAN, REPLY]);
    world.until_settled(tests::world::PATIENCE).await;

    check_what_left(&world, answer["message_id"].as_str().unwrap());
    check_timeline(&agent.timeline(id).await);
    check_log(&world.database, id);
    assert_eq!(world.broker.dead().await, 0);
    let asked: Vec<String> = world.chatopera.queries().into_iter().map(|query| query.text).collect();
    assert_eq!(asked, ["你好", QUESTION], "after the hand-over nobody asks the bot");
}

/// Everything left through the Send API, once, each with our own id in its metadata.
fn check_what_left(world: &World, reply: &str) {
    let sent = world.facebook.sent_to(VISITOR);
    let intended: Vec<String> = world
        .database
        .events_of_type("message_intended")
        .iter()
        .map(|event| text(&event.payload["message"]))
        .collect();
    let metadata: Vec<String> = sent.iter().map(|sent| sent.metadata.clone().unwrap_or_default()).collect();
    assert_eq!(metadata, intended);
    assert_eq!(metadata.last().unwrap(), reply);
    assert!(sent.iter().all(|sent| sent.page_id == world.page()));
}

fn check_timeline(items: &[Value]) {
    let said: Vec<(String, String, String)> = items
        .iter()
        .filter(|item| item["kind"] == "message")
        .map(|item| (text(&item["author"]["kind"]), text(&item["direction"]), text(&item["text"])))
        .collect();
    let expected = [
        ("visitor", "in", "你好"),
        ("bot", "out", GREETING),
        ("visitor", "in", QUESTION),
        ("bot", "out", FALLBACK),
        ("system", "out", TAKEN_BY_ZHANGSAN),
        ("agent", "out", REPLY),
    ];
    let said: Vec<(&str, &str, &str)> = said
        .iter()
        .map(|(author, direction, text)| (author.as_str(), direction.as_str(), text.as_str()))
        .collect();
    assert_eq!(said, expected);
    let statuses: Vec<&Value> = items
        .iter()
        .filter(|item| item["direction"] == "out")
        .map(|item| &item["status"])
        .collect();
    assert!(statuses.iter().all(|status| **status == "sent"), "{statuses:?}");
}

/// The log tells the whole story in order, and no word of it in clear.
fn check_log(database: &Database, conversation: &str) {
    let stream = format!("conversation:{conversation}");
    let events = database.events();
    let story: Vec<&str> = events
        .iter()
        .filter(|event| event.stream == stream && event.event_type != "message_sent")
        .map(|event| event.event_type.as_str())
        .collect();
    let expected = [
        "opened",
        "message_received",
        "bot_asked",
        "bot_answered",
        "message_intended",
        "message_received",
        "bot_asked",
        "bot_answered",
        "message_intended",
        "message_received",
        "handed_over",
        "queued",
        "offered",
        "accepted",
        "message_intended",
        "message_intended",
    ];
    assert_eq!(story, expected);
    assert_eq!(database.count_events("message_sent"), 4);
    for words in [QUESTION, REPLY, GREETING, VISITOR] {
        assert!(
            !events.iter().any(|event| event.payload.to_string().contains(words)),
            "{words} stands in the log in clear"
        );
        let places = "event_log l WHERE l.payload::text || l.metadata::text || l.stream || coalesce(encode(l.sealed, 'escape'), '')";
        assert_eq!(
            database.count(&format!("SELECT count(*) AS count FROM {places} LIKE '%{words}%'")),
            0,
            "{words}"
        );
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

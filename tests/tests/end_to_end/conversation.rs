use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::chatopera::answer::GREETING;
use tests::world::{PATIENCE, VisitorActs as _, World, WorldConfig};

use crate::{ENDED, TAKEN_BY_ZHANGSAN, VISITOR};

#[tokio::test]
async fn a_closed_conversation_is_over_and_the_visitors_next_message_opens_a_new_one() {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    let agent = world.agent().await;
    agent.ready().await;
    let feed = agent.feed(None).await;
    world.facebook.visitor_writes(VISITOR, "第一个问题");
    let first = agent
        .until_shown(&feed, "mine", "the first one", |shown| shown["phase"] == "with_agent")
        .await;
    let first = first["id"].as_str().unwrap();
    agent.close(first).await;
    world.facebook.visitor_sees(VISITOR, ENDED).await;
    assert_eq!(agent.conversation(first).await["phase"], "closed");
    let refused = agent.act(first, "replies", json!({"text": "还有一件事"})).await;
    assert_eq!(
        (refused.status, refused.problem()),
        (StatusCode::CONFLICT, Some("conversation_over"))
    );

    world.facebook.visitor_writes(VISITOR, "第二个问题");
    let second = agent
        .until_shown(&feed, "mine", "the second one", |shown| {
            shown["phase"] == "with_agent" && shown["id"] != first
        })
        .await;
    assert_eq!(
        second["visitor"]["id"],
        agent.conversation(first).await["visitor"]["id"],
        "it is the same visitor"
    );
    agent.reply(second["id"].as_str().unwrap(), "请讲").await;
    world.facebook.visitor_sees(VISITOR, "请讲").await;
    world.until_settled(PATIENCE).await;
    assert_eq!(
        world.facebook.words_to(VISITOR),
        [TAKEN_BY_ZHANGSAN, ENDED, TAKEN_BY_ZHANGSAN, "请讲"]
    );
    assert_eq!(world.database.count_events("opened"), 2);
    let closed: Vec<String> = agent
        .conversations("closed")
        .await
        .iter()
        .map(|shown| shown["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(closed, [first]);
}

#[tokio::test]
async fn the_same_idempotency_key_never_answers_a_visitor_twice() {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    let agent = world.agent().await;
    agent.ready().await;
    let feed = agent.feed(None).await;
    world.facebook.visitor_writes(VISITOR, "你好");
    let conversation = agent
        .until_shown(&feed, "mine", "the conversation", |shown| shown["phase"] == "with_agent")
        .await;
    let path = format!("/conversations/{}/replies", conversation["id"].as_str().unwrap());
    let reply = |key: &'static str, text: &'static str| agent.call(Method::POST, &path, Some(json!({"text": text})), Some(key));

    let at_once = futures::future::join_all((0..6).map(|_| reply("one", "只说一次"))).await;
    let first = at_once[0].clone().expect_success("a reply");
    for answer in &at_once {
        assert_eq!(
            (answer.status, &answer.body["message_id"]),
            (StatusCode::ACCEPTED, &first["message_id"]),
            "{at_once:?}"
        );
    }
    let later = reply("one", "只说一次").await;
    assert_eq!(later.body["message_id"], first["message_id"]);
    let reused = reply("one", "换一句话").await;
    assert_eq!(
        (reused.status, reused.problem()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("idempotency_key_reused"))
    );
    reply("two", "再说一次").await.expect_success("another reply");
    world.facebook.visitor_sees(VISITOR, "再说一次").await;
    world.until_settled(PATIENCE).await;
    assert_eq!(world.facebook.words_to(VISITOR), [TAKEN_BY_ZHANGSAN, "只说一次", "再说一次"]);
}

#[tokio::test]
async fn a_stopped_dispatcher_finishes_within_its_time_and_goes_on_where_it_was() {
    let mut world = World::build(WorldConfig::default()).await;
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    let status = world.dispatchers[0].stop().await;
    assert!(status.success(), "{status}");
    world.facebook.visitor_writes(VISITOR, "运费多少");
    world.facebook.wait_until_quiet(PATIENCE).await.unwrap();
    world.dispatchers[0].restart().await;
    world.facebook.visitor_sees(VISITOR, tests::chatopera::answer::SHIPPING).await;
    let status = world.ingress.stop().await;
    assert!(status.success(), "{status}");
}

use tests::chatopera::answer::{FALLBACK, GREETING, SHIPPING};
use tests::facebook::Tap;
use tests::world::{PATIENCE, VisitorActs as _, World, WorldConfig};

use crate::{TAKEN_BY_ZHANGSAN, TRANSFER, VISITOR};

#[tokio::test]
async fn with_people_first_a_ready_agent_gets_the_conversation_and_the_bot_is_not_asked() {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    let agent = world.agent().await;
    agent.ready().await;
    let feed = agent.feed(None).await;
    world.facebook.visitor_writes(VISITOR, "你好");
    let conversation = agent
        .until_shown(&feed, "mine", "the visitor's conversation", |shown| shown["phase"] == "with_agent")
        .await;
    world.facebook.visitor_sees(VISITOR, TAKEN_BY_ZHANGSAN).await;
    agent.reply(conversation["id"].as_str().unwrap(), "您好！").await;
    world.facebook.visitor_sees(VISITOR, "您好！").await;
    world.until_settled(PATIENCE).await;
    assert_eq!(world.facebook.words_to(VISITOR), [TAKEN_BY_ZHANGSAN, "您好！"]);
    assert!(world.chatopera.queries().is_empty());
}

#[tokio::test]
async fn with_people_first_the_bot_stands_in_while_nobody_is_ready() {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    world.facebook.visitor_writes(VISITOR, "运费多少");
    world.facebook.visitor_sees(VISITOR, SHIPPING).await;
    world.facebook.visitor_writes(VISITOR, "今天星期几");
    world.facebook.visitor_sees(VISITOR, FALLBACK).await;
    let agent = world.agent().await;
    agent.ready().await;
    world.facebook.visitor_taps_payload(VISITOR, TRANSFER);
    world.facebook.visitor_sees(VISITOR, TAKEN_BY_ZHANGSAN).await;
}

#[tokio::test]
async fn with_the_bot_only_nobody_is_handed_over_and_an_old_button_is_answered_with_a_text() {
    let world = World::build(WorldConfig::with_mode("bot_only")).await;
    let agent = world.agent().await;
    agent.ready().await;
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    world.facebook.visitor_writes(VISITOR, "今天星期几");
    let fallback = world.facebook.visitor_sees(VISITOR, FALLBACK).await;
    assert!(fallback.buttons.is_empty() && fallback.quick_replies.is_empty(), "{fallback:?}");
    let old_button = Tap {
        title: "转人工".to_owned(),
        payload: TRANSFER.to_owned(),
        mid: None,
    };
    world.facebook.visitor_taps(VISITOR, &old_button);
    world.facebook.visitor_sees(VISITOR, "抱歉，此处仅提供机器人客服。").await;
    world.facebook.visitor_writes(VISITOR, "运费多少");
    world.facebook.visitor_sees(VISITOR, SHIPPING).await;
    world.until_settled(PATIENCE).await;
    assert_eq!(
        world.database.count_events("handed_over") + world.database.count_events("queued"),
        0
    );
    assert!(agent.conversations("mine").await.is_empty());
}

use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::world::{PATIENCE, VisitorActs as _, World, WorldConfig};

use crate::{NOBODY_THERE, OTHER_VISITOR, TAKEN_BY_ZHANGSAN, VISITOR};

/// A world whose channel has no bot: everything goes to people.
async fn people_only() -> World {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    let channel = format!("/channels/{}", world.seed.channel_id);
    world.administrator().await.patch(&channel, json!({"bot_id": null})).await;
    world
}

fn is_about(text: &str) -> impl Fn(&Value) -> bool + '_ {
    move |conversation| conversation["phase"] == "with_agent" && conversation["last_message"]["text"] == text
}

#[tokio::test]
async fn when_an_agent_leaves_only_the_visitor_who_waits_for_an_answer_gets_another_one() {
    let world = people_only().await;
    let (leaving, administrator) = (world.agent().await, world.administrator().await);
    leaving.ready().await;
    let feed = leaving.feed(None).await;
    world.facebook.visitor_writes(VISITOR, "在吗");
    world.facebook.visitor_sees(VISITOR, TAKEN_BY_ZHANGSAN).await;
    world.facebook.visitor_writes(OTHER_VISITOR, "谢谢");
    world.facebook.visitor_sees(OTHER_VISITOR, TAKEN_BY_ZHANGSAN).await;
    world.facebook.visitor_writes(VISITOR, "还在吗");
    let unanswered = leaving.until_shown(&feed, "mine", "the question", is_about("还在吗")).await;
    let answered = leaving
        .until_shown(&feed, "mine", "the other one", |shown| shown["id"] != unanswered["id"])
        .await;
    leaving.reply(answered["id"].as_str().unwrap(), "不客气").await;
    world.facebook.visitor_sees(OTHER_VISITOR, "不客气").await;
    world.until_settled(PATIENCE).await;

    let staying = world.hire(&administrator, "lisi", 5).await;
    staying.ready().await;
    leaving.offline().await;
    world.facebook.visitor_sees(VISITOR, "坐席分配成功，lisi为您服务。").await;
    world.until_settled(PATIENCE).await;
    let of_staying = staying.conversations("mine").await;
    assert_eq!(of_staying.iter().map(|shown| &shown["id"]).collect::<Vec<_>>(), [&unanswered["id"]]);
    assert_eq!(
        world.facebook.words_to(OTHER_VISITOR),
        [TAKEN_BY_ZHANGSAN, "不客气"],
        "who was answered is told nothing"
    );
    let refused = leaving
        .act(unanswered["id"].as_str().unwrap(), "replies", json!({"text": "我回来了"}))
        .await;
    assert_eq!(
        (refused.status, refused.problem()),
        (StatusCode::CONFLICT, Some("not_your_conversation"))
    );
}

#[tokio::test]
async fn of_two_agents_who_click_accept_at_once_one_gets_the_conversation() {
    let world = people_only().await;
    let administrator = world.administrator().await;
    let mut agents = vec![world.agent().await];
    for login in ["lisi", "wangwu", "zhaoliu"] {
        agents.push(world.hire(&administrator, login, 5).await);
    }
    for agent in &agents {
        agent.busy().await;
    }
    for round in 0..3 {
        let psid = format!("60112233445566{round:02}");
        world.facebook.visitor_writes(&psid, "有人吗");
        world.facebook.visitor_sees(&psid, NOBODY_THERE).await;
        let waiting = agents[0].conversations("queue").await;
        assert_eq!(waiting.len(), 1);
        let id = waiting[0]["id"].as_str().unwrap();
        let clicks = futures::future::join_all(agents.iter().map(|agent| agent.act(id, "accept", json!({})))).await;
        let winners: Vec<usize> = (0..clicks.len()).filter(|agent| clicks[*agent].status.is_success()).collect();
        assert_eq!(winners.len(), 1, "{clicks:?}");
        let losers = clicks.iter().filter(|click| click.status == StatusCode::CONFLICT).count();
        assert_eq!(losers, agents.len() - 1, "{clicks:?}");
        let conversation = agents[0].conversation(id).await;
        assert_eq!(conversation["agent"]["id"], agents[winners[0]].person());
    }
    world.until_settled(PATIENCE).await;
    assert_eq!(world.database.count_events("accepted"), 3);
    assert_eq!(world.database.count_events("engaged"), 3, "only the winner's capacity is used");
}

#[tokio::test]
async fn a_waiting_visitor_is_served_as_soon_as_an_agent_frees_up() {
    let world = people_only().await;
    let administrator = world.administrator().await;
    let agent = world.hire(&administrator, "lisi", 1).await;
    agent.ready().await;
    let feed = agent.feed(None).await;
    let taken = "坐席分配成功，lisi为您服务。";
    world.facebook.visitor_writes(VISITOR, "第一位");
    world.facebook.visitor_sees(VISITOR, taken).await;
    world.facebook.visitor_writes(OTHER_VISITOR, "第二位");
    world
        .facebook
        .visitor_sees_one_with(OTHER_VISITOR, "the queue's text", |item| {
            item.text
                .as_deref()
                .is_some_and(|text| text.starts_with("坐席全忙，已进入等待队列"))
        })
        .await;
    let first = agent
        .until_shown(&feed, "mine", "the first visitor", |shown| shown["phase"] == "with_agent")
        .await;
    agent.close(first["id"].as_str().unwrap()).await;
    world.facebook.visitor_sees(OTHER_VISITOR, taken).await;
}

#[tokio::test]
async fn an_agent_hands_a_conversation_back_to_the_bot_and_to_the_queue() {
    let world = World::build(WorldConfig::with_mode("human_first")).await;
    let agent = world.agent().await;
    agent.ready().await;
    let feed = agent.feed(None).await;
    world.facebook.visitor_writes(VISITOR, "你好");
    let conversation = agent
        .until_shown(&feed, "mine", "the conversation", |shown| shown["phase"] == "with_agent")
        .await;
    let id = conversation["id"].as_str().unwrap();
    agent
        .act(id, "hand-over", json!({"to": "bot"}))
        .await
        .expect_success("hand-over to the bot");
    world.facebook.visitor_writes(VISITOR, "运费多少");
    world.facebook.visitor_sees(VISITOR, tests::chatopera::answer::SHIPPING).await;
    let refused = agent.act(id, "hand-over", json!({"to": "queue"})).await;
    assert_eq!(refused.problem(), Some("not_your_conversation"), "{refused:?}");
    agent.act(id, "accept", json!({})).await;
    world.until_settled(PATIENCE).await;
    assert_eq!(agent.conversation(id).await["phase"], "with_bot");
}

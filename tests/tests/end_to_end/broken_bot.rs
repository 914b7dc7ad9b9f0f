use tests::chatopera::answer::GREETING;
use tests::chatopera::{Modes, State};
use tests::world::{PATIENCE, VisitorActs as _, World, WorldConfig};

use crate::{NOBODY_THERE, TAKEN_BY_ZHANGSAN, VISITOR};

const BOT_IS_DOWN: &str = "抱歉，机器人客服暂时无法回答。";

fn down(state: State) -> Modes {
    Modes { state, ..Modes::default() }
}

#[tokio::test]
async fn when_the_bot_is_down_the_visitor_is_told_so_and_waits_for_a_person() {
    let world = World::build(WorldConfig::default()).await;
    let ways = [
        (State::Cut, "6011223344556671"),
        (State::ServerError, "6011223344556672"),
        (State::Garbled, "6011223344556673"),
    ];
    for (state, psid) in ways {
        world.chatopera.set_modes(down(state));
        world.facebook.visitor_writes(psid, "你好");
        world.facebook.visitor_sees(psid, BOT_IS_DOWN).await;
        world.facebook.visitor_sees(psid, NOBODY_THERE).await;
    }
    let agent = world.agent().await;
    let waiting = agent.conversations("queue").await;
    assert_eq!(waiting.len(), ways.len());
    assert!(waiting.iter().all(|shown| shown["phase"] == "waiting"), "{waiting:?}");
    agent.ready().await;
    for (state, psid) in ways {
        world.facebook.visitor_sees(psid, TAKEN_BY_ZHANGSAN).await;
        assert_eq!(
            world.facebook.words_to(psid),
            [BOT_IS_DOWN, NOBODY_THERE, TAKEN_BY_ZHANGSAN],
            "{state:?}"
        );
    }
}

#[tokio::test]
async fn where_only_the_bot_answers_it_is_asked_again_as_soon_as_it_is_back() {
    let world = World::build(WorldConfig::with_mode("bot_only")).await;
    world.chatopera.set_modes(down(State::ServerError));
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, BOT_IS_DOWN).await;
    world.chatopera.set_modes(Modes::default());
    world.facebook.visitor_writes(VISITOR, "您好");
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    assert_eq!(world.database.count_events("queued"), 0);
}

#[tokio::test]
async fn a_bot_that_answers_too_late_is_not_heard_any_more() {
    let world = World::build(WorldConfig::default()).await;
    let administrator = world.administrator().await;
    let bot = format!("/bots/{}", world.seed.bot_id);
    administrator.patch(&bot, serde_json::json!({"deadline_ms": 1000})).await;
    world.chatopera.set_modes(Modes {
        latency_ms: 3000,
        ..Modes::default()
    });
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, BOT_IS_DOWN).await;
    let agent = world.agent().await;
    agent.ready().await;
    world.facebook.visitor_sees(VISITOR, TAKEN_BY_ZHANGSAN).await;
    let finished = world.chatopera.wait_for(
        |record| record.queries.iter().all(|query| query.answered_at_us.is_some()).then_some(()),
        PATIENCE,
    );
    // Whether the bot noticed that nobody listens any more is its own affair.
    let _either_way = finished.await;
    world.until_settled(PATIENCE).await;
    assert!(!world.facebook.words_to(VISITOR).iter().any(|words| words == GREETING));
}

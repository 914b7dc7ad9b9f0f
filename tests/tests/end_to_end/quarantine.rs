use serde_json::json;
use tests::chatopera::answer::{GREETING, SHIPPING};
use tests::facebook::Page;
use tests::world::{PATIENCE, Poison, VisitorActs as _, World, WorldConfig, eventually};

use crate::VISITOR;

const NEW_PAGE: &str = "108242681234567";

fn quarantined(world: &World, kind: &str) -> i64 {
    world
        .database
        .count(&format!("SELECT count(*) AS count FROM quarantine WHERE kind = '{kind}'"))
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_quarantined_and_the_visitors_later_messages_go_on() {
    let world = World::build(WorldConfig::default()).await;
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    for (body, with_headers) in [
        (&b"{\"message\":"[..], true),
        (b"\xff\xfe\x00", true),
        (b"[]", true),
        (b"{}", false),
    ] {
        let poison = Poison {
            page_id: world.page().to_owned(),
            psid: VISITOR.to_owned(),
            body: body.to_vec(),
            with_headers,
        };
        world.broker.publish(&poison).await;
    }
    world.facebook.visitor_writes(VISITOR, "运费多少");
    world.facebook.visitor_sees(VISITOR, SHIPPING).await;
    eventually("every poison is kept", async || (quarantined(&world, "poison") == 4).then_some(())).await;
    world.until_settled(PATIENCE).await;
    assert_eq!(world.broker.dead().await, 0);
    assert_eq!(quarantined(&world, "poison"), 4);
    let readable = "SELECT count(*) AS count FROM quarantine WHERE encode(body, 'escape') LIKE '%message%'";
    assert_eq!(world.database.count(readable), 0, "what is kept is sealed");
}

#[tokio::test]
async fn events_of_an_unknown_page_are_kept_and_taken_in_as_soon_as_its_channel_is_there() {
    let more_pages = vec![Page::new(NEW_PAGE, "新主页", "EAA-token-of-the-new-page")];
    let world = World::build(WorldConfig {
        more_pages,
        ..WorldConfig::default()
    })
    .await;
    world.facebook.meet(NEW_PAGE, VISITOR);
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_writes(VISITOR, "运费多少");
    eventually("both are kept", async || (quarantined(&world, "unknown_page") == 2).then_some(())).await;
    assert_eq!(world.database.count_events("message_received"), 0);

    let channel = json!({"page_id": NEW_PAGE, "name": "新主页", "app_id": world.seed.app_id, "access_token": "EAA-token-of-the-new-page",
                         "skill_group_id": world.seed.skill_group_id, "bot_id": world.seed.bot_id, "work_mode": "bot_first"});
    world.administrator().await.post("/channels", channel).await;
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    world.facebook.visitor_sees(VISITOR, SHIPPING).await;
    world.facebook.visitor_writes(VISITOR, "您好");
    eventually("three answers", async || {
        (world.facebook.words_to(VISITOR).len() == 3).then_some(())
    })
    .await;
    world.until_settled(PATIENCE).await;
    assert_eq!(world.facebook.words_to(VISITOR), [GREETING, SHIPPING, GREETING]);
    assert!(world.facebook.sent_to(VISITOR).iter().all(|sent| sent.page_id == NEW_PAGE));
    assert_eq!(quarantined(&world, "unknown_page"), 0);
}

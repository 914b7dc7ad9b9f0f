use reqwest::StatusCode;
use serde_json::json;
use tests::chatopera::answer::{GREETING, SHIPPING};
use tests::facebook::{Faults, Page};
use tests::world::{PATIENCE, VisitorActs as _, World, WorldConfig, eventually};

use crate::{NOBODY_THERE, OTHER_VISITOR, VISITOR};

const SECOND_PAGE: &str = "108242681234567";
const SECOND_TOKEN: &str = "EAA-token-of-the-second-page";
const FOREIGN_PAGE: &str = "100500700900110";

async fn two_pages() -> World {
    let more_pages = vec![Page::new(SECOND_PAGE, "第二主页", SECOND_TOKEN)];
    let world = World::build(WorldConfig {
        more_pages,
        ..WorldConfig::default()
    })
    .await;
    let channel = json!({"page_id": SECOND_PAGE, "name": "第二主页", "app_id": world.seed.app_id, "access_token": SECOND_TOKEN,
                         "skill_group_id": world.seed.skill_group_id, "bot_id": null, "work_mode": "human_first"});
    world.administrator().await.post("/channels", channel).await;
    world
}

#[tokio::test]
async fn several_pages_of_one_app_share_a_callback_and_each_answers_in_its_own_name_and_mode() {
    let world = two_pages().await;
    // Both visitors' events may share a POST.
    world.facebook.set_faults(Faults {
        batch: 10,
        ..Faults::default()
    });
    world.facebook.meet(SECOND_PAGE, OTHER_VISITOR);
    for text in ["你好", "运费多少"] {
        world.facebook.visitor_writes(VISITOR, text);
        world.facebook.visitor_writes(OTHER_VISITOR, text);
    }
    world.facebook.visitor_sees(VISITOR, SHIPPING).await;
    world.facebook.visitor_sees(OTHER_VISITOR, NOBODY_THERE).await;
    world.until_settled(PATIENCE).await;
    assert_eq!(world.facebook.words_to(VISITOR), [GREETING, SHIPPING]);
    assert_eq!(world.facebook.words_to(OTHER_VISITOR), [NOBODY_THERE]);
    let pages: Vec<String> = world
        .facebook
        .sent()
        .iter()
        .map(|sent| format!("{} {}", sent.psid, sent.page_id))
        .collect();
    let expected = [format!("{VISITOR} {}", world.page()), format!("{OTHER_VISITOR} {SECOND_PAGE}")];
    assert!(pages.iter().all(|page| expected.contains(page)), "{pages:?}");
}

#[tokio::test]
async fn events_of_a_page_that_another_app_connected_are_refused_and_their_siblings_are_not() {
    let world = World::build(WorldConfig::default()).await;
    let administrator = world.administrator().await;
    let app = json!({"app_id": "222333444555", "name": "另一个应用", "app_secret": "another secret", "verify_token": "another token"});
    let app = administrator.post("/apps", app).await;
    let channel = json!({"page_id": FOREIGN_PAGE, "name": "别家", "app_id": app["app"]["id"], "access_token": "EAA-foreign",
                         "skill_group_id": world.seed.skill_group_id, "bot_id": null, "work_mode": "human_first"});
    administrator.post("/channels", channel).await;

    let event = |page: &str, mid: &str| {
        json!({"id": page, "time": 1_700_000_000_000_u64, "messaging": [
        {"sender": {"id": VISITOR}, "recipient": {"id": page}, "timestamp": 1_700_000_000_000_u64, "message": {"mid": mid, "text": "你好"}}]})
    };
    let (sender, refused) = (world.sender(), "ingress_foreign_events_refused_total");
    let mut posted = 0;
    // Ingress learns of the new channel within moments; until then the Page is nobody's.
    eventually("the foreign event is refused", async || {
        posted += 1;
        let mids = (format!("m_foreign_{posted}"), format!("m_own_{posted}"));
        let body = json!({"object": "page", "entry": [event(FOREIGN_PAGE, &mids.0), event(world.page(), &mids.1)]});
        assert_eq!(sender.post(world.page(), body.to_string().into_bytes()).await, Some(StatusCode::OK));
        (world.ingress.metric(refused).await > 0.0).then_some(())
    })
    .await;
    world.until_settled(PATIENCE).await;
    let stored: Vec<String> = world.database.received().into_iter().map(|received| received.mid).collect();
    assert!(!stored.contains(&format!("m_foreign_{posted}")), "{stored:?}");
    let own: Vec<String> = (1..=posted).map(|number| format!("m_own_{number}")).collect();
    assert!(own.iter().all(|mid| stored.contains(mid)), "{stored:?}");
}

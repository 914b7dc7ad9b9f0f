use std::collections::BTreeSet;

use tests::chatopera::answer::GREETING;
use tests::world::{FeedEvent, PATIENCE, VisitorActs as _, World, WorldConfig};

use crate::VISITOR;

fn ids(events: &[FeedEvent]) -> Vec<String> {
    let changes = events.iter().filter(|event| event.name == "changed");
    changes.filter_map(|event| event.id.clone()).collect()
}

#[tokio::test]
async fn a_feed_that_was_cut_resumes_without_a_gap_and_without_a_repeat() {
    let world = World::build(WorldConfig::default()).await;
    let administrator = world.administrator().await;
    let (whole, first) = (administrator.feed(None).await, administrator.feed(None).await);
    for feed in [&whole, &first] {
        feed.wait_for(PATIENCE, |event| event.name == "hello").await.unwrap();
    }
    let writes = async |number: usize| {
        let psid = format!("{VISITOR}{number}");
        world.facebook.visitor_writes(&psid, "你好");
        world.facebook.visitor_sees(&psid, GREETING).await;
    };
    for number in 0..3 {
        writes(number).await;
    }
    first
        .wait_for(PATIENCE, |event| event.data["type"] == "message_sent")
        .await
        .unwrap();
    let before = ids(&first.events());
    drop(first);
    for number in 3..6 {
        writes(number).await;
    }
    world.until_settled(PATIENCE).await;
    let second = administrator.feed(before.last().map(String::as_str)).await;
    writes(6).await;
    world.until_settled(PATIENCE).await;
    let last = world.database.events_of_type("message_sent").last().unwrap().payload["message"].clone();
    let is_last = |event: &FeedEvent| event.data["type"] == "message_sent" && event.data["payload"]["message"] == last;
    for feed in [&whole, &second] {
        feed.wait_for(PATIENCE, is_last).await.unwrap();
    }
    let resumed: Vec<String> = before.into_iter().chain(ids(&second.events())).collect();
    assert_eq!(resumed, ids(&whole.events()));
    assert_eq!(resumed.iter().collect::<BTreeSet<_>>().len(), resumed.len());
}

use tests::chatopera::answer::{GREETING, SHIPPING};
use tests::facebook::Faults;
use tests::trigger::Trigger;
use tests::world::{PATIENCE, VisitorActs as _, World, WorldConfig};

use crate::VISITOR;

#[tokio::test]
async fn what_facebook_delivers_twice_happens_once() {
    let world = World::build(WorldConfig::default()).await;
    world.facebook.set_faults(Faults {
        duplicate_webhook: Trigger::ALWAYS,
        ..Faults::default()
    });
    for _ in 0..3 {
        world.facebook.visitor_writes(VISITOR, "你好");
        world.facebook.visitor_writes(VISITOR, "运费多少");
    }
    let answers = |world: &World| world.facebook.sent_to(VISITOR).len();
    tests::world::eventually("six answers", async || (answers(&world) >= 6).then_some(())).await;
    world.until_settled(PATIENCE).await;
    let counts = world.facebook.webhooks();
    assert!(counts.duplicated >= 6, "{counts:?}");
    let mut mids: Vec<String> = world.database.received().into_iter().map(|received| received.mid).collect();
    assert_eq!(mids.len(), 6);
    mids.dedup();
    assert_eq!(mids.len(), 6);
    assert_eq!(world.chatopera.queries().len(), 6);
    assert_eq!(
        world.facebook.words_to(VISITOR),
        [GREETING, SHIPPING, GREETING, SHIPPING, GREETING, SHIPPING]
    );
}

#[tokio::test]
async fn a_send_whose_end_is_unknown_is_not_repeated_and_the_next_message_goes_on() {
    let world = World::build(WorldConfig::default()).await;
    world.facebook.set_faults(Faults {
        timeout_after: Trigger::next(1),
        hold_ms: 0,
        ..Faults::default()
    });
    world.facebook.visitor_writes(VISITOR, "你好");
    world.facebook.visitor_sees(VISITOR, GREETING).await;
    world.facebook.visitor_writes(VISITOR, "运费多少");
    world.facebook.visitor_sees(VISITOR, SHIPPING).await;
    world.until_settled(PATIENCE).await;
    assert_eq!(world.facebook.words_to(VISITOR), [GREETING, SHIPPING]);
    assert_eq!(world.database.count_events("message_unknown"), 1);
    assert_eq!(world.database.count_events("message_sent"), 1);
}

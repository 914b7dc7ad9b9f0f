//! Two dispatchers: when one dies, the other goes on where it was.

use std::time::{Duration, Instant};

use tests::facebook::Faults;
use tests::trigger::Trigger;
use tests::world::{Load, LoadPlan, PATIENCE, VisitorActs as _, World, WorldConfig, within};

/// Within this time the second dispatcher consumes.
const TAKEOVER: Duration = Duration::from_secs(5);
/// The lease of what the dead one had begun, a quiet period, and the backlog.
const DRAIN: Duration = Duration::from_secs(60);

fn two_dispatchers() -> WorldConfig {
    WorldConfig {
        dispatchers: 2,
        ..WorldConfig::default()
    }
}

fn plan(world: &World) -> LoadPlan {
    LoadPlan {
        page_id: world.page().to_owned(),
        visitors: 60,
        per_second: 150,
        most_per_visitor: 10_000,
        text: "运费".to_owned(),
    }
}

fn meet_everybody(world: &World, plan: &LoadPlan) {
    for number in 0..plan.visitors {
        world.facebook.meet(&plan.page_id, &LoadPlan::psid(number));
    }
}

fn stored(world: &World) -> i64 {
    world.database.count_events("message_received")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_when_a_dispatcher_is_killed_under_load_the_other_consumes_within_seconds_and_nothing_is_lost_or_doubled() {
    let mut world = World::build(two_dispatchers()).await;
    let plan = plan(&world);
    meet_everybody(&world, &plan);
    let load = Load::start(&plan, &world.sender());
    within(PATIENCE, "the first dispatcher is at work", async || {
        (stored(&world) > 300).then_some(())
    })
    .await;

    let (killed, before) = (Instant::now(), stored(&world));
    world.dispatchers.first_mut().unwrap().kill();
    // What it had committed in its last moments is counted, too; a hundred is more than that.
    within(TAKEOVER, "the second dispatcher consumes", async || {
        (stored(&world) > before + 100).then_some(())
    })
    .await;
    println!("100 messages after {:?}", killed.elapsed());

    world.dispatchers.first_mut().unwrap().restart().await;
    let after = stored(&world);
    within(PATIENCE, "work goes on with both", async || {
        (stored(&world) > after + 300).then_some(())
    })
    .await;
    world.dispatchers.last_mut().unwrap().kill();
    let after = stored(&world);
    within(TAKEOVER, "the first takes over again", async || {
        (stored(&world) > after + 100).then_some(())
    })
    .await;

    let ledger = load.stop().await;
    world.check_everything_happened_once(&ledger, DRAIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serial_when_a_dispatcher_is_stopped_under_load_it_hands_over_without_losing_order() {
    let mut world = World::build(two_dispatchers()).await;
    let plan = plan(&world);
    meet_everybody(&world, &plan);
    let load = Load::start(&plan, &world.sender());
    for dispatcher in [0, 1, 0] {
        let before = stored(&world);
        within(PATIENCE, "work goes on", async || (stored(&world) > before + 150).then_some(())).await;
        let running = world.dispatchers.get_mut(dispatcher).unwrap();
        let status = running.stop().await;
        assert!(status.success(), "{status}");
        running.restart().await;
    }
    let ledger = load.stop().await;
    world.check_everything_happened_once(&ledger, DRAIN).await;
}

#[tokio::test]
async fn serial_routing_and_the_feed_of_the_other_dispatcher_go_on_when_one_dies() {
    let mut world = World::build(two_dispatchers()).await;
    let second = world.dispatchers.last().unwrap().base_url();
    let agent = world.agent().await.at(&second);
    agent.ready().await;
    let feed = agent.feed(None).await;
    world.facebook.visitor_writes("6011223344556677", "你好");
    world
        .facebook
        .visitor_sees("6011223344556677", tests::chatopera::answer::GREETING)
        .await;
    // Were it killed with a send under way, the visitor's next message would wait for the lease of that one.
    world.until_settled(PATIENCE).await;
    world.dispatchers.first_mut().unwrap().kill();
    world.facebook.visitor_writes("6011223344556677", "今天星期几");
    world
        .facebook
        .visitor_sees("6011223344556677", tests::chatopera::answer::FALLBACK)
        .await;
    world.facebook.visitor_taps_payload("6011223344556677", "TRANSFER_LABOR");
    let conversation = agent
        .until_shown(&feed, "mine", "the conversation", |shown| shown["phase"] == "with_agent")
        .await;
    agent.reply(conversation["id"].as_str().unwrap(), "星期三").await;
    world.facebook.visitor_sees("6011223344556677", "星期三").await;
    world.until_settled(DRAIN).await;
    world.check_nothing_was_said_twice();
}

#[tokio::test]
async fn serial_an_idle_dispatcher_settles_what_the_dead_one_had_begun_and_never_sends_it_again() {
    let mut world = World::build(two_dispatchers()).await;
    world.facebook.set_faults(Faults {
        timeout_before: Trigger::next(1),
        ..Faults::default()
    });
    world.facebook.visitor_writes("6011223344556677", "你好");
    within(PATIENCE, "the answer's send has begun", async || {
        let effects = world.database.effects();
        effects.iter().any(|(effect, _)| effect.starts_with("once started")).then_some(())
    })
    .await;
    world.dispatchers.first_mut().unwrap().kill();
    within(DRAIN, "the lease lapses and the end is called unknown", async || {
        (world.database.count_events("message_unknown") == 1).then_some(())
    })
    .await;
    world.facebook.visitor_writes("6011223344556677", "运费多少");
    world
        .facebook
        .visitor_sees("6011223344556677", tests::chatopera::answer::SHIPPING)
        .await;
    world.until_settled(DRAIN).await;
    assert_eq!(world.facebook.words_to("6011223344556677"), [tests::chatopera::answer::SHIPPING]);
}

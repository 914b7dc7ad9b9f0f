use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::{Response, StatusCode};
use shared::{PageId, Partition, Party};

use crate::facebook::{PAGE, body, entry, message, one_message};
use crate::world::{Ingress, SECRET, World, eventually};

/// AMQP's `connection.blocked` with the reason "memory", as the broker sends it.
const BLOCKED: &[u8] = b"\x01\x00\x00\x00\x00\x00\x0b\x00\x0a\x00\x3c\x06memory\xce";
/// AMQP's `connection.unblocked`.
const UNBLOCKED: &[u8] = b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x3d\xce";

async fn deliver(ingress: &Ingress, mid: &str) -> Response {
    ingress.deliver_signed(SECRET, PAGE, one_message(mid)).await
}

fn assert_unavailable(response: &Response) {
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
}

async fn until_accepted(ingress: &Ingress, mid: &str) {
    eventually("a delivery is accepted again", async || {
        (deliver(ingress, mid).await.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_broker_deliveries_are_unavailable_and_its_return_is_noticed() {
    let world = World::new().await;
    world.to_broker.cut();
    let ingress = world.start().await;
    assert_unavailable(&deliver(&ingress, "m_1").await);
    let (status, parts) = ingress.readiness().await;
    assert_eq!((status, parts["broker"].as_bool()), (StatusCode::SERVICE_UNAVAILABLE, Some(false)));
    world.to_broker.mend();
    ingress.until_ready().await;
    assert_eq!(ingress.deliver(one_message("m_2")).await, StatusCode::OK);
    let stored: Vec<_> = world
        .broker
        .events()
        .await
        .into_iter()
        .map(|event| event.envelope.dedupe_key)
        .collect();
    assert_eq!(stored, [format!("{PAGE}/msg:m_2")]);
}

#[tokio::test]
async fn a_broker_that_is_away_for_long_is_told_at_once() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_broker.cut();
    eventually("an answer comes at once", async || {
        let started = Instant::now();
        assert_unavailable(&deliver(&ingress, "m_1").await);
        (started.elapsed() < Duration::from_millis(500)).then_some(())
    })
    .await;
    world.to_broker.mend();
    until_accepted(&ingress, "m_2").await;
}

#[tokio::test]
async fn a_broker_that_does_not_confirm_in_three_seconds_makes_facebook_try_again() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_broker.stall();
    let started = Instant::now();
    assert_unavailable(&deliver(&ingress, "m_1").await);
    let waited = started.elapsed();
    assert!(
        waited > Duration::from_millis(2_800) && waited < Duration::from_millis(4_500),
        "{waited:?}"
    );
    world.to_broker.mend();
    until_accepted(&ingress, "m_1").await;
}

#[tokio::test]
async fn a_silent_broker_is_given_up_and_connected_anew() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_broker.stall();
    assert_unavailable(&deliver(&ingress, "m_1").await);
    eventually("the silence is noticed", async || {
        (!ingress.readiness().await.1["broker"].as_bool().unwrap()).then_some(())
    })
    .await;
    world.to_broker.cut_once();
    ingress.until_ready().await;
    assert_eq!(ingress.deliver(one_message("m_2")).await, StatusCode::OK);
}

#[tokio::test]
async fn every_acceptance_survives_cuts_of_the_broker_connection_under_load() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let (mut accepted, mut refused) = (BTreeSet::new(), 0);
    for round in 0..5 {
        let deliveries = (0..40).map(|number| {
            let mid = format!("m_{round}_{number}");
            let ingress = &ingress;
            async move { (deliver(ingress, &mid).await.status(), mid) }
        });
        let cut = async {
            tokio::task::yield_now().await;
            world.to_broker.cut_once();
        };
        let (outcomes, ()) = futures::join!(futures::future::join_all(deliveries), cut);
        for (status, mid) in outcomes {
            match status {
                StatusCode::OK => assert!(accepted.insert(format!("{PAGE}/msg:{mid}"))),
                StatusCode::SERVICE_UNAVAILABLE => refused += 1,
                other => panic!("{other}"),
            }
        }
        until_accepted(&ingress, &format!("m_{round}_after")).await;
    }
    let stored: BTreeSet<_> = world
        .broker
        .events()
        .await
        .into_iter()
        .map(|event| event.envelope.dedupe_key)
        .collect();
    let lost: Vec<_> = accepted.difference(&stored).collect();
    assert!(lost.is_empty(), "{lost:?} were accepted and lost ({refused} refused)");
}

#[tokio::test]
async fn more_than_sixteen_mebibytes_without_a_confirm_are_refused_at_once() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_broker.stall();
    let large = body(&[entry(
        PAGE,
        &[format!(
            r#"{{"sender":{{"id":"1"}},"message":{{"mid":"m_1","text":"{}"}}}}"#,
            "x".repeat(7_900_000)
        )],
    )]);
    let started = Instant::now();
    let deliveries = (0..4).map(|_| async {
        let status = ingress.deliver(large.clone()).await;
        (status, started.elapsed())
    });
    let outcomes = futures::future::join_all(deliveries).await;
    assert!(outcomes.iter().all(|(status, _)| *status == StatusCode::SERVICE_UNAVAILABLE));
    let at_once = outcomes.iter().filter(|(_, after)| *after < Duration::from_millis(2_500)).count();
    assert_eq!(at_once, 2, "{outcomes:?}");
}

#[tokio::test]
async fn a_blocked_broker_is_told_at_once_and_its_release_is_noticed() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_broker.say_to_clients(BLOCKED).await;
    eventually("the block is noticed", async || {
        (!ingress.readiness().await.1["broker"].as_bool().unwrap()).then_some(())
    })
    .await;
    let started = Instant::now();
    assert_unavailable(&deliver(&ingress, "m_1").await);
    assert!(started.elapsed() < Duration::from_secs(1));
    world.to_broker.say_to_clients(UNBLOCKED).await;
    ingress.until_ready().await;
    assert_eq!(ingress.deliver(one_message("m_1")).await, StatusCode::OK);
}

#[tokio::test]
async fn a_message_that_no_broker_queue_takes_is_never_accepted_and_the_topology_is_restored() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let lost = Partition::of(&page(), &Party::Psid("4711".into()));
    world.broker.delete_queue(&world.broker.topology.events_queue(lost)).await;
    assert_unavailable(&deliver(&ingress, "m_1").await);
    until_accepted(&ingress, "m_1").await;
    assert_eq!(world.broker.events().await.len(), 1);
}

#[tokio::test]
async fn concurrent_deliveries_never_get_the_confirm_of_another() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    // The visitors of one partition lose their broker queue: none of theirs may be accepted before it is there again.
    for round in 0..10 {
        let missing = Partition::new(round).unwrap();
        world.broker.delete_queue(&world.broker.topology.events_queue(missing)).await;
        let visitors: Vec<_> = (0..64).map(|number| (1000 * u32::from(round) + number).to_string()).collect();
        let outcomes = futures::future::join_all(visitors.iter().map(|psid| deliver_from(&ingress, psid))).await;
        let bereft = visitors
            .iter()
            .find(|psid| Partition::of(&page(), &Party::Psid((*psid).clone())) == missing)
            .unwrap();
        eventually("the broker queue is there again", async || {
            (deliver_from(&ingress, bereft).await.0 == StatusCode::OK).then_some(())
        })
        .await;

        let stored: BTreeSet<_> = world
            .broker
            .events()
            .await
            .into_iter()
            .map(|event| event.envelope.dedupe_key)
            .collect();
        let lost: Vec<_> = outcomes
            .iter()
            .filter(|(status, key)| *status == StatusCode::OK && !stored.contains(key))
            .collect();
        assert!(lost.is_empty(), "round {round}: accepted and lost {lost:?}");
    }
}

fn page() -> PageId {
    PageId::parse(PAGE).unwrap()
}

/// Delivers one message of a visitor; the answer, and the key under which it must be found.
async fn deliver_from(ingress: &Ingress, psid: &str) -> (StatusCode, String) {
    let event = message(PAGE, psid, &format!("m_{psid}"));
    (
        ingress.deliver(body(&[entry(PAGE, &[event])])).await,
        format!("{PAGE}/msg:m_{psid}"),
    )
}

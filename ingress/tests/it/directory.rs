use std::time::{Duration, Instant};

use reqwest::StatusCode;
use runtime::live::{Topic, Wake, announce};
use serde_json::json;

use crate::facebook::{PAGE, body, entry, message, one_message};
use crate::world::{Ingress, SECRET, World, eventually};

async fn deliver_to(ingress: &Ingress, page: &str, mid: &str) -> StatusCode {
    ingress
        .deliver_signed(SECRET, page, body(&[entry(page, &[message(page, "1", mid)])]))
        .await
        .status()
}

#[tokio::test]
async fn a_path_that_was_just_created_is_found_by_its_first_request() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.database.add_channel("222", world.app);
    // The pause between looks for unknown paths begins with the one at the start.
    eventually("the new path is found", async || {
        (deliver_to(&ingress, "222", "m_1").await == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_callback_path_outlives_its_channel() {
    let world = World::new().await;
    world.database.execute("DELETE FROM channel");
    let ingress = world.start_ready().await;
    assert_eq!(ingress.deliver(one_message("m_1")).await, StatusCode::OK);
    assert_eq!(world.broker.events().await.len(), 1);
}

#[tokio::test]
async fn a_change_that_is_announced_is_known_at_once() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    eventually("ingress listens for wake-ups", async || {
        // Its queue is the only one bound to the exchange: until it is there, a mandatory message comes back.
        let exchange = runtime::broker::short(&world.broker.topology.live_exchange());
        world
            .broker
            .publish(exchange, "", lapin::BasicProperties::default())
            .await
            .then_some(())
    })
    .await;
    let started = Instant::now();
    world
        .database
        .set_secrets(world.app, json!({"app_secret": "rotated", "verify_token": "t"}));
    announce(&world.broker.channel, &world.broker.topology, &Wake::about(Topic::Directory))
        .await
        .unwrap();
    eventually("the new secret is known", async || {
        let response = ingress.deliver_signed("rotated", PAGE, one_message("m_1")).await;
        (response.status() == StatusCode::OK).then_some(())
    })
    .await;
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "only the periodic look found it: {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_change_whose_announcement_was_lost_is_known_a_little_later() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world
        .database
        .set_secrets(world.app, json!({"app_secret": "rotated", "verify_token": "t"}));
    eventually("the new secret is known", async || {
        let response = ingress.deliver_signed("rotated", PAGE, one_message("m_1")).await;
        (response.status() == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(ingress.deliver(one_message("m_2")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_database_outage_stops_nobody_who_was_known_before() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_database.cut();
    eventually("the outage is noticed", async || {
        ingress.log().contains("the directory could not be loaded").then_some(())
    })
    .await;
    assert_eq!(ingress.deliver(one_message("m_1")).await, StatusCode::OK);
    assert_eq!(ingress.readiness().await.0, StatusCode::OK);
    assert_eq!(deliver_to(&ingress, "222", "m_2").await, StatusCode::NOT_FOUND);
    world.to_database.mend();
    world.database.add_channel("222", world.app);
    eventually("the database is read again", async || {
        (deliver_to(&ingress, "222", "m_3").await == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_that_only_stops_answering_does_not_hold_up_a_delivery() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    world.to_database.stall();
    let started = Instant::now();
    assert_eq!(deliver_to(&ingress, "222", "m_1").await, StatusCode::NOT_FOUND);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let started = Instant::now();
    assert_eq!(ingress.deliver(one_message("m_2")).await, StatusCode::OK);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn without_a_first_look_at_the_directory_everything_is_unavailable_and_then_recovers() {
    let world = World::new().await;
    world.to_database.cut();
    let ingress = world.start().await;
    let response = ingress.deliver_signed(SECRET, PAGE, one_message("m_1")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    let (status, parts) = ingress.readiness().await;
    assert_eq!((status, &parts["directory"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    world.to_database.mend();
    ingress.until_ready().await;
    assert_eq!(ingress.deliver(one_message("m_1")).await, StatusCode::OK);
}

#[tokio::test]
async fn an_app_whose_secrets_do_not_open_is_unavailable_and_the_others_are_not() {
    let world = World::new().await;
    let other = world.database.add_app("2002", json!({"app_secret": "other", "verify_token": "t"}));
    world.database.add_channel("222", other);
    world.database.execute(&format!(
        "UPDATE app SET secrets = (SELECT secrets FROM app WHERE id = '{}') WHERE id = '{other}'",
        world.app
    ));
    let ingress = world.start_ready().await;
    assert_eq!(deliver_to(&ingress, "222", "m_1").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ingress.deliver(one_message("m_1")).await, StatusCode::OK);
}

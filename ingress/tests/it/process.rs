use std::net::TcpListener;
use std::process::Output;
use std::time::Instant;

use reqwest::StatusCode;

use crate::facebook::{PAGE, body, entry, message};
use crate::world::{World, command};

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn a_missing_variable_stops_the_start_with_one_line_that_names_it() {
    let world = World::new().await;
    for variable in ["DATABASE_URL", "AMQP_URL", "ENCRYPTION_KEY"] {
        let mut environment = world.environment();
        environment.remove(variable);
        let output = command(&environment).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let line = stderr(&output);
        assert!(
            line.starts_with(&format!("{variable} is missing: set it to ")) && line.lines().count() == 1,
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_wrong_variable_stops_the_start_with_one_line_that_names_it_and_not_its_value() {
    let world = World::new().await;
    let wrong = [
        ("DATABASE_URL", "geheim"),
        ("AMQP_URL", "http://geheim"),
        ("ENCRYPTION_KEY", "geheim"),
        ("INGRESS_LISTEN", "geheim"),
        ("RUST_LOG", "a=geheim"),
    ];
    for (variable, value) in wrong {
        let mut environment = world.environment();
        environment.insert(variable, value.to_owned());
        let output = command(&environment).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let line = stderr(&output);
        assert!(
            line.starts_with(&format!("{variable} is wrong, ")) && line.lines().count() == 1,
            "{line}"
        );
        assert!(variable == "RUST_LOG" || !line.contains("geheim"), "{line}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_told_as_a_wrong_variable() {
    let world = World::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut environment = world.environment();
    environment.insert("INGRESS_LISTEN", taken.local_addr().unwrap().to_string());
    let output = command(&environment).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("INGRESS_LISTEN is wrong, "), "{}", stderr(&output));
}

#[tokio::test]
async fn check_config_prints_every_setting_without_a_secret() {
    let world = World::new().await;
    let environment = world.environment();
    let output = command(&environment).arg("check-config").output().await.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for variable in [
        "DATABASE_URL",
        "AMQP_URL",
        "AMQP_PREFIX",
        "ENCRYPTION_KEY",
        "INGRESS_LISTEN",
        "RUST_LOG",
    ] {
        assert!(text.lines().any(|line| line.starts_with(&format!("{variable}="))), "{text}");
    }
    assert!(text.contains("ENCRYPTION_KEY=(set)") && text.contains(":***@"), "{text}");
    assert!(!text.contains(&environment["ENCRYPTION_KEY"]), "{text}");
}

#[tokio::test]
async fn it_is_ready_within_two_seconds_and_small() {
    let world = World::new().await;
    let started = Instant::now();
    let ingress = world.start_ready().await;
    let after = started.elapsed();
    assert!(after.as_secs() < 2, "{after:?}");
    assert_eq!(ingress.get("/healthz").await.status(), StatusCode::OK);
    let deliveries =
        (0..500).map(|number| ingress.deliver(body(&[entry(PAGE, &[message(PAGE, &number.to_string(), &format!("m_{number}"))])])));
    let accepted = futures::future::join_all(deliveries).await;
    assert!(accepted.iter().all(|status| *status == StatusCode::OK));
    assert!(ingress.resident() < 40 * 1024, "{} KiB", ingress.resident());
}

#[tokio::test]
async fn a_stop_finishes_what_is_being_answered() {
    let world = World::new().await;
    let mut ingress = world.start_ready().await;
    let events: Vec<_> = (0..1000)
        .map(|number| message(PAGE, &number.to_string(), &format!("m_{number}")))
        .collect();
    let whole = body(&[entry(PAGE, &events)]);
    let stop = async {
        tokio::task::yield_now().await;
        ingress.signal("-TERM");
    };
    let delivery = ingress.request(reqwest::Method::POST, &format!("/facebook/webhook/{PAGE}"));
    let signed = delivery
        .header("X-Hub-Signature-256", crate::facebook::sign(crate::world::SECRET, whole.as_bytes()))
        .body(whole);
    let (outcome, ()) = futures::join!(signed.send(), stop);
    assert!(ingress.ended().await.success());
    // Either it came too late for the listener, or it was answered, and then truthfully.
    if outcome.is_ok_and(|response| response.status() == StatusCode::OK) {
        assert_eq!(world.broker.events().await.len(), 1000);
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_broker_that_does_not_answer() {
    let world = World::new().await;
    world.to_broker.stall();
    let mut ingress = world.start().await;
    ingress.signal("-TERM");
    assert!(ingress.ended().await.success());
}

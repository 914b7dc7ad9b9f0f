use serde_json::json;
use tests::facebook::{ErrorFault, Faults, Refusal};
use tests::trigger::Trigger;

use crate::receiver::{PAGE, SOON, Stage, text_to};

fn stage_with(faults: Faults) -> Stage {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    stage.facebook.set_faults(faults);
    stage
}

#[tokio::test]
async fn a_timeout_before_accepting_cuts_the_call_and_accepts_nothing() {
    let stage = stage_with(Faults {
        timeout_before: Trigger::next(1),
        hold_ms: 0,
        ..Faults::default()
    });
    let error = stage.try_send(text_to("7", "您好")).await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    assert!(stage.facebook.sent().is_empty());
    assert_eq!(stage.send(text_to("7", "您好")).await.0, 200);
}

#[tokio::test]
async fn a_timeout_after_accepting_cuts_the_call_and_the_echo_still_comes() {
    let stage = stage_with(Faults {
        timeout_after: Trigger::next(1),
        hold_ms: 0,
        ..Faults::default()
    });
    let error = stage.try_send(text_to("7", "您好")).await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    let sent = stage.facebook.sent();
    assert_eq!(sent.len(), 1);
    let events = stage.receiver.wait_for_events(2).await;
    assert_eq!(events[0]["message"]["mid"], sent[0].mid.as_str());
    assert_eq!(events[0]["message"]["metadata"], "our-id");
}

#[tokio::test]
async fn a_held_call_outlasts_the_callers_patience() {
    let stage = stage_with(Faults {
        timeout_after: Trigger::next(1),
        hold_ms: 60_000,
        ..Faults::default()
    });
    let url = format!("{}/v25.0/{PAGE}/messages", stage.facebook.base_url());
    let patience = std::time::Duration::from_millis(300);
    let call = stage
        .client
        .post(url)
        .bearer_auth("page-token")
        .json(&text_to("7", "您好"))
        .timeout(patience)
        .send()
        .await;
    assert!(call.unwrap_err().is_timeout());
    assert_eq!(stage.facebook.sent().len(), 1);
}

#[tokio::test]
async fn a_server_error_comes_as_a_gateways_page_and_accepts_nothing() {
    let stage = stage_with(Faults {
        server_error: Trigger::next(1),
        ..Faults::default()
    });
    let answer = stage.try_send(text_to("7", "您好")).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("<html>"));
    assert!(stage.facebook.sent().is_empty());
}

#[tokio::test]
async fn an_error_of_graph_strikes_as_often_as_told_and_spares_signs() {
    let error = ErrorFault {
        refusal: Refusal::with_subcode(190, 460, "password changed"),
        when: Trigger::next(2),
    };
    let stage = stage_with(Faults {
        error: Some(error),
        ..Faults::default()
    });
    assert_eq!(
        stage.send(json!({"recipient": {"id": "7"}, "sender_action": "typing_on"})).await.0,
        200
    );
    for _ in 0..2 {
        let (status, answer) = stage.send(text_to("7", "您好")).await;
        assert_eq!(
            (status, &answer["error"]["code"], &answer["error"]["error_subcode"]),
            (400, &json!(190), &json!(460))
        );
    }
    assert_eq!(stage.send(text_to("7", "您好")).await.0, 200);
}

#[tokio::test]
async fn faults_are_set_and_shown_over_http() {
    let stage = stage_with(Faults::default());
    let faults = json!({"error": {"code": 613, "is_transient": true, "when": {"next": 1}}, "only_psid": "7"});
    assert_eq!(stage.put("/control/faults", faults).await, 200);
    assert_eq!(stage.get("/control/faults").await["error"]["when"]["next"], 1);
    let (_status, answer) = stage.send(text_to("7", "您好")).await;
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["is_transient"]),
        (&json!(613), &json!(true))
    );
    assert_eq!(stage.get("/control/faults").await["error"]["when"]["next"], 0);
    assert_eq!(stage.put("/control/faults", json!({"no_such_fault": true})).await, 400);
}

#[tokio::test]
async fn a_duplicate_is_the_same_event_once_more() {
    let stage = stage_with(Faults {
        duplicate_webhook: Trigger::next(1),
        ..Faults::default()
    });
    stage.facebook.visitor_writes("7", "一");
    stage.facebook.visitor_writes("7", "二");
    let events = stage.receiver.wait_for_events(3).await;
    let texts: Vec<&str> = events.iter().map(|event| event["message"]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["一", "一", "二"]);
    assert_eq!(stage.receiver.posts()[0].body, stage.receiver.posts()[1].body);
    assert_eq!(stage.facebook.webhooks().duplicated, 1);
}

#[tokio::test]
async fn a_delayed_echo_is_overtaken_by_the_delivery() {
    let stage = stage_with(Faults {
        delay_echo: Trigger::next(1),
        echo_delay_ms: 200,
        ..Faults::default()
    });
    stage.send(text_to("7", "您好")).await;
    let events = stage.receiver.wait_for_events(2).await;
    assert!(
        events[0].get("delivery").is_some() && events[1]["message"]["is_echo"] == true,
        "{events:?}"
    );
}

#[tokio::test]
async fn an_echo_that_never_comes_leaves_only_the_delivery() {
    let stage = stage_with(Faults {
        no_echo: Trigger::next(1),
        ..Faults::default()
    });
    stage.send(text_to("7", "您好")).await;
    stage.facebook.wait_until_quiet(SOON).await.unwrap();
    let events = stage.receiver.events();
    assert_eq!(events.len(), 1);
    assert!(events[0].get("delivery").is_some());
}

#[tokio::test]
async fn a_visitor_who_reads_at_once_is_told() {
    let stage = stage_with(Faults {
        read: Trigger::ALWAYS,
        no_delivery: Trigger::ALWAYS,
        ..Faults::default()
    });
    stage.send(text_to("7", "您好")).await;
    let events = stage.receiver.wait_for_events(2).await;
    assert_eq!(events[1]["read"]["watermark"], events[0]["timestamp"]);
}

#[tokio::test]
async fn the_same_seed_meets_the_same_faults() {
    async fn struck() -> Vec<u16> {
        let stage = stage_with(Faults {
            server_error: Trigger::chance(0.5),
            ..Faults::default()
        });
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(stage.try_send(text_to("7", "您好")).await.unwrap().status().as_u16());
        }
        statuses
    }
    let first = struck().await;
    assert_eq!(first, struck().await);
    assert!(first.contains(&200) && first.contains(&503));
}

use std::time::Duration;

use serde_json::{Value, json};
use tests::facebook::Page;

use crate::receiver::{PAGE, Stage, TOKEN, config, text_to};

fn numbers(answer: &(u16, Value)) -> (u16, u64, Option<u64>) {
    let error = &answer.1["error"];
    (answer.0, error["code"].as_u64().unwrap(), error["error_subcode"].as_u64())
}

async fn send_as(stage: &Stage, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let request = stage.client.post(format!("{}{path}", stage.facebook.base_url())).json(body);
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_accepted_message_is_answered_with_its_id_and_recorded() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    let (status, answer) = stage.send(text_to("7", "您好")).await;
    assert_eq!((status, &answer["recipient_id"]), (200, &json!("7")));
    let sent = stage.facebook.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(answer["message_id"], sent[0].mid.as_str());
    assert!(sent[0].mid.starts_with("m_"));
    assert_eq!((sent[0].text(), sent[0].metadata.as_deref()), (Some("您好"), Some("our-id")));
    let recorded = stage.get("/control/sent?psid=7").await;
    assert_eq!(
        (&recorded[0]["mid"], &recorded[0]["page_id"]),
        (&answer["message_id"], &json!(PAGE))
    );
    assert_eq!(stage.get("/control/sent?after=1").await, json!([]));
}

#[tokio::test]
async fn a_token_that_is_missing_wrong_or_of_another_page_is_refused() {
    let mut config = config();
    config.pages.push(Page::new("2", "另一个", "other-token"));
    let stage = Stage::set_with(config);
    stage.facebook.meet(PAGE, "7");
    let path = format!("/v25.0/{PAGE}/messages");
    let body = text_to("7", "您好");
    assert_eq!(numbers(&send_as(&stage, &path, None, &body).await), (400, 190, None));
    assert_eq!(numbers(&send_as(&stage, &path, Some("guessed"), &body).await), (400, 190, None));
    assert_eq!(
        numbers(&send_as(&stage, &path, Some("other-token"), &body).await),
        (400, 100, Some(33))
    );
    assert_eq!(send_as(&stage, "/v25.0/me/messages", Some(TOKEN), &body).await.0, 200);
    assert_eq!(send_as(&stage, &format!("{path}?access_token={TOKEN}"), None, &body).await.0, 200);
    assert_eq!(stage.facebook.sent().len(), 2);
}

#[tokio::test]
async fn a_stranger_gets_nothing() {
    let stage = Stage::set();
    assert_eq!(numbers(&stage.send(text_to("8", "您好")).await), (400, 100, Some(2_018_001)));
    assert!(stage.facebook.sent().is_empty());
}

#[tokio::test]
async fn after_a_day_only_a_human_agent_may_write_and_after_a_week_nobody() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    let tagged = json!({"recipient": {"id": "7"}, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT", "message": {"text": "您好"}});
    stage.facebook.shift_window_clock(Duration::from_secs(25 * 3600));
    assert_eq!(numbers(&stage.send(text_to("7", "您好")).await), (400, 10, Some(2_018_278)));
    assert_eq!(stage.send(tagged.clone()).await.0, 200);
    assert_eq!(
        stage.put("/control/window-clock", json!({"shift_seconds": 8 * 24 * 3600})).await,
        204
    );
    assert_eq!(numbers(&stage.send(tagged).await), (400, 10, Some(2_018_278)));
    stage.facebook.visitor_writes("7", "还在吗");
    assert_eq!(stage.send(text_to("7", "在")).await.0, 200);
}

#[tokio::test]
async fn a_message_that_breaks_a_limit_is_refused_in_graphs_shape() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    let (status, answer) = stage.send(text_to("7", &"长".repeat(2000))).await;
    assert_eq!((status, &answer["error"]["type"]), (400, &json!("OAuthException")));
    assert!(answer["error"]["message"].as_str().unwrap().starts_with("(#100)"));
    assert!(answer["error"]["fbtrace_id"].is_string());
    assert_eq!(numbers(&stage.send(json!([])).await), (400, 100, None));
    let retired = json!({"recipient": {"id": "7"}, "messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE", "message": {"text": "a"}});
    assert_eq!(numbers(&stage.send(retired).await), (400, 100, Some(1_893_061)));
    assert!(stage.facebook.sent().is_empty());
}

#[tokio::test]
async fn a_typing_sign_shows_until_the_message_comes() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    let answer = stage.send(json!({"recipient": {"id": "7"}, "sender_action": "typing_on"})).await;
    assert_eq!(answer, (200, json!({"recipient_id": "7"})));
    assert!(stage.facebook.thread("7").typing_until.is_some());
    assert_eq!(stage.get("/control/signs").await[0]["action"], "typing_on");
    stage.send(text_to("7", "您好")).await;
    assert_eq!(stage.facebook.thread("7").typing_until, None);
    assert_eq!(
        numbers(&stage.send(json!({"recipient": {"id": "8"}, "sender_action": "typing_on"})).await),
        (400, 100, Some(2_018_001))
    );
}

#[tokio::test]
async fn graph_tells_a_profile_and_the_subscribed_fields() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    let profile = stage.get("/v25.0/7?fields=first_name,last_name").await;
    assert_eq!(profile["id"], "7");
    assert!(profile["first_name"].is_string() && profile.get("name").is_none());
    assert_eq!(stage.get("/v25.0/8").await["error"]["error_subcode"], 33);
    assert_eq!(stage.get("/v25.0/me").await["id"], PAGE);
    let apps = stage.get(&format!("/v25.0/{PAGE}/subscribed_apps")).await;
    assert!(
        apps["data"][0]["subscribed_fields"]
            .as_array()
            .unwrap()
            .contains(&json!("message_echoes"))
    );
}

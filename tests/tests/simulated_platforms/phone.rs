use futures::StreamExt;
use serde_json::{Value, json};

use crate::receiver::{PAGE, SOON, Stage, text_to};

fn buttons_to(psid: &str) -> Value {
    json!({"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": {"attachment": {"type": "template", "payload": {
        "template_type": "button", "text": "没有找到答案", "buttons": [{"type": "postback", "title": "转人工", "payload": "TRANSFER_LABOR"}]}}}})
}

#[tokio::test]
async fn what_is_written_on_the_phone_becomes_a_webhook_and_gets_its_second_tick() {
    let stage = Stage::set();
    let (status, answer) = stage.post("/phone/threads/7/messages", json!({"text": "你好"})).await;
    assert_eq!(status, 202);
    let mid = serde_json::from_str::<Value>(&answer).unwrap()["mid"].clone();
    assert_eq!(
        stage.receiver.wait_for_events(1).await[0]["message"],
        json!({"mid": mid, "text": "你好"})
    );
    stage.facebook.wait_until_quiet(SOON).await.unwrap();
    let thread = stage.get("/phone/threads/7").await;
    assert_eq!(
        (&thread["items"][0]["from"], &thread["items"][0]["delivered"]),
        (&json!("visitor"), &json!(true))
    );
    assert_eq!(thread["page"]["name"], "春松客服 DEMO");
    assert_eq!(stage.post("/phone/threads/7/messages", json!({"text": " "})).await.0, 400);
    assert_eq!(stage.post("/phone/threads/seven/messages", json!({"text": "a"})).await.0, 400);
}

#[tokio::test]
async fn a_tap_on_a_button_is_a_postback_and_a_tap_on_a_quick_reply_a_message() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    stage.send(buttons_to("7")).await;
    let reply = json!({"content_type": "text", "title": "是", "payload": "__chatbot_help_positive"});
    let question =
        json!({"recipient": {"id": "7"}, "messaging_type": "RESPONSE", "message": {"text": "有帮助吗", "quick_replies": [reply]}});
    stage.send(question).await;
    stage.receiver.wait_for_events(4).await;
    stage
        .post("/phone/threads/7/taps", json!({"title": "转人工", "payload": "TRANSFER_LABOR"}))
        .await;
    stage
        .post(
            "/phone/threads/7/taps",
            json!({"title": "是", "payload": "__chatbot_help_positive"}),
        )
        .await;
    let events = stage.receiver.wait_for_events(6).await;
    let postback = &events[4]["postback"];
    assert_eq!(
        (&postback["title"], &postback["payload"]),
        (&json!("转人工"), &json!("TRANSFER_LABOR"))
    );
    let message = &events[5]["message"];
    assert_eq!(
        (&message["text"], &message["quick_reply"]["payload"]),
        (&json!("是"), &json!("__chatbot_help_positive"))
    );
    assert_eq!(events[0]["message"]["attachments"][0]["payload"]["buttons"][0]["title"], "转人工");
}

#[tokio::test]
async fn reading_on_the_phone_is_told_once() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    stage.send(text_to("7", "您好")).await;
    stage.receiver.wait_for_events(2).await;
    stage.post("/phone/threads/7/reads", json!({})).await;
    stage.post("/phone/threads/7/reads", json!({})).await;
    stage.facebook.wait_until_quiet(SOON).await.unwrap();
    let events = stage.receiver.events();
    assert_eq!(events.iter().filter(|event| event.get("read").is_some()).count(), 1);
}

#[tokio::test]
async fn the_phone_follows_its_thread_live() {
    let stage = Stage::set();
    let url = format!("{}/phone/threads/7/events", stage.facebook.base_url());
    let mut stream = stage.client.get(url).send().await.unwrap().bytes_stream();
    let mut seen = String::new();
    while !seen.contains("\n\n") {
        seen.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(seen.contains(r#""items":[]"#), "{seen}");
    stage.facebook.visitor_writes("8", "别人");
    stage.facebook.visitor_writes("7", "自己");
    let mut news = String::new();
    while !news.contains("自己") {
        news.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
    }
    assert!(!news.contains("别人"));
}

#[tokio::test]
async fn the_page_comes_with_its_parts_and_makes_up_a_visitor_when_none_is_named() {
    let stage = Stage::set();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client
        .get(format!("{}/phone?lang=en", stage.facebook.base_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("/phone?psid=") && location.ends_with("&lang=en"), "{location}");
    let page = client.get(stage.facebook.phone_url("7")).send().await.unwrap();
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let html = page.text().await.unwrap();
    for part in ["/phone/phone.css", "/phone/phone.js"] {
        assert!(html.contains(part));
        assert_eq!(
            client
                .get(format!("{}{part}", stage.facebook.base_url()))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
}

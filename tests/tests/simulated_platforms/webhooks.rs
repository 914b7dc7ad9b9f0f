use serde_json::{Value, json};
use tests::facebook::{Faults, SimulatedFacebook, WebhookConfig, signature};

use crate::receiver::{APP_ID, PAGE, Receiver, SECRET, SOON, Stage, config, text_to};

#[tokio::test]
async fn a_visitors_message_comes_signed_over_its_escaped_bytes() {
    let stage = Stage::set();
    let mid = stage.facebook.visitor_writes("7", "你好 <b>50%</b> me@例子 😀");
    let events = stage.receiver.wait_for_events(1).await;
    assert_eq!(events[0]["message"], json!({"mid": mid, "text": "你好 <b>50%</b> me@例子 😀"}));
    let post = &stage.receiver.posts()[0];
    assert!(post.body.is_ascii());
    let written = std::str::from_utf8(&post.body).unwrap();
    assert!(
        written.contains(r"\u4f60\u597d \u003cb>50\u0025\u003c\/b> me\u0040\u4f8b\u5b50 \ud83d\ude00"),
        "{written}"
    );
    assert_eq!(post.sha256, signature::sha256_header(SECRET, &post.body));
    assert_eq!(post.sha1, signature::sha1_header(SECRET, &post.body));
    let decoded = serde_json::from_slice::<Value>(&post.body).unwrap().to_string();
    assert_ne!(post.sha256, signature::sha256_header(SECRET, decoded.as_bytes()));
}

#[tokio::test]
async fn an_accepted_message_is_echoed_and_delivered_in_this_order() {
    let stage = Stage::set();
    stage.facebook.meet(PAGE, "7");
    let (_status, answer) = stage.send(text_to("7", "您好")).await;
    let events = stage.receiver.wait_for_events(2).await;
    let echo = &events[0];
    assert_eq!((&echo["sender"]["id"], &echo["recipient"]["id"]), (&json!(PAGE), &json!("7")));
    let expected = json!({"is_echo": true, "app_id": APP_ID, "metadata": "our-id", "mid": answer["message_id"], "text": "您好"});
    assert_eq!(echo["message"], expected);
    assert_eq!(events[1]["delivery"]["mids"], json!([answer["message_id"]]));
    assert_eq!(events[1]["sender"]["id"], "7");
    stage.facebook.wait_until_quiet(SOON).await.unwrap();
}

#[tokio::test]
async fn a_callback_that_fails_is_tried_again_until_it_takes_the_event_and_the_order_stays() {
    let stage = Stage::set();
    stage.receiver.answer_next_with(&[500, 503, 202, 404, 500]);
    let mids: Vec<String> = (0..3)
        .map(|number| stage.facebook.visitor_writes("7", &number.to_string()))
        .collect();
    let events = stage.receiver.wait_for_events(3).await;
    let taken: Vec<&str> = events.iter().map(|event| event["message"]["mid"].as_str().unwrap()).collect();
    assert_eq!(taken, mids);
    stage.facebook.wait_until_quiet(SOON).await.unwrap();
    let counts = stage.facebook.webhooks();
    assert_eq!((counts.attempts, counts.failures, counts.delivered, counts.lost), (8, 5, 3, 0));
    let posts = stage.receiver.posts();
    assert!(
        posts[..6].iter().all(|post| post.body == posts[0].body),
        "a repetition is the same bytes"
    );
}

#[tokio::test]
async fn an_event_is_given_up_in_the_end() {
    let mut config = config();
    config.webhooks = WebhookConfig {
        attempts: 3,
        ..WebhookConfig::default()
    };
    let stage = Stage::set_with(config);
    stage.receiver.answer_next_with(&[500, 500, 500]);
    stage.facebook.visitor_writes("7", "一");
    stage.facebook.wait_until_quiet(SOON).await.unwrap();
    assert_eq!(stage.facebook.webhooks().lost, 1);
    assert!(!stage.facebook.thread("7").items[0].delivered);
    stage.facebook.visitor_writes("7", "二");
    assert_eq!(stage.receiver.wait_for_events(1).await[0]["message"]["text"], "二");
}

#[tokio::test]
async fn events_wait_for_a_callback_and_share_posts_when_told() {
    let facebook = SimulatedFacebook::start(config()).unwrap();
    let receiver = Receiver::start();
    facebook.set_faults(Faults {
        batch: 10,
        batch_in_one_entry: true,
        ..Faults::default()
    });
    for number in 0..6 {
        facebook.visitor_writes("7", &number.to_string());
    }
    assert_eq!(facebook.webhooks().pending, 6);
    facebook.set_callback(&receiver.url()).unwrap();
    let events = receiver.wait_for_events(6).await;
    let texts: Vec<&str> = events.iter().map(|event| event["message"]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5"]);
    assert!(receiver.posts().len() <= 2, "the lane takes the first event, then all that wait");
    assert!(facebook.set_callback("http://192.0.2.1/").is_err());
}

#[tokio::test]
async fn the_handshake_is_accepted_only_with_the_verify_token() {
    let stage = Stage::set();
    let right = stage.facebook.handshake(None, "1158201444").await.unwrap().unwrap();
    assert!(right.accepted);
    assert_eq!(right.body, "1158201444");
    let wrong = stage.facebook.handshake(Some("guessed"), "1158201444").await.unwrap().unwrap();
    assert_eq!((wrong.accepted, wrong.status), (false, 403));
}

#[tokio::test]
async fn any_event_can_be_sent() {
    let stage = Stage::set();
    let event = json!({"sender": {"id": "7"}, "recipient": {"id": PAGE}, "timestamp": 1, "reaction": {"emoji": "❤️", "action": "react", "mid": "m_x"}});
    stage.facebook.send_event(PAGE, "7", &event).unwrap();
    assert_eq!(stage.receiver.wait_for_events(1).await, [event]);
}

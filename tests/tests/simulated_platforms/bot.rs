use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tests::chatopera::answer::{FALLBACK, GREETING, SHIPPING, SLOW};
use tests::chatopera::{Credentials, Modes, ServiceError, SimulatedChatopera, State};

use crate::receiver::{SOON, client};

const CLIENT: &str = "5f0fd4ca5b38fb0015aa0001";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn bot() -> SimulatedChatopera {
    SimulatedChatopera::start(Credentials {
        client_id: CLIENT.to_owned(),
        secret: Some(SECRET.to_owned()),
    })
    .unwrap()
}

fn authorization(secret: &str, method: &str, path: &str) -> String {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{CLIENT}{timestamp}4711{method}{path}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    STANDARD.encode(json!({"appId": CLIENT, "timestamp": timestamp, "random": "4711", "signature": signature}).to_string())
}

async fn try_ask(bot: &SimulatedChatopera, secret: &str, user: &str, text: &str) -> Result<reqwest::Response, reqwest::Error> {
    let path = format!("/api/v1/chatbot/{CLIENT}/conversation/query?sdklang=rust");
    let request = client()
        .post(format!("{}{path}", bot.base_url()))
        .header("Authorization", authorization(secret, "POST", &path));
    request.json(&json!({"fromUserId": user, "textMessage": text})).send().await
}

async fn ask(bot: &SimulatedChatopera, user: &str, text: &str) -> Value {
    try_ask(bot, SECRET, user, text).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_signed_question_is_answered_by_its_text() {
    let bot = bot();
    assert_eq!(ask(&bot, "7", "你好").await["data"]["string"], GREETING);
    let faq = ask(&bot, "7", "运费多少").await;
    assert_eq!(
        (&faq["rc"], &faq["data"]["string"], &faq["data"]["service"]["provider"]),
        (&json!(0), &json!(SHIPPING), &json!("faq"))
    );
    let fallback = ask(&bot, "8", "天气").await;
    assert_eq!(
        (&fallback["data"]["string"], &fallback["data"]["logic_is_fallback"]),
        (&json!(FALLBACK), &json!(true))
    );
    let texts: Vec<String> = bot.queries_of("7").into_iter().map(|query| query.text).collect();
    assert_eq!(texts, ["你好", "运费多少"]);
    assert!(
        bot.queries()
            .iter()
            .all(|query| query.answered_at_us.is_some() && !query.overlapping)
    );
}

#[tokio::test]
async fn a_question_under_the_wrong_secret_is_kept_out_with_http_200() {
    let bot = bot();
    let answer = try_ask(&bot, "another secret", "7", "你好").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({"rc": 1, "error": "invalid signature."})
    );
    assert!(bot.queries().is_empty());
}

#[tokio::test]
async fn the_query_string_belongs_to_what_is_signed() {
    let bot = bot();
    let path = format!("/api/v1/chatbot/{CLIENT}/conversation/query");
    let request = client()
        .post(format!("{}{path}?sdklang=rust", bot.base_url()))
        .header("Authorization", authorization(SECRET, "POST", &path));
    let answer: Value = request
        .json(&json!({"fromUserId": "7", "textMessage": "你好"}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["error"], "invalid signature.");
}

#[tokio::test]
async fn a_muted_user_a_refusing_service_and_a_broken_one_answer_as_such() {
    let bot = bot();
    bot.set_modes(Modes {
        muted: vec!["7".to_owned()],
        ..Modes::default()
    });
    assert_eq!(ask(&bot, "7", "你好").await["data"]["service"]["provider"], "mute");
    assert_eq!(ask(&bot, "8", "你好").await["data"]["string"], GREETING);
    bot.set_modes(Modes {
        refusal: Some(ServiceError {
            rc: 999,
            error: "quota".to_owned(),
        }),
        ..Modes::default()
    });
    assert_eq!(ask(&bot, "8", "你好").await, json!({"rc": 999, "error": "quota"}));
    bot.set_modes(Modes {
        state: State::ServerError,
        ..Modes::default()
    });
    assert_eq!(try_ask(&bot, SECRET, "8", "你好").await.unwrap().status(), 503);
    bot.set_modes(Modes {
        state: State::Cut,
        ..Modes::default()
    });
    assert!(try_ask(&bot, SECRET, "8", "你好").await.unwrap_err().is_request());
    assert_eq!(bot.queries().last().unwrap().answered_at_us, None);
    bot.set_modes(Modes {
        state: State::Garbled,
        ..Modes::default()
    });
    assert!(try_ask(&bot, SECRET, "8", "你好").await.unwrap().json::<Value>().await.is_err());
}

#[tokio::test]
async fn a_slow_answer_takes_its_time_and_a_second_question_meanwhile_overlaps() {
    let bot = bot();
    bot.set_modes(Modes {
        slow_ms: 400,
        ..Modes::default()
    });
    let (slow, quick) = tokio::join!(ask(&bot, "7", "慢"), async {
        bot.wait_for(|record| (record.total == 1).then_some(()), SOON).await.unwrap();
        ask(&bot, "7", "你好").await
    });
    assert_eq!(
        (&slow["data"]["string"], &quick["data"]["string"]),
        (&json!(SLOW), &json!(GREETING))
    );
    let queries = bot.queries_of("7");
    assert_eq!((queries[0].overlapping, queries[1].overlapping), (false, true));
    let took = Duration::from_micros(u64::try_from(queries[0].answered_at_us.unwrap() - queries[0].received_at_us).unwrap());
    assert!(took >= Duration::from_millis(400), "{took:?}");
}

#[tokio::test]
async fn the_bots_basic_information_is_told_to_whom_signs() {
    let bot = bot();
    let path = format!("/api/v1/chatbot/{CLIENT}");
    let url = format!("{}{path}", bot.base_url());
    let signed = client()
        .get(&url)
        .header("Authorization", authorization(SECRET, "GET", &path))
        .send()
        .await
        .unwrap();
    assert_eq!(signed.json::<Value>().await.unwrap()["data"]["primaryLanguage"], "zh_CN");
    let unsigned: Value = client().get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(unsigned["error"], "invalid authorization.");
}

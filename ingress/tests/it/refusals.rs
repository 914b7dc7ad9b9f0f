use reqwest::{Method, StatusCode};
use serde_json::json;
use shared::signature::HEADER;

use crate::facebook::{PAGE, body, entry, one_message, sign, signature_vectors};
use crate::world::{Ingress, SECRET, World};

const CAP: usize = 8 * 1024 * 1024;

async fn post(ingress: &Ingress, header: Option<(&str, String)>, body: impl Into<reqwest::Body>) -> StatusCode {
    let request = ingress.request(Method::POST, &format!("/facebook/webhook/{PAGE}")).body(body);
    let request = match header {
        Some((name, value)) => request.header(name, value),
        None => request,
    };
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_missing_wrong_or_malformed_signature_is_unauthorised_and_nothing_is_stored() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let whole = one_message("m_1");
    let good = sign(SECRET, whole.as_bytes());
    let headers = [
        None,
        Some((HEADER, String::new())),
        Some((HEADER, good.replace("sha256=", ""))),
        Some((HEADER, good.replace("sha256=", "sha1="))),
        Some((HEADER, format!("{good}00"))),
        Some((HEADER, sign("another secret", whole.as_bytes()))),
        Some(("X-Hub-Signature", good.clone())),
    ];
    for header in headers {
        assert_eq!(
            post(&ingress, header.clone(), whole.clone()).await,
            StatusCode::UNAUTHORIZED,
            "{header:?}"
        );
    }
    assert_eq!(
        post(&ingress, Some((HEADER, good)), whole.replace("m_1", "m_2")).await,
        StatusCode::UNAUTHORIZED
    );
    assert!(world.broker.events().await.is_empty());
    assert_eq!(ingress.metric(r#"ingress_webhooks_total{outcome="bad_signature"}"#).await, 8.0);
}

#[tokio::test]
async fn the_old_signature_and_decoded_bytes_are_not_enough() {
    let world = World::new().await;
    let vector = signature_vectors()
        .into_iter()
        .find(|vector| vector.name == "escaped-unicode-string-ids")
        .unwrap();
    world
        .database
        .set_secrets(world.app, json!({"app_secret": vector.app_secret, "verify_token": "t"}));
    let ingress = world.start_ready().await;
    assert_eq!(
        post(&ingress, Some(("X-Hub-Signature", vector.x_hub_signature)), vector.raw_body.clone()).await,
        StatusCode::UNAUTHORIZED
    );
    let decoded = vector.raw_body.replace("\\u00e4\\u00eb\\u00ef", "äëï");
    assert_ne!(decoded, vector.raw_body);
    assert_eq!(
        post(&ingress, Some((HEADER, vector.x_hub_signature_256)), decoded).await,
        StatusCode::UNAUTHORIZED
    );
    assert!(world.broker.events().await.is_empty());
}

#[tokio::test]
async fn what_is_neither_signed_nor_json_is_a_bad_request() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    for nonsense in ["", "hello", "{", "a=1&b=2"] {
        assert_eq!(post(&ingress, None, nonsense).await, StatusCode::BAD_REQUEST, "{nonsense}");
    }
    assert!(world.broker.unparsed().await.is_empty());
}

/// A valid body of exactly this many bytes.
fn body_of(bytes: usize) -> String {
    let around = body(&[entry(PAGE, &[event("")])]).len();
    let whole = body(&[entry(PAGE, &[event(&"x".repeat(bytes - around))])]);
    assert_eq!(whole.len(), bytes);
    whole
}

fn event(text: &str) -> String {
    format!(r#"{{"sender":{{"id":"4711"}},"recipient":{{"id":"{PAGE}"}},"message":{{"mid":"m_1","text":"{text}"}}}}"#)
}

#[tokio::test]
async fn a_body_over_the_cap_is_too_large_and_one_of_exactly_the_cap_is_stored() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let (largest, larger) = (body_of(CAP), body_of(CAP + 1));
    assert_eq!(
        post(&ingress, Some((HEADER, sign(SECRET, larger.as_bytes()))), larger.clone()).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = larger.as_bytes().chunks(65_536).map(|chunk| Ok(chunk.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    assert_eq!(
        post(&ingress, Some((HEADER, sign(SECRET, larger.as_bytes()))), chunked).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        post(&ingress, Some((HEADER, sign(SECRET, largest.as_bytes()))), largest).await,
        StatusCode::OK
    );
    assert_eq!(world.broker.events().await.len(), 1);
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let put = ingress
        .request(Method::PUT, &format!("/facebook/webhook/{PAGE}"))
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), StatusCode::METHOD_NOT_ALLOWED);
    for path in [
        "/",
        "/facebook/webhook",
        "/facebook/webhook/",
        "/facebook/webhook/1/2",
        "/api/v1/session",
    ] {
        assert_eq!(ingress.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

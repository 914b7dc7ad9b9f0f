use reqwest::StatusCode;

use crate::facebook::PAGE;
use crate::world::{VERIFY_TOKEN, World};

#[tokio::test]
async fn the_right_token_is_answered_with_the_bare_challenge_on_both_paths() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    for prefix in ["facebook", "messenger"] {
        let query = format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444");
        let response = ingress.get(&format!("/{prefix}/webhook/{PAGE}?{query}")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.text().await.unwrap(), "1158201444");
    }
}

#[tokio::test]
async fn everything_but_the_right_token_and_mode_is_forbidden() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let queries = [
        "hub.mode=subscribe&hub.verify_token=foobar2&hub.challenge=1".to_owned(),
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1".to_owned(),
        "hub.mode=subscribe&hub.challenge=1".to_owned(),
        format!("hub.mode=unsubscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1"),
        format!("hub.verify_token={VERIFY_TOKEN}&hub.challenge=1"),
        format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}"),
        String::new(),
    ];
    for query in queries {
        let response = ingress.get(&format!("/facebook/webhook/{PAGE}?{query}")).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{query}");
    }
}

#[tokio::test]
async fn a_path_that_was_never_seen_is_not_found() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let query = format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1");
    assert_eq!(
        ingress.get(&format!("/facebook/webhook/999?{query}")).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(ingress.deliver_signed("x", "999", "{}").await.status(), StatusCode::NOT_FOUND);
}

//! The console's files and everything around them.

use reqwest::Method;

use crate::world::{Caller, Wishes, World};

async fn built() -> World {
    let folder = std::env::temp_dir().join(format!("api-console-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    std::fs::write(folder.join("index.html"), "<!doctype html><title>Frontdesk</title>").unwrap();
    std::fs::write(folder.join("assets/index-abc.js"), "export {}").unwrap();
    let world = World::with(Wishes {
        console: folder.clone(),
        ..Wishes::default()
    })
    .await;
    std::fs::remove_dir_all(folder).unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_console_shows_the_console() {
    let world = built().await;
    for path in ["!/", "!/conversations/7", "!/index.html"] {
        let reply = world.stranger().get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(reply.headers["cache-control"], "no-cache");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_by_browsers_as_long_as_they_are_right() {
    let world = built().await;
    let asset = world.stranger().get("!/assets/index-abc.js").await;
    assert_eq!(asset.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(asset.headers["content-type"], "text/javascript; charset=utf-8");
    world.stranger().get("!/assets/index-old.js").await.refused(404, "not_found");
    let page = world.stranger().get("!/").await;
    let again = world
        .stranger()
        .request(Method::GET, "!/")
        .header("if-none-match", &page.headers["etag"]);
    assert_eq!(Caller::send(again).await.status, 304);
    let post = world.stranger().request(Method::POST, "!/");
    Caller::send(post).await.refused(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_of_the_api_is_a_problem_and_never_the_console() {
    let world = built().await;
    for path in ["!/api", "!/api/", "!/api/v1", "!/api/v1/nothing", "!/api/v2/session"] {
        world.stranger().get(path).await.refused(404, "not_found");
    }
    let reply = Caller::send(world.stranger().request(Method::PUT, "/session")).await;
    assert_eq!(reply.headers["allow"], "GET, POST, DELETE");
    reply.refused(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_are_told_to_anybody() {
    let world = built().await;
    assert_eq!(world.stranger().get("!/healthz").await.status, 200);
    let ready = world.stranger().get("!/readyz").await.ok();
    assert_eq!(ready, serde_json::json!({"ready": true, "database": true}));
}

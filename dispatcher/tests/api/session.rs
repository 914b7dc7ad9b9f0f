//! Signing in and out.

use diesel::{RunQueryDsl as _, sql_query};
use reqwest::Method;
use serde_json::json;

use crate::world::{Caller, PASSWORD, World};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_login_and_password_is_signed_in_and_told_what_they_may() {
    let world = World::new().await;
    let floor = world.floor().await;
    let session = floor.agent.get("/session").await.ok();
    assert_eq!(session["person"]["login"], "zhangsan");
    assert_eq!(session["person"]["skill_groups"], json!([floor.group]));
    assert_eq!(session["csrf_token"], floor.agent.csrf);
    assert_eq!(
        session["permissions"],
        json!(["conversation.read", "conversation.reply", "presence.change"])
    );
    assert_eq!(
        session["presence"],
        json!({"presence": "offline", "capacity": 3, "active": 0, "position": null})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
    let world = World::new().await;
    world.administrator().await;
    let reply = world
        .stranger()
        .post("/session", json!({"login": "admin", "password": PASSWORD}))
        .await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    for part in ["frontdesk_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(reply.headers["cache-control"], "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_login_and_a_wrong_password_are_refused_alike() {
    let world = World::new().await;
    world.administrator().await;
    let refusal = async |login: &str| {
        let body = json!({"login": login, "password": "wrong password"});
        world.stranger().post("/session", body).await.refused(401, "wrong_credentials")
    };
    assert_eq!(refusal("admin").await, refusal("nobody").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_even_for_whoever_guesses_right_in_the_end() {
    let world = World::new().await;
    world.administrator().await;
    let guess = async |password: &str| {
        let body = json!({"login": "admin", "password": password});
        world.stranger().post("/session", body).await
    };
    for _ in 0..10 {
        guess("wrong password").await.refused(401, "wrong_credentials");
    }
    let reply = guess(PASSWORD).await;
    let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    reply.refused(429, "too_many_attempts");
    assert!((1..=300).contains(&wait));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_without_the_csrf_token_is_refused() {
    let world = World::new().await;
    let admin = world.administrator().await;
    for csrf in ["", "wrong"] {
        let forged = Caller {
            csrf: csrf.to_owned(),
            ..admin.clone()
        };
        forged
            .put("/presence", json!({"presence": "ready"}))
            .await
            .refused(403, "csrf_token_missing");
        forged.get("/presence").await.ok();
    }
    let without = Caller::send(world.stranger().request(Method::DELETE, "/session").header("cookie", &admin.cookie)).await;
    without.refused(403, "csrf_token_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_out_takes_no_more_conversations_and_the_session_is_over() {
    let world = World::new().await;
    let floor = world.floor().await;
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    let reply = floor.agent.delete("/session").await;
    assert_eq!(reply.status, 204);
    assert!(reply.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    floor.agent.get("/session").await.refused(401, "not_signed_in");
    let again = world.sign_in("zhangsan").await;
    assert_eq!(again.get("/presence").await.ok()["presence"], "offline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_slides_while_it_is_used_but_not_beyond_a_day() {
    let world = World::new().await;
    let admin = world.administrator().await;
    let mut database = world.database.connection();
    let mut shift = |created: &str, expires: &str| {
        let statement = format!("UPDATE session SET created_at = now() - interval '{created}', expires_at = now() + interval '{expires}'");
        sql_query(statement).execute(&mut database).unwrap();
    };
    shift("8 hours", "4 hours");
    admin.get("/session").await.ok();
    assert_eq!(remaining_minutes(&world), 12 * 60);
    shift("20 hours", "1 hour");
    admin.get("/session").await.ok();
    assert_eq!(remaining_minutes(&world), 4 * 60);
    shift("24 hours", "-1 second");
    admin.get("/session").await.refused(401, "not_signed_in");
}

fn remaining_minutes(world: &World) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Remaining {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        minutes: i64,
    }
    let row: Remaining = sql_query("SELECT round(extract(epoch FROM expires_at - now()) / 60)::bigint AS minutes FROM session")
        .get_result(&mut world.database.connection())
        .unwrap();
    row.minutes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_does_not_know_the_token() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let world = World::new().await;
    let admin = world.administrator().await;
    let token = admin.cookie.strip_prefix("frontdesk_session=").unwrap();
    let row: Row = sql_query("SELECT session::text || encode(token_hash, 'escape') AS text FROM session")
        .get_result(&mut world.database.connection())
        .unwrap();
    assert!(!row.text.contains(token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_kind_is_no_sign_in() {
    let world = World::new().await;
    let stranger = world.stranger();
    let form = stranger
        .request(Method::POST, "/session")
        .header("content-type", "text/plain")
        .body("{}");
    Caller::send(form).await.refused(400, "invalid_request");
    let refused = stranger
        .post("/session", json!({"login": "admin"}))
        .await
        .refused(400, "invalid_request");
    assert_eq!(
        refused["detail"].as_str().unwrap().split(" at ").next(),
        Some("missing field `password`")
    );
}

//! Apps, channels, bots, skill groups and people.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Caller, PAGE, PASSWORD, World, text};

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_in_and_never_come_out() {
    let world = World::new().await;
    let floor = world.floor().await;
    let app = format!("/apps/{}", floor.app);
    let before = floor.admin.get(&app).await.ok();
    assert_eq!(
        (&before["app"]["has_app_secret"], &before["app"]["has_second_secret"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(before["app"]["callback_path"], "/facebook/webhook/{page_id}");
    floor.admin.patch(&app, json!({"second_secret": "geheim2"})).await.ok();
    assert_eq!(floor.admin.get(&app).await.ok()["app"]["has_second_secret"], true);
    floor.admin.patch(&app, json!({"second_secret": null})).await.ok();
    assert_eq!(floor.admin.get(&app).await.ok()["app"]["has_second_secret"], false);
    let bot = json!({"name": "小春", "client_id": "c1", "secret": "geheim3", "base_url": null});
    floor.admin.post("/bots", bot).await.ok();
    for list in ["/apps", "/channels", "/bots", "/people"] {
        let shown = floor.admin.get(list).await.ok().to_string();
        for secret in ["s1", "v1", "EAAG1", "geheim", PASSWORD, "argon2"] {
            assert!(!shown.contains(&format!("\"{secret}")), "{list} shows a secret");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_connected_only_once() {
    let world = World::new().await;
    let floor = world.floor().await;
    let second = world.channel(&floor.admin, PAGE, &floor.app, &floor.group).await;
    second.refused(409, "already_exists");
    let channels = floor.admin.get("/channels").await.ok();
    let channel = &channels["channels"][0];
    assert_eq!(channels["channels"].as_array().unwrap().len(), 1);
    assert_eq!(channel["webhook_path"], format!("/facebook/webhook/{PAGE}"));
    assert_eq!(
        (&channel["app"]["name"], &channel["skill_group"]["name"]),
        (&json!("应用"), &json!("售前"))
    );
    assert_eq!(
        (&channel["bot"], &channel["has_token"], &channel["enabled"]),
        (&Value::Null, &json!(true), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_connect_the_same_page_at_the_same_time_get_one_channel() {
    let world = World::new().await;
    let floor = world.floor().await;
    let connect = || world.channel(&floor.admin, "4242", &floor.app, &floor.group);
    let mut statuses: Vec<u16> = futures::future::join_all((0..6).map(|_| connect()))
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_refers_to_what_exists() {
    let world = World::new().await;
    let floor = world.floor().await;
    let nobody = Uuid::now_v7().to_string();
    for (app, group, field) in [(&nobody, &floor.group, "app_id"), (&floor.app, &nobody, "skill_group_id")] {
        let refused = world.channel(&floor.admin, "77", app, group).await.refused(400, "invalid_request");
        assert!(refused["detail"].as_str().unwrap().starts_with(field), "{refused}");
    }
    world
        .channel(&floor.admin, "not digits", &floor.app, &floor.group)
        .await
        .refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_text_of_a_channel_is_shown_and_can_be_changed_and_silenced() {
    let world = World::new().await;
    let floor = world.floor().await;
    let channel = floor.admin.get("/channels").await.ok()["channels"][0].clone();
    let path = format!("/channels/{}", text(&channel["id"]));
    assert_eq!(channel["texts"].as_object().unwrap().len(), 8);
    assert_eq!(channel["texts"]["transfer_manual_service"], "转人工");
    let mut texts = channel["texts"].clone();
    texts["ended"] = json!("再见");
    texts["queued"] = json!("");
    let changed = floor.admin.patch(&path, json!({"texts": texts})).await.ok();
    assert_eq!(changed["channel"]["texts"], texts);
    let own = json!({"texts": {"transfer_manual_service": "转".repeat(21)}});
    let refused = floor.admin.patch(&path, own).await.refused(422, "text_too_long");
    assert_eq!((&refused["length"], &refused["most"]), (&json!(21), &json!(20)));
    floor
        .admin
        .patch(&path, json!({"texts": {"no_such_text": "x"}}))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_can_be_given_to_a_channel_and_taken_away() {
    let world = World::new().await;
    let floor = world.floor().await;
    let bot = floor
        .admin
        .post(
            "/bots",
            json!({"name": "小春", "client_id": "c1", "secret": null, "base_url": null}),
        )
        .await
        .ok();
    assert_eq!(
        (&bot["bot"]["deadline_ms"], &bot["bot"]["has_secret"]),
        (&json!(30_000), &json!(false))
    );
    let channel = floor.admin.get("/channels").await.ok()["channels"][0].clone();
    let path = format!("/channels/{}", text(&channel["id"]));
    let given = floor
        .admin
        .patch(&path, json!({"bot_id": bot["bot"]["id"], "work_mode": "bot_first"}))
        .await
        .ok();
    assert_eq!(
        (&given["channel"]["bot"]["name"], &given["channel"]["work_mode"]),
        (&json!("小春"), &json!("bot_first"))
    );
    let kept = floor.admin.patch(&path, json!({"name": "新名字"})).await.ok();
    assert_eq!(kept["channel"]["bot"]["name"], "小春");
    let taken = floor.admin.patch(&path, json!({"bot_id": null})).await.ok();
    assert_eq!(taken["channel"]["bot"], Value::Null);
    floor
        .admin
        .patch(&path, json!({"bot_id": Uuid::now_v7()}))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_change_the_same_thing_the_second_is_told() {
    let world = World::new().await;
    let admin = world.administrator().await;
    let group = admin.post("/skill-groups", json!({"name": "售前"})).await.ok()["skill_group"].clone();
    let path = format!("/skill-groups/{}", text(&group["id"]));
    let change = async |name: &str, version: &str| {
        let request = admin
            .request(Method::PATCH, &path)
            .header("if-match", version)
            .json(&json!({"name": name}));
        Caller::send(request).await
    };
    assert_eq!(change("一组", "1").await.ok()["skill_group"]["version"], 2);
    change("二组", "1").await.refused(409, "stale");
    assert_eq!(change("二组", "\"2\"").await.ok()["skill_group"]["name"], "二组");
    change("三组", "two").await.refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_belongs_to_one_person() {
    let world = World::new().await;
    let floor = world.floor().await;
    let again = json!({
        "login": "zhangsan", "password": PASSWORD, "name": "另一位", "public_name": "x", "role": "agent", "skill_groups": [], "capacity": 1,
    });
    floor.admin.post("/people", again).await.refused(409, "already_exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_it_is_kept() {
    let world = World::new().await;
    let admin = world.administrator().await;
    let person = |field: &str, value: Value| {
        let mut person = json!({
            "login": "lisi", "password": PASSWORD, "name": "李四", "public_name": "小李", "role": "agent", "skill_groups": [], "capacity": 1,
        });
        person[field] = value;
        person
    };
    let wrong = [
        ("login", json!("li si")),
        ("password", json!("short")),
        ("name", json!("  ")),
        ("name", json!("a\u{0}b")),
        ("role", json!("emperor")),
        ("skill_groups", json!([Uuid::now_v7()])),
        ("capacity", json!(-1)),
        ("capacity", json!(1_000_000)),
    ];
    for (field, value) in wrong {
        admin.post("/people", person(field, value)).await.refused(400, "invalid_request");
    }
    admin
        .post("/bots", json!({"name": "b", "client_id": "c", "base_url": "file:///etc/passwd"}))
        .await
        .refused(400, "invalid_request");
    admin
        .post("/bots", json!({"name": "b", "client_id": "c", "deadline_ms": 5}))
        .await
        .refused(400, "invalid_request");
    admin
        .post("/skill-groups", json!({"name": "x", "colour": "red"}))
        .await
        .refused(400, "invalid_request");
    admin.get("/people/not-a-uuid").await.refused(400, "invalid_request");
    admin.get(&format!("/people/{}", Uuid::now_v7())).await.refused(404, "not_found");
    let large = json!({"name": "x".repeat(1 << 20)});
    admin.post("/skill-groups", large).await.refused(413, "payload_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_other_sessions_of_the_person() {
    let world = World::new().await;
    let floor = world.floor().await;
    let path = format!("/people/{}", floor.agent.id);
    floor.admin.patch(&path, json!({"password": "another password"})).await.ok();
    floor.agent.get("/session").await.refused(401, "not_signed_in");
    let body = json!({"login": "zhangsan", "password": "another password"});
    world.stranger().post("/session", body).await.ok();
    let own = format!("/people/{}", floor.admin.id);
    floor.admin.patch(&own, json!({"password": "another password"})).await.ok();
    floor.admin.get("/session").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_knows_its_members_and_the_last_administrator_stays_one() {
    let world = World::new().await;
    let floor = world.floor().await;
    let groups = floor.admin.get("/skill-groups").await.ok();
    assert_eq!(groups["skill_groups"][0]["members"], json!([floor.agent.id]));
    let own = format!("/people/{}", floor.admin.id);
    for change in [json!({"role": "agent"}), json!({"enabled": false})] {
        floor.admin.patch(&own, change).await.refused(400, "invalid_request");
    }
    let path = format!("/people/{}", floor.agent.id);
    let changed = floor.admin.patch(&path, json!({"skill_groups": [], "capacity": 7})).await.ok();
    assert_eq!(
        (&changed["person"]["skill_groups"], &changed["person"]["capacity"]),
        (&json!([]), &json!(7))
    );
}

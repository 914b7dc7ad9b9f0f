//! Denied by default: every operation of the OpenAPI document is tried by those who may not.

use dispatcher::api::openapi::{document, operations};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Caller, World};

/// What needs no session.
const OPEN: [&str; 2] = ["create_session", "get_openapi"];

/// What an agent may ask without regard to where. Everything else is for administrators, or depends on the conversation.
const AGENTS_MAY: [&str; 7] = [
    "get_session",
    "delete_session",
    "get_presence",
    "update_presence",
    "list_conversations",
    "follow_feed",
    // Depend on the conversation's group; tried below.
    "get_conversation",
];
const IN_CONVERSATIONS: [&str; 6] = [
    "get_conversation",
    "get_timeline",
    "create_reply",
    "accept_conversation",
    "hand_over_conversation",
    "close_conversation",
];

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn every_operation(id: &str) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in &document().paths.paths {
        for (method, operation) in operations(item) {
            let path = path.replace("{id}", id);
            all.push(Operation {
                id: operation.operation_id.clone().expect("an operation has an id"),
                method: method.parse().unwrap(),
                path: format!("!{path}"),
            });
        }
    }
    assert!(all.len() >= 34, "the document names every operation, but has only {}", all.len());
    all
}

/// A body that is right, so that only the permission is left to refuse it.
fn body(operation: &str) -> Value {
    match operation {
        "create_reply" => json!({"text": "您好"}),
        "hand_over_conversation" => json!({"to": "queue"}),
        "update_presence" => json!({"presence": "busy"}),
        "create_app" => json!({"app_id": "1", "name": "a", "app_secret": "b", "verify_token": "c"}),
        "create_channel" => {
            let nobody = Uuid::nil();
            json!({"page_id": "1", "name": "a", "app_id": nobody, "access_token": "b", "skill_group_id": nobody, "work_mode": "bot_first"})
        }
        "create_bot" => json!({"name": "a", "client_id": "b"}),
        "create_skill_group" => json!({"name": "a"}),
        "create_person" => json!({
            "login": "a", "password": "long enough", "name": "a", "public_name": "a", "role": "administrator", "skill_groups": [], "capacity": 1,
        }),
        _ => json!({}),
    }
}

async fn attempt(caller: &Caller, operation: &Operation) -> (u16, String) {
    let request = caller.request(operation.method.clone(), &operation.path);
    let request = if operation.method == Method::GET {
        request
    } else {
        request.json(&body(&operation.id))
    };
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    if status < 400 {
        return (status, String::new());
    }
    let problem: Value = response.json().await.expect("a problem");
    (status, problem["id"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_nothing_but_the_sign_in_is_answered() {
    let world = World::new().await;
    let stranger = world.stranger();
    let impostor = Caller {
        cookie: format!("frontdesk_session={}", "A".repeat(43)),
        csrf: "x".to_owned(),
        ..world.stranger()
    };
    for operation in every_operation(&Uuid::now_v7().to_string()) {
        for caller in [&stranger, &impostor] {
            let (status, problem) = attempt(caller, &operation).await;
            if OPEN.contains(&operation.id.as_str()) {
                assert_ne!(problem, "not_signed_in", "{}", operation.id);
            } else {
                assert_eq!((status, problem.as_str()), (401, "not_signed_in"), "{}", operation.id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_may_not_administrate() {
    let world = World::new().await;
    let floor = world.floor().await;
    let agent = floor.agent;
    for operation in every_operation(&Uuid::now_v7().to_string()) {
        let id = operation.id.as_str();
        if OPEN.contains(&id) || AGENTS_MAY.contains(&id) || IN_CONVERSATIONS.contains(&id) {
            continue;
        }
        let (status, problem) = attempt(&agent, &operation).await;
        assert_eq!((status, problem.as_str()), (403, "not_permitted"), "{id}");
    }
    let people = floor.admin.get("/people").await.ok();
    assert_eq!(people["people"].as_array().unwrap().len(), 2, "nobody was added");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_another_group_gets_nowhere_near_a_conversation() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    world.visitors.write(crate::world::PAGE, "1001", "您好", 1_700_000_000_000).await;
    let list = floor.agent.get("/conversations?view=queue").await.ok();
    let id = list["conversations"][0]["id"].as_str().unwrap();
    let other_group = world.group(&floor.admin, "售后").await;
    let outsider = world.agent(&floor.admin, "lisi", &[&other_group]).await;
    outsider.put("/presence", json!({"presence": "ready"})).await.ok();
    let tried = every_operation(id)
        .into_iter()
        .filter(|operation| IN_CONVERSATIONS.contains(&operation.id.as_str()));
    let mut count = 0;
    for operation in tried {
        let (status, problem) = attempt(&outsider, &operation).await;
        assert_eq!((status, problem.as_str()), (403, "not_permitted"), "{}", operation.id);
        count += 1;
    }
    assert_eq!(count, IN_CONVERSATIONS.len());
    let theirs = outsider.get("/conversations?view=open").await.ok();
    assert_eq!(
        (theirs["conversations"].as_array().unwrap().len(), &theirs["meta"]["total_waiting"]),
        (0, &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_turned_off_is_out_at_once() {
    let world = World::new().await;
    let floor = world.floor().await;
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    let path = format!("/people/{}", floor.agent.id);
    floor.admin.patch(&path, json!({"enabled": false})).await.ok();
    floor.agent.get("/presence").await.refused(401, "not_signed_in");
    let again = json!({"login": "zhangsan", "password": crate::world::PASSWORD});
    world.stranger().post("/session", again).await.refused(401, "wrong_credentials");
}

//! The feed, as browsers follow it.

use std::time::Duration;

use dispatcher::feed::Rhythm;
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Caller, PAGE, Wishes, World};

const MORNING: i64 = 1_700_000_000_000;

/// One server-sent event.
#[derive(Debug, Clone)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

/// A browser that follows the feed.
struct Listener {
    stream: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    unread: Vec<u8>,
}

impl Listener {
    async fn open(caller: &Caller, cursor: Option<&str>) -> Self {
        let path = cursor.map_or("/feed".to_owned(), |cursor| format!("/feed?cursor={cursor}"));
        Self::of(caller.request(Method::GET, &path)).await
    }

    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            stream: response.bytes_stream().boxed(),
            unread: Vec::new(),
        }
    }

    /// The next event; `None` when the connection ended.
    async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.unread.drain(..end + 2).collect();
                let frame = String::from_utf8(frame).expect("UTF-8");
                let field = |name: &str| {
                    frame
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .unwrap_or_default()
                        .to_owned()
                };
                if !field("event: ").is_empty() {
                    let data = serde_json::from_str(&field("data: ")).expect("JSON");
                    return Some(Told {
                        id: field("id: "),
                        event: field("event: "),
                        data,
                    });
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.stream.next())
                .await
                .expect("something is told");
            self.unread.extend(chunk?.ok()?);
        }
    }

    async fn hello(&mut self) -> String {
        let hello = self.next().await.expect("a hello");
        assert_eq!(hello.event, "hello");
        hello.id
    }

    /// Reads on until an event of this type.
    async fn until(&mut self, event_type: &str) -> Told {
        loop {
            let told = self.next().await.expect("the connection stands");
            if told.data["type"] == event_type {
                return told;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_happens_between_a_list_and_the_feed_that_follows_it() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    let list = floor.agent.get("/conversations?view=queue").await.ok();
    assert_eq!(list["conversations"], json!([]));
    world.visitors.write(PAGE, "1001", "您好", MORNING).await;
    let mut listener = Listener::open(&floor.agent, list["cursor"].as_str()).await;
    listener.hello().await;
    let told = listener.until("message_received").await;
    assert_eq!(told.data["payload"]["content"]["text"], "您好");
    assert_eq!(told.data["stream"], "conversation");
    assert_eq!(told.id, told.data["cursor"].as_str().unwrap());
    let id = told.data["conversation_id"].as_str().unwrap();
    assert_eq!(
        floor.agent.get(&format!("/conversations/{id}")).await.ok()["conversation"]["last_message"]["text"],
        "您好"
    );
    assert!(
        !told.data.to_string().contains("1001"),
        "Facebook's id of the visitor is nobody's business"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commands_position_is_the_position_of_the_event_in_the_feed() {
    let world = World::new().await;
    let floor = world.floor().await;
    let mut listener = Listener::open(&floor.agent, None).await;
    listener.hello().await;
    let answer = floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    let told = listener.until("presence_changed").await;
    assert_eq!(told.id.rsplit('-').next(), answer["position"].as_str());
    assert_eq!(told.data["agent_id"], floor.agent.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_connection_is_cut_every_event_arrives_once() {
    // So small a ring that a client which reconnects has to read the log itself.
    let mut world = World::with(Wishes {
        ring: 3,
        ..Wishes::default()
    })
    .await;
    let floor = world.floor().await;
    let start = floor.agent.get("/conversations?view=queue").await.ok()["cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut seen = Vec::new();
    let mut place = start.clone();
    for round in 0..5 {
        for n in 0..4 {
            let visitor = format!("10{round}{n}");
            world
                .visitors
                .write(PAGE, &visitor, &format!("{round}.{n}"), MORNING + round * 10 + n)
                .await;
        }
        let request = floor
            .agent
            .request(Method::GET, &format!("/feed?cursor={start}"))
            .header("last-event-id", &place);
        let mut listener = Listener::of(request).await;
        assert_eq!(listener.hello().await, place);
        // The cut comes after a few events, in the middle of what was written.
        for _ in 0..=round * 2 {
            let told = listener.next().await.expect("the connection stands");
            place = told.id;
            if told.data["type"] == "message_received" {
                seen.push(told.data["payload"]["content"]["text"].as_str().unwrap().to_owned());
            }
        }
    }
    let mut listener = Listener::open(&floor.agent, Some(&place)).await;
    listener.hello().await;
    while seen.len() < 20 {
        let told = listener.until("message_received").await;
        seen.push(told.data["payload"]["content"]["text"].as_str().unwrap().to_owned());
    }
    let expected: Vec<String> = (0..5).flat_map(|round| (0..4).map(move |n| format!("{round}.{n}"))).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_only_what_is_theirs() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    let group = world.group(&floor.admin, "售后").await;
    world.channel(&floor.admin, "4242", &floor.app, &group).await.ok();
    let outsider = world.agent(&floor.admin, "lisi", &[&group]).await;
    let mut listener = Listener::open(&outsider, None).await;
    listener.hello().await;
    world.visitors.write(PAGE, "1001", "给售前", MORNING).await;
    world.visitors.write("4242", "2002", "给售后", MORNING).await;
    floor.admin.post("/skill-groups", json!({"name": "另一组"})).await.ok();
    world.visitors.write("4242", "2002", "再来一句", MORNING + 1).await;
    loop {
        let told = listener.next().await.expect("the connection stands");
        let shown = told.data.to_string();
        assert!(!shown.contains("给售前") && told.data["stream"] != "skill_group", "{shown}");
        if shown.contains("再来一句") {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_hears_of_the_directory_without_any_secret() {
    let world = World::new().await;
    let floor = world.floor().await;
    let mut listener = Listener::open(&floor.admin, None).await;
    listener.hello().await;
    floor
        .admin
        .patch(&format!("/apps/{}", floor.app), json!({"app_secret": "geheim", "name": "新应用"}))
        .await
        .ok();
    // What was saved before may still come first: the horizon is that of the whole database server.
    loop {
        let told = listener.until("app_saved").await;
        if told.data["payload"]["version"] == 2 {
            assert_eq!(told.data["payload"], json!({"id": floor.app, "version": 2}));
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_ends_the_feed() {
    let rhythm = Rhythm {
        check: Duration::from_millis(50),
        ..Rhythm::default()
    };
    let world = World::with(Wishes {
        rhythm,
        ..Wishes::default()
    })
    .await;
    let floor = world.floor().await;
    let mut listener = Listener::open(&floor.agent, None).await;
    listener.hello().await;
    floor.agent.delete("/session").await;
    while listener.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_groups_is_told_to_read_everything_anew() {
    let world = World::new().await;
    let floor = world.floor().await;
    let mut listener = Listener::open(&floor.agent, None).await;
    listener.hello().await;
    let group = world.group(&floor.admin, "售后").await;
    floor
        .admin
        .patch(&format!("/people/{}", floor.agent.id), json!({"skill_groups": [group]}))
        .await
        .ok();
    assert_eq!(listener.next().await.expect("a last word").event, "reload");
    assert!(listener.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_a_log_that_is_gone_has_to_read_everything_anew() {
    let world = World::new().await;
    let floor = world.floor().await;
    let mut listener = Listener::open(&floor.agent, Some("99-1-1")).await;
    listener.hello().await;
    assert_eq!(listener.next().await.expect("a last word").event, "reload");
    floor.agent.get("/feed?cursor=nonsense").await.refused(400, "invalid_request");
}

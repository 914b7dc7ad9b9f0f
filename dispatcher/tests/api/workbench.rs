//! What an agent does all day.

use diesel::{RunQueryDsl as _, sql_query};
use serde_json::{Value, json};

use crate::world::{PAGE, World, text};

/// Some day in 2023, in Facebook's milliseconds.
const MORNING: i64 = 1_700_000_000_000;

fn ids(list: &Value) -> Vec<String> {
    list["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["id"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_from_the_queue_to_the_agent_and_to_its_end() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    world.visitors.write(PAGE, "1001", "你们几点开门？", MORNING).await;
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    let queue = floor.agent.get("/conversations?view=queue").await.ok();
    let waiting = &queue["conversations"][0];
    assert_eq!(queue["meta"], json!({"next": null, "total_waiting": 1}));
    assert_eq!(
        (&waiting["phase"], &waiting["agent"], &waiting["unanswered"]),
        (&json!("waiting"), &Value::Null, &json!(true))
    );
    assert_eq!(waiting["visitor"]["page_id"], PAGE);
    assert_eq!(
        waiting["last_message"],
        json!({"direction": "in", "text": "你们几点开门？", "at": "2023-11-14T22:13:20.000Z"})
    );
    let path = format!("/conversations/{}", text(&waiting["id"]));

    let accepted = floor.agent.post(&format!("{path}/accept"), json!({})).await.ok();
    assert!(accepted["position"].as_str().unwrap().parse::<i64>().unwrap() > 0);
    let mine = floor.agent.get("/conversations?view=mine").await.ok();
    assert_eq!(mine["conversations"][0]["agent"], json!({"id": floor.agent.id, "name": "张三"}));
    assert_eq!(floor.agent.get("/presence").await.ok()["active"], 1);

    let replied = floor.agent.post(&format!("{path}/replies"), json!({"text": "九点。"})).await;
    assert_eq!(replied.status, 202);
    let message = text(&replied.ok()["message_id"]);
    let timeline = floor.agent.get(&format!("{path}/timeline")).await.ok();
    let items = timeline["items"].as_array().unwrap();
    let own = items
        .iter()
        .find(|item| item["id"] == message)
        .expect("the reply is on the timeline");
    assert_eq!(
        (&own["direction"], &own["status"], &own["text"]),
        (&json!("out"), &json!("pending"), &json!("九点。"))
    );
    assert_eq!(own["author"], json!({"kind": "agent", "id": floor.agent.id, "name": "张三"}));
    assert!(items.iter().any(|item| item["kind"] == "notice" && item["event"] == "assigned"));

    floor.agent.post(&format!("{path}/close"), json!({})).await.ok();
    floor
        .agent
        .post(&format!("{path}/replies"), json!({"text": "还在吗"}))
        .await
        .refused(409, "conversation_over");
    let closed = floor.agent.get("/conversations?view=closed").await.ok();
    assert_eq!(closed["conversations"][0]["phase"], "closed");
    assert_eq!(ids(&floor.agent.get("/conversations?view=mine").await.ok()), Vec::<String>::new());
    assert_eq!(floor.agent.get(&path).await.ok()["conversation"]["phase"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_never_acts_twice() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    world.visitors.write(PAGE, "1001", "您好", MORNING).await;
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    let id = ids(&floor.agent.get("/conversations?view=queue").await.ok()).remove(0);
    let replies = format!("/conversations/{id}/replies");
    floor
        .agent
        .post_once(&format!("/conversations/{id}/accept"), "k0", json!({}))
        .await
        .ok();
    let first = floor.agent.post_once(&replies, "k1", json!({"text": "您好"})).await.ok();
    let again = floor.agent.post_once(&replies, "k1", json!({"text": "您好"})).await.ok();
    assert_eq!(first["message_id"], again["message_id"]);
    floor
        .agent
        .post_once(&replies, "k1", json!({"text": "再见"}))
        .await
        .refused(422, "idempotency_key_reused");
    let timeline = floor.agent.get(&format!("/conversations/{id}/timeline")).await.ok();
    let sent = timeline["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["author"]["kind"] == "agent" && item["kind"] == "message");
    assert_eq!(sent.count(), 1);
    floor
        .agent
        .post_once(&replies, &"k".repeat(129), json!({"text": "x"}))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_answers_only_what_is_theirs_and_only_with_words() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    world.visitors.write(PAGE, "1001", "您好", MORNING).await;
    let id = ids(&floor.agent.get("/conversations?view=queue").await.ok()).remove(0);
    let path = format!("/conversations/{id}");
    floor
        .agent
        .post(&format!("{path}/accept"), json!({}))
        .await
        .refused(409, "agent_not_ready");
    floor
        .agent
        .post(&format!("{path}/replies"), json!({"text": "您好"}))
        .await
        .refused(409, "not_your_conversation");
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    floor.agent.post(&format!("{path}/accept"), json!({})).await.ok();
    floor
        .agent
        .post(&format!("{path}/replies"), json!({"text": " \n"}))
        .await
        .refused(422, "text_empty");
    let refused = floor
        .agent
        .post(&format!("{path}/replies"), json!({"text": "长".repeat(20_001)}))
        .await
        .refused(422, "text_too_long");
    assert_eq!((&refused["length"], &refused["most"]), (&json!(20_001), &json!(20_000)));
    floor
        .agent
        .post(&format!("{path}/hand-over"), json!({"to": "bot"}))
        .await
        .refused(409, "hand_over_not_allowed");
    floor.agent.post(&format!("{path}/hand-over"), json!({"to": "queue"})).await.ok();
    assert_eq!(floor.agent.get(&path).await.ok()["conversation"]["phase"], "waiting");
    assert_eq!(floor.agent.get("/presence").await.ok()["active"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_agent_takes_more_than_the_capacity() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    for visitor in 0..4 {
        world
            .visitors
            .write(PAGE, &format!("100{visitor}"), "您好", MORNING + visitor)
            .await;
    }
    let waiting = ids(&floor.agent.get("/conversations?view=queue").await.ok());
    for id in &waiting[..3] {
        floor.agent.post(&format!("/conversations/{id}/accept"), json!({})).await.ok();
    }
    floor
        .agent
        .post(&format!("/conversations/{}/accept", waiting[3]), json!({}))
        .await
        .refused(409, "no_capacity");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_list_follow_one_another_without_gap_or_repeat() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    for visitor in 0..7 {
        // Three pairs share their time.
        world
            .visitors
            .write(PAGE, &format!("100{visitor}"), "您好", MORNING + visitor / 2)
            .await;
    }
    for view in ["queue", "open"] {
        let whole = ids(&floor.agent.get(&format!("/conversations?view={view}&limit=100")).await.ok());
        assert_eq!(whole.len(), 7);
        let (mut paged, mut after) = (Vec::new(), String::new());
        loop {
            let page = floor.agent.get(&format!("/conversations?view={view}&limit=3{after}")).await.ok();
            paged.extend(ids(&page));
            let Some(next) = page["meta"]["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(paged, whole, "{view}");
    }
    let mut newest_first = ids(&floor.agent.get("/conversations?view=open").await.ok());
    newest_first.reverse();
    assert_eq!(newest_first.len(), 7);
    floor
        .agent
        .get("/conversations?view=open&after=nonsense")
        .await
        .refused(400, "invalid_request");
    floor.agent.get("/conversations?view=secret").await.refused(400, "invalid_request");
    floor
        .agent
        .get("/conversations?view=open&limit=0")
        .await
        .refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_is_paged_from_the_newest_and_shows_what_happened_beside() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    for n in 0..6 {
        world.visitors.write(PAGE, "1001", &format!("第{n}句"), MORNING + n * 1_000).await;
    }
    let id = ids(&floor.agent.get("/conversations?view=queue").await.ok()).remove(0);
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap();
    let about = |kind: &str, value: Value| {
        let mut event = json!({"sender": {"id": "1001"}, "recipient": {"id": PAGE}, "timestamp": now});
        event[kind] = value;
        event
    };
    let reaction = json!({"mid": "m_1", "action": "react", "reaction": "love", "emoji": "❤"});
    world.visitors.happen(PAGE, about("reaction", reaction), now).await;
    world.visitors.happen(PAGE, about("read", json!({"watermark": now})), now).await;
    let whole = floor.agent.get(&format!("/conversations/{id}/timeline")).await.ok();
    let items = whole["items"].as_array().unwrap();
    let texts: Vec<&str> = items
        .iter()
        .filter(|item| item["kind"] == "message" && item["direction"] == "in")
        .map(|item| item["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["第0句", "第1句", "第2句", "第3句", "第4句", "第5句"]);
    let events: Vec<&str> = items
        .iter()
        .filter(|item| item["kind"] == "event")
        .map(|item| item["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["reaction"], "a read is the fate of a message, not an item of its own");
    let (mut paged, mut before) = (Vec::new(), String::new());
    loop {
        let page = floor.agent.get(&format!("/conversations/{id}/timeline?limit=2{before}")).await.ok();
        let mut older = page["items"].as_array().unwrap().clone();
        older.append(&mut paged);
        paged = older;
        let Some(next) = page["meta"]["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(&paged, items);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_everything_and_may_close_what_is_anothers() {
    let mut world = World::new().await;
    let floor = world.floor().await;
    world.visitors.write(PAGE, "1001", "您好", MORNING).await;
    floor.agent.put("/presence", json!({"presence": "ready"})).await.ok();
    let id = ids(&floor.admin.get("/conversations?view=queue").await.ok()).remove(0);
    floor.agent.post(&format!("/conversations/{id}/accept"), json!({})).await.ok();
    floor.admin.post(&format!("/conversations/{id}/close"), json!({})).await.ok();
    assert_eq!(floor.agent.get("/presence").await.ok()["active"], 0);
}

/// What a list costs must not grow with all that ever was.
#[tokio::test(flavor = "multi_thread")]
async fn no_list_reads_a_whole_table() {
    #[derive(diesel::QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        tuples: i64,
    }
    let world = World::new().await;
    let floor = world.floor().await;
    let mut database = world.database.connection();
    sql_query(
        "INSERT INTO conversation (id, visitor, channel, page_id, skill_group, phase, opened_at, last_activity_at, closed_at, unanswered, version)
         SELECT gen_random_uuid(), gen_random_uuid(), (SELECT id FROM channel), '1', (SELECT id FROM skill_group), 'closed', now(), now(),
                now() - n * interval '1 second', false, 1
         FROM generate_series(1, 20000) n",
    )
    .execute(&mut database)
    .unwrap();
    sql_query("ANALYZE").execute(&mut database).unwrap();
    for view in ["closed", "open", "queue", "mine"] {
        floor.agent.get(&format!("/conversations?view={view}&limit=20")).await.ok();
    }
    let page = floor.agent.get("/conversations?view=closed&limit=20").await.ok();
    floor
        .agent
        .get(&format!("/conversations?view=closed&after={}", text(&page["meta"]["next"])))
        .await
        .ok();
    // Statistics arrive when a connection has been idle for a moment; new connections of the test flush nothing of the server's.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let scans: Counted = sql_query("SELECT idx_scan AS tuples FROM pg_stat_user_tables WHERE relname = 'conversation'")
            .get_result(&mut database)
            .unwrap();
        if scans.tuples >= 6 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the statistics never arrive");
        floor.agent.get("/session").await.ok();
    }
    let read: Counted = sql_query("SELECT seq_tup_read AS tuples FROM pg_stat_user_tables WHERE relname = 'conversation'")
        .get_result(&mut database)
        .unwrap();
    assert!(read.tuples < 20_000, "{} rows were read in sequence", read.tuples);
}

//! What the feed promises, whatever happens on the way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::Content;
use domain::agent::{AgentEvent, Presence};
use domain::conversation::{ConversationEvent, InboundKind};
use domain::directory::{Person, PersonEvent, field};
use domain::event::{Actor, Event, StreamId};
use domain::permission::{Role, audience};
use engine::ports::{Cursor, LogPage, ReadEvent, StoreError};
use futures::future::BoxFuture;
use proptest::prelude::*;
use shared::{ConversationId, MessageId, PersonId, SkillGroupId, Timestamp, VisitorId};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;

const ME: PersonId = PersonId(Uuid::from_u128(1));
const MY_GROUP: SkillGroupId = SkillGroupId(Uuid::from_u128(10));
const OTHER_GROUP: SkillGroupId = SkillGroupId(Uuid::from_u128(11));

/// A log in memory.
#[derive(Default)]
struct Log(Mutex<Vec<ReadEvent>>);

impl Log {
    fn append(&self, event: ReadEvent) {
        self.0.lock().unwrap().push(event);
    }

    fn page(&self, after: Cursor, most: usize) -> LogPage {
        let log = self.0.lock().unwrap();
        let epoch = log.last().map_or(after.epoch, |last| last.cursor.epoch);
        let events: Vec<_> = log.iter().filter(|event| event.cursor > after).take(most).cloned().collect();
        let next = events.last().map_or(Cursor { epoch, ..after }, |last| last.cursor);
        LogPage {
            full: events.len() == most,
            events,
            next,
        }
    }
}

impl LogSource for Log {
    fn read_log(&self, after: Cursor, most: usize) -> BoxFuture<'_, Result<LogPage, StoreError>> {
        let page = self.page(after, most);
        Box::pin(async { Ok(page) })
    }

    fn head(&self) -> BoxFuture<'_, Result<Cursor, StoreError>> {
        let head = self.0.lock().unwrap().last().map_or(at(0), |last| last.cursor);
        Box::pin(async move { Ok(head) })
    }
}

fn at(position: i64) -> Cursor {
    Cursor {
        epoch: 1,
        recorded_in: position * 2,
        position,
    }
}

fn person(groups: &[SkillGroupId]) -> Person {
    Person {
        role: Role::Agent,
        skill_groups: groups.iter().copied().collect(),
        capacity: 5,
        enabled: true,
    }
}

fn read(position: i64, stream: StreamId, event: Event, audience: Vec<String>) -> ReadEvent {
    ReadEvent {
        cursor: at(position),
        stream,
        version: 1,
        visitor: None,
        event,
        occurred_at: Timestamp::from_millis(position),
        actor: Actor::System,
        audience,
    }
}

fn message(position: i64, group: SkillGroupId) -> ReadEvent {
    let event = ConversationEvent::MessageReceived {
        message: MessageId(Uuid::from_u128(u128::try_from(position).unwrap())),
        mid: None,
        kind: InboundKind::Message,
        sent_at: Timestamp::from_millis(position),
        late: false,
        content: Content {
            raw: Some("psid 4711".to_owned()),
            ..Content::of_text("您好\n\u{2028}x")
        },
    };
    let stream = StreamId::from(ConversationId(Uuid::from_u128(7)));
    let visitor = Some(VisitorId(Uuid::from_u128(8)));
    ReadEvent {
        visitor,
        ..read(position, stream, Event::Conversation(event), vec![audience::of_group(group)])
    }
}

fn account_changed(position: i64) -> ReadEvent {
    let content = Content {
        fields: [(field::PASSWORD_HASH.to_owned(), "geheim".to_owned())].into(),
        ..Content::default()
    };
    let event = Event::Person(PersonEvent::PersonSaved {
        person: person(&[]),
        content,
    });
    read(position, StreamId::person(ME), event, vec![audience::ADMINISTRATORS.to_owned()])
}

/// What is found out about the session, whenever somebody asks.
struct Session(Mutex<Option<Person>>);

impl Session {
    fn of(person: Person) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(person))))
    }
}

impl Witness for Session {
    fn viewer(&self) -> BoxFuture<'_, Result<Option<Viewer>, StoreError>> {
        let viewer = self.0.lock().unwrap().as_ref().map(|person| Viewer::of(ME, person));
        Box::pin(async { Ok(viewer) })
    }
}

struct World {
    log: Arc<Log>,
    ring: Arc<Ring>,
    session: Arc<Session>,
    rhythm: Rhythm,
}

impl World {
    fn new(ring: usize) -> Self {
        Self {
            log: Arc::default(),
            ring: Ring::new(ring),
            session: Session::of(person(&[MY_GROUP])),
            rhythm: Rhythm::default(),
        }
    }

    /// The reader looks at the log once.
    fn read_log(&self) {
        let place = self.ring.head().unwrap_or(at(0));
        let page = self.log.page(place, usize::MAX);
        let entries = page.events.iter().map(|event| Arc::new(Entry::of(event).unwrap())).collect();
        self.ring.push(entries, page.next);
    }

    fn connect(&self, cursor: Cursor) -> (mpsc::Receiver<Bytes>, tokio::task::JoinHandle<End>) {
        let (out, frames) = mpsc::channel(4);
        let source: Arc<dyn LogSource> = self.log.clone();
        let follower = Follower::new(Arc::clone(&self.ring), source, cursor);
        let viewer = Viewer::of(ME, &person(&[MY_GROUP]));
        let client = Client::new(follower, viewer, self.session.clone(), out, self.rhythm);
        (frames, tokio::spawn(client.run(Arc::clone(&self.ring))))
    }
}

/// An event as a browser gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    id: Option<String>,
    event: String,
    data: String,
}

fn parse(frames: &[u8]) -> Vec<Told> {
    let text = std::str::from_utf8(frames).unwrap();
    text.split("\n\n").filter(|frame| !frame.is_empty()).map(parse_one).collect()
}

fn parse_one(frame: &str) -> Told {
    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Told {
        id: field("id: "),
        event: field("event: ").unwrap_or_default(),
        data: field("data: ").unwrap_or_default(),
    }
}

async fn next_told(frames: &mut mpsc::Receiver<Bytes>) -> Vec<Told> {
    let frame = tokio::time::timeout(Duration::from_secs(60), frames.recv())
        .await
        .expect("something is told");
    parse(&frame.expect("the connection stands"))
}

#[tokio::test]
async fn hello_comes_first_and_carries_the_place_from_which_a_cut_is_resumed() {
    let world = World::new(10);
    world.ring.begin(at(0));
    let (mut frames, _client) = world.connect(at(3));
    let hello = next_told(&mut frames).await;
    assert_eq!(hello[0].event, "hello");
    assert_eq!(hello[0].id.as_deref(), Some("1-6-3"));
    assert_eq!(hello[0].data, r#"{"cursor":"1-6-3"}"#);
}

#[tokio::test]
async fn an_agent_is_told_of_the_own_groups_and_of_nothing_else() {
    let world = World::new(10);
    world.ring.begin(at(0));
    let (mut frames, _client) = world.connect(at(0));
    next_told(&mut frames).await;
    world.log.append(message(1, OTHER_GROUP));
    world.log.append(message(2, MY_GROUP));
    world.read_log();
    let told = next_told(&mut frames).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].id.as_deref(), Some("1-4-2"));
    let change: serde_json::Value = serde_json::from_str(&told[0].data).unwrap();
    assert_eq!(change["type"], "message_received");
    assert_eq!(change["conversation_id"], Uuid::from_u128(7).to_string());
    assert_eq!(change["visitor_id"], Uuid::from_u128(8).to_string());
    assert_eq!(change["payload"]["content"]["text"], "您好\n\u{2028}x");
    assert_eq!(
        change["payload"]["content"].get("raw"),
        None,
        "Facebook's own words name the visitor"
    );
}

#[test]
fn a_change_of_the_directory_is_told_without_what_is_in_it() {
    let entry = Entry::of(&account_changed(5)).unwrap();
    let text = std::str::from_utf8(&entry.frame).unwrap();
    assert!(!text.contains("geheim") && !text.contains("content"), "{text}");
    assert!(text.contains(&format!(r#""payload":{{"id":"{}","version":1}}"#, ME.0)), "{text}");
    assert_eq!(entry.account, Some(ME));
}

#[test]
fn what_an_agent_does_names_the_agent_and_the_conversation() {
    let conversation = ConversationId(Uuid::from_u128(7));
    let engaged = Event::Agent(AgentEvent::Engaged {
        conversation,
        at: Timestamp::from_millis(1),
    });
    let entry = Entry::of(&read(1, StreamId::agent(ME), engaged, vec![])).unwrap();
    let told = parse(&entry.frame);
    let change: serde_json::Value = serde_json::from_str(&told[0].data).unwrap();
    assert_eq!(change["agent_id"], ME.to_string());
    assert_eq!(change["conversation_id"], conversation.to_string());
    let presence = Event::Agent(AgentEvent::PresenceChanged {
        presence: Presence::Busy,
        at: Timestamp::from_millis(1),
    });
    let told = parse(&Entry::of(&read(2, StreamId::agent(ME), presence, vec![])).unwrap().frame);
    assert!(told[0].data.contains(r#""conversation_id":null"#));
}

#[tokio::test]
async fn a_cursor_of_another_epoch_has_to_read_everything_anew() {
    let world = World::new(10);
    world.ring.begin(Cursor {
        epoch: 2,
        recorded_in: 1,
        position: 1,
    });
    let (mut frames, client) = world.connect(at(500));
    next_told(&mut frames).await;
    assert_eq!(next_told(&mut frames).await[0].event, "reload");
    assert_eq!(client.await.unwrap(), End::Reload);
}

#[tokio::test]
async fn who_loses_a_group_has_to_read_everything_anew_before_the_next_event() {
    let world = World::new(10);
    world.ring.begin(at(0));
    let (mut frames, client) = world.connect(at(0));
    next_told(&mut frames).await;
    *world.session.0.lock().unwrap() = Some(person(&[OTHER_GROUP]));
    for event in [message(1, MY_GROUP), account_changed(2), message(3, MY_GROUP)] {
        world.log.append(event);
    }
    world.read_log();
    let told = next_told(&mut frames).await;
    assert_eq!((told.len(), told[0].id.as_deref()), (1, Some("1-2-1")));
    assert_eq!(next_told(&mut frames).await[0].event, "reload");
    assert_eq!(client.await.unwrap(), End::Reload);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_hears_nothing_for_longer_than_half_a_minute() {
    let world = World::new(10);
    world.ring.begin(at(0));
    let (mut frames, client) = world.connect(at(0));
    next_told(&mut frames).await;
    *world.session.0.lock().unwrap() = None;
    let began = tokio::time::Instant::now();
    while frames.recv().await.is_some() {}
    assert_eq!(client.await.unwrap(), End::SignedOut);
    assert!(began.elapsed() <= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_gives_a_sign_of_life_every_fifteen_seconds() {
    let world = World::new(10);
    world.ring.begin(at(0));
    let (mut frames, _client) = world.connect(at(0));
    next_told(&mut frames).await;
    let began = tokio::time::Instant::now();
    for _ in 0..4 {
        let ping = frames.recv().await.unwrap();
        assert!(ping.starts_with(b": ping\n"), "{ping:?}");
    }
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn what_is_not_visible_moves_the_place_all_the_same() {
    let world = World {
        rhythm: Rhythm {
            ping: Duration::from_millis(1),
            ..Rhythm::default()
        },
        ..World::new(10)
    };
    world.ring.begin(at(0));
    let (mut frames, _client) = world.connect(at(0));
    world.log.append(message(9, OTHER_GROUP));
    world.read_log();
    loop {
        let told = next_told(&mut frames).await;
        assert_ne!(told[0].event, "changed");
        if told[0].id.as_deref() == Some("1-18-9") {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut() {
    let world = World::new(5_000);
    world.ring.begin(at(0));
    let (_frames, client) = world.connect(at(0));
    for position in 1..=5_000 {
        world.log.append(message(position, MY_GROUP));
    }
    world.read_log();
    assert_eq!(client.await.unwrap(), End::Gone);
}

#[tokio::test]
async fn who_is_very_far_behind_has_to_read_everything_anew() {
    let world = World::new(1);
    for position in 1..=20_500 {
        world.log.append(message(position, OTHER_GROUP));
    }
    world.ring.begin(at(20_500));
    let source: Arc<dyn LogSource> = world.log.clone();
    let mut follower = Follower::new(Arc::clone(&world.ring), source, at(0));
    let mut looks = 0;
    while follower.next().await.unwrap() != Next::Reload {
        looks += 1;
        assert!(looks < 200, "it never ends");
    }
}

/// One step of a history.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append { mine: bool },
    ReaderLooks,
    ClientReads { batches: usize },
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => any::<bool>().prop_map(|mine| Step::Append { mine }),
        3 => Just(Step::ReaderLooks),
        3 => (1_usize..4).prop_map(|batches| Step::ClientReads { batches }),
        1 => Just(Step::Cut),
    ]
}

/// A console that goes through a history: it connects again after every cut, from the last id that arrived.
struct Console<'a> {
    world: &'a World,
    frames: mpsc::Receiver<Bytes>,
    client: tokio::task::JoinHandle<End>,
    last_id: Option<String>,
    seen: Vec<String>,
}

impl<'a> Console<'a> {
    fn open(world: &'a World) -> Self {
        let (frames, client) = world.connect(at(0));
        Self {
            world,
            frames,
            client,
            last_id: None,
            seen: Vec::new(),
        }
    }

    fn cut(&mut self) {
        self.client.abort();
        let from = self.last_id.as_deref().map_or(at(0), |id| id.parse().unwrap());
        (self.frames, self.client) = self.world.connect(from);
    }

    async fn read(&mut self, batches: usize) {
        for _ in 0..batches {
            // Nothing may be there to read: the client waits then.
            let Ok(Some(frame)) = tokio::time::timeout(Duration::from_millis(1), self.frames.recv()).await else {
                return;
            };
            self.take(&frame);
        }
    }

    fn take(&mut self, frame: &[u8]) {
        for told in parse(frame) {
            self.last_id = told.id.clone().or(self.last_id.take());
            if told.event == "changed" {
                self.seen.extend(told.id);
            }
        }
    }
}

async fn live_through(ring: usize, steps: &[Step]) -> (Vec<String>, Vec<String>) {
    let world = World::new(ring);
    world.ring.begin(at(0));
    let mut console = Console::open(&world);
    let (mut position, mut expected) = (0, Vec::new());
    for step in steps {
        match *step {
            Step::Append { mine } => {
                position += 1;
                world.log.append(message(position, if mine { MY_GROUP } else { OTHER_GROUP }));
                expected.extend(mine.then(|| at(position).to_string()));
            }
            Step::ReaderLooks => world.read_log(),
            Step::ClientReads { batches } => console.read(batches).await,
            Step::Cut => console.cut(),
        }
    }
    world.read_log();
    console.cut();
    while console.seen.len() < expected.len() {
        let frame = tokio::time::timeout(Duration::from_secs(5), console.frames.recv()).await;
        match frame {
            Ok(Some(frame)) => console.take(&frame),
            Ok(None) | Err(_) => break,
        }
    }
    (console.seen, expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// The ring is so small that clients fall behind it all the time.
    #[test]
    fn no_event_is_missed_or_repeated_wherever_the_connection_is_cut(ring in 1_usize..6, steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (seen, expected) = runtime.block_on(live_through(ring, &steps));
        prop_assert_eq!(seen, expected);
    }
}

//! A desk with a store under it: the verbs in which the suite speaks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::bot::{Answer, BotOutcome};
use domain::context::IdSeed;
use domain::conversation::{Command, Inbound, InboundKind};
use domain::directory::{App, Bot, Channel, Person, SkillGroup, field};
use domain::effect::Effect;
use domain::event::{Actor, Event, StreamId};
use domain::permission::Role;
use domain::visitor::VisitorEvent;
use domain::work_mode::WorkMode;
use domain::{Content, Rejection};
use engine::ports::{
    Append, Changes, ClaimedEffect, Committed, Cursor, EffectRef, Environment, Loaded, NewEvent, ReadEvent, RelayId, Scope, Settled,
    Settlement, Store, StoreError, VisitorRef,
};
use engine::unit::{Cause, Unit, settings_for};
use engine::{Commands, Wakes, door};
use secrecy::SecretString;
use shared::sealing::{Keyring, SealingKey};
use shared::{AppId, BotId, ChannelId, ConversationId, FacebookAppId, PageId, Party, PersonId, SkillGroupId, Timestamp, VisitorId};
use store::{PgStore, StoreConfig};
use tests::simulation::{Chance, Manners, MemoryStore, SimulatedClock, Tape};
use tests::world::Database;
use uuid::Uuid;

pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// How long something that has to come is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time and ids for a desk.
pub(crate) struct DeskEnvironment {
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    chance: Mutex<Chance>,
}

impl Environment for DeskEnvironment {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn fresh_id(&self) -> Uuid {
        self.chance.lock().unwrap().id_at(self.now().as_millis())
    }
}

/// A Page with everything around it.
#[derive(Debug, Clone)]
pub(crate) struct Connected {
    pub(crate) page: PageId,
    pub(crate) channel: ChannelId,
    pub(crate) group: SkillGroupId,
    pub(crate) bot: BotId,
}

/// A store and the verbs.
pub(crate) struct Desk<S> {
    pub(crate) store: Arc<S>,
    pub(crate) environment: Arc<DeskEnvironment>,
    pub(crate) commands: Commands<S, DeskEnvironment, Wakes>,
    /// What has to live as long as the desk, and no longer.
    _below: Option<Database>,
}

/// A desk over PostgreSQL, in a database of its own.
pub(crate) async fn in_postgres() -> Desk<PgStore> {
    let database = Database::create();
    let config = StoreConfig::new(SecretString::from(database.url()));
    let keyring = Keyring::single(SealingKey::from_bytes([7; 32]));
    let store = PgStore::connect(config, keyring).await.unwrap();
    let clock = || Timestamp::from_millis(tests::wall_clock::now_ms());
    Desk {
        _below: Some(database),
        ..Desk::over(store, Box::new(clock))
    }
}

/// A desk over a store in memory, busy enough that transactions overlap.
pub(crate) fn in_memory() -> Desk<MemoryStore> {
    let clock = SimulatedClock::start();
    let store = MemoryStore::new(clock, Manners::BUSY, Chance::new(7), Arc::new(Tape::new(clock)));
    Desk::over(store, Box::new(move || clock.now()))
}

impl<S: Store> Desk<S> {
    pub(crate) fn over(store: S, clock: Box<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        let chance = Mutex::new(Chance::new(11));
        let (store, environment) = (Arc::new(store), Arc::new(DeskEnvironment { clock, chance }));
        // A relay without room: what is claimed is the test's own business.
        let (relay, _inbox) = door(RelayId(environment.fresh_id()), 0);
        let commands = Commands::new(Arc::clone(&store), Arc::clone(&environment), Arc::new(Wakes::default()), relay);
        Self {
            store,
            environment,
            commands,
            _below: None,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.environment.now()
    }

    pub(crate) fn fresh(&self) -> Uuid {
        self.environment.fresh_id()
    }

    pub(crate) fn relay(&self) -> RelayId {
        RelayId(self.fresh())
    }

    /// Connects a Page: app, skill group, bot and channel.
    pub(crate) async fn connect(&self, page: &str, mode: WorkMode) -> Connected {
        let (app, bot) = (AppId(self.fresh()), BotId(self.fresh()));
        let (group, channel) = (SkillGroupId(self.fresh()), ChannelId(self.fresh()));
        let facebook_app_id = FacebookAppId::parse(page).unwrap();
        let secrets = [(field::APP_SECRET, "a secret"), (field::VERIFY_TOKEN, "a token")];
        self.commands
            .create(None, app, App { facebook_app_id }, named("应用", &secrets))
            .await
            .unwrap();
        self.commands
            .create(None, group, SkillGroup::default(), named("售后", &[]))
            .await
            .unwrap();
        let settings = Bot {
            client_id: "client".into(),
            base_url: None,
            enabled: true,
            deadline_ms: 30_000,
        };
        self.commands
            .create(None, bot, settings, named("小春", &[(field::SECRET, "s")]))
            .await
            .unwrap();
        let page = PageId::parse(page).unwrap();
        let state = Channel {
            page: page.clone(),
            app,
            skill_group: group,
            bot: Some(bot),
            work_mode: mode,
            enabled: true,
            language: domain::texts::Language::Zh,
        };
        let content = named("春松客服", &[(field::ACCESS_TOKEN, "page token"), ("text.ended", "再见")]);
        self.commands.create(None, channel, state, content).await.unwrap();
        Connected { page, channel, group, bot }
    }

    pub(crate) async fn hire(&self, groups: &[SkillGroupId], capacity: u32) -> PersonId {
        let id = PersonId(self.fresh());
        let person = Person {
            role: Role::Agent,
            skill_groups: groups.iter().copied().collect::<BTreeSet<_>>(),
            capacity,
            enabled: true,
        };
        let login = format!("agent-{id}");
        let content = named("张三", &[(field::LOGIN, &login), (field::PUBLIC_NAME, "小张")]);
        self.commands.create(None, id, person, content).await.unwrap();
        id
    }

    pub(crate) fn identity(&self, page: &Connected, psid: &str) -> VisitorRef {
        VisitorRef::Identity {
            page: page.page.clone(),
            party: Party::Psid(psid.to_owned()),
            fresh: VisitorId(self.fresh()),
        }
    }

    /// One transaction whose step works on a unit.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        scope: Scope,
        mut step: impl FnMut(&mut Unit<'_>) -> T + Send + 'static,
    ) -> Result<Committed<T>, StoreError> {
        let now = self.now();
        let step = move |loaded: &Loaded| {
            let mut unit = Unit::new(loaded, now);
            let value = step(&mut unit);
            (unit.finish(), value)
        };
        self.store.transact(scope, Box::new(step)).await
    }

    /// What a scope loads; nothing is written.
    pub(crate) async fn look(&self, scope: Scope) -> Loaded {
        let step = |loaded: &Loaded| (Changes::default(), loaded.clone());
        self.store.transact(scope, Box::new(step)).await.unwrap().value.unwrap()
    }

    /// A visitor writes. Returns the conversation that it went to.
    pub(crate) async fn receive(&self, page: &Connected, psid: &str, text: &str) -> (VisitorId, ConversationId) {
        self.receive_for(page, psid, text, None).await.value.unwrap()
    }

    /// A visitor writes, and a relay takes what becomes free.
    pub(crate) async fn receive_for(
        &self,
        page: &Connected,
        psid: &str,
        text: &str,
        claim: Option<(RelayId, usize)>,
    ) -> Committed<(VisitorId, ConversationId)> {
        let reference = self.identity(page, psid);
        let scope = Scope {
            visitors: vec![reference.clone()],
            claim,
            ..Scope::default()
        };
        let (content, page) = (Content::of_text(text), page.page.clone());
        let (fresh, seed, sent_at) = (self.fresh(), IdSeed::new(self.fresh()), self.now());
        self.act(scope, move |unit| {
            let visitor = unit.loaded().found[&reference];
            let settings = unit.loaded().pages[&page].clone();
            let inbound = Inbound {
                visitor,
                mid: Some(format!("m_{fresh}")),
                kind: InboundKind::Message,
                sent_at,
                content: content.clone(),
            };
            let id = unit.open_conversation(visitor).unwrap_or(ConversationId(fresh));
            unit.command(id, visitor, &Command::Receive(inbound), &settings, seed, &cause())
                .unwrap();
            (visitor, id)
        })
        .await
        .unwrap()
    }

    /// A command on a conversation; `more` widens the scope.
    pub(crate) async fn command(
        &self,
        id: ConversationId,
        command: Command,
        more: Scope,
    ) -> Result<Committed<Result<(), Rejection>>, StoreError> {
        let scope = Scope {
            visitors: vec![VisitorRef::Of(id)],
            ..more
        };
        let seed = IdSeed::new(self.fresh());
        self.act(scope, move |unit| {
            let conversation = unit.conversation(id).unwrap();
            let (settings, visitor) = (settings_for(unit.loaded(), conversation), conversation.visitor);
            unit.command(id, visitor, &command, &settings, seed, &cause()).map(drop)
        })
        .await
    }

    /// A bot's question ends with an answer that becomes one message to the visitor.
    pub(crate) async fn answer(&self, asked: &ClaimedEffect, text: &str, claim: Option<(RelayId, usize)>) -> Committed<()> {
        let Effect::AskBot { turn, epoch, .. } = asked.effect else {
            panic!("not a question")
        };
        let outcome = BotOutcome::Answered(Answer {
            text: Some(text.to_owned()),
            is_fallback: false,
            provider: "faq".into(),
        });
        let command = Command::RecordBotOutcome { turn, epoch, outcome };
        self.end(asked, command, Settlement::Done, claim).await
    }

    /// An effect ends: what the domain says to it, and its settlement, in one transaction.
    pub(crate) async fn end(
        &self,
        effect: &ClaimedEffect,
        command: Command,
        settlement: Settlement,
        claim: Option<(RelayId, usize)>,
    ) -> Committed<()> {
        let (id, reference) = (effect.effect.conversation(), reference(effect));
        let scope = Scope {
            visitors: vec![VisitorRef::Of(id)],
            effects: vec![reference],
            claim,
            ..Scope::default()
        };
        let seed = IdSeed::new(self.fresh());
        self.act(scope, move |unit| {
            if !unit.loaded().ours.contains(&reference.effect) {
                return;
            }
            let conversation = unit.conversation(id).unwrap();
            let (settings, visitor) = (settings_for(unit.loaded(), conversation), conversation.visitor);
            unit.command(id, visitor, &command, &settings, seed, &cause()).unwrap();
            unit.changes().settled.push(Settled {
                effect: reference.effect,
                settlement: settlement.clone(),
            });
        })
        .await
        .unwrap()
    }

    pub(crate) async fn claim(&self, relay: RelayId, now: Timestamp) -> Vec<ClaimedEffect> {
        self.store.claim(relay, now, 100, LEASE).await.unwrap()
    }

    /// The whole log, read in small pages.
    pub(crate) async fn log(&self) -> Vec<ReadEvent> {
        let marker = self.settle().await;
        let (mut events, mut cursor) = (Vec::new(), Cursor::default());
        loop {
            let page = self.store.read_log(cursor, 3).await.unwrap();
            cursor = page.next;
            events.extend(page.events);
            if !page.full {
                events.retain(|read| read.stream != marker);
                return events;
            }
        }
    }

    /// Waits until a reader gets everything that was committed before: a horizon may lag behind, as transactions of other databases on the
    /// same server hold PostgreSQL's. Leaves an event on a stream of its own, whose name it returns.
    pub(crate) async fn settle(&self) -> StreamId {
        let reference = VisitorRef::Identity {
            page: PageId::parse("999").unwrap(),
            party: Party::Page,
            fresh: VisitorId(self.fresh()),
        };
        let scope = Scope {
            visitors: vec![reference.clone()],
            ..Scope::default()
        };
        let at = self.now();
        let step = move |loaded: &Loaded| {
            let visitor = &loaded.visitors[&loaded.found[&reference]];
            let append = noted(visitor.id, visitor.stream.version, at);
            let changes = Changes {
                appends: vec![append],
                ..Changes::default()
            };
            (changes, visitor.id)
        };
        let committed = self.store.transact(scope, Box::new(step)).await.unwrap();
        let begun = tokio::time::Instant::now();
        while self.store.head().await.unwrap() < committed.cursor.unwrap() {
            assert!(begun.elapsed() < PATIENCE, "what was committed never became readable");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        committed.value.unwrap().into()
    }

    /// A visitor wrote, the bot has answered `texts`: as many messages wait in the lane. None of them is claimed.
    pub(crate) async fn answered(&self, page: &Connected, psid: &str, texts: &[&str]) -> (VisitorId, ConversationId) {
        let relay = self.relay();
        let mut place = None;
        for text in texts {
            let received = self.receive_for(page, psid, "您好", Some((relay, 10))).await;
            let asked = received.claimed.iter().find(|effect| !effect.effect.is_once()).unwrap();
            self.answer(asked, text, None).await;
            place = received.value;
        }
        place.unwrap()
    }
}

/// Something that happened to a visitor outside any conversation.
pub(crate) fn noted(visitor: VisitorId, expected: i64, at: Timestamp) -> Append {
    let event = VisitorEvent::Noted {
        kind: "read".into(),
        mid: None,
        sent_at: at,
        content: Content::default(),
    };
    let state = serde_json::to_value(domain::visitor::Visitor::default().evolve(&event)).unwrap();
    let new = NewEvent {
        event: Event::Visitor(event),
        occurred_at: at,
        actor: Actor::Visitor,
        audience: Vec::new(),
        correlation: Uuid::from_u128(1),
        traceparent: None,
    };
    Append {
        stream: visitor.into(),
        visitor: Some(visitor),
        expected,
        events: vec![new],
        state,
        live: true,
    }
}

pub(crate) const fn reference(effect: &ClaimedEffect) -> EffectRef {
    EffectRef {
        effect: effect.id,
        attempt: effect.attempt,
    }
}

pub(crate) fn cause() -> Cause {
    Cause {
        actor: Actor::System,
        correlation: Uuid::from_u128(1),
        traceparent: None,
    }
}

pub(crate) fn named(name: &str, fields: &[(&str, &str)]) -> Content {
    let mut content = Content::default();
    content.fields.insert(field::NAME.to_owned(), name.to_owned());
    for (field, value) in fields {
        content.fields.insert((*field).to_owned(), (*value).to_owned());
    }
    content
}

/// The words of an effect that sends.
pub(crate) fn text_of(effect: &ClaimedEffect) -> &str {
    match &effect.effect {
        Effect::Send { content, .. } => content.text.as_deref().unwrap(),
        Effect::AskBot { question, .. } => question,
    }
}

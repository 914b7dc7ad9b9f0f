//! Apps, channels, bots, groups and people: saved, loaded, and handed to adapters.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Binary, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use domain::agent::{Agent, AgentEvent, Presence};
use domain::content::Content;
use domain::directory::{
    AcceptMode, App, AppEvent, Bot, BotEvent, Channel, ChannelEvent, Person, PersonEvent, SkillGroup, SkillGroupEvent,
};
use domain::event::{Event, StreamId};
use domain::permission::Role;
use domain::projection::{AgentRow, DirectoryRow, RowChange};
use domain::texts::{Language, TextKey};
use domain::work_mode::WorkMode;
use engine::ports::{Append, Changes, Loaded, QuarantineKind, Quarantined, Scope, Store as _, StoreError};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use shared::sealing::{Keyring, SealingKey};
use shared::{AppId, BotId, ChannelId, FacebookAppId, PageId, PersonId, SkillGroupId};
use store::PgStore;
use uuid::Uuid;

use crate::database::{Database, key};
use crate::scene::{new_event, now, page, run};

fn content(fields: &[(&str, &str)]) -> Content {
    Content {
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Content::default()
    }
}

fn save<S: Serialize>(stream: StreamId, expected: i64, event: Event, state: &S, row: RowChange) -> Changes {
    Changes {
        appends: vec![Append {
            stream,
            visitor: None,
            expected,
            events: vec![new_event(event)],
            state: serde_json::to_value(state).unwrap(),
            live: true,
        }],
        rows: vec![row],
        ..Changes::default()
    }
}

async fn put(store: &PgStore, stream: StreamId, change: impl Fn(i64) -> Changes + Send + 'static) -> Result<(), StoreError> {
    let scope = Scope {
        directory: Some(stream),
        ..Scope::default()
    };
    let act = move |loaded: &Loaded| (change(loaded.directory.as_ref().map_or(0, |(version, _)| *version)), ());
    run(store, scope, act).await.map(|_| ())
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

async fn save_app(store: &PgStore, app_id: u128, facebook: &str) -> Result<(), StoreError> {
    let app = App {
        facebook_app_id: FacebookAppId::parse(facebook).unwrap(),
    };
    let fields = content(&[("name", "应用"), ("app_secret", "s3cret-of-app"), ("verify_token", "foobar20")]);
    put(store, AppId(id(app_id)).into(), move |version| {
        let (app, content) = (app.clone(), fields.clone());
        let event = Event::App(AppEvent::AppSaved {
            app: app.clone(),
            content: content.clone(),
        });
        let row = DirectoryRow {
            id: AppId(id(app_id)),
            state: app.clone(),
            content,
            version: version + 1,
        };
        save(AppId(id(app_id)).into(), version, event, &app, RowChange::App(Box::new(row)))
    })
    .await
}

async fn save_channel(store: &PgStore, channel_id: u128, bot: Option<u128>, token: &str) -> Result<(), StoreError> {
    let channel = Channel {
        page: page(),
        app: AppId(id(1)),
        skill_group: SkillGroupId(id(4)),
        bot: bot.map(|bot| BotId(id(bot))),
        work_mode: WorkMode::BotFirst,
        enabled: true,
        language: Language::En,
    };
    let fields = content(&[
        ("name", "主页"),
        ("access_token", token),
        ("text.ended", ""),
        ("text.queued", "请稍候"),
    ]);
    put(store, ChannelId(id(channel_id)).into(), move |version| {
        let (channel, content) = (channel.clone(), fields.clone());
        let event = Event::Channel(ChannelEvent::ChannelSaved {
            channel: channel.clone(),
            content: content.clone(),
        });
        let row = DirectoryRow {
            id: ChannelId(id(channel_id)),
            state: channel.clone(),
            content,
            version: version + 1,
        };
        save(
            ChannelId(id(channel_id)).into(),
            version,
            event,
            &channel,
            RowChange::Channel(Box::new(row)),
        )
    })
    .await
}

async fn save_bot(store: &PgStore, enabled: bool) {
    let bot = Bot {
        client_id: "client".to_owned(),
        base_url: Some("https://bot.example".to_owned()),
        enabled,
        deadline_ms: 30_000,
    };
    let fields = content(&[("name", "小松"), ("secret", "s3cret-of-bot")]);
    put(store, BotId(id(3)).into(), move |version| {
        let (bot, content) = (bot.clone(), fields.clone());
        let event = Event::Bot(BotEvent::BotSaved {
            bot: bot.clone(),
            content: content.clone(),
        });
        let row = DirectoryRow {
            id: BotId(id(3)),
            state: bot.clone(),
            content,
            version: version + 1,
        };
        save(BotId(id(3)).into(), version, event, &bot, RowChange::Bot(Box::new(row)))
    })
    .await
    .unwrap();
}

async fn save_group(store: &PgStore) {
    let group = SkillGroup {
        accept: AcceptMode::Manual,
        wrap_up: true,
    };
    put(store, SkillGroupId(id(4)).into(), move |version| {
        let content = content(&[("name", "售前")]);
        let event = Event::SkillGroup(SkillGroupEvent::SkillGroupSaved {
            skill_group: group.clone(),
            content: content.clone(),
        });
        let row = DirectoryRow {
            id: SkillGroupId(id(4)),
            state: group.clone(),
            content,
            version: version + 1,
        };
        save(
            SkillGroupId(id(4)).into(),
            version,
            event,
            &group,
            RowChange::SkillGroup(Box::new(row)),
        )
    })
    .await
    .unwrap();
}

async fn save_person(store: &PgStore, person_id: u128, login: &str, enabled: bool) -> Result<(), StoreError> {
    let person = Person {
        role: Role::Agent,
        skill_groups: BTreeSet::from([SkillGroupId(id(4))]),
        capacity: 5,
        enabled,
    };
    let fields = content(&[
        ("login", login),
        ("name", "张三"),
        ("public_name", "小张"),
        ("password_hash", "$argon2id$x"),
    ]);
    put(store, StreamId::person(PersonId(id(person_id))), move |version| {
        let (person, content) = (person.clone(), fields.clone());
        let event = Event::Person(PersonEvent::PersonSaved {
            person: person.clone(),
            content: content.clone(),
        });
        let row = DirectoryRow {
            id: PersonId(id(person_id)),
            state: person.clone(),
            content,
            version: version + 1,
        };
        save(
            StreamId::person(PersonId(id(person_id))),
            version,
            event,
            &person,
            RowChange::Person(Box::new(row)),
        )
    })
    .await
}

async fn be(store: &PgStore, person_id: u128, presence: Presence) {
    let who = PersonId(id(person_id));
    let scope = Scope {
        agent: Some(who),
        ..Scope::default()
    };
    run(store, scope, move |loaded| {
        let stream = loaded.agent.as_ref().unwrap().agent.clone();
        let event = AgentEvent::PresenceChanged { presence, at: now() };
        let state: Agent = stream.state.evolve(&event);
        let row = RowChange::Agent(AgentRow {
            id: who,
            state: state.clone(),
            version: stream.version + 1,
        });
        (save(StreamId::agent(who), stream.version, Event::Agent(event), &state, row), ())
    })
    .await
    .unwrap();
}

async fn settings(store: &PgStore) -> BTreeMap<PageId, domain::conversation::Settings> {
    let scope = Scope {
        pages: BTreeSet::from([page(), PageId::parse("1").unwrap()]),
        ..Scope::default()
    };
    run(store, scope, |loaded| (Changes::default(), loaded.pages.clone()))
        .await
        .unwrap()
        .value
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_page_are_those_of_its_channel_bot_and_group() {
    let database = Database::new();
    let store = database.store().await;
    assert!(settings(&store).await.is_empty());
    save_bot(&store, true).await;
    save_group(&store).await;
    save_channel(&store, 2, Some(3), "token").await.unwrap();
    let known = settings(&store).await;
    assert_eq!(known.keys().collect::<Vec<_>>(), [&page()]);
    let known = &known[&page()];
    assert_eq!(
        (known.channel, known.skill_group, known.mode),
        (ChannelId(id(2)), SkillGroupId(id(4)), WorkMode::BotFirst)
    );
    assert_eq!(
        (known.bot, known.enabled, known.accept, known.wrap_up),
        (Some(BotId(id(3))), true, AcceptMode::Manual, true)
    );
    assert_eq!(known.texts.get(TextKey::Ended), None);
    assert_eq!(known.texts.get(TextKey::Queued), Some("请稍候"));
    assert_eq!(known.texts.language, Language::En);

    save_bot(&store, false).await;
    assert_eq!(settings(&store).await[&page()].bot, None, "a bot that is off is no bot");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_ready_only_while_an_enabled_person_of_the_group_is() {
    let database = Database::new();
    let store = database.store().await;
    save_channel(&store, 2, None, "token").await.unwrap();
    save_person(&store, 7, "zhangsan", true).await.unwrap();
    assert!(!settings(&store).await[&page()].humans_ready);
    be(&store, 7, Presence::Ready).await;
    assert!(settings(&store).await[&page()].humans_ready);
    save_person(&store, 7, "zhangsan", false).await.unwrap();
    assert!(!settings(&store).await[&page()].humans_ready);
    save_person(&store, 7, "zhangsan", true).await.unwrap();
    be(&store, 7, Presence::Busy).await;
    assert!(!settings(&store).await[&page()].humans_ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_loaded_with_the_person_and_the_floor_knows_both() {
    let database = Database::new();
    let store = database.store().await;
    save_person(&store, 7, "zhangsan", true).await.unwrap();
    be(&store, 7, Presence::Ready).await;
    let (_, conversation) = crate::scene::met(&store, "1001", "您好").await;
    let scope = Scope {
        agent: Some(PersonId(id(7))),
        ..Scope::default()
    };
    let agent = run(&store, scope, |loaded| (Changes::default(), loaded.agent.clone()))
        .await
        .unwrap();
    let agent = agent.value.unwrap().unwrap();
    assert_eq!((agent.agent.version, agent.agent.state.presence), (1, Presence::Ready));
    assert_eq!((agent.person.version, agent.person.state.unwrap().capacity), (1, 5));
    assert_eq!(agent.public_name, "小张");

    let (floor, _) = store.floor().await.unwrap();
    let seated = &floor.agents[&PersonId(id(7))];
    assert_eq!((seated.presence, seated.capacity, seated.disabled), (Presence::Ready, 5, false));
    assert!(floor.conversations.contains_key(&conversation));
    assert_eq!(floor.queues[&SkillGroupId(id(12))].len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_stream_is_loaded_with_its_newest_event_and_its_secrets() {
    let database = Database::new();
    let store = database.store().await;
    save_app(&store, 1, "100").await.unwrap();
    save_app(&store, 1, "101").await.unwrap();
    let scope = Scope {
        directory: Some(AppId(id(1)).into()),
        ..Scope::default()
    };
    let loaded = run(&store, scope, |loaded| (Changes::default(), loaded.directory.clone()))
        .await
        .unwrap();
    let (version, event) = loaded.value.unwrap().unwrap();
    assert_eq!(version, 2);
    let Some(Event::App(AppEvent::AppSaved { app, content })) = event else {
        panic!("{event:?}")
    };
    assert_eq!(app.facebook_app_id.as_str(), "101");
    assert_eq!(content.fields["app_secret"], "s3cret-of-app");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_already_is_refused_by_name() {
    let database = Database::new();
    let store = database.store().await;
    save_app(&store, 1, "100").await.unwrap();
    save_channel(&store, 2, None, "token").await.unwrap();
    save_person(&store, 7, "zhangsan", true).await.unwrap();
    for (refused, name) in [
        (save_app(&store, 11, "100").await, "app_facebook_app_id"),
        (save_channel(&store, 12, None, "token").await, "channel_page_id"),
        (save_person(&store, 17, "zhangsan", true).await, "person_login"),
    ] {
        assert!(
            matches!(&refused, Err(StoreError::Data { reason }) if reason.starts_with(name)),
            "{refused:?}"
        );
    }
}

#[derive(QueryableByName)]
struct AppRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Binary)]
    secrets: Vec<u8>,
}

#[tokio::test(flavor = "multi_thread")]
async fn ingress_finds_the_secrets_of_an_app_where_it_looks_for_them() {
    let database = Database::new();
    let store = database.store().await;
    save_app(&store, 1, "100").await.unwrap();
    save_channel(&store, 2, None, "token").await.unwrap();
    let mut connection = database.connection();
    let row: AppRow = sql_query("SELECT name, secrets FROM app").get_result(&mut connection).unwrap();
    assert_eq!(row.name, "应用");
    let place = format!("app:{}", id(1));
    let opened = key(1).open(place.as_bytes(), &row.secrets).unwrap();
    let opened: serde_json::Value = serde_json::from_slice(&opened).unwrap();
    let expected = serde_json::json!({"app_secret": "s3cret-of-app", "second_secret": null, "verify_token": "foobar20"});
    assert_eq!(opened, expected);
    let aliases = sql_query("SELECT 1 FROM page_alias WHERE page_id = '159955055741'")
        .execute(&mut connection)
        .unwrap();
    assert_eq!(aliases, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn adapters_get_tokens_and_secrets_and_see_a_change_once_told() {
    let database = Database::new();
    let store = database.store().await;
    let directory = store.directory();
    assert!(directory.page_token(&page()).await.unwrap().is_none());
    assert!(directory.bot(BotId(id(3))).await.unwrap().is_none());
    directory.forget();
    save_channel(&store, 2, None, "first").await.unwrap();
    save_bot(&store, true).await;
    assert_eq!(directory.page_token(&page()).await.unwrap().unwrap().expose_secret(), "first");
    let bot = directory.bot(BotId(id(3))).await.unwrap().unwrap();
    assert_eq!((bot.client_id.as_str(), bot.deadline.as_secs(), bot.enabled), ("client", 30, true));
    assert_eq!(bot.secret.unwrap().expose_secret(), "s3cret-of-bot");
    save_channel(&store, 2, None, "second").await.unwrap();
    directory.forget();
    assert_eq!(directory.page_token(&page()).await.unwrap().unwrap().expose_secret(), "second");
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_rotation_older_keys_still_open_and_foreign_ones_never() {
    let database = Database::new();
    let store = database.store().await;
    save_channel(&store, 2, None, "token").await.unwrap();
    crate::scene::met(&store, "1001", "您好").await;
    let rotated = Keyring {
        current: key(2),
        previous: vec![key(1)],
    };
    let store = database.store_with(rotated).await;
    assert_eq!(
        store.directory().page_token(&page()).await.unwrap().unwrap().expose_secret(),
        "token"
    );
    // The same visitor is found again, although the master key is another one.
    let again = crate::scene::identity("1001");
    let reference = again.clone();
    let seen = run(&store, crate::scene::about([again]), move |loaded| {
        let visitor = &loaded.visitors[&loaded.found[&reference]];
        (Changes::default(), visitor.conversations.len())
    });
    assert_eq!(seen.await.unwrap().value, Some(1));

    let foreign = Keyring::single(SealingKey::from_bytes([9; 32]));
    let config = store::StoreConfig::new(secrecy::SecretString::from(database.url()));
    let refused = PgStore::connect(config, foreign).await;
    assert!(matches!(refused, Err(StoreError::Unreadable { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_channel_comes_out_of_quarantine_when_the_channel_appears() {
    let database = Database::new();
    let store = database.store().await;
    let keep = |n: u128, kind: QuarantineKind| Quarantined {
        id: id(n),
        kind,
        reason: "no channel is connected to the page".to_owned(),
        page: Some(page()),
        envelope: format!("{{\"n\":{n}}}"),
        body: vec![0, 159, 146, 150],
        at: now().plus(std::time::Duration::from_secs(u64::try_from(n).unwrap())),
    };
    let kept = vec![
        keep(3, QuarantineKind::UnknownPage),
        keep(1, QuarantineKind::UnknownPage),
        keep(2, QuarantineKind::Poison),
    ];
    run(&store, Scope::default(), move |_| {
        let changes = Changes {
            quarantined: kept.clone(),
            ..Changes::default()
        };
        (changes, ())
    })
    .await
    .unwrap();
    assert!(store.redrivable(10).await.unwrap().is_empty());
    save_channel(&store, 2, None, "token").await.unwrap();
    let out = store.redrivable(10).await.unwrap();
    assert_eq!(out.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [id(1), id(3)]);
    assert_eq!(
        (out[0].1.as_str(), out[0].2.as_slice()),
        ("{\"n\":1}", [0, 159, 146, 150].as_slice())
    );
    let redrive = |n: u128| {
        run(&store, Scope::default(), move |_| {
            let changes = Changes {
                redriven: vec![id(n)],
                ..Changes::default()
            };
            (changes, ())
        })
    };
    redrive(1).await.unwrap();
    assert!(matches!(redrive(1).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.redrivable(10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_what_it_promised_is_refused() {
    use diesel::connection::SimpleConnection as _;
    let database = Database::new();
    database.store().await.check_server().await.unwrap();
    let name = database.url().rsplit_once('/').unwrap().1.to_owned();
    let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    database.connection().batch_execute(&off).unwrap();
    let refused = database.store().await.check_server().await.unwrap_err();
    assert!(refused.to_string().contains("synchronous_commit = off"), "{refused}");
}

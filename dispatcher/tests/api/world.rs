//! A running API with an administrator, and people who use it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer};
use dispatcher::api::session::password;
use dispatcher::api::{self, ApiParts, ApiSettings, ApiState, Console, Readiness};
use dispatcher::environment::SystemEnvironment;
use dispatcher::feed::{LogReader, Rhythm, Ring};
use domain::Content;
use domain::directory::{Person, field};
use domain::permission::Role;
use engine::ports::{Environment as _, RelayId};
use engine::{Commands, Intake, RelayInbox, Wakes, door};
use reqwest::{Method, RequestBuilder};
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::PersonId;
use shared::sealing::{Keyring, SealingKey};
use store::queries::Queries;
use store::{PgStore, StoreConfig};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::Database;
use crate::visitors::{Visitors, broker};

pub(crate) const PAGE: &str = "159955055741";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What a test may want otherwise.
pub(crate) struct Wishes {
    pub(crate) ring: usize,
    pub(crate) rhythm: Rhythm,
    pub(crate) console: PathBuf,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            ring: 1_000,
            rhythm: Rhythm::default(),
            console: PathBuf::from("/nowhere"),
        }
    }
}

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) commands: Arc<Commands<PgStore, SystemEnvironment, Wakes>>,
    pub(crate) visitors: Visitors,
    // Keeps the relay's door open: effects stay where they are, nobody performs them.
    _relay: RelayInbox,
    _stop: tokio_util::sync::DropGuard,
    _loops: JoinSet<()>,
    pub(crate) database: Database,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn problem(&self) -> &str {
        self.body["id"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, problem: &str) -> Value {
        assert_eq!((self.status, self.problem()), (status, problem), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        self.body
    }
}

/// Somebody who asks, signed in or not.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) id: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Wishes::default()).await
    }

    pub(crate) async fn with(wishes: Wishes) -> Self {
        let database = Database::new();
        let config = StoreConfig::new(SecretString::from(database.url()));
        let keyring = Keyring::single(SealingKey::from_bytes([7; 32]));
        let store = Arc::new(PgStore::connect(config.clone(), keyring.clone()).await.expect("the store connects"));
        let (environment, live) = (Arc::new(SystemEnvironment), Arc::new(Wakes::default()));
        let (relay, inbox) = door(RelayId(Uuid::now_v7()), 0);
        let commands = Arc::new(Commands::new(
            Arc::clone(&store),
            Arc::clone(&environment),
            Arc::clone(&live),
            relay.clone(),
        ));
        let ring = Ring::new(wishes.ring);
        let stop = CancellationToken::new();
        let mut loops = JoinSet::new();
        loops.spawn(LogReader::new(Arc::clone(&ring)).run(Arc::clone(&store), Arc::clone(&live)));
        let (visitors, deliveries) = broker();
        let intake = Intake {
            store: Arc::clone(&store),
            environment: Arc::clone(&environment),
            live,
            relay,
        };
        let stopped = stop.clone();
        loops.spawn(async move { intake.run(deliveries, stopped).await });
        let queries = Queries::connect(&config, 4, keyring);
        let probe = queries.clone();
        let state = ApiState::new(ApiParts {
            commands: Arc::clone(&commands),
            store,
            environment,
            queries,
            ring,
            console: Console::new(&wishes.console),
            readiness: Readiness::default().with("database", move || {
                let probe = probe.clone();
                async move { probe.is_there().await }
            }),
            stopping: stop.clone(),
            settings: ApiSettings {
                secure_cookies: false,
                rhythm: wishes.rhythm,
            },
        })
        .expect("there is randomness");
        Self {
            address: serve(state),
            commands,
            visitors,
            _relay: inbox,
            _stop: stop.drop_guard(),
            _loops: loops,
            database,
        }
    }

    /// Somebody who is not signed in.
    pub(crate) fn stranger(&self) -> Caller {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client");
        Caller {
            http,
            base: format!("http://{}", self.address),
            cookie: String::new(),
            csrf: String::new(),
            id: String::new(),
        }
    }

    /// An administrator, put there the way the command line does.
    pub(crate) async fn administrator(&self) -> Caller {
        let hash = password::hash(&SecretString::from(PASSWORD)).unwrap();
        let fields = [
            (field::LOGIN, "admin"),
            (field::NAME, "管理员"),
            (field::PUBLIC_NAME, "管理员"),
            (field::PASSWORD_HASH, &hash),
        ];
        let content = Content {
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..Content::default()
        };
        let person = Person {
            role: Role::Administrator,
            skill_groups: [].into(),
            capacity: 5,
            enabled: true,
        };
        let id = PersonId(SystemEnvironment.fresh_id());
        self.commands
            .create(None, id, person, content)
            .await
            .expect("the administrator is added");
        self.sign_in("admin").await
    }

    pub(crate) async fn sign_in(&self, login: &str) -> Caller {
        let reply = self
            .stranger()
            .post("/session", json!({"login": login, "password": PASSWORD}))
            .await;
        let cookie = reply.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let session = reply.ok();
        Caller {
            cookie,
            csrf: session["csrf_token"].as_str().unwrap().to_owned(),
            id: session["person"]["id"].as_str().unwrap().to_owned(),
            ..self.stranger()
        }
    }
}

fn serve(state: ApiState) -> SocketAddr {
    let server = HttpServer::new(move || App::new().configure(api::configure(state.clone())))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a free port");
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    address
}

impl Caller {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.strip_prefix('!') {
            Some(outside) => format!("{}{outside}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        };
        let mut request = self.http.request(method, url);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf);
        }
        request
    }

    pub(crate) async fn send(request: RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Reply { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Self::send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        Self::send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn post_once(&self, path: &str, key: &str, body: Value) -> Reply {
        Self::send(self.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        Self::send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        Self::send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        Self::send(self.request(Method::DELETE, path)).await
    }
}

/// A floor: a group, a channel in front of it, and an agent in it.
pub(crate) struct Floor {
    pub(crate) admin: Caller,
    pub(crate) agent: Caller,
    pub(crate) group: String,
    pub(crate) app: String,
}

impl World {
    pub(crate) async fn floor(&self) -> Floor {
        let admin = self.administrator().await;
        let group = self.group(&admin, "售前").await;
        let app = admin
            .post(
                "/apps",
                json!({"app_id": "4711", "name": "应用", "app_secret": "s1", "verify_token": "v1"}),
            )
            .await
            .ok();
        let app = text(&app["app"]["id"]);
        self.channel(&admin, PAGE, &app, &group).await.ok();
        let agent = self.agent(&admin, "zhangsan", &[&group]).await;
        Floor { admin, agent, group, app }
    }

    pub(crate) async fn group(&self, admin: &Caller, name: &str) -> String {
        let group = admin.post("/skill-groups", json!({"name": name})).await.ok();
        text(&group["skill_group"]["id"])
    }

    pub(crate) async fn channel(&self, admin: &Caller, page: &str, app: &str, group: &str) -> Reply {
        let channel = json!({
            "page_id": page, "name": "春松客服", "app_id": app, "access_token": "EAAG1", "skill_group_id": group,
            "bot_id": null, "work_mode": "human_first",
        });
        admin.post("/channels", channel).await
    }

    /// Adds an agent and signs them in.
    pub(crate) async fn agent(&self, admin: &Caller, login: &str, groups: &[&str]) -> Caller {
        let person = json!({
            "login": login, "password": PASSWORD, "name": "张三", "public_name": "小张", "role": "agent", "skill_groups": groups,
            "capacity": 3,
        });
        admin.post("/people", person).await.ok();
        self.sign_in(login).await
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

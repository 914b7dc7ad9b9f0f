//! The installation itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng as _;
use reqwest::Url;
use serde_json::json;

use super::binaries::binary;
use super::broker::TestBroker;
use super::config::WorldConfig;
use super::database::Database;
use super::desk::Desk;
use super::folder::Folder;
use super::seed::Seed;
use super::servers::broker_server;
use super::service::{Launch, Service};
use super::webhook::Sender;
use crate::chaos_proxy::ChaosProxy;
use crate::chatopera::{Credentials, SimulatedChatopera};
use crate::facebook::{App, FacebookConfig, Page, SimulatedFacebook};

const APP_ID: u64 = 1_517_776_481_860_111;
const PAGE: &str = "159955055741";
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// What a dispatcher has in hand is counted nowhere; it is committed, and what follows from it visible, long before so many looks in a row.
const QUIET_LOOKS: u32 = 8;
const VERIFY_TOKEN: &str = "foobar20";

/// One installation. The processes end first, what they stand on afterwards.
pub struct World {
    /// The webhook service.
    pub ingress: Service,
    /// The dispatchers.
    pub dispatchers: Vec<Service>,
    /// Facebook.
    pub facebook: SimulatedFacebook,
    /// Chatopera.
    pub chatopera: SimulatedChatopera,
    /// The wire to the broker, in a wired world.
    pub to_broker: Option<ChaosProxy>,
    /// The wire to the database, in a wired world.
    pub to_database: Option<ChaosProxy>,
    /// The names at the broker.
    pub broker: TestBroker,
    /// The database.
    pub database: Database,
    /// What was seeded.
    pub seed: Seed,
    app_secret: String,
    _folder: Folder,
}

/// What nobody can guess, drawn anew for every world.
struct Secrets {
    app_secret: String,
    page_token: String,
    bot: Credentials,
    encryption_key: String,
}

impl World {
    /// Builds it and waits until every process is ready.
    ///
    /// # Panics
    /// When the servers are not there, the services are not built, or one of them does not start.
    pub async fn build(config: WorldConfig) -> Self {
        let (ingress_binary, dispatcher_binary) = (binary("ingress"), binary("dispatcher"));
        let broker = TestBroker::new(&config.broker.clone().unwrap_or_else(broker_server));
        let (folder, database, secrets) = (Folder::create(), Database::create(), Secrets::draw());
        let facebook = SimulatedFacebook::start(secrets.facebook(&config.more_pages)).expect("Facebook starts");
        let chatopera = SimulatedChatopera::start(secrets.bot.clone()).expect("Chatopera starts");
        let (to_broker, to_database) = wires(&config, &broker, &database).await;

        let mut environment = common(&broker, &database, &secrets);
        let seed = Seed::sow(&dispatcher_binary, &secrets.for_seed(&environment, &config)).await;
        reroute(&mut environment, "AMQP_URL", to_broker.as_ref());
        reroute(&mut environment, "DATABASE_URL", to_database.as_ref());
        environment.extend([
            ("GRAPH_API_URL".to_owned(), facebook.base_url()),
            ("CHATOPERA_URL".to_owned(), chatopera.base_url()),
            ("INGRESS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("DISPATCHER_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("PUBLIC_URL".to_owned(), "http://127.0.0.1".to_owned()),
            ("CONSOLE_DIR".to_owned(), folder.console().display().to_string()),
            ("QUIET_PERIOD".to_owned(), config.quiet_period.to_string()),
        ]);
        environment.extend(config.variables.iter().cloned());
        let launch = |name: &str, binary: &std::path::Path, arguments: &[&str]| Launch {
            name: name.to_owned(),
            binary: binary.to_owned(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: environment.clone(),
            log: folder.log(name),
        };
        let mut ingress = Service::start(launch("ingress", &ingress_binary, &[])).await;
        let mut dispatchers = Vec::with_capacity(config.dispatchers);
        for number in 1..=config.dispatchers {
            let mut dispatcher = Service::start(launch(&format!("dispatcher-{number}"), &dispatcher_binary, &["serve"])).await;
            dispatcher.until_ready().await;
            dispatchers.push(dispatcher);
        }
        ingress.until_ready().await;
        let world = Self {
            ingress,
            dispatchers,
            facebook,
            chatopera,
            to_broker,
            to_database,
            broker,
            database,
            seed,
            app_secret: secrets.app_secret,
            _folder: folder,
        };
        world.set_callback();
        world
    }

    /// Tells Facebook where ingress listens now.
    fn set_callback(&self) {
        let callback = format!("{}/facebook/webhook/{PAGE}", self.ingress.base_url());
        self.facebook.set_callback(&callback).expect("a callback on this machine");
    }

    /// The first Page.
    #[must_use]
    pub const fn page(&self) -> &'static str {
        PAGE
    }

    /// Our app's id at Facebook.
    #[must_use]
    pub fn facebook_app_id(&self) -> String {
        APP_ID.to_string()
    }

    /// Signs and posts webhooks by hand.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::new(self.ingress.addresses(), &self.app_secret)
    }

    /// The first dispatcher.
    #[must_use]
    pub fn dispatcher(&self) -> &Service {
        &self.dispatchers[0]
    }

    /// kill -9 of ingress, and a new start; Facebook is told the new address.
    pub async fn kill_and_restart_ingress(&mut self) {
        self.ingress.kill();
        self.ingress.restart().await;
        self.set_callback();
    }

    /// kill -9 of a dispatcher, and a new start.
    pub async fn kill_and_restart_dispatcher(&mut self, number: usize) {
        self.dispatchers[number].kill();
        self.dispatchers[number].restart().await;
    }

    /// The administrator, signed in at the first dispatcher.
    pub async fn administrator(&self) -> Desk {
        let login = &self.seed.administrator;
        Desk::sign_in(&self.dispatcher().base_url(), &login.login, &login.password).await
    }

    /// The agent 张三, signed in at the first dispatcher.
    pub async fn agent(&self) -> Desk {
        let login = &self.seed.agent;
        Desk::sign_in(&self.dispatcher().base_url(), &login.login, &login.password).await
    }

    /// One more agent of the skill group, signed in at the first dispatcher.
    pub async fn hire(&self, administrator: &Desk, login: &str, capacity: u32) -> Desk {
        let password = format!("{login}-password");
        let person = json!({"login": login, "password": password, "name": login, "public_name": login, "role": "agent",
                            "skill_groups": [self.seed.skill_group_id], "capacity": capacity});
        administrator.post("/people", person).await;
        Desk::sign_in(&self.dispatcher().base_url(), login, &password).await
    }

    /// Waits until every webhook arrived, every event of the broker was taken in, and every effect was performed.
    ///
    /// # Panics
    /// When it takes longer than that.
    pub async fn until_settled(&self, patience: Duration) {
        let begun = Instant::now();
        let mut quiet_looks = 0;
        while quiet_looks < QUIET_LOOKS {
            let under_way = self.under_way().await;
            quiet_looks = if under_way == UnderWay::default() { quiet_looks + 1 } else { 0 };
            assert!(begun.elapsed() < patience, "after {patience:?} there is still {under_way:?}");
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn under_way(&self) -> UnderWay {
        UnderWay {
            webhooks: self.facebook.webhooks().pending,
            events: self.broker.waiting_events().await,
            effects: self.database.effects(),
        }
    }
}

/// What is not done yet.
#[derive(Debug, Default, PartialEq, Eq)]
struct UnderWay {
    webhooks: u64,
    events: u32,
    /// By kind and state.
    effects: Vec<(String, i64)>,
}

async fn wires(config: &WorldConfig, broker: &TestBroker, database: &Database) -> (Option<ChaosProxy>, Option<ChaosProxy>) {
    if !config.wired {
        return (None, None);
    }
    (
        Some(ChaosProxy::before(&authority(broker.url())).await),
        Some(ChaosProxy::before(&authority(database.url())).await),
    )
}

fn authority(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))
}

/// What every process is told.
fn common(broker: &TestBroker, database: &Database, secrets: &Secrets) -> BTreeMap<String, String> {
    let pairs = [
        ("DATABASE_URL", database.url()),
        ("AMQP_URL", broker.url()),
        ("AMQP_PREFIX", broker.prefix()),
        ("ENCRYPTION_KEY", &secrets.encryption_key),
        ("RUST_LOG", "info"),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Leads a URL through a wire.
fn reroute(environment: &mut BTreeMap<String, String>, variable: &str, wire: Option<&ChaosProxy>) {
    let Some(wire) = wire else { return };
    let direct = &environment[variable];
    let rerouted = direct.replacen(&authority(direct), &wire.address().to_string(), 1);
    environment.insert(variable.to_owned(), rerouted);
}

impl Secrets {
    fn draw() -> Self {
        let bot = Credentials {
            client_id: hex::encode(random::<12>()),
            secret: Some(hex::encode(random::<16>())),
        };
        Self {
            app_secret: hex::encode(random::<16>()),
            page_token: format!("EAA{}", hex::encode(random::<24>())),
            bot,
            encryption_key: STANDARD.encode(random::<32>()),
        }
    }

    fn facebook(&self, more_pages: &[Page]) -> FacebookConfig {
        let app = App {
            id: APP_ID,
            secret: self.app_secret.clone(),
            verify_token: VERIFY_TOKEN.to_owned(),
        };
        let mut facebook = FacebookConfig::new(app, Page::new(PAGE, "春松客服 DEMO", &self.page_token));
        facebook.pages.extend_from_slice(more_pages);
        facebook
    }

    fn for_seed(&self, common: &BTreeMap<String, String>, config: &WorldConfig) -> BTreeMap<String, String> {
        let mut environment = common.clone();
        let pairs = [
            ("FACEBOOK_APP_ID", APP_ID.to_string()),
            ("APP_SECRET", self.app_secret.clone()),
            ("VERIFY_TOKEN", VERIFY_TOKEN.to_owned()),
            ("PAGE_ID", PAGE.to_owned()),
            ("PAGE_NAME", "春松客服 DEMO".to_owned()),
            ("PAGE_TOKEN", self.page_token.clone()),
            ("CHATOPERA_CLIENT_ID", self.bot.client_id.clone()),
            ("CHATOPERA_SECRET", self.bot.secret.clone().unwrap_or_default()),
            ("DEMO_WORK_MODE", config.work_mode.clone()),
        ];
        environment.extend(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)));
        environment
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill(bytes.as_mut_slice());
    bytes
}

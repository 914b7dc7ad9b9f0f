//! One test's installation: its own database, its own names at the broker, its own ingress process behind wires that can be cut.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::{Connection as _, PgConnection, RunQueryDsl as _, sql_query};
use futures::StreamExt as _;
use lapin::message::{BasicGetMessage, Delivery};
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
    QueueDeleteOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection};
use rand::Rng as _;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use runtime::broker::{Broker, short};
use runtime::config::{BrokerConfig, SecretUrl};
use serde_json::{Value, json};
use shared::envelope::Properties;
use shared::sealing::SealingKey;
use shared::topology::Topology;
use shared::{Envelope, Partition};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::facebook::{PAGE, sign};
use crate::proxy::Proxy;

/// The secret of the first app.
pub(crate) const SECRET: &str = "e6af24be1d683c8c911949f897eea1f6";
/// Its verify token.
pub(crate) const VERIFY_TOKEN: &str = "foobar20";
const ENCRYPTION_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A variable that `scripts/services` sets.
fn required(variable: &str) -> String {
    let value = std::env::var_os(variable).and_then(|value| value.into_string().ok());
    value.unwrap_or_else(|| {
        panic!("{variable} is not set: run these tests through scripts/test, or through scripts/services run -- COMMAND")
    })
}

pub(crate) fn database_server() -> String {
    required("FRONTDESK_TEST_DATABASE_URL")
}

pub(crate) fn broker_server() -> String {
    required("FRONTDESK_TEST_AMQP_URL")
}

/// Tries until `attempt` gives something; fails after 20 s.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everything that one test has to itself.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) broker: TestBroker,
    pub(crate) to_broker: Proxy,
    pub(crate) to_database: Proxy,
    pub(crate) client: Client,
    /// The first app.
    pub(crate) app: Uuid,
}

impl World {
    /// A database with one app and its connected Page, and a broker without anything.
    pub(crate) async fn new() -> Self {
        let database = Database::create();
        let app = database.add_app(
            "1001",
            json!({"app_secret": SECRET, "second_secret": null, "verify_token": VERIFY_TOKEN}),
        );
        database.add_channel(PAGE, app);
        let broker = TestBroker::new().await;
        let to_broker = Proxy::before(authority(&broker_server())).await;
        let to_database = Proxy::before(authority(&database_server())).await;
        let client = Client::builder().timeout(Duration::from_secs(15)).no_proxy().build().unwrap();
        Self {
            database,
            broker,
            to_broker,
            to_database,
            client,
            app,
        }
    }

    /// What the process is started with.
    pub(crate) fn environment(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("DATABASE_URL", through(&self.database.url, self.to_database.address)),
            ("AMQP_URL", through(&broker_server(), self.to_broker.address)),
            ("AMQP_PREFIX", self.broker.prefix.clone()),
            ("ENCRYPTION_KEY", ENCRYPTION_KEY.to_owned()),
            ("INGRESS_LISTEN", "127.0.0.1:0".to_owned()),
        ])
    }

    /// Starts ingress and waits until it listens.
    pub(crate) async fn start(&self) -> Ingress {
        Ingress::start(self.environment(), self.client.clone()).await
    }

    /// Starts ingress and waits until it is ready.
    pub(crate) async fn start_ready(&self) -> Ingress {
        let ingress = self.start().await;
        ingress.until_ready().await;
        ingress
    }
}

/// Starts ingress with another environment and waits until it listens.
pub(crate) async fn start_with(environment: BTreeMap<&'static str, String>, world: &World) -> Ingress {
    Ingress::start(environment, world.client.clone()).await
}

/// The host and port of a URL.
fn authority(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    rest.split(['/', '?']).next().unwrap().to_owned()
}

/// The URL with another host and port.
fn through(url: &str, address: SocketAddr) -> String {
    url.replacen(&authority(url), &address.to_string(), 1)
}

/// A database of its own, dropped at the end.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
}

impl Database {
    fn create() -> Self {
        let name = format!("ingress_{}", Uuid::now_v7().simple());
        let server = database_server();
        sql_query(format!("CREATE DATABASE {name}"))
            .execute(&mut PgConnection::establish(&server).unwrap())
            .unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let database = Self {
            url: format!("{base}/{name}"),
            name,
        };
        migrations::run(&mut database.connection()).unwrap();
        database
    }

    fn connection(&self) -> PgConnection {
        PgConnection::establish(&self.url).unwrap()
    }

    pub(crate) fn execute(&self, statement: &str) {
        sql_query(statement).execute(&mut self.connection()).unwrap();
    }

    /// An app with these secrets.
    pub(crate) fn add_app(&self, facebook_app_id: &str, secrets: Value) -> Uuid {
        let id = Uuid::now_v7();
        self.execute(&format!(
            "INSERT INTO app VALUES ('{id}', '{facebook_app_id}', 'app', '\\x{}', 1)",
            seal(id, &secrets)
        ));
        id
    }

    pub(crate) fn set_secrets(&self, app: Uuid, secrets: Value) {
        self.execute(&format!(
            "UPDATE app SET secrets = '\\x{}', version = version + 1 WHERE id = '{app}'",
            seal(app, &secrets)
        ));
    }

    /// Connects a Page; its callback path becomes known for ever.
    pub(crate) fn add_channel(&self, page: &str, app: Uuid) {
        let columns = "id, page_id, app_id, name, skill_group, work_mode, enabled, language, texts, secrets, version";
        let (id, skill_group) = (Uuid::now_v7(), Uuid::now_v7());
        let values = format!("'{id}', '{page}', '{app}', 'page', '{skill_group}', 'bot_first', true, 'zh', '{{}}', '', 1");
        self.execute(&format!("INSERT INTO channel ({columns}) VALUES ({values})"));
        self.execute(&format!("INSERT INTO page_alias VALUES ('{page}', '{app}')"));
    }
}

fn seal(app: Uuid, secrets: &Value) -> String {
    let key = SealingKey::from_base64(ENCRYPTION_KEY).unwrap();
    let mut nonce = [0; 24];
    rand::rng().fill(&mut nonce);
    let sealed = key.seal(nonce, format!("app:{app}").as_bytes(), secrets.to_string().as_bytes());
    sealed.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = PgConnection::establish(&database_server());
        // A failed test has better things to say than that its database stays.
        let _dropped = server.map(|mut server| sql_query(format!("DROP DATABASE {} WITH (FORCE)", self.name)).execute(&mut server));
    }
}

/// The broker as the dispatcher would see it, not through the wire.
pub(crate) struct TestBroker {
    prefix: String,
    pub(crate) topology: Topology,
    pub(crate) channel: Channel,
    _connection: Connection,
}

/// A message with its body and everything around it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) partition: Partition,
    pub(crate) envelope: Envelope,
    pub(crate) body: String,
    pub(crate) delivery_mode: Option<u8>,
}

impl TestBroker {
    async fn new() -> Self {
        let prefix = format!("t{}.", Uuid::now_v7().simple());
        let config = BrokerConfig {
            amqp_url: SecretUrl::new(&broker_server()),
            amqp_prefix: prefix.clone(),
        };
        let broker = Broker::new(&config, "ingress-test");
        let connection = broker.connect("test").await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        broker.declare(&channel).await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self {
            topology: config.topology(),
            prefix,
            channel,
            _connection: connection,
        }
    }

    pub(crate) async fn get(&self, queue: &str) -> Option<BasicGetMessage> {
        self.channel
            .basic_get(short(queue), BasicGetOptions { no_ack: true })
            .await
            .unwrap()
    }

    /// Everything published to the partitions so far, in order within each.
    pub(crate) async fn events(&self) -> Vec<Received> {
        let partitions = futures::future::join_all(Partition::all().map(|partition| self.events_of(partition)));
        partitions.await.into_iter().flatten().collect()
    }

    /// A queue with a single active consumer cannot be asked for one message, so a mark is published and everything before it consumed.
    async fn events_of(&self, partition: Partition) -> Vec<Received> {
        let mark = BasicProperties::default().with_type("mark".into());
        let exchange = short(&self.topology.events_exchange());
        self.publish(exchange, partition.routing_key(), mark).await;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..Default::default()
        };
        let queue = short(&self.topology.events_queue(partition));
        let mut consumer = self
            .channel
            .basic_consume(queue, short(""), options, FieldTable::default())
            .await
            .unwrap();
        let mut received = Vec::new();
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery.unwrap();
            if delivery.properties.kind().as_ref().is_some_and(|kind| kind.as_str() == "mark") {
                break;
            }
            received.push(read(partition, &delivery));
        }
        self.channel
            .basic_cancel(consumer.tag(), BasicCancelOptions::default())
            .await
            .unwrap();
        received
    }

    /// Publishes an empty message and waits for its confirm; whether a queue took it.
    pub(crate) async fn publish(&self, exchange: ShortString, routing_key: &str, properties: BasicProperties) -> bool {
        let options = BasicPublishOptions {
            mandatory: true,
            ..Default::default()
        };
        let publish = self.channel.basic_publish(exchange, short(routing_key), options, b"", properties);
        publish.await.unwrap().await.unwrap().take_message().is_none()
    }

    /// Every body kept whole so far.
    pub(crate) async fn unparsed(&self) -> Vec<BasicGetMessage> {
        let queue = self.topology.unparsed_queue();
        let mut received = Vec::new();
        while let Some(message) = self.get(&queue).await {
            received.push(message);
        }
        received
    }

    pub(crate) async fn delete_queue(&self, queue: &str) {
        self.channel
            .queue_delete(short(queue), QueueDeleteOptions::default())
            .await
            .unwrap();
    }
}

fn read(partition: Partition, message: &Delivery) -> Received {
    let properties = &message.properties;
    let text = |text: &Option<lapin::types::ShortString>| text.as_ref().map(ToString::to_string);
    let (id, kind) = (text(properties.message_id()), text(properties.kind()));
    let headers = properties.headers().clone().unwrap_or_default();
    let headers: Vec<_> = headers
        .inner()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.as_long_string()?.to_string())))
        .collect();
    let properties_of = Properties {
        message_id: id.as_deref(),
        kind: kind.as_deref(),
        timestamp: *properties.timestamp(),
    };
    let envelope = Envelope::read(properties_of, headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap();
    let body = String::from_utf8(message.data.clone()).unwrap();
    Received {
        partition,
        envelope,
        body,
        delivery_mode: *properties.delivery_mode(),
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let topology = self.topology.clone();
        // On a thread of its own, because this may run while a test's runtime unwinds.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(delete_everything(&topology)))
        });
        // What could not be deleted stays until the broker itself is thrown away.
        let _cleaned = cleaning.join();
    }
}

async fn delete_everything(topology: &Topology) -> Result<(), lapin::Error> {
    let connection = Connection::connect(&broker_server(), lapin::ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for queue in topology.queues() {
        channel.queue_delete(short(&queue.name), QueueDeleteOptions::default()).await?;
    }
    for exchange in topology.exchanges() {
        channel
            .exchange_delete(short(&exchange.name), ExchangeDeleteOptions::default())
            .await?;
    }
    connection.close(200, short("done")).await
}

/// A running ingress.
pub(crate) struct Ingress {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    address: String,
    client: Client,
}

impl Ingress {
    async fn start(environment: BTreeMap<&'static str, String>, client: Client) -> Self {
        let mut child = command(&environment).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("ingress ended before it listened");
            let parsed: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a JSON log line: {line}"));
            log.lock().unwrap().push(line);
            if parsed["message"] == "listening" {
                break parsed["address"].as_str().unwrap().to_owned();
            }
        };
        let rest = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                rest.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            log,
            address,
            client,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Delivers a body as Facebook does, signed with this secret.
    pub(crate) async fn deliver_signed(&self, secret: &str, page: &str, body: impl Into<Vec<u8>>) -> Response {
        let body = body.into();
        let path = format!("/facebook/webhook/{page}");
        self.request(Method::POST, &path)
            .header("X-Hub-Signature-256", sign(secret, &body))
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// Delivers a body of the first app to its Page's path.
    pub(crate) async fn deliver(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        self.deliver_signed(SECRET, PAGE, body).await.status()
    }

    pub(crate) async fn readiness(&self) -> (StatusCode, Value) {
        let response = self.get("/readyz").await;
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn until_ready(&self) {
        eventually("ingress is ready", async || {
            (self.readiness().await.0 == StatusCode::OK).then_some(())
        })
        .await;
    }

    /// The value of one metric line, 0 where there is none yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(ToOwned::to_owned));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(Duration::from_secs(10), self.child.wait())
            .await
            .expect("ingress did not end within 10 s")
            .unwrap()
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

/// The binary with exactly this environment.
pub(crate) fn command(environment: &BTreeMap<&'static str, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingress"));
    command
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
    command
}

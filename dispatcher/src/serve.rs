//! `dispatcher serve`: everything put together, started and stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer};
use anyhow::Context as _;
use diesel::{Connection as _, PgConnection};
use engine::ports::RelayId;
use engine::{Commands, Intake, Relay, Router, door};
use runtime::broker::Broker;
use runtime::shutdown;
use shared::sealing::Keyring;
use store::PgStore;
use store::queries::Queries;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::{self, ApiParts, ApiSettings, ApiState, Console, Readiness};
use crate::chatopera::Chatopera;
use crate::config::{ServeConfig, StoreConfig, Unusable};
use crate::deliveries::BrokerDeliveries;
use crate::door::store_config;
use crate::environment::SystemEnvironment;
use crate::feed::{LogReader, RING_SIZE, Rhythm, Ring};
use crate::graph::Graph;
use crate::live::NetworkLive;
use crate::perform::Platforms;

/// Streams of deliveries, each written by its own transactions: as many as the smallest machine has cores.
const READERS: usize = 1;
/// Effects in hand at a time.
const EFFECTS_IN_HAND: usize = 512;
/// Connections for the API's reading.
const API_CONNECTIONS: u32 = 4;
/// Threads that answer requests.
const WORKERS: usize = 2;
/// How long a stop waits for requests that are being answered.
const DRAIN_SECONDS: u64 = 3;

type Loops = JoinSet<()>;

/// What every loop is made of.
#[derive(Clone)]
struct Parts {
    store: Arc<PgStore>,
    environment: Arc<SystemEnvironment>,
    live: Arc<NetworkLive>,
    relay: engine::RelayHandle,
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start, or a part that must not end has ended.
pub async fn serve(config: StoreConfig, serve: ServeConfig) -> anyhow::Result<()> {
    // Before anything is connected: an address in use is the caller's mistake and found at once.
    let listener = listen(serve.listen)?;
    must_be_current(config.database.database_url.expose().to_owned()).await?;
    let keyring = config.sealing.keyring();
    let store = Arc::new(
        PgStore::connect(store_config(&config), keyring.clone())
            .await
            .context("DATABASE_URL: the database cannot be used")?,
    );
    store.check_server().await?;
    let process = Uuid::now_v7();
    let live = Arc::new(NetworkLive::new(process));
    let (relay, inbox) = door(RelayId(process), EFFECTS_IN_HAND);
    let parts = Parts {
        store,
        environment: Arc::new(SystemEnvironment),
        live,
        relay,
    };
    let broker = Broker::new(&serve.broker, "frontdesk-dispatcher");
    let stop = Stop::default();

    let mut background = wake_ups(&parts, &broker, &stop.background);
    let (mut sources, connected) = intake(&parts, &broker, &stop.sources);
    sources.spawn(route(parts.clone(), process, stop.sources.clone()));
    let ring = Ring::new(RING_SIZE);
    background.spawn(LogReader::new(Arc::clone(&ring)).run(Arc::clone(&parts.store), Arc::clone(&parts.live)));
    let mut relaying = relaying(&parts, &serve, inbox, &stop.relay)?;

    let state = api_state(&parts, &config, &serve, keyring, ring, connected, &stop.sources)?;
    let address = listener.local_addr()?;
    let server = http_server(listener, state)?;
    tracing::info!(%address, "listening");
    let handle = server.handle();
    let mut serving = std::pin::pin!(server);
    tokio::select! {
        biased;
        signal = shutdown::requested() => signal?,
        ended = &mut serving => return ended.context("the HTTP server ended"),
        Some(ended) = sources.join_next() => return ended.context("a loop ended"),
        Some(ended) = relaying.join_next() => return ended.context("the relay ended"),
    }
    tracing::info!("stopping");
    // What makes effects stops first, then what performs them: nothing is claimed by a relay that is gone.
    stop.sources.cancel();
    let (_, _) = futures::join!(handle.stop(true), serving);
    while sources.join_next().await.is_some() {}
    stop.relay.cancel();
    while relaying.join_next().await.is_some() {}
    stop.background.cancel();
    background.abort_all();
    tracing::info!("stopped");
    Ok(())
}

#[derive(Default)]
struct Stop {
    sources: CancellationToken,
    relay: CancellationToken,
    background: CancellationToken,
}

async fn must_be_current(url: String) -> anyhow::Result<()> {
    let current = tokio::task::spawn_blocking(move || -> anyhow::Result<bool> {
        let mut connection =
            PgConnection::establish(&url).context("DATABASE_URL: the database does not answer; is it running, and is the URL right?")?;
        Ok(migrations::is_current(&mut connection)?)
    });
    anyhow::ensure!(
        current.await??,
        "DATABASE_URL: the schema is not that of this version; run `dispatcher migrate`"
    );
    Ok(())
}

fn wake_ups(parts: &Parts, broker: &Broker, stop: &CancellationToken) -> Loops {
    let mut loops = JoinSet::new();
    loops.spawn(Arc::clone(&parts.live).listen(broker.clone(), stop.clone()));
    loops.spawn(Arc::clone(&parts.live).announce(broker.clone(), stop.clone()));
    loops
}

fn intake(parts: &Parts, broker: &Broker, stop: &CancellationToken) -> (Loops, Vec<watch::Receiver<bool>>) {
    let mut loops = JoinSet::new();
    let mut connected = Vec::with_capacity(READERS);
    for index in 0..READERS {
        let (sender, receiver) = watch::channel(false);
        connected.push(receiver);
        let deliveries = BrokerDeliveries::new(broker.clone(), index, READERS, sender);
        let (parts, stop) = (parts.clone(), stop.clone());
        loops.spawn(async move { parts.intake().run(deliveries, stop).await });
    }
    let (parts, stop) = (parts.clone(), stop.clone());
    loops.spawn(async move { parts.intake().redrive(stop).await });
    (loops, connected)
}

impl Parts {
    fn intake(&self) -> Intake<PgStore, SystemEnvironment, NetworkLive> {
        Intake {
            store: Arc::clone(&self.store),
            environment: Arc::clone(&self.environment),
            live: Arc::clone(&self.live),
            relay: self.relay.clone(),
        }
    }
}

async fn route(parts: Parts, holder: Uuid, stop: CancellationToken) {
    let Parts {
        store,
        environment,
        live,
        relay,
    } = parts;
    Router {
        store,
        environment,
        live,
        relay,
        holder,
    }
    .run(stop)
    .await;
}

fn relaying(parts: &Parts, serve: &ServeConfig, inbox: engine::RelayInbox, stop: &CancellationToken) -> anyhow::Result<Loops> {
    let proxy = serve.graph_proxy.as_ref().map(url::Url::as_str);
    let graph = Graph::new(serve.graph_api_url.as_str(), proxy).context("GRAPH_PROXY cannot be used")?;
    let chatopera = Chatopera::new(serve.chatopera_url.as_str()).context("CHATOPERA_URL cannot be used")?;
    let relay = Relay {
        store: Arc::clone(&parts.store),
        perform: Arc::new(Platforms::new(graph, chatopera, parts.store.directory())),
        environment: Arc::clone(&parts.environment),
        live: Arc::clone(&parts.live),
        handle: parts.relay.clone(),
        quiet_period: serve.quiet_period,
    };
    let stop = stop.clone();
    let mut loops = JoinSet::new();
    loops.spawn(async move { relay.run(inbox, stop).await });
    Ok(loops)
}

fn api_state(
    parts: &Parts,
    config: &StoreConfig,
    serve: &ServeConfig,
    keyring: Keyring,
    ring: Arc<Ring>,
    connected: Vec<watch::Receiver<bool>>,
    stopping: &CancellationToken,
) -> anyhow::Result<ApiState> {
    let queries = Queries::connect(&store_config(config), API_CONNECTIONS, keyring);
    let Parts {
        store,
        environment,
        live,
        relay,
    } = parts.clone();
    let commands = Arc::new(Commands::new(Arc::clone(&store), Arc::clone(&environment), live, relay));
    let readiness = readiness(queries.clone(), Arc::clone(&ring), connected);
    let settings = ApiSettings {
        secure_cookies: serve.public_url.scheme() == "https",
        rhythm: Rhythm::default(),
    };
    let console = Console::new(&serve.console_dir);
    let stopping = stopping.clone();
    Ok(ApiState::new(ApiParts {
        commands,
        store,
        environment,
        queries,
        ring,
        console,
        readiness,
        stopping,
        settings,
    })?)
}

fn readiness(queries: Queries, ring: Arc<Ring>, connected: Vec<watch::Receiver<bool>>) -> Readiness {
    Readiness::default()
        .with("database", move || {
            let queries = queries.clone();
            async move {
                tokio::time::timeout(Duration::from_secs(2), queries.is_there())
                    .await
                    .unwrap_or(false)
            }
        })
        .with("broker", move || {
            let connected = connected.iter().all(|link| *link.borrow());
            async move { connected }
        })
        .with("log", move || {
            let follows = ring.follows();
            async move { follows }
        })
}

fn listen(address: SocketAddr) -> Result<TcpListener, Unusable> {
    TcpListener::bind(address).map_err(|error| Unusable {
        variable: "DISPATCHER_LISTEN",
        problem: format!("{address} cannot be listened on ({error}): set it to a free address as host:port"),
    })
}

fn http_server(listener: TcpListener, state: ApiState) -> anyhow::Result<actix_web::dev::Server> {
    let server = HttpServer::new(move || App::new().configure(api::configure(state.clone())))
        .workers(WORKERS)
        .shutdown_timeout(DRAIN_SECONDS)
        .client_request_timeout(Duration::from_secs(5))
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

//! Starting, serving and stopping.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, Scope, web};
use runtime::broker::Broker;
use runtime::live;
use runtime::metrics::Exposition;
use runtime::publisher::{Link, Publisher};
use runtime::shutdown::Signals;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::config::Config;
use crate::counters::Counters;
use crate::directory::{Directory, Loader};
use crate::raw_body::Room;
use crate::service::Service;
use crate::traffic::Traffic;
use crate::{callback, health};

/// How long a stop waits for requests that are being answered: longer than a confirm may take, and with the ledger's farewell below 10 s.
const DRAIN_PATIENCE: Duration = Duration::from_secs(4);
/// A client that does not finish its request line and headers holds a connection for nothing.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// Connections per worker.
const CONNECTIONS: usize = 2_048;
/// Facebook keeps connections open between deliveries.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("INGRESS_LISTEN is wrong, {address} cannot be listened on: set it to a free address as host:port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The machine said no.
    #[error("the service stopped")]
    System(#[from] std::io::Error),
    /// There is another recorder in this process.
    #[error("metrics")]
    Metrics(#[from] Box<dyn std::error::Error + Send + Sync>),
}

impl ServeError {
    /// 2 for what the configuration mends, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Listen { .. } => 2,
            Self::System(_) | Self::Metrics(_) => 1,
        }
    }
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(config: Config) -> Result<(), ServeError> {
    let mut signals = Signals::listen()?;
    let exposition = Exposition::install().map_err(Box::from)?;
    let broker = Broker::new(&config.broker, "frontdesk-ingress");
    let stop = CancellationToken::new();
    let (publisher, links) = Publisher::new(&broker, config.publishing_connections, &stop);
    let (directory, refresher) = Directory::new(Loader::new(&config.database, config.sealing.keyring()));
    let service = Service {
        directory,
        publisher,
        counters: Arc::new(Counters::new()),
        exposition: exposition.clone(),
        traffic: Traffic::default(),
        room: Room::default(),
    };
    let traffic = service.traffic.clone();
    let (server, address, publishing) = bind(&config, service, links)?;

    // Dropped, and with it everything that listens and refreshes, when this function returns.
    let mut background = JoinSet::new();
    let (wakes, woken) = mpsc::channel(64);
    background.spawn(live::listen(broker, wakes));
    background.spawn(refresher.run(woken));
    background.spawn(exposition.upkeep());

    info!(%address, "listening");
    let handle = server.handle();
    let mut serving = std::pin::pin!(server);
    tokio::select! {
        biased;
        () = signals.requested() => {}
        ended = &mut serving => return Ok(ended?),
    }
    info!("stopping");
    // In this order: nothing new, nothing unanswered, nothing untold; only then the thread that does all of it.
    traffic.drain(DRAIN_PATIENCE).await;
    stop.cancel();
    publishing.ended().await;
    let (_stopped, _ended) = futures::join!(handle.stop(false), serving);
    info!("stopped");
    Ok(())
}

/// The links of the publisher on their way to the first thread that answers requests.
///
/// Requests, the links and the broker's socket share that thread: handing every message to another thread and back costs more than
/// everything else that is done for it (measured: a third of the throughput, and with two workers a sixth).
#[derive(Clone)]
struct Publishing {
    links: Arc<Mutex<Vec<Link>>>,
    running: TaskTracker,
}

impl Publishing {
    fn new(links: Vec<Link>) -> Self {
        Self {
            links: Arc::new(Mutex::new(links)),
            running: TaskTracker::new(),
        }
    }

    /// Runs the links on this thread; called by each worker at its start, and the first one takes them all.
    fn start_here(&self) {
        let links = std::mem::take(&mut *self.links.lock().unwrap_or_else(PoisonError::into_inner));
        for link in links {
            self.running.spawn_local(link.run());
        }
        self.running.close();
    }

    async fn ended(&self) {
        self.running.wait().await;
    }
}

fn bind(config: &Config, service: Service, links: Vec<Link>) -> Result<(Server, SocketAddr, Publishing), ServeError> {
    let service = web::Data::new(service);
    let publishing = Publishing::new(links);
    let to_start = publishing.clone();
    let application = move || {
        to_start.start_here();
        App::new().app_data(service.clone()).configure(routes)
    };
    let listen = |source| ServeError::Listen {
        address: config.listen,
        source,
    };
    let server = HttpServer::new(application)
        .workers(config.workers)
        .worker_max_blocking_threads(1)
        .max_connections(CONNECTIONS)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_PATIENCE)
        .disable_signals()
        .bind(config.listen)
        .map_err(listen)?;
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    Ok((server.run(), address, publishing))
}

fn routes(routes: &mut web::ServiceConfig) {
    routes
        .service(callbacks("/facebook/webhook"))
        // The path of existing installations.
        .service(callbacks("/messenger/webhook"))
        .route("/healthz", web::get().to(health::healthz))
        .route("/readyz", web::get().to(health::readyz))
        .route("/metrics", web::get().to(health::metrics));
}

/// Everything below one path. The page id is cut off by the handler: actix would match it with a regular expression, which costs more than
/// splitting the body (measured: 6 % of a request).
fn callbacks(path: &'static str) -> Scope {
    web::scope(path).default_service(web::to(callback::answer))
}

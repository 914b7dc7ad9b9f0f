//! `bench ingest`: how much of the broker's rate ingress passes on.
//!
//! Floor, ingress and the header-less floor take turns on the same queues, which are purged in between; every run sends the same requests.
//! What counts is the ratio of the medians: both sides meet the same broker on the same machine within seconds.

use std::fmt::{self, Display};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use rand::Rng as _;
use serde::Serialize;
use shared::signature::AppSecret;

use super::BenchError;
use super::histogram::{median, rounded};
use super::installation::{Installation, Servers};
use super::pump::{Pump, Run};
use super::sample::{self, Message};
use super::service::{Footprint, Service};
use super::table::Table;

/// What is asked of ingress.
const LEAST_RATIO: f64 = 0.85;
const MOST_P99_RATIO: f64 = 1.5;
/// A header-less floor below this says that the machine or the broker is not fit to measure on.
const LEAST_BARE_FLOOR: f64 = 14_000.0;

/// When everything happened, in milliseconds since 1970.
const EVENT_TIME: i64 = 1_700_000_000_123;
/// What everybody writes, as Facebook escapes it.
const ESCAPED_TEXT: &str = r"\u60a8\u597d\uff0c\u8bf7\u95ee\u8fd0\u8d39\u600e\u4e48\u7b97\uff1f Thank you!";

/// How to measure.
#[derive(Clone, Args)]
pub struct IngestOptions {
    /// Where to measure.
    #[command(flatten)]
    pub servers: Servers,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Interleaved runs of each side.
    #[arg(long, default_value_t = 5)]
    pub pairs: usize,
    /// Requests of one run.
    #[arg(long, default_value_t = 60_000)]
    pub requests: u32,
    /// Requests before each run that do not count.
    #[arg(long, default_value_t = 4_000)]
    pub warm_up: u32,
    /// A run that takes longer is cut here.
    #[arg(long, default_value_t = 20)]
    pub longest_seconds: u64,
    /// Worker threads of ingress and of the floors.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct IngestReport {
    benchmark: &'static str,
    connections: usize,
    workers: usize,
    cores: usize,
    requests_per_run: u64,
    floor: Side,
    ingress: Side,
    bare_floor: Side,
    /// Ingress to floor, of the medians.
    rate_ratio: f64,
    p99_ratio: f64,
    /// Whether the targets are met.
    meets_rate: bool,
    meets_p99: bool,
    /// Whether the header-less floor is what this machine should give.
    floor_is_sound: bool,
    lost: u64,
    process: Footprint,
}

/// All runs of one side.
#[derive(Debug, Serialize)]
pub struct Side {
    median_rate: f64,
    median_p50_ms: f64,
    median_p99_ms: f64,
    cpu_seconds: f64,
    runs: Vec<Run>,
}

impl Side {
    fn of(runs: Vec<Run>, process: Footprint) -> Self {
        let of = |number: fn(&Run) -> f64| rounded(median(runs.iter().map(number)));
        Self {
            median_rate: of(|run| run.rate),
            median_p50_ms: of(|run| run.latency.p50_ms),
            median_p99_ms: of(|run| run.latency.p99_ms),
            cpu_seconds: process.cpu_seconds,
            runs,
        }
    }
}

/// Measures. Must be called on a current-thread runtime.
///
/// # Errors
/// See [`BenchError`]; also when anything acknowledged is not in the queues.
pub async fn run(options: &IngestOptions) -> Result<IngestReport, BenchError> {
    let installation = Installation::create(&options.servers).await?;
    let report = tokio::select! {
        biased;
        signal = runtime::shutdown::requested() => { signal?; Err(BenchError::Interrupted) }
        report = measure(options, &installation) => report,
    };
    let removed = installation.remove().await;
    report.and_then(|report| removed.map(|()| report))
}

async fn measure(options: &IngestOptions, installation: &Installation) -> Result<IngestReport, BenchError> {
    let secret = hex::encode(rand::rng().random::<[u8; 16]>());
    installation.add_app(sample::PAGE, &secret)?;
    let load = Load::new(options, &secret)?;
    let sides = Sides::start(options, installation, &secret).await?;
    let (mut floor, mut ingress, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.pairs {
        let mut turns: [(&Service, &mut Vec<Run>); 3] =
            [(&sides.floor, &mut floor), (&sides.ingress, &mut ingress), (&sides.bare, &mut bare)];
        // Nobody always goes first.
        turns.rotate_left(round % 3);
        for (service, runs) in turns {
            runs.push(load.apply(service, installation).await?);
        }
    }
    installation.queues.none_is_dead().await?;
    let footprints = (sides.floor.footprint()?, sides.ingress.footprint()?, sides.bare.footprint()?);
    sides.stop().await?;
    let (floor, bare) = (Side::of(floor, footprints.0), Side::of(bare, footprints.2));
    Ok(IngestReport::new(
        options,
        floor,
        Side::of(ingress, footprints.1),
        bare,
        footprints.1,
    ))
}

/// The same requests for everybody.
struct Load {
    pump: Pump,
    warm_up: Rc<Vec<Vec<u8>>>,
    requests: Rc<Vec<Vec<u8>>>,
}

impl Load {
    fn new(options: &IngestOptions, secret: &str) -> Result<Self, BenchError> {
        let secret = AppSecret::new(secret).ok_or(BenchError::Refused(401))?;
        let written = |numbers: std::ops::Range<u32>| {
            let requests = numbers.map(|number| Message::new(number, number, EVENT_TIME, ESCAPED_TEXT).request(&secret));
            Rc::new(requests.collect())
        };
        let end = options.warm_up.saturating_add(options.requests);
        Ok(Self {
            pump: Pump {
                connections: options.connections,
                longest: Duration::from_secs(options.longest_seconds),
            },
            warm_up: written(0..options.warm_up),
            requests: written(options.warm_up..end),
        })
    }

    /// One run on empty queues; afterwards exactly what was acknowledged is in them.
    async fn apply(&self, service: &Service, installation: &Installation) -> Result<Run, BenchError> {
        installation.queues.purge().await?;
        let warm_up = self.pump.run(service.address, Rc::clone(&self.warm_up)).await?;
        let run = self.pump.run(service.address, Rc::clone(&self.requests)).await?;
        installation
            .queues
            .until_events(warm_up.latency.count.saturating_add(run.latency.count))
            .await?;
        Ok(run)
    }
}

/// The processes that take turns.
struct Sides {
    floor: Service,
    ingress: Service,
    bare: Service,
}

impl Sides {
    async fn start(options: &IngestOptions, installation: &Installation, secret: &str) -> Result<Self, BenchError> {
        let mut environment = installation.environment();
        environment.insert("INGRESS_LISTEN", "127.0.0.1:0".to_owned());
        environment.insert("INGRESS_WORKERS", options.workers.to_string());
        // First, so that its start includes declaring every queue.
        let ingress = Service::start::<&str>("ingress", &[], &environment).await?;
        environment.insert("APP_SECRET", secret.to_owned());
        let workers = options.workers.to_string();
        let floor = Service::start("bench", &["floor", "--workers", &workers], &environment).await?;
        let bare = Service::start("bench", &["floor", "--workers", &workers, "--bare"], &environment).await?;
        Ok(Self { floor, ingress, bare })
    }

    async fn stop(self) -> Result<(), BenchError> {
        self.floor.stop().await?;
        self.ingress.stop().await?;
        self.bare.stop().await
    }
}

impl IngestReport {
    fn new(options: &IngestOptions, floor: Side, ingress: Side, bare_floor: Side, process: Footprint) -> Self {
        let rate_ratio = rounded(ingress.median_rate / floor.median_rate);
        let p99_ratio = rounded(ingress.median_p99_ms / floor.median_p99_ms);
        Self {
            benchmark: "ingest",
            connections: options.connections,
            workers: options.workers,
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            requests_per_run: u64::from(options.requests),
            rate_ratio,
            p99_ratio,
            meets_rate: rate_ratio >= LEAST_RATIO,
            meets_p99: p99_ratio <= MOST_P99_RATIO,
            floor_is_sound: bare_floor.median_rate >= LEAST_BARE_FLOOR,
            // Every run has counted its messages in the queues, or there would be no report.
            lost: 0,
            floor,
            ingress,
            bare_floor,
            process,
        }
    }
}

impl Display for IngestReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["ingest", "median /s", "p50 ms", "p99 ms", "runs /s"]);
        for (name, side) in [
            ("floor", &self.floor),
            ("ingress", &self.ingress),
            ("floor without headers", &self.bare_floor),
        ] {
            let runs: Vec<String> = side.runs.iter().map(|run| format!("{:.0}", run.rate)).collect();
            table.row([
                name.to_owned(),
                format!("{:.0}", side.median_rate),
                format!("{:.2}", side.median_p50_ms),
                format!("{:.2}", side.median_p99_ms),
                runs.join(" "),
            ]);
        }
        write!(formatter, "{table}")?;
        let verdict = |met: bool| if met { "met" } else { "MISSED" };
        writeln!(
            formatter,
            "rate / floor: {:.3} (at least {LEAST_RATIO}: {})",
            self.rate_ratio,
            verdict(self.meets_rate)
        )?;
        writeln!(
            formatter,
            "p99 / floor:  {:.3} (at most {MOST_P99_RATIO}: {})",
            self.p99_ratio,
            verdict(self.meets_p99)
        )?;
        if !self.floor_is_sound {
            writeln!(
                formatter,
                "the floor without headers is under {LEAST_BARE_FLOOR}/s: this machine or its broker is busy or slow"
            )?;
        }
        let process = &self.process;
        writeln!(
            formatter,
            "ingress: ready in {:.0} ms (with every queue to declare), resident {:.1} MiB, at most {:.1} MiB; {} lost",
            process.start_to_ready_ms, process.resident_mib, process.resident_peak_mib, self.lost
        )
    }
}

//! `bench latency`: how long a visitor's message takes to the consoles, and how long to the bot's answer at Facebook's door.
//!
//! The load is open: the next message goes out when its time has come, whatever became of the earlier ones. Facebook and the bot are the
//! simulated ones, in this process; they echo and report deliveries as the real ones do, so ingress and dispatcher get three events for
//! every message that counts. Invariant: a message that did not arrive everywhere fails the run.

mod answers;
mod arrivals;
mod feed;
mod report;
mod subject;
mod traffic;

use std::time::Duration;

use clap::Args;

use super::BenchError;
use super::installation::{Installation, Servers};
pub use report::LatencyReport;
use report::{Measured, Phase};
use subject::Subject;
use traffic::Traffic;

/// How long the last message may take to arrive everywhere.
const STRAGGLERS: Duration = Duration::from_secs(30);
/// The domain lets a visitor cause 20 bot turns a minute; a phase stays below that whatever its rate.
const MESSAGES_PER_VISITOR: u32 = 15;
/// Between the messages and visitors of one phase and those of the next.
const PHASE_STRIDE: u32 = 1_000_000;

/// How to measure.
#[derive(Clone, Args)]
pub struct LatencyOptions {
    /// Where to measure.
    #[command(flatten)]
    pub servers: Servers,
    /// Messages a second, one phase for each.
    #[arg(long, value_delimiter = ',', default_values_t = [300, 1000])]
    pub rates: Vec<u32>,
    /// How long a phase counts.
    #[arg(long, default_value_t = 20)]
    pub seconds: u32,
    /// How long it runs before.
    #[arg(long, default_value_t = 3)]
    pub warm_up_seconds: u32,
    /// Visitors of a phase, at least.
    #[arg(long, default_value_t = 2_000)]
    pub visitors: u32,
    /// Facebook neither echoes nor reports deliveries.
    #[arg(long)]
    pub without_echoes: bool,
}

/// Measures.
///
/// # Errors
/// See [`BenchError`].
pub async fn run(options: &LatencyOptions) -> Result<LatencyReport, BenchError> {
    let floor = Installation::create(&options.servers).await?;
    let report = beside(options, &floor).await;
    let removed = floor.remove().await;
    report.and_then(|report| removed.map(|()| report))
}

async fn beside(options: &LatencyOptions, floor: &Installation) -> Result<LatencyReport, BenchError> {
    let product = Installation::create(&options.servers).await?;
    let report = tokio::select! {
        biased;
        signal = runtime::shutdown::requested() => { signal?; Err(BenchError::Interrupted) }
        report = measure(options, floor, &product) => report,
    };
    let removed = product.remove().await;
    report.and_then(|report| removed.map(|()| report))
}

async fn measure(options: &LatencyOptions, floor: &Installation, product: &Installation) -> Result<LatencyReport, BenchError> {
    let floor = Subject::floor(floor, !options.without_echoes).await?;
    let product = Subject::product(product, !options.without_echoes).await?;
    let mut phases = Vec::new();
    for (index, rate) in (0_u32..).zip(options.rates.iter().copied()) {
        let traffic = Traffic::new(options, rate, index.saturating_mul(PHASE_STRIDE));
        let beneath = phase(&floor, &traffic).await?;
        let measured = phase(&product, &traffic).await?;
        phases.push(Phase::new(rate, beneath, measured, product.footprints()?));
    }
    floor.stop().await?;
    product.stop().await?;
    Ok(LatencyReport::new(options, phases))
}

async fn phase(subject: &Subject<'_>, traffic: &Traffic) -> Result<Measured, BenchError> {
    let feed = subject.listen().await?;
    let answers = subject.collect_answers();
    let posted = traffic.run(subject).await?;
    // What is still missing then is counted as lost.
    let _in_time = feed.wait_for(posted.len(), STRAGGLERS).await;
    let _in_time = answers.wait_for(posted.len(), STRAGGLERS).await;
    subject.until_quiet().await;
    subject.none_is_dead().await?;
    Measured::new(traffic, &posted, &feed.end()?, &answers.end(), &subject.bot_times())
}

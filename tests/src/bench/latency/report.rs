//! What came out, for machines and for people.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display};
use std::time::Duration;

use serde::Serialize;

use super::LatencyOptions;
use super::answers;
use super::arrivals::Arrivals;
use super::traffic::{Posted, Traffic};
use crate::bench::BenchError;
use crate::bench::histogram::{Quantiles, real, rounded};
use crate::bench::service::Footprint;
use crate::bench::table::Table;

/// What is asked of the product at a rate.
#[derive(Debug, Clone, Copy, Serialize)]
struct Target {
    p50_ms: f64,
    p99_ms: f64,
}

impl Target {
    const fn at(rate: u32) -> Option<Self> {
        match rate {
            300 => Some(Self { p50_ms: 5.0, p99_ms: 15.0 }),
            1000 => Some(Self {
                p50_ms: 10.0,
                p99_ms: 30.0,
            }),
            _ => None,
        }
    }

    fn is_met_by(self, found: &Quantiles) -> bool {
        found.p50_ms <= self.p50_ms && found.p99_ms <= self.p99_ms
    }
}

/// What is asked of the processes, in MiB resident at most and milliseconds to ready.
const MOST_RESIDENT: [(&str, f64); 2] = [("ingress", 40.0), ("dispatcher", 120.0)];
const LONGEST_START: f64 = 2_000.0;

/// One side under one rate.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// Messages, warm-up included.
    sent: u64,
    achieved_rate: f64,
    /// How far behind their time messages were sent: what the load itself could not do.
    behind: Quantiles,
    /// POST to 200.
    acknowledged: Quantiles,
    /// POST to the console.
    feed: Quantiles,
    /// POST to the bot's answer at Facebook, without the bot's own time.
    answer: Quantiles,
    /// The bot's own time.
    bot: Quantiles,
    lost_at_the_console: u64,
    lost_answers: u64,
    /// Told or answered more than once.
    repeated: u64,
}

impl Measured {
    pub(super) fn new(
        traffic: &Traffic,
        posted: &[Posted],
        feed: &Arrivals,
        answered: &Arrivals,
        bot_times: &HashMap<String, i64>,
    ) -> Result<Self, BenchError> {
        let counts = || posted.iter().filter(|message| message.place >= traffic.warm_up);
        let answer_of = |message: &Posted| answered.of(&answers::key(&message.psid, traffic.earlier(message.place)));
        let bot_of = |message: &Posted| bot_times.get(&message.question).copied();
        let lost = |arrived: &dyn Fn(&Posted) -> bool| count(posted.iter().filter(|message| !arrived(message)));
        Ok(Self {
            sent: count(posted.iter()),
            achieved_rate: achieved_rate(counts()),
            behind: Quantiles::of(counts().map(|message| message.behind))?,
            acknowledged: Quantiles::of(counts().map(|message| message.acknowledged_after))?,
            feed: Quantiles::of(counts().filter_map(|message| Some(micros(feed.of(&message.mid)? - message.sent_at_us))))?,
            answer: Quantiles::of(
                counts().filter_map(|message| Some(micros(answer_of(message)? - message.sent_at_us - bot_of(message)?))),
            )?,
            bot: Quantiles::of(counts().filter_map(bot_of).map(micros))?,
            lost_at_the_console: lost(&|message| feed.of(&message.mid).is_some()),
            lost_answers: lost(&|message| answer_of(message).is_some() && bot_of(message).is_some()),
            repeated: feed.repeated + answered.repeated,
        })
    }

    const fn lost(&self) -> u64 {
        self.lost_at_the_console + self.lost_answers
    }
}

fn count<'a>(messages: impl Iterator<Item = &'a Posted>) -> u64 {
    u64::try_from(messages.count()).unwrap_or(u64::MAX)
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// From the first to the last message sent.
fn achieved_rate<'a>(messages: impl Iterator<Item = &'a Posted>) -> f64 {
    let times: Vec<i64> = messages.map(|message| message.sent_at_us).collect();
    let (first, last) = (times.iter().min(), times.iter().max());
    let span = micros(last.zip(first).map_or(0, |(last, first)| last - first));
    let intervals = u64::try_from(times.len().saturating_sub(1)).unwrap_or_default();
    rounded(real(intervals) / span.as_secs_f64())
}

/// Both sides under one rate.
#[derive(Debug, Serialize)]
pub(super) struct Phase {
    rate: u32,
    target: Option<Target>,
    floor: Measured,
    product: Measured,
    meets_feed: Option<bool>,
    meets_answer: Option<bool>,
    /// The product's processes after it.
    processes: BTreeMap<&'static str, Footprint>,
    meets_memory: bool,
}

impl Phase {
    pub(super) fn new(rate: u32, floor: Measured, product: Measured, processes: BTreeMap<&'static str, Footprint>) -> Self {
        let target = Target::at(rate);
        let is_light = |(name, most): (&str, f64)| processes.get(name).is_some_and(|process| process.resident_peak_mib <= most);
        Self {
            rate,
            target,
            meets_feed: target.map(|target| target.is_met_by(&product.feed)),
            meets_answer: target.map(|target| target.is_met_by(&product.answer)),
            meets_memory: MOST_RESIDENT.into_iter().all(is_light),
            floor,
            product,
            processes,
        }
    }
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct LatencyReport {
    benchmark: &'static str,
    cores: usize,
    seconds: u32,
    warm_up_seconds: u32,
    visitors: u32,
    echoes: bool,
    phases: Vec<Phase>,
    meets_start: bool,
    lost: u64,
}

impl LatencyReport {
    pub(super) fn new(options: &LatencyOptions, phases: Vec<Phase>) -> Self {
        let mut processes = phases.iter().flat_map(|phase| phase.processes.values());
        Self {
            benchmark: "latency",
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            seconds: options.seconds,
            warm_up_seconds: options.warm_up_seconds,
            visitors: options.visitors,
            echoes: !options.without_echoes,
            meets_start: processes.all(|process| process.start_to_ready_ms <= LONGEST_START),
            lost: phases.iter().map(|phase| phase.floor.lost() + phase.product.lost()).sum(),
            phases,
        }
    }

    /// Messages that did not arrive everywhere.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

impl Display for LatencyReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["latency, ms", "sent /s", "p50", "p90", "p99", "max", "lost", "target"]);
        for phase in &self.phases {
            phase.rows(&mut table);
        }
        write!(formatter, "{table}")?;
        for phase in &self.phases {
            phase.describe(formatter)?;
        }
        let start = verdict(self.meets_start);
        writeln!(formatter, "ready within {LONGEST_START:.0} ms: {start}; {} lost", self.lost)
    }
}

impl Phase {
    fn rows(&self, table: &mut Table) {
        let row = |name: String, measured: &Measured, quantiles: &Quantiles, lost: u64, target: String| {
            [
                name,
                format!("{:.0}", measured.achieved_rate),
                format!("{:.2}", quantiles.p50_ms),
                format!("{:.2}", quantiles.p90_ms),
                format!("{:.2}", quantiles.p99_ms),
                format!("{:.2}", quantiles.max_ms),
                lost.to_string(),
                target,
            ]
        };
        let told = |met: Option<bool>| met.map_or_else(String::new, |met| verdict(met).to_owned());
        let (rate, floor, product) = (self.rate, &self.floor, &self.product);
        for (what, beneath, found, lost, met) in [
            ("webhook to 200", &floor.acknowledged, &product.acknowledged, (0, 0), None),
            (
                "webhook to console",
                &floor.feed,
                &product.feed,
                (floor.lost_at_the_console, product.lost_at_the_console),
                self.meets_feed,
            ),
            (
                "webhook to answer",
                &floor.answer,
                &product.answer,
                (floor.lost_answers, product.lost_answers),
                self.meets_answer,
            ),
        ] {
            table.row(row(format!("{rate}/s {what}, floor"), floor, beneath, lost.0, String::new()));
            table.row(row(format!("{rate}/s {what}"), product, found, lost.1, told(met)));
        }
    }

    fn describe(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(target) = self.target {
            writeln!(
                formatter,
                "{}/s: targets p50 {} ms, p99 {} ms",
                self.rate, target.p50_ms, target.p99_ms
            )?;
        }
        let behind = (self.floor.behind.p99_ms, self.product.behind.p99_ms);
        writeln!(
            formatter,
            "{}/s: load behind its time by p99 {:.2} ms (floor), {:.2} ms",
            self.rate, behind.0, behind.1
        )?;
        for (name, process) in &self.processes {
            let Footprint {
                start_to_ready_ms,
                resident_mib,
                resident_peak_mib,
                cpu_seconds,
            } = process;
            writeln!(
                formatter,
                "{}/s: {name} ready in {start_to_ready_ms:.0} ms, resident {resident_mib:.1} MiB, at most {resident_peak_mib:.1} MiB, {cpu_seconds:.1} s of processor",
                self.rate
            )?;
        }
        writeln!(
            formatter,
            "{}/s: memory {}; {} repeated",
            self.rate,
            verdict(self.meets_memory),
            self.product.repeated
        )
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

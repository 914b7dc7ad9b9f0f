//! The benchmarks' command line. `docs/benchmarks.md` says what is measured and how to read it.

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use serde::Serialize;
use tests::bench::floor::{self, FloorOptions};
use tests::bench::ingest::{self, IngestOptions};
use tests::bench::latency::{self, LatencyOptions};
use tests::bench::pipeline::{self, PipelineOptions};

/// Measures the release binaries beside this one, each number beside its floor.
#[derive(Parser)]
#[command(name = "bench")]
struct Cli {
    /// Where to write the results as JSON too.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Signed webhooks in a closed loop, acknowledged after the broker's confirm.
    Ingest(IngestOptions),
    /// The floor of `ingest`, which starts it.
    #[command(hide = true)]
    Floor(FloorOptions),
    /// Webhooks at steady rates, to the console and to the bot's answer.
    Latency(LatencyOptions),
    /// The floor of `latency`, which starts it.
    #[command(hide = true)]
    Pipeline(PipelineOptions),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.benchmark {
        Benchmark::Ingest(options) => {
            // One thread: the load shares the cores with what it measures.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            report(&runtime.block_on(ingest::run(&options))?, cli.json.as_deref())
        }
        Benchmark::Floor(options) => Ok(actix_web::rt::System::new().block_on(floor::serve(options))?),
        Benchmark::Latency(options) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let found = runtime.block_on(latency::run(&options))?;
            report(&found, cli.json.as_deref())?;
            anyhow::ensure!(found.lost() == 0, "{} messages did not arrive everywhere", found.lost());
            Ok(())
        }
        Benchmark::Pipeline(options) => Ok(actix_web::rt::System::new().block_on(pipeline::serve(options))?),
    }
}

fn report(report: &(impl Display + Serialize), json: Option<&Path>) -> anyhow::Result<()> {
    write!(std::io::stdout(), "{report}")?;
    let Some(path) = json else { return Ok(()) };
    let written = serde_json::to_string_pretty(report)?;
    std::fs::write(path, format!("{written}\n")).with_context(|| path.display().to_string())
}

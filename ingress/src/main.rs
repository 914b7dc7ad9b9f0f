//! The webhook service's command line.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ingress::{Config, ServeError, serve};
use runtime::config::{Parsed, Refusal, parse};
use runtime::telemetry::{self, Causes};

/// Receives Facebook's webhooks and hands every event to the broker. Configured by the environment.
#[derive(Debug, Parser)]
#[command(name = "ingress", version)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks the configuration and prints it without secrets
    CheckConfig,
}

fn main() -> ExitCode {
    match parse::<Cli>(std::env::args_os()) {
        Ok(parsed) => start(parsed),
        Err(refusal) => refuse(&refusal),
    }
}

fn start(parsed: Parsed<Cli>) -> ExitCode {
    if let Some(Command::CheckConfig) = parsed.command.command {
        let lines: String = parsed.settings.iter().map(|setting| format!("{setting}\n")).collect();
        return print(&lines);
    }
    let config = parsed.command.config;
    if let Err(error) = telemetry::init(&config.log.log) {
        return refuse(&Refusal {
            message: Causes(&error).to_string(),
            exit_code: 2,
        });
    }
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&Refusal {
            message: Causes(&error).to_string(),
            exit_code: error.exit_code(),
        }),
    }
}

fn run(config: Config) -> Result<(), ServeError> {
    // Requests and publishing have a thread of their own; here run the directory, which reads one small answer at a time, and the wake-ups.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()?;
    runtime.block_on(serve(config))
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads it.
        Err(_) => ExitCode::FAILURE,
    }
}

fn refuse(refusal: &Refusal) -> ExitCode {
    if refusal.exit_code == 0 {
        return print(&refusal.message);
    }
    // Where standard error is closed, the exit code has to do.
    let _unheard = writeln!(std::io::stderr(), "{}", refusal.message.trim_end());
    ExitCode::from(refusal.exit_code)
}

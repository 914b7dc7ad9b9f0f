//! The dispatcher's command line.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dispatcher::config::{ServeConfig, StoreConfig, Unusable};
use dispatcher::seed::DemoConfig;
use dispatcher::{administrator, schema, seed, serve};
use runtime::config::{Refusal, Setting, parse};
use runtime::telemetry::{self, Causes};

/// Turns Facebook's events into conversations, gives them to agents or the bot, and answers. Configured by the environment.
#[derive(Debug, Parser)]
#[command(name = "dispatcher", version, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves: intake, relay, router, API, feed and console
    Serve {
        #[command(flatten)]
        store: StoreConfig,
        #[command(flatten)]
        serve: Box<ServeConfig>,
    },
    /// Brings the database to the schema of this version
    Migrate {
        #[command(flatten)]
        store: StoreConfig,
    },
    /// Adds an administrator, or gives one a new password
    CreateAdmin {
        #[command(flatten)]
        store: StoreConfig,
        /// The login
        #[arg(long, default_value = "admin")]
        login: String,
        /// The password; without it one is drawn and printed
        #[arg(long = "password", env = "ADMIN_PASSWORD", hide_env_values = true)]
        password: Option<String>,
    },
    /// Fills an empty installation with a demo; prints the logins as JSON
    SeedDemo {
        #[command(flatten)]
        store: StoreConfig,
        #[command(flatten)]
        demo: DemoConfig,
    },
    /// Checks the configuration of `serve` and prints it without secrets
    CheckConfig {
        #[command(flatten)]
        store: StoreConfig,
        #[command(flatten)]
        serve: Box<ServeConfig>,
    },
}

fn main() -> ExitCode {
    match parse::<Cli>(std::env::args_os()) {
        Ok(parsed) => start(parsed.command.command, &parsed.settings),
        Err(refusal) => refuse(&refusal),
    }
}

fn start(command: Command, settings: &[Setting]) -> ExitCode {
    let log = match &command {
        Command::CheckConfig { .. } => {
            let lines: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
            return print(&lines);
        }
        Command::Serve { store, .. } => Some(store.log.log.clone()),
        // These print their result; it must not be mixed with logs.
        Command::Migrate { .. } | Command::CreateAdmin { .. } | Command::SeedDemo { .. } => None,
    };
    let begun = log.map_or(Ok(()), |log| telemetry::init(&log));
    match begun.map_err(anyhow::Error::from).and_then(|()| run(command)) {
        Ok(words) => print(&words),
        Err(error) => refuse(&Refusal {
            message: Causes(error.as_ref()).to_string(),
            // 2 for what the configuration mends, 1 for the rest.
            exit_code: if error.is::<Unusable>() { 2 } else { 1 },
        }),
    }
}

fn run(command: Command) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve { store, serve } => serve::serve(store, *serve).await.map(|()| String::new()),
            Command::Migrate { store } => schema::migrate(store).await,
            Command::CreateAdmin { store, login, password } => administrator::create(store, login, password).await,
            Command::SeedDemo { store, demo } => seed::seed(store, demo).await,
            Command::CheckConfig { .. } => Ok(String::new()),
        }
    })
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

//! Everything that an installation sets for this service.

use std::net::SocketAddr;

use clap::Args;
use runtime::config::{BrokerConfig, DatabaseConfig, LogConfig, SealingConfig, listen_address};

/// The configuration of ingress.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The address for Facebook, as host:port; port 0 takes any
    #[arg(long = "listen", env = "INGRESS_LISTEN", default_value = "0.0.0.0:8035", value_parser = listen_address)]
    pub listen: SocketAddr,
    /// Threads that answer requests, 1 to 16; the first one also publishes, so a second pays off only where one core is not enough
    #[arg(long = "workers", env = "INGRESS_WORKERS", default_value = "1", value_parser = workers)]
    pub workers: usize,
    /// Connections to publish over, 1 or 2
    #[arg(long = "publishing-connections", env = "INGRESS_PUBLISHING_CONNECTIONS", default_value = "1", value_parser = connections)]
    pub publishing_connections: usize,
    /// Where apps and channels are read from.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Where events go.
    #[command(flatten)]
    pub broker: BrokerConfig,
    /// What opens the apps' secrets.
    #[command(flatten)]
    pub sealing: SealingConfig,
    /// What is logged.
    #[command(flatten)]
    pub log: LogConfig,
}

fn workers(text: &str) -> Result<usize, String> {
    within(text, 1, 16)
}

fn connections(text: &str) -> Result<usize, String> {
    within(text, 1, 2)
}

fn within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("it is no number from {least} to {most}"))
}

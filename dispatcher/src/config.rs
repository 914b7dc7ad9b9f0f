//! Everything that an installation sets for the dispatcher.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use runtime::config::{BrokerConfig, DatabaseConfig, LogConfig, SealingConfig, listen_address};
use url::Url;

/// The configuration can be read, but not be used: the mend is the caller's.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is wrong, {problem}")]
pub struct Unusable {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with it, and how to mend it.
    pub problem: String,
}

/// What every command needs.
#[derive(Debug, Clone, Args)]
pub struct StoreConfig {
    /// Where everything is kept.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// What seals it.
    #[command(flatten)]
    pub sealing: SealingConfig,
    /// What is logged.
    #[command(flatten)]
    pub log: LogConfig,
}

/// What `serve` needs besides.
#[derive(Debug, Clone, Args)]
pub struct ServeConfig {
    /// The address for the console and the API, as host:port; port 0 takes any
    #[arg(long = "listen", env = "DISPATCHER_LISTEN", default_value = "0.0.0.0:8036", value_parser = listen_address)]
    pub listen: SocketAddr,
    /// The URL at which people reach the console; https makes the session cookie secure
    #[arg(long = "public-url", env = "PUBLIC_URL", default_value = "http://localhost:8036", value_parser = web_url)]
    pub public_url: Url,
    /// The folder of the built console
    #[arg(long = "console-dir", env = "CONSOLE_DIR", default_value = "console/dist")]
    pub console_dir: PathBuf,
    /// Facebook's Graph API
    #[arg(long = "graph-api-url", env = "GRAPH_API_URL", default_value = "https://graph.facebook.com", value_parser = web_url)]
    pub graph_api_url: Url,
    /// A proxy for the Graph API, as http://host:port or socks5://host:port
    #[arg(long = "graph-proxy", env = "GRAPH_PROXY", value_parser = proxy_url)]
    pub graph_proxy: Option<Url>,
    /// Chatopera's platform, where a bot names no server of its own
    #[arg(long = "chatopera-url", env = "CHATOPERA_URL", default_value = "https://bot.chatopera.com", value_parser = web_url)]
    pub chatopera_url: Url,
    /// How long the later messages of a visitor wait after a send whose end is unknown, in seconds
    #[arg(long = "quiet-period", env = "QUIET_PERIOD", default_value = "20", value_parser = seconds)]
    pub quiet_period: Duration,
    /// Where events come from.
    #[command(flatten)]
    pub broker: BrokerConfig,
}

fn web_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("it is no http:// or https:// URL".to_owned()),
    }
}

fn proxy_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host() => Ok(url),
        _ => Err("it is no http://, https:// or socks5:// URL".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=3_600) => Ok(Duration::from_secs(seconds)),
        _ => Err("it is no number of seconds from 0 to 3600".to_owned()),
    }
}

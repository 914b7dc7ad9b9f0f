//! The simulated Facebook, Chatopera and phone as one process, for the demo, the browser tests and the benchmarks.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tests::chatopera::Credentials;
use tests::facebook::{App, Callback, FacebookConfig, Page};
use tests::platforms::Platforms;
use tokio::signal::unix::{SignalKind, signal};

/// Simulated Facebook, Chatopera and phone on one listener. They never write to anyone outside this machine.
#[derive(Parser)]
#[command(name = "platforms")]
struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, env = "PLATFORMS_LISTEN", default_value = "127.0.0.1:8040")]
    listen: SocketAddr,
    /// The app's callback on this machine, like <http://127.0.0.1:8035/facebook/webhook/159955055741>. Can be set later under /control/callback.
    #[arg(long, env = "WEBHOOK_URL")]
    webhook_url: Option<String>,
    /// Signs the webhooks.
    #[arg(long, env = "APP_SECRET", hide_env_values = true)]
    app_secret: Option<String>,
    /// The app's id.
    #[arg(long, env = "FACEBOOK_APP_ID", default_value = "1517776481860111")]
    app_id: u64,
    /// What the handshake brings along.
    #[arg(long, env = "VERIFY_TOKEN", default_value = "foobar20")]
    verify_token: String,
    /// The Page's id.
    #[arg(long, env = "PAGE_ID", default_value = "159955055741")]
    page_id: String,
    /// The Page's name.
    #[arg(long, env = "PAGE_NAME", default_value = "春松客服 DEMO")]
    page_name: String,
    /// The Page's access token.
    #[arg(long, env = "PAGE_TOKEN", hide_env_values = true)]
    page_token: Option<String>,
    /// The bot's client id.
    #[arg(long, env = "CHATOPERA_CLIENT_ID", default_value = "5f0fd4ca5b38fb0015aa0001")]
    chatopera_client_id: String,
    /// The bot's secret; without one every call is let in.
    #[arg(long, env = "CHATOPERA_SECRET", hide_env_values = true)]
    chatopera_secret: Option<String>,
    /// Decides which calls faults with a probability strike.
    #[arg(long, env = "PLATFORMS_SEED", default_value_t = 0)]
    seed: u64,
}

/// A setting is missing or wrong: what, and how to mend it.
#[derive(Debug, thiserror::Error)]
enum SettingError {
    #[error("{0} is missing: set it to the value that the channel form of Frontdesk was given")]
    Missing(&'static str),
    #[error("WEBHOOK_URL is refused: {0}")]
    Callback(#[from] tests::facebook::CallbackError),
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    match configuration(options) {
        Ok((facebook, bot)) => tokio::runtime::Runtime::new()?.block_on(serve(facebook, bot)),
        Err(error) => {
            writeln!(std::io::stderr(), "{error}")?;
            Ok(ExitCode::from(2))
        }
    }
}

fn configuration(options: Options) -> Result<(FacebookConfig, Credentials), SettingError> {
    let secret = options
        .app_secret
        .filter(|secret| !secret.is_empty())
        .ok_or(SettingError::Missing("APP_SECRET"))?;
    let token = options
        .page_token
        .filter(|token| !token.is_empty())
        .ok_or(SettingError::Missing("PAGE_TOKEN"))?;
    let app = App {
        id: options.app_id,
        secret,
        verify_token: options.verify_token,
    };
    let mut facebook = FacebookConfig::new(app, Page::new(&options.page_id, &options.page_name, &token));
    facebook.listen = options.listen;
    facebook.seed = options.seed;
    facebook.callback = options.webhook_url.as_deref().map(Callback::parse).transpose()?;
    let bot = Credentials {
        client_id: options.chatopera_client_id,
        secret: options.chatopera_secret.filter(|secret| !secret.is_empty()),
    };
    Ok((facebook, bot))
}

async fn serve(facebook: FacebookConfig, bot: Credentials) -> anyhow::Result<ExitCode> {
    let listen = facebook.listen;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let platforms = Platforms::start(facebook, bot).with_context(|| format!("PLATFORMS_LISTEN {listen}"))?;
    writeln!(std::io::stdout(), "listening on {}", platforms.base_url())?;
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    platforms.stop().await;
    Ok(ExitCode::SUCCESS)
}

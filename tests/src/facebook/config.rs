//! How a simulated Facebook is set up: its app, its Pages, its webhook sender.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::Url;

/// How a simulated Facebook is set up.
#[derive(Clone)]
pub struct FacebookConfig {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The one app that its Pages are connected to.
    pub app: App,
    /// Its Pages. `/me` is the one whose token is used.
    pub pages: Vec<Page>,
    /// The app's callback; can be set later. Until then webhooks wait.
    pub callback: Option<Callback>,
    /// Decides which calls faults with a probability strike, and the ids of messages.
    pub seed: u64,
    /// How webhooks are sent.
    pub webhooks: WebhookConfig,
    /// How many messages are remembered in all.
    pub remember_messages: usize,
    /// How many messages of one visitor are remembered.
    pub remember_per_visitor: usize,
}

/// A Facebook app.
#[derive(Clone)]
pub struct App {
    /// Its id.
    pub id: u64,
    /// Signs its webhooks.
    pub secret: String,
    /// What the handshake brings along.
    pub verify_token: String,
}

/// A Facebook Page.
#[derive(Clone)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its access token.
    pub token: String,
    /// Whether Facebook granted it the human agent tag.
    pub human_agent: bool,
}

/// How webhooks are sent.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Parallel senders. A visitor always has the same one, so that their events arrive in order.
    pub lanes: usize,
    /// How long an answer may take.
    pub deadline: Duration,
    /// How often a failed delivery is repeated at once.
    pub immediate_retries: u32,
    /// The first pause after that; it doubles.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// After so many attempts the events are given up, as Facebook does after an hour.
    pub attempts: u32,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            lanes: 32,
            deadline: Duration::from_secs(5),
            immediate_retries: 3,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(2),
            attempts: 1000,
        }
    }
}

impl FacebookConfig {
    /// One app with one Page, on a free port of the loopback.
    #[must_use]
    pub fn new(app: App, page: Page) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            app,
            pages: vec![page],
            callback: None,
            seed: 0,
            webhooks: WebhookConfig::default(),
            remember_messages: 200_000,
            remember_per_visitor: 500,
        }
    }

    /// The same with a callback.
    #[must_use]
    pub fn with_callback(mut self, callback: Callback) -> Self {
        self.callback = Some(callback);
        self
    }
}

impl Page {
    /// A Page with the human agent tag.
    #[must_use]
    pub fn new(id: &str, name: &str, token: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            token: token.to_owned(),
            human_agent: true,
        }
    }
}

/// A callback on this machine. The simulation never writes to anyone else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback(Url);

/// Why a callback is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// It is not an address.
    #[error("a callback is a URL like http://127.0.0.1:8035/facebook/webhook/159955055741")]
    NotAUrl,
    /// It leads out of this machine.
    #[error("a callback must be http on this machine (127.0.0.1, ::1 or localhost)")]
    NotLoopback,
}

impl Callback {
    /// Reads a callback.
    ///
    /// # Errors
    /// When it is no URL or leads out of this machine.
    pub fn parse(text: &str) -> Result<Self, CallbackError> {
        let url = Url::parse(text).map_err(|_error| CallbackError::NotAUrl)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if url.scheme() == "http" && local {
            Ok(Self(url))
        } else {
            Err(CallbackError::NotLoopback)
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_stays_on_this_machine() {
        for local in [
            "http://127.0.0.1:8035/facebook/webhook/1",
            "http://[::1]:80/x",
            "http://localhost:9/x",
            "http://127.8.0.1/x",
        ] {
            assert!(Callback::parse(local).is_ok(), "{local}");
        }
        for foreign in [
            "http://10.0.0.1/x",
            "https://127.0.0.1/x",
            "http://localhost.example.com/x",
            "http://127.0.0.1.example.com/",
            "ftp://localhost/x",
        ] {
            assert_eq!(Callback::parse(foreign), Err(CallbackError::NotLoopback), "{foreign}");
        }
        assert_eq!(Callback::parse("not a url"), Err(CallbackError::NotAUrl));
    }
}

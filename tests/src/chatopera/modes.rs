//! How well the bot service is, set while it runs.

use serde::{Deserialize, Serialize};

/// How well the service is. A field left out of the JSON is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Modes {
    /// Whether it answers at all.
    pub state: State,
    /// How long an answer to 慢 takes.
    pub slow_ms: u64,
    /// How much longer every answer takes.
    pub latency_ms: u64,
    /// Users whom the bot does not talk to.
    pub muted: Vec<String>,
    /// Answers every query with an error of the service instead.
    pub refusal: Option<ServiceError>,
}

/// Whether the service answers at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does.
    #[default]
    Up,
    /// 503 with a gateway's page.
    ServerError,
    /// The connection ends without an answer.
    Cut,
    /// The connection is held for half a minute, then ends without an answer.
    Hang,
    /// 200 with something that is not JSON.
    Garbled,
}

/// An error of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceError {
    /// Its number; never 0.
    pub rc: i64,
    /// Its text.
    pub error: String,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            state: State::Up,
            slow_ms: 3000,
            latency_ms: 0,
            muted: Vec::new(),
            refusal: None,
        }
    }
}

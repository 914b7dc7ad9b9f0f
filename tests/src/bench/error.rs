//! Why there is no number.

use std::path::PathBuf;

/// Why there is no number.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A binary that is to be measured was not built.
    #[error("there is no {path}: build it with cargo build --release -p ingress -p dispatcher -p tests --bins", path = .0.display())]
    NotBuilt(PathBuf),
    /// A process did not get ready.
    #[error("{0} did not get ready in time")]
    NotReady(String),
    /// A process ended before it should.
    #[error("{0} ended early")]
    Ended(String),
    /// A webhook was refused.
    #[error("a webhook was answered with {0}")]
    Refused(u16),
    /// An answer is not HTTP as the services speak it.
    #[error("the answer is no HTTP/1.1 with a length")]
    NotHttp,
    /// The API did not answer as documented.
    #[error("the API: {0}")]
    Api(String),
    /// What was acknowledged is not where it should be.
    #[error("{what}: {found} of {expected}")]
    Lost {
        /// What was counted.
        what: &'static str,
        /// How many should be there.
        expected: u64,
        /// How many are.
        found: u64,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The machine said no.
    #[error("the system")]
    System(#[from] std::io::Error),
    /// The broker said no.
    #[error("the broker")]
    Amqp(#[from] lapin::Error),
    /// The broker cannot be reached.
    #[error("the broker")]
    Broker(#[from] runtime::broker::BrokerError),
    /// The database cannot be reached.
    #[error("the database")]
    Connect(#[from] diesel::ConnectionError),
    /// The database said no.
    #[error("the database")]
    Database(#[from] diesel::result::Error),
    /// The schema could not be made.
    #[error("the schema")]
    Schema(#[from] migrations::MigrationError),
    /// A simulated platform did not start.
    #[error("the simulated platforms")]
    Platform(#[from] crate::platforms::StartError),
    /// An HTTP call failed.
    #[error("HTTP")]
    Http(#[from] reqwest::Error),
    /// Something is not the expected JSON.
    #[error("JSON")]
    Json(#[from] serde_json::Error),
    /// The histogram's bounds are refused.
    #[error("the histogram")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// A task panicked.
    #[error("a task")]
    Task(#[from] tokio::task::JoinError),
}

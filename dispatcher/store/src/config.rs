//! How the store connects.

use std::time::Duration;

use secrecy::SecretString;

/// Where the database is, and how many connections each kind of work has for itself: a busy one never starves another.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The database, as a URL.
    pub database_url: SecretString,
    /// Transactions at a time. More than the machine has cores only makes them wait for each other.
    pub writers: u32,
    /// For claiming, starting and renewing effects.
    pub relay: u32,
    /// For reading the log, the floor and leases.
    pub readers: u32,
    /// No statement takes longer.
    pub statement_timeout: Duration,
    /// No statement waits longer for a lock.
    pub lock_timeout: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
}

impl StoreConfig {
    /// The usual settings.
    #[must_use]
    pub const fn new(database_url: SecretString) -> Self {
        Self {
            database_url,
            writers: 8,
            relay: 2,
            readers: 4,
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(3),
        }
    }
}

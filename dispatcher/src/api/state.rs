//! What handlers reach, and the only way to it.
//!
//! Invariant: nothing is read or changed for a caller who has not shown a [`Granted`]; only [`Signed`](super::signed::Signed)
//! makes one. What is private here is how "denied by default" is kept.

use std::sync::Arc;

use engine::Commands;
use engine::ports::{Environment, Live, Store};
use shared::Timestamp;
use store::queries::Queries;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::commands::ApiCommands;
use super::console::Console;
use super::doorkeeper::Doorkeeper;
use super::health::Readiness;
use super::session::password::{HashingFailed, Passwords};
use super::signed::Granted;
use crate::feed::{LogSource, Rhythm, Ring};

/// What an installation decides about its API.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// The address under which browsers reach the console is `https`: cookies are never sent in the clear.
    pub secure_cookies: bool,
    /// The rhythm of feed connections.
    pub rhythm: Rhythm,
}

/// What handlers reach. Cheap to clone; one for all workers.
#[derive(Clone)]
pub struct ApiState {
    parts: Arc<Parts>,
}

struct Parts {
    commands: Arc<dyn ApiCommands>,
    queries: Queries,
    environment: Arc<dyn Environment>,
    log: Arc<dyn LogSource>,
    ring: Arc<Ring>,
    passwords: Passwords,
    doorkeeper: Doorkeeper,
    readiness: Readiness,
    console: Console,
    rhythm: Rhythm,
    stopping: CancellationToken,
}

/// What the API is made of.
pub struct ApiParts<S, E, L> {
    /// People's commands.
    pub commands: Arc<Commands<S, E, L>>,
    /// The log, for clients of the feed that are behind the ring.
    pub store: Arc<S>,
    /// Time and ids.
    pub environment: Arc<E>,
    /// The read side.
    pub queries: Queries,
    /// The newest events; somebody has to run a [`LogReader`](crate::feed::LogReader) on it.
    pub ring: Arc<Ring>,
    /// The built console.
    pub console: Console,
    /// What `/readyz` asks.
    pub readiness: Readiness,
    /// Ends the feed's connections, so that the server can stop.
    pub stopping: CancellationToken,
    /// What the installation decides.
    pub settings: ApiSettings,
}

impl ApiState {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`HashingFailed`] when the system gives no randomness.
    pub fn new<S: Store, E: Environment, L: Live>(parts: ApiParts<S, E, L>) -> Result<Self, HashingFailed> {
        let passwords = Passwords::new()?;
        let doorkeeper = Doorkeeper::new(parts.queries.clone(), passwords.clone(), parts.settings.secure_cookies);
        let parts = Parts {
            commands: parts.commands,
            queries: parts.queries,
            environment: parts.environment,
            log: parts.store,
            ring: parts.ring,
            passwords,
            doorkeeper,
            readiness: parts.readiness,
            console: parts.console,
            rhythm: parts.settings.rhythm,
            stopping: parts.stopping,
        };
        Ok(Self { parts: Arc::new(parts) })
    }

    /// The read side, for whom it is granted.
    #[must_use]
    pub fn read(&self, _: &Granted) -> &Queries {
        &self.parts.queries
    }

    /// The commands, for whom they are granted.
    #[must_use]
    pub fn commands(&self, _: &Granted) -> &dyn ApiCommands {
        self.parts.commands.as_ref()
    }

    /// Hashes passwords, for whom it is granted.
    #[must_use]
    pub fn passwords(&self, _: &Granted) -> &Passwords {
        &self.parts.passwords
    }

    /// The feed, for whom it is granted.
    pub(crate) fn feed(&self, _: &Granted) -> (Arc<Ring>, Arc<dyn LogSource>, Rhythm) {
        (Arc::clone(&self.parts.ring), Arc::clone(&self.parts.log), self.parts.rhythm)
    }

    /// Signs people in and out and knows who is signed in.
    #[must_use]
    pub fn doorkeeper(&self) -> &Doorkeeper {
        &self.parts.doorkeeper
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.environment.now()
    }

    /// A fresh id.
    #[must_use]
    pub fn fresh_id(&self) -> Uuid {
        self.parts.environment.fresh_id()
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.parts.readiness
    }

    pub(crate) fn console(&self) -> &Console {
        &self.parts.console
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.parts.stopping
    }
}

//! Connections for what people wait for.
//!
//! Not those of the loops: these plan every statement by its parameters, because a filter that is optional makes one plan for all a
//! bad one.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error};
use engine::ports::StoreError;
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::config::StoreConfig;
use crate::failure::Failure;

/// Nobody waits longer for an answer.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    connections: diesel::r2d2::Pool<ConnectionManager<PgConnection>>,
    /// Callers wait here without a thread.
    turns: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(config: &StoreConfig, size: u32) -> Self {
        let size = size.max(1);
        let statement_timeout = config.statement_timeout.min(STATEMENT_TIMEOUT);
        let connections = diesel::r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(config.connect_timeout)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .connection_customizer(Box::new(Settings(statement_timeout)))
            .build_unchecked(ConnectionManager::new(config.database_url.expose_secret()));
        let turns = usize::try_from(size).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            connections,
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    pub(super) async fn run<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, Failure> + Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let connections = self.connections.clone();
        let task = spawn_blocking(move || {
            let _turn = turn;
            let mut connection = connections.get().map_err(|error| StoreError::Unavailable(Box::new(error)))?;
            query(&mut connection).map_err(StoreError::from)
        });
        task.await.map_err(|error| StoreError::Unavailable(Box::new(error)))?
    }
}

/// What every connection is told once.
#[derive(Debug)]
struct Settings(Duration);

impl CustomizeConnection<PgConnection, Error> for Settings {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let settings = format!(
            "SET statement_timeout = {}; SET lock_timeout = 500; SET idle_in_transaction_session_timeout = 5000; SET jit = off;
             SET timezone = 'UTC'; SET client_min_messages = warning; SET random_page_cost = 1.1;
             DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); EXCEPTION WHEN insufficient_privilege THEN NULL; END $$",
            self.0.as_millis()
        );
        connection.batch_execute(&settings).map_err(Error::QueryError)
    }
}

//! Connections: one pool per kind of work, everything that blocks off the async threads.

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

type Connections = diesel::r2d2::Pool<ConnectionManager<PgConnection>>;

/// A pool. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: Connections,
    /// Callers wait here, without a thread, and not for a connection within a thread.
    turns: Arc<Semaphore>,
}

impl Pool {
    /// Connects once, so that a wrong URL is found at the start.
    pub(crate) fn connect(config: &StoreConfig, size: u32) -> Result<Self, StoreError> {
        let size = size.max(1);
        let connections = diesel::r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            // A check before every use costs a round trip; a dead connection is found by its first statement and thrown away.
            .test_on_check_out(false)
            .connection_timeout(config.connect_timeout)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .connection_customizer(Box::new(Settings::of(config)))
            .build(ConnectionManager::new(config.database_url.expose_secret()))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let turns = usize::try_from(size).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            connections,
            turns: Arc::new(Semaphore::new(turns)),
        })
    }

    /// Runs a piece of work on a connection.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
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
            work(&mut connection).map_err(StoreError::from)
        });
        task.await.map_err(|error| StoreError::Unavailable(Box::new(error)))?
    }
}

/// What every connection is told once.
#[derive(Debug)]
struct Settings(String);

impl Settings {
    fn of(config: &StoreConfig) -> Self {
        let millis = |span: Duration| span.as_millis();
        Self(format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = 5000; SET jit = off;
             SET timezone = 'UTC'; SET client_min_messages = warning; SET random_page_cost = 1.1;
             -- Every statement is a point look-up by parameters: planning it again for each set of them costs more than running it.
             SET plan_cache_mode = force_generic_plan;
             -- A plan made while a table was small must not stay a scan when the table has grown.
             SET enable_seqscan = off;
             -- Errors are told apart by their text; without the right to set this, the server's own setting has to be English.
             DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); EXCEPTION WHEN insufficient_privilege THEN NULL; END $$",
            millis(config.statement_timeout),
            millis(config.lock_timeout),
        ))
    }
}

impl CustomizeConnection<PgConnection, Error> for Settings {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), Error> {
        connection.batch_execute(&self.0).map_err(Error::QueryError)
    }
}

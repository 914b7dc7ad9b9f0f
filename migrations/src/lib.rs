//! The schema of the database, as steps forward and back, embedded in the binaries.
//!
//! Invariant: every step can be undone and done again; the redo test holds it to that.

use diesel::pg::PgConnection;
use diesel::{Connection as _, RunQueryDsl as _, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

const STEPS: EmbeddedMigrations = embed_migrations!("sql");

/// Changes with every change of a step: names a database that was brought up to date by this build.
pub const FINGERPRINT: &str = env!("MIGRATIONS_FINGERPRINT");

/// Two processes that migrate at the same time take turns under this advisory lock.
const LOCK: i64 = 0x6672_6f6e_7464;

/// Why the schema could not be brought to where it should be.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database refused or was not reachable.
    #[error("the database did not carry out a migration")]
    Database(#[from] diesel::result::Error),
    /// One step failed.
    #[error("a migration failed: {0}")]
    Step(Box<dyn std::error::Error + Send + Sync>),
}

/// Brings the schema up to date; the names of the steps that were missing.
///
/// # Errors
/// [`MigrationError`] with the step that failed; the steps before it stay done.
pub fn run(connection: &mut PgConnection) -> Result<Vec<String>, MigrationError> {
    alone(connection, |connection| {
        let done = connection.run_pending_migrations(STEPS).map_err(MigrationError::Step)?;
        Ok(done.into_iter().map(|step| step.to_string()).collect())
    })
}

/// Takes every step back: afterwards the database is as empty as before the first.
///
/// # Errors
/// [`MigrationError`] with the step that failed.
pub fn revert_all(connection: &mut PgConnection) -> Result<(), MigrationError> {
    alone(connection, |connection| {
        connection.revert_all_migrations(STEPS).map_err(MigrationError::Step)?;
        Ok(())
    })
}

/// Whether the schema is what this version expects.
///
/// # Errors
/// [`MigrationError`] when the database did not answer.
pub fn is_current(connection: &mut PgConnection) -> Result<bool, MigrationError> {
    connection
        .has_pending_migration(STEPS)
        .map(|pending| !pending)
        .map_err(MigrationError::Step)
}

fn alone<T>(connection: &mut PgConnection, act: impl FnOnce(&mut PgConnection) -> Result<T, MigrationError>) -> Result<T, MigrationError> {
    // Held by the transaction, so that it is given back whatever happens; each step is a savepoint within it.
    connection.transaction(|connection| {
        sql_query(format!("SELECT pg_advisory_xact_lock({LOCK})")).execute(connection)?;
        act(connection)
    })
}

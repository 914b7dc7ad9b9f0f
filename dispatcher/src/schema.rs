//! The schema of the database.

use anyhow::Context as _;
use diesel::{Connection as _, PgConnection};

use crate::config::StoreConfig;

/// Brings the schema up to date; says what was done.
///
/// # Errors
/// When the database does not answer or a step fails.
pub async fn migrate(config: StoreConfig) -> anyhow::Result<String> {
    tokio::task::spawn_blocking(move || {
        let mut connection =
            PgConnection::establish(config.database.database_url.expose()).context("DATABASE_URL: the database does not answer")?;
        let done = migrations::run(&mut connection)?;
        Ok(if done.is_empty() {
            "the schema is up to date\n".to_owned()
        } else {
            done.iter().map(|step| format!("done: {step}\n")).collect()
        })
    })
    .await?
}

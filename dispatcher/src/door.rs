//! The commands' door for the command line: the same rules as for the API, without a relay. What they cause waits in the
//! outbox for a serving dispatcher.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use engine::ports::RelayId;
use engine::{Commands, Wakes, door};
use store::PgStore;
use store::queries::Queries;
use uuid::Uuid;

use crate::config::StoreConfig;
use crate::environment::SystemEnvironment;
use crate::people::Door;

/// The longest statement of the store.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How the store connects.
#[must_use]
pub fn store_config(config: &StoreConfig) -> store::StoreConfig {
    store::StoreConfig::new(config.database.connection_url("frontdesk-dispatcher", STATEMENT_TIMEOUT))
}

/// A door for one run of the command line, and the read side.
///
/// # Errors
/// When the database does not answer or refuses.
pub async fn open(config: &StoreConfig) -> anyhow::Result<(Door, Queries)> {
    let settings = store_config(config);
    let store = PgStore::connect(settings.clone(), config.sealing.keyring())
        .await
        .context("DATABASE_URL: the database cannot be used")?;
    let queries = Queries::connect(&settings, 1, config.sealing.keyring());
    // Its inbox is dropped at once: this relay never has room.
    let (relay, _) = door(RelayId(Uuid::now_v7()), 0);
    Ok((
        Commands::new(Arc::new(store), Arc::new(SystemEnvironment), Arc::new(Wakes::default()), relay),
        queries,
    ))
}

//! What the HTTP API reads: the read models, and the sessions.
//!
//! Invariant: whatever is shown together with a feed cursor was read in the same snapshot as the cursor, and the cursor lies below
//! every transaction that the snapshot does not show. Following the log from there misses nothing.

mod app;
mod bot;
mod channel;
mod conversation;
mod conversation_list;
mod person;
mod pool;
mod presence;
mod row;
mod secrets;
mod session;
mod skill_group;
mod snapshot;
mod timeline;

use std::sync::Arc;

use diesel::PgConnection;
use engine::ports::StoreError;
use shared::sealing::Keyring;

pub use app::AppRecord;
pub use bot::BotRecord;
pub use channel::ChannelRecord;
pub use conversation::{ConversationRecord, LastMessage, Named};
pub use conversation_list::{ConversationPage, Seek, Sight, View};
pub use person::PersonRecord;
pub use presence::PresenceRecord;
pub use session::{Credentials, NewSession, SessionRecord};
pub use skill_group::SkillGroupRecord;
pub use snapshot::Snapshot;
pub use timeline::{ItemRecord, ItemSeek, TimelinePage};

use pool::Pool;

use crate::config::StoreConfig;
use crate::failure::Failure;

/// The read side. Cheap to clone.
#[derive(Clone)]
pub struct Queries {
    pool: Pool,
    keyring: Arc<Keyring>,
}

impl Queries {
    /// Over connections of its own, so that a busy console never takes them from the loops. Connects when first needed.
    #[must_use]
    pub fn connect(config: &StoreConfig, connections: u32, keyring: Keyring) -> Self {
        Self {
            pool: Pool::new(config, connections),
            keyring: Arc::new(keyring),
        }
    }

    /// Whether the database answers.
    pub async fn is_there(&self) -> bool {
        use diesel::RunQueryDsl as _;
        self.run(|connection| Ok(diesel::sql_query("SELECT 1").execute(connection)?))
            .await
            .is_ok()
    }

    /// Runs a query away from the threads that serve requests.
    async fn run<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.pool.run(query).await
    }
}

//! Whether somebody takes conversations, and how many they have.

use diesel::sql_types::{Integer, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query};
use domain::agent::Presence;
use engine::ports::StoreError;
use shared::PersonId;

use super::Queries;
use super::row::{count, word};

/// Somebody on the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceRecord {
    /// Ready, busy or offline.
    pub presence: Presence,
    /// Conversations served at most at a time.
    pub capacity: u32,
    /// Conversations served now.
    pub active: u32,
}

#[derive(QueryableByName)]
struct PresenceRow {
    #[diesel(sql_type = Text)]
    presence: String,
    #[diesel(sql_type = Integer)]
    capacity: i32,
    #[diesel(sql_type = Integer)]
    active: i32,
}

const PRESENCE: &str = "
    SELECT coalesce(a.presence, 'offline') AS presence, p.capacity, coalesce(cardinality(a.active), 0) AS active
    FROM person p LEFT JOIN agent a ON a.id = p.id
    WHERE p.id = $1";

impl Queries {
    /// The presence of a person; `None` where there is no such person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn presence(&self, id: PersonId) -> Result<Option<PresenceRecord>, StoreError> {
        self.run(move |connection| {
            let row = sql_query(PRESENCE)
                .bind::<SqlUuid, _>(id.0)
                .get_result::<PresenceRow>(connection)
                .optional()?;
            row.map(|row| {
                Ok(PresenceRecord {
                    presence: word(&row.presence, "agent")?,
                    capacity: count(row.capacity, "person")?,
                    active: count(row.active, "agent")?,
                })
            })
            .transpose()
        })
        .await
    }
}

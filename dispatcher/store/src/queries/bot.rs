//! The bots.

use diesel::sql_types::{BigInt, Bool, Bytea, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use domain::directory::field;
use engine::ports::StoreError;
use shared::BotId;
use shared::sealing::Keyring;
use uuid::Uuid;

use super::Queries;
use super::row::count;
use super::secrets::Secrets;
use crate::failure::Failure;

/// One bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotRecord {
    /// Which one.
    pub id: BotId,
    /// Its name.
    pub name: String,
    /// Chatopera's id of it.
    pub client_id: String,
    /// Its server, where it is not the configured one.
    pub base_url: Option<String>,
    /// Its secret is known.
    pub has_secret: bool,
    /// Off: nobody asks it.
    pub enabled: bool,
    /// How long an answer may take, in milliseconds.
    pub deadline_ms: u32,
    /// Length of its stream.
    pub version: i64,
}

#[derive(QueryableByName)]
struct BotRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    client_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    base_url: Option<String>,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Integer)]
    deadline_ms: i32,
    #[diesel(sql_type = Bytea)]
    secrets: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl BotRow {
    fn record(self, keyring: &Keyring) -> Result<BotRecord, Failure> {
        let secrets = Secrets::open(keyring, "bot", self.id, &self.secrets);
        Ok(BotRecord {
            id: BotId(self.id),
            name: self.name,
            client_id: self.client_id,
            base_url: self.base_url,
            has_secret: secrets.has(field::SECRET),
            enabled: self.enabled,
            deadline_ms: count(self.deadline_ms, "bot")?,
            version: self.version,
        })
    }
}

const BOTS: &str = "
    SELECT id, name, client_id, base_url, enabled, deadline_ms, secrets, version FROM bot
    WHERE $1 IS NULL OR id = $1
    ORDER BY name, id";

impl Queries {
    /// Every bot, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bots(&self) -> Result<Vec<BotRecord>, StoreError> {
        self.bots_where(None).await
    }

    /// One bot.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bot(&self, id: BotId) -> Result<Option<BotRecord>, StoreError> {
        Ok(self.bots_where(Some(id.0)).await?.pop())
    }

    async fn bots_where(&self, id: Option<Uuid>) -> Result<Vec<BotRecord>, StoreError> {
        let keyring = self.keyring.clone();
        self.run(move |connection| {
            let rows = sql_query(BOTS).bind::<Nullable<SqlUuid>, _>(id).get_results::<BotRow>(connection)?;
            rows.into_iter().map(|row| row.record(&keyring)).collect()
        })
        .await
    }
}

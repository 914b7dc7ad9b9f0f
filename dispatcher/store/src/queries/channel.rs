//! The channels.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Bool, Bytea, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use domain::directory::field;
use domain::texts::{Language, TextKey};
use domain::work_mode::WorkMode;
use engine::ports::StoreError;
use serde_json::Value;
use shared::sealing::Keyring;
use shared::{AppId, BotId, ChannelId, SkillGroupId};
use uuid::Uuid;

use super::row::{json, word};
use super::secrets::Secrets;
use super::{Named, Queries};
use crate::failure::Failure;

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRecord {
    /// Which one.
    pub id: ChannelId,
    /// Its Page.
    pub page_id: String,
    /// Its name.
    pub name: String,
    /// Its app.
    pub app: Named<AppId>,
    /// Whose it is.
    pub skill_group: Named<SkillGroupId>,
    /// Its bot.
    pub bot: Option<Named<BotId>>,
    /// Who answers first.
    pub work_mode: WorkMode,
    /// Off: events are kept, nobody answers.
    pub enabled: bool,
    /// The Page's token is known.
    pub has_token: bool,
    /// Language of the default texts.
    pub language: Language,
    /// Its own texts.
    pub own_texts: BTreeMap<TextKey, String>,
    /// Length of its stream.
    pub version: i64,
}

#[derive(QueryableByName)]
struct ChannelRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    page_id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    app_id: Uuid,
    #[diesel(sql_type = Text)]
    app_name: String,
    #[diesel(sql_type = SqlUuid)]
    skill_group: Uuid,
    #[diesel(sql_type = Text)]
    skill_group_name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    bot: Option<Uuid>,
    #[diesel(sql_type = Text)]
    bot_name: String,
    #[diesel(sql_type = Text)]
    work_mode: String,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(sql_type = Jsonb)]
    texts: Value,
    #[diesel(sql_type = Bytea)]
    secrets: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl ChannelRow {
    fn record(self, keyring: &Keyring) -> Result<ChannelRecord, Failure> {
        let place = format!("channel:{}", self.id);
        let secrets = Secrets::open(keyring, "channel", self.id, &self.secrets);
        Ok(ChannelRecord {
            id: ChannelId(self.id),
            page_id: self.page_id,
            name: self.name,
            app: Named {
                id: AppId(self.app_id),
                name: self.app_name,
            },
            skill_group: Named {
                id: SkillGroupId(self.skill_group),
                name: self.skill_group_name,
            },
            bot: self.bot.map(|id| Named {
                id: BotId(id),
                name: self.bot_name,
            }),
            work_mode: word(&self.work_mode, &place)?,
            enabled: self.enabled,
            has_token: secrets.has(field::ACCESS_TOKEN),
            language: word(&self.language, &place)?,
            own_texts: json(self.texts, &place)?,
            version: self.version,
        })
    }
}

const CHANNELS: &str = "
    SELECT c.id, c.page_id, c.name, c.app_id, coalesce(a.name, '') AS app_name, c.skill_group,
           coalesce(g.name, '') AS skill_group_name, c.bot, coalesce(b.name, '') AS bot_name, c.work_mode, c.enabled, c.language,
           c.texts, c.secrets, c.version
    FROM channel c
    LEFT JOIN app a ON a.id = c.app_id
    LEFT JOIN skill_group g ON g.id = c.skill_group
    LEFT JOIN bot b ON b.id = c.bot
    WHERE ($1 IS NULL OR c.id = $1) AND ($2 IS NULL OR c.page_id = $2)
    ORDER BY c.name, c.id";

impl Queries {
    /// Every channel, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        self.channels_where(None, None).await
    }

    /// One channel.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn channel(&self, id: ChannelId) -> Result<Option<ChannelRecord>, StoreError> {
        Ok(self.channels_where(Some(id.0), None).await?.pop())
    }

    /// The channel of a Page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn channel_of_page(&self, page_id: String) -> Result<Option<ChannelRecord>, StoreError> {
        Ok(self.channels_where(None, Some(page_id)).await?.pop())
    }

    async fn channels_where(&self, id: Option<Uuid>, page_id: Option<String>) -> Result<Vec<ChannelRecord>, StoreError> {
        let keyring = self.keyring.clone();
        self.run(move |connection| {
            let rows = sql_query(CHANNELS)
                .bind::<Nullable<SqlUuid>, _>(id)
                .bind::<Nullable<Text>, _>(page_id)
                .get_results::<ChannelRow>(connection)?;
            rows.into_iter().map(|row| row.record(&keyring)).collect()
        })
        .await
    }
}

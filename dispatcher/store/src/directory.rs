//! What adapters need to reach Facebook and the bots: tokens and secrets, read-only.
//!
//! Answers are kept for a second at most; [`Directory::forget`] drops them at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::directory::field;
use engine::ports::StoreError;
use secrecy::SecretString;
use shared::{BotId, PageId};
use uuid::Uuid;

use crate::failure::{Failure, unreadable};
use crate::pool::Pool;
use crate::tables::directory;
use crate::vault::{Vault, place};

/// How long an answer may be kept.
const KEPT: Duration = Duration::from_secs(1);
/// Answers kept at most.
const MOST: usize = 10_000;

/// A bot as its adapter needs it.
#[derive(Debug, Clone)]
pub struct BotCredentials {
    /// Chatopera's id of it.
    pub client_id: String,
    /// Its secret, where it has one.
    pub secret: Option<SecretString>,
    /// Its server, where it is not the configured one.
    pub base_url: Option<String>,
    /// Off: nobody asks it.
    pub enabled: bool,
    /// How long an answer may take.
    pub deadline: Duration,
}

type Kept<K, V> = Mutex<HashMap<K, (Instant, V)>>;

/// Tokens and secrets. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    pool: Pool,
    vault: Arc<Vault>,
    tokens: Arc<Kept<PageId, Option<SecretString>>>,
    bots: Arc<Kept<BotId, Option<BotCredentials>>>,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Directory")
    }
}

impl Directory {
    pub(crate) fn new(pool: Pool, vault: Arc<Vault>) -> Self {
        Self {
            pool,
            vault,
            tokens: Arc::default(),
            bots: Arc::default(),
        }
    }

    /// The token of a Page; `None` where no channel is connected to it, or the channel has none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Unreadable`] where the row does not open with the keys of this process.
    pub async fn page_token(&self, page: &PageId) -> Result<Option<SecretString>, StoreError> {
        if let Some(token) = kept(&self.tokens, page) {
            return Ok(token);
        }
        let (vault, wanted) = (Arc::clone(&self.vault), page.clone());
        let token = self
            .pool
            .run(move |connection| {
                let Some((id, sealed)) = directory::channel_secrets(connection, wanted.as_str())? else {
                    return Ok(None);
                };
                secret(&vault, "channel", id, &sealed, field::ACCESS_TOKEN)
            })
            .await?;
        keep(&self.tokens, page.clone(), token.clone());
        Ok(token)
    }

    /// A bot; `None` where there is no such bot.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Unreadable`] where the row does not open with the keys of this process.
    pub async fn bot(&self, id: BotId) -> Result<Option<BotCredentials>, StoreError> {
        if let Some(bot) = kept(&self.bots, &id) {
            return Ok(bot);
        }
        let vault = Arc::clone(&self.vault);
        let bot = self
            .pool
            .run(move |connection| {
                let Some(row) = directory::bot(connection, id)? else {
                    return Ok(None);
                };
                let secret = secret(&vault, "bot", id.0, &row.secrets, field::SECRET)?;
                let deadline = u64::try_from(row.deadline_ms).map_err(|_negative| unreadable(place("bot", id.0)))?;
                Ok(Some(BotCredentials {
                    client_id: row.client_id,
                    secret,
                    base_url: row.base_url,
                    enabled: row.enabled,
                    deadline: Duration::from_millis(deadline),
                }))
            })
            .await?;
        keep(&self.bots, id, bot.clone());
        Ok(bot)
    }

    /// The directory has changed.
    pub fn forget(&self) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.bots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn secret(vault: &Vault, table: &str, id: Uuid, sealed: &[u8], name: &str) -> Result<Option<SecretString>, Failure> {
    let at = place(table, id);
    let plain = vault.open_for_service(&at, sealed)?;
    let mut fields: HashMap<String, Option<String>> = serde_json::from_slice(&plain).map_err(|_unreadable| unreadable(at))?;
    let secret = fields.remove(name).flatten().filter(|secret| !secret.is_empty());
    Ok(secret.map(SecretString::from))
}

fn kept<K: Eq + std::hash::Hash, V: Clone>(kept: &Kept<K, V>, key: &K) -> Option<V> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get(key)
        .filter(|(since, _)| since.elapsed() < KEPT)
        .map(|(_, value)| value.clone())
}

fn keep<K: Eq + std::hash::Hash, V>(kept: &Kept<K, V>, key: K, value: V) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(key, (Instant::now(), value));
}

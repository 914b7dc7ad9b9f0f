//! Reading the directory from PostgreSQL.

use std::time::Duration;

use diesel::pg::PgConnection;
use diesel::sql_types::{Binary, Text, Uuid as SqlUuid};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, sql_query};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use shared::AppId;
use shared::sealing::{Keyring, SealingError};
use shared::signature::AppSecret;
use tracing::error;
use uuid::Uuid;

use super::picture::{App, Picture, Secrets};
use runtime::config::DatabaseConfig;

const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no new picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the database is not reachable")]
    Connect(#[from] diesel::ConnectionError),
    #[error("the database did not answer the query")]
    Query(#[from] diesel::result::Error),
    #[error("reading was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Reads complete pictures, over one connection that is made anew after any failure.
pub(crate) struct Loader {
    url: SecretString,
    keyring: Keyring,
    connection: Option<PgConnection>,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Loader")
    }
}

impl Loader {
    pub(crate) fn new(database: &DatabaseConfig, keyring: Keyring) -> Self {
        Self {
            url: database.connection_url("frontdesk-ingress", STATEMENT_TIMEOUT),
            keyring,
            connection: None,
        }
    }

    /// Reads everything, off the async thread.
    pub(crate) async fn load(&mut self) -> Result<Picture, LoadError> {
        let (url, keyring, connection) = (self.url.clone(), self.keyring.clone(), self.connection.take());
        let (connection, picture) = tokio::task::spawn_blocking(move || read(&url, &keyring, connection)).await??;
        self.connection = Some(connection);
        Ok(picture)
    }
}

fn read(url: &SecretString, keyring: &Keyring, connection: Option<PgConnection>) -> Result<(PgConnection, Picture), LoadError> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => PgConnection::establish(url.expose_secret())?,
    };
    // One snapshot: a channel and its app are read as of the same moment.
    let picture = connection.build_transaction().read_only().repeatable_read().run(|connection| {
        let apps: Vec<AppRow> = sql_query("SELECT id, secrets FROM app").load(connection)?;
        let aliases: Vec<PageRow> = sql_query("SELECT page_id, app_id FROM page_alias").load(connection)?;
        let channels: Vec<PageRow> = sql_query("SELECT page_id, app_id FROM channel").load(connection)?;
        Ok::<_, diesel::result::Error>((apps, aliases, channels))
    })?;
    let (apps, aliases, channels) = picture;
    let apps = apps.into_iter().map(|row| opened(row, keyring)).collect();
    Ok((
        connection,
        Picture::new(
            apps,
            aliases.into_iter().map(PageRow::into_pair).collect(),
            channels.into_iter().map(PageRow::into_pair).collect(),
        ),
    ))
}

#[derive(QueryableByName)]
struct AppRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Binary)]
    secrets: Vec<u8>,
}

#[derive(QueryableByName)]
struct PageRow {
    #[diesel(sql_type = Text)]
    page_id: String,
    #[diesel(sql_type = SqlUuid)]
    app_id: Uuid,
}

impl PageRow {
    fn into_pair(self) -> (String, AppId) {
        (self.page_id, AppId(self.app_id))
    }
}

/// An app with its secrets open. One that does not open is unreadable itself and nobody else.
fn opened(row: AppRow, keyring: &Keyring) -> App {
    let secrets = open(&row, keyring)
        .inspect_err(|reason| error!(app = %row.id, %reason, "the secrets of an app do not open"))
        .ok();
    App {
        id: AppId(row.id),
        secrets,
    }
}

/// Why an app's secrets are not readable. Shows nothing of them.
#[derive(Debug, thiserror::Error)]
enum SecretsError {
    #[error("{0}")]
    Sealing(#[from] SealingError),
    #[error("what was sealed is not the expected JSON")]
    Json,
    #[error("the app secret is empty")]
    Empty,
}

#[derive(Deserialize)]
struct Opened {
    app_secret: SecretString,
    #[serde(default)]
    second_secret: Option<SecretString>,
    verify_token: SecretString,
}

fn open(row: &AppRow, keyring: &Keyring) -> Result<Secrets, SecretsError> {
    let plain = keyring.open(format!("app:{}", row.id).as_bytes(), &row.secrets)?;
    let opened: Opened = serde_json::from_slice(&plain).or(Err(SecretsError::Json))?;
    let first = AppSecret::new(opened.app_secret.expose_secret()).ok_or(SecretsError::Empty)?;
    let second = opened.second_secret.and_then(|secret| AppSecret::new(secret.expose_secret()));
    Ok(Secrets {
        signing: std::iter::once(first).chain(second).collect(),
        verify_token: opened.verify_token,
    })
}

#[cfg(test)]
mod tests {
    use shared::sealing::SealingKey;

    use super::*;

    fn row(json: &str, aad: &str) -> AppRow {
        let sealed = SealingKey::from_bytes([1; 32]).seal([0; 24], aad.as_bytes(), json.as_bytes());
        AppRow {
            id: Uuid::from_u128(1),
            secrets: sealed,
        }
    }

    const AAD: &str = "app:00000000-0000-0000-0000-000000000001";

    fn signing_secrets(json: &str) -> Result<usize, SecretsError> {
        open(&row(json, AAD), &Keyring::single(SealingKey::from_bytes([1; 32]))).map(|secrets| secrets.signing.len())
    }

    #[test]
    fn one_or_two_secrets_are_opened() {
        assert_eq!(
            signing_secrets(r#"{"app_secret":"a","second_secret":null,"verify_token":"t"}"#).unwrap(),
            1
        );
        assert_eq!(
            signing_secrets(r#"{"app_secret":"a","second_secret":"b","verify_token":"t"}"#).unwrap(),
            2
        );
        assert_eq!(
            signing_secrets(r#"{"app_secret":"a","second_secret":"","verify_token":"t"}"#).unwrap(),
            1
        );
    }

    #[test]
    fn an_empty_app_secret_is_refused_because_anybody_could_sign_with_it() {
        assert!(matches!(
            signing_secrets(r#"{"app_secret":"","verify_token":"t"}"#),
            Err(SecretsError::Empty)
        ));
    }

    #[test]
    fn secrets_sealed_for_another_app_or_key_make_only_this_app_unreadable() {
        let ring = Keyring::single(SealingKey::from_bytes([1; 32]));
        let json = r#"{"app_secret":"a","verify_token":"t"}"#;
        assert!(!opened(row(json, "app:other"), &ring).is_readable());
        assert!(!opened(row(json, AAD), &Keyring::single(SealingKey::from_bytes([2; 32]))).is_readable());
        assert!(opened(row(json, AAD), &ring).is_readable());
    }
}

//! The apps.

use diesel::sql_types::{BigInt, Bytea, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use domain::directory::field;
use engine::ports::StoreError;
use shared::AppId;
use shared::sealing::Keyring;
use uuid::Uuid;

use super::Queries;
use super::secrets::Secrets;

/// One app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRecord {
    /// Which one.
    pub id: AppId,
    /// Facebook's id of it.
    pub facebook_app_id: String,
    /// Its name.
    pub name: String,
    /// Its secret is known.
    pub has_app_secret: bool,
    /// Its other secret during a rotation is known.
    pub has_second_secret: bool,
    /// Length of its stream.
    pub version: i64,
}

#[derive(QueryableByName)]
struct AppRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    facebook_app_id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bytea)]
    secrets: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl AppRow {
    fn record(self, keyring: &Keyring) -> AppRecord {
        let secrets = Secrets::open(keyring, "app", self.id, &self.secrets);
        AppRecord {
            id: AppId(self.id),
            facebook_app_id: self.facebook_app_id,
            name: self.name,
            has_app_secret: secrets.has(field::APP_SECRET),
            has_second_secret: secrets.has(field::SECOND_SECRET),
            version: self.version,
        }
    }
}

const APPS: &str = "
    SELECT id, facebook_app_id, name, secrets, version FROM app
    WHERE ($1 IS NULL OR id = $1) AND ($2 IS NULL OR facebook_app_id = $2)
    ORDER BY name, id";

impl Queries {
    /// Every app, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn apps(&self) -> Result<Vec<AppRecord>, StoreError> {
        self.apps_where(None, None).await
    }

    /// One app.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app(&self, id: AppId) -> Result<Option<AppRecord>, StoreError> {
        Ok(self.apps_where(Some(id.0), None).await?.pop())
    }

    /// The app with Facebook's id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app_at_facebook(&self, facebook_app_id: String) -> Result<Option<AppRecord>, StoreError> {
        Ok(self.apps_where(None, Some(facebook_app_id)).await?.pop())
    }

    async fn apps_where(&self, id: Option<Uuid>, facebook_app_id: Option<String>) -> Result<Vec<AppRecord>, StoreError> {
        let keyring = self.keyring.clone();
        self.run(move |connection| {
            let rows = sql_query(APPS)
                .bind::<Nullable<SqlUuid>, _>(id)
                .bind::<Nullable<Text>, _>(facebook_app_id)
                .get_results::<AppRow>(connection)?;
            Ok(rows.into_iter().map(|row| row.record(&keyring)).collect())
        })
        .await
    }
}

//! A database and a set of broker queues that belong to one run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use diesel::sql_types::{Binary, Text, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, sql_query};
use rand::Rng as _;
use serde_json::json;
use shared::sealing::SealingKey;
use uuid::Uuid;

use super::BenchError;
use super::queues::Queues;

/// The servers to measure on.
#[derive(Clone, Args)]
pub struct Servers {
    /// A PostgreSQL server; a database is made there and dropped at the end.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// A RabbitMQ server; queues are made there under a prefix and deleted at the end.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: String,
}

/// Everything that one run has to itself.
pub(super) struct Installation {
    pub(super) database_url: String,
    pub(super) amqp_url: String,
    pub(super) prefix: String,
    pub(super) queues: Queues,
    /// An empty folder, where a console would be.
    pub(super) console: PathBuf,
    encryption_key: [u8; 32],
    server_url: String,
    database: String,
}

impl Installation {
    /// Makes the database with the whole schema. The queues are the services' to declare.
    pub(super) async fn create(servers: &Servers) -> Result<Self, BenchError> {
        let name = format!("bench_{}", Uuid::now_v7().simple());
        let prefix = format!("{name}.");
        let queues = Queues::connect(&servers.amqp_url, &prefix).await?;
        let mut server = PgConnection::establish(&servers.database_url)?;
        sql_query(format!("CREATE DATABASE {name}")).execute(&mut server)?;
        let installation = Self {
            database_url: sibling(&servers.database_url, &name),
            amqp_url: servers.amqp_url.clone(),
            prefix,
            queues,
            console: std::env::temp_dir().join(&name),
            encryption_key: rand::rng().random(),
            server_url: servers.database_url.clone(),
            database: name,
        };
        if let Err(error) = installation.furnish() {
            installation.remove().await?;
            return Err(error);
        }
        Ok(installation)
    }

    fn furnish(&self) -> Result<(), BenchError> {
        std::fs::create_dir(&self.console)?;
        migrations::run(&mut self.connection()?)?;
        Ok(())
    }

    /// A connection to the database.
    pub(super) fn connection(&self) -> Result<PgConnection, BenchError> {
        Ok(PgConnection::establish(&self.database_url)?)
    }

    /// What every process is started with.
    pub(super) fn environment(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("DATABASE_URL", self.database_url.clone()),
            ("AMQP_URL", self.amqp_url.clone()),
            ("AMQP_PREFIX", self.prefix.clone()),
            ("ENCRYPTION_KEY", STANDARD.encode(self.encryption_key)),
            ("RUST_LOG", "info".to_owned()),
        ])
    }

    /// Makes one app known with a callback path, as the dispatcher would.
    pub(super) fn add_app(&self, page_id: &str, app_secret: &str) -> Result<(), BenchError> {
        let id = Uuid::now_v7();
        let secrets = json!({"app_secret": app_secret, "second_secret": null, "verify_token": "foobar20"});
        let key = SealingKey::from_bytes(self.encryption_key);
        let sealed = key.seal(rand::rng().random(), format!("app:{id}").as_bytes(), secrets.to_string().as_bytes());
        let mut connection = self.connection()?;
        sql_query("INSERT INTO app (id, facebook_app_id, name, secrets, version) VALUES ($1, '1517776481860111', 'bench', $2, 1)")
            .bind::<SqlUuid, _>(id)
            .bind::<Binary, _>(sealed)
            .execute(&mut connection)?;
        sql_query("INSERT INTO page_alias (page_id, app_id) VALUES ($1, $2)")
            .bind::<Text, _>(page_id)
            .bind::<SqlUuid, _>(id)
            .execute(&mut connection)?;
        Ok(())
    }

    /// Removes the queues, the database and the folder.
    pub(super) async fn remove(&self) -> Result<(), BenchError> {
        // Each goes whatever became of the others.
        let queues = self.queues.remove().await;
        let folder = std::fs::remove_dir(&self.console);
        let mut server = PgConnection::establish(&self.server_url)?;
        sql_query(format!("DROP DATABASE {} WITH (FORCE)", self.database)).execute(&mut server)?;
        folder?;
        queues
    }
}

/// The URL of another database of the same server.
fn sibling(url: &str, database: &str) -> String {
    let (address, parameters) = url
        .split_once('?')
        .map_or((url, None), |(address, parameters)| (address, Some(parameters)));
    let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    format!("{base}/{database}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_database_keeps_server_and_parameters() {
        assert_eq!(sibling("postgres://u:p@h:5/a", "b"), "postgres://u:p@h:5/b");
        assert_eq!(
            sibling("postgres://u:p@h:5/a?sslmode=disable", "b"),
            "postgres://u:p@h:5/b?sslmode=disable"
        );
    }
}

//! A database of its own for every world, copied from a migrated template.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use diesel::sql_types::BigInt;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::servers::database_server;

/// Tests that start at once make the template one after the other.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database that is dropped with this value.
pub struct Database {
    name: String,
    url: String,
    server: String,
    connection: Mutex<Option<PgConnection>>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Database {
    /// A fresh one with the schema of this version.
    ///
    /// # Panics
    /// When the server does not let us.
    #[must_use]
    pub fn create() -> Self {
        let server = database_server();
        let mut connection = PgConnection::establish(&server).expect("FRONTDESK_TEST_DATABASE_URL names a server that answers");
        let template = template(&server, &mut connection);
        let name = format!("frontdesk_world_{}", Uuid::now_v7().simple());
        execute(&mut connection, &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self {
            url: named(&server, &name),
            name,
            server,
            connection: Mutex::new(None),
        }
    }

    /// Where it is, for the services.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does something with a connection, which is kept for the next time.
    ///
    /// # Panics
    /// When the database does not answer.
    pub fn with<T>(&self, act: impl FnOnce(&mut PgConnection) -> T) -> T {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = kept.get_or_insert_with(|| PgConnection::establish(&self.url).expect("the test's own database answers"));
        act(connection)
    }

    /// The number that a query gives as its `count`.
    ///
    /// # Panics
    /// When the query fails.
    #[must_use]
    pub fn count(&self, query: &str) -> i64 {
        self.with(|connection| count(connection, query))
    }

    /// Carries out a statement.
    ///
    /// # Panics
    /// When the statement fails.
    pub fn execute(&self, statement: &str) {
        self.with(|connection| execute(connection, statement));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.connection.lock().unwrap_or_else(PoisonError::into_inner).take());
        // What could not be dropped stays until the server itself is thrown away.
        if let Ok(mut connection) = PgConnection::establish(&self.server) {
            let _dropped = sql_query(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).execute(&mut connection);
        }
    }
}

/// The template's name; made by whoever comes first. It is named after the migrations, so that a server which outlives a change of them
/// never hands out the old schema.
fn template(server: &str, connection: &mut PgConnection) -> String {
    let name = format!("frontdesk_template_{}", fingerprint());
    let made = format!("SELECT count(*) AS count FROM pg_database WHERE datname = '{name}'");
    if count(connection, &made) > 0 {
        return name;
    }
    execute(connection, &format!("SELECT pg_advisory_lock({LOCK})"));
    if count(connection, &made) == 0 {
        let unfinished = format!("{name}_unfinished");
        execute(connection, &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"));
        execute(connection, &format!("CREATE DATABASE {unfinished}"));
        let mut inside = PgConnection::establish(&named(server, &unfinished)).expect("a new database answers");
        migrations::run(&mut inside).expect("the migrations run on an empty database");
        drop(inside);
        // The server notices a moment later that the connection is gone; FORCE exists only for dropping.
        execute(
            connection,
            &format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{unfinished}'"),
        );
        execute(connection, &format!("ALTER DATABASE {unfinished} RENAME TO {name}"));
    }
    execute(connection, &format!("SELECT pg_advisory_unlock({LOCK})"));
    name
}

fn fingerprint() -> String {
    let mut hash = Sha256::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sql");
    for file in files_below(&folder) {
        hash.update(file.strip_prefix(&folder).expect("it lies there").as_os_str().as_encoded_bytes());
        hash.update(std::fs::read(&file).expect("a migration can be read"));
    }
    hex::encode(&hash.finalize()[..8])
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the migrations lie beside the tests")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    entries.sort();
    entries
        .into_iter()
        .flat_map(|entry| if entry.is_dir() { files_below(&entry) } else { vec![entry] })
        .collect()
}

fn named(server: &str, database: &str) -> String {
    let mut url = Url::parse(server).expect("FRONTDESK_TEST_DATABASE_URL is a URL");
    url.set_path(database);
    url.into()
}

fn count(connection: &mut PgConnection, query: &str) -> i64 {
    let row: Count = sql_query(query)
        .get_result(connection)
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    row.count
}

fn execute(connection: &mut PgConnection, statement: &str) {
    sql_query(statement)
        .execute(connection)
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

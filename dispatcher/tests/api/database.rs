//! A migrated database of one's own, gone when the test is over.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, sql_query};
use uuid::Uuid;

/// Names the server on which tests may create databases.
const VARIABLE: &str = "FRONTDESK_TEST_DATABASE_URL";

pub(crate) struct Database {
    name: String,
    server: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let server = server();
        let mut connection = connect(&server);
        let template = template(&server, &mut connection);
        let name = format!("api_test_{}", Uuid::now_v7().simple());
        connection
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .expect("a database can be created");
        Self { name, server }
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.server, &self.name)
    }

    pub(crate) fn connection(&self) -> PgConnection {
        connect(&self.url())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = PgConnection::establish(&self.server)
            .map(|mut connection| connection.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)));
        drop(dropped);
    }
}

fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration struct")]
    std::env::var(VARIABLE).unwrap_or_else(|_| panic!("{VARIABLE} must name a PostgreSQL on which tests may create databases"))
}

fn url_of(server: &str, database: &str) -> String {
    let (base, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{base}/{database}")
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("PostgreSQL is reachable")
}

/// Migrated once per schema; one process makes it, the others wait for the lock.
fn template(server: &str, connection: &mut PgConnection) -> String {
    let name = format!("api_template_{}", migrations::FINGERPRINT);
    sql_query("SELECT pg_advisory_lock(7312)").execute(connection).unwrap();
    let exists = sql_query(format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"))
        .execute(connection)
        .unwrap()
        > 0;
    if !exists {
        let raw = format!("{name}_raw");
        connection.batch_execute(&format!("DROP DATABASE IF EXISTS {raw}")).unwrap();
        connection.batch_execute(&format!("CREATE DATABASE {raw}")).unwrap();
        migrations::run(&mut connect(&url_of(server, &raw))).unwrap();
        connection.batch_execute(&format!("ALTER DATABASE {raw} RENAME TO {name}")).unwrap();
    }
    sql_query("SELECT pg_advisory_unlock(7312)").execute(connection).unwrap();
    name
}

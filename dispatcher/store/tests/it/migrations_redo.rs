//! Every step can be undone and done again.

use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use crate::database::Database;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Tables, columns, indexes and constraints, as text.
fn schema(connection: &mut PgConnection) -> Vec<String> {
    let lines: Vec<Line> = sql_query(
        "SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line
         FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
                   WHERE connamespace = 'public'::regnamespace
         ORDER BY 1",
    )
    .load(connection)
    .unwrap();
    lines.into_iter().map(|row| row.line).collect()
}

#[test]
fn all_steps_can_be_taken_back_and_done_again() {
    let database = Database::empty();
    let mut connection = database.connection();
    assert!(!migrations::is_current(&mut connection).unwrap());
    assert_eq!(migrations::run(&mut connection).unwrap().len(), 5);
    assert!(migrations::is_current(&mut connection).unwrap());
    let first = schema(&mut connection);
    assert!(first.len() > 100, "{first:?}");
    migrations::revert_all(&mut connection).unwrap();
    let left: Vec<String> = schema(&mut connection)
        .into_iter()
        .filter(|line| !line.contains("__diesel_schema_migrations"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    migrations::run(&mut connection).unwrap();
    assert_eq!(schema(&mut connection), first);
    assert!(migrations::run(&mut connection).unwrap().is_empty());
}

#[test]
fn processes_that_migrate_at_the_same_time_take_turns() {
    let database = Database::empty();
    let url = database.url();
    let migrate = |_| {
        let url = url.clone();
        std::thread::spawn(move || {
            use diesel::Connection as _;
            migrations::run(&mut PgConnection::establish(&url).unwrap()).unwrap().len()
        })
    };
    let threads: Vec<_> = (0..3).map(migrate).collect();
    let done: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(done, 5);
}

//! The plans of the statements that run all the time, as the store's connections make them (one plan for all parameters), but with
//! sequential scans allowed: filled tables, fresh statistics, no scan of a whole table.

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use crate::tables::{event_log, inbox, lane, outbox, quarantine, streams, timeline, visitor};

#[path = "../tests/it/database.rs"]
#[expect(dead_code, reason = "the suite in tests/it uses the rest")]
mod database;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The one plan for all parameters; `types` are those of the parameters.
fn plan(connection: &mut PgConnection, statement: &str, types: &[&str]) -> String {
    let mut text = String::new();
    for (place, part) in statement.split('?').enumerate() {
        if place > 0 {
            text.push_str(&format!("${place}"));
        }
        text.push_str(part);
    }
    let listed = |words: &[&str]| {
        if words.is_empty() {
            String::new()
        } else {
            format!("({})", words.join(", "))
        }
    };
    let prepare = format!("DEALLOCATE ALL; PREPARE examined {} AS {text}", listed(types));
    connection
        .batch_execute(&prepare)
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    let nothing = listed(&vec!["NULL"; types.len()]);
    let lines: Vec<Line> = sql_query(format!("EXPLAIN EXECUTE examined {nothing}")).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n")
}

const ID: &str = "uuid";
const IDS: &str = "uuid[]";
const NUMBER: &str = "bigint";
const NUMBERS: &str = "bigint[]";
const TIME: &str = "timestamptz";
const TEXTS: &str = "text[]";
const COUNTS: &str = "int[]";

type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Statement, types of its parameters, indexes that it has to use.
const CASES: &[Case] = &[
    (event_log::READ, &[NUMBER, NUMBER, NUMBER], &["event_log_pkey"]),
    (event_log::ONE, &["text", NUMBER], &["event_log_stream_version"]),
    (inbox::LOOK_UP, &["bytea[]"], &["inbox_pkey"]),
    (visitor::BY_IDENTITY, &["bytea[]"], &["visitor_identity"]),
    (streams::LOAD, &[TEXTS, IDS], &["streams_pkey", "streams_open_conversation"]),
    (
        streams::UPDATE,
        &["int", TEXTS, NUMBERS, NUMBERS, "jsonb[]", "bool[]"],
        &["streams_pkey"],
    ),
    (lane::LOCK, &[IDS], &["lane_pkey"]),
    (lane::NEXT_DUE, &[], &["lane_free"]),
    (outbox::HELD, &[IDS], &["outbox_lane"]),
    (outbox::REMOVE, &[IDS, COUNTS], &["outbox_pkey"]),
    (
        outbox::CHANGE,
        &[IDS, COUNTS, TEXTS, COUNTS, "timestamptz[]", ID, TIME],
        &["outbox_pkey"],
    ),
    (outbox::START, &[IDS, COUNTS, ID], &["outbox_pkey"]),
    (outbox::LAPSED, &[TIME, NUMBER, ID, TIME], &["outbox_leases", "outbox_pkey"]),
    (outbox::RENEW, &[IDS, ID, TIME, ID], &["outbox_pkey"]),
    (
        outbox::CLAIM,
        &[TIME, NUMBER, TIME, NUMBER, NUMBER, ID, TIME],
        &["lane_free", "outbox_leases", "outbox_lane", "outbox_pkey", "lane_pkey"],
    ),
    (timeline::UPDATE, &[IDS, TEXTS, TEXTS, TEXTS], &["timeline_item_pkey"]),
    (quarantine::REDRIVABLE, &[NUMBER, NUMBER], &["quarantine_page"]),
];

/// Tables that stay small, whatever happens: reading one of them whole is the best plan.
const SMALL: [&str; 2] = ["Seq Scan on page_gate", "Seq Scan on channel"];

#[test]
fn no_statement_of_the_hot_paths_scans_a_table_serial() {
    let database = database::Database::new();
    let mut connection = database.connection();
    connection.batch_execute(include_str!("../tests/it/fill.sql")).unwrap();
    connection
        .batch_execute("SET plan_cache_mode = force_generic_plan; SET random_page_cost = 1.1")
        .unwrap();
    for (statement, types, indexes) in CASES {
        let plan = plan(&mut connection, statement, types);
        let scans = plan
            .lines()
            .filter(|line| line.contains("Seq Scan") && !SMALL.iter().any(|small| line.contains(small)));
        assert_eq!(scans.collect::<Vec<_>>(), Vec::<&str>::new(), "{statement}\n{plan}");
        for index in *indexes {
            assert!(plan.contains(index), "{index} is not used by {statement}\n{plan}");
        }
    }
}

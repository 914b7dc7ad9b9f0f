//! The indexes under what people read: filled tables, fresh statistics, no scan of a whole table. The store's own statements are
//! tested beside them, in `src/plans.rs`.

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use crate::database::Database;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

fn plan(connection: &mut PgConnection, statement: &str) -> String {
    let lines: Vec<Line> = sql_query(format!("EXPLAIN {statement}")).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n")
}

const SOMEBODY: &str = "'00000000-0000-0000-0000-000000000001'";

#[test]
fn timelines_and_lists_are_read_through_their_indexes_serial() {
    let database = Database::new();
    let mut connection = database.connection();
    connection.batch_execute(include_str!("fill.sql")).unwrap();
    let newest = "ORDER BY at DESC, kind DESC, mid DESC, id DESC LIMIT 50";
    let cases = [
        (
            "timeline_of_visitor",
            format!("timeline_item WHERE visitor = {SOMEBODY} ORDER BY at, kind, mid, id LIMIT 50"),
        ),
        (
            "timeline_of_conversation",
            format!("timeline_item WHERE conversation = {SOMEBODY} {newest}"),
        ),
        ("timeline_mid", "timeline_item WHERE mid = 'm_7'".to_owned()),
        (
            "conversation_of_agent",
            format!("conversation WHERE agent = {SOMEBODY} AND phase <> 'closed'"),
        ),
        (
            "conversation_queue",
            format!("conversation WHERE skill_group = {SOMEBODY} AND phase = 'waiting' ORDER BY waiting_since, id LIMIT 50"),
        ),
        (
            "conversation_open",
            format!("conversation WHERE skill_group = {SOMEBODY} AND phase <> 'closed' ORDER BY last_activity_at DESC, id DESC LIMIT 50"),
        ),
        (
            "conversation_closed",
            format!("conversation WHERE skill_group = {SOMEBODY} AND phase = 'closed' ORDER BY closed_at DESC, id DESC LIMIT 50"),
        ),
    ];
    for (index, rest) in cases {
        let plan = plan(&mut connection, &format!("SELECT * FROM {rest}"));
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{rest}\n{plan}");
    }
}

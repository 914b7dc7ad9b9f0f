//! What the event log says, for checking.

use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::database::Database;

/// An event as it stands in the log.
#[derive(Debug, Clone, QueryableByName)]
pub struct LogEvent {
    /// Its place.
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    /// Whose event it is.
    #[diesel(sql_type = Text)]
    pub stream: String,
    /// Its number there.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// What happened.
    #[diesel(sql_type = Text)]
    pub event_type: String,
    /// Its structure.
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    /// The visitor it concerns.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub visitor: Option<Uuid>,
}

/// A visitor's message as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Received {
    /// Facebook's id of it.
    #[diesel(sql_type = Text)]
    pub mid: String,
    /// Whose it is, by our own id.
    #[diesel(sql_type = SqlUuid)]
    pub visitor: Uuid,
    /// The conversation's stream.
    #[diesel(sql_type = Text)]
    pub stream: String,
    /// Its number there.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

impl Database {
    /// The whole log, oldest first.
    ///
    /// # Panics
    /// When the database does not answer.
    #[must_use]
    pub fn events(&self) -> Vec<LogEvent> {
        let query = "SELECT position, stream, version, type AS event_type, payload, visitor FROM event_log ORDER BY position";
        self.with(|connection| sql_query(query).load(connection).expect("the log can be read"))
    }

    /// The events of one type, oldest first.
    #[must_use]
    pub fn events_of_type(&self, event_type: &str) -> Vec<LogEvent> {
        let mut events = self.events();
        events.retain(|event| event.event_type == event_type);
        events
    }

    /// How many events of one type there are.
    #[must_use]
    pub fn count_events(&self, event_type: &str) -> i64 {
        self.count(&format!("SELECT count(*) AS count FROM event_log WHERE type = '{event_type}'"))
    }

    /// Every message of every visitor, in the order of each conversation.
    ///
    /// # Panics
    /// When the database does not answer.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        let query = "SELECT payload->>'mid' AS mid, visitor, stream, version FROM event_log
                     WHERE type = 'message_received' AND payload ? 'mid' ORDER BY stream, version";
        self.with(|connection| sql_query(query).load(connection).expect("the log can be read"))
    }

    /// The effects that are not performed yet, by kind, state and relay.
    ///
    /// # Panics
    /// When the database does not answer.
    #[must_use]
    pub fn effects(&self) -> Vec<(String, i64)> {
        let query = "SELECT concat_ws(' ', kind, state, 'of ' || relay, CASE WHEN leased_until < now() THEN 'lapsed' END) AS name, count(*) AS count
                     FROM outbox GROUP BY 1 ORDER BY 1";
        self.groups(query)
    }

    /// Why events are in quarantine, and how many for each reason.
    ///
    /// # Panics
    /// When the database does not answer.
    #[must_use]
    pub fn quarantine_reasons(&self) -> Vec<(String, i64)> {
        self.groups("SELECT kind || ': ' || reason AS name, count(*) AS count FROM quarantine GROUP BY 1 ORDER BY 2 DESC")
    }

    fn groups(&self, query: &str) -> Vec<(String, i64)> {
        let rows: Vec<Group> = self.with(|connection| sql_query(query).load(connection).expect("the database answers"));
        rows.into_iter().map(|row| (row.name, row.count)).collect()
    }
}

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

//! From the database's errors to the port's.

use diesel::result::{DatabaseErrorKind, Error};
use domain::event::{StreamId, StreamKind};
use engine::ports::StoreError;
use uuid::Uuid;

/// How a piece of work within a transaction fails.
pub(crate) enum Failure {
    /// In the port's words.
    Store(StoreError),
    /// In the database's words.
    Database(Error),
    /// Somebody else was faster: the step has to see what they did.
    Collided,
    /// A visitor became known, under another id, after the locks were chosen: begin again with the right ones.
    Outdated,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// For the port. `stream` is whose version is at stake where two transactions collided.
    pub(crate) fn into_store_error(self, stream: Option<(StreamId, i64)>) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => of_database(error, stream),
            Self::Collided | Self::Outdated => conflict(stream),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.into_store_error(None)
    }
}

/// Two transactions collided.
pub(crate) fn conflict(stream: Option<(StreamId, i64)>) -> StoreError {
    let (stream, expected) = stream.unwrap_or((
        StreamId {
            kind: StreamKind::Visitor,
            id: Uuid::nil(),
        },
        0,
    ));
    StoreError::Conflict { stream, expected }
}

/// A row that this version cannot read.
pub(crate) fn unreadable(place: impl Into<String>) -> StoreError {
    StoreError::Unreadable { stream: place.into() }
}

/// The data was refused; the reason says nothing of it.
pub(crate) fn data(reason: impl Into<String>) -> StoreError {
    StoreError::Data { reason: reason.into() }
}

fn of_database(error: Error, stream: Option<(StreamId, i64)>) -> StoreError {
    let about = match &error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, about) => return of_duplicate(about.constraint_name(), stream),
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => return StoreError::LockTimeout,
        Error::DatabaseError(
            DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::ExclusionViolation,
            about,
        ) => return data(format!("a rule of table {} was broken", about.table_name().unwrap_or("?"))),
        Error::DatabaseError(DatabaseErrorKind::Unknown, about) => Of::message(about.message()),
        // libpq refuses a text with NUL before the database sees it.
        Error::SerializationError(_) | Error::InvalidCString(_) => Of::Data,
        Error::DeserializationError(_) => return unreadable("a row"),
        _ => Of::Other,
    };
    match about {
        Of::Lock => StoreError::LockTimeout,
        Of::Deadlock => {
            // Sorted locks before the first write make this impossible; if it happens, a statement breaks that rule.
            tracing::error!("deadlock");
            StoreError::LockTimeout
        }
        Of::Data => data("a value is not one that the database can hold"),
        Of::Other => StoreError::Unavailable(Box::new(error)),
    }
}

/// Rows that two transactions may want to insert at the same time; the second one finds them when it tries again.
const CONTENDED: [&str; 8] = [
    "visitor_identity",
    "visitor_pkey",
    "streams_pkey",
    "streams_open_conversation",
    "event_log_stream_version",
    "inbox_pkey",
    "idempotency_pkey",
    "lane_pkey",
];

fn of_duplicate(constraint: Option<&str>, stream: Option<(StreamId, i64)>) -> StoreError {
    match constraint {
        Some(name) if CONTENDED.contains(&name) => conflict(stream),
        Some(name) => data(format!("{name} is taken already")),
        None => data("taken already"),
    }
}

/// What a database error is about. Diesel does not tell the code, so the text decides; the connections ask for English
/// (`lc_messages`), and [`crate::server`] refuses a server that does not give it. Whatever is not surely the data's fault is the
/// database's: a failing database must never put messages into quarantine.
#[derive(Debug, PartialEq, Eq)]
enum Of {
    Lock,
    Deadlock,
    Data,
    Other,
}

impl Of {
    fn message(text: &str) -> Self {
        const DATA: [&str; 12] = [
            "invalid byte sequence",
            "unsupported Unicode escape",
            "invalid input syntax",
            "timestamp out of range",
            "date/time field value out of range",
            "integer out of range",
            "bigint out of range",
            "value too long",
            "index row size",
            "index row requires",
            "string too long to represent as jsonb",
            "invalid memory alloc request size",
        ];
        if text.contains("due to lock timeout") {
            Self::Lock
        } else if text.contains("deadlock detected") {
            Self::Deadlock
        } else if DATA.iter().any(|part| text.contains(part)) {
            Self::Data
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_database_is_never_the_datas_fault() {
        for text in [
            "terminating connection due to administrator command",
            "could not extend file \"base/1/2\": No space left on device",
            "canceling statement due to statement timeout",
            "out of memory",
        ] {
            assert_eq!(Of::message(text), Of::Other, "{text}");
        }
        assert_eq!(Of::message("canceling statement due to lock timeout"), Of::Lock);
        assert_eq!(Of::message("deadlock detected"), Of::Deadlock);
        assert_eq!(
            Of::message("index row size 3000 exceeds btree version 4 maximum 2704 for index \"x\""),
            Of::Data
        );
    }
}

//! One moment of the database, and where the feed goes on from it.

use diesel::sql_types::BigInt;
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use engine::ports::{Cursor, StoreError};

use super::Queries;
use crate::failure::Failure;

/// Something as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<T> {
    /// What was read.
    pub value: T,
    /// Following the log from here tells of every change that `value` does not show.
    pub cursor: Cursor,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = BigInt)]
    horizon: i64,
}

/// The oldest transaction that this snapshot does not show. What it and later ones append may be shown already, or not: it is told
/// again.
const PLACE: &str = "SELECT epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon FROM log_epoch";

impl Queries {
    /// Reads in one snapshot, together with the feed's cursor.
    pub(super) async fn snapshot<T, F>(&self, query: F) -> Result<Snapshot<T>, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.run(|connection| {
            let transaction = |connection: &mut PgConnection| {
                let place: Place = sql_query(PLACE).get_result(connection)?;
                let cursor = Cursor {
                    epoch: place.epoch,
                    recorded_in: place.horizon,
                    position: 0,
                };
                Ok(Snapshot {
                    value: query(connection)?,
                    cursor,
                })
            };
            connection.build_transaction().repeatable_read().read_only().run(transaction)
        })
        .await
    }
}

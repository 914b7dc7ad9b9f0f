//! The log, as clients of the feed see it: without the store's type, because HTTP handlers have none.

use engine::ports::{Cursor, LogPage, Store, StoreError};
use futures::future::BoxFuture;

/// Reads the log.
pub trait LogSource: Send + Sync + 'static {
    /// See [`Store::read_log`].
    fn read_log(&self, after: Cursor, most: usize) -> BoxFuture<'_, Result<LogPage, StoreError>>;

    /// See [`Store::head`].
    fn head(&self) -> BoxFuture<'_, Result<Cursor, StoreError>>;
}

impl<S: Store> LogSource for S {
    fn read_log(&self, after: Cursor, most: usize) -> BoxFuture<'_, Result<LogPage, StoreError>> {
        Box::pin(Store::read_log(self, after, most))
    }

    fn head(&self) -> BoxFuture<'_, Result<Cursor, StoreError>> {
        Box::pin(Store::head(self))
    }
}

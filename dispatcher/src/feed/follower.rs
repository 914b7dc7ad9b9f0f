//! One client's way through the log.

use std::sync::Arc;

use engine::ports::{Cursor, StoreError};

use super::entry::Entry;
use super::ring::{Ring, Stretch};
use super::source::LogSource;

/// Events per look.
const PAGE: usize = 200;
/// Further back, reading everything anew is cheaper than hearing of every event in between.
const FARTHEST: usize = 20_000;

/// Reads on from a cursor: from the ring, and from the log while it is behind the ring.
pub struct Follower {
    ring: Arc<Ring>,
    source: Arc<dyn LogSource>,
    cursor: Cursor,
    read_outside: usize,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// These events.
    Entries(Vec<Arc<Entry>>),
    /// Nothing for now.
    UpToDate,
    /// The place is gone, or too far back: everything has to be read anew.
    Reload,
}

impl Follower {
    /// From a cursor on.
    #[must_use]
    pub const fn new(ring: Arc<Ring>, source: Arc<dyn LogSource>, cursor: Cursor) -> Self {
        Self {
            ring,
            source,
            cursor,
            read_outside: 0,
        }
    }

    /// How far it has come.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The next events.
    ///
    /// # Errors
    /// [`StoreError`] when the log has to be asked and cannot be read.
    pub async fn next(&mut self) -> Result<Next, StoreError> {
        match self.ring.after(self.cursor, PAGE) {
            Stretch::OtherEpoch => Ok(Next::Reload),
            Stretch::Behind => self.read_log().await,
            Stretch::Entries(entries) => {
                self.read_outside = 0;
                self.cursor = entries.last().map_or(self.cursor, |last| last.cursor);
                Ok(if entries.is_empty() {
                    Next::UpToDate
                } else {
                    Next::Entries(entries)
                })
            }
        }
    }

    async fn read_log(&mut self) -> Result<Next, StoreError> {
        if self.read_outside >= FARTHEST {
            return Ok(Next::Reload);
        }
        let page = self.source.read_log(self.cursor, PAGE).await?;
        if page.next.epoch != self.cursor.epoch {
            return Ok(Next::Reload);
        }
        let entries: Result<Vec<_>, _> = page.events.iter().map(|event| Entry::of(event).map(Arc::new)).collect();
        let entries = entries.map_err(|error| unreadable(&error))?;
        self.read_outside = self.read_outside.saturating_add(entries.len());
        // Not beyond what was handed over: the page may end before the ring begins.
        self.cursor = entries.last().map_or(page.next.max(self.cursor), |last| last.cursor);
        Ok(if entries.is_empty() {
            Next::UpToDate
        } else {
            Next::Entries(entries)
        })
    }
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable { stream: error.to_string() }
}

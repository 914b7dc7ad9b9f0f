//! The newest stretch of the log, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::ports::Cursor;
use tokio::sync::watch;

use super::entry::Entry;

/// The newest events. Written by one reader, read by every client.
#[derive(Debug)]
pub struct Ring {
    kept: Mutex<Kept>,
    most: usize,
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Every event behind this and up to the head is in `entries`. `None` until the reader has begun.
    floor: Option<Cursor>,
    head: Cursor,
    entries: VecDeque<Arc<Entry>>,
    /// The reader's last look at the log did not fail.
    follows: bool,
}

/// What the ring knows of the log behind a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// The next events; none where there is nothing new.
    Entries(Vec<Arc<Entry>>),
    /// Some of them have left the ring: ask the log.
    Behind,
    /// The cursor is of a log that is gone.
    OtherEpoch,
}

impl Ring {
    /// A ring of at most so many events.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        let (news, _) = watch::channel(0);
        Arc::new(Self {
            kept: Mutex::default(),
            most: most.max(1),
            news,
        })
    }

    /// Begins anew: empty, complete from this place on.
    pub fn begin(&self, at: Cursor) {
        let mut kept = self.kept();
        *kept = Kept {
            floor: Some(at),
            head: at,
            entries: VecDeque::new(),
            follows: true,
        };
        drop(kept);
        self.tell();
    }

    /// Adds what follows; `head` is how far the log has been read.
    pub fn push(&self, entries: Vec<Arc<Entry>>, head: Cursor) {
        let has_news = !entries.is_empty();
        let mut kept = self.kept();
        for entry in entries {
            kept.entries.push_back(entry);
            if kept.entries.len() > self.most {
                kept.floor = kept.entries.pop_front().map(|oldest| oldest.cursor);
            }
        }
        kept.head = kept.head.max(head);
        kept.follows = true;
        drop(kept);
        if has_news {
            self.tell();
        }
    }

    /// The log could not be read.
    pub fn lose_track(&self) {
        self.kept().follows = false;
    }

    /// Whether the ring follows the log.
    #[must_use]
    pub fn follows(&self) -> bool {
        let kept = self.kept();
        kept.follows && kept.floor.is_some()
    }

    /// How far the log has been read; `None` until the reader has begun.
    #[must_use]
    pub fn head(&self) -> Option<Cursor> {
        let kept = self.kept();
        kept.floor.map(|_| kept.head)
    }

    /// Up to `most` events behind a cursor.
    #[must_use]
    pub fn after(&self, cursor: Cursor, most: usize) -> Stretch {
        let kept = self.kept();
        match kept.floor {
            Some(_) if cursor.epoch != kept.head.epoch => Stretch::OtherEpoch,
            Some(floor) if cursor >= floor => {
                let first = kept.entries.partition_point(|entry| entry.cursor <= cursor);
                Stretch::Entries(kept.entries.iter().skip(first).take(most).cloned().collect())
            }
            _ => Stretch::Behind,
        }
    }

    /// Tells of every push from now on.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn tell(&self) {
        self.news.send_modify(|pushes| *pushes = pushes.wrapping_add(1));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change leaves the ring whole, also one that panicked half-way: at worst a client reads the log.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

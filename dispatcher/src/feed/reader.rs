//! The one reader of the log in this process.

use std::sync::Arc;

use engine::ports::{Cursor, Live, LogPage, Seen, Store, Topic};
use tracing::{info, warn};

use super::entry::Entry;
use super::ring::Ring;

/// Events per look.
const PAGE: usize = 500;

/// Follows the log and fills the ring.
#[derive(Debug)]
pub struct LogReader {
    ring: Arc<Ring>,
}

impl LogReader {
    /// A reader for a ring.
    #[must_use]
    pub const fn new(ring: Arc<Ring>) -> Self {
        Self { ring }
    }

    /// Follows the log until it is dropped. A store that is away, or an event that this version cannot read, stops it at that
    /// place and shows in [`Ring::follows`]; nothing is ever skipped.
    pub async fn run<S: Store, L: Live>(self, store: Arc<S>, live: Arc<L>) {
        let mut seen = Seen::default();
        let mut place = self.begin(store.as_ref(), live.as_ref(), &mut seen).await;
        loop {
            match store.read_log(place, PAGE).await {
                Ok(page) => {
                    let full = page.full;
                    place = self.take(place, page);
                    if full {
                        continue;
                    }
                }
                Err(error) => self.lost(&error),
            }
            live.wait(Topic::Log, &mut seen).await;
        }
    }

    async fn begin<S: Store, L: Live>(&self, store: &S, live: &L, seen: &mut Seen) -> Cursor {
        loop {
            match store.head().await {
                Ok(head) => {
                    self.ring.begin(head);
                    return head;
                }
                Err(error) => self.lost(&error),
            }
            live.wait(Topic::Log, seen).await;
        }
    }

    /// Takes a page into the ring and says where to read on.
    fn take(&self, place: Cursor, page: LogPage) -> Cursor {
        if page.next.epoch != place.epoch {
            info!(epoch = page.next.epoch, "the log is another one; every console loads anew");
            self.ring.begin(page.next);
            return page.next;
        }
        let entries: Result<Vec<_>, _> = page.events.iter().map(|event| Entry::of(event).map(Arc::new)).collect();
        match entries {
            Ok(entries) => {
                self.ring.push(entries, page.next);
                page.next
            }
            Err(error) => {
                self.lost(&error);
                place
            }
        }
    }

    fn lost(&self, error: &dyn std::error::Error) {
        // Once per outage: the loop comes by here twice a second.
        if self.ring.follows() || self.ring.head().is_none() {
            warn!(%error, "the feed cannot follow the log");
        }
        self.ring.lose_track();
    }
}

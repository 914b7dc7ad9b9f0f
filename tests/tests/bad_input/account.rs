//! What the installation owes after the bodies that it acknowledged.

use std::collections::BTreeSet;

use shared::EventArray;
use shared::webhook::split;

/// What must be found where.
#[derive(Default)]
pub(crate) struct Account {
    /// Events in all, duplicates included.
    pub(crate) events: usize,
    /// Events by what makes them the same.
    pub(crate) distinct: BTreeSet<(String, String, bool)>,
    /// Bodies that must be kept whole.
    pub(crate) unparsed: Vec<Vec<u8>>,
    /// Healthy messages.
    pub(crate) siblings: Vec<String>,
}

impl Account {
    /// Notes a body that was acknowledged.
    pub(crate) fn acknowledge(&mut self, body: &[u8], siblings: Vec<String>) {
        self.siblings.extend(siblings);
        match split(body) {
            Ok(split) => {
                self.events += split.events.len();
                for event in &split.events {
                    // A copy for listeners is an event of its own.
                    let copy = event.array == EventArray::Standby;
                    self.distinct.insert((event.page_id.to_string(), event.dedupe_key.clone(), copy));
                }
                if !split.unreadable.is_empty() {
                    self.unparsed.push(body.to_vec());
                }
            }
            Err(_) => self.unparsed.push(body.to_vec()),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.distinct.extend(other.distinct);
        self.unparsed.extend(other.unparsed);
        self.siblings.extend(other.siblings);
    }
}

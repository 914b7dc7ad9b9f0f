//! The log holds what was committed, every stream in order.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::StreamId;
use engine::ports::{Cursor, ReadEvent};

use super::Day;

pub(super) fn check(day: &Day<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let committed: BTreeSet<Cursor> = day.committed().map(|event| event.cursor).collect();
    let read: BTreeSet<Cursor> = day.log.iter().map(|event| event.cursor).collect();
    if committed != read {
        wrong.push(format!("{} events were committed, {} can be read", committed.len(), read.len()));
    }
    wrong.extend(out_of_order("read", day.log.iter()));
    wrong.extend(out_of_order("committed", day.committed()));
    wrong
}

fn out_of_order<'a>(how: &'static str, events: impl Iterator<Item = &'a ReadEvent>) -> Vec<String> {
    let mut heads: BTreeMap<StreamId, i64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for event in events {
        let head = heads.entry(event.stream).or_default();
        if event.version != head.saturating_add(1) {
            wrong.push(format!("{} is {how} at version {} after {head}", event.stream, event.version));
        }
        *head = event.version;
    }
    wrong
}

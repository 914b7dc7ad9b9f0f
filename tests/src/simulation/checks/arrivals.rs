//! Every event that Facebook told is in the log exactly once, and in order per visitor.

use std::collections::BTreeMap;

use domain::conversation::ConversationEvent;
use domain::event::{Event, StreamKind};
use domain::visitor::VisitorEvent;
use engine::ports::{QuarantineKind, ReadEvent};
use serde_json::Value;
use shared::{PageId, Party};

use super::Day;
use crate::simulation::tape::{Entry, Published};

/// What can be recognised in the log.
type Mark = String;

pub(super) fn check(day: &Day<'_>) -> Vec<String> {
    let told: Vec<&Published> = day
        .moments
        .iter()
        .filter_map(|moment| match &moment.entry {
            Entry::Published(published) => Some(published),
            _ => None,
        })
        .collect();
    let mut numbers: BTreeMap<Mark, usize> = BTreeMap::new();
    for (number, published) in told.iter().enumerate() {
        for mark in marks_of(published) {
            numbers.insert(mark, number);
        }
    }
    let mut wrong = Vec::new();
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    let mut order = Order::default();
    for (read, mark) in day.log.iter().filter_map(|read| mark_of(&read.event).map(|mark| (read, mark))) {
        let Some((number, published)) = numbers.get(&mark).and_then(|number| told.get(*number).map(|told| (*number, *told))) else {
            wrong.push(format!("the log has what nobody told: {mark}"));
            continue;
        };
        *arrived.entry(number).or_default() += 1;
        // What waited in quarantine for its Page comes behind what came after the Page.
        if !order.follows(read, published, number) && published.page.as_str() != "1004" {
            wrong.push(format!("{} is in the log behind what was told later", published.key));
        }
    }
    for (number, published) in told.iter().enumerate() {
        match arrived.get(&number) {
            Some(1) => {}
            times => wrong.push(format!("{} is in the log {} times", published.key, times.unwrap_or(&0))),
        }
    }
    wrong.extend(quarantine(day));
    wrong
}

/// The newest number of each visitor's that the log has.
#[derive(Default)]
struct Order<'a> {
    in_stream: BTreeMap<(&'a PageId, &'a Party, StreamKind), usize>,
    /// Before a transaction: `(its number, newest before it, newest in it)`.
    before: BTreeMap<(&'a PageId, &'a Party), (i64, Option<usize>, usize)>,
}

impl<'a> Order<'a> {
    /// Whether an event stands behind everything that was told before it: in its stream, and in the transactions before its own. Within one
    /// transaction the log has one stream after the other.
    fn follows(&mut self, read: &ReadEvent, published: &'a Published, number: usize) -> bool {
        let (page, party, transaction) = (&published.page, &published.party, read.cursor.recorded_in);
        let in_stream = self.in_stream.insert((page, party, read.stream.kind), number);
        let (running, before, newest) = self.before.entry((page, party)).or_insert((transaction, None, number));
        if *running != transaction {
            (*running, *before) = (transaction, Some(*newest));
        }
        *newest = number.max(*newest);
        in_stream.is_none_or(|before| before < number) && before.is_none_or(|before| before < number)
    }
}

/// Only what cannot be read is left in quarantine, and all of that.
fn quarantine(day: &Day<'_>) -> Vec<String> {
    let kept = day.world.store.quarantine();
    let poison = kept.iter().filter(|kept| kept.kind == QuarantineKind::Poison).count();
    let littered = day.moments.iter().filter(|moment| matches!(moment.entry, Entry::Littered)).count();
    let mut wrong = Vec::new();
    if poison < littered || (littered == 0 && poison > 0) {
        wrong.push(format!("{littered} messages could not be read, {poison} are in quarantine"));
    }
    for left in kept.iter().filter(|kept| kept.kind != QuarantineKind::Poison) {
        wrong.push(format!("an event of page {:?} was never redriven", left.page));
    }
    wrong
}

/// As which an event may show up in the log: as a turn, or noted whole.
fn marks_of(published: &Published) -> Vec<Mark> {
    let event: Value = serde_json::from_str(&published.json).unwrap_or_default();
    let turn = ["/message/mid", "/postback/mid", "/referral/ref"];
    let turns = turn.iter().filter_map(|place| event.pointer(place)).filter_map(Value::as_str);
    let is_echo = event.pointer("/message/is_echo").is_some();
    let mut marks: Vec<Mark> = turns.filter(|_| !is_echo).map(str::to_owned).collect();
    marks.push(published.json.clone());
    marks
}

fn mark_of(event: &Event) -> Option<Mark> {
    match event {
        Event::Conversation(ConversationEvent::MessageReceived { mid, content, .. }) => {
            let reference = || content.fields.get("ref").cloned();
            Some(mid.clone().or_else(reference).unwrap_or_default())
        }
        Event::Visitor(VisitorEvent::Noted { content, .. }) => Some(content.raw.clone().unwrap_or_default()),
        _ => None,
    }
}

//! The queue: first arrival is kept over every return (I7), goes first on a day without accidents, and every decision names its reasons.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::ConversationEvent;
use domain::event::Event;
use domain::routing::{Explanation, Floor, Waiting};
use domain::work_mode::Responder;
use engine::ports::{Cursor, ReadEvent};
use shared::{ConversationId, PersonId, Timestamp};

use super::Day;
use crate::simulation::world::Kind;

pub(super) fn check(day: &Day<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut arrivals: BTreeMap<ConversationId, Timestamp> = BTreeMap::new();
    let mut now = Floor::default();
    for read in day.committed() {
        if let Event::Conversation(event) = &read.event {
            let id = ConversationId(read.stream.id);
            wrong.extend(note_arrival(&mut arrivals, id, event));
            if let ConversationEvent::Offered {
                agent,
                explanation: Some(explanation),
                ..
            } = event
            {
                wrong.extend(judge(day, &now, id, *agent, explanation));
            }
        }
        now.observe(read.stream, &read.event);
    }
    wrong
}

fn note_arrival(arrivals: &mut BTreeMap<ConversationId, Timestamp>, id: ConversationId, event: &ConversationEvent) -> Option<String> {
    match event {
        ConversationEvent::Opened {
            responder: Responder::Human,
            at: since,
            ..
        }
        | ConversationEvent::Queued { since } => drop(arrivals.insert(id, *since)),
        ConversationEvent::HandedOver { to: Responder::Bot, .. } => drop(arrivals.remove(&id)),
        ConversationEvent::Returned { since, .. } if arrivals.get(&id) != Some(since) => {
            return Some(format!(
                "{id} came back to the queue with {since}, it arrived at {:?}",
                arrivals.get(&id)
            ));
        }
        _ => {}
    }
    None
}

fn judge(day: &Day<'_>, now: &Floor, id: ConversationId, agent: PersonId, explanation: &Explanation) -> Vec<String> {
    let mut wrong = Vec::new();
    let best = explanation.candidates.first().map(|candidate| candidate.agent);
    let rank = |candidate: &domain::routing::Candidate| (candidate.active, candidate.last_engaged, candidate.agent);
    if best != Some(agent) || !explanation.candidates.is_sorted_by_key(rank) {
        wrong.push(format!("{id} went to {agent}, the explanation says {best:?}"));
    }
    if day.kind == Kind::Plain {
        wrong.extend(first_come_first_served(day, now, id, explanation));
    }
    wrong
}

/// Who was waiting when the router looked and is waiting still has not arrived earlier.
fn first_come_first_served(day: &Day<'_>, now: &Floor, id: ConversationId, explanation: &Explanation) -> Option<String> {
    let seen = seen_by(&day.log, explanation.cursor.parse().ok()?);
    let group = now.conversations.get(&id)?.skill_group;
    let queue = |floor: &Floor| floor.queues.get(&group).cloned().unwrap_or_default();
    let (then, still): (BTreeSet<Waiting>, BTreeSet<Waiting>) = (queue(&seen), queue(now));
    let first = then.intersection(&still).next().copied();
    (first.map(|waiting| waiting.conversation) != Some(id)).then(|| format!("{id} was assigned before {first:?} of the same group"))
}

fn seen_by(log: &[ReadEvent], cursor: Cursor) -> Floor {
    let mut floor = Floor::default();
    for read in log.iter().take_while(|read| read.cursor <= cursor) {
        floor.observe(read.stream, &read.event);
    }
    floor
}

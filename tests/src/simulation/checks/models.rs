//! The read models say what the log says.

use std::collections::{BTreeMap, BTreeSet};

use domain::agent::Agent;
use domain::conversation::{Conversation, ConversationEvent, Phase};
use domain::event::Event;
use domain::routing::Floor;
use shared::{ConversationId, MessageId, PersonId};

use super::Day;

pub(super) fn check(day: &Day<'_>) -> Vec<String> {
    let mut conversations: BTreeMap<ConversationId, Conversation> = BTreeMap::new();
    let mut agents: BTreeMap<PersonId, Agent> = BTreeMap::new();
    let mut statuses: BTreeMap<MessageId, &'static str> = BTreeMap::new();
    let mut floor = Floor::default();
    for read in &day.log {
        floor.observe(read.stream, &read.event);
        match &read.event {
            Event::Conversation(event) => {
                let id = ConversationId(read.stream.id);
                if let Some(state) = Conversation::evolve(conversations.remove(&id), event) {
                    conversations.insert(id, state);
                }
                statuses.extend(status_of(event));
            }
            Event::Agent(event) => {
                let id = PersonId(read.stream.id);
                let agent = agents.remove(&id).unwrap_or_default().evolve(event);
                agents.insert(id, agent);
            }
            _ => {}
        }
    }
    let rows = day.world.store.read_models();
    let mut wrong = Vec::new();
    let listed = rows
        .conversations
        .into_iter()
        .map(|(id, row)| (id, row.state))
        .collect::<BTreeMap<_, _>>();
    if listed != conversations {
        wrong.push("the list of conversations is not what the log says".to_owned());
    }
    if rows.agents.into_iter().map(|(id, row)| (id, row.state)).collect::<BTreeMap<_, _>>() != agents {
        wrong.push("the agents are not what the log says".to_owned());
    }
    for (message, status) in statuses {
        let shown = rows.timeline.get(&message.0).and_then(|item| item.status);
        if shown != Some(status) {
            wrong.push(format!("message {message} is shown as {shown:?}, it is {status}"));
        }
    }
    wrong.extend(compare(&tidy(day.world.store.standing_floor()), &tidy(floor)));
    wrong
}

/// Where two floors differ.
fn compare(rows: &Floor, log: &Floor) -> Vec<String> {
    let mut wrong = Vec::new();
    if rows.queues != log.queues {
        wrong.push(format!("the queues are {:?}, the log folds to {:?}", rows.queues, log.queues));
    }
    let conversations: BTreeSet<_> = rows.conversations.keys().chain(log.conversations.keys()).collect();
    for id in conversations {
        let (row, folded) = (rows.conversations.get(id), log.conversations.get(id));
        if row != folded {
            wrong.push(format!("{id} stands on the floor as {row:?}, the log folds to {folded:?}"));
        }
    }
    let agents: BTreeSet<_> = rows.agents.keys().chain(log.agents.keys()).collect();
    for id in agents {
        let (row, folded) = (rows.agents.get(id), log.agents.get(id));
        if row != folded {
            wrong.push(format!("agent {id} stands on the floor as {row:?}, the log folds to {folded:?}"));
        }
    }
    wrong
}

const fn status_of(event: &ConversationEvent) -> Option<(MessageId, &'static str)> {
    match event {
        ConversationEvent::MessageIntended { message, .. } | ConversationEvent::MessageDeferred { message, .. } => {
            Some((*message, "pending"))
        }
        ConversationEvent::MessageWithdrawn { message } => Some((*message, "withdrawn")),
        ConversationEvent::MessageSent { message, .. } => Some((*message, "sent")),
        ConversationEvent::MessageRefused { message, .. } => Some((*message, "refused")),
        ConversationEvent::MessageUnknown { message, .. } => Some((*message, "unknown")),
        _ => None,
    }
}

/// Queues that are empty stand for nothing, and so does the queue text of a conversation that does not wait.
fn tidy(mut floor: Floor) -> Floor {
    floor.queues.retain(|_, queue| !queue.is_empty());
    for known in floor.conversations.values_mut() {
        known.noticed &= matches!(known.phase, Phase::Waiting { .. });
    }
    floor
}

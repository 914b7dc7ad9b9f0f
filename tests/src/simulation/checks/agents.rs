//! Nobody has more than they can take, and nothing is with two people. (I1, I2)

use std::collections::BTreeMap;

use domain::agent::{Agent, AgentEvent};
use domain::conversation::{Conversation, Phase};
use domain::directory::PersonEvent;
use domain::event::Event;
use engine::ports::ReadEvent;
use shared::{ConversationId, PersonId};

use super::Day;

#[derive(Default)]
struct Floor {
    conversations: BTreeMap<ConversationId, Conversation>,
    agents: BTreeMap<PersonId, Agent>,
    capacity: BTreeMap<PersonId, u32>,
    wrong: Vec<String>,
}

pub(super) fn check(day: &Day<'_>) -> Vec<String> {
    let mut floor = Floor::default();
    let committed: Vec<&ReadEvent> = day.committed().collect();
    // The events of one transaction belong together: in between nothing has to hold.
    for transaction in committed.chunk_by(|one, next| one.cursor.recorded_in == next.cursor.recorded_in) {
        transaction.iter().for_each(|read| floor.observe(read));
        transaction.iter().for_each(|read| floor.must_agree(read));
    }
    floor.wrong
}

impl Floor {
    fn observe(&mut self, read: &ReadEvent) {
        match &read.event {
            Event::Conversation(event) => {
                let id = ConversationId(read.stream.id);
                if let Some(state) = Conversation::evolve(self.conversations.remove(&id), event) {
                    self.conversations.insert(id, state);
                }
            }
            Event::Agent(event) => self.observe_agent(PersonId(read.stream.id), event),
            Event::Person(PersonEvent::PersonSaved { person, .. }) => {
                self.capacity.insert(PersonId(read.stream.id), person.capacity);
            }
            _ => {}
        }
    }

    fn observe_agent(&mut self, id: PersonId, event: &AgentEvent) {
        let agent = self.agents.remove(&id).unwrap_or_default().evolve(event);
        if let AgentEvent::Engaged { conversation, .. } = event {
            let capacity = self.capacity.get(&id).copied().unwrap_or(0);
            if agent.active.len() > usize::try_from(capacity).unwrap_or(usize::MAX) {
                self.wrong.push(format!(
                    "agent {id} has {} conversations and room for {capacity}",
                    agent.active.len()
                ));
            }
            for (other, _) in self.agents.iter().filter(|(_, other)| other.active.contains(conversation)) {
                self.wrong
                    .push(format!("{conversation} went to agent {id} while it was with {other}"));
            }
        }
        self.agents.insert(id, agent);
    }

    /// What a conversation says of its agent, and what the agent says of it, is the same.
    fn must_agree(&mut self, read: &ReadEvent) {
        let touched: Vec<ConversationId> = match &read.event {
            Event::Conversation(_) => vec![ConversationId(read.stream.id)],
            Event::Agent(AgentEvent::Engaged { conversation, .. } | AgentEvent::Released { conversation, .. }) => vec![*conversation],
            _ => Vec::new(),
        };
        for id in touched {
            let said = self.conversations.get(&id).and_then(|conversation| counts_with(conversation.phase));
            let holders: Vec<PersonId> = self
                .agents
                .iter()
                .filter(|(_, agent)| agent.active.contains(&id))
                .map(|(id, _)| *id)
                .collect();
            if holders != said.into_iter().collect::<Vec<_>>() {
                self.wrong.push(format!(
                    "{id} is with {said:?} by its own word and with {holders:?} by theirs, at {:?}",
                    read.cursor
                ));
            }
        }
    }
}

/// The agent against whose capacity a conversation counts.
const fn counts_with(phase: Phase) -> Option<PersonId> {
    match phase {
        Phase::Offered { agent, .. } | Phase::WithAgent { agent, parked: false, .. } | Phase::WrapUp { agent, .. } => Some(agent),
        Phase::WithBot | Phase::Waiting { .. } | Phase::WithAgent { parked: true, .. } | Phase::Closed { .. } => None,
    }
}

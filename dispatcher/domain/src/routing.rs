//! Routing: which waiting conversation goes to which agent, and why.
//!
//! A queue is the waiting conversations of a skill group, oldest first arrival first. [`Floor`] is folded from the log;
//! [`Floor::next_assignments`] is a pure function of it. The decision is only a proposal: it is decided again on fresh
//! state under the visitor's and the agent's lock, so a stale one is skipped and nothing breaks.
//!
//! Invariants (property tests): nobody gets more than the capacity; first arrival goes first within a group; no ready
//! agent with room stays idle while somebody waits whom they could serve.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shared::{ConversationId, PersonId, SkillGroupId, Timestamp};

use crate::agent::{AgentEvent, Presence};
use crate::conversation::{Conversation, ConversationEvent, Phase};
use crate::directory::{Person, PersonEvent};
use crate::event::{Event, StreamId};
use crate::texts::TextKey;

/// The version of the rules below. A recorded decision names it, so that it can be replayed.
pub const POLICY_VERSION: u32 = 1;

/// Candidates that an explanation names; the rest is counted.
const MOST_CANDIDATES: usize = 20;

/// An agent as the router sees one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentOnFloor {
    /// Presence now.
    pub presence: Presence,
    /// The groups served.
    pub skill_groups: BTreeSet<SkillGroupId>,
    /// Conversations at most.
    pub capacity: u32,
    /// Switched off by an administrator.
    pub disabled: bool,
    /// Conversations that count.
    pub active: BTreeSet<ConversationId>,
    /// When the last one came or went.
    pub last_engaged: Timestamp,
}

/// A waiting conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waiting {
    /// First arrival; orders the queue.
    pub since: Timestamp,
    /// Which one; breaks ties.
    pub conversation: ConversationId,
}

/// What the router knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Floor {
    /// The queue of each group.
    pub queues: BTreeMap<SkillGroupId, BTreeSet<Waiting>>,
    /// The agents.
    pub agents: BTreeMap<PersonId, AgentOnFloor>,
    /// Conversations that are open, as far as the router needs them.
    pub conversations: BTreeMap<ConversationId, OnFloor>,
}

/// An open conversation as the router sees one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnFloor {
    /// Its group.
    pub skill_group: SkillGroupId,
    /// Its phase.
    pub phase: Phase,
    /// The queue text was given since it began to wait.
    pub noticed: bool,
}

/// Why an agent was not considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Not in the skill group.
    NotInSkillGroup,
    /// Not ready.
    NotReady,
    /// No free capacity.
    Full,
}

/// One agent that could have had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub agent: PersonId,
    /// Conversations at hand: the score, fewest first.
    pub active: usize,
    /// Since when idle: breaks ties, longest first.
    pub last_engaged: Timestamp,
}

/// A routing decision, so that it can be explained and replayed: nothing else enters it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// When.
    pub at: Timestamp,
    /// How far the router had read the log.
    pub cursor: String,
    /// The rules.
    pub policy_version: u32,
    /// Who could have had it, best first.
    pub candidates: Vec<Candidate>,
    /// Candidates beyond those named.
    pub more_candidates: usize,
    /// How many agents each filter left out.
    pub filtered: BTreeMap<Filter, usize>,
}

/// What the router wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// Give a conversation to an agent.
    Assign {
        /// Which one.
        conversation: ConversationId,
        /// To whom.
        agent: PersonId,
        /// Why.
        explanation: Box<Explanation>,
    },
    /// Tell a waiting visitor that it takes a while.
    Notice {
        /// Which conversation.
        conversation: ConversationId,
        /// Which text.
        key: TextKey,
        /// How many wait before.
        ahead: usize,
    },
    /// Take a conversation from an agent who is gone.
    Release {
        /// Which one.
        conversation: ConversationId,
        /// From whom.
        agent: PersonId,
    },
}

impl Floor {
    /// Takes in a conversation as it is now.
    pub fn place(&mut self, id: ConversationId, state: &Conversation) {
        self.remove(id);
        if state.is_closed() {
            return;
        }
        self.conversations.insert(
            id,
            OnFloor {
                skill_group: state.skill_group,
                phase: state.phase,
                noticed: state.queue_notice.is_some(),
            },
        );
        self.enqueue(id);
    }

    /// Takes in an agent as one is now.
    pub fn seat(&mut self, id: PersonId, presence: Presence, active: BTreeSet<ConversationId>, last_engaged: Timestamp) {
        let agent = self.agents.entry(id).or_default();
        agent.presence = presence;
        agent.active = active;
        agent.last_engaged = last_engaged;
    }

    /// Takes in a person as one is now.
    pub fn enrol(&mut self, id: PersonId, person: &Person) {
        let agent = self.agents.entry(id).or_default();
        agent.skill_groups.clone_from(&person.skill_groups);
        agent.capacity = person.capacity;
        agent.disabled = !person.enabled;
    }

    /// Takes in one more event of the log.
    pub fn observe(&mut self, stream: StreamId, event: &Event) {
        match event {
            Event::Conversation(event) => self.observe_conversation(ConversationId(stream.id), event),
            Event::Agent(event) => self.observe_agent(PersonId(stream.id), event),
            Event::Person(PersonEvent::PersonSaved { person, .. }) => self.enrol(PersonId(stream.id), person),
            Event::Visitor(_) | Event::App(_) | Event::Channel(_) | Event::Bot(_) | Event::SkillGroup(_) => {}
        }
    }

    fn observe_agent(&mut self, id: PersonId, event: &AgentEvent) {
        let agent = self.agents.entry(id).or_default();
        match event {
            AgentEvent::PresenceChanged { presence, .. } => agent.presence = *presence,
            AgentEvent::Engaged { conversation, at } => {
                agent.active.insert(*conversation);
                agent.last_engaged = *at;
            }
            AgentEvent::Released { conversation, at } => {
                agent.active.remove(conversation);
                agent.last_engaged = *at;
            }
        }
    }

    fn observe_conversation(&mut self, id: ConversationId, event: &ConversationEvent) {
        if let ConversationEvent::Opened { .. } = event
            && let Some(state) = Conversation::evolve(None, event)
        {
            self.place(id, &state);
            return;
        }
        let Some(known) = self.conversations.get(&id).copied() else {
            return;
        };
        let since = known.phase.since();
        let phase = match event {
            ConversationEvent::Queued { since } | ConversationEvent::Returned { since, .. } => Phase::Waiting { since: *since },
            ConversationEvent::Offered { agent, at, .. } => Phase::Offered {
                agent: *agent,
                since: since.unwrap_or(*at),
            },
            ConversationEvent::Accepted { agent, at } => Phase::WithAgent {
                agent: *agent,
                since: since.unwrap_or(*at),
                parked: false,
            },
            ConversationEvent::Parked { agent } => Phase::WithAgent {
                agent: *agent,
                since: since.unwrap_or_default(),
                parked: true,
            },
            ConversationEvent::Resumed { agent } => Phase::WithAgent {
                agent: *agent,
                since: since.unwrap_or_default(),
                parked: false,
            },
            ConversationEvent::WrapUpStarted { agent, at } => Phase::WrapUp {
                agent: *agent,
                since: since.unwrap_or(*at),
            },
            ConversationEvent::HandedOver {
                to: crate::work_mode::Responder::Bot,
                ..
            } => Phase::WithBot,
            ConversationEvent::Closed { at, .. } => Phase::Closed { at: *at },
            ConversationEvent::MessageIntended {
                sender: crate::outbound::Sender::System {
                    key: TextKey::NoAgent | TextKey::Queued,
                },
                ..
            } => {
                if let Some(known) = self.conversations.get_mut(&id) {
                    known.noticed = true;
                }
                return;
            }
            _ => return,
        };
        self.remove(id);
        if !matches!(phase, Phase::Closed { .. }) {
            self.conversations.insert(
                id,
                OnFloor {
                    phase,
                    noticed: false,
                    ..known
                },
            );
            self.enqueue(id);
        }
    }

    fn remove(&mut self, id: ConversationId) {
        if let Some(OnFloor {
            skill_group,
            phase: Phase::Waiting { since },
            ..
        }) = self.conversations.remove(&id)
            && let Some(queue) = self.queues.get_mut(&skill_group)
        {
            queue.remove(&Waiting { since, conversation: id });
        }
    }

    fn enqueue(&mut self, id: ConversationId) {
        if let Some(OnFloor {
            skill_group,
            phase: Phase::Waiting { since },
            ..
        }) = self.conversations.get(&id)
        {
            self.queues.entry(*skill_group).or_default().insert(Waiting {
                since: *since,
                conversation: id,
            });
        }
    }

    /// What should be done now: assignments first, then words for those who have to wait, then what gone agents left.
    #[must_use]
    pub fn proposals(&self, now: Timestamp, cursor: &str, most: usize) -> Vec<Proposal> {
        let mut proposals = self.next_assignments(now, cursor, most);
        let assigned: BTreeSet<ConversationId> = proposals.iter().filter_map(Proposal::assigned).collect();
        proposals.extend(self.notices(&assigned, most));
        proposals.extend(self.left_behind(most));
        proposals
    }

    /// Empties the queues into the free capacity: within a group first arrival first, among agents the least loaded,
    /// among equals the one idle longest.
    #[must_use]
    pub fn next_assignments(&self, now: Timestamp, cursor: &str, most: usize) -> Vec<Proposal> {
        let mut load: BTreeMap<PersonId, usize> = self.agents.iter().map(|(id, agent)| (*id, agent.active.len())).collect();
        let mut heads: BTreeSet<(Waiting, SkillGroupId)> = self
            .queues
            .iter()
            .filter_map(|(group, queue)| queue.first().map(|waiting| (*waiting, *group)))
            .collect();
        let mut proposals = Vec::new();
        while let Some((waiting, group)) = heads.pop_first() {
            if proposals.len() >= most {
                break;
            }
            let (mut candidates, filtered) = self.candidates(group, &load);
            let Some(best) = candidates.first().cloned() else { continue };
            let more_candidates = candidates.len().saturating_sub(MOST_CANDIDATES);
            candidates.truncate(MOST_CANDIDATES);
            *load.entry(best.agent).or_default() += 1;
            let explanation = Explanation {
                at: now,
                cursor: cursor.to_owned(),
                policy_version: POLICY_VERSION,
                candidates,
                more_candidates,
                filtered,
            };
            proposals.push(Proposal::Assign {
                conversation: waiting.conversation,
                agent: best.agent,
                explanation: Box::new(explanation),
            });
            let after = (std::ops::Bound::Excluded(waiting), std::ops::Bound::Unbounded);
            if let Some(next) = self.queues.get(&group).and_then(|queue| queue.range(after).next()) {
                heads.insert((*next, group));
            }
        }
        proposals
    }

    fn candidates(&self, group: SkillGroupId, load: &BTreeMap<PersonId, usize>) -> (Vec<Candidate>, BTreeMap<Filter, usize>) {
        let mut candidates = Vec::new();
        let mut filtered = BTreeMap::new();
        for (id, agent) in &self.agents {
            let active = load.get(id).copied().unwrap_or(0);
            match agent.fails(group, active) {
                Some(filter) => *filtered.entry(filter).or_insert(0) += 1,
                None => candidates.push(Candidate {
                    agent: *id,
                    active,
                    last_engaged: agent.last_engaged,
                }),
            }
        }
        candidates.sort_by_key(|candidate| (candidate.active, candidate.last_engaged, candidate.agent));
        (candidates, filtered)
    }

    fn notices(&self, assigned: &BTreeSet<ConversationId>, most: usize) -> Vec<Proposal> {
        let mut notices = Vec::new();
        for (group, queue) in &self.queues {
            let anybody = self
                .agents
                .values()
                .any(|agent| !agent.disabled && agent.presence == Presence::Ready && agent.skill_groups.contains(group));
            let key = if anybody { TextKey::Queued } else { TextKey::NoAgent };
            let waiting = queue.iter().filter(|waiting| !assigned.contains(&waiting.conversation));
            for (ahead, waiting) in waiting.enumerate() {
                let noticed = self.conversations.get(&waiting.conversation).is_none_or(|known| known.noticed);
                if !noticed && notices.len() < most {
                    notices.push(Proposal::Notice {
                        conversation: waiting.conversation,
                        key,
                        ahead,
                    });
                }
            }
        }
        notices
    }

    fn left_behind(&self, most: usize) -> Vec<Proposal> {
        let gone = self
            .agents
            .iter()
            .filter(|(_, agent)| agent.presence == Presence::Offline || agent.disabled);
        gone.flat_map(|(id, agent)| {
            agent.active.iter().map(|conversation| Proposal::Release {
                conversation: *conversation,
                agent: *id,
            })
        })
        .take(most)
        .collect()
    }
}

impl AgentOnFloor {
    fn fails(&self, group: SkillGroupId, active: usize) -> Option<Filter> {
        if !self.skill_groups.contains(&group) {
            Some(Filter::NotInSkillGroup)
        } else if self.presence != Presence::Ready || self.disabled {
            Some(Filter::NotReady)
        } else if active >= usize::try_from(self.capacity).unwrap_or(usize::MAX) {
            Some(Filter::Full)
        } else {
            None
        }
    }
}

impl Proposal {
    const fn assigned(&self) -> Option<ConversationId> {
        match self {
            Self::Assign { conversation, .. } => Some(*conversation),
            Self::Notice { .. } | Self::Release { .. } => None,
        }
    }
}

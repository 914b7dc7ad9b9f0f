//! The routing invariants, as properties over random floors.

#![expect(clippy::as_conversions, reason = "small numbers of a test, never out of range")]

use std::collections::{BTreeMap, BTreeSet};

use domain::agent::Presence;
use domain::conversation::Phase;
use domain::directory::Person;
use domain::permission::Role;
use domain::routing::{Floor, OnFloor, Proposal, Waiting};
use proptest::prelude::*;
use shared::{ConversationId, PersonId, SkillGroupId, Timestamp};
use uuid::Uuid;

const GROUPS: u128 = 3;

fn group(n: u128) -> SkillGroupId {
    SkillGroupId(Uuid::from_u128(0x6000 + n))
}

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(0xa000 + n))
}

fn conversation(n: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0xc000 + n))
}

#[derive(Debug, Clone)]
struct AgentSpec {
    groups: BTreeSet<u128>,
    presence: u8,
    capacity: u32,
    active: usize,
}

fn agents() -> impl Strategy<Value = Vec<AgentSpec>> {
    let groups = proptest::collection::btree_set(0..GROUPS, 0..=3);
    let agent = (groups, 0..3_u8, 0..4_u32, 0..4_usize).prop_map(|(groups, presence, capacity, active)| AgentSpec {
        groups,
        presence,
        capacity,
        active,
    });
    proptest::collection::vec(agent, 0..8)
}

fn waiting() -> impl Strategy<Value = Vec<(u128, i64)>> {
    proptest::collection::vec((0..GROUPS, 0..50_i64), 0..20)
}

fn floor(agents: &[AgentSpec], waiting: &[(u128, i64)]) -> Floor {
    let mut floor = Floor::default();
    for (n, spec) in (0_u128..).zip(agents) {
        let presence = match spec.presence {
            0 => Presence::Ready,
            1 => Presence::Busy,
            _ => Presence::Offline,
        };
        let active = (0..spec.active).map(|at| conversation(1_000 + n * 10 + at as u128)).collect();
        let person_of = Person {
            role: Role::Agent,
            skill_groups: spec.groups.iter().map(|g| group(*g)).collect(),
            capacity: spec.capacity,
            enabled: true,
        };
        floor.enrol(person(n), &person_of);
        floor.seat(person(n), presence, active, Timestamp::from_millis(0));
    }
    for (n, (skill_group, since)) in (0_u128..).zip(waiting) {
        let since = Timestamp::from_millis(*since);
        let on_floor = OnFloor {
            skill_group: group(*skill_group),
            phase: Phase::Waiting { since },
            noticed: false,
        };
        floor.conversations.insert(conversation(n), on_floor);
        floor.queues.entry(group(*skill_group)).or_default().insert(Waiting {
            since,
            conversation: conversation(n),
        });
    }
    floor
}

fn assignments(floor: &Floor) -> Vec<(ConversationId, PersonId)> {
    let proposals = floor.next_assignments(Timestamp::from_millis(100), "0-0-0", 1_000);
    let assigned = |proposal: Proposal| match proposal {
        Proposal::Assign { conversation, agent, .. } => Some((conversation, agent)),
        Proposal::Notice { .. } | Proposal::Release { .. } => None,
    };
    proposals.into_iter().filter_map(assigned).collect()
}

proptest! {
    #[test]
    fn nobody_gets_more_than_the_capacity_allows(agents in agents(), waiting in waiting()) {
        let floor = floor(&agents, &waiting);
        let mut load: BTreeMap<PersonId, usize> = floor.agents.iter().map(|(id, agent)| (*id, agent.active.len())).collect();
        for (_, agent) in assignments(&floor) {
            *load.entry(agent).or_default() += 1;
            prop_assert!(load[&agent] <= floor.agents[&agent].capacity as usize);
        }
    }

    #[test]
    fn only_ready_agents_of_the_group_are_given_anything(agents in agents(), waiting in waiting()) {
        let floor = floor(&agents, &waiting);
        for (conversation, agent) in assignments(&floor) {
            let agent = &floor.agents[&agent];
            prop_assert_eq!(agent.presence, Presence::Ready);
            prop_assert!(agent.skill_groups.contains(&floor.conversations[&conversation].skill_group));
        }
    }

    #[test]
    fn within_a_group_the_first_arrival_goes_first(agents in agents(), waiting in waiting()) {
        let floor = floor(&agents, &waiting);
        let assigned: BTreeSet<ConversationId> = assignments(&floor).into_iter().map(|(id, _)| id).collect();
        for queue in floor.queues.values() {
            let served: Vec<bool> = queue.iter().map(|waiting| assigned.contains(&waiting.conversation)).collect();
            prop_assert!(served.windows(2).all(|pair| pair[0] || !pair[1]), "{:?}", served);
        }
    }

    #[test]
    fn no_agent_with_room_idles_while_somebody_waits_whom_they_could_serve(agents in agents(), waiting in waiting()) {
        let floor = floor(&agents, &waiting);
        let assigned = assignments(&floor);
        let mut load: BTreeMap<PersonId, usize> = floor.agents.iter().map(|(id, agent)| (*id, agent.active.len())).collect();
        for (_, agent) in &assigned {
            *load.entry(*agent).or_default() += 1;
        }
        let served: BTreeSet<ConversationId> = assigned.into_iter().map(|(id, _)| id).collect();
        for (id, waiting) in floor.conversations.iter().filter(|(id, _)| !served.contains(id)) {
            for (who, agent) in &floor.agents {
                let room = agent.presence == Presence::Ready && load[who] < agent.capacity as usize;
                prop_assert!(!(room && agent.skill_groups.contains(&waiting.skill_group)), "{who} could have taken {id}");
            }
        }
    }

    #[test]
    fn the_same_floor_gives_the_same_decisions(agents in agents(), waiting in waiting()) {
        let floor = floor(&agents, &waiting);
        prop_assert_eq!(assignments(&floor), assignments(&floor.clone()));
    }
}

#[test]
fn the_least_loaded_agent_is_asked_first() {
    let agents = [
        AgentSpec {
            groups: BTreeSet::from([0]),
            presence: 0,
            capacity: 5,
            active: 2,
        },
        AgentSpec {
            groups: BTreeSet::from([0]),
            presence: 0,
            capacity: 5,
            active: 1,
        },
    ];
    let floor = floor(&agents, &[(0, 1)]);
    assert_eq!(assignments(&floor), [(conversation(0), person(1))]);
}

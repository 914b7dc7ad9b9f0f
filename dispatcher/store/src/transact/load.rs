//! What a step gets to see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::pg::PgConnection;
use domain::event::{Event, StreamId, StreamKind};
use engine::ports::{Loaded, LoadedAgent, LoadedVisitor, Scope, StreamState};
use shared::{ConversationId, MessageId, PersonId, VisitorId};
use uuid::Uuid;

use super::find::Found;
use super::lanes::Lanes;
use crate::failure::{Failure, unreadable};
use crate::postgres::opened;
use crate::tables::streams::{self, Head};
use crate::tables::{directory, event_log, inbox, settings};
use crate::vault::{Known, Vault};

type Heads = BTreeMap<String, Head>;

/// Loads what the scope names.
pub(super) fn load(connection: &mut PgConnection, vault: &Vault, scope: &Scope, found: &mut Found) -> Result<(Loaded, Lanes), Failure> {
    let seen: BTreeSet<VisitorId> = found.ids.values().filter(|id| !found.fresh.contains_key(id)).copied().collect();
    let known = vault.visitors(connection, seen)?;
    found.ids.retain(|_, id| known.contains_key(id) || found.fresh.contains_key(id));
    let ids: Vec<Uuid> = known.keys().map(|id| id.0).collect();
    let mut lanes = Lanes::lock(connection, &ids)?;
    lanes.visitors = known;
    lanes
        .visitors
        .extend(found.fresh.iter().map(|(id, new)| (*id, Arc::clone(&new.known))));

    let ours = lanes.ours(&scope.effects);
    let mut conversations = found.conversations.clone();
    conversations.extend(lanes.conversations_of(&ours));
    let heads = streams::load(connection, &names(scope, &ids, &conversations), &ids)?;

    let mut loaded = Loaded {
        visitors: visitors(&lanes, &heads)?,
        found: found.ids.clone(),
        known: inbox::known(connection, &scope.inbox)?,
        ours,
        ..Loaded::default()
    };
    let mut pages = scope.pages.clone();
    pages.extend(loaded.visitors.values().map(|visitor| visitor.page.clone()));
    loaded.pages = settings::load(connection, &pages)?;
    if let Some(id) = scope.agent {
        loaded.agent = Some(agent(connection, id, &heads)?);
    }
    if let Some(stream) = scope.directory {
        loaded.directory = Some(newest(connection, vault, stream, &heads)?);
    }
    Ok((loaded, lanes))
}

fn names(scope: &Scope, visitors: &[Uuid], conversations: &BTreeSet<ConversationId>) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = visitors.iter().map(|id| StreamId::from(VisitorId(*id)).to_string()).collect();
    names.extend(conversations.iter().map(|id| StreamId::from(*id).to_string()));
    if let Some(agent) = scope.agent {
        names.insert(StreamId::agent(agent).to_string());
        names.insert(StreamId::person(agent).to_string());
    }
    names.extend(scope.directory.map(|stream| stream.to_string()));
    names
}

fn visitors(lanes: &Lanes, heads: &Heads) -> Result<BTreeMap<VisitorId, LoadedVisitor>, Failure> {
    let mut visitors = BTreeMap::new();
    let mut unattempted = lanes.unattempted();
    for (id, known) in &lanes.visitors {
        visitors.insert(*id, visitor(known, unattempted.remove(id).unwrap_or_default(), heads)?);
    }
    for (name, head) in heads {
        let stream: StreamId = name.parse().map_err(|_not_a_stream| unreadable(name))?;
        let Some(visitor) = head.visitor.and_then(|id| visitors.get_mut(&id)) else {
            continue;
        };
        if stream.kind == StreamKind::Conversation {
            let state = StreamState {
                version: head.version,
                state: head.state(name)?,
            };
            visitor.conversations.insert(ConversationId(stream.id), state);
        }
    }
    Ok(visitors)
}

fn visitor(known: &Known, unattempted: BTreeSet<MessageId>, heads: &Heads) -> Result<LoadedVisitor, Failure> {
    let name = StreamId::from(known.id).to_string();
    let stream = match heads.get(&name) {
        Some(head) => StreamState {
            version: head.version,
            state: head.state(&name)?,
        },
        None => StreamState {
            version: 0,
            state: domain::visitor::Visitor::default(),
        },
    };
    Ok(LoadedVisitor {
        id: known.id,
        page: known.page.clone(),
        party: known.party.clone(),
        stream,
        conversations: BTreeMap::new(),
        unattempted,
    })
}

fn agent(connection: &mut PgConnection, id: PersonId, heads: &Heads) -> Result<LoadedAgent, Failure> {
    let (agent, person) = (StreamId::agent(id).to_string(), StreamId::person(id).to_string());
    let version = |name: &str| heads.get(name).map_or(0, |head| head.version);
    Ok(LoadedAgent {
        agent: StreamState {
            version: version(&agent),
            state: heads.get(&agent).map(|head| head.state(&agent)).transpose()?.unwrap_or_default(),
        },
        person: StreamState {
            version: version(&person),
            state: heads.get(&person).map(|head| head.state(&person)).transpose()?.flatten(),
        },
        public_name: directory::public_name(connection, id)?,
    })
}

fn newest(connection: &mut PgConnection, vault: &Vault, stream: StreamId, heads: &Heads) -> Result<(i64, Option<Event>), Failure> {
    let name = stream.to_string();
    let Some(head) = heads.get(&name) else { return Ok((0, None)) };
    let row = event_log::one(connection, &name, head.version)?.ok_or_else(|| unreadable(&name))?;
    Ok((head.version, Some(opened(vault, &BTreeMap::new(), row)?.event)))
}

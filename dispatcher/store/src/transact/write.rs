//! What a step wants written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::pg::PgConnection;
use domain::projection::RowChange;
use engine::ports::{Append, Changes, ClaimedEffect, NewEvent, Scope};
use serde::Serialize;
use shared::{Timestamp, VisitorId};

use super::find::Found;
use super::lanes::Lanes;
use crate::failure::{Failure, conflict, data};
use crate::instant::to_pg;
use crate::json::Json;
use crate::tables::event_log::{BETWEEN_TERMS, NewRow};
use crate::tables::streams::Move;
use crate::tables::{agent, conversation, directory, event_log, idempotency, inbox, quarantine, streams, timeline, visitor};
use crate::vault::{Identity, Introduced, Known, Vault};

/// What was written.
pub(super) struct Written {
    /// Where the newest event stands.
    pub(super) place: Option<(i64, i64)>,
    pub(super) claimed: Vec<ClaimedEffect>,
    pub(super) more_effects: bool,
    /// Visitors who are known from now on.
    pub(super) met: Vec<(Identity, Arc<Known>)>,
}

/// Writes everything.
pub(super) fn write(
    connection: &mut PgConnection,
    vault: &Vault,
    scope: &Scope,
    found: Found,
    lanes: Lanes,
    changes: Changes,
    now: Timestamp,
) -> Result<Written, Failure> {
    // The guard comes first: a conflict is found before anything else is paid for.
    streams::advance(connection, &moves(&changes.appends)?)?;
    let met = introduce(connection, found, &changes)?;
    let place = append(connection, vault, &lanes.visitors, &changes.appends)?;
    rows(connection, vault, changes.rows)?;
    inbox::insert(connection, &changes.arrived)?;
    quarantine::insert(connection, vault, &changes.quarantined)?;
    if quarantine::remove(connection, &changes.redriven)? != changes.redriven.len() {
        return Err(Failure::Collided);
    }
    let effects = lanes.write(connection, scope, changes.effects, &changes.withdrawn, &changes.settled, now)?;
    if let (Some(key), Some(response)) = (&scope.idempotency, &changes.response) {
        idempotency::insert(connection, key, response)?;
    }
    Ok(Written {
        place,
        claimed: effects.claimed,
        more_effects: effects.more_effects,
        met,
    })
}

/// One move per stream; several appends to the same one have to follow each other.
fn moves(appends: &[Append]) -> Result<Vec<Move>, Failure> {
    let mut moves: BTreeMap<_, Move> = BTreeMap::new();
    for append in appends.iter().filter(|append| !append.events.is_empty()) {
        let version = append.expected.saturating_add(count(append));
        let state = Json::of(&append.state)?;
        match moves.get_mut(&append.stream) {
            Some(step) if step.version == append.expected => {
                step.version = version;
                step.state = state;
                step.live = append.live;
            }
            Some(_) => return Err(conflict(Some((append.stream, append.expected))).into()),
            None => {
                let step = Move {
                    stream: append.stream,
                    name: append.stream.to_string(),
                    visitor: append.visitor,
                    expected: append.expected,
                    version,
                    state,
                    live: append.live,
                };
                moves.insert(append.stream, step);
            }
        }
    }
    Ok(moves.into_values().collect())
}

fn count(append: &Append) -> i64 {
    i64::try_from(append.events.len()).unwrap_or(i64::MAX)
}

/// A visitor becomes known with the first thing that is appended.
fn introduce(connection: &mut PgConnection, found: Found, changes: &Changes) -> Result<Vec<(Identity, Arc<Known>)>, Failure> {
    let named: BTreeSet<VisitorId> = changes.appends.iter().filter_map(|append| append.visitor).collect();
    let introduced: Vec<Introduced> = found
        .fresh
        .into_iter()
        .filter(|(id, _)| named.contains(id))
        .map(|(_, new)| new)
        .collect();
    visitor::insert(connection, &introduced.iter().collect::<Vec<_>>())?;
    Ok(introduced.into_iter().map(|new| (new.identity, new.known)).collect())
}

#[derive(Serialize)]
struct Metadata<'a> {
    actor: domain::event::Actor,
    correlation: uuid::Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

fn append(
    connection: &mut PgConnection,
    vault: &Vault,
    visitors: &BTreeMap<VisitorId, Arc<Known>>,
    appends: &[Append],
) -> Result<Option<(i64, i64)>, Failure> {
    let names: Vec<String> = appends.iter().map(|append| append.stream.to_string()).collect();
    let mut rows = Vec::new();
    for (append, name) in appends.iter().zip(&names) {
        let known = match append.visitor {
            Some(id) => Some(visitors.get(&id).ok_or_else(|| data("an event of a visitor outside the scope"))?),
            None => None,
        };
        let mut version = append.expected;
        for event in &append.events {
            version = version.saturating_add(1);
            rows.push(row(vault, known.map(Arc::as_ref), name, version, event)?);
        }
    }
    event_log::append(connection, &rows)
}

fn row<'a>(vault: &Vault, visitor: Option<&Known>, stream: &'a str, version: i64, event: &NewEvent) -> Result<NewRow<'a>, Failure> {
    let encoded = event
        .event
        .encode()
        .map_err(|_unwritable| data("an event cannot be written as JSON"))?;
    let content = encoded.content.as_ref();
    Ok(NewRow {
        stream,
        version,
        event_type: encoded.event_type,
        schema_version: encoded.schema_version,
        payload: Json::of(&encoded.payload)?,
        sealed: content.map(|content| vault.seal_content(visitor, &event_place(stream, version), content)),
        metadata: Json::of(&Metadata {
            actor: event.actor,
            correlation: event.correlation,
            traceparent: event.traceparent.as_deref(),
        })?,
        audience: event.audience.join(BETWEEN_TERMS),
        visitor: visitor.map(|known| known.id.0),
        occurred_at: to_pg(event.occurred_at)?,
    })
}

/// What the content of an event is bound to.
pub(crate) fn event_place(stream: &str, version: i64) -> String {
    format!("{stream}:{version}")
}

fn rows(connection: &mut PgConnection, vault: &Vault, changes: Vec<RowChange>) -> Result<(), Failure> {
    let mut conversations = conversation::Changed::new();
    let mut timelines = timeline::Changed::default();
    for change in changes {
        match change {
            RowChange::Conversation(row) => {
                let id = row.id;
                conversations.entry(id).or_default().row = Some(*row);
            }
            RowChange::LastMessage(row) => conversations.entry(row.conversation).or_default().note(row),
            RowChange::TimelineItem(row) => timelines.add(*row),
            RowChange::MessageStatus(row) => timelines.settle(row),
            RowChange::Agent(row) => agent::put(connection, &row)?,
            RowChange::App(row) => directory::put_app(connection, vault, &row)?,
            RowChange::Channel(row) => directory::put_channel(connection, vault, &row)?,
            RowChange::Bot(row) => directory::put_bot(connection, vault, &row)?,
            RowChange::SkillGroup(row) => directory::put_skill_group(connection, &row)?,
            RowChange::Person(row) => directory::put_person(connection, vault, &row)?,
        }
    }
    conversation::write(connection, &conversations)?;
    timelines.write(connection)
}

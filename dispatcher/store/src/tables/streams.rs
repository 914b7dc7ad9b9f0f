//! The length and the folded state of every stream.
//!
//! Invariant: a row moves on only from the version that the step has seen, in the transaction that writes the events.

use std::collections::{BTreeMap, BTreeSet};

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use domain::event::StreamId;
use engine::ports::StoreError;
use serde::de::DeserializeOwned;
use shared::{ConversationId, VisitorId};
use uuid::Uuid;

use crate::failure::{Failure, unreadable};
use crate::json::Json;
use crate::statement::statement;

/// The version in which states are written today. A state of another version is not guessed at.
const STATE_VERSION: i32 = 1;

/// A stream at its head.
pub(crate) struct Head {
    pub(crate) version: i64,
    pub(crate) visitor: Option<VisitorId>,
    state: Json,
    state_version: i32,
}

impl Head {
    pub(crate) fn state<S: DeserializeOwned>(&self, stream: &str) -> Result<S, Failure> {
        if self.state_version != STATE_VERSION {
            return Err(unreadable(stream).into());
        }
        Ok(self.state.read().map_err(|_unreadable| unreadable(stream))?)
    }
}

/// The read of [`load`].
pub(crate) const LOAD: &str = "SELECT stream, version, visitor, state, state_version FROM streams WHERE stream = ANY(?)
     UNION ALL
     SELECT stream, version, visitor, state, state_version FROM streams
     WHERE kind = 'conversation' AND live AND visitor = ANY(?)";

/// The named streams, and the open conversation of each of the visitors.
pub(crate) fn load(connection: &mut PgConnection, names: &BTreeSet<String>, visitors: &[Uuid]) -> Result<BTreeMap<String, Head>, Failure> {
    if names.is_empty() && visitors.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, i64, Option<Uuid>, Json, i32)> = statement::<(Text, BigInt, Nullable<SqlUuid>, Jsonb, Integer)>(LOAD)
        .bind::<Array<Text>, _>(names.iter().map(String::as_str).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(visitors)
        .load(connection)?;
    Ok(rows.into_iter().map(head).collect())
}

fn head((stream, version, visitor, state, state_version): (String, i64, Option<Uuid>, Json, i32)) -> (String, Head) {
    let head = Head {
        version,
        visitor: visitor.map(VisitorId),
        state,
        state_version,
    };
    (stream, head)
}

/// Every open conversation and every agent.
pub(crate) fn on_floor(connection: &mut PgConnection) -> Result<Vec<(String, Head)>, Failure> {
    let rows: Vec<(String, i64, Option<Uuid>, Json, i32)> = statement::<(Text, BigInt, Nullable<SqlUuid>, Jsonb, Integer)>(
        "SELECT stream, version, visitor, state, state_version FROM streams WHERE kind = 'conversation' AND live
         UNION ALL
         SELECT stream, version, visitor, state, state_version FROM streams WHERE kind = 'agent'",
    )
    .load(connection)?;
    Ok(rows.into_iter().map(head).collect())
}

/// Whose these conversations are. A conversation never changes its visitor.
pub(crate) fn visitors_of(
    connection: &mut PgConnection,
    conversations: &BTreeSet<ConversationId>,
) -> Result<BTreeMap<ConversationId, VisitorId>, Failure> {
    if conversations.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: BTreeMap<String, ConversationId> = conversations.iter().map(|id| (StreamId::from(*id).to_string(), *id)).collect();
    let rows: Vec<(String, Option<Uuid>)> =
        statement::<(Text, Nullable<SqlUuid>)>("SELECT stream, visitor FROM streams WHERE stream = ANY(?)")
            .bind::<Array<Text>, _>(names.keys().map(String::as_str).collect::<Vec<_>>())
            .load(connection)?;
    let known = rows
        .into_iter()
        .filter_map(|(stream, visitor)| Some((*names.get(&stream)?, VisitorId(visitor?))));
    Ok(known.collect())
}

/// How a stream moves on.
pub(crate) struct Move {
    pub(crate) stream: StreamId,
    pub(crate) name: String,
    pub(crate) visitor: Option<VisitorId>,
    pub(crate) expected: i64,
    pub(crate) version: i64,
    pub(crate) state: Json,
    pub(crate) live: bool,
}

/// Moves streams on, each from the version expected of it.
///
/// # Errors
/// [`StoreError::Conflict`] with the first stream that is elsewhere.
pub(crate) fn advance(connection: &mut PgConnection, moves: &[Move]) -> Result<(), Failure> {
    let (fresh, known): (Vec<&Move>, Vec<&Move>) = moves.iter().partition(|step| step.expected == 0);
    // What closes comes before what opens: a visitor has one open conversation at most.
    update(connection, &known)?;
    insert(connection, &fresh)
}

/// The write of [`update`].
pub(crate) const UPDATE: &str = "UPDATE streams s SET version = u.version, state = u.state, state_version = ?, live = u.live
     FROM unnest(?, ?, ?, ?, ?) AS u (stream, expected, version, state, live)
     WHERE s.stream = u.stream AND s.version = u.expected";

fn update(connection: &mut PgConnection, moves: &[&Move]) -> Result<(), Failure> {
    if moves.is_empty() {
        return Ok(());
    }
    let moved = statement::<()>(UPDATE)
        .bind::<Integer, _>(STATE_VERSION)
        .bind::<Array<Text>, _>(moves.iter().map(|step| step.name.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(moves.iter().map(|step| step.expected).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(moves.iter().map(|step| step.version).collect::<Vec<_>>())
        .bind::<Array<Jsonb>, _>(moves.iter().map(|step| &step.state).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(moves.iter().map(|step| step.live).collect::<Vec<_>>())
        .execute(connection)?;
    if moved == moves.len() {
        Ok(())
    } else {
        Err(elsewhere(connection, moves))
    }
}

fn insert(connection: &mut PgConnection, moves: &[&Move]) -> Result<(), Failure> {
    if moves.is_empty() {
        return Ok(());
    }
    let moved = statement::<()>(
        "INSERT INTO streams (stream, kind, visitor, version, state, state_version, live)
         SELECT u.stream, u.kind, u.visitor, u.version, u.state, ?, u.live
         FROM unnest(?, ?, ?, ?, ?, ?) AS u (stream, kind, visitor, version, state, live)
         ON CONFLICT (stream) DO NOTHING",
    )
    .bind::<Integer, _>(STATE_VERSION)
    .bind::<Array<Text>, _>(moves.iter().map(|step| step.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(moves.iter().map(|step| step.stream.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(moves.iter().map(|step| step.visitor.map(|id| id.0)).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(moves.iter().map(|step| step.version).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(moves.iter().map(|step| &step.state).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(moves.iter().map(|step| step.live).collect::<Vec<_>>())
    .execute(connection)?;
    if moved == moves.len() {
        Ok(())
    } else {
        Err(elsewhere(connection, moves))
    }
}

/// Names the stream that was not where the step had seen it.
fn elsewhere(connection: &mut PgConnection, moves: &[&Move]) -> Failure {
    let names = moves.iter().map(|step| step.name.clone()).collect();
    // Rows that were moved just now stand at their new version.
    let heads = match load(connection, &names, &[]) {
        Ok(heads) => heads,
        Err(failure) => return failure,
    };
    let stands = |step: &Move| heads.get(&step.name).is_some_and(|head| head.version == step.version);
    let wrong = moves.iter().find(|step| !stands(step)).or_else(|| moves.first());
    let stream = wrong.map(|step| (step.stream, step.expected));
    StoreError::into(crate::failure::conflict(stream))
}

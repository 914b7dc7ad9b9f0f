//! Effects to be performed.
//!
//! Invariants: the order of a lane is the order of `seq`; several rows are locked in the order of their ids; nothing but the
//! relay that has an effect started, or the relay that finds its lease lapsed, brings its end.

use std::collections::BTreeSet;

use diesel::RunQueryDsl as _;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::effect::LaneClass;
use engine::ports::{EffectRef, RelayId};
use shared::{ConversationId, EffectId, MessageId, Timestamp, VisitorId};
use uuid::Uuid;

use super::lane::class_of;
use crate::failure::{Failure, unreadable};
use crate::instant::{from_pg, to_pg};
use crate::statement::statement;

/// Where an effect stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Claimed,
    Started,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Claimed => "claimed",
            Self::Started => "started",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Ready, Self::Claimed, Self::Started]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// An effect that the outbox holds, without its body.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: EffectId,
    pub(crate) visitor: VisitorId,
    pub(crate) class: LaneClass,
    pub(crate) kind: Kind,
    pub(crate) message: Option<MessageId>,
    pub(crate) conversation: ConversationId,
    pub(crate) state: State,
    pub(crate) attempt: i32,
    pub(crate) due: Timestamp,
}

/// What has to be known of an effect without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Is on record before it begins.
    Once,
    /// May be repeated.
    Repeatable,
}

impl Kind {
    pub(crate) const fn of(once: bool) -> Self {
        if once { Self::Once } else { Self::Repeatable }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Repeatable => "repeatable",
        }
    }
}

type HeldTuple = (Uuid, Uuid, String, String, Option<Uuid>, Uuid, String, i32, PgTimestamp);

/// The read of [`held`].
pub(crate) const HELD: &str = "SELECT id, visitor, class, kind, message, conversation, state, attempt, due
     FROM outbox WHERE visitor = ANY(?) ORDER BY visitor, class, seq";

/// What the outbox holds of these visitors, in order.
pub(crate) fn held(connection: &mut PgConnection, visitors: &[Uuid]) -> Result<Vec<Held>, Failure> {
    if visitors.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<HeldTuple> = statement::<(SqlUuid, SqlUuid, Text, Text, Nullable<SqlUuid>, SqlUuid, Text, Integer, Timestamptz)>(HELD)
        .bind::<Array<SqlUuid>, _>(visitors)
        .load(connection)?;
    let held = |(id, visitor, class, kind, message, conversation, state, attempt, due): HeldTuple| {
        Some(Held {
            id: EffectId(id),
            visitor: VisitorId(visitor),
            class: class_of(&class)?,
            kind: Kind::of(kind == Kind::Once.as_str()),
            message: message.map(MessageId),
            conversation: ConversationId(conversation),
            state: State::of(&state)?,
            attempt,
            due: from_pg(due),
        })
    };
    rows.into_iter()
        .map(|row| held(row).ok_or_else(|| unreadable("outbox").into()))
        .collect()
}

/// An effect, ready to be written.
pub(crate) struct NewRow {
    pub(crate) id: EffectId,
    pub(crate) visitor: VisitorId,
    pub(crate) class: LaneClass,
    pub(crate) page: String,
    pub(crate) kind: Kind,
    pub(crate) message: Option<MessageId>,
    pub(crate) conversation: ConversationId,
    pub(crate) body: Vec<u8>,
    pub(crate) state: State,
    pub(crate) attempt: i32,
    pub(crate) due: Timestamp,
}

/// Adds effects in the given order; those that are not ready are the relay's, until `until`.
pub(crate) fn insert(connection: &mut PgConnection, rows: &[NewRow], taken: Option<(RelayId, PgTimestamp)>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let due = rows.iter().map(|row| to_pg(row.due)).collect::<Result<Vec<_>, _>>()?;
    statement::<()>(
        "INSERT INTO outbox
             (id, visitor, class, page_id, kind, message, conversation, body, state, attempt, due, relay, leased_until)
         SELECT u.*, CASE WHEN u.state <> 'ready' THEN ? END, CASE WHEN u.state <> 'ready' THEN ? END
         FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             AS u (id, visitor, class, page_id, kind, message, conversation, body, state, attempt, due)",
    )
    .bind::<Nullable<SqlUuid>, _>(taken.map(|(relay, _)| relay.0))
    .bind::<Nullable<Timestamptz>, _>(taken.map(|(_, until)| until))
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.visitor.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.class.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.page.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|row| row.message.map(|id| id.0)).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.conversation.0).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.state.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.attempt).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(due)
    .execute(connection)?;
    Ok(())
}

/// The write of [`remove`].
pub(crate) const REMOVE: &str = "WITH named AS MATERIALIZED (
         SELECT o.id, u.attempt FROM outbox o JOIN unnest(?, ?) AS u (id, attempt) ON o.id = u.id ORDER BY o.id FOR UPDATE OF o
     )
     DELETE FROM outbox o USING named
     WHERE o.id = named.id AND CASE WHEN named.attempt IS NULL THEN o.state <> 'started'
                                    ELSE o.state <> 'ready' AND o.attempt = named.attempt END";

/// Removes effects: settled ones that still stand at the attempt, withdrawn ones (`None`) that have not begun. How many there were.
pub(crate) fn remove(connection: &mut PgConnection, effects: &[(EffectId, Option<i32>)]) -> Result<usize, Failure> {
    if effects.is_empty() {
        return Ok(0);
    }
    let removed = statement::<()>(REMOVE)
        .bind::<Array<SqlUuid>, _>(effects.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
        .bind::<Array<Nullable<Integer>>, _>(effects.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(removed)
}

/// Another standing for an effect: due again later, or taken by the relay.
pub(crate) struct Change {
    pub(crate) id: EffectId,
    /// The attempt at which it has to stand.
    pub(crate) expected: i32,
    pub(crate) state: State,
    pub(crate) attempt: i32,
    pub(crate) due: Timestamp,
}

/// The write of [`change`].
pub(crate) const CHANGE: &str = "WITH named AS MATERIALIZED (
         SELECT u.* FROM outbox o JOIN unnest(?, ?, ?, ?, ?) AS u (id, expected, state, attempt, due) ON o.id = u.id
         ORDER BY o.id FOR UPDATE OF o
     )
     UPDATE outbox o SET state = n.state, attempt = n.attempt, due = n.due,
            relay = CASE WHEN n.state <> 'ready' THEN ? END, leased_until = CASE WHEN n.state <> 'ready' THEN ? END
     FROM named n WHERE o.id = n.id AND o.attempt = n.expected
     RETURNING o.id, o.visitor, o.body, o.attempt, o.state = 'started', o.leased_until";

/// Changes effects; their rows as they are now.
pub(crate) fn change(
    connection: &mut PgConnection,
    changes: &[Change],
    taken: Option<(RelayId, PgTimestamp)>,
) -> Result<Vec<ClaimedRow>, Failure> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let due = changes.iter().map(|change| to_pg(change.due)).collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<ClaimedTuple> = statement::<ClaimedColumns>(CHANGE)
        .bind::<Array<SqlUuid>, _>(changes.iter().map(|change| change.id.0).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(changes.iter().map(|change| change.expected).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changes.iter().map(|change| change.state.as_str()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(changes.iter().map(|change| change.attempt).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(due)
        .bind::<Nullable<SqlUuid>, _>(taken.map(|(relay, _)| relay.0))
        .bind::<Nullable<Timestamptz>, _>(taken.map(|(_, until)| until))
        .load(connection)?;
    Ok(rows.into_iter().map(claimed).collect())
}

/// An effect in a relay's hands, still sealed.
pub(crate) struct ClaimedRow {
    pub(crate) id: EffectId,
    pub(crate) visitor: VisitorId,
    pub(crate) body: Vec<u8>,
    pub(crate) attempt: i32,
    pub(crate) started: bool,
    pub(crate) leased_until: Option<Timestamp>,
}

type ClaimedColumns = (SqlUuid, SqlUuid, Binary, Integer, Bool, Nullable<Timestamptz>);
type ClaimedTuple = (Uuid, Uuid, Vec<u8>, i32, bool, Option<PgTimestamp>);

fn claimed((id, visitor, body, attempt, started, leased_until): ClaimedTuple) -> ClaimedRow {
    ClaimedRow {
        id: EffectId(id),
        visitor: VisitorId(visitor),
        body,
        attempt,
        started,
        leased_until: leased_until.map(from_pg),
    }
}

/// The claim of [`claim`].
///
/// A lane is locked before its effect is touched, so that what a running transaction settles is passed over. The look-up of the head may be older than the lock: then the head is gone
/// or not ready any more, nothing is claimed, and the lane stays as it is. `free` and `lapsed` are materialised, because a plan
/// that runs a limited subquery in a loop would claim more than the limit.
pub(crate) const CLAIM: &str = "WITH free AS MATERIALIZED (
         SELECT visitor, class FROM lane
         WHERE NOT busy AND head_due <= ?
           AND NOT (class = 'message' AND EXISTS (SELECT 1 FROM page_gate g WHERE g.page_id = lane.page_id))
         ORDER BY head_due LIMIT ? FOR UPDATE OF lane SKIP LOCKED
     ), lapsed AS MATERIALIZED (
         SELECT o.id FROM outbox o JOIN lane l ON l.visitor = o.visitor AND l.class = o.class
         WHERE o.state = 'claimed' AND o.leased_until <= ?
         ORDER BY o.leased_until LIMIT ? FOR UPDATE SKIP LOCKED
     ), heads AS MATERIALIZED (
         SELECT id FROM (
             SELECT id, 0 AS turn FROM lapsed
             UNION ALL
             SELECT head.id, 1 FROM free CROSS JOIN LATERAL (
                 SELECT o.id FROM outbox o WHERE o.visitor = free.visitor AND o.class = free.class ORDER BY o.seq LIMIT 1
             ) head
         ) due ORDER BY turn LIMIT ?
     ), taken AS (
         UPDATE outbox o SET state = 'claimed', attempt = o.attempt + 1, relay = ?, leased_until = ?
         FROM heads WHERE o.id = heads.id AND o.state <> 'started'
         RETURNING o.id, o.visitor, o.class, o.body, o.attempt, o.leased_until, o.due, o.seq
     ), busy AS (
         UPDATE lane l SET busy = true FROM taken t WHERE l.visitor = t.visitor AND l.class = t.class AND NOT l.busy
     )
     SELECT id, visitor, body, attempt, false, leased_until FROM taken ORDER BY due, seq";

/// Claims the first effects of free lanes, and effects that a relay claimed and never began.
pub(crate) fn claim(
    connection: &mut PgConnection,
    relay: RelayId,
    now: PgTimestamp,
    most: i64,
    until: PgTimestamp,
) -> Result<Vec<ClaimedRow>, Failure> {
    let rows: Vec<ClaimedTuple> = statement::<ClaimedColumns>(CLAIM)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(most)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(most)
        .bind::<BigInt, _>(most)
        .bind::<SqlUuid, _>(relay.0)
        .bind::<Timestamptz, _>(until)
        .load(connection)?;
    Ok(rows.into_iter().map(claimed).collect())
}

/// The write of [`start`].
pub(crate) const START: &str = "WITH named AS MATERIALIZED (
         SELECT o.id, u.attempt FROM outbox o JOIN unnest(?, ?) AS u (id, attempt) ON o.id = u.id ORDER BY o.id FOR UPDATE OF o
     )
     UPDATE outbox o SET state = 'started' FROM named
     WHERE o.id = named.id AND o.attempt = named.attempt AND o.state = 'claimed' AND o.relay = ?
     RETURNING o.id";

/// Puts attempts on record; those that may begin.
pub(crate) fn start(connection: &mut PgConnection, relay: RelayId, effects: &[EffectRef]) -> Result<BTreeSet<EffectId>, Failure> {
    if effects.is_empty() {
        return Ok(BTreeSet::new());
    }
    let attempts = effects.iter().map(|effect| i32::try_from(effect.attempt).unwrap_or(i32::MAX));
    let rows: Vec<(Uuid,)> = statement::<(SqlUuid,)>(START)
        .bind::<Array<SqlUuid>, _>(effects.iter().map(|effect| effect.effect.0).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(attempts.collect::<Vec<_>>())
        .bind::<SqlUuid, _>(relay.0)
        .load(connection)?;
    Ok(rows.into_iter().map(|(id,)| EffectId(id)).collect())
}

/// The claim of [`lapsed`].
pub(crate) const LAPSED: &str = "WITH gone AS MATERIALIZED (
         SELECT o.id FROM outbox o JOIN lane l ON l.visitor = o.visitor AND l.class = o.class
         WHERE o.state = 'started' AND o.leased_until <= ?
         ORDER BY o.leased_until LIMIT ? FOR UPDATE SKIP LOCKED
     )
     UPDATE outbox o SET relay = ?, leased_until = ? FROM gone WHERE o.id = gone.id
     RETURNING o.id, o.visitor, o.body, o.attempt, true, o.leased_until";

/// Started effects whose lease lapsed; they become this relay's, at the same attempt.
pub(crate) fn lapsed(
    connection: &mut PgConnection,
    relay: RelayId,
    now: PgTimestamp,
    most: i64,
    until: PgTimestamp,
) -> Result<Vec<ClaimedRow>, Failure> {
    let rows: Vec<ClaimedTuple> = statement::<ClaimedColumns>(LAPSED)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(most)
        .bind::<SqlUuid, _>(relay.0)
        .bind::<Timestamptz, _>(until)
        .load(connection)?;
    Ok(rows.into_iter().map(claimed).collect())
}

/// The write of [`renew`].
pub(crate) const RENEW: &str = "WITH mine AS MATERIALIZED (
         SELECT id FROM outbox WHERE id = ANY(?) AND relay = ? AND state <> 'ready' FOR UPDATE SKIP LOCKED
     )
     UPDATE outbox o SET leased_until = ? FROM mine WHERE o.id = mine.id AND o.relay = ?";

/// Prolongs what a relay names, as far as it has it. What a transaction is just settling needs no longer lease, so locked rows are
/// passed over.
pub(crate) fn renew(connection: &mut PgConnection, relay: RelayId, effects: &[EffectId], until: PgTimestamp) -> Result<(), Failure> {
    statement::<()>(RENEW)
        .bind::<Array<SqlUuid>, _>(effects.iter().map(|effect| effect.0).collect::<Vec<_>>())
        .bind::<SqlUuid, _>(relay.0)
        .bind::<Timestamptz, _>(until)
        .bind::<SqlUuid, _>(relay.0)
        .execute(connection)?;
    Ok(())
}

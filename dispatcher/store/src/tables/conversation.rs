//! Conversations as lists show them.

use std::collections::BTreeMap;

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::conversation::Phase;
use domain::projection::{ConversationRow, LastMessageRow};
use shared::{ConversationId, Timestamp};

use crate::failure::Failure;
use crate::instant::to_pg;
use crate::names::readable;
use crate::statement::statement;

/// What a transaction changes of one conversation's row.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) row: Option<ConversationRow>,
    pub(crate) last: Option<LastMessageRow>,
}

impl Change {
    /// Takes in a message; the newest by its own time stays, and of two at the same time the one decided later.
    pub(crate) fn note(&mut self, message: LastMessageRow) {
        if self.last.as_ref().is_none_or(|last| last.at <= message.at) {
            self.last = Some(message);
        }
    }
}

/// The changes of a transaction, by conversation.
pub(crate) type Changed = BTreeMap<ConversationId, Change>;

const fn waiting_since(phase: &Phase) -> Option<Timestamp> {
    match phase {
        Phase::Waiting { since } | Phase::Offered { since, .. } => Some(*since),
        Phase::WithBot | Phase::WithAgent { .. } | Phase::WrapUp { .. } | Phase::Closed { .. } => None,
    }
}

const fn closed_at(phase: &Phase) -> Option<Timestamp> {
    match phase {
        Phase::Closed { at } => Some(*at),
        Phase::WithBot | Phase::Waiting { .. } | Phase::Offered { .. } | Phase::WithAgent { .. } | Phase::WrapUp { .. } => None,
    }
}

const fn direction(message: &LastMessageRow) -> &'static str {
    if message.inbound { "in" } else { "out" }
}

pub(crate) fn write(connection: &mut PgConnection, changed: &Changed) -> Result<(), Failure> {
    let whole: Vec<(&ConversationRow, Option<&LastMessageRow>)> = changed
        .values()
        .filter_map(|change| Some((change.row.as_ref()?, change.last.as_ref())))
        .collect();
    put(connection, &whole)?;
    let rest: Vec<&LastMessageRow> = changed
        .values()
        .filter(|change| change.row.is_none())
        .filter_map(|change| change.last.as_ref())
        .collect();
    note(connection, &rest)
}

fn put(connection: &mut PgConnection, rows: &[(&ConversationRow, Option<&LastMessageRow>)]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let times = |of: fn(&ConversationRow) -> Timestamp| rows.iter().map(|(row, _)| to_pg(of(row))).collect::<Result<Vec<_>, _>>();
    let maybe = |of: fn(&Phase) -> Option<Timestamp>| {
        let times = rows.iter().map(|(row, _)| of(&row.state.phase).map(to_pg).transpose());
        times.collect::<Result<Vec<_>, _>>()
    };
    let last_at = rows
        .iter()
        .map(|(_, last)| last.map(|last| to_pg(last.at)).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    statement::<()>(
        "INSERT INTO conversation AS c
             (id, visitor, channel, page_id, skill_group, phase, agent, opened_at, waiting_since, last_activity_at, closed_at,
              unanswered, version, last_direction, last_text, last_at)
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             phase = excluded.phase, agent = excluded.agent, waiting_since = excluded.waiting_since,
             last_activity_at = excluded.last_activity_at, closed_at = excluded.closed_at, unanswered = excluded.unanswered,
             version = excluded.version,
             last_direction = CASE WHEN excluded.last_at >= coalesce(c.last_at, excluded.last_at)
                                   THEN excluded.last_direction ELSE c.last_direction END,
             last_text = CASE WHEN excluded.last_at >= coalesce(c.last_at, excluded.last_at) THEN excluded.last_text ELSE c.last_text END,
             last_at = greatest(c.last_at, excluded.last_at)",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|(row, _)| row.id.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|(row, _)| row.state.visitor.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|(row, _)| row.state.channel.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|(row, _)| row.state.page.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|(row, _)| row.state.skill_group.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|(row, _)| row.state.phase.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        rows.iter()
            .map(|(row, _)| row.state.phase.agent().map(|id| id.0))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(times(|row| row.state.opened_at)?)
    .bind::<Array<Nullable<Timestamptz>>, _>(maybe(waiting_since)?)
    .bind::<Array<Timestamptz>, _>(times(|row| row.state.last_activity)?)
    .bind::<Array<Nullable<Timestamptz>>, _>(maybe(closed_at)?)
    .bind::<Array<Bool>, _>(rows.iter().map(|(row, _)| row.state.unanswered).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.iter().map(|(row, _)| row.version).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|(_, last)| last.map(direction)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rows.iter()
            .map(|(_, last)| last.and_then(|last| last.text.as_deref()).map(|text| readable(text).into_owned()))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Timestamptz>>, _>(last_at)
    .execute(connection)?;
    Ok(())
}

fn note(connection: &mut PgConnection, rows: &[&LastMessageRow]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let at = rows.iter().map(|row| to_pg(row.at)).collect::<Result<Vec<_>, _>>()?;
    statement::<()>(
        "UPDATE conversation c SET last_direction = u.direction, last_text = u.text, last_at = u.at
         FROM unnest(?, ?, ?, ?) AS u (id, direction, text, at)
         WHERE c.id = u.id AND u.at >= coalesce(c.last_at, u.at)",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.conversation.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| direction(row)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rows.iter()
            .map(|row| row.text.as_deref().map(|text| readable(text).into_owned()))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(at)
    .execute(connection)?;
    Ok(())
}

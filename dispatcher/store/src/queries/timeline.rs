//! What happened in a conversation, and what Facebook told of its visitor meanwhile.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use domain::content::Attachment;
use engine::ports::StoreError;
use serde_json::Value;
use shared::{ConversationId, PersonId, Timestamp};
use uuid::Uuid;

use super::row::{instant, json, timestamptz};
use super::{Queries, Snapshot};
use crate::failure::Failure;

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRecord {
    /// The message's id, or the event's.
    pub id: Uuid,
    /// Facebook's time where there is one.
    pub at: Timestamp,
    /// message, postback, referral, event, notice.
    pub kind: String,
    /// in, out, none.
    pub direction: String,
    /// visitor, bot, agent, system, platform.
    pub author_kind: String,
    /// Which person.
    pub author: Option<PersonId>,
    /// Their name.
    pub author_name: Option<String>,
    /// The words.
    pub text: Option<String>,
    /// Attachments.
    pub attachments: Vec<Attachment>,
    /// Titles of buttons and quick replies.
    pub buttons: Vec<String>,
    /// What became of an outbound message.
    pub status: Option<String>,
    /// Why.
    pub status_reason: Option<String>,
    /// What happened, for notices and events.
    pub event: Option<String>,
    /// It arrived after something newer.
    pub late: bool,
}

/// The place of an item on its timeline: its time, and its place among those of the same time.
///
/// Ties are ordered as they were recorded. Facebook's message id would not do: an outbound message gets it later, and the parts of
/// one long answer, which share a time, would change places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemSeek {
    /// Its time.
    pub at: Timestamp,
    /// In which order it was recorded.
    pub seq: i64,
}

/// A page of a timeline, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelinePage {
    /// The items.
    pub items: Vec<ItemRecord>,
    /// Where the page before this one ends; none when this is the oldest.
    pub older: Option<ItemSeek>,
}

#[derive(QueryableByName)]
struct ItemRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    direction: String,
    #[diesel(sql_type = Text)]
    author_kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    author_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    author_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
    #[diesel(sql_type = Jsonb)]
    attachments: Value,
    #[diesel(sql_type = Jsonb)]
    buttons: Value,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    event: Option<String>,
    #[diesel(sql_type = Bool)]
    late: bool,
}

impl ItemRow {
    fn record(self) -> Result<ItemRecord, Failure> {
        Ok(ItemRecord {
            attachments: json(self.attachments, "timeline")?,
            buttons: json(self.buttons, "timeline")?,
            id: self.id,
            at: instant(self.at),
            kind: self.kind,
            direction: self.direction,
            author_kind: self.author_kind,
            author: self.author_id.map(PersonId),
            author_name: self.author_name,
            text: self.text,
            status: self.status,
            status_reason: self.status_reason,
            event: self.event,
            late: self.late,
        })
    }
}

/// $1: the conversation; $2, $3: the place to go back from; $4: how many.
///
/// Reactions, edits and the like belong to no conversation; they show where they happened. Echoes, deliveries and reads are not
/// shown: they are the fate of messages that stand there already.
const PAGE: &str = "
    WITH about AS MATERIALIZED (
        SELECT id, visitor, opened_at, coalesce(closed_at, 'infinity') AS closed_at FROM conversation WHERE id = $1
    ), own AS (
        SELECT i.* FROM timeline_item i
        WHERE i.conversation = $1 AND ($2::timestamptz IS NULL OR (i.at, i.seq) < ($2, $3))
        ORDER BY i.at DESC, i.seq DESC
        LIMIT $4
    ), beside AS (
        SELECT i.* FROM about JOIN timeline_item i ON i.visitor = about.visitor AND i.at BETWEEN about.opened_at AND about.closed_at
        WHERE i.conversation IS NULL AND i.event NOT IN ('echo', 'delivery', 'read')
          AND ($2::timestamptz IS NULL OR (i.at, i.seq) < ($2, $3))
        ORDER BY i.at DESC, i.seq DESC
        LIMIT $4
    )
    SELECT i.seq, i.id, i.at, i.kind, i.direction, i.author_kind, i.author_id, p.name AS author_name, i.text, i.attachments,
           i.buttons, i.status, i.status_reason, i.event, i.late
    FROM (SELECT * FROM own UNION ALL SELECT * FROM beside ORDER BY at DESC, seq DESC LIMIT $4) i
    LEFT JOIN person p ON p.id = i.author_id
    ORDER BY i.at DESC, i.seq DESC";

impl Queries {
    /// A page of a conversation's timeline, of at most `limit` items: the newest, or those before a place.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn timeline(
        &self,
        conversation: ConversationId,
        before: Option<ItemSeek>,
        limit: u32,
    ) -> Result<Snapshot<TimelinePage>, StoreError> {
        self.snapshot(move |connection| page(connection, conversation, before, limit)).await
    }
}

fn page(
    connection: &mut PgConnection,
    conversation: ConversationId,
    before: Option<ItemSeek>,
    limit: u32,
) -> Result<TimelinePage, Failure> {
    let mut rows: Vec<ItemRow> = sql_query(PAGE)
        .bind::<SqlUuid, _>(conversation.0)
        .bind::<Nullable<Timestamptz>, _>(before.map(|place| timestamptz(place.at)))
        .bind::<BigInt, _>(before.map_or(0, |place| place.seq))
        // One more than asked for, to know whether there are older ones.
        .bind::<BigInt, _>(i64::from(limit) + 1)
        .get_results(connection)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let older = rows.last().filter(|_| more).map(|oldest| ItemSeek {
        at: instant(oldest.at),
        seq: oldest.seq,
    });
    let items = rows.into_iter().rev().map(ItemRow::record).collect::<Result<_, _>>()?;
    Ok(TimelinePage { items, older })
}

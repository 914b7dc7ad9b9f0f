//! One conversation, as lists and the conversation's own page show it.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query};
use engine::ports::StoreError;
use shared::{ChannelId, ConversationId, PersonId, SkillGroupId, Timestamp, VisitorId};
use uuid::Uuid;

use super::row::instant;
use super::{Queries, Snapshot};
use crate::failure::Failure;

/// Something with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<I> {
    /// Which one.
    pub id: I,
    /// What people call it.
    pub name: String,
}

/// The newest message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastMessage {
    /// `in` or `out`.
    pub direction: String,
    /// The words, where there are any.
    pub text: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRecord {
    /// Which one.
    pub id: ConversationId,
    /// With whom.
    pub visitor: VisitorId,
    /// The visitor's name, if known.
    pub visitor_name: Option<String>,
    /// On which Page.
    pub page_id: String,
    /// Through which channel.
    pub channel: Named<ChannelId>,
    /// Whose it is.
    pub skill_group: Named<SkillGroupId>,
    /// Where it stands.
    pub phase: String,
    /// Who has it.
    pub agent: Option<Named<PersonId>>,
    /// When it began.
    pub opened_at: Timestamp,
    /// Since when it waits, or waited.
    pub waiting_since: Option<Timestamp>,
    /// The newest turn of either side.
    pub last_activity_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// The newest message.
    pub last_message: Option<LastMessage>,
    /// The visitor wrote and nobody has answered.
    pub unanswered: bool,
    /// Length of its stream.
    pub version: i64,
}

/// The columns of [`ConversationRow`], from `c` and what [`JOINS`] adds to it.
pub(super) const COLUMNS: &str = "
    c.id, c.visitor, v.name AS visitor_name, c.page_id, c.channel, coalesce(ch.name, '') AS channel_name, c.skill_group,
    coalesce(g.name, '') AS skill_group_name, c.phase, c.agent, p.name AS agent_name, c.opened_at, c.waiting_since,
    c.last_activity_at, c.closed_at, c.last_direction, c.last_text, c.last_at, c.unanswered, c.version";

/// Names of what a conversation refers to.
pub(super) const JOINS: &str = "
    LEFT JOIN visitor v ON v.id = c.visitor
    LEFT JOIN channel ch ON ch.id = c.channel
    LEFT JOIN skill_group g ON g.id = c.skill_group
    LEFT JOIN person p ON p.id = c.agent";

#[derive(QueryableByName)]
pub(super) struct ConversationRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    visitor: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    visitor_name: Option<String>,
    #[diesel(sql_type = Text)]
    page_id: String,
    #[diesel(sql_type = SqlUuid)]
    channel: Uuid,
    #[diesel(sql_type = Text)]
    channel_name: String,
    #[diesel(sql_type = SqlUuid)]
    skill_group: Uuid,
    #[diesel(sql_type = Text)]
    skill_group_name: String,
    #[diesel(sql_type = Text)]
    phase: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    agent: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    agent_name: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    opened_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    waiting_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    last_activity_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    closed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    last_direction: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_text: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    unanswered: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl From<ConversationRow> for ConversationRecord {
    fn from(row: ConversationRow) -> Self {
        let last_message = row.last_direction.zip(row.last_at).map(|(direction, at)| LastMessage {
            direction,
            text: row.last_text,
            at: instant(at),
        });
        Self {
            id: ConversationId(row.id),
            visitor: VisitorId(row.visitor),
            visitor_name: row.visitor_name,
            page_id: row.page_id,
            channel: Named {
                id: ChannelId(row.channel),
                name: row.channel_name,
            },
            skill_group: Named {
                id: SkillGroupId(row.skill_group),
                name: row.skill_group_name,
            },
            phase: row.phase,
            agent: row.agent.map(|id| Named {
                id: PersonId(id),
                name: row.agent_name.unwrap_or_default(),
            }),
            opened_at: instant(row.opened_at),
            waiting_since: row.waiting_since.map(instant),
            last_activity_at: instant(row.last_activity_at),
            closed_at: row.closed_at.map(instant),
            last_message,
            unanswered: row.unanswered,
            version: row.version,
        }
    }
}

#[derive(QueryableByName)]
struct GroupOnly {
    #[diesel(sql_type = SqlUuid)]
    skill_group: Uuid,
}

impl Queries {
    /// One conversation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversation(&self, id: ConversationId) -> Result<Snapshot<Option<ConversationRecord>>, StoreError> {
        self.snapshot(move |connection| {
            let row = sql_query(format!("SELECT {COLUMNS} FROM conversation c {JOINS} WHERE c.id = $1"))
                .bind::<SqlUuid, _>(id.0)
                .get_result::<ConversationRow>(connection)
                .optional()?;
            Ok::<_, Failure>(row.map(ConversationRecord::from))
        })
        .await
    }

    /// Whose a conversation is; that never changes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_of_conversation(&self, id: ConversationId) -> Result<Option<SkillGroupId>, StoreError> {
        self.run(move |connection| {
            let row = sql_query("SELECT skill_group FROM conversation WHERE id = $1")
                .bind::<SqlUuid, _>(id.0)
                .get_result::<GroupOnly>(connection)
                .optional()?;
            Ok(row.map(|row| SkillGroupId(row.skill_group)))
        })
        .await
    }
}

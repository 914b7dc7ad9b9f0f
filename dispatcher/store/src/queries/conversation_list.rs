//! The lists of the workbench.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use engine::ports::StoreError;
use shared::{ConversationId, PersonId, SkillGroupId, Timestamp};
use uuid::Uuid;

use super::conversation::{COLUMNS, ConversationRecord, ConversationRow, JOINS};
use super::row::timestamptz;
use super::{Queries, Snapshot};
use crate::failure::Failure;

/// What somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// The conversations of every skill group.
    Everything,
    /// Those of these.
    Groups(Vec<SkillGroupId>),
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What somebody has, or was offered. The newest activity first.
    Mine(PersonId),
    /// What waits. First come, first served.
    Queue,
    /// Everything that is not over. The newest activity first.
    Open,
    /// What is over. The newest first.
    Closed,
}

/// The place of a conversation in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seek {
    /// What the list is sorted by.
    pub at: Timestamp,
    /// Tells those at the same time apart.
    pub id: ConversationId,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationPage {
    /// The conversations.
    pub conversations: Vec<ConversationRecord>,
    /// Where the next page begins; none on the last one.
    pub next: Option<Seek>,
    /// How many wait in all that may be seen.
    pub total_waiting: i64,
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// $1: everything; $2: or these groups.
const VISIBLE: &str = "WITH visible AS MATERIALIZED (SELECT id FROM skill_group WHERE $1 OR id = ANY($2))";

impl View {
    const fn condition(self) -> &'static str {
        match self {
            // Nothing is ever the all-zero person's: the parameter is there in every view, so that all bind alike.
            Self::Mine(_) => "c.agent = $5 AND c.phase <> 'closed'",
            Self::Queue => "c.phase = 'waiting' AND $5 IS NULL",
            Self::Open => "c.phase <> 'closed' AND $5 IS NULL",
            Self::Closed => "c.phase = 'closed' AND $5 IS NULL",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Mine(_) | Self::Open => "last_activity_at",
            Self::Queue => "waiting_since",
            Self::Closed => "closed_at",
        }
    }

    const fn is_ascending(self) -> bool {
        matches!(self, Self::Queue)
    }

    const fn person(self) -> Option<Uuid> {
        match self {
            Self::Mine(PersonId(id)) => Some(id),
            Self::Queue | Self::Open | Self::Closed => None,
        }
    }

    fn place_of(self, record: &ConversationRecord) -> Seek {
        let at = match self {
            Self::Mine(_) | Self::Open => Some(record.last_activity_at),
            Self::Queue => record.waiting_since,
            Self::Closed => record.closed_at,
        };
        Seek {
            at: at.unwrap_or_default(),
            id: record.id,
        }
    }

    /// $3: the time of the place to go on from, $4: its id, $5: the person, $6: how many.
    ///
    /// Each group gives its own first page through its own index; the pages are merged. One scan over all groups at once would
    /// sort every closed conversation there ever was.
    fn statement(self) -> String {
        let (condition, key) = (self.condition(), self.key());
        let (compare, direction) = if self.is_ascending() { (">", "ASC") } else { ("<", "DESC") };
        format!(
            "{VISIBLE}
             SELECT {COLUMNS}
             FROM (
                 SELECT c.* FROM visible CROSS JOIN LATERAL (
                     SELECT c.* FROM conversation c
                     WHERE c.skill_group = visible.id AND {condition}
                       AND ($3::timestamptz IS NULL OR (c.{key}, c.id) {compare} ($3, $4))
                     ORDER BY c.{key} {direction}, c.id {direction}
                     LIMIT $6
                 ) c
                 ORDER BY c.{key} {direction}, c.id {direction}
                 LIMIT $6
             ) c {JOINS}
             ORDER BY c.{key} {direction}, c.id {direction}"
        )
    }
}

impl Queries {
    /// A page of a list, of at most `limit` conversations.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversations(
        &self,
        view: View,
        sight: Sight,
        after: Option<Seek>,
        limit: u32,
    ) -> Result<Snapshot<ConversationPage>, StoreError> {
        self.snapshot(move |connection| {
            let (everything, groups) = match sight {
                Sight::Everything => (true, Vec::new()),
                Sight::Groups(groups) => (false, groups.into_iter().map(|group| group.0).collect()),
            };
            let conversations = page(connection, view, everything, &groups, after, i64::from(limit) + 1)?;
            let (conversations, next) = cut(view, conversations, limit);
            Ok(ConversationPage {
                conversations,
                next,
                total_waiting: waiting(connection, everything, &groups)?,
            })
        })
        .await
    }
}

fn page(
    connection: &mut PgConnection,
    view: View,
    everything: bool,
    groups: &[Uuid],
    after: Option<Seek>,
    limit: i64,
) -> Result<Vec<ConversationRecord>, Failure> {
    let at: Option<DateTime<Utc>> = after.map(|place| timestamptz(place.at));
    let rows = sql_query(view.statement())
        .bind::<Bool, _>(everything)
        .bind::<Array<SqlUuid>, _>(groups)
        .bind::<Nullable<Timestamptz>, _>(at)
        .bind::<SqlUuid, _>(after.map_or(Uuid::nil(), |place| place.id.0))
        .bind::<Nullable<SqlUuid>, _>(view.person())
        .bind::<BigInt, _>(limit)
        .get_results::<ConversationRow>(connection)?;
    Ok(rows.into_iter().map(ConversationRecord::from).collect())
}

/// One more than asked for was read, to know whether there is a next page.
fn cut(view: View, mut conversations: Vec<ConversationRecord>, limit: u32) -> (Vec<ConversationRecord>, Option<Seek>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = conversations.len() > limit;
    conversations.truncate(limit);
    let next = conversations.last().filter(|_| more).map(|last| view.place_of(last));
    (conversations, next)
}

fn waiting(connection: &mut PgConnection, everything: bool, groups: &[Uuid]) -> Result<i64, Failure> {
    let statement = format!(
        "{VISIBLE} SELECT count(*) AS total FROM visible JOIN conversation c ON c.skill_group = visible.id AND c.phase = 'waiting'"
    );
    let row: Total = sql_query(statement)
        .bind::<Bool, _>(everything)
        .bind::<Array<SqlUuid>, _>(groups)
        .get_result(connection)?;
    Ok(row.total)
}

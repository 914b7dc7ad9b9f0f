//! The skill groups.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use engine::ports::StoreError;
use shared::{PersonId, SkillGroupId};
use uuid::Uuid;

use super::Queries;

/// One skill group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillGroupRecord {
    /// Which one.
    pub id: SkillGroupId,
    /// Its name.
    pub name: String,
    /// Who belongs to it.
    pub members: Vec<PersonId>,
    /// Length of its stream.
    pub version: i64,
}

#[derive(QueryableByName)]
struct SkillGroupRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<SqlUuid>)]
    members: Vec<Uuid>,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl From<SkillGroupRow> for SkillGroupRecord {
    fn from(row: SkillGroupRow) -> Self {
        Self {
            id: SkillGroupId(row.id),
            name: row.name,
            members: row.members.into_iter().map(PersonId).collect(),
            version: row.version,
        }
    }
}

const SKILL_GROUPS: &str = "
    SELECT g.id, g.name, ARRAY(SELECT p.id FROM person p WHERE g.id = ANY(p.skill_groups) ORDER BY p.name, p.id) AS members, g.version
    FROM skill_group g
    WHERE $1 IS NULL OR g.id = $1
    ORDER BY g.name, g.id";

impl Queries {
    /// Every skill group, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn skill_groups(&self) -> Result<Vec<SkillGroupRecord>, StoreError> {
        self.skill_groups_where(None).await
    }

    /// One skill group.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn skill_group(&self, id: SkillGroupId) -> Result<Option<SkillGroupRecord>, StoreError> {
        Ok(self.skill_groups_where(Some(id.0)).await?.pop())
    }

    async fn skill_groups_where(&self, id: Option<Uuid>) -> Result<Vec<SkillGroupRecord>, StoreError> {
        self.run(move |connection| {
            let rows = sql_query(SKILL_GROUPS)
                .bind::<Nullable<SqlUuid>, _>(id)
                .get_results::<SkillGroupRow>(connection)?;
            Ok(rows.into_iter().map(SkillGroupRecord::from).collect())
        })
        .await
    }
}

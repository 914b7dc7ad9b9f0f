//! The people.

use std::collections::BTreeSet;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use domain::directory::Person;
use domain::permission::Role;
use engine::ports::StoreError;
use shared::{PersonId, SkillGroupId};
use uuid::Uuid;

use super::Queries;
use super::row::{count, word};
use crate::failure::Failure;

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// Who.
    pub id: PersonId,
    /// What they sign in with.
    pub login: String,
    /// What colleagues call them.
    pub name: String,
    /// What visitors read.
    pub public_name: String,
    /// What they may do.
    pub role: Role,
    /// The groups whose conversations they serve.
    pub skill_groups: BTreeSet<SkillGroupId>,
    /// Conversations they serve at most at a time.
    pub capacity: u32,
    /// Off: cannot sign in.
    pub enabled: bool,
    /// Length of the stream.
    pub version: i64,
}

impl PersonRecord {
    /// The account, as the rules know it.
    #[must_use]
    pub fn account(&self) -> Person {
        Person {
            role: self.role,
            skill_groups: self.skill_groups.clone(),
            capacity: self.capacity,
            enabled: self.enabled,
        }
    }
}

/// The columns of [`PersonRow`], from `p`.
pub(super) const COLUMNS: &str = "
    p.id, p.login, p.name, p.public_name, p.role, p.skill_groups, p.capacity, p.enabled, p.version";

#[derive(QueryableByName)]
pub(super) struct PersonRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    login: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    public_name: String,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Array<SqlUuid>)]
    skill_groups: Vec<Uuid>,
    #[diesel(sql_type = Integer)]
    capacity: i32,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl PersonRow {
    pub(super) fn record(self) -> Result<PersonRecord, Failure> {
        let place = format!("person:{}", self.id);
        Ok(PersonRecord {
            role: word(&self.role, &place)?,
            skill_groups: self.skill_groups.into_iter().map(SkillGroupId).collect(),
            capacity: count(self.capacity, &place)?,
            enabled: self.enabled,
            id: PersonId(self.id),
            login: self.login,
            name: self.name,
            public_name: self.public_name,
            version: self.version,
        })
    }
}

impl Queries {
    /// Everybody, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self) -> Result<Vec<PersonRecord>, StoreError> {
        self.people_where(None, None).await
    }

    /// One person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person(&self, id: PersonId) -> Result<Option<PersonRecord>, StoreError> {
        Ok(self.people_where(Some(id.0), None).await?.pop())
    }

    /// Who signs in so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person_with_login(&self, login: String) -> Result<Option<PersonRecord>, StoreError> {
        Ok(self.people_where(None, Some(login)).await?.pop())
    }

    async fn people_where(&self, id: Option<Uuid>, login: Option<String>) -> Result<Vec<PersonRecord>, StoreError> {
        self.run(move |connection| {
            let statement = format!(
                "SELECT {COLUMNS} FROM person p WHERE ($1 IS NULL OR p.id = $1) AND ($2 IS NULL OR p.login = $2) ORDER BY p.name, p.id"
            );
            let rows = sql_query(statement)
                .bind::<Nullable<SqlUuid>, _>(id)
                .bind::<Nullable<Text>, _>(login)
                .get_results::<PersonRow>(connection)?;
            rows.into_iter().map(PersonRow::record).collect()
        })
        .await
    }
}

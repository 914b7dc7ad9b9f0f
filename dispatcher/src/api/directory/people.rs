//! The people who sign in.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use domain::Content;
use domain::agent::Presence;
use domain::directory::{Person, field};
use domain::permission::{Permission, Role, Unit};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use shared::{PersonId, SkillGroupId};
use store::queries::PersonRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entry::{FieldChange, content_of, dangling, name, set_fields};
use crate::api::extract::{Body, IfMatch};
use crate::api::problem::{Problem, Refused};
use crate::api::signed::{Granted, Signed};
use crate::api::state::ApiState;
use crate::api::words;

/// The shortest password.
const LEAST_PASSWORD: usize = 8;
/// The longest password.
const MOST_PASSWORD: usize = 256;
/// Nobody serves more at a time.
const MOST_CAPACITY: u32 = 1_000;

/// A person who signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub(crate) struct PersonView {
    id: Uuid,
    login: String,
    name: String,
    /// What visitors read.
    public_name: String,
    #[schema(schema_with = words::role)]
    role: Role,
    skill_groups: Vec<Uuid>,
    /// Conversations served at most at a time.
    capacity: u32,
    enabled: bool,
    version: i64,
}

impl From<PersonRecord> for PersonView {
    fn from(record: PersonRecord) -> Self {
        Self {
            id: record.id.0,
            login: record.login,
            name: record.name,
            public_name: record.public_name,
            role: record.role,
            skill_groups: record.skill_groups.into_iter().map(|group| group.0).collect(),
            capacity: record.capacity,
            enabled: record.enabled,
            version: record.version,
        }
    }
}

/// Everybody.
#[derive(Serialize, ToSchema)]
struct People {
    people: Vec<PersonView>,
}

/// One person.
#[derive(Serialize, ToSchema)]
struct OnePerson {
    person: PersonView,
}

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    login: String,
    /// 8 to 256 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    name: String,
    public_name: String,
    #[schema(schema_with = words::role)]
    role: Role,
    skill_groups: BTreeSet<Uuid>,
    capacity: u32,
}

/// A change of a person. What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonPatch {
    /// Ends every other session of the person.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    name: Option<String>,
    public_name: Option<String>,
    #[schema(schema_with = words::role, required = false)]
    role: Option<Role>,
    skill_groups: Option<BTreeSet<Uuid>>,
    capacity: Option<u32>,
    enabled: Option<bool>,
}

impl PersonPatch {
    async fn fields(&self, state: &ApiState, granted: &Granted) -> Result<Vec<FieldChange>, Refused> {
        let mut changes = Vec::new();
        if let Some(text) = &self.name {
            changes.push((field::NAME.to_owned(), Some(name("name", text)?)));
        }
        if let Some(text) = &self.public_name {
            changes.push((field::PUBLIC_NAME.to_owned(), Some(name("public_name", text)?)));
        }
        if let Some(password) = &self.password {
            let hash = hashed(state, granted, password).await?;
            changes.push((field::PASSWORD_HASH.to_owned(), Some(hash)));
        }
        Ok(changes)
    }

    /// Who takes away the own rights may be the last who had them.
    fn leaves_administrators(&self, actor: PersonId, id: PersonId) -> Result<(), Refused> {
        let takes_away = self.enabled == Some(false) || self.role == Some(Role::Agent);
        if actor == id && takes_away {
            return Err(Problem::InvalidRequest.because("nobody takes away the own rights: ask another administrator"));
        }
        Ok(())
    }
}

fn login(text: &str) -> Result<String, Refused> {
    let login = name("login", text)?;
    if login.chars().any(char::is_whitespace) {
        return Err(Problem::InvalidRequest.because("login: no white space"));
    }
    Ok(login)
}

fn capacity(capacity: u32) -> Result<u32, Refused> {
    if capacity > MOST_CAPACITY {
        return Err(Problem::InvalidRequest.because(format!("capacity: at most {MOST_CAPACITY}")));
    }
    Ok(capacity)
}

async fn hashed(state: &ApiState, granted: &Granted, password: &SecretString) -> Result<String, Refused> {
    let length = password.expose_secret().chars().count();
    if !(LEAST_PASSWORD..=MOST_PASSWORD).contains(&length) {
        return Err(Problem::InvalidRequest.because(format!("password: {LEAST_PASSWORD} to {MOST_PASSWORD} characters")));
    }
    state
        .passwords(granted)
        .hash(password.clone())
        .await
        .or(Err(Problem::Internal.into()))
}

/// Everybody.
#[utoipa::path(operation_id = "list_people", tag = "people", responses((status = 200, body = People)))]
#[get("/people")]
pub(crate) async fn list_people(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    let people = state.read(&granted).people().await?;
    Ok(HttpResponse::Ok().json(People {
        people: people.into_iter().map(PersonView::from).collect(),
    }))
}

/// One person.
#[utoipa::path(operation_id = "get_person", tag = "people", responses((status = 200, body = OnePerson)))]
#[get("/people/{id}")]
pub(crate) async fn get_person(signed: Signed, state: Data<ApiState>, id: Path<Uuid>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, PersonId(*id)).await?))
}

/// Add a person.
#[utoipa::path(operation_id = "create_person", tag = "people", request_body = NewPerson, responses((status = 201, body = OnePerson)))]
#[post("/people")]
pub(crate) async fn create_person(signed: Signed, state: Data<ApiState>, body: Body<NewPerson>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::PersonManage, Unit::Everywhere)?;
    let new = body.value;
    let login = login(&new.login)?;
    let person = Person {
        role: new.role,
        skill_groups: existing_groups(&state, &granted, &new.skill_groups).await?,
        capacity: capacity(new.capacity)?,
        enabled: true,
    };
    is_free(&state, &granted, &login).await?;
    let content = content_of([
        (field::LOGIN, Some(login.clone())),
        (field::NAME, Some(name("name", &new.name)?)),
        (field::PUBLIC_NAME, Some(name("public_name", &new.public_name)?)),
        (field::PASSWORD_HASH, Some(hashed(&state, &granted, &new.password).await?)),
    ]);
    let id = PersonId(state.fresh_id());
    if let Err(error) = state.commands(&granted).create(granted.actor(), id, person, content).await {
        // Somebody may have been faster between the look and the write.
        is_free(&state, &granted, &login).await?;
        return Err(error.into());
    }
    Ok(HttpResponse::Created().json(one(&state, &granted, id).await?))
}

/// Change a person.
#[utoipa::path(operation_id = "update_person", tag = "people", request_body = PersonPatch, responses((status = 200, body = OnePerson)))]
#[patch("/people/{id}")]
pub(crate) async fn update_person(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    expected: IfMatch,
    body: Body<PersonPatch>,
) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::PersonManage, Unit::Everywhere)?;
    let (id, patch) = (PersonId(*id), body.value);
    patch.leaves_administrators(granted.actor(), id)?;
    let groups = match &patch.skill_groups {
        Some(groups) => Some(existing_groups(&state, &granted, groups).await?),
        None => None,
    };
    let capacity = patch.capacity.map(capacity).transpose()?;
    let fields = patch.fields(&state, &granted).await?;
    let (role, enabled) = (patch.role, patch.enabled);
    let edit = move |person: &mut Person, content: &mut Content| {
        person.role = role.unwrap_or(person.role);
        person.skill_groups = groups.clone().unwrap_or_else(|| person.skill_groups.clone());
        person.capacity = capacity.unwrap_or(person.capacity);
        person.enabled = enabled.unwrap_or(person.enabled);
        set_fields(content, &fields);
        Ok(())
    };
    state
        .commands(&granted)
        .change(granted.actor(), id, expected.0, Arc::new(edit))
        .await?;
    show_out(&state, &signed, &granted, id, &patch).await?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, id).await?))
}

/// Whoever is turned off leaves the floor, and sessions end whose password is no longer the person's.
async fn show_out(state: &ApiState, signed: &Signed, granted: &Granted, id: PersonId, patch: &PersonPatch) -> Result<(), Refused> {
    if patch.enabled == Some(false) {
        state.commands(granted).change_presence(id, Presence::Offline).await?;
    }
    if patch.enabled == Some(false) || patch.password.is_some() {
        let own = (id == granted.actor()).then(|| signed.token().hash());
        state.read(granted).end_sessions_of(id, own).await?;
    }
    Ok(())
}

async fn existing_groups(state: &ApiState, granted: &Granted, groups: &BTreeSet<Uuid>) -> Result<BTreeSet<SkillGroupId>, Refused> {
    let there: BTreeSet<Uuid> = state
        .read(granted)
        .skill_groups()
        .await?
        .into_iter()
        .map(|group| group.id.0)
        .collect();
    if groups.is_subset(&there) {
        Ok(groups.iter().copied().map(SkillGroupId).collect())
    } else {
        Err(dangling("skill_groups"))
    }
}

async fn is_free(state: &ApiState, granted: &Granted, login: &str) -> Result<(), Refused> {
    let there = state.read(granted).person_with_login(login.to_owned()).await?;
    there.map_or(Ok(()), |_| Err(Problem::AlreadyExists.because("a person with this login")))
}

async fn one(state: &ApiState, granted: &Granted, id: PersonId) -> Result<OnePerson, Refused> {
    let person = state.read(granted).person(id).await?.ok_or(Problem::NotFound)?;
    Ok(OnePerson { person: person.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_away_the_own_rights() {
        let (me, other) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
        let patch: PersonPatch = serde_json::from_str(r#"{"role":"agent"}"#).unwrap();
        assert!(patch.leaves_administrators(me, me).is_err());
        assert!(patch.leaves_administrators(me, other).is_ok());
    }

    #[test]
    fn a_login_is_one_word() {
        assert_eq!(login(" zhangsan "), Ok("zhangsan".to_owned()));
        assert!(login("zhang san").is_err() && login("").is_err());
    }
}

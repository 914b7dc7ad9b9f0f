//! The skill groups.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use domain::Content;
use domain::directory::{SkillGroup, field};
use domain::permission::{Permission, Unit};
use serde::{Deserialize, Serialize};
use shared::SkillGroupId;
use store::queries::SkillGroupRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entry::{FieldChange, content_of, name, set_fields};
use crate::api::extract::{Body, IfMatch};
use crate::api::problem::{Problem, Refused};
use crate::api::signed::{Granted, Signed};
use crate::api::state::ApiState;

/// A skill group.
#[derive(Serialize, ToSchema)]
#[schema(as = SkillGroup)]
pub(crate) struct SkillGroupView {
    id: Uuid,
    name: String,
    /// The people who belong to it.
    members: Vec<Uuid>,
    version: i64,
}

impl From<SkillGroupRecord> for SkillGroupView {
    fn from(record: SkillGroupRecord) -> Self {
        Self {
            id: record.id.0,
            name: record.name,
            members: record.members.into_iter().map(|person| person.0).collect(),
            version: record.version,
        }
    }
}

/// Every skill group.
#[derive(Serialize, ToSchema)]
struct SkillGroups {
    skill_groups: Vec<SkillGroupView>,
}

/// One skill group.
#[derive(Serialize, ToSchema)]
struct OneSkillGroup {
    skill_group: SkillGroupView,
}

/// A skill group to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSkillGroup {
    name: String,
}

/// A change of a skill group. What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SkillGroupPatch {
    name: Option<String>,
}

/// Every skill group.
#[utoipa::path(operation_id = "list_skill_groups", tag = "skill groups", responses((status = 200, body = SkillGroups)))]
#[get("/skill-groups")]
pub(crate) async fn list_skill_groups(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    let skill_groups = state.read(&granted).skill_groups().await?;
    Ok(HttpResponse::Ok().json(SkillGroups {
        skill_groups: skill_groups.into_iter().map(SkillGroupView::from).collect(),
    }))
}

/// One skill group.
#[utoipa::path(operation_id = "get_skill_group", tag = "skill groups", responses((status = 200, body = OneSkillGroup)))]
#[get("/skill-groups/{id}")]
pub(crate) async fn get_skill_group(signed: Signed, state: Data<ApiState>, id: Path<Uuid>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, SkillGroupId(*id)).await?))
}

/// Make a skill group.
#[utoipa::path(
    operation_id = "create_skill_group",
    tag = "skill groups",
    request_body = NewSkillGroup,
    responses((status = 201, body = OneSkillGroup))
)]
#[post("/skill-groups")]
pub(crate) async fn create_skill_group(signed: Signed, state: Data<ApiState>, body: Body<NewSkillGroup>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::SkillGroupManage, Unit::Everywhere)?;
    let content = content_of([(field::NAME, Some(name("name", &body.value.name)?))]);
    let id = SkillGroupId(state.fresh_id());
    state
        .commands(&granted)
        .create(granted.actor(), id, SkillGroup::default(), content)
        .await?;
    Ok(HttpResponse::Created().json(one(&state, &granted, id).await?))
}

/// Change a skill group.
#[utoipa::path(
    operation_id = "update_skill_group",
    tag = "skill groups",
    request_body = SkillGroupPatch,
    responses((status = 200, body = OneSkillGroup))
)]
#[patch("/skill-groups/{id}")]
pub(crate) async fn update_skill_group(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    expected: IfMatch,
    body: Body<SkillGroupPatch>,
) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::SkillGroupManage, Unit::Everywhere)?;
    let id = SkillGroupId(*id);
    let renamed = body.value.name.as_deref().map(|text| name("name", text)).transpose()?;
    let fields: Vec<FieldChange> = renamed.map(|name| (field::NAME.to_owned(), Some(name))).into_iter().collect();
    let edit = move |_: &mut SkillGroup, content: &mut Content| {
        set_fields(content, &fields);
        Ok(())
    };
    state
        .commands(&granted)
        .change(granted.actor(), id, expected.0, Arc::new(edit))
        .await?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, id).await?))
}

async fn one(state: &ApiState, granted: &Granted, id: SkillGroupId) -> Result<OneSkillGroup, Refused> {
    let skill_group = state.read(granted).skill_group(id).await?.ok_or(Problem::NotFound)?;
    Ok(OneSkillGroup {
        skill_group: skill_group.into(),
    })
}

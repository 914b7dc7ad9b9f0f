//! The Facebook apps.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use domain::directory::{App, field};
use domain::permission::{Permission, Unit};
use serde::{Deserialize, Serialize};
use shared::{AppId, FacebookAppId};
use store::queries::AppRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entry::{FieldChange, Secret, content_of, name, set_fields};
use crate::api::extract::{Body, IfMatch, given};
use crate::api::problem::{Problem, Refused};
use crate::api::signed::{Granted, Signed};
use crate::api::state::ApiState;

/// A Facebook app.
#[derive(Serialize, ToSchema)]
#[schema(as = App)]
pub(crate) struct AppView {
    id: Uuid,
    /// Facebook's id of it.
    app_id: String,
    name: String,
    /// Where Facebook delivers; `{page_id}` stands for the Page.
    callback_path: &'static str,
    has_app_secret: bool,
    has_second_secret: bool,
    version: i64,
}

impl From<AppRecord> for AppView {
    fn from(record: AppRecord) -> Self {
        Self {
            id: record.id.0,
            app_id: record.facebook_app_id,
            name: record.name,
            callback_path: "/facebook/webhook/{page_id}",
            has_app_secret: record.has_app_secret,
            has_second_secret: record.has_second_secret,
            version: record.version,
        }
    }
}

/// Every app.
#[derive(Serialize, ToSchema)]
struct Apps {
    apps: Vec<AppView>,
}

/// One app.
#[derive(Serialize, ToSchema)]
struct OneApp {
    app: AppView,
}

/// An app to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApp {
    /// Facebook's id of it: digits.
    app_id: String,
    name: String,
    app_secret: Secret,
    verify_token: Secret,
}

/// A change of an app. What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AppPatch {
    name: Option<String>,
    app_secret: Option<Secret>,
    /// The other secret during a rotation; null takes it away.
    #[serde(default, deserialize_with = "given")]
    second_secret: Option<Option<Secret>>,
    verify_token: Option<Secret>,
}

impl AppPatch {
    fn fields(&self) -> Result<Vec<FieldChange>, Refused> {
        let mut changes = Vec::new();
        if let Some(text) = &self.name {
            changes.push((field::NAME.to_owned(), Some(name("name", text)?)));
        }
        if let Some(secret) = &self.app_secret {
            changes.push((field::APP_SECRET.to_owned(), Some(secret.checked("app_secret")?)));
        }
        if let Some(secret) = &self.second_secret {
            let secret = secret.as_ref().map(|secret| secret.checked("second_secret")).transpose()?;
            changes.push((field::SECOND_SECRET.to_owned(), secret));
        }
        if let Some(secret) = &self.verify_token {
            changes.push((field::VERIFY_TOKEN.to_owned(), Some(secret.checked("verify_token")?)));
        }
        Ok(changes)
    }
}

/// Every app.
#[utoipa::path(operation_id = "list_apps", tag = "apps", responses((status = 200, body = Apps)))]
#[get("/apps")]
pub(crate) async fn list_apps(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    let apps = state.read(&granted).apps().await?;
    Ok(HttpResponse::Ok().json(Apps {
        apps: apps.into_iter().map(AppView::from).collect(),
    }))
}

/// One app.
#[utoipa::path(operation_id = "get_app", tag = "apps", responses((status = 200, body = OneApp)))]
#[get("/apps/{id}")]
pub(crate) async fn get_app(signed: Signed, state: Data<ApiState>, id: Path<Uuid>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, AppId(*id)).await?))
}

/// Register an app.
#[utoipa::path(operation_id = "create_app", tag = "apps", request_body = NewApp, responses((status = 201, body = OneApp)))]
#[post("/apps")]
pub(crate) async fn create_app(signed: Signed, state: Data<ApiState>, body: Body<NewApp>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::AppManage, Unit::Everywhere)?;
    let new = body.value;
    let facebook_app_id = FacebookAppId::parse(new.app_id.trim()).or(Err(
        Problem::InvalidRequest.because("app_id: Facebook's id of the app has digits only")
    ))?;
    let content = content_of([
        (field::NAME, Some(name("name", &new.name)?)),
        (field::APP_SECRET, Some(new.app_secret.checked("app_secret")?)),
        (field::VERIFY_TOKEN, Some(new.verify_token.checked("verify_token")?)),
    ]);
    let id = AppId(state.fresh_id());
    is_free(&state, &granted, &facebook_app_id).await?;
    let app = App {
        facebook_app_id: facebook_app_id.clone(),
    };
    if let Err(error) = state.commands(&granted).create(granted.actor(), id, app, content).await {
        // Somebody may have been faster between the look and the write.
        is_free(&state, &granted, &facebook_app_id).await?;
        return Err(error.into());
    }
    Ok(HttpResponse::Created().json(one(&state, &granted, id).await?))
}

/// Change an app.
#[utoipa::path(operation_id = "update_app", tag = "apps", request_body = AppPatch, responses((status = 200, body = OneApp)))]
#[patch("/apps/{id}")]
pub(crate) async fn update_app(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    expected: IfMatch,
    body: Body<AppPatch>,
) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::AppManage, Unit::Everywhere)?;
    let (id, fields) = (AppId(*id), body.value.fields()?);
    let edit = move |_: &mut App, content: &mut domain::Content| {
        set_fields(content, &fields);
        Ok(())
    };
    state
        .commands(&granted)
        .change(granted.actor(), id, expected.0, Arc::new(edit))
        .await?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, id).await?))
}

async fn is_free(state: &ApiState, granted: &Granted, facebook_app_id: &FacebookAppId) -> Result<(), Refused> {
    let there = state.read(granted).app_at_facebook(facebook_app_id.as_str().to_owned()).await?;
    there.map_or(Ok(()), |_| Err(Problem::AlreadyExists.because("an app with this app_id")))
}

async fn one(state: &ApiState, granted: &Granted, id: AppId) -> Result<OneApp, Refused> {
    let app = state.read(granted).app(id).await?.ok_or(Problem::NotFound)?;
    Ok(OneApp { app: app.into() })
}

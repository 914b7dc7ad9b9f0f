//! Whether one takes conversations.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, put};
use domain::agent::Presence;
use domain::permission::{Permission, Unit};
use serde::{Deserialize, Serialize};
use store::queries::PresenceRecord;
use utoipa::ToSchema;

use super::extract::Body;
use super::problem::{Problem, Refused};
use super::signed::Signed;
use super::state::ApiState;
use super::words;

/// The presence of whoever is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Presence)]
pub(crate) struct PresenceView {
    #[schema(schema_with = words::presence)]
    presence: Presence,
    /// Conversations served at most at a time.
    capacity: u32,
    /// Conversations served now.
    active: u32,
    /// Where the change stands in the log; null where nothing changed.
    #[schema(required = false)]
    position: Option<String>,
}

impl PresenceView {
    pub(super) const fn of(record: PresenceRecord) -> Self {
        Self {
            presence: record.presence,
            capacity: record.capacity,
            active: record.active,
            position: None,
        }
    }
}

/// The presence that one wants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PresenceChange {
    #[schema(schema_with = words::presence)]
    presence: Presence,
}

/// The own presence.
#[utoipa::path(operation_id = "get_presence", tag = "presence", responses((status = 200, body = PresenceView)))]
#[get("/presence")]
pub(crate) async fn get_presence(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::PresenceChange, Unit::Everywhere)?;
    let record = state.read(&granted).presence(granted.actor()).await?.ok_or(Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(PresenceView::of(record)))
}

/// Change the own presence.
#[utoipa::path(operation_id = "update_presence", tag = "presence", request_body = PresenceChange, responses((status = 200, body = PresenceView)))]
#[put("/presence")]
pub(crate) async fn update_presence(signed: Signed, state: Data<ApiState>, body: Body<PresenceChange>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::PresenceChange, Unit::Everywhere)?;
    let answer = state
        .commands(&granted)
        .change_presence(granted.actor(), body.value.presence)
        .await?;
    let record = state.read(&granted).presence(granted.actor()).await?.ok_or(Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(PresenceView {
        position: answer.cursor.map(|cursor| cursor.position.to_string()),
        ..PresenceView::of(record)
    }))
}

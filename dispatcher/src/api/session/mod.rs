//! Signing in and out.

pub mod password;
pub mod throttle;
pub mod token;
mod view;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use domain::agent::Presence;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::Body;
use super::problem::Refused;
use super::signed::Signed;
use super::state::ApiState;
use view::Session;

/// Login and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    login: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Sign in.
#[utoipa::path(operation_id = "create_session", tag = "session", request_body = SignIn, responses((status = 200, body = Session)))]
#[post("/session")]
pub(crate) async fn create_session(request: HttpRequest, state: Data<ApiState>, body: Body<SignIn>) -> Result<HttpResponse, Refused> {
    let address = request.peer_addr().map(|peer| peer.ip());
    let SignIn { login, password } = body.value;
    let begun = state.doorkeeper().sign_in(login, password, address, state.now()).await?;
    let signed = Signed::new(begun.token.clone(), begun.session);
    let session = Session::of(&state, &signed).await?;
    Ok(HttpResponse::Ok().cookie(state.doorkeeper().cookie(&begun.token)).json(session))
}

/// Who is signed in.
#[utoipa::path(operation_id = "get_session", tag = "session", responses((status = 200, body = Session)))]
#[get("/session")]
pub(crate) async fn get_session(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    Ok(HttpResponse::Ok().json(Session::of(&state, &signed).await?))
}

/// Sign out. Whoever signs out takes no more conversations.
#[utoipa::path(operation_id = "delete_session", tag = "session", responses((status = 204)))]
#[delete("/session")]
pub(crate) async fn delete_session(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.over_oneself();
    state.commands(&granted).change_presence(granted.actor(), Presence::Offline).await?;
    state.doorkeeper().sign_out(signed.token()).await?;
    Ok(HttpResponse::NoContent().cookie(state.doorkeeper().no_cookie()).finish())
}

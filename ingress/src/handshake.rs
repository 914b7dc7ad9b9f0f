//! Facebook's question whether a callback is ours.

use actix_web::http::header::{ContentType, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::service::Service;
use crate::webhook::WebhookError;

/// `GET /facebook/webhook/{page_id}`.
///
/// 200 with the bare challenge for the verify token of the path's app, and nothing else: a newline or a page around it fails the check.
pub(crate) async fn answer(page_id: &str, request: &HttpRequest, service: &Service) -> Result<HttpResponse, WebhookError> {
    let (app, _) = service.directory.app_of(page_id).await?;
    let challenge = match Query::<Handshake>::from_query(request.query_string()) {
        Ok(Query(handshake)) if handshake.mode == "subscribe" && app.is_verified_by(&handshake.verify_token) => handshake.challenge,
        _ => return Err(WebhookError::NotVerified),
    };
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(challenge))
}

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

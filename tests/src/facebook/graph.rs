//! Graph's HTTP front.

use actix_web::web::{self, Bytes, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::config::Page;
use super::faults::Strike;
use super::platform::Facebook;
use super::refusal::Refusal;
use super::send_request::{SendRequest, Wish};
use crate::cut::hold_and_cut;

const LARGEST_BODY: usize = 1 << 20;
const GATEWAY_PAGE: &str = "<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>";
const SUBSCRIBED_FIELDS: [&str; 5] = [
    "messages",
    "messaging_postbacks",
    "message_echoes",
    "message_deliveries",
    "message_reads",
];

#[derive(Deserialize)]
pub(super) struct Parameters {
    access_token: Option<String>,
    fields: Option<String>,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(LARGEST_BODY))
        .route(r"/{version:v\d+\.0}/{node}/messages", web::post().to(send))
        .route(r"/{version:v\d+\.0}/{node}/subscribed_apps", web::get().to(subscribed_apps))
        .route(r"/{version:v\d+\.0}/{node}/subscribed_apps", web::post().to(subscribe))
        .route(r"/{version:v\d+\.0}/{node}", web::get().to(node));
}

async fn send(
    request: HttpRequest,
    path: Path<(String, String)>,
    query: Query<Parameters>,
    body: Bytes,
    facebook: Data<Facebook>,
) -> HttpResponse {
    let (_version, node) = path.into_inner();
    match checked(&request, &node, &query, &body, &facebook) {
        Err(refusal) => refusal.response(),
        Ok((page, psid, wish @ Wish::Action(_))) => answer(facebook.perform(page, &psid, wish)),
        Ok((page, psid, wish @ Wish::Message { .. })) => send_message(&request, &facebook, page, &psid, wish).await,
    }
}

fn checked<'a>(
    request: &HttpRequest,
    node: &str,
    query: &Parameters,
    body: &[u8],
    facebook: &'a Facebook,
) -> Result<(&'a Page, String, Wish), Refusal> {
    let call = SendRequest::read(body);
    let in_body = call.as_ref().ok().and_then(|call| call.access_token.as_deref());
    let page = authorised(request, node, query.access_token.as_deref().or(in_body), facebook)?;
    let call = call?;
    Ok((page, call.psid()?.to_owned(), call.wish()?))
}

async fn send_message(request: &HttpRequest, facebook: &Facebook, page: &Page, psid: &str, wish: Wish) -> HttpResponse {
    let weather = facebook.weather(psid);
    if !weather.latency.is_zero() {
        tokio::time::sleep(weather.latency).await;
    }
    match weather.strike {
        Strike::None => answer(facebook.perform(page, psid, wish)),
        Strike::TimeoutBefore => hold_and_cut(request, weather.hold).await,
        Strike::ServerError => HttpResponse::ServiceUnavailable().content_type("text/html").body(GATEWAY_PAGE),
        Strike::Error(refusal) => refusal.response(),
        Strike::TimeoutAfter => match facebook.perform(page, psid, wish) {
            Ok(_accepted) => hold_and_cut(request, weather.hold).await,
            Err(refusal) => refusal.response(),
        },
    }
}

async fn subscribed_apps(
    request: HttpRequest,
    path: Path<(String, String)>,
    query: Query<Parameters>,
    facebook: Data<Facebook>,
) -> HttpResponse {
    let app = json!({"id": facebook.0.config.app.id.to_string(), "subscribed_fields": SUBSCRIBED_FIELDS});
    let (_version, node) = path.into_inner();
    answer(authorised(&request, &node, query.access_token.as_deref(), &facebook).map(|_page| json!({"data": [app]})))
}

async fn subscribe(request: HttpRequest, path: Path<(String, String)>, query: Query<Parameters>, facebook: Data<Facebook>) -> HttpResponse {
    let (_version, node) = path.into_inner();
    answer(authorised(&request, &node, query.access_token.as_deref(), &facebook).map(|_page| json!({"success": true})))
}

async fn node(request: HttpRequest, path: Path<(String, String)>, query: Query<Parameters>, facebook: Data<Facebook>) -> HttpResponse {
    let (_version, node) = path.into_inner();
    let token = token_of(&request, query.access_token.as_deref());
    let Some(page) = token.and_then(|token| facebook.page_of_token(token)) else {
        return Refusal::token().response();
    };
    if node == "me" || node == page.id {
        return answer(Ok(json!({"id": page.id, "name": page.name})));
    }
    answer(profile(&facebook, page, &node, query.fields.as_deref()))
}

/// What a Page may know about one of its visitors: the fields that were asked for, and always the id.
fn profile(facebook: &Facebook, page: &Page, psid: &str, fields: Option<&str>) -> Result<Value, Refusal> {
    let profile = facebook.look(|world| {
        world
            .visitors
            .get(psid)
            .filter(|visitor| visitor.page_id == page.id)
            .map(|visitor| visitor.profile.clone())
    });
    let profile = profile.ok_or_else(|| Refusal::unknown_object(psid))?;
    let Ok(Value::Object(known)) = serde_json::to_value(profile) else {
        return Err(Refusal::unknown_object(psid));
    };
    let wanted: Vec<&str> = fields.unwrap_or("name,first_name,last_name").split(',').map(str::trim).collect();
    let mut answer: Map<String, Value> = known
        .into_iter()
        .filter(|(field, _value)| wanted.contains(&field.as_str()))
        .collect();
    answer.insert("id".to_owned(), json!(psid));
    Ok(Value::Object(answer))
}

fn authorised<'a>(request: &HttpRequest, node: &str, parameter: Option<&str>, facebook: &'a Facebook) -> Result<&'a Page, Refusal> {
    let token = token_of(request, parameter).ok_or_else(Refusal::token)?;
    let page = facebook.page_of_token(token).ok_or_else(Refusal::token)?;
    if node == "me" || node == page.id {
        Ok(page)
    } else {
        Err(Refusal::unknown_object(node))
    }
}

fn token_of<'a>(request: &'a HttpRequest, parameter: Option<&'a str>) -> Option<&'a str> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer ")).or(parameter)
}

fn answer(result: Result<Value, Refusal>) -> HttpResponse {
    match result {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(refusal) => refusal.response(),
    }
}

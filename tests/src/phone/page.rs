//! The page's files.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Query;
use serde::Deserialize;

use super::is_psid;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; connect-src 'self'";

#[derive(Deserialize)]
pub(super) struct Parameters {
    psid: Option<String>,
    lang: Option<String>,
}

/// The page of a visitor. Without one, a new visitor is made up.
pub(super) async fn html(parameters: Query<Parameters>) -> HttpResponse {
    if parameters.psid.as_deref().is_none_or(|psid| !is_psid(psid)) {
        let psid: u64 = rand::random_range(1_000_000_000_000_000..10_000_000_000_000_000);
        let lang = if parameters.lang.as_deref() == Some("en") { "&lang=en" } else { "" };
        return HttpResponse::Found()
            .insert_header((LOCATION, format!("/phone?psid={psid}{lang}")))
            .finish();
    }
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Content-Security-Policy", POLICY))
        .body(include_str!("phone.html"))
}

pub(super) async fn css() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("phone.css"))
}

pub(super) async fn js() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(include_str!("phone.js"))
}

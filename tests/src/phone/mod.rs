//! The phone: a page on which a person writes as a visitor and sees what the visitor sees.
//!
//! Invariant: the page has no memory of its own; what it shows is the thread of the simulated Facebook.

mod events;
mod page;
pub mod view;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path};
use serde::Deserialize;
use serde_json::json;

use crate::facebook::{Facebook, Tap};
use view::thread_view;

#[derive(Deserialize)]
struct Words {
    text: String,
}

/// The page and the API under it. Needs [`Facebook::routes`] beside it.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/phone", web::get().to(page::html))
        .route("/phone/phone.css", web::get().to(page::css))
        .route("/phone/phone.js", web::get().to(page::js))
        .route("/phone/threads/{psid}", web::get().to(thread))
        .route("/phone/threads/{psid}/events", web::get().to(events::stream))
        .route("/phone/threads/{psid}/messages", web::post().to(write))
        .route("/phone/threads/{psid}/taps", web::post().to(tap))
        .route("/phone/threads/{psid}/reads", web::post().to(read));
}

async fn thread(psid: Path<String>, facebook: Data<Facebook>) -> HttpResponse {
    HttpResponse::Ok().json(thread_view(&facebook, &psid))
}

async fn write(psid: Path<String>, words: Json<Words>, facebook: Data<Facebook>) -> HttpResponse {
    if !is_psid(&psid) || words.text.trim().is_empty() {
        return HttpResponse::BadRequest().json(json!({"error": "a psid of digits and a text are needed"}));
    }
    HttpResponse::Accepted().json(json!({"mid": facebook.visitor_writes(&psid, &words.text)}))
}

async fn tap(psid: Path<String>, tap: Json<Tap>, facebook: Data<Facebook>) -> HttpResponse {
    if !is_psid(&psid) {
        return HttpResponse::BadRequest().json(json!({"error": "a psid of digits is needed"}));
    }
    HttpResponse::Accepted().json(json!({"mid": facebook.visitor_taps(&psid, &tap)}))
}

async fn read(psid: Path<String>, facebook: Data<Facebook>) -> HttpResponse {
    facebook.visitor_reads(&psid);
    HttpResponse::NoContent().finish()
}

fn is_psid(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

//! What a test or a person at a terminal asks and sets over HTTP, under `/control`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::faults::Faults;
use super::platform::Facebook;
use crate::phone::view::thread_view;

#[derive(Deserialize)]
struct SentQuery {
    psid: Option<String>,
    #[serde(default)]
    after: u64,
}

#[derive(Deserialize)]
struct Meeting {
    page_id: String,
    psids: Vec<String>,
}

#[derive(Deserialize)]
struct WindowClock {
    shift_seconds: u64,
}

#[derive(Deserialize)]
struct CallbackSetting {
    url: String,
}

#[derive(Deserialize)]
struct HandshakeRequest {
    verify_token: Option<String>,
    challenge: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/control/faults", web::get().to(faults))
        .route("/control/faults", web::put().to(set_faults))
        .route("/control/sent", web::get().to(sent))
        .route("/control/signs", web::get().to(signs))
        .route("/control/threads/{psid}", web::get().to(thread))
        .route("/control/visitors", web::post().to(meet))
        .route("/control/window-clock", web::put().to(shift_window_clock))
        .route("/control/callback", web::put().to(set_callback))
        .route("/control/webhooks", web::get().to(webhooks))
        .route("/control/handshake", web::post().to(handshake));
}

async fn faults(facebook: Data<Facebook>) -> Json<Faults> {
    Json(facebook.faults())
}

async fn set_faults(facebook: Data<Facebook>, faults: Json<Faults>) -> Json<Faults> {
    facebook.set_faults(faults.into_inner());
    Json(facebook.faults())
}

async fn sent(facebook: Data<Facebook>, query: Query<SentQuery>) -> HttpResponse {
    let wanted = |psid: &str, sequence: u64| sequence > query.after && query.psid.as_deref().is_none_or(|only| only == psid);
    let sent: Vec<_> = facebook
        .sent()
        .into_iter()
        .filter(|sent| wanted(&sent.psid, sent.sequence))
        .collect();
    HttpResponse::Ok().json(sent.iter().map(AsRef::as_ref).collect::<Vec<&super::world::Sent>>())
}

async fn signs(facebook: Data<Facebook>) -> HttpResponse {
    HttpResponse::Ok().json(facebook.look(|world| world.signs.clone()))
}

async fn thread(facebook: Data<Facebook>, psid: Path<String>) -> HttpResponse {
    HttpResponse::Ok().json(thread_view(&facebook, &psid))
}

async fn meet(facebook: Data<Facebook>, meeting: Json<Meeting>) -> HttpResponse {
    for psid in &meeting.psids {
        facebook.meet(&meeting.page_id, psid);
    }
    HttpResponse::NoContent().finish()
}

async fn shift_window_clock(facebook: Data<Facebook>, clock: Json<WindowClock>) -> HttpResponse {
    facebook.shift_window_clock(std::time::Duration::from_secs(clock.shift_seconds));
    HttpResponse::NoContent().finish()
}

async fn set_callback(facebook: Data<Facebook>, setting: Json<CallbackSetting>) -> HttpResponse {
    match facebook.set_callback(&setting.url) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => HttpResponse::BadRequest().json(json!({"error": error.to_string()})),
    }
}

async fn webhooks(facebook: Data<Facebook>) -> HttpResponse {
    HttpResponse::Ok().json(facebook.webhooks())
}

async fn handshake(facebook: Data<Facebook>, request: Json<HandshakeRequest>) -> HttpResponse {
    match facebook.handshake(request.verify_token.as_deref(), &request.challenge).await {
        Ok(Some(handshake)) => HttpResponse::Ok().json(handshake),
        Ok(None) => HttpResponse::Conflict().json(json!({"error": "no callback is set"})),
        Err(error) => HttpResponse::BadGateway().json(json!({"error": error.to_string()})),
    }
}

//! The bot service itself, and its HTTP front.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::{self, Bytes, Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::answer::{self, BOT_NAME, FALLBACK, GREETING, Understanding};
use super::credentials::Credentials;
use super::modes::{Modes, State};
use super::record::{Query, Record};
use crate::cut::hold_and_cut;
use crate::wall_clock;
use crate::watched::{NotReached, Watched};

/// How many queries are remembered.
const REMEMBER: usize = 200_000;
const HANG: Duration = Duration::from_secs(30);

/// The bot service. A cheap handle; clones are the same service.
#[derive(Clone)]
pub struct Chatopera(Arc<Service>);

struct Service {
    credentials: Credentials,
    modes: Mutex<Modes>,
    record: Watched<Record>,
}

#[derive(Deserialize)]
struct QueryBody {
    #[serde(rename = "fromUserId")]
    from_user_id: String,
    #[serde(rename = "textMessage")]
    text_message: String,
}

impl Chatopera {
    /// A service with one bot.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self(Arc::new(Service {
            credentials,
            modes: Mutex::default(),
            record: Watched::new(Record::default()),
        }))
    }

    /// Sets how well the service is.
    pub fn set_modes(&self, modes: Modes) {
        *self.0.modes.lock().unwrap_or_else(PoisonError::into_inner) = modes;
    }

    /// How well the service is.
    #[must_use]
    pub fn modes(&self) -> Modes {
        self.0.modes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything that was asked, oldest first.
    #[must_use]
    pub fn queries(&self) -> Vec<Query> {
        self.0.record.read(|record| record.queries.iter().cloned().collect())
    }

    /// What one user asked, oldest first.
    #[must_use]
    pub fn queries_of(&self, user_id: &str) -> Vec<Query> {
        self.0.record.read(|record| record.of(user_id).cloned().collect())
    }

    /// Waits until `look` finds what it wants in the record.
    ///
    /// # Errors
    /// When the time is over first.
    pub async fn wait_for<R>(&self, look: impl FnMut(&Record) -> Option<R>, timeout: Duration) -> Result<R, NotReached> {
        self.0.record.wait_for(look, timeout).await
    }

    /// A receiver that wakes with every query and every answer.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.record.changes()
    }

    /// The service and the control of it.
    pub fn routes(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(Data::new(self.clone()))
            .route("/api/v1/chatbot/{client_id}/conversation/query", web::post().to(query))
            .route("/api/v1/chatbot/{client_id}", web::get().to(basic_information))
            .route("/api/v1/chatbot/{client_id}/", web::get().to(basic_information))
            .route("/control/chatopera", web::get().to(modes))
            .route("/control/chatopera", web::put().to(set_modes))
            .route("/control/chatopera/queries", web::get().to(queries));
    }

    fn let_in(&self, request: &HttpRequest, client_id: &str) -> Result<(), String> {
        let checked = if client_id == self.0.credentials.client_id {
            let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
            let path = request.uri().path_and_query().map_or("", |path| path.as_str());
            self.0
                .credentials
                .check(header, request.method().as_str(), path, wall_clock::now_s())
                .map_err(|error| error.to_string())
        } else {
            Err("invalid appId.".to_owned())
        };
        checked.inspect_err(|_error| self.0.record.change(|record| record.kept_out += 1))
    }

    async fn answer(&self, request: &HttpRequest, asked: &QueryBody) -> (HttpResponse, bool) {
        let modes = self.modes();
        let understanding = Understanding::of(&asked.text_message);
        let thinking = modes.latency_ms + if understanding.is_slow() { modes.slow_ms } else { 0 };
        if thinking > 0 {
            tokio::time::sleep(Duration::from_millis(thinking)).await;
        }
        match (modes.state, modes.refusal) {
            (State::Cut, _) => (hold_and_cut(request, Duration::ZERO).await, false),
            (State::Hang, _) => (hold_and_cut(request, HANG).await, false),
            (State::ServerError, _) => (
                HttpResponse::ServiceUnavailable()
                    .content_type("text/html")
                    .body("<html>503</html>"),
                true,
            ),
            (State::Garbled, _) => (
                HttpResponse::Ok().content_type("application/json").body("{\"rc\":0,\"data\":"),
                true,
            ),
            (State::Up, Some(error)) => (refused(error.rc, &error.error), true),
            (State::Up, None) if modes.muted.contains(&asked.from_user_id) => (answered(&answer::muted()), true),
            (State::Up, None) => (answered(&understanding.data()), true),
        }
    }
}

async fn query(request: HttpRequest, client_id: Path<String>, body: Bytes, chatopera: Data<Chatopera>) -> HttpResponse {
    if let Err(error) = chatopera.let_in(&request, &client_id) {
        return refused(1, &error);
    }
    let asked = match serde_json::from_slice::<QueryBody>(&body) {
        Ok(asked) if !asked.from_user_id.is_empty() && !asked.text_message.is_empty() => asked,
        Ok(_) | Err(_) => return refused(1, "invalid params, fromUserId and textMessage are required."),
    };
    // Whatever becomes of the call, also when the caller hangs up: the query is over.
    let mut finish = Finish {
        chatopera: &chatopera,
        user_id: &asked.from_user_id,
        sequence: chatopera
            .0
            .record
            .change(|record| record.ask(&asked.from_user_id, &asked.text_message, wall_clock::now_us(), REMEMBER)),
        answered: false,
    };
    let (response, answered) = chatopera.answer(&request, &asked).await;
    finish.answered = answered;
    response
}

struct Finish<'a> {
    chatopera: &'a Chatopera,
    user_id: &'a str,
    sequence: u64,
    answered: bool,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let at = self.answered.then(wall_clock::now_us);
        self.chatopera
            .0
            .record
            .change(|record| record.finish(self.user_id, self.sequence, at));
    }
}

async fn basic_information(request: HttpRequest, client_id: Path<String>, chatopera: Data<Chatopera>) -> HttpResponse {
    match chatopera.let_in(&request, &client_id) {
        Err(error) => refused(1, &error),
        Ok(()) => answered(&json!({
            "name": BOT_NAME, "fallback": FALLBACK, "description": "春松客服 DEMO 的机器人", "welcome": GREETING,
            "primaryLanguage": "zh_CN", "status": {"reindex": 0, "retrain": 0},
        })),
    }
}

async fn modes(chatopera: Data<Chatopera>) -> Json<Modes> {
    Json(chatopera.modes())
}

async fn set_modes(chatopera: Data<Chatopera>, modes: Json<Modes>) -> Json<Modes> {
    chatopera.set_modes(modes.into_inner());
    Json(chatopera.modes())
}

async fn queries(chatopera: Data<Chatopera>) -> Json<Vec<Query>> {
    Json(chatopera.queries())
}

fn answered(data: &Value) -> HttpResponse {
    HttpResponse::Ok().json(json!({"rc": 0, "data": data, "status": {"reindex": 0, "retrain": 0}}))
}

/// The service's errors come with HTTP 200.
fn refused(rc: i64, error: &str) -> HttpResponse {
    HttpResponse::Ok().json(json!({"rc": rc, "error": error}))
}

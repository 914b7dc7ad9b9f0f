//! What operators and balancers ask.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use futures::future::{BoxFuture, join_all};
use serde_json::{Map, Value};

use super::state::ApiState;

type Probe = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// The parts without which this process cannot do its job.
#[derive(Clone, Default)]
pub struct Readiness {
    parts: Vec<(&'static str, Probe)>,
}

impl Readiness {
    /// One more part, and how to ask whether it is well.
    #[must_use]
    pub fn with<F, R>(mut self, part: &'static str, is_well: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        self.parts.push((part, Arc::new(move || Box::pin(is_well()))));
        self
    }
}

/// `GET /healthz`: the process lives.
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok")
}

/// `GET /readyz`: 200 only when every part is well.
pub(crate) async fn readyz(state: Data<ApiState>) -> HttpResponse {
    let parts = &state.readiness().parts;
    let answers = join_all(parts.iter().map(|(_, is_well)| is_well())).await;
    let ready = answers.iter().all(|is_well| *is_well);
    let mut body = Map::from_iter([("ready".to_owned(), Value::Bool(ready))]);
    body.extend(
        parts
            .iter()
            .zip(answers)
            .map(|((part, _), is_well)| ((*part).to_owned(), Value::Bool(is_well))),
    );
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

//! Facebook's deliveries.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, RETRY_AFTER};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use bytes::Bytes;
use runtime::publisher::{Outgoing, PublishError};
use shared::signature::{self, SignatureError};
use shared::webhook::{SplitError, split};
use shared::{Timestamp, envelope};
use tracing::{debug, warn};

use crate::counters::Outcome;
use crate::directory::{App, LookupError, Picture};
use crate::outgoing::{self, Arrival};
use crate::raw_body::{self, BodyError};
use crate::service::Service;

/// Seconds after which Facebook, or a balancer, may try again.
const RETRY_AFTER_SECONDS: u8 = 2;

/// Why a webhook is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookError {
    #[error("callback")]
    Lookup(#[from] LookupError),
    #[error("body")]
    Body(#[from] BodyError),
    #[error("signature")]
    Signature(#[from] SignatureError),
    #[error("unsigned and not JSON")]
    Nonsense,
    #[error("not the app's verify token")]
    NotVerified,
    #[error("broker")]
    Publish(#[from] PublishError),
    #[error("the service is stopping")]
    Stopping,
}

/// `POST /facebook/webhook/{page_id}`.
///
/// 200 is a promise: every event in the body is on disk at the broker. Anything else makes Facebook send it again.
pub(crate) async fn receive(
    page_id: &str,
    request: &HttpRequest,
    payload: Payload,
    service: &Service,
) -> Result<HttpResponse, WebhookError> {
    let outcome = match service.traffic.enter() {
        Some(_under_way) => accept(page_id, request, payload, service).await,
        None => Err(WebhookError::Stopping),
    };
    service
        .counters
        .count(outcome.as_ref().map_or_else(WebhookError::outcome, |()| Outcome::Accepted));
    outcome.inspect_err(|error| debug!(page_id, error = %runtime::telemetry::Causes(error), "a webhook was not accepted"))?;
    Ok(HttpResponse::Ok().finish())
}

async fn accept(page_id: &str, request: &HttpRequest, payload: Payload, service: &Service) -> Result<(), WebhookError> {
    let (app, picture) = service.directory.app_of(page_id).await?;
    let body = raw_body::read(request, payload, &service.room).await?;
    let started = Instant::now();
    verify(&app, request, &body.bytes)?;
    let header = request
        .headers()
        .get(envelope::TRACEPARENT)
        .map(actix_web::http::header::HeaderValue::as_bytes);
    let delivery = Delivery {
        page_id,
        app,
        picture,
        arrival: Arrival {
            received_at: now(),
            traceparent: outgoing::traceparent(header),
        },
    };
    let messages = delivery.messages(&body.bytes, service);
    let events = u64::try_from(messages.len()).unwrap_or(u64::MAX);
    service.publisher.publish(messages).await?;
    service.counters.events.increment(events);
    service.counters.confirm_seconds.record(started.elapsed());
    Ok(())
}

fn verify(app: &App, request: &HttpRequest, body: &[u8]) -> Result<(), WebhookError> {
    let header = request
        .headers()
        .get(signature::HEADER)
        .map(actix_web::http::header::HeaderValue::as_bytes);
    app.verify(body, header).map_err(|error| {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if is_json { error.into() } else { WebhookError::Nonsense }
    })
}

/// A signed body and where it came in.
struct Delivery<'a> {
    page_id: &'a str,
    app: Arc<App>,
    picture: Arc<Picture>,
    arrival: Arrival<'a>,
}

impl Delivery<'_> {
    /// What has to be at the broker before this delivery may be acknowledged.
    fn messages(&self, body: &Bytes, service: &Service) -> Vec<Outgoing> {
        let split = match split(body) {
            Ok(split) => split,
            Err(error) => return vec![self.kept_whole(body, error, service)],
        };
        let mut messages = Vec::with_capacity(split.events.len().saturating_add(1));
        let (mut foreign, total) = (0, split.events.len());
        for event in &split.events {
            if self.picture.is_foreign(&event.page_id, self.app.id) {
                foreign += 1;
            } else {
                messages.push(outgoing::event(event, body, self.arrival));
            }
        }
        if foreign > 0 {
            warn!(path = self.page_id, app = %self.app.id, foreign, total, "events of a page that another app connected were refused");
            service.counters.foreign.increment(foreign);
        }
        if !split.unreadable.is_empty() {
            warn!(
                path = self.page_id,
                parts = split.unreadable.len(),
                "a body was kept whole because parts of it name no page"
            );
            service.counters.unparsed.increment(1);
            messages.push(outgoing::unparsed(
                self.page_id,
                body,
                "parts of the body name no page",
                self.arrival,
            ));
        }
        messages
    }

    fn kept_whole(&self, body: &Bytes, error: SplitError, service: &Service) -> Outgoing {
        warn!(path = self.page_id, reason = %error, bytes = body.len(), "a signed body was kept whole");
        service.counters.unparsed.increment(1);
        outgoing::unparsed(self.page_id, body, &error.to_string(), self.arrival)
    }
}

impl WebhookError {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Lookup(LookupError::UnknownPage) => Outcome::UnknownPage,
            Self::Lookup(LookupError::NeverLoaded | LookupError::Sealed) | Self::Publish(_) | Self::Stopping => Outcome::Unavailable,
            Self::Body(BodyError::Crowded(_)) => Outcome::Unavailable,
            Self::Body(BodyError::TooLarge) => Outcome::TooLarge,
            Self::Body(BodyError::TooSlow(_) | BodyError::Broken(_)) | Self::Nonsense => Outcome::BadRequest,
            Self::Signature(_) | Self::NotVerified => Outcome::BadSignature,
        }
    }
}

impl ResponseError for WebhookError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Lookup(LookupError::UnknownPage) => StatusCode::NOT_FOUND,
            Self::Lookup(LookupError::NeverLoaded | LookupError::Sealed) | Self::Publish(_) | Self::Stopping => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Body(BodyError::Crowded(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::TooSlow(_)) => StatusCode::REQUEST_TIMEOUT,
            Self::Body(BodyError::Broken(_)) | Self::Nonsense => StatusCode::BAD_REQUEST,
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::NotVerified => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
        }
        response.content_type(ContentType::plaintext()).body(self.to_string())
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

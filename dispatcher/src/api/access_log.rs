//! One line per request: what was asked for and how it went. Neither query strings nor addresses of things are in it, and no texts or names.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tracing::{debug, info, warn};

/// Logs the request once its answer begins.
pub(crate) async fn log_request(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| "console".to_owned());
    let response = next.call(request).await?;
    let status = response.status().as_u16();
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match (status, route.as_str()) {
        (500.., _) => warn!(%method, route, status, took_ms, "request failed"),
        (_, "console" | "/healthz" | "/readyz") => debug!(%method, route, status, took_ms, "request"),
        _ => info!(%method, route, status, took_ms, "request"),
    }
    Ok(response)
}

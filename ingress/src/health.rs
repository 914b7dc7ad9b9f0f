//! What operators and balancers ask.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use serde::Serialize;

use crate::service::Service;

/// `GET /healthz`: the process lives.
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok")
}

/// The parts without which this service cannot do its job.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    broker: bool,
    directory: bool,
}

/// `GET /readyz`: 200 only when a webhook would be accepted. An outage of PostgreSQL after the first load does not matter.
pub(crate) async fn readyz(service: Data<Service>) -> HttpResponse {
    let (broker, directory) = (service.publisher.is_ready(), service.directory.picture().is_some());
    let readiness = Readiness {
        ready: broker && directory,
        broker,
        directory,
    };
    if readiness.ready {
        HttpResponse::Ok().json(readiness)
    } else {
        HttpResponse::ServiceUnavailable().json(readiness)
    }
}

/// `GET /metrics`, for Prometheus.
pub(crate) async fn metrics(service: Data<Service>) -> HttpResponse {
    // Sums of in-flight bytes stay far below 2^53, where a float still counts them one by one.
    let bytes = u32::try_from(service.publisher.unconfirmed_bytes()).unwrap_or(u32::MAX);
    service.counters.unconfirmed_bytes.set(f64::from(bytes));
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(service.exposition.render())
}

//! A callback path: what Facebook asks by GET and delivers by POST.

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};

use crate::service::Service;
use crate::webhook::WebhookError;
use crate::{handshake, webhook};

/// Answers a request to a callback path.
pub(crate) async fn answer(request: HttpRequest, payload: Payload, service: Data<Service>) -> HttpResponse {
    let Some(page_id) = page_id(&request) else {
        return HttpResponse::NotFound().finish();
    };
    let answer = match *request.method() {
        Method::POST => webhook::receive(page_id, &request, payload, &service).await,
        Method::GET => handshake::answer(page_id, &request, &service).await,
        _ => {
            return HttpResponse::MethodNotAllowed()
                .insert_header((ALLOW, HeaderValue::from_static("GET, POST")))
                .finish();
        }
    };
    answer.unwrap_or_else(|error: WebhookError| error.error_response())
}

/// The only segment below the callback's path.
fn page_id(request: &HttpRequest) -> Option<&str> {
    let segment = request.match_info().unprocessed().strip_prefix('/')?;
    (!segment.is_empty() && !segment.contains('/')).then_some(segment)
}

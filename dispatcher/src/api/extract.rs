//! What handlers take out of a request, beyond who asks.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_TYPE, IF_MATCH};
use actix_web::web::{Bytes, PathConfig, PayloadConfig, QueryConfig};
use actix_web::{FromRequest, HttpRequest};
use engine::ports::Idempotency;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use shared::PersonId;

use super::problem::{Problem, Refused};

/// No request needs more.
pub(crate) const MOST_BYTES: usize = 1 << 20;
/// The longest idempotency key.
const MOST_KEY: usize = 128;

/// Errors of actix's own extractors, in our words.
pub(crate) fn extractor_settings() -> (PayloadConfig, PathConfig, QueryConfig) {
    (
        PayloadConfig::new(MOST_BYTES),
        PathConfig::default().error_handler(|_, _| Problem::InvalidRequest.because("the path is not valid").into()),
        QueryConfig::default().error_handler(|error, _| Problem::InvalidRequest.because(error.to_string()).into()),
    )
}

/// A JSON body, and what makes the request known again. No body is an empty object.
#[derive(Debug)]
pub(crate) struct Body<T> {
    /// What was asked for.
    pub(crate) value: T,
    key: Option<String>,
    fingerprint: String,
}

impl<T> Body<T> {
    /// Under which key the command is carried out at most once, if the caller gave one.
    pub(crate) fn idempotency(&self, person: PersonId) -> Option<Idempotency> {
        self.key.clone().map(|key| Idempotency {
            person,
            key,
            fingerprint: self.fingerprint.clone(),
        })
    }
}

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = Refused;
    type Future = LocalBoxFuture<'static, Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| unreadable(&error))?;
            read(&request, &bytes)
        })
    }
}

fn read<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<Body<T>, Refused> {
    if !bytes.is_empty() && !is_json(request) {
        return Err(Problem::InvalidRequest.because("the body has to be application/json"));
    }
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    // The decoder would take a list for the fields of a struct in their order.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::InvalidRequest.because("the body has to be a JSON object"));
    }
    // The parser's message names field and place, never the value: those may be secrets.
    let value = serde_json::from_slice(text).map_err(|error| Problem::InvalidRequest.because(explain(&error)))?;
    Ok(Body {
        value,
        key: idempotency_key(request)?,
        fingerprint: fingerprint(request, bytes),
    })
}

/// What was wrong with a body, without any of what it contained.
fn explain(error: &serde_json::Error) -> String {
    let place = format!("at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let about_a_field = text.starts_with("missing field") || text.starts_with("unknown field") || text.starts_with("duplicate field");
    match (error.classify(), about_a_field) {
        (serde_json::error::Category::Data, true) => text,
        (serde_json::error::Category::Data, false) => format!("a value is not of the expected kind {place}"),
        _ => format!("the body is not JSON {place}"),
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|header| header.to_str().ok());
    content_type
        .and_then(|header| header.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn unreadable(error: &actix_web::Error) -> Refused {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::PayloadTooLarge.into(),
        _ if error.as_response_error().status_code().as_u16() == 413 => Problem::PayloadTooLarge.into(),
        _ => Problem::InvalidRequest.because("the body did not arrive"),
    }
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Refused> {
    let Some(header) = request.headers().get("Idempotency-Key") else {
        return Ok(None);
    };
    let key = header.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MOST_KEY);
    key.map(|key| Some(key.to_owned()))
        .ok_or_else(|| Problem::InvalidRequest.because("Idempotency-Key has 1 to 128 printable characters"))
}

fn fingerprint(request: &HttpRequest, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(request.method().as_str());
    hash.update(b"\n");
    hash.update(request.path());
    hash.update(b"\n");
    hash.update(body);
    hex::encode(hash.finalize())
}

/// The version that a change is based on, where the caller says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<i64>);

impl FromRequest for IfMatch {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(if_match(request))
    }
}

fn if_match(request: &HttpRequest) -> Result<IfMatch, Refused> {
    let Some(header) = request.headers().get(IF_MATCH) else {
        return Ok(IfMatch(None));
    };
    let text = header.to_str().unwrap_or_default().trim();
    let version = text.trim_matches('"').parse();
    match version {
        Ok(version) => Ok(IfMatch(Some(version))),
        Err(_) if text == "*" => Ok(IfMatch(None)),
        Err(_) => Err(Problem::InvalidRequest.because("If-Match is a version")),
    }
}

/// How many items a page may have.
pub(crate) fn page_size(wished: Option<u32>, usual: u32, most: u32) -> Result<u32, Refused> {
    match wished {
        None => Ok(usual),
        Some(0) => Err(Problem::InvalidRequest.because("limit: at least 1")),
        Some(wished) => Ok(wished.min(most)),
    }
}

/// For fields where `null` means "take it away" and nothing means "leave it".
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(default, deserialize_with = "given")]
        bot: Option<Option<String>>,
    }

    async fn body(content_type: &str, text: &'static str) -> Result<Body<Example>, Refused> {
        let (request, mut payload) = TestRequest::post()
            .uri("/x")
            .insert_header(("content-type", content_type))
            .insert_header(("idempotency-key", "k"))
            .set_payload(text)
            .to_http_parts();
        Body::<Example>::from_request(&request, &mut payload).await
    }

    #[actix_web::test]
    async fn null_and_nothing_are_told_apart() {
        assert_eq!(body("application/json", r#"{"bot":null}"#).await.unwrap().value.bot, Some(None));
        assert_eq!(body("application/json", "{}").await.unwrap().value.bot, None);
        assert_eq!(body("text/plain", "").await.unwrap().value.bot, None);
    }

    #[actix_web::test]
    async fn what_is_wrong_with_a_body_is_said_without_its_content() {
        for wrong in [r#"{"bot":17}"#, r#"{"bot":"geheim""#, "[\"geheim\"]"] {
            let refused = body("application/json", wrong).await.unwrap_err();
            assert_eq!(refused.problem, Problem::InvalidRequest);
            assert!(!refused.detail.unwrap().contains("geheim"));
        }
        let refused = body("application/json", r#"{"bto":null}"#).await.unwrap_err();
        assert!(refused.detail.unwrap().starts_with("unknown field `bto`"));
        assert_eq!(body("text/plain", "{}").await.unwrap_err().problem, Problem::InvalidRequest);
    }

    #[actix_web::test]
    async fn the_same_request_has_the_same_fingerprint_and_another_has_not() {
        let person = PersonId(uuid::Uuid::nil());
        let one = body("application/json", "{}").await.unwrap().idempotency(person);
        assert_eq!(body("application/json", "{}").await.unwrap().idempotency(person), one);
        assert_ne!(body("application/json", "{ }").await.unwrap().idempotency(person), one);
    }

    #[test]
    fn a_page_is_never_larger_than_allowed() {
        assert_eq!(page_size(Some(1_000_000), 50, 100), Ok(100));
        assert_eq!(page_size(None, 50, 100), Ok(50));
        assert!(page_size(Some(0), 50, 100).is_err());
    }
}

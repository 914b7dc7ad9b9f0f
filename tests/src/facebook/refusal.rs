//! How Graph says no: a number, a subnumber, and HTTP 400 whatever the reason.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An error of Graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The error's number.
    pub code: u32,
    /// The error's subnumber, if it has one.
    #[serde(default)]
    pub subcode: Option<u32>,
    /// What a developer reads.
    #[serde(default)]
    pub message: String,
    /// Whether Facebook says that the same call may succeed later; some errors carry it.
    #[serde(default)]
    pub is_transient: Option<bool>,
    /// The HTTP status; 400 for nearly all.
    #[serde(default = "bad_request")]
    pub status: u16,
}

const fn bad_request() -> u16 {
    400
}

impl Refusal {
    /// An error without a subnumber.
    #[must_use]
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            code,
            subcode: None,
            message: message.into(),
            is_transient: None,
            status: 400,
        }
    }

    /// An error with a subnumber.
    #[must_use]
    pub fn with_subcode(code: u32, subcode: u32, message: impl Into<String>) -> Self {
        Self {
            subcode: Some(subcode),
            ..Self::new(code, message)
        }
    }

    /// A parameter that Graph does not take.
    #[must_use]
    pub fn parameter(message: impl std::fmt::Display) -> Self {
        Self::new(100, format!("(#100) {message}"))
    }

    /// The token is missing, unknown or dead.
    #[must_use]
    pub fn token() -> Self {
        Self::new(190, "Invalid OAuth access token - Cannot parse access token")
    }

    /// The object in the path does not exist for this token.
    #[must_use]
    pub fn unknown_object(id: &str) -> Self {
        Self::with_subcode(
            100,
            33,
            format!(
                "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation"
            ),
        )
    }

    /// The body as Graph writes it.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut error = Map::from_iter([
            ("message".to_owned(), json!(self.message)),
            ("type".to_owned(), json!("OAuthException")),
            ("code".to_owned(), json!(self.code)),
            ("fbtrace_id".to_owned(), json!("ASimulatedTraceOfNoOne")),
        ]);
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".to_owned(), json!(subcode));
        }
        if let Some(transient) = self.is_transient {
            error.insert("is_transient".to_owned(), json!(transient));
        }
        json!({ "error": error })
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST)).json(self.body())
    }
}

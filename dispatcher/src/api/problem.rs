//! Why a request was not answered as wished: problem+json with an id of a closed list, which the console translates.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use domain::Rejection;
use engine::CommandError;
use engine::ports::StoreError;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{error, warn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $status:ident, $title:literal;)+) => {
        /// The closed list of what can go wrong for a caller.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Problem {
            $($(#[$doc])* $name,)+
        }

        impl Problem {
            /// Every problem.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The id that the console translates.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }

            /// A sentence for whoever reads the answer itself.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }
        }
    };
}

problems! {
    /// The request cannot be understood, or a field has a value that makes no sense.
    InvalidRequest = "invalid_request", BAD_REQUEST, "The request is not valid.";
    /// No session, or one that is over.
    NotSignedIn = "not_signed_in", UNAUTHORIZED, "Nobody is signed in.";
    /// Login or password is wrong.
    WrongCredentials = "wrong_credentials", UNAUTHORIZED, "Login or password is wrong.";
    /// The header that proves that the console itself asks is missing or wrong.
    CsrfTokenMissing = "csrf_token_missing", FORBIDDEN, "The X-CSRF-Token header is missing or wrong.";
    /// The person may not do this, or not here.
    NotPermitted = "not_permitted", FORBIDDEN, "This is not permitted.";
    /// It does not exist.
    NotFound = "not_found", NOT_FOUND, "It does not exist.";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here.";
    /// Something with this name or id exists already.
    AlreadyExists = "already_exists", CONFLICT, "It exists already.";
    /// Somebody changed it in the meantime.
    Stale = "stale", CONFLICT, "Somebody changed it in the meantime.";
    /// The conversation is closed.
    ConversationOver = "conversation_over", CONFLICT, "The conversation is over.";
    /// The conversation is not with this person.
    NotYourConversation = "not_your_conversation", CONFLICT, "The conversation is not yours.";
    /// The work mode allows no hand-over, or there is no bot.
    HandOverNotAllowed = "hand_over_not_allowed", CONFLICT, "The channel allows no such hand-over.";
    /// The agent is not ready.
    AgentNotReady = "agent_not_ready", CONFLICT, "The agent is not ready.";
    /// The agent is full.
    NoCapacity = "no_capacity", CONFLICT, "The agent has no free capacity.";
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key was used for another request.";
    /// There is nothing to send.
    TextEmpty = "text_empty", UNPROCESSABLE_ENTITY, "There is no text.";
    /// More than may be sent.
    TextTooLong = "text_too_long", UNPROCESSABLE_ENTITY, "The text is too long.";
    /// The body is larger than allowed.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large.";
    /// Too many failed attempts to sign in.
    TooManyAttempts = "too_many_attempts", TOO_MANY_REQUESTS, "Too many attempts.";
    /// The database or something else that is needed is away.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service is not available.";
    /// A defect of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "An internal error.";
}

impl Problem {
    /// The problem with a word on this very case.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Refused {
        Refused {
            detail: Some(detail.into()),
            ..Refused::from(self)
        }
    }

    /// The problem, and when to try again.
    #[must_use]
    pub fn until(self, retry_after: Duration) -> Refused {
        Refused {
            retry_after: Some(retry_after),
            ..Refused::from(self)
        }
    }
}

/// A request that was not answered as wished. Never carries a text, a name or a secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", problem.id())]
pub struct Refused {
    /// What it was.
    pub problem: Problem,
    /// A word on this very case.
    pub detail: Option<String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The methods that the path has.
    pub allow: Option<String>,
    /// Numbers that belong to the problem.
    pub more: Map<String, Value>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            detail: None,
            retry_after: None,
            allow: None,
            more: Map::new(),
        }
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        let problem = match &rejection {
            Rejection::ConversationOver => Problem::ConversationOver,
            // Who wanted to take it came second.
            Rejection::NotYourConversation | Rejection::NotWaiting => Problem::NotYourConversation,
            Rejection::HandOverNotAllowed { .. } | Rejection::NoBot => Problem::HandOverNotAllowed,
            Rejection::StaleTurn { .. } | Rejection::NotUnderWay | Rejection::Stale => Problem::Stale,
            Rejection::AgentNotReady => Problem::AgentNotReady,
            Rejection::NoCapacity => Problem::NoCapacity,
            Rejection::NotInSkillGroup => Problem::NotPermitted,
            Rejection::TextEmpty => Problem::TextEmpty,
            Rejection::TextTooLong { .. } => Problem::TextTooLong,
            Rejection::AlreadyExists { .. } => Problem::AlreadyExists,
            Rejection::NotFound { .. } => Problem::NotFound,
            Rejection::Invalid { .. } => Problem::InvalidRequest,
        };
        let mut refused = problem.because(rejection.to_string());
        if let Rejection::TextTooLong { length, most } = rejection {
            refused.more.insert("length".to_owned(), length.into());
            refused.more.insert("most".to_owned(), most.into());
        }
        refused
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict { .. } => Problem::Stale.into(),
            StoreError::LockTimeout => {
                warn!(%error, "a request found its locks taken");
                Problem::Unavailable.until(Duration::from_secs(1))
            }
            StoreError::Data { reason } => {
                warn!(reason, "the database refused what a request brought");
                Problem::InvalidRequest.because("the data was refused")
            }
            StoreError::Unavailable(source) => {
                warn!(error = %source, "a request needed the database");
                Problem::Unavailable.until(Duration::from_secs(2))
            }
            StoreError::Unreadable { .. } => {
                error!(%error, "a request met an event that this version cannot read");
                Problem::Internal.into()
            }
        }
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            CommandError::KeyReused => Problem::IdempotencyKeyReused.into(),
            CommandError::Store(error) => error.into(),
        }
    }
}

/// The body of an answer that tells a problem.
#[derive(Serialize)]
struct Body<'a> {
    id: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.problem.status()
    }

    fn error_response(&self) -> HttpResponse {
        let body = Body {
            id: self.problem.id(),
            title: self.problem.title(),
            status: self.problem.status().as_u16(),
            detail: self.detail.as_deref(),
            more: &self.more,
        };
        let mut response = HttpResponse::build(self.problem.status())
            .content_type("application/problem+json")
            .body(serde_json::to_vec(&body).unwrap_or_default());
        let headers = response.headers_mut();
        if let Some(span) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(span.as_secs().max(1)));
        }
        if let Some(Ok(methods)) = self.allow.as_deref().map(HeaderValue::from_str) {
            headers.insert(ALLOW, methods);
        }
        response
    }
}

/// How a problem is described in the OpenAPI document.
pub(crate) struct ProblemSchema;

impl PartialSchema for ProblemSchema {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let ids = text().enum_values(Some(Problem::ALL.iter().map(|problem| problem.id())));
        let number = || ObjectBuilder::new().schema_type(Type::Integer);
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Object))
            .property("id", ids)
            .property("title", text())
            .property("status", number())
            .property("detail", text().description(Some("A word on this very case, for developers.")))
            .property("length", number().description(Some("With text_too_long: characters given.")))
            .property("most", number().description(Some("With text_too_long: characters allowed.")))
            .required("id")
            .required("title")
            .required("status")
            .description(Some("Why a request was not answered as wished. The list of ids is closed."))
            .into()
    }
}

impl ToSchema for ProblemSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Problem".into()
    }
}

/// A text of a closed list, for schemas.
pub(crate) fn one_of(words: &[&'static str]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_is_the_one_that_the_console_translates() {
        let ids: BTreeSet<_> = Problem::ALL.iter().map(|problem| problem.id()).collect();
        assert_eq!(ids.len(), Problem::ALL.len(), "an id stands for one problem");
        let promised = "invalid_request not_signed_in wrong_credentials csrf_token_missing not_permitted not_found method_not_allowed \
                        already_exists stale conversation_over not_your_conversation hand_over_not_allowed agent_not_ready no_capacity \
                        idempotency_key_reused text_empty text_too_long payload_too_large too_many_attempts unavailable internal";
        assert_eq!(ids, promised.split_whitespace().collect());
    }

    #[actix_web::test]
    async fn a_refused_request_says_why_in_a_way_that_machines_read() {
        let refused = Refused::from(Rejection::TextTooLong { length: 30, most: 20 });
        let response = refused.error_response();
        assert_eq!(response.status().as_u16(), 422);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
        assert_eq!(body["id"], "text_too_long");
        assert_eq!(body["most"], 20);
    }

    #[actix_web::test]
    async fn who_has_to_wait_is_told_how_long() {
        let response = Problem::TooManyAttempts.until(Duration::from_secs(90)).error_response();
        assert_eq!(response.headers().get("retry-after").unwrap(), "90");
    }
}

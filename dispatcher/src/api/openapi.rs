//! The API's description of itself, and which paths there are.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, get};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem, Paths};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::doorkeeper::SESSION_COOKIE;
use super::problem::{Problem, ProblemSchema, Refused};

/// Operations that need no session.
const OPEN: [&str; 2] = ["create_session", "get_openapi"];
/// Operations that may carry an idempotency key.
const COMMANDS: [&str; 4] = [
    "create_reply",
    "accept_conversation",
    "hand_over_conversation",
    "close_conversation",
];

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| complete(super::described()));
static TEXT: LazyLock<Bytes> = LazyLock::new(|| DOCUMENT.to_pretty_json().unwrap_or_default().into());
static PATHS: LazyLock<Vec<(ResourceDef, Vec<&'static str>)>> = LazyLock::new(|| {
    let methods = |item: &PathItem| operations(item).into_iter().map(|(method, _)| method).collect();
    DOCUMENT
        .paths
        .paths
        .iter()
        .map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item)))
        .collect()
});

/// The whole document.
#[must_use]
pub fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// The document as it is served.
#[must_use]
pub fn text() -> Bytes {
    TEXT.clone()
}

/// This document.
#[utoipa::path(operation_id = "get_openapi", tag = "openapi", responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
#[get("/openapi.json")]
pub(crate) async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(text())
}

/// What has no handler: a path with other methods, or none at all.
pub(crate) async fn refuse_unknown(request: HttpRequest) -> HttpResponse {
    let known = PATHS.iter().find(|(path, _)| path.is_match(request.path()));
    let refused = match known {
        Some((_, methods)) => Refused {
            allow: Some(methods.join(", ")),
            ..Problem::MethodNotAllowed.into()
        },
        None => Problem::NotFound.into(),
    };
    refused.error_response()
}

/// Adds what holds for all operations.
fn complete(mut described: OpenApi) -> OpenApi {
    let components = described.components.get_or_insert_with(Components::new);
    components
        .schemas
        .insert(ProblemSchema::name().into_owned(), ProblemSchema::schema());
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    components.security_schemes.insert("session".to_owned(), cookie.into());
    let taken = bodies(&described.paths);
    for (_, schema) in components.schemas.iter_mut().filter(|(name, _)| !taken.contains(*name)) {
        always_tell_everything(schema);
    }
    components
        .schemas
        .insert(ProblemSchema::name().into_owned(), ProblemSchema::schema());
    for item in described.paths.paths.values_mut() {
        complete_item(item);
    }
    let info = InfoBuilder::new()
        .title("Frontdesk")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "What the agent console uses. Sign in with POST /api/v1/session; the answer's csrf_token goes into the header X-CSRF-Token of \
             everything but GET.",
        ))
        .build();
    OpenApiBuilder::from(described).info(info).build()
}

/// The schemas of request bodies.
fn bodies(paths: &Paths) -> BTreeSet<String> {
    let operations = paths.paths.values().flat_map(operations);
    operations.filter_map(|(_, operation)| body(operation)).collect()
}

fn body(operation: &Operation) -> Option<String> {
    let RefOr::T(body) = operation.request_body.as_ref()? else {
        return None;
    };
    let RefOr::T(content) = body.content.values().next()? else {
        return None;
    };
    let RefOr::Ref(schema) = content.schema.as_ref()? else {
        return None;
    };
    schema.ref_location.rsplit('/').next().map(str::to_owned)
}

/// What an answer does not know is null, never left out.
fn always_tell_everything(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema {
        object.required = object.properties.keys().cloned().collect();
    }
}

fn complete_item(item: &mut PathItem) {
    for (method, slot) in slots(item) {
        if let Some(operation) = slot {
            complete_operation(method, operation);
        }
    }
}

fn complete_operation(method: &str, operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let refused = ResponseBuilder::new()
        .description("Why the request was not answered as wished.")
        .content("application/problem+json", problem)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(refused));
    if !OPEN.contains(&id.as_str()) {
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("session", [])]);
    }
    let parameters = operation.parameters.get_or_insert_default();
    if method != "GET" && !OPEN.contains(&id.as_str()) {
        parameters.push(header("X-CSRF-Token", Required::True, "csrf_token of the session."));
    }
    if COMMANDS.contains(&id.as_str()) {
        let text = "Up to 128 characters. The same key of the same person never acts twice; the first answer is given again.";
        parameters.push(header("Idempotency-Key", Required::False, text));
    }
    if method == "PATCH" {
        parameters.push(header("If-Match", Required::False, "The version that the change is based on."));
    }
}

fn header(name: &str, required: Required, description: &str) -> RefOr<utoipa::openapi::path::Parameter> {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    RefOr::T(parameter)
}

/// Every operation of a path, by method.
#[must_use]
pub fn operations(item: &PathItem) -> Vec<(&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
        .collect()
}

const fn slots(item: &mut PathItem) -> [(&'static str, &mut Option<Operation>); 5] {
    [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ]
}

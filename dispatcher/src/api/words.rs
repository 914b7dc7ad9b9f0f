//! The closed lists of words in requests and answers, for the OpenAPI document.

use domain::permission::Permission;
use domain::texts::TextKey;
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{Object, RefOr};

use super::problem::one_of;

pub(crate) fn role() -> Object {
    one_of(&["administrator", "agent"])
}

pub(crate) fn presence() -> Object {
    one_of(&["ready", "busy", "offline"])
}

pub(crate) fn work_mode() -> Object {
    one_of(&["bot_first", "human_first", "bot_only"])
}

pub(crate) fn phase() -> Object {
    one_of(&["with_bot", "waiting", "offered", "with_agent", "wrap_up", "closed"])
}

pub(crate) fn message_direction() -> Object {
    one_of(&["in", "out"])
}

pub(crate) fn direction() -> Object {
    one_of(&["in", "out", "none"])
}

pub(crate) fn item_kind() -> Object {
    one_of(&["message", "postback", "referral", "event", "notice"])
}

pub(crate) fn author_kind() -> Object {
    one_of(&["visitor", "bot", "agent", "system", "platform"])
}

pub(crate) fn view() -> Object {
    one_of(&["mine", "queue", "open", "closed"])
}

pub(crate) fn send_status() -> Object {
    let words = ["pending", "sent", "refused", "unknown", "withdrawn", "delivered", "read"];
    ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::SchemaType::Array(vec![Type::String, Type::Null]))
        .enum_values(Some(words.into_iter().map(Value::from).chain([Value::Null])))
        .build()
}

pub(crate) fn permissions() -> utoipa::openapi::schema::Array {
    let names = Permission::ALL
        .iter()
        .filter_map(|permission| serde_json::to_value(permission).ok());
    let one = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build();
    utoipa::openapi::schema::ArrayBuilder::new().items(one).build()
}

/// Texts by key: in answers every key, in changes any of them.
pub(crate) fn texts() -> Object {
    let keys = TextKey::ALL.map(TextKey::as_str).join(", ");
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(
            ObjectBuilder::new().schema_type(Type::String).build().into(),
        ))))
        .description(Some(format!(
            "Texts that a visitor can get, by key: {keys}. A blank text means silence."
        )))
        .build()
}

//! What is checked of what people enter.

use domain::{Content, Rejection};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::api::problem::{Problem, Refused};

/// The longest name.
const MOST_NAME: usize = 100;
/// The longest secret.
const MOST_SECRET: usize = 1_000;

/// A name: one line, something in it.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > MOST_NAME || text.chars().any(char::is_control) {
        return Err(Problem::InvalidRequest.because(format!("{field}: one line of 1 to {MOST_NAME} characters")));
    }
    Ok(text.to_owned())
}

/// A secret, as it is put into the content of an event.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(SecretString);

impl Secret {
    /// Checks it. What is around it was copied along.
    pub(super) fn checked(&self, field: &'static str) -> Result<String, Refused> {
        let text = self.0.expose_secret().trim();
        if text.is_empty() || text.len() > MOST_SECRET || text.chars().any(char::is_control) {
            return Err(Problem::InvalidRequest.because(format!("{field}: 1 to {MOST_SECRET} bytes without control characters")));
        }
        Ok(text.to_owned())
    }
}

impl PartialSchema for Secret {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .write_only(true)
            .description(Some("Goes in and never comes out."))
            .into()
    }
}

impl ToSchema for Secret {}

/// A change of one field of a content: set, or taken away.
pub(super) type FieldChange = (String, Option<String>);

/// Carries out changes of fields.
pub(super) fn set_fields(content: &mut Content, changes: &[FieldChange]) {
    for (field, value) in changes {
        match value {
            Some(value) => content.fields.insert(field.clone(), value.clone()),
            None => content.fields.remove(field),
        };
    }
}

/// Content that begins with these fields.
pub(super) fn content_of<const N: usize>(fields: [(&str, Option<String>); N]) -> Content {
    let fields = fields
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (field.to_owned(), value)));
    Content {
        fields: fields.collect(),
        ..Content::default()
    }
}

/// What is referred to does not exist.
pub(super) fn dangling(field: &'static str) -> Refused {
    Rejection::Invalid {
        field,
        problem: "there is no such thing",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_with_something_in_it() {
        assert_eq!(name("name", "  客服一组 "), Ok("客服一组".to_owned()));
        for wrong in ["", "   ", "a\nb", "a\u{0}b", &"长".repeat(101)] {
            assert_eq!(name("name", wrong).unwrap_err().problem, Problem::InvalidRequest, "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_loses_what_was_copied_along_and_is_never_empty() {
        let secret = |text: &str| Secret(SecretString::from(text)).checked("token");
        assert_eq!(secret(" EAAG123\n"), Ok("EAAG123".to_owned()));
        assert!(secret(" ").is_err());
        assert!(secret("a\u{0}b").is_err());
    }
}

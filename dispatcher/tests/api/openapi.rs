//! The API's description of itself.

use std::path::Path;

use dispatcher::api::openapi::{document, operations, text};
use serde_json::Value;

use crate::world::World;

/// Beside the crate's manifest; the console's types are generated from it.
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// A change of the API shows in the history. Run with UPDATE_OPENAPI=1 to accept it.
#[test]
fn the_description_is_the_one_that_was_agreed_on() {
    let served = String::from_utf8(text().to_vec()).unwrap() + "\n";
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration struct")]
    if std::env::var("UPDATE_OPENAPI").is_ok() {
        std::fs::write(SNAPSHOT, &served).unwrap();
    }
    let agreed = std::fs::read_to_string(Path::new(SNAPSHOT)).unwrap_or_default();
    assert!(
        served == agreed,
        "{SNAPSHOT} is not what is served; accept the change with UPDATE_OPENAPI=1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_to_anybody() {
    let world = World::new().await;
    let served = world.stranger().get("!/api/openapi.json").await.ok();
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(served["info"]["title"], "Frontdesk");
}

#[test]
fn every_operation_is_named_by_what_it_does_and_says_how_it_refuses() {
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in &document().paths.paths {
        assert!(path == "/api/openapi.json" || path.starts_with("/api/v1/"), "{path}");
        for (_, operation) in operations(item) {
            let name = operation.operation_id.clone().expect("an operation has an id");
            let (verb, resource) = name.split_once('_').expect("verb and resource");
            let verbs = ["list", "get", "create", "update", "delete", "accept", "close", "hand", "follow"];
            assert!(verbs.contains(&verb) && !resource.is_empty(), "{name}");
            assert!(operation.responses.responses.contains_key("default"), "{name}");
            assert!(names.insert(name));
        }
    }
}

#[test]
fn every_reference_within_the_description_leads_somewhere() {
    let document: Value = serde_json::from_slice(&text()).unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

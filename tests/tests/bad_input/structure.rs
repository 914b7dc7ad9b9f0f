//! Mutations that keep the JSON whole: another value, another name, something missing.

use serde_json::{Map, Value, json};
use tests::simulation::Chance;

use crate::bytes::below;

/// Up to three changes anywhere below a value.
pub(crate) fn mutate(value: &mut Value, chance: &mut Chance) {
    for _ in 0..=chance.below(3) {
        let places = count(value);
        let place = below(chance, places);
        change(value, &mut { place }, chance);
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(count).sum::<usize>(),
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Changes the value at a place, counted in depth first.
fn change(value: &mut Value, place: &mut usize, chance: &mut Chance) -> bool {
    if *place == 0 {
        strike(value, chance);
        return true;
    }
    *place -= 1;
    match value {
        Value::Array(elements) => elements.iter_mut().any(|element| change(element, place, chance)),
        Value::Object(fields) => fields.values_mut().any(|field| change(field, place, chance)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn strike(value: &mut Value, chance: &mut Chance) {
    match value {
        Value::Object(fields) if !fields.is_empty() && chance.below(3) > 0 => strike_field(fields, chance),
        Value::Array(elements) if !elements.is_empty() && chance.below(2) == 0 => {
            let copy = elements[below(chance, elements.len())].clone();
            elements.push(copy);
        }
        _ => *value = odd(chance),
    }
}

fn strike_field(fields: &mut Map<String, Value>, chance: &mut Chance) {
    let key = fields.keys().nth(below(chance, fields.len())).unwrap().clone();
    let value = fields.remove(&key).unwrap();
    let names = [
        "",
        "mess\u{0}age",
        "sender",
        "recipient",
        "message",
        "postback",
        "timestamp",
        "新的",
        "is_echo",
        "delivery",
        "a\"b\\c",
    ];
    match chance.below(4) {
        // Something is missing.
        0 => {}
        // Something is there twice, under another name.
        1 => {
            fields.insert(key, value.clone());
            fields.insert(names[below(chance, names.len())].to_owned(), value);
        }
        _ => {
            fields.insert(names[below(chance, names.len())].to_owned(), value);
        }
    }
}

fn odd(chance: &mut Chance) -> Value {
    let values = [
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("a\u{0}b\u{202e}c\u{fffd}😀"),
        json!("x".repeat(5_000)),
        json!("字".repeat(3_000)),
        json!([]),
        json!({}),
        json!([null, [null, [null]]]),
        json!({"id": null}),
        json!({"id": "page"}),
        json!({"id": "9".repeat(200)}),
        json!({"id": "\u{0}"}),
        json!({"id": ["1"]}),
        json!({"user_ref": "\u{0}a/b"}),
        nested(100),
    ];
    values[below(chance, values.len())].clone()
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inside, _| json!([inside]))
}

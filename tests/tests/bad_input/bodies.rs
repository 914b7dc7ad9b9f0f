//! What is posted: a body, and which healthy events in it must be in the log whatever becomes of the rest.

use serde_json::{Value, json};
use tests::facebook::escape::escape_json;
use tests::simulation::Chance;

use crate::samples::{PAGE, Sample};
use crate::{bytes, structure};

/// A body to post.
pub(crate) struct Case {
    pub(crate) body: Vec<u8>,
    /// Facebook's ids of the healthy messages that share it.
    pub(crate) siblings: Vec<String>,
}

/// The case of a number: the same seed and number give the same body.
pub(crate) fn case(samples: &[Sample], seed: u64, number: u64) -> Case {
    let mut chance = Chance::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let sample = &samples[bytes::below(&mut chance, samples.len())];
    if chance.below(5) < 3 {
        let mut body = sample.body.clone().into_bytes();
        bytes::mutate(&mut body, &mut chance);
        return Case {
            body,
            siblings: Vec::new(),
        };
    }
    let mut element = element_of(sample, &mut chance);
    structure::mutate(&mut element, &mut chance);
    between_siblings(&element, number, &mut chance)
}

/// One of the sample's events.
fn element_of(sample: &Sample, chance: &mut Chance) -> Value {
    let body: Value = serde_json::from_str(&sample.body).unwrap_or_default();
    let entries = body["entry"].as_array().cloned().unwrap_or_default();
    let arrays = entries
        .iter()
        .flat_map(|entry| ["messaging", "standby", "changes"].map(|array| entry[array].clone()));
    let elements: Vec<Value> = arrays.filter_map(|array| array.as_array().cloned()).flatten().collect();
    if elements.is_empty() {
        body
    } else {
        elements[bytes::below(chance, elements.len())].clone()
    }
}

/// A broken element between healthy ones: in its array, and as an entry of its own between entries.
fn between_siblings(element: &Value, number: u64, chance: &mut Chance) -> Case {
    let siblings: Vec<String> = (0..4).map(|sibling| format!("m_sibling_{number}_{sibling}")).collect();
    let psid = format!("6099{:012}", chance.below(40));
    let healthy = |mid: &str| json!({"sender": {"id": psid}, "recipient": {"id": PAGE}, "timestamp": 1_700_000_000_000_u64 + number, "message": {"mid": mid, "text": "健康"}});
    let array = ["messaging", "standby", "changes"][bytes::below(chance, 3)];
    let around = json!({"id": PAGE, "time": 1_700_000_000_000_u64, "messaging": [healthy(&siblings[0]), element, healthy(&siblings[1])]});
    let alone = json!({"id": PAGE, "time": 1_700_000_000_001_u64, array: [element]});
    let entry_itself = if chance.below(2) == 0 { alone } else { element.clone() };
    let behind = json!({"id": PAGE, "time": 1_700_000_000_002_u64, "messaging": [healthy(&siblings[2]), healthy(&siblings[3])]});
    let body = json!({"object": "page", "entry": [around, entry_itself, behind]});
    Case {
        body: escape_json(&body.to_string()).into_bytes(),
        siblings,
    }
}

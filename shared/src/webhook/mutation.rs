//! Byte mutations of the sample payloads: whatever arrives, nothing panics and nothing disappears.

use proptest::prelude::*;
use proptest::sample::Index;

use super::{parse_event, samples, split};
use crate::{EventKind, Partition};

/// One change to a body.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Vec<u8>),
    Cut(Index),
}

/// What breaks readers of JSON.
const NASTY: &[&[u8]] = &[
    b"\\ud83d",
    b"\\u0000",
    b"\\",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-1e999",
    b"99999999999999999999999",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\x00",
    b"{},",
    b"[[[[",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let nasty = prop::sample::select(NASTY);
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        3 => (any::<Index>(), 1..20_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        2 => (any::<Index>(), 1..200_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        4 => (any::<Index>(), nasty).prop_map(|(at, bytes)| Mutation::Insert(at, bytes.to_vec())),
        1 => any::<Index>().prop_map(Mutation::Cut),
    ]
}

impl Mutation {
    fn apply(&self, body: &mut Vec<u8>) {
        if body.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, byte) => *at.get_mut(body) = *byte,
            Self::Remove(at, length) => {
                let start = at.index(body.len());
                body.drain(start..(start + length).min(body.len()));
            }
            Self::Repeat(at, length) => {
                let start = at.index(body.len());
                let piece = body[start..(start + length).min(body.len())].to_vec();
                body.splice(start..start, piece);
            }
            Self::Insert(at, bytes) => {
                let start = at.index(body.len());
                body.splice(start..start, bytes.iter().copied());
            }
            Self::Cut(at) => body.truncate(at.index(body.len())),
        }
    }
}

/// How many elements the three arrays of all entries hold, by an independent reading; none where that reading fails.
fn elements(body: &[u8]) -> Option<usize> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let entries = body.get("entry")?.as_array()?;
    let of_entry = |entry: &serde_json::Value| {
        ["messaging", "standby", "changes"]
            .iter()
            .filter_map(|key| entry.get(key)?.as_array().map(Vec::len))
            .sum::<usize>()
    };
    Some(entries.iter().map(of_entry).sum())
}

/// Checks everything that must hold for any bytes.
fn check(body: &[u8]) {
    let counted = elements(body);
    let Ok(split) = split(body) else {
        let other_product = |body: &serde_json::Value| body.get("object").is_some_and(|object| object != "page");
        let is_webhook = counted.is_some() && !serde_json::from_slice(body).is_ok_and(|body| other_product(&body));
        assert!(!is_webhook, "a webhook was refused as a whole: {}", String::from_utf8_lossy(body));
        return;
    };
    let parts = split.events.len() + split.unreadable.len();
    assert!(
        counted.is_none_or(|counted| parts >= counted),
        "{parts} of {counted:?} in {}",
        String::from_utf8_lossy(body)
    );
    let inside = body.as_ptr_range();
    for event in &split.events {
        assert!(inside.contains(&event.json.as_ptr()), "the slice is not a part of the body");
        assert!(event.dedupe_key.len() <= 255 && event.kind.as_text().len() <= 255);
        assert_eq!(crate::Party::from_key(&event.party.as_key()), event.party);
        assert!(usize::from(Partition::of(&event.page_id, &event.party).number()) < 16);
        assert!(
            parse_event(&event.kind, event.json.as_bytes()).is_ok(),
            "{} does not read",
            event.kind
        );
        assert_eq!(EventKind::from_text(&event.kind.as_text()), event.kind);
    }
}

#[test]
fn every_sample_is_split_into_known_events_and_read() {
    let samples = samples::all();
    assert_eq!(samples.len(), 41);
    for (name, body) in samples {
        check(body.as_bytes());
        let split = split(body.as_bytes()).unwrap();
        assert!(split.unreadable.is_empty(), "{name}");
        assert_eq!(Some(split.events.len()), elements(body.as_bytes()), "{name}");
        assert!(
            split.events.iter().all(|event| !matches!(event.kind, EventKind::Unknown(_))),
            "{name}: {:?}",
            split.events
        );
    }
}

proptest! {
    // PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(4_000), ..ProptestConfig::default() })]

    #[test]
    fn mutated_samples_never_panic_and_lose_nothing(sample in any::<Index>(), mutations in prop::collection::vec(mutation(), 1..6)) {
        let samples = samples::all();
        let mut body = sample.get(&samples).1.clone().into_bytes();
        mutations.iter().for_each(|mutation| mutation.apply(&mut body));
        check(&body);
    }

    #[test]
    fn any_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&body);
    }
}

//! Mutations that know nothing of JSON.

use tests::simulation::Chance;

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

/// Up to five changes.
pub(crate) fn mutate(body: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(5) {
        if body.is_empty() {
            return;
        }
        let at = below(chance, body.len());
        match chance.below(13) {
            0..=2 => body[at] = u8::try_from(chance.below(256)).unwrap(),
            3..=5 => {
                let length = 1 + below(chance, 20);
                body.drain(at..(at + length).min(body.len()));
            }
            6..=7 => {
                let piece = body[at..(at + 1 + below(chance, 200)).min(body.len())].to_vec();
                body.splice(at..at, piece);
            }
            8..=11 => {
                let nasty = NASTY[below(chance, NASTY.len())];
                body.splice(at..at, nasty.iter().copied());
            }
            _ => body.truncate(at),
        }
    }
}

/// A number below a length.
pub(crate) fn below(chance: &mut Chance, bound: usize) -> usize {
    usize::try_from(chance.below(u64::try_from(bound).unwrap())).unwrap()
}

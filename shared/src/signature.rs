//! Whether a webhook was written by Facebook: HMAC-SHA256 of the raw bytes with the app secret, in `X-Hub-Signature-256`.
//!
//! Invariant: fail closed. No header, a malformed header or no secret is never a valid signature, and every comparison takes the same
//! time wherever the difference is. The bytes are those on the wire; decoding and encoding again breaks every body with an emoji.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The name of the header.
pub const HEADER: &str = "x-hub-signature-256";

const SCHEME: &str = "sha256=";

/// Why a body is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no `X-Hub-Signature-256` header.
    #[error("the signature header is missing")]
    Missing,
    /// Not `sha256=` and 64 hexadecimal digits.
    #[error("the signature header is malformed")]
    Malformed,
    /// Signed with another secret, or altered on the way.
    #[error("the signature does not match")]
    Mismatch,
}

/// An app secret, prepared for signing. Holds no readable copy of the secret.
#[derive(Clone)]
pub struct AppSecret(Hmac<Sha256>);

impl AppSecret {
    /// Prepares a secret; none for an empty one, which would accept what anybody can sign.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        if secret.is_empty() {
            None
        } else {
            Some(Self(keyed(secret.as_bytes())?))
        }
    }

    /// The header value for a body, as Facebook would write it.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        let mac = self.0.clone().chain_update(body);
        format!("{SCHEME}{}", hex::encode(mac.finalize().into_bytes()))
    }

    fn signed(&self, body: &[u8], digest: &[u8; 32]) -> bool {
        self.0.clone().chain_update(body).verify_slice(digest).is_ok()
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AppSecret(…)")
    }
}

/// Checks that one of the secrets signed exactly these bytes. Two are valid while a secret is rotated.
///
/// # Errors
/// See [`SignatureError`].
pub fn verify<'a>(body: &[u8], header: Option<&[u8]>, secrets: impl IntoIterator<Item = &'a AppSecret>) -> Result<(), SignatureError> {
    let digest = parse_header(header.ok_or(SignatureError::Missing)?)?;
    let signed = secrets.into_iter().any(|secret| secret.signed(body, &digest));
    if signed { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Whether two texts are equal, without telling by the time it takes where they differ.
#[must_use]
pub fn same_text(presented: &str, expected: &str) -> bool {
    // Comparing two keyed digests leaks nothing about either text; the key only has to be the same for both.
    let (Some(presented), Some(expected)) = (digest_of(presented), digest_of(expected)) else {
        return false;
    };
    presented.verify_slice(&expected.finalize().into_bytes()).is_ok()
}

fn digest_of(text: &str) -> Option<Hmac<Sha256>> {
    Some(keyed(b"frontdesk: equal texts")?.chain_update(text.as_bytes()))
}

fn keyed(key: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of every length; the `Option` is for the type alone.
    Hmac::<Sha256>::new_from_slice(key).ok()
}

fn parse_header(header: &[u8]) -> Result<[u8; 32], SignatureError> {
    let digits = header.strip_prefix(SCHEME.as_bytes()).ok_or(SignatureError::Malformed)?;
    let mut digest = [0; 32];
    hex::decode_to_slice(digits, &mut digest).or(Err(SignatureError::Malformed))?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        app_secret: String,
        raw_body: String,
        x_hub_signature_256: String,
    }

    fn vectors() -> Vec<Vector> {
        serde_json::from_str(include_str!("../../tests/fixtures/messenger/signature-vectors.json")).unwrap()
    }

    fn secret(text: &str) -> AppSecret {
        AppSecret::new(text).unwrap()
    }

    #[test]
    fn every_captured_signature_is_accepted_and_reproduced() {
        assert_eq!(vectors().len(), 4);
        for vector in vectors() {
            let secret = secret(&vector.app_secret);
            let body = vector.raw_body.as_bytes();
            assert_eq!(
                verify(body, Some(vector.x_hub_signature_256.as_bytes()), [&secret]),
                Ok(()),
                "{}",
                vector.name
            );
            assert_eq!(secret.sign(body), vector.x_hub_signature_256, "{}", vector.name);
        }
    }

    #[test]
    fn a_body_that_was_decoded_and_encoded_again_is_refused() {
        let vector = vectors()
            .into_iter()
            .find(|vector| vector.name == "escaped-unicode-string-ids")
            .unwrap();
        let decoded = vector
            .raw_body
            .replace("\\u00e4", "ä")
            .replace("\\u00eb", "ë")
            .replace("\\u00ef", "ï");
        assert_ne!(decoded, vector.raw_body);
        let result = verify(
            decoded.as_bytes(),
            Some(vector.x_hub_signature_256.as_bytes()),
            [&secret(&vector.app_secret)],
        );
        assert_eq!(result, Err(SignatureError::Mismatch));
    }

    #[test]
    fn changing_one_byte_of_the_body_breaks_the_signature() {
        for vector in vectors() {
            let mut body = vector.raw_body.into_bytes();
            for position in 0..body.len() {
                body[position] ^= 1;
                let result = verify(&body, Some(vector.x_hub_signature_256.as_bytes()), [&secret(&vector.app_secret)]);
                assert_eq!(result, Err(SignatureError::Mismatch), "{} byte {position}", vector.name);
                body[position] ^= 1;
            }
        }
    }

    #[test]
    fn during_a_rotation_both_secrets_are_valid_and_no_third() {
        let (old, new, other) = (secret("old"), secret("new"), secret("other"));
        for signer in [&old, &new] {
            assert_eq!(verify(b"{}", Some(signer.sign(b"{}").as_bytes()), [&new, &old]), Ok(()));
        }
        assert_eq!(
            verify(b"{}", Some(other.sign(b"{}").as_bytes()), [&new, &old]),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn without_a_secret_nothing_is_valid() {
        let header = secret("x").sign(b"{}");
        assert_eq!(verify(b"{}", Some(header.as_bytes()), []), Err(SignatureError::Mismatch));
        assert!(AppSecret::new("").is_none());
    }

    #[test]
    fn a_missing_or_malformed_header_is_refused() {
        let secret = secret("x");
        let good = secret.sign(b"{}");
        let digits = good.strip_prefix("sha256=").unwrap();
        assert_eq!(verify(b"{}", None, [&secret]), Err(SignatureError::Missing));
        let wrong = [
            String::new(),
            digits.to_owned(),
            format!("sha1={digits}"),
            good.chars().take(70).collect(),
            format!("{good}0"),
            "sha256=zz".into(),
        ];
        for header in wrong {
            assert_eq!(
                verify(b"{}", Some(header.as_bytes()), [&secret]),
                Err(SignatureError::Malformed),
                "{header}"
            );
        }
    }

    #[test]
    fn texts_are_compared_whole() {
        assert!(same_text("foobar20", "foobar20"));
        for other in ["", "foobar2", "foobar201", "Foobar20"] {
            assert!(!same_text(other, "foobar20"), "{other}");
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", secret("geheim")), "AppSecret(…)");
    }
}

//! The two signatures that Facebook puts on a webhook, over the bytes as sent.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// The value of `X-Hub-Signature-256`.
#[must_use]
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn sha256_header(app_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).expect("any key length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The value of the older `X-Hub-Signature`.
#[must_use]
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn sha1_header(app_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(app_secret.as_bytes()).expect("any key length");
    mac.update(body);
    format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facebook::escape::escape_json;

    const SECRET: &str = "e6af24be1d683c8c911949f897eea1f6";
    // An event captured in 2016 and published with its signature; decoded here, Facebook sent it escaped.
    const DECODED: &str = r#"{"object":"page","entry":[{"id":"1751036168465324","time":1460923697656,"messaging":[{"sender":{"id":"982337261802700"},"recipient":{"id":"1751036168465324"},"timestamp":1460923697635,"message":{"mid":"mid.1460923697625:5c96e8279b55505308","seq":614,"text":"Test äëï"}}]}]}"#;

    #[test]
    fn the_escaped_body_gives_the_published_signature() {
        let body = escape_json(DECODED);
        assert_eq!(
            sha1_header(SECRET, body.as_bytes()),
            "sha1=da611bd448dc12acdf0cd3ab33fdb3adaee26145"
        );
        assert_eq!(
            sha256_header(SECRET, body.as_bytes()),
            "sha256=3bf62d5bc657e3a17e55fa0095fa29964db507393b05209c260e2c845254968b"
        );
    }

    #[test]
    fn the_decoded_body_gives_the_wrong_signature() {
        assert_eq!(
            sha1_header(SECRET, DECODED.as_bytes()),
            "sha1=7d6fb32c33b72ef571f82e29d06e4a7da27b747f"
        );
    }
}

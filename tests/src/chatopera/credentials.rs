//! Chatopera's authentication, checked as the service checks it.
//!
//! The header is base64 of `{"appId","timestamp","random","signature"}`; the signature is lower-case hex of HMAC-SHA1 under the
//! secret over client id, timestamp, random, method and path with its query as sent, one behind the other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha1::Sha1;

/// How far a timestamp may be off, in seconds.
const TOLERANCE_S: i64 = 300;

/// Why a call is not let in. The texts are the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No header where one is needed, or one that cannot be read.
    #[error("invalid authorization.")]
    Unreadable,
    /// The client id is not the one of the path.
    #[error("invalid appId.")]
    AppId,
    /// The timestamp is more than five minutes off.
    #[error("invalid timestamp.")]
    Timestamp,
    /// The signature does not fit.
    #[error("invalid signature.")]
    Signature,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "appId")]
    app_id: String,
    timestamp: Value,
    random: Value,
    signature: String,
}

/// A bot's credentials.
#[derive(Clone)]
pub struct Credentials {
    /// The bot's client id.
    pub client_id: String,
    /// Its secret; a private installation has none and takes every call.
    pub secret: Option<String>,
}

impl Credentials {
    /// Checks the header of a call.
    ///
    /// # Errors
    /// Why the call is not let in.
    pub fn check(&self, header: Option<&str>, method: &str, path_and_query: &str, now_s: i64) -> Result<(), AuthError> {
        let Some(secret) = &self.secret else { return Ok(()) };
        let decoded = STANDARD
            .decode(header.ok_or(AuthError::Unreadable)?)
            .map_err(|_error| AuthError::Unreadable)?;
        let header: Header = serde_json::from_slice(&decoded).map_err(|_error| AuthError::Unreadable)?;
        if header.app_id != self.client_id {
            return Err(AuthError::AppId);
        }
        let timestamp = as_written(&header.timestamp).ok_or(AuthError::Timestamp)?;
        let random = as_written(&header.random)
            .filter(|random| !random.is_empty())
            .ok_or(AuthError::Unreadable)?;
        let seconds: i64 = timestamp.parse().map_err(|_error| AuthError::Timestamp)?;
        if (now_s - seconds).abs() > TOLERANCE_S {
            return Err(AuthError::Timestamp);
        }
        let expected = sign(
            secret,
            &[&self.client_id, &timestamp, &random, &method.to_uppercase(), path_and_query],
        );
        if expected == header.signature {
            Ok(())
        } else {
            Err(AuthError::Signature)
        }
    }
}

/// Strings and whole numbers are both in use.
fn as_written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn sign(secret: &str, parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any key length");
    for part in parts {
        mac.update(part.as_bytes());
    }
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CLIENT: &str = "5f0fd4ca5b38fb0015aa0001";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const PATH: &str = "/api/v1/chatbot/5f0fd4ca5b38fb0015aa0001/conversation/query?sdklang=rust";
    // Made once by hand with `openssl dgst -sha1 -hmac`.
    const VECTOR: &str = "eyJhcHBJZCI6IjVmMGZkNGNhNWIzOGZiMDAxNWFhMDAwMSIsInRpbWVzdGFtcCI6IjE3MDAwMDAwMDAiLCJyYW5kb20iOiIxMjM0NTY3ODkwIiwic2lnbmF0dXJlIjoiZTU1ZDIxNDZjM2I1MGFmMGM1ZWIzZDhjOGU2ODczODc5NGU1ZWJmYiJ9";

    fn bot() -> Credentials {
        Credentials {
            client_id: CLIENT.to_owned(),
            secret: Some(SECRET.to_owned()),
        }
    }

    fn header(value: &Value) -> String {
        STANDARD.encode(value.to_string())
    }

    #[test]
    fn the_known_header_is_let_in() {
        assert_eq!(bot().check(Some(VECTOR), "POST", PATH, 1_700_000_000), Ok(()));
    }

    #[test]
    fn numbers_instead_of_strings_are_let_in() {
        let numbers = header(&json!({"appId": CLIENT, "timestamp": 1_700_000_000, "random": 1_234_567_890,
                                     "signature": "e55d2146c3b50af0c5eb3d8c8e68738794e5ebfb"}));
        assert_eq!(bot().check(Some(&numbers), "POST", PATH, 1_700_000_000), Ok(()));
    }

    #[test]
    fn another_method_path_query_secret_or_client_is_kept_out() {
        let bot = bot();
        assert_eq!(bot.check(Some(VECTOR), "GET", PATH, 1_700_000_000), Err(AuthError::Signature));
        assert_eq!(
            bot.check(Some(VECTOR), "POST", PATH.strip_suffix("?sdklang=rust").unwrap(), 1_700_000_000),
            Err(AuthError::Signature)
        );
        let other_secret = Credentials {
            secret: Some("f".repeat(32)),
            ..bot.clone()
        };
        assert_eq!(
            other_secret.check(Some(VECTOR), "POST", PATH, 1_700_000_000),
            Err(AuthError::Signature)
        );
        let other_client = Credentials {
            client_id: "6".repeat(24),
            ..bot
        };
        assert_eq!(other_client.check(Some(VECTOR), "POST", PATH, 1_700_000_000), Err(AuthError::AppId));
    }

    #[test]
    fn a_timestamp_more_than_five_minutes_off_is_kept_out() {
        assert_eq!(bot().check(Some(VECTOR), "POST", PATH, 1_700_000_300), Ok(()));
        assert_eq!(bot().check(Some(VECTOR), "POST", PATH, 1_700_000_301), Err(AuthError::Timestamp));
        assert_eq!(bot().check(Some(VECTOR), "POST", PATH, 1_699_999_699), Err(AuthError::Timestamp));
    }

    #[test]
    fn a_missing_or_unreadable_header_is_kept_out_unless_there_is_no_secret() {
        assert_eq!(bot().check(None, "POST", PATH, 1_700_000_000), Err(AuthError::Unreadable));
        assert_eq!(
            bot().check(Some("Bearer x"), "POST", PATH, 1_700_000_000),
            Err(AuthError::Unreadable)
        );
        let open = Credentials { secret: None, ..bot() };
        assert_eq!(open.check(None, "POST", PATH, 1_700_000_000), Ok(()));
    }
}

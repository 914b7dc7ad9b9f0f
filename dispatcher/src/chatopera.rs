//! Chatopera's bot platform.
//!
//! The authentication is that of Chatopera's SDKs: HMAC-SHA1 over client id, time, nonce, method and path with query,
//! sent as base64 of a JSON object.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::bot::{Answer, BotFailure, BotOutcome};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::Sha1;
use shared::Timestamp;

/// A client of Chatopera's API.
#[derive(Debug, Clone)]
pub struct Chatopera {
    client: Client,
    base: String,
}

/// A bot's credentials.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Chatopera's id of the bot.
    pub client_id: String,
    /// Its secret; private installations may have none.
    pub secret: Option<SecretString>,
    /// Its server, where it is not the configured one.
    pub base_url: Option<String>,
    /// How long an answer may take.
    pub deadline: Duration,
}

#[derive(Deserialize)]
struct Envelope {
    rc: i64,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    string: Option<Value>,
    #[serde(default)]
    logic_is_fallback: Option<bool>,
    #[serde(default)]
    service: Option<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    provider: Option<String>,
}

impl Chatopera {
    /// A client for the platform's base URL.
    ///
    /// # Errors
    /// When the TLS machinery cannot be set up.
    pub fn new(base: &str) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(3))
            // Each question has the deadline of its bot; this is the end of all patience.
            .timeout(Duration::from_secs(120))
            .tcp_nodelay(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Asks one question on behalf of a visitor.
    pub async fn ask(&self, credentials: &Credentials, user: &str, question: &str, now: Timestamp, nonce: u32) -> BotOutcome {
        let base = credentials
            .base_url
            .as_deref()
            .map_or(self.base.as_str(), |base| base.trim_end_matches('/'));
        let path = format!("/api/v1/chatbot/{}/conversation/query?sdklang=rust", credentials.client_id);
        let mut request = self
            .client
            .post(format!("{base}{path}"))
            .timeout(credentials.deadline)
            .json(&json!({ "fromUserId": user, "textMessage": question }));
        if let Some(secret) = &credentials.secret {
            match authorization(
                &credentials.client_id,
                secret.expose_secret(),
                now.as_millis() / 1000,
                &nonce.to_string(),
                "POST",
                &path,
            ) {
                Some(header) => request = request.header("Authorization", header),
                None => return failed(BotFailure::Refused),
            }
        }
        match request.send().await {
            Err(error) if error.is_timeout() => failed(BotFailure::Late),
            Err(_) => failed(BotFailure::Unavailable),
            Ok(response) if response.status().is_server_error() => failed(BotFailure::Unavailable),
            Ok(response) => match response.bytes().await {
                Ok(bytes) => read_answer(&bytes),
                Err(error) if error.is_timeout() => failed(BotFailure::Late),
                Err(_) => failed(BotFailure::Unavailable),
            },
        }
    }
}

const fn failed(reason: BotFailure) -> BotOutcome {
    BotOutcome::Failed { reason }
}

/// The value of the `Authorization` header. `None` only where the secret cannot be a key, which HMAC never says.
#[must_use]
pub fn authorization(client_id: &str, secret: &str, seconds: i64, nonce: &str, method: &str, path: &str) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{client_id}{seconds}{nonce}{method}{path}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let quoted = format!(r#"{{"appId":"{client_id}","timestamp":"{seconds}","random":"{nonce}","signature":"{signature}"}}"#);
    Some(STANDARD.encode(quoted))
}

/// Reads what the platform answered. Whatever is missing is tolerated, whatever is unknown means that the bot cannot help.
#[must_use]
pub fn read_answer(body: &[u8]) -> BotOutcome {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else {
        return failed(BotFailure::Unreadable);
    };
    if envelope.rc != 0 {
        return failed(BotFailure::Refused);
    }
    let Some(data) = envelope.data else {
        return failed(BotFailure::Unreadable);
    };
    let provider = data.service.and_then(|service| service.provider).unwrap_or_default();
    let text = data.string.and_then(|text| match text {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    match (data.logic_is_fallback, provider.as_str()) {
        // A muted visitor: no text, and the fallback flag is missing.
        (_, "mute") => BotOutcome::Muted,
        (None, _) if text.is_none() => BotOutcome::Muted,
        (is_fallback, _) => BotOutcome::Answered(Answer {
            text,
            is_fallback: is_fallback.unwrap_or(false),
            provider,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authorization_is_that_of_the_sdks() {
        let header = authorization(
            "5f0fd4ca5b38fb0015aa0001",
            "0123456789abcdef0123456789abcdef",
            1_700_000_000,
            "1234567890",
            "POST",
            "/api/v1/chatbot/5f0fd4ca5b38fb0015aa0001/conversation/query?sdklang=rust",
        );
        let expected = "eyJhcHBJZCI6IjVmMGZkNGNhNWIzOGZiMDAxNWFhMDAwMSIsInRpbWVzdGFtcCI6IjE3MDAwMDAwMDAiLCJyYW5kb20iOiIxMjM0NTY3ODkwIiwic2lnbmF0dXJlIjoiZTU1ZDIxNDZjM2I1MGFmMGM1ZWIzZDhjOGU2ODczODc5NGU1ZWJmYiJ9";
        assert_eq!(header.as_deref(), Some(expected));
    }

    #[test]
    fn a_plain_answer_is_read() {
        let outcome = read_answer(
            r#"{"rc":0,"data":{"state":"default","string":"您好","logic_is_fallback":false,"service":{"provider":"faq"}}}"#.as_bytes(),
        );
        assert_eq!(
            outcome,
            BotOutcome::Answered(Answer {
                text: Some("您好".into()),
                is_fallback: false,
                provider: "faq".into()
            })
        );
    }

    #[test]
    fn a_muted_visitor_is_told_apart_from_a_silent_bot() {
        assert_eq!(
            read_answer(br#"{"rc":0,"data":{"string":null,"service":{"provider":"mute"}}}"#),
            BotOutcome::Muted
        );
    }

    #[test]
    fn whatever_is_no_answer_is_a_failure_with_its_kind() {
        assert_eq!(read_answer(b"<html>"), failed(BotFailure::Unreadable));
        assert_eq!(read_answer(br#"{"rc":999,"error":"quota"}"#), failed(BotFailure::Refused));
    }
}

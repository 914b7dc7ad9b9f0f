//! The call with which Facebook makes sure that a callback is ours.

use reqwest::StatusCode;

use super::platform::Facebook;

/// What the callback answered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Handshake {
    /// The HTTP status.
    pub status: u16,
    /// The body; it must be the bare challenge.
    pub body: String,
    /// Whether Facebook would be content.
    pub accepted: bool,
}

impl Facebook {
    /// Asks the callback to prove itself, with the app's verify token or another one. `None` without a callback.
    ///
    /// # Errors
    /// When the callback does not answer.
    pub async fn handshake(&self, verify_token: Option<&str>, challenge: &str) -> Result<Option<Handshake>, reqwest::Error> {
        let Some(callback) = self.callback() else { return Ok(None) };
        let token = verify_token.unwrap_or(&self.0.config.app.verify_token);
        let query = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", challenge)];
        let request = self
            .0
            .client
            .get(callback.url().clone())
            .query(&query)
            .timeout(self.0.config.webhooks.deadline);
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        let accepted = status == StatusCode::OK && body == challenge;
        Ok(Some(Handshake {
            status: status.as_u16(),
            body,
            accepted,
        }))
    }
}

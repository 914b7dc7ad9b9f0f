//! Webhooks made by hand, for the suites that count every answer themselves.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::sync::watch;

use crate::facebook::{escape, signature};
use crate::wall_clock;

/// Facebook waits this long.
const DEADLINE: Duration = Duration::from_secs(5);

/// Signs bodies and posts them to ingress, wherever that listens at the moment.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    ingress: watch::Receiver<SocketAddr>,
    app_secret: String,
}

impl Sender {
    /// A sender of one app.
    ///
    /// # Panics
    /// When there is no HTTP client to be had.
    #[must_use]
    pub fn new(ingress: watch::Receiver<SocketAddr>, app_secret: &str) -> Self {
        let client = Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            .tcp_nodelay(true)
            .build()
            .expect("a client");
        Self {
            client,
            ingress,
            app_secret: app_secret.to_owned(),
        }
    }

    /// Posts a body to a Page's path; the answer's status, or none where nobody answered in time.
    pub async fn post(&self, page_id: &str, body: Vec<u8>) -> Option<StatusCode> {
        let address = *self.ingress.borrow();
        let request = self
            .client
            .post(format!("http://{address}/facebook/webhook/{page_id}"))
            .header("Content-Type", "application/json")
            .header("X-Hub-Signature-256", signature::sha256_header(&self.app_secret, &body))
            .body(body);
        Some(request.send().await.ok()?.status())
    }

    /// A visitor's text as a whole body.
    #[must_use]
    pub fn message(page_id: &str, psid: &str, mid: &str, text: &str) -> Vec<u8> {
        let now = wall_clock::now_ms();
        let event = json!({"sender": {"id": psid}, "recipient": {"id": page_id}, "timestamp": now, "message": {"mid": mid, "text": text}});
        let body = json!({"object": "page", "entry": [{"id": page_id, "time": now, "messaging": [event]}]});
        escape::escape_json(&body.to_string()).into_bytes()
    }
}

//! A person who is signed in, as their console sees it.

use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::eventually::PATIENCE;
use super::feed::Feed;

/// Of one request.
const DEADLINE: Duration = Duration::from_secs(15);
/// The feed tells every change; without news for so long the list is looked at anyway.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// What it says; null where it says nothing.
    pub body: Value,
}

impl Answer {
    /// The body of an answer that should be a success.
    ///
    /// # Panics
    /// When it is none.
    pub fn expect_success(self, what: &str) -> Value {
        assert!(self.status.is_success(), "{what}: {} {}", self.status, self.body);
        self.body
    }

    /// The id of the problem, where it is one.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.body["id"].as_str().filter(|_| !self.status.is_success())
    }
}

/// A person who is signed in.
#[derive(Clone)]
pub struct Desk {
    client: Client,
    base_url: String,
    cookie: String,
    csrf_token: String,
    /// The session, as the API told it.
    pub session: Value,
}

impl Desk {
    /// Signs in.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn sign_in(base_url: &str, login: &str, password: &str) -> Self {
        let client = Client::builder().no_proxy().connect_timeout(DEADLINE).build().expect("a client");
        let request = client.post(format!("{base_url}/api/v1/session")).timeout(DEADLINE);
        let response = request
            .json(&json!({"login": login, "password": password}))
            .send()
            .await
            .expect("the API answers");
        let status = response.status();
        let cookie = response
            .headers()
            .get(SET_COOKIE)
            .and_then(|cookie| cookie.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let session: Value = response.json().await.unwrap_or_default();
        assert_eq!(status, StatusCode::OK, "{login} signs in: {session}");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        assert!(
            cookie.starts_with("frontdesk_session="),
            "signing in sets the session's cookie, not {cookie:?}"
        );
        Self {
            client,
            base_url: base_url.to_owned(),
            cookie,
            csrf_token: session["csrf_token"].as_str().expect("a session has a token").to_owned(),
            session,
        }
    }

    /// The same person's session at another dispatcher.
    #[must_use]
    pub fn at(&self, base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            ..self.clone()
        }
    }

    /// The person's id.
    ///
    /// # Panics
    /// When the session names nobody.
    #[must_use]
    pub fn person(&self) -> &str {
        self.session["person"]["id"].as_str().expect("a session is a person's")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method.clone(), format!("{}/api/v1{path}", self.base_url))
            .header(COOKIE, &self.cookie);
        if method == Method::GET {
            request
        } else {
            request.header("X-CSRF-Token", &self.csrf_token)
        }
    }

    /// One call; `key` makes it idempotent.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>, key: Option<&str>) -> Answer {
        let mut request = self.request(method, path).timeout(DEADLINE);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        Answer { status, body }
    }

    /// Reads something.
    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None, None).await.expect_success(path)
    }

    /// Makes something.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body), None).await.expect_success(path)
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: Value) -> Value {
        self.call(Method::PATCH, path, Some(body), None).await.expect_success(path)
    }

    async fn be(&self, presence: &str) -> Value {
        let answer = self.call(Method::PUT, "/presence", Some(json!({"presence": presence})), None).await;
        answer.expect_success(presence)
    }

    /// 就绪.
    pub async fn ready(&self) {
        self.be("ready").await;
    }

    /// 示忙.
    pub async fn busy(&self) {
        self.be("busy").await;
    }

    /// Leaves.
    pub async fn offline(&self) {
        self.be("offline").await;
    }

    /// The conversations of a view: mine, queue, open or closed.
    ///
    /// # Panics
    /// When the answer is no list.
    pub async fn conversations(&self, view: &str) -> Vec<Value> {
        let answer = self.get(&format!("/conversations?view={view}&limit=50")).await;
        answer["conversations"].as_array().expect("a list").clone()
    }

    /// One conversation.
    pub async fn conversation(&self, id: &str) -> Value {
        self.get(&format!("/conversations/{id}")).await["conversation"].clone()
    }

    /// The timeline of a conversation, oldest first.
    ///
    /// # Panics
    /// When the answer is no list.
    pub async fn timeline(&self, id: &str) -> Vec<Value> {
        let answer = self.get(&format!("/conversations/{id}/timeline")).await;
        answer["items"].as_array().expect("a list").clone()
    }

    /// An act on a conversation: replies, accept, hand-over or close.
    pub async fn act(&self, id: &str, act: &str, body: Value) -> Answer {
        self.call(Method::POST, &format!("/conversations/{id}/{act}"), Some(body), None)
            .await
    }

    /// Answers.
    pub async fn reply(&self, id: &str, text: &str) -> Value {
        self.act(id, "replies", json!({"text": text})).await.expect_success("a reply")
    }

    /// Ends a conversation.
    pub async fn close(&self, id: &str) -> Value {
        self.act(id, "close", json!({})).await.expect_success("closing")
    }

    /// Follows the feed from now on, or from after a cursor.
    pub async fn feed(&self, cursor: Option<&str>) -> Feed {
        let mut request = self.request(Method::GET, "/feed");
        if let Some(cursor) = cursor {
            request = request.header("Last-Event-ID", cursor);
        }
        Feed::open(request).await
    }

    /// Waits, as a console does, until a view shows a conversation: looks, and looks again with every event of the feed.
    ///
    /// # Panics
    /// When it never does.
    pub async fn until_shown(&self, feed: &Feed, view: &str, what: &str, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let seen = feed.len();
            let shown = self.conversations(view).await;
            if let Some(found) = shown.iter().find(|conversation| is_it(conversation)) {
                return found.clone();
            }
            assert!(started.elapsed() < PATIENCE, "the view {view} never showed {what}: {shown:?}");
            // Late news are no reason to fail here: the list decides.
            let _news = feed.wait_beyond(seen, LOOK_AGAIN).await;
        }
    }

    /// Waits until a conversation is like this.
    ///
    /// # Panics
    /// When it never is.
    pub async fn until_conversation(&self, id: &str, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let described = format!("the conversation is {what}");
        super::eventually(&described, async || {
            Some(self.conversation(id).await).filter(|conversation| is_it(conversation))
        })
        .await
    }
}

//! A callback that records what it gets and answers as told, and the stage that the tests play on.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tests::facebook::{App, Callback, FacebookConfig, Page, SimulatedFacebook};
use tests::server::RunningServer;
use tests::watched::Watched;

pub(crate) const PAGE: &str = "159955055741";
pub(crate) const TOKEN: &str = "page-token";
pub(crate) const SECRET: &str = "app-secret";
pub(crate) const APP_ID: u64 = 1_517_776_481_860_111;
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A POST as it came.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) body: Bytes,
    pub(crate) sha256: String,
    pub(crate) sha1: String,
    pub(crate) status: u16,
}

#[derive(Default)]
pub(crate) struct Received {
    pub(crate) posts: Vec<Post>,
    /// What the next POSTs are answered with; afterwards 200.
    pub(crate) answers: VecDeque<u16>,
}

/// A callback on a port of its own.
pub(crate) struct Receiver {
    received: Arc<Watched<Received>>,
    server: RunningServer,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let received = Arc::new(Watched::new(Received::default()));
        let data = Data::from(Arc::clone(&received));
        let server = RunningServer::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), move |routes| {
            routes
                .app_data(data.clone())
                .route("/webhook", web::post().to(receive))
                .route("/webhook", web::get().to(prove));
        });
        Self {
            received,
            server: server.unwrap(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/webhook", self.server.base_url())
    }

    pub(crate) fn answer_next_with(&self, statuses: &[u16]) {
        self.received.change(|received| received.answers.extend(statuses));
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.received.read(|received| received.posts.clone())
    }

    /// All events so far, in the order in which they were taken; those answered with an error are not counted.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.received.read(|received| events_of(&received.posts))
    }

    pub(crate) async fn wait_for_events(&self, count: usize) -> Vec<Value> {
        let enough = |received: &Received| Some(events_of(&received.posts)).filter(|events| events.len() >= count);
        self.received.wait_for(enough, SOON).await.unwrap()
    }
}

async fn receive(request: HttpRequest, body: Bytes, received: Data<Watched<Received>>) -> HttpResponse {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let status = received.change(|received| {
        let status = received.answers.pop_front().unwrap_or(200);
        received.posts.push(Post {
            body,
            sha256: header("X-Hub-Signature-256"),
            sha1: header("X-Hub-Signature"),
            status,
        });
        status
    });
    HttpResponse::build(status.try_into().unwrap()).finish()
}

async fn prove(query: Query<std::collections::HashMap<String, String>>) -> HttpResponse {
    let fits = query.get("hub.mode").is_some_and(|mode| mode == "subscribe")
        && query.get("hub.verify_token").is_some_and(|token| token == "foobar20");
    if fits {
        HttpResponse::Ok().body(query["hub.challenge"].clone())
    } else {
        HttpResponse::Forbidden().finish()
    }
}

fn events_of(posts: &[Post]) -> Vec<Value> {
    let taken = posts.iter().filter(|post| post.status == 200);
    let bodies = taken.map(|post| serde_json::from_slice::<Value>(&post.body).unwrap());
    bodies
        .flat_map(|body| body["entry"].as_array().unwrap().clone())
        .flat_map(|entry| entry["messaging"].as_array().unwrap().clone())
        .collect()
}

/// A Facebook with one Page whose app calls a receiver back.
pub(crate) struct Stage {
    pub(crate) facebook: SimulatedFacebook,
    pub(crate) receiver: Receiver,
    pub(crate) client: reqwest::Client,
}

pub(crate) fn config() -> FacebookConfig {
    let app = App {
        id: APP_ID,
        secret: SECRET.to_owned(),
        verify_token: "foobar20".to_owned(),
    };
    FacebookConfig::new(app, Page::new(PAGE, "春松客服 DEMO", TOKEN))
}

impl Stage {
    pub(crate) fn set() -> Self {
        Self::set_with(config())
    }

    pub(crate) fn set_with(config: FacebookConfig) -> Self {
        let receiver = Receiver::start();
        let config = config.with_callback(Callback::parse(&receiver.url()).unwrap());
        Self {
            facebook: SimulatedFacebook::start(config).unwrap(),
            receiver,
            client: client(),
        }
    }

    /// Calls the Send API with the Page's token.
    pub(crate) async fn send(&self, body: Value) -> (u16, Value) {
        let answer = self.try_send(body).await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    pub(crate) async fn try_send(&self, body: Value) -> Result<reqwest::Response, reqwest::Error> {
        let url = format!("{}/v25.0/{PAGE}/messages", self.facebook.base_url());
        self.client.post(url).bearer_auth(TOKEN).json(&body).send().await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self
            .client
            .get(format!("{}{path}", self.facebook.base_url()))
            .bearer_auth(TOKEN)
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, String) {
        let answer = self
            .client
            .post(format!("{}{path}", self.facebook.base_url()))
            .json(&body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> u16 {
        let answer = self
            .client
            .put(format!("{}{path}", self.facebook.base_url()))
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(SOON).build().unwrap()
}

pub(crate) fn text_to(psid: &str, text: &str) -> Value {
    json!({"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": {"text": text, "metadata": "our-id"}})
}

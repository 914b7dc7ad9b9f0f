//! What is measured: the product, or the floor in its place, between simulated platforms of its own.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng as _;
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use shared::signature::AppSecret;

use super::STRAGGLERS;
use super::answers::{Answers, bot_times};
use super::feed::Listener;
use crate::bench::BenchError;
use crate::bench::installation::Installation;
use crate::bench::sample::PAGE;
use crate::bench::service::{self, Footprint, Service};
use crate::chatopera::Credentials;
use crate::facebook::{App, FacebookConfig, Faults, Page};
use crate::platforms::Platforms;
use crate::trigger::Trigger;

const APP_ID: u64 = 1_517_776_481_860_111;
const CLIENT_ID: &str = "5f0fd4ca5b38fb0015aa0001";
const VERIFY_TOKEN: &str = "foobar20";

/// Running processes with the world around them.
pub(super) struct Subject<'i> {
    installation: &'i Installation,
    platforms: Platforms,
    app_secret: String,
    /// First the one that takes webhooks, last the one that has the feed.
    services: Vec<(&'static str, Service)>,
    /// Of a signed-in administrator; the floor asks for none.
    cookie: Option<String>,
}

/// The secrets of one run.
struct Secrets {
    app: String,
    page_token: String,
    /// The floor does not sign its questions.
    bot: Option<String>,
}

impl Secrets {
    fn draw(with_bot: bool) -> Self {
        let draw = || hex::encode(rand::rng().random::<[u8; 16]>());
        Self {
            app: draw(),
            page_token: draw(),
            bot: with_bot.then(draw),
        }
    }
}

impl<'i> Subject<'i> {
    /// Ingress and dispatcher, with a bot-first channel and nobody ready.
    pub(super) async fn product(installation: &'i Installation, echoes: bool) -> Result<Self, BenchError> {
        let secrets = Secrets::draw(true);
        let platforms = platforms(&secrets, echoes)?;
        let environment = environment(installation, &platforms, &secrets);
        let seeded = service::output("dispatcher", &["seed-demo"], &environment).await?;
        let ingress = Service::start::<&str>("ingress", &[], &environment).await?;
        let dispatcher = Service::start("dispatcher", &["serve"], &environment).await?;
        let cookie = sign_in(dispatcher.address, &seeded).await?;
        let services = vec![("ingress", ingress), ("dispatcher", dispatcher)];
        Self::ready(installation, platforms, secrets, services, Some(cookie))
    }

    /// The floor.
    pub(super) async fn floor(installation: &'i Installation, echoes: bool) -> Result<Self, BenchError> {
        let secrets = Secrets::draw(false);
        let platforms = platforms(&secrets, echoes)?;
        let environment = environment(installation, &platforms, &secrets);
        let services = vec![("floor", Service::start("bench", &["pipeline"], &environment).await?)];
        Self::ready(installation, platforms, secrets, services, None)
    }

    fn ready(
        installation: &'i Installation,
        platforms: Platforms,
        secrets: Secrets,
        services: Vec<(&'static str, Service)>,
        cookie: Option<String>,
    ) -> Result<Self, BenchError> {
        let subject = Self {
            installation,
            platforms,
            app_secret: secrets.app,
            services,
            cookie,
        };
        let callback = format!("http://{}/facebook/webhook/{PAGE}", subject.webhook());
        subject
            .platforms
            .facebook
            .set_callback(&callback)
            .map_err(|error| BenchError::Api(error.to_string()))?;
        Ok(subject)
    }

    /// Where webhooks go.
    pub(super) fn webhook(&self) -> SocketAddr {
        self.address(self.services.first())
    }

    fn console(&self) -> SocketAddr {
        self.address(self.services.last())
    }

    fn address(&self, service: Option<&(&'static str, Service)>) -> SocketAddr {
        service.map_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)), |(_, service)| service.address)
    }

    /// What signs webhooks.
    pub(super) fn secret(&self) -> Result<AppSecret, BenchError> {
        AppSecret::new(&self.app_secret).ok_or(BenchError::Refused(401))
    }

    /// Makes a visitor known to Facebook, which takes messages to nobody else.
    pub(super) fn meet(&self, page_id: &str, psid: &str) {
        self.platforms.facebook.meet(page_id, psid);
    }

    /// Connects a console.
    pub(super) async fn listen(&self) -> Result<Listener, BenchError> {
        Listener::connect(self.console(), self.cookie.as_deref()).await
    }

    /// Notes what Facebook accepts from now on.
    pub(super) fn collect_answers(&self) -> Answers {
        Answers::collect(self.platforms.facebook.subscribe())
    }

    /// How long the bot took for each question.
    pub(super) fn bot_times(&self) -> HashMap<String, i64> {
        bot_times(&self.platforms.chatopera)
    }

    /// Waits until Facebook has told everything that it had to tell; the next phase starts on an idle system.
    pub(super) async fn until_quiet(&self) -> bool {
        self.platforms.facebook.wait_until_quiet(STRAGGLERS).await.is_ok()
    }

    /// Checks that the broker gave up on nothing.
    pub(super) async fn none_is_dead(&self) -> Result<(), BenchError> {
        self.installation.queues.none_is_dead().await
    }

    /// What each process needed so far.
    pub(super) fn footprints(&self) -> Result<BTreeMap<&'static str, Footprint>, BenchError> {
        let footprints = self.services.iter().map(|(name, service)| Ok((*name, service.footprint()?)));
        footprints.collect()
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        for (_, service) in self.services {
            service.stop().await?;
        }
        self.platforms.stop().await;
        Ok(())
    }
}

fn platforms(secrets: &Secrets, echoes: bool) -> Result<Platforms, BenchError> {
    let app = App {
        id: APP_ID,
        secret: secrets.app.clone(),
        verify_token: VERIFY_TOKEN.to_owned(),
    };
    let facebook = FacebookConfig::new(app, Page::new(PAGE, "春松客服", &secrets.page_token));
    let bot = Credentials {
        client_id: CLIENT_ID.to_owned(),
        secret: secrets.bot.clone(),
    };
    let platforms = Platforms::start(facebook, bot)?;
    if !echoes {
        platforms.facebook.set_faults(Faults {
            no_echo: Trigger::ALWAYS,
            no_delivery: Trigger::ALWAYS,
            ..Faults::default()
        });
    }
    Ok(platforms)
}

fn environment(installation: &Installation, platforms: &Platforms, secrets: &Secrets) -> BTreeMap<&'static str, String> {
    let anywhere = || "127.0.0.1:0".to_owned();
    let mut environment = installation.environment();
    environment.extend([
        ("INGRESS_LISTEN", anywhere()),
        ("DISPATCHER_LISTEN", anywhere()),
        ("GRAPH_API_URL", platforms.base_url()),
        ("CHATOPERA_URL", platforms.base_url()),
        ("CONSOLE_DIR", installation.console.display().to_string()),
        ("FACEBOOK_APP_ID", APP_ID.to_string()),
        ("APP_SECRET", secrets.app.clone()),
        ("VERIFY_TOKEN", VERIFY_TOKEN.to_owned()),
        ("PAGE_ID", PAGE.to_owned()),
        ("PAGE_NAME", "春松客服".to_owned()),
        ("PAGE_TOKEN", secrets.page_token.clone()),
        ("CHATOPERA_CLIENT_ID", CLIENT_ID.to_owned()),
        ("CHATOPERA_SECRET", secrets.bot.clone().unwrap_or_default()),
    ]);
    environment
}

/// Signs the administrator in; the cookie.
async fn sign_in(console: SocketAddr, seeded: &str) -> Result<String, BenchError> {
    let seeded: Value = serde_json::from_str(seeded.lines().last().unwrap_or_default())?;
    let word = |place: &str| seeded.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let credentials = json!({"login": word("/administrator/login"), "password": word("/administrator/password")});
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let asked = client.post(format!("http://{console}/api/v1/session")).json(&credentials);
    let answer = asked.send().await?.error_for_status()?;
    let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    cookie
        .map(ToOwned::to_owned)
        .ok_or_else(|| BenchError::Api("signing in sets no cookie".to_owned()))
}

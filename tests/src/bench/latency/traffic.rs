//! Visitors who write at a steady rate.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::signature::AppSecret;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::subject::Subject;
use super::{LatencyOptions, MESSAGES_PER_VISITOR};
use crate::bench::BenchError;
use crate::bench::http::Connection;
use crate::bench::sample::{self, Message, PAGE};
use crate::wall_clock;

/// What one phase sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    pub(super) rate: u32,
    pub(super) visitors: u32,
    /// Messages that do not count, and all messages.
    pub(super) warm_up: u32,
    pub(super) total: u32,
    /// The first number of this phase's messages and visitors.
    first: u32,
}

/// A message that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    /// Its place in the phase, from 0.
    pub(super) place: u32,
    pub(super) psid: String,
    pub(super) mid: String,
    pub(super) question: String,
    /// When its POST began, in microseconds since 1970.
    pub(super) sent_at_us: i64,
    /// From then to the 200.
    pub(super) acknowledged_after: Duration,
    /// How far behind its time it was sent.
    pub(super) behind: Duration,
}

impl Traffic {
    pub(super) fn new(options: &LatencyOptions, rate: u32, first: u32) -> Self {
        let warm_up = rate.saturating_mul(options.warm_up_seconds);
        let total = warm_up.saturating_add(rate.saturating_mul(options.seconds));
        Self {
            rate,
            visitors: options.visitors.max(total / MESSAGES_PER_VISITOR + 1),
            warm_up,
            total,
            first,
        }
    }

    /// How many messages its visitor has written before this one.
    pub(super) const fn earlier(&self, place: u32) -> u32 {
        place / self.visitors
    }

    /// Sends everything, each message at its time; returns when all are acknowledged.
    pub(super) async fn run(&self, subject: &Subject<'_>) -> Result<Vec<Posted>, BenchError> {
        for visitor in 0..self.visitors.min(self.total) {
            subject.meet(PAGE, &sample::psid(self.first.saturating_add(visitor)));
        }
        let post = Arc::new(Post::new(subject.webhook(), subject.secret()?));
        let mut under_way = JoinSet::new();
        let mut posted = Vec::new();
        let started = Instant::now();
        for place in 0..self.total {
            let due = started + Duration::from_secs(1) * place / self.rate.max(1);
            sleep_until(due).await;
            let (post, traffic) = (Arc::clone(&post), *self);
            under_way.spawn(async move { post.deliver(traffic, place, due).await });
            while let Some(done) = under_way.try_join_next() {
                posted.push(done??);
            }
        }
        while let Some(done) = under_way.join_next().await {
            posted.push(done??);
        }
        Ok(posted)
    }

    fn question(&self, place: u32) -> String {
        format!("#{}", self.first.saturating_add(place))
    }
}

/// Well below what servers keep an idle connection for: one that is closed while it is taken up again would fail the run.
const FRESH: Duration = Duration::from_secs(20);

/// Sends webhooks over as many connections as are needed at once.
struct Post {
    address: SocketAddr,
    secret: AppSecret,
    /// Connections and since when they are idle, the freshest last.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Post {
    fn new(address: SocketAddr, secret: AppSecret) -> Self {
        Self {
            address,
            secret,
            idle: Mutex::default(),
        }
    }

    async fn deliver(&self, traffic: Traffic, place: u32, due: Instant) -> Result<Posted, BenchError> {
        let mark = traffic.question(place);
        let visitor = traffic.first.saturating_add(place % traffic.visitors);
        // 运费怎么算？, which the bot answers from its knowledge base, and a mark.
        let escaped_text = format!(r"\u8fd0\u8d39\u600e\u4e48\u7b97\uff1f {mark}");
        let number = traffic.first.saturating_add(place);
        let message = Message::new(number, visitor, wall_clock::now_ms(), &escaped_text);
        let request = message.request(&self.secret);
        let (began, sent_at_us) = (Instant::now(), wall_clock::now_us());
        let mut connection = match self.taken() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let status = connection.exchange(&request).await?;
        let acknowledged_after = began.elapsed();
        self.put_back(connection);
        if status != 200 {
            return Err(BenchError::Refused(status));
        }
        Ok(Posted {
            place,
            psid: message.psid,
            mid: message.mid,
            question: format!("运费怎么算？ {mark}"),
            sent_at_us,
            acknowledged_after,
            behind: began.saturating_duration_since(due),
        })
    }

    fn taken(&self) -> Option<Connection> {
        let freshest = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        freshest
            .filter(|(_, since)| since.elapsed() < FRESH)
            .map(|(connection, _)| connection)
    }

    fn put_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((connection, Instant::now()));
    }
}

//! The connection to RabbitMQ and everything declared there.
//!
//! Invariant: a connection is never repaired. When it fails, connection, channels and consumers are made anew; lapin's own recovery re-uses
//! delivery tags and loses track of what was acknowledged.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use rand::Rng as _;
use shared::topology::{Argument, ExchangeKind as Routing, Queue, Topology};
use tokio::time::{error::Elapsed, timeout};

use crate::config::BrokerConfig;

/// Seconds between heartbeats: a peer that says nothing for twice as long is dead.
const HEARTBEAT_SECONDS: u16 = 5;
/// lapin keeps 32 frames of this size for each direction. The broker's 128 KiB would cost 8 MiB a connection.
const FRAME_MAX: u32 = 32 * 1024;
/// How long connecting and declaring may take.
const PATIENCE: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why there is no connection. Never holds the URL, which has a password.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The URL was checked at the start, so this is a mistake of ours.
    #[error("AMQP_URL is not readable")]
    Url,
    /// Nobody answered in time.
    #[error("the broker does not answer")]
    Silent(#[from] Elapsed),
    /// The broker or the network said no.
    #[error("the broker connection failed")]
    Amqp(#[from] lapin::Error),
}

/// Where the broker is and what everything there is called.
#[derive(Debug, Clone)]
pub struct Broker {
    config: BrokerConfig,
    topology: Topology,
    name: String,
}

impl Broker {
    /// A broker as configured; `name` is how the broker's own tools list our connections.
    #[must_use]
    pub fn new(config: &BrokerConfig, name: &str) -> Self {
        Self {
            config: config.clone(),
            topology: config.topology(),
            name: name.to_owned(),
        }
    }

    /// The names at this broker.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Makes a new connection. `purpose` is added to its name.
    ///
    /// # Errors
    /// See [`BrokerError`].
    pub async fn connect(&self, purpose: &str) -> Result<Connection, BrokerError> {
        let mut uri: AMQPUri = self.config.amqp_url.expose().parse().or(Err(BrokerError::Url))?;
        uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
        uri.query.frame_max = Some(FRAME_MAX);
        let name = LongString::from(format!("{} {purpose}", self.name));
        let properties = ConnectionProperties::default().with_connection_name(name);
        Ok(timeout(PATIENCE, Connection::connect_uri(uri, properties)).await??)
    }

    /// Declares every exchange, broker queue and binding. Declaring what is there already changes nothing.
    ///
    /// # Errors
    /// See [`BrokerError`]; also when something is there with other arguments.
    pub async fn declare(&self, channel: &Channel) -> Result<(), BrokerError> {
        timeout(PATIENCE, declare_all(channel, &self.topology)).await??;
        Ok(())
    }
}

async fn declare_all(channel: &Channel, topology: &Topology) -> Result<(), lapin::Error> {
    for exchange in topology.exchanges() {
        let kind = match exchange.kind {
            Routing::Direct => ExchangeKind::Direct,
            Routing::Fanout => ExchangeKind::Fanout,
        };
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        channel
            .exchange_declare(short(&exchange.name), kind, options, FieldTable::default())
            .await?;
    }
    for queue in topology.queues() {
        declare_queue(channel, &queue).await?;
    }
    Ok(())
}

async fn declare_queue(channel: &Channel, queue: &Queue) -> Result<(), lapin::Error> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel.queue_declare(short(&queue.name), options, arguments(queue)).await?;
    if let Some((exchange, routing_key)) = &queue.binding {
        channel
            .queue_bind(
                short(&queue.name),
                short(exchange),
                short(routing_key),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
    }
    Ok(())
}

fn arguments(queue: &Queue) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, argument) in &queue.arguments {
        let value = match argument {
            Argument::Text(text) => AMQPValue::LongString(LongString::from(text.as_str())),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
            Argument::Switch(on) => AMQPValue::Boolean(*on),
        };
        table.insert(short(name), value);
    }
    table
}

/// A text as AMQP's short text. Names of ours are far below its 255 bytes; what is longer becomes empty, which the broker refuses loudly.
#[must_use]
pub fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}

/// Pauses between attempts to connect: doubling from 100 ms to 2 s, each cut by up to a half at random, so that a broker that comes
/// back is not met by everybody at once.
#[derive(Debug)]
pub struct Backoff {
    pause: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { pause: FIRST_PAUSE }
    }
}

impl Backoff {
    /// Waits before the next attempt.
    pub async fn wait(&mut self) {
        let pause = self.pause.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        self.pause = FIRST_PAUSE;
    }
}

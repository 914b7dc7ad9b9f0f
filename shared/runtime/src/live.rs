//! Wake-ups between processes, through a fanout exchange.
//!
//! Invariant: a wake-up carries no facts and may get lost; whoever listens also looks for itself now and then. That is why nothing here is
//! persistent or confirmed.

use std::fmt;

use futures::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, Consumer};
use shared::topology::Topology;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::broker::{Backoff, Broker, BrokerError, short};
use crate::telemetry::Causes;

/// What there may be news about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Events were appended to the log.
    Log,
    /// An app or a channel was created or changed.
    Directory,
    /// Somebody is typing; the body says who.
    Typing,
    /// The listener was away and may have missed anything.
    Reconnected,
    /// Something of a later release.
    Other(String),
}

impl Topic {
    /// As it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Log => "log",
            Self::Directory => "directory",
            Self::Typing => "typing",
            Self::Reconnected => "reconnected",
            Self::Other(name) => name,
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "log" => Self::Log,
            "directory" => Self::Directory,
            "typing" => Self::Typing,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One wake-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// What there is news about.
    pub topic: Topic,
    /// Small JSON, or nothing.
    pub body: Vec<u8>,
}

impl Wake {
    /// A wake-up that only says that there is news.
    #[must_use]
    pub const fn about(topic: Topic) -> Self {
        Self { topic, body: Vec::new() }
    }
}

/// Tells every listening process, this one included.
///
/// # Errors
/// When the channel is gone. There is nothing to repair: the listeners look for themselves.
pub async fn announce(channel: &Channel, topology: &Topology, wake: &Wake) -> Result<(), lapin::Error> {
    let exchange = short(&topology.live_exchange());
    let properties = BasicProperties::default().with_type(short(wake.topic.as_str()));
    // Without confirm mode this resolves as soon as the frame is written.
    channel
        .basic_publish(exchange, short(""), BasicPublishOptions::default(), &wake.body, properties)
        .await?
        .await?;
    Ok(())
}

/// Listens until nobody receives any more, over connections made anew as often as needed. Each (re)connection starts with
/// [`Topic::Reconnected`]. A receiver that does not keep up loses wake-ups instead of holding up the others.
pub async fn listen(broker: Broker, wakes: mpsc::Sender<Wake>) {
    let mut backoff = Backoff::default();
    while !wakes.is_closed() {
        match subscribe(&broker).await {
            Ok((connection, consumer)) => {
                backoff.reset();
                debug!("listening for wake-ups");
                forward(consumer, &wakes).await;
                drop(connection);
            }
            Err(error) => warn!(error = %Causes(&error), "no wake-ups, the broker is away"),
        }
        tokio::select! {
            biased;
            () = wakes.closed() => {}
            () = backoff.wait() => {}
        }
    }
}

async fn subscribe(broker: &Broker) -> Result<(Connection, Consumer), BrokerError> {
    let connection = broker.connect("live").await?;
    let channel = connection.create_channel().await?;
    broker.declare(&channel).await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel.queue_declare(short(""), options, FieldTable::default()).await?;
    let exchange = short(&broker.topology().live_exchange());
    channel
        .queue_bind(
            queue.name().clone(),
            exchange,
            short(""),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let options = BasicConsumeOptions {
        no_ack: true,
        exclusive: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = channel
        .basic_consume(queue.name().clone(), short(""), options, FieldTable::default())
        .await?;
    Ok((connection, consumer))
}

/// Hands on wake-ups until the connection fails or nobody receives.
async fn forward(mut consumer: Consumer, wakes: &mpsc::Sender<Wake>) {
    let mut next = Wake::about(Topic::Reconnected);
    loop {
        if let Err(mpsc::error::TrySendError::Closed(_)) = wakes.try_send(next) {
            return;
        }
        let delivery = tokio::select! {
            biased;
            () = wakes.closed() => return,
            delivery = consumer.next() => delivery,
        };
        let Some(Ok(delivery)) = delivery else { return };
        let name = delivery
            .properties
            .kind()
            .as_ref()
            .map(lapin::types::ShortString::as_str)
            .unwrap_or_default();
        next = Wake {
            topic: Topic::from_name(name),
            body: delivery.data,
        };
    }
}

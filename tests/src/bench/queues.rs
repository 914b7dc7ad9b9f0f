//! The broker's queues as a benchmark sees them: made, emptied, counted, removed.

use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use runtime::broker::{Broker, short};
use runtime::config::{BrokerConfig, SecretUrl};
use shared::Partition;
use shared::topology::Topology;

use super::BenchError;

/// How long the broker's counts may lag behind its confirms.
const COUNT_PATIENCE: Duration = Duration::from_secs(10);

/// An own set of queues.
pub(super) struct Queues {
    topology: Topology,
    channel: Channel,
    connection: Connection,
}

impl Queues {
    /// Connects; declares nothing, so that the first start of a service is measured with what it has to declare.
    pub(super) async fn connect(amqp_url: &str, prefix: &str) -> Result<Self, BenchError> {
        let config = BrokerConfig {
            amqp_url: SecretUrl::new(amqp_url),
            amqp_prefix: prefix.to_owned(),
        };
        let broker = Broker::new(&config, "frontdesk-bench");
        let connection = broker.connect("bench").await?;
        let channel = connection.create_channel().await?;
        Ok(Self {
            topology: config.topology(),
            channel,
            connection,
        })
    }

    /// Empties every queue and returns when they are empty.
    pub(super) async fn purge(&self) -> Result<(), BenchError> {
        for queue in self.topology.queues() {
            self.channel.queue_purge(short(&queue.name), QueuePurgeOptions::default()).await?;
        }
        self.until_events(0).await
    }

    /// Waits until the partitions hold exactly so many events.
    pub(super) async fn until_events(&self, expected: u64) -> Result<(), BenchError> {
        let mut found = 0;
        let counted = async {
            loop {
                found = self.events().await?;
                if found == expected {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(COUNT_PATIENCE, counted).await.unwrap_or(Err(BenchError::Lost {
            what: "events in the broker's queues",
            expected,
            found,
        }))
    }

    async fn events(&self) -> Result<u64, BenchError> {
        let mut events = 0;
        for partition in Partition::all() {
            events += self.messages_in(&self.topology.events_queue(partition)).await?;
        }
        Ok(events)
    }

    /// Checks that the broker gave up on nothing.
    pub(super) async fn none_is_dead(&self) -> Result<(), BenchError> {
        match self.messages_in(&self.topology.dead_queue()).await? {
            0 => Ok(()),
            found => Err(BenchError::Lost {
                what: "dead messages",
                expected: 0,
                found,
            }),
        }
    }

    async fn messages_in(&self, queue: &str) -> Result<u64, BenchError> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = self.channel.queue_declare(short(queue), options, FieldTable::default()).await?;
        Ok(u64::from(queue.message_count()))
    }

    /// Removes everything under the prefix.
    pub(super) async fn remove(&self) -> Result<(), BenchError> {
        // A closed channel (a queue that was never made closes it) does not keep the rest from going.
        let channel = self.connection.create_channel().await?;
        // Deleting what is not there is no error to RabbitMQ.
        for queue in self.topology.queues() {
            channel.queue_delete(short(&queue.name), QueueDeleteOptions::default()).await?;
        }
        for exchange in self.topology.exchanges() {
            channel
                .exchange_delete(short(&exchange.name), ExchangeDeleteOptions::default())
                .await?;
        }
        self.connection.close(200, short("done")).await?;
        Ok(())
    }
}

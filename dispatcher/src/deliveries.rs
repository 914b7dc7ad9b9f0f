//! What RabbitMQ hands out, as the engine wants it.
//!
//! A reader consumes a fixed share of the partitions, so that one visitor's events never pass through two readers. Each
//! broker queue has a single active consumer: while another dispatcher lives and has it, ours is on stand-by.
//!
//! Invariant: a link is never repaired. When it fails, connection, channel and consumers are made anew; unacknowledged
//! deliveries come again in order.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::ports::{Deliveries, Delivery, DeliveryTag};
use futures::FutureExt as _;
use futures::stream::{SelectAll, StreamExt as _, select_all};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, Consumer};
use runtime::broker::{Backoff, Broker, BrokerError, short};
use runtime::telemetry::Causes;
use shared::envelope::Properties;
use shared::{Envelope, Partition};

/// Deliveries that the broker hands out before the first acknowledgement, per broker queue.
const PREFETCH: u16 = 400;
/// How long closing a connection may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// One reader of the broker's events.
pub struct BrokerDeliveries {
    broker: Broker,
    partitions: Vec<Partition>,
    link: Option<Link>,
    links: u64,
    connected: tokio::sync::watch::Sender<bool>,
}

struct Link {
    connection: Connection,
    channel: Channel,
    consumers: SelectAll<Consumer>,
    committed: Committed,
}

/// Which deliveries of a link are committed. The broker numbers a link's deliveries without gaps, but several consumers share the
/// link and hand theirs over in turns: all up to a number are acknowledged at once, and only when none below it is missing.
#[derive(Debug, Default)]
struct Committed {
    acknowledged: u64,
    ahead: BTreeSet<u64>,
}

impl Committed {
    /// Adds deliveries; the number up to which all can be acknowledged, if that has grown.
    fn add(&mut self, numbers: impl Iterator<Item = u64>) -> Option<u64> {
        self.ahead.extend(numbers);
        let before = self.acknowledged;
        while self.ahead.remove(&self.acknowledged.saturating_add(1)) {
            self.acknowledged = self.acknowledged.saturating_add(1);
        }
        (self.acknowledged > before).then_some(self.acknowledged)
    }
}

impl BrokerDeliveries {
    /// Reader `index` of `readers`. `connected` tells whether it has a link.
    #[must_use]
    pub fn new(broker: Broker, index: usize, readers: usize, connected: tokio::sync::watch::Sender<bool>) -> Self {
        let partitions = Partition::all()
            .filter(|partition| partition.index() % readers.max(1) == index)
            .collect();
        Self {
            broker,
            partitions,
            link: None,
            links: 0,
            connected,
        }
    }

    async fn connect(&self) -> Result<Link, BrokerError> {
        let connection = self.broker.connect("intake").await?;
        let channel = connection.create_channel().await?;
        self.broker.declare(&channel).await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let mut consumers = Vec::with_capacity(self.partitions.len());
        for partition in &self.partitions {
            let queue = self.broker.topology().events_queue(*partition);
            consumers.push(
                channel
                    .basic_consume(short(&queue), short(""), BasicConsumeOptions::default(), FieldTable::default())
                    .await?,
            );
        }
        Ok(Link {
            connection,
            channel,
            consumers: select_all(consumers),
            committed: Committed::default(),
        })
    }

    /// The next delivery; connects as often as needed.
    async fn first(&mut self) -> Delivery {
        let mut backoff = Backoff::default();
        loop {
            if let Some(link) = &mut self.link {
                if let Some(Ok(delivery)) = link.consumers.next().await {
                    return read(self.links, delivery);
                }
                tracing::warn!("the link to the broker is lost");
                self.part().await;
            }
            match self.connect().await {
                Ok(link) => {
                    self.links += 1;
                    self.link = Some(link);
                    self.connected.send_replace(true);
                    tracing::info!(partitions = self.partitions.len(), "consuming");
                }
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), "no deliveries, the broker is away");
                    backoff.wait().await;
                }
            }
        }
    }

    async fn part(&mut self) {
        self.connected.send_replace(false);
        if let Some(link) = self.link.take() {
            // A broker that is gone cannot be told so.
            let _in_time = tokio::time::timeout(FAREWELL, link.connection.close(200, short("done"))).await;
        }
    }
}

impl Deliveries for BrokerDeliveries {
    async fn next_batch(&mut self, most: usize) -> Vec<Delivery> {
        let mut batch = vec![self.first().await];
        let Some(link) = &mut self.link else { return batch };
        while batch.len() < most {
            match link.consumers.next().now_or_never() {
                Some(Some(Ok(delivery))) => batch.push(read(self.links, delivery)),
                // Nothing more for now, or the link's end: the next call finds out which.
                Some(_) | None => break,
            }
        }
        batch
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) {
        let links = self.links;
        let Some(link) = &mut self.link else { return };
        let numbers = tags.iter().filter(|tag| tag.link == links).map(|tag| tag.number);
        let Some(number) = link.committed.add(numbers) else { return };
        // One frame for all of them: a frame each takes longer than the transaction that they belong to.
        if let Err(error) = link.channel.basic_ack(number, BasicAckOptions { multiple: true }).await {
            // Committed, but not acknowledged: it comes again and the inbox stops it.
            tracing::warn!(error = %Causes(&error), "an acknowledgement was lost");
        }
    }

    async fn hand_back(&mut self) {
        self.part().await;
    }
}

fn read(link: u64, delivery: lapin::message::Delivery) -> Delivery {
    let properties = &delivery.properties;
    let envelope = Envelope::read(
        Properties {
            message_id: properties.message_id().as_ref().map(lapin::types::ShortString::as_str),
            kind: properties.kind().as_ref().map(lapin::types::ShortString::as_str),
            timestamp: *properties.timestamp(),
        },
        headers(properties.headers().as_ref())
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    Delivery {
        tag: DeliveryTag {
            link,
            number: delivery.delivery_tag,
        },
        envelope: envelope.map_err(|error| error.to_string()),
        body: delivery.data.into(),
    }
}

fn headers(table: Option<&FieldTable>) -> Vec<(String, String)> {
    let text = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    };
    table
        .into_iter()
        .flat_map(|table| table.inner())
        .filter_map(|(name, value)| text(value).map(|value| (name.as_str().to_owned(), value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_up_to_the_first_gap_is_acknowledged_at_once() {
        let mut committed = Committed::default();
        assert_eq!(committed.add([1, 2, 4].into_iter()), Some(2));
        assert_eq!(committed.add([3].into_iter()), Some(4));
    }

    #[test]
    fn nothing_is_acknowledged_over_a_delivery_that_is_not_committed() {
        let mut committed = Committed::default();
        assert_eq!(committed.add([2, 3].into_iter()), None);
        assert_eq!(committed.add([5].into_iter()), None);
        assert_eq!(committed.add([1].into_iter()), Some(3));
    }
}

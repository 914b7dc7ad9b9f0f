//! A world's own names at the broker.

use std::time::Duration;

use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use runtime::broker::short;
use shared::topology::Topology;
use shared::{PageId, Partition, Party};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::eventually::eventually;
use crate::wall_clock;

/// How long the broker may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names that no other world uses. They are deleted with this value.
pub struct TestBroker {
    url: String,
    prefix: String,
    topology: Topology,
    channel: Mutex<Option<Channel>>,
}

/// A message that no ingress would publish.
#[derive(Debug, Clone)]
pub struct Poison {
    /// The Page in its header.
    pub page_id: String,
    /// The visitor in its header.
    pub psid: String,
    /// Its body.
    pub body: Vec<u8>,
    /// Without headers nobody can tell what it is.
    pub with_headers: bool,
}

impl TestBroker {
    /// Fresh names at a broker.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let prefix = format!("world-{}.", Uuid::now_v7().simple());
        Self {
            url: url.to_owned(),
            topology: Topology::new(&prefix),
            prefix,
            channel: Mutex::new(None),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What stands in front of every name.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The names.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// How many messages wait in a broker queue. Those that a consumer has in hand are not counted.
    pub async fn waiting_in(&self, queue: &str) -> u32 {
        let what = format!("the broker says how many messages wait in {queue}");
        eventually(&what, async || {
            let channel = self.channel().await?;
            let passive = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            // A broker that has just come back needs a moment for its queues.
            let declared = channel.queue_declare(short(queue), passive, FieldTable::default()).await.ok()?;
            Some(declared.message_count())
        })
        .await
    }

    /// How many messages wait in all partitions.
    pub async fn waiting_events(&self) -> u32 {
        let mut waiting = 0;
        for partition in Partition::all() {
            waiting += self.waiting_in(&self.topology.events_queue(partition)).await;
        }
        waiting
    }

    /// How many messages were dead-lettered; there is no way in which one should be.
    pub async fn dead(&self) -> u32 {
        self.waiting_in(&self.topology.dead_queue()).await
    }

    /// The bodies that ingress kept whole. They are taken out.
    ///
    /// # Panics
    /// When the broker does not hand them out.
    pub async fn take_unparsed(&self) -> Vec<Vec<u8>> {
        let channel = self.channel().await.expect("the broker is there");
        let queue = self.topology.unparsed_queue();
        let mut bodies = Vec::new();
        while let Some(BasicGetMessage { delivery, .. }) = channel
            .basic_get(short(&queue), BasicGetOptions { no_ack: true })
            .await
            .expect("the broker hands out")
        {
            bodies.push(delivery.data.clone());
        }
        bodies
    }

    /// Puts a message that cannot be read into the visitor's partition, and waits until the broker has it.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn publish(&self, poison: &Poison) {
        let page_id = PageId::parse(&poison.page_id).expect("a Page id");
        let partition = Partition::of(&page_id, &Party::Psid(poison.psid.clone()));
        let mut properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type(short("application/json"));
        if poison.with_headers {
            let key = format!("{page_id}/msg:m_poison_{}", Uuid::now_v7());
            properties = properties
                .with_message_id(short(&key))
                .with_type(short("message"))
                .with_headers(headers(poison, partition));
        }
        let channel = self.channel().await.expect("the broker is there");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let published = channel.basic_publish(
            short(&self.topology.events_exchange()),
            short(partition.routing_key()),
            BasicPublishOptions::default(),
            &poison.body,
            properties,
        );
        let confirm = published.await.expect("published").await.expect("confirmed");
        assert!(confirm.is_ack(), "the broker took no poison: {confirm:?}");
    }

    /// The channel, made anew where it is lost; none while the broker is away.
    async fn channel(&self) -> Option<Channel> {
        let mut kept = self.channel.lock().await;
        if let Some(channel) = kept.as_ref().filter(|channel| channel.status().connected()) {
            return Some(channel.clone());
        }
        let channel = tokio::time::timeout(PATIENCE, connect(&self.url)).await.ok()?.ok()?;
        *kept = Some(channel.clone());
        Some(channel)
    }
}

fn headers(poison: &Poison, partition: Partition) -> FieldTable {
    let receipt = format!("{}/{partition}/1", Uuid::now_v7());
    let headers = [
        ("page_id", poison.page_id.clone()),
        ("visitor_id", poison.psid.clone()),
        ("receipt", receipt),
        ("received_at", wall_clock::now_ms().to_string()),
        ("array", "messaging".to_owned()),
    ];
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(short(name), AMQPValue::LongString(value.into()));
    }
    table
}

async fn connect(url: &str) -> Result<Channel, lapin::Error> {
    // A channel keeps its connection.
    Connection::connect(url, ConnectionProperties::default())
        .await?
        .create_channel()
        .await
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let (url, topology) = (self.url.clone(), self.topology.clone());
        // On a thread of its own, because this may run while a test's runtime unwinds.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(async { tokio::time::timeout(PATIENCE, delete_everything(&url, &topology)).await }))
        });
        // What could not be deleted stays until the broker itself is thrown away.
        let _cleaned = cleaning.join();
    }
}

async fn delete_everything(url: &str, topology: &Topology) -> Result<(), lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for queue in topology.queues() {
        channel.queue_delete(short(&queue.name), QueueDeleteOptions::default()).await?;
    }
    for exchange in topology.exchanges() {
        channel
            .exchange_delete(short(&exchange.name), ExchangeDeleteOptions::default())
            .await?;
    }
    connection.close(200, short("done")).await
}

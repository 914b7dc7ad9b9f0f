//! Visitors who write: webhook bodies that go through the real intake.

use bytes::Bytes;
use engine::ports::{Deliveries, Delivery, DeliveryTag};
use serde_json::json;
use shared::webhook::split;
use shared::{Envelope, Partition, Receipt, Timestamp};
use tokio::sync::mpsc;
use uuid::Uuid;

/// The broker, as far as intake sees it: hands out what visitors wrote, and tells when it is taken in.
pub(crate) struct Broker {
    waiting: mpsc::UnboundedReceiver<Vec<Delivery>>,
    taken_in: mpsc::UnboundedSender<usize>,
}

/// The visitors' side of the broker.
pub(crate) struct Visitors {
    sent: mpsc::UnboundedSender<Vec<Delivery>>,
    taken_in: mpsc::UnboundedReceiver<usize>,
    count: u64,
}

pub(crate) fn broker() -> (Visitors, Broker) {
    let (sent, waiting) = mpsc::unbounded_channel();
    let (acknowledge, taken_in) = mpsc::unbounded_channel();
    let broker = Broker {
        waiting,
        taken_in: acknowledge,
    };
    (Visitors { sent, taken_in, count: 0 }, broker)
}

impl Deliveries for Broker {
    async fn next_batch(&mut self, _: usize) -> Vec<Delivery> {
        match self.waiting.recv().await {
            Some(batch) => batch,
            None => std::future::pending().await,
        }
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) {
        let _test_is_over = self.taken_in.send(tags.len()).is_err();
    }

    async fn hand_back(&mut self) {
        panic!("intake gave a message back");
    }
}

impl Visitors {
    /// A visitor writes; returns once it is committed.
    pub(crate) async fn write(&mut self, page: &str, psid: &str, text: &str, at: i64) {
        self.count += 1;
        let mid = format!("m_{}", self.count);
        let event = json!({
            "sender": {"id": psid}, "recipient": {"id": page}, "timestamp": at, "message": {"mid": mid, "text": text},
        });
        self.happen(page, event, at).await;
    }

    /// Facebook tells of something; returns once it is committed.
    pub(crate) async fn happen(&mut self, page: &str, event: serde_json::Value, at: i64) {
        let body = json!({"object": "page", "entry": [{"id": page, "time": at, "messaging": [event]}]}).to_string();
        let taken = split(body.as_bytes()).expect("a webhook body");
        let deliveries: Vec<Delivery> = taken.events.iter().map(|event| self.delivery(event)).collect();
        assert_eq!(deliveries.len(), 1);
        self.sent.send(deliveries).expect("intake runs");
        assert_eq!(self.taken_in.recv().await, Some(1));
    }

    fn delivery(&self, event: &shared::webhook::SplitEvent<'_>) -> Delivery {
        let partition = Partition::of(&event.page_id, &event.party);
        let envelope = Envelope {
            page_id: event.page_id.clone(),
            party: event.party.clone(),
            kind: event.kind.clone(),
            dedupe_key: event.dedupe_key.clone(),
            receipt: Receipt {
                boot: Uuid::nil(),
                partition,
                sequence: self.count,
            },
            received_at: event.event_at.unwrap_or_else(|| Timestamp::from_millis(0)),
            array: event.array,
            entry_time: event.entry_time,
            event_at: event.event_at,
            traceparent: None,
        };
        Delivery {
            tag: DeliveryTag {
                link: 1,
                number: self.count,
            },
            envelope: Ok(envelope),
            body: Bytes::copy_from_slice(event.json.as_bytes()),
        }
    }
}

//! Wake-ups among processes: the process's own at once, the others through the broker's fanout, at most every 5 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use engine::Wakes;
use engine::ports::{Live, Seen, Topic};
use lapin::{Channel, Connection};
use runtime::broker::{Backoff, Broker, BrokerError};
use runtime::live::{self, Topic as Wire, Wake};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often the others are woken at most.
const PACE: Duration = Duration::from_millis(5);
/// How the outbox is called on the wire.
const OUTBOX: &str = "outbox";

/// The process's wake-ups and their way to the others.
#[derive(Debug)]
pub struct NetworkLive {
    wakes: Wakes,
    process: Uuid,
    pending: AtomicU8,
    news: Notify,
}

impl NetworkLive {
    /// For a process with this name; what it announces itself it does not hear again.
    #[must_use]
    pub fn new(process: Uuid) -> Self {
        Self {
            wakes: Wakes::default(),
            process,
            pending: AtomicU8::new(0),
            news: Notify::new(),
        }
    }

    /// Listens to the others until told to stop.
    pub async fn listen(self: Arc<Self>, broker: Broker, stop: CancellationToken) {
        let (sender, mut receiver) = mpsc::channel::<Wake>(256);
        let hear = async {
            while let Some(wake) = receiver.recv().await {
                if wake.body != self.process.as_bytes() {
                    self.heard(&wake.topic);
                }
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = live::listen(broker, sender) => {}
            () = hear => {}
        }
    }

    fn heard(&self, topic: &Wire) {
        match topic {
            Wire::Log => self.wakes.wake(Topic::Log),
            Wire::Directory => self.wakes.wake(Topic::Directory),
            Wire::Other(name) if name == OUTBOX => self.wakes.wake(Topic::Outbox),
            Wire::Reconnected => Topics::ALL.into_iter().for_each(|topic| self.wakes.wake(topic)),
            Wire::Typing | Wire::Other(_) => {}
        }
    }

    /// Announces to the others until told to stop. Lost announcements are made up for by everybody's own looks.
    pub async fn announce(self: Arc<Self>, broker: Broker, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            let ended = async {
                match self.announce_over_one_link(&broker).await {
                    Ok(()) => backoff.reset(),
                    Err(_) => backoff.wait().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = ended => {}
            }
        }
    }

    async fn announce_over_one_link(&self, broker: &Broker) -> Result<(), BrokerError> {
        let (_connection, channel): (Connection, Channel) = {
            let connection = broker.connect("announcements").await?;
            let channel = connection.create_channel().await?;
            broker.declare(&channel).await?;
            (connection, channel)
        };
        loop {
            self.news.notified().await;
            let pending = self.pending.swap(0, Ordering::AcqRel);
            for topic in Topics::ALL.into_iter().filter(|topic| pending & bit(*topic) != 0) {
                let wake = Wake {
                    topic: wire(topic),
                    body: self.process.as_bytes().to_vec(),
                };
                if live::announce(&channel, broker.topology(), &wake).await.is_err() {
                    return Ok(());
                }
            }
            tokio::time::sleep(PACE).await;
        }
    }
}

impl Live for NetworkLive {
    fn wake(&self, topic: Topic) {
        self.wakes.wake(topic);
        self.pending.fetch_or(bit(topic), Ordering::AcqRel);
        self.news.notify_one();
    }

    async fn wait(&self, topic: Topic, seen: &mut Seen) {
        self.wakes.wait(topic, seen).await;
    }
}

struct Topics;

impl Topics {
    const ALL: [Topic; 3] = [Topic::Log, Topic::Outbox, Topic::Directory];
}

const fn bit(topic: Topic) -> u8 {
    match topic {
        Topic::Log => 1,
        Topic::Outbox => 2,
        Topic::Directory => 4,
    }
}

fn wire(topic: Topic) -> Wire {
    match topic {
        Topic::Log => Wire::Log,
        Topic::Directory => Wire::Directory,
        Topic::Outbox => Wire::Other(OUTBOX.to_owned()),
    }
}

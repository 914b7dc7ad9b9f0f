//! Many visitors who write at a steady pace. Each waits for the 200 of one message before the next, as Facebook's lanes do, and sends again
//! what was not acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::acknowledged::{Acknowledged, Ledger};
use super::webhook::Sender;

/// Before a message is sent again.
const PAUSE: Duration = Duration::from_millis(50);
/// After this long an installation that acknowledges nothing is broken.
const GIVE_UP: Duration = Duration::from_secs(60);
/// Requests at once: a backlog after an outage must not become a burst that no sender would make.
const IN_FLIGHT: usize = 64;

/// Who writes how much.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The Page.
    pub page_id: String,
    /// How many visitors.
    pub visitors: usize,
    /// Messages per second, of all together.
    pub per_second: u32,
    /// At most so many messages per visitor.
    pub most_per_visitor: usize,
    /// What they write.
    pub text: String,
}

/// Visitors who write until they are told to stop.
pub struct Load {
    stop: CancellationToken,
    visitors: JoinSet<Vec<Acknowledged>>,
    acknowledged: Arc<AtomicUsize>,
    started: Instant,
}

struct Writer {
    number: usize,
    plan: LoadPlan,
    sender: Sender,
    stop: CancellationToken,
    acknowledged: Arc<AtomicUsize>,
    in_flight: Arc<Semaphore>,
}

impl LoadPlan {
    /// The visitor of a number.
    #[must_use]
    pub fn psid(number: usize) -> String {
        format!("70{number:014}")
    }
}

impl Load {
    /// Begins.
    #[must_use]
    pub fn start(plan: &LoadPlan, sender: &Sender) -> Self {
        let (stop, acknowledged) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
        let mut visitors = JoinSet::new();
        for number in 0..plan.visitors {
            let writer = Writer {
                number,
                plan: plan.clone(),
                sender: sender.clone(),
                stop: stop.clone(),
                acknowledged: Arc::clone(&acknowledged),
                in_flight: Arc::clone(&in_flight),
            };
            visitors.spawn(writer.write());
        }
        Self {
            stop,
            visitors,
            acknowledged,
            started: Instant::now(),
        }
    }

    /// How many messages were acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// How long it has been going on.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Lets everybody finish the message in hand; everything that was acknowledged.
    ///
    /// # Panics
    /// When an installation acknowledged nothing for too long.
    pub async fn stop(mut self) -> Ledger {
        self.stop.cancel();
        self.finish().await
    }

    /// Waits until everybody has written all their messages.
    ///
    /// # Panics
    /// When an installation acknowledged nothing for too long.
    pub async fn finish(&mut self) -> Ledger {
        let mut all = Vec::new();
        while let Some(written) = self.visitors.join_next().await {
            all.extend(written.expect("a visitor writes to the end"));
        }
        Ledger::new(all)
    }
}

impl Writer {
    async fn write(self) -> Vec<Acknowledged> {
        let psid = LoadPlan::psid(self.number);
        let visitors = u32::try_from(self.plan.visitors).unwrap_or(u32::MAX);
        let mut pace = tokio::time::interval(Duration::from_secs(1) * visitors / self.plan.per_second.max(1));
        // What an outage kept back is made up for: the pace is what visitors want, not what they get.
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut written = Vec::new();
        for number in 0..self.plan.most_per_visitor {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                _ = pace.tick() => {}
            }
            let mid = format!("m_{psid}_{number}");
            let text = format!("{} {number}", self.plan.text);
            self.send(&Sender::message(&self.plan.page_id, &psid, &mid, &text), &psid).await;
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
            written.push(Acknowledged { psid: psid.clone(), mid });
        }
        written
    }

    async fn send(&self, body: &[u8], psid: &str) {
        let started = Instant::now();
        loop {
            {
                let _permit = self.in_flight.acquire().await;
                if self.sender.post(&self.plan.page_id, body.to_vec()).await == Some(StatusCode::OK) {
                    return;
                }
            }
            assert!(
                started.elapsed() < GIVE_UP,
                "nothing of visitor {psid} was acknowledged for {GIVE_UP:?}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

//! Sends webhooks. A lane delivers one visitor's events in order, repeats what is not answered with 200, and in the end gives up.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::config::{Callback, WebhookConfig};
use super::faults::{Batching, FaultBoard};
use super::signature;
use super::world::World;
use crate::wall_clock;
use crate::watched::Watched;

/// An event on its way to the callback.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) page_id: String,
    pub(super) psid: String,
    /// The event's JSON, escaped.
    pub(super) event: String,
    /// The visitor's message that gets its second tick when the callback has it.
    pub(super) ticks: Option<String>,
}

/// What every lane needs.
#[derive(Clone)]
pub(super) struct LaneContext {
    pub(super) client: reqwest::Client,
    pub(super) app_secret: Arc<str>,
    pub(super) callback: watch::Receiver<Option<Callback>>,
    pub(super) world: Arc<Watched<World>>,
    pub(super) faults: Arc<FaultBoard>,
    pub(super) config: WebhookConfig,
}

/// All lanes. They end when this is dropped.
pub(super) struct Lanes {
    senders: Vec<mpsc::UnboundedSender<Notice>>,
    world: Arc<Watched<World>>,
    _tasks: JoinSet<()>,
}

impl Lanes {
    pub(super) fn start(context: &LaneContext) -> Self {
        let mut tasks = JoinSet::new();
        let senders = (0..context.config.lanes.max(1))
            .map(|_number| {
                let (sender, notices) = mpsc::unbounded_channel();
                tasks.spawn(
                    Lane {
                        context: context.clone(),
                        notices,
                    }
                    .run(),
                );
                sender
            })
            .collect();
        Self {
            senders,
            world: Arc::clone(&context.world),
            _tasks: tasks,
        }
    }

    /// Puts a notice behind the earlier ones of its visitor. The caller has counted it as pending.
    pub(super) fn enqueue(&self, notice: Notice) {
        // A lane that is gone belongs to a platform that is being dropped.
        let _gone = self.of(&notice.psid).map(|sender| sender.send(notice));
    }

    /// The same, later. Others overtake it; that is the point.
    pub(super) fn enqueue_after(&self, delay: Duration, notice: Notice) {
        let Some(sender) = self.of(&notice.psid).cloned() else { return };
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _gone = sender.send(notice);
        });
    }

    pub(super) fn count_pending(&self, events: u64) {
        self.world.change(|world| world.webhooks.pending += events);
    }

    fn of(&self, psid: &str) -> Option<&mpsc::UnboundedSender<Notice>> {
        let mut hasher = DefaultHasher::new();
        psid.hash(&mut hasher);
        let lanes = u64::try_from(self.senders.len()).unwrap_or(1);
        usize::try_from(hasher.finish() % lanes)
            .ok()
            .and_then(|lane| self.senders.get(lane))
    }
}

struct Lane {
    context: LaneContext,
    notices: mpsc::UnboundedReceiver<Notice>,
}

impl Lane {
    async fn run(mut self) {
        while let Some(first) = self.notices.recv().await {
            let batching = self.context.faults.batching();
            let mut batch = vec![first];
            while batch.len() < batching.most
                && let Ok(notice) = self.notices.try_recv()
            {
                batch.push(notice);
            }
            self.deliver(&batch, batching).await;
        }
    }

    async fn deliver(&mut self, batch: &[Notice], batching: Batching) {
        let body = compose(batch, batching.in_one_entry);
        for attempt in 0..self.context.config.attempts.max(1) {
            tokio::time::sleep(self.pause_before(attempt)).await;
            if self.post(&body).await {
                self.settle(batch);
                if batch.iter().any(|notice| self.context.faults.duplicates(&notice.psid)) {
                    self.post(&body).await;
                    self.context.world.change(|world| world.webhooks.duplicated += count(batch));
                }
                return;
            }
        }
        self.context.world.change(|world| {
            world.webhooks.pending -= count(batch);
            world.webhooks.lost += count(batch);
        });
    }

    fn pause_before(&self, attempt: u32) -> Duration {
        let config = &self.context.config;
        match attempt.checked_sub(config.immediate_retries + 1) {
            None => Duration::ZERO,
            Some(doublings) => config
                .first_pause
                .saturating_mul(2_u32.saturating_pow(doublings))
                .min(config.longest_pause),
        }
    }

    async fn post(&mut self, body: &str) -> bool {
        let Ok(callback) = self
            .context
            .callback
            .wait_for(Option::is_some)
            .await
            .map(|callback| callback.clone())
        else {
            return false;
        };
        let Some(callback) = callback else { return false };
        let request = self
            .context
            .client
            .post(callback.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(
                "X-Hub-Signature-256",
                signature::sha256_header(&self.context.app_secret, body.as_bytes()),
            )
            .header("X-Hub-Signature", signature::sha1_header(&self.context.app_secret, body.as_bytes()))
            .timeout(self.context.config.deadline)
            .body(body.to_owned());
        let taken = request.send().await.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK);
        self.context.world.change(|world| {
            world.webhooks.attempts += 1;
            world.webhooks.failures += u64::from(!taken);
        });
        taken
    }

    fn settle(&self, batch: &[Notice]) {
        self.context.world.change(|world| {
            world.webhooks.pending -= count(batch);
            world.webhooks.delivered += count(batch);
            for notice in batch {
                if let (Some(mid), Some(visitor)) = (&notice.ticks, world.visitors.get_mut(&notice.psid)) {
                    visitor.thread.mark_delivered(mid);
                }
            }
        });
    }
}

fn count(batch: &[Notice]) -> u64 {
    u64::try_from(batch.len()).unwrap_or(u64::MAX)
}

/// The body of a POST. Events of one Page may share an entry; otherwise each has its own.
fn compose(batch: &[Notice], in_one_entry: bool) -> String {
    let now = wall_clock::now_ms();
    let entries: Vec<String> = batch
        .chunk_by(|one, other| in_one_entry && one.page_id == other.page_id)
        .filter_map(|chunk| chunk.first().map(|first| (first, chunk)))
        .map(|(first, chunk)| {
            let events: Vec<&str> = chunk.iter().map(|notice| notice.event.as_str()).collect();
            format!(r#"{{"id":"{}","time":{now},"messaging":[{}]}}"#, first.page_id, events.join(","))
        })
        .collect();
    format!(r#"{{"object":"page","entry":[{}]}}"#, entries.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn notice(page_id: &str, event: &str) -> Notice {
        Notice {
            page_id: page_id.to_owned(),
            psid: "7".to_owned(),
            event: event.to_owned(),
            ticks: None,
        }
    }

    #[test]
    fn a_batch_is_entries_or_one_entry_per_run_of_a_page() {
        let batch = [notice("1", "{\"a\":1}"), notice("1", "{\"a\":2}"), notice("2", "{\"a\":3}")];
        let apart: Value = serde_json::from_str(&compose(&batch, false)).unwrap();
        assert_eq!(apart["entry"].as_array().unwrap().len(), 3);
        let together: Value = serde_json::from_str(&compose(&batch, true)).unwrap();
        assert_eq!(together["entry"].as_array().unwrap().len(), 2);
        assert_eq!(together["entry"][0]["messaging"][1]["a"], 2);
        assert_eq!(together["object"], "page");
    }
}

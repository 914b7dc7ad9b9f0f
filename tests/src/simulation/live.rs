//! Wake-ups between simulated processes: the own ones always come, those of others mostly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::ports::{Live, Seen, Topic};
use tokio::sync::Notify;

use super::chance::Chance;

/// How long a waiter waits at most, as in production.
const FALLBACK: Duration = Duration::from_millis(500);
/// Wake-ups of others that are lost, per mille.
const LOST: u64 = 150;

/// One process's counters of news.
#[derive(Debug, Default)]
struct Counters {
    news: Mutex<BTreeMap<Topic, u64>>,
    notify: Notify,
}

impl Counters {
    fn count(&self, topic: Topic) -> u64 {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        // A waiter that has seen nothing looks at once.
        news.get(&topic).copied().unwrap_or(0).saturating_add(1)
    }

    fn raise(&self, topic: Topic) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        *news.entry(topic).or_default() += 1;
        drop(news);
        self.notify.notify_waiters();
    }
}

/// The fanout among the processes.
#[derive(Debug)]
pub struct Fanout {
    members: Mutex<Vec<Arc<Counters>>>,
    chance: Mutex<Chance>,
}

impl Fanout {
    /// One without members.
    #[must_use]
    pub const fn new(chance: Chance) -> Self {
        Self {
            members: Mutex::new(Vec::new()),
            chance: Mutex::new(chance),
        }
    }

    /// A member. One whose process died hears what nobody listens to, as a broker queue of its own would.
    #[must_use]
    pub fn join(self: &Arc<Self>) -> SimulatedLive {
        let own = Arc::new(Counters::default());
        self.members.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&own));
        SimulatedLive {
            own,
            fanout: Arc::clone(self),
        }
    }
}

/// A process's ears.
#[derive(Debug)]
pub struct SimulatedLive {
    own: Arc<Counters>,
    fanout: Arc<Fanout>,
}

impl Live for SimulatedLive {
    fn wake(&self, topic: Topic) {
        self.own.raise(topic);
        let members = self.fanout.members.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for member in members.iter().filter(|member| !Arc::ptr_eq(member, &self.own)) {
            let lost = self.fanout.chance.lock().unwrap_or_else(PoisonError::into_inner).per_mille(LOST);
            if !lost {
                member.raise(topic);
            }
        }
    }

    async fn wait(&self, topic: Topic, seen: &mut Seen) {
        let fallback = tokio::time::sleep(FALLBACK);
        tokio::pin!(fallback);
        loop {
            let raised = self.own.notify.notified();
            tokio::pin!(raised);
            raised.as_mut().enable();
            if self.own.count(topic) != seen.0 {
                break;
            }
            tokio::select! {
                biased;
                () = raised => {}
                () = &mut fallback => break,
            }
        }
        seen.0 = self.own.count(topic);
    }
}

impl Drop for SimulatedLive {
    fn drop(&mut self) {
        let mut members = self.fanout.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain(|member| !Arc::ptr_eq(member, &self.own));
    }
}

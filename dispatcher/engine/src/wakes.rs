//! Wake-ups within one process. With the broker's fanout around it, among processes.

use std::time::Duration;

use tokio::sync::watch;

use crate::ports::{Live, Seen, Topic};

/// How long a waiter waits at most: it then looks by itself.
pub const FALLBACK: Duration = Duration::from_millis(500);

/// One counter per topic.
#[derive(Debug)]
pub struct Wakes {
    log: watch::Sender<u64>,
    outbox: watch::Sender<u64>,
    directory: watch::Sender<u64>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self {
            log: watch::Sender::new(1),
            outbox: watch::Sender::new(1),
            directory: watch::Sender::new(1),
        }
    }
}

impl Wakes {
    const fn counter(&self, topic: Topic) -> &watch::Sender<u64> {
        match topic {
            Topic::Log => &self.log,
            Topic::Outbox => &self.outbox,
            Topic::Directory => &self.directory,
        }
    }
}

impl Live for Wakes {
    fn wake(&self, topic: Topic) {
        self.counter(topic).send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn wait(&self, topic: Topic, seen: &mut Seen) {
        let mut receiver = self.counter(topic).subscribe();
        let news = receiver.wait_for(|count| *count != seen.0);
        // Neither the end of the wait nor that of the sender is an error: the waiter looks by itself then.
        let _in_time = tokio::time::timeout(FALLBACK, news).await.is_ok();
        seen.0 = *self.counter(topic).borrow();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn news_that_came_before_the_wait_is_not_lost() {
        let wakes = Wakes::default();
        let mut seen = Seen::default();
        wakes.wait(Topic::Log, &mut seen).await;
        wakes.wake(Topic::Log);
        let waited = tokio::time::timeout(Duration::from_millis(100), wakes.wait(Topic::Log, &mut seen)).await;
        assert!(waited.is_ok());
    }

    #[tokio::test]
    async fn every_waiter_sees_the_same_news_once() {
        let wakes = Wakes::default();
        let (mut one, mut other) = (Seen::default(), Seen::default());
        wakes.wait(Topic::Log, &mut one).await;
        wakes.wait(Topic::Log, &mut other).await;
        assert_eq!(one, other);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), wakes.wait(Topic::Log, &mut one))
                .await
                .is_err()
        );
    }
}

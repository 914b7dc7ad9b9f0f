//! Requests that are being answered, so that a stop can wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Counts what is under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic(Arc<State>);

#[derive(Debug, Default)]
struct State {
    under_way: AtomicUsize,
    stopping: AtomicBool,
    empty: Notify,
}

/// One request that is being answered.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<State>);

impl Traffic {
    /// Counts a request in; none once the stop has begun, so that Facebook delivers it to the next process.
    pub(crate) fn enter(&self) -> Option<UnderWay> {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(Arc::clone(&self.0));
        // Counted in before looking: either the stop sees this request, or this request sees the stop.
        if self.is_stopping() { None } else { Some(under_way) }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    /// Lets nothing in any more and waits until everything is answered, or for as long as is bearable.
    pub(crate) async fn drain(&self, patience: Duration) {
        self.0.stopping.store(true, Ordering::SeqCst);
        let emptied = async {
            while self.0.under_way.load(Ordering::SeqCst) > 0 {
                self.0.empty.notified().await;
            }
        };
        if tokio::time::timeout(patience, emptied).await.is_err() {
            tracing::warn!("some requests were not answered before the stop");
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.stopping.load(Ordering::SeqCst) {
            // Keeps one permit, so a waiter that has just looked is not missed.
            self.0.empty.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_waits_for_what_is_under_way_and_lets_nothing_in() {
        let traffic = Traffic::default();
        let first = traffic.enter().unwrap();
        let mut drained = Box::pin(traffic.drain(Duration::from_secs(60)));
        assert!(futures::poll!(&mut drained).is_pending());
        assert!(traffic.enter().is_none());
        assert!(futures::poll!(&mut drained).is_pending());
        drop(first);
        assert!(futures::poll!(&mut drained).is_ready());
    }
}

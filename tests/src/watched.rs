//! A value that tests can wait on.
//!
//! Invariant: a waiter never misses a change and never polls: the change count is subscribed to before the value is looked at.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// What was awaited did not happen in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the awaited state was not reached within {0:?}")]
pub struct NotReached(pub Duration);

/// A value behind a lock, and a count of its changes.
#[derive(Debug)]
pub struct Watched<T> {
    value: Mutex<T>,
    changes: watch::Sender<u64>,
}

impl<T> Watched<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changes: watch::Sender::new(0),
        }
    }

    /// Looks at the value.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the value and wakes every waiter.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        result
    }

    /// A receiver that wakes with every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `look` finds what it wants.
    ///
    /// # Errors
    /// [`NotReached`] when the time is over first.
    pub async fn wait_for<R>(&self, mut look: impl FnMut(&T) -> Option<R>, timeout: Duration) -> Result<R, NotReached> {
        let mut changes = self.changes();
        let found = async {
            loop {
                changes.mark_unchanged();
                if let Some(result) = self.read(&mut look) {
                    return result;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(timeout, found).await.map_err(|_elapsed| NotReached(timeout))
    }

    // A panic in a test's closure must not take the platform down with it.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_waiter_sees_a_change_that_comes_later() {
        let watched = Arc::new(Watched::new(0));
        let waiter = tokio::spawn({
            let watched = Arc::clone(&watched);
            async move {
                watched
                    .wait_for(|value| (*value == 3).then_some("three"), Duration::from_secs(5))
                    .await
            }
        });
        for _ in 0..3 {
            watched.change(|value| *value += 1);
            tokio::task::yield_now().await;
        }
        assert_eq!(waiter.await.unwrap(), Ok("three"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_gives_up_when_the_time_is_over() {
        let watched = Watched::new(0);
        let waited = watched
            .wait_for(|value| (*value == 1).then_some(()), Duration::from_millis(50))
            .await;
        assert_eq!(waited, Err(NotReached(Duration::from_millis(50))));
    }
}

//! Waking up: after a commit a process wakes itself and the others.

use std::future::Future;

/// What there is news about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The event log has grown.
    Log,
    /// Effects wait in the outbox.
    Outbox,
    /// Apps or channels have changed.
    Directory,
}

/// How much news a waiter has seen. Each waiter keeps its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen(pub u64);

/// Wakes loops in this process at once and those of others soon. A lost wake-up costs time, never correctness: whoever
/// waits also looks by itself every half second.
pub trait Live: Send + Sync + 'static {
    /// There is news.
    fn wake(&self, topic: Topic);

    /// Waits until there is news that the waiter has not seen, or the fallback interval is over. News that came before the
    /// call counts; dropping the future loses nothing.
    fn wait(&self, topic: Topic, seen: &mut Seen) -> impl Future<Output = ()> + Send;
}

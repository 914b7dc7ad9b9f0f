//! Waiting for a condition that announces itself to nobody: a row, a line of a log, an answer.

use std::time::{Duration, Instant};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Tries until `attempt` gives something.
///
/// # Panics
/// When it has not after [`PATIENCE`].
pub async fn eventually<T>(what: &str, attempt: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, attempt).await
}

/// The same with another patience.
///
/// # Panics
/// When the time is over.
pub async fn within<T>(patience: Duration, what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(started.elapsed() < patience, "it did not happen within {patience:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

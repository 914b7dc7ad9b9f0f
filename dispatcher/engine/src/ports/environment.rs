//! Time, ids and chance.

use shared::Timestamp;
use uuid::Uuid;

/// What differs between a real run and a simulated one.
pub trait Environment: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// A fresh, time-ordered id (version 7).
    fn fresh_id(&self) -> Uuid;
}

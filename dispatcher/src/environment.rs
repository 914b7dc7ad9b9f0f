//! The real clock and real ids.

use std::time::{SystemTime, UNIX_EPOCH};

use engine::ports::Environment;
use shared::Timestamp;
use uuid::Uuid;

/// The machine's clock and version-7 ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

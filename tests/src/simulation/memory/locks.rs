//! Locks as the database has them: taken one after the other in order, first come first served, given up after a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::ports::StoreError;
use shared::{PageId, Party, PersonId};
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

/// How long one lock is waited for (`lock_timeout` of production).
const PATIENCE: Duration = Duration::from_millis(500);

/// What a transaction can lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A visitor, by what Facebook calls them: one who is not known yet can be locked too.
    Visitor(PageId, Party),
    /// An agent, with agent and person stream.
    Agent(PersonId),
    /// A stream of the directory.
    Directory(String),
    /// An inbox key.
    Inbox(String),
    /// A command's key.
    Command(PersonId, String),
}

/// All locks.
#[derive(Debug, Default)]
pub(super) struct Locks {
    known: Mutex<BTreeMap<Key, Arc<Lock<()>>>>,
}

/// Locks that are held until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    _guards: Vec<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Takes them all, in order.
    pub(super) async fn take(&self, keys: BTreeSet<Key>) -> Result<Held, StoreError> {
        let mut guards = Vec::with_capacity(keys.len());
        for key in keys {
            let lock = Arc::clone(self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
            let guard = tokio::time::timeout(PATIENCE, lock.lock_owned())
                .await
                .or(Err(StoreError::LockTimeout))?;
            guards.push(guard);
        }
        Ok(Held { _guards: guards })
    }
}

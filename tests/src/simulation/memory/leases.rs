//! Leases: who may do something alone, until when.

use std::collections::BTreeMap;

use engine::ports::Lease;
use shared::Timestamp;
use uuid::Uuid;

#[derive(Debug)]
struct Held {
    holder: Uuid,
    until: Timestamp,
    epoch: i64,
}

/// All leases, by name.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<&'static str, Held>,
}

impl Leases {
    /// Takes or renews. A holder whose lease lapsed begins anew: others may have acted meanwhile.
    pub(super) fn take(&mut self, name: &'static str, holder: Uuid, now: Timestamp, until: Timestamp) -> Option<Lease> {
        let epoch = match self.held.get(name) {
            Some(held) if held.until > now && held.holder != holder => return None,
            Some(held) if held.until > now => held.epoch,
            Some(held) => held.epoch.saturating_add(1),
            None => 1,
        };
        self.held.insert(name, Held { holder, until, epoch });
        Some(Lease { epoch })
    }

    pub(super) fn release(&mut self, name: &'static str, holder: Uuid) {
        if let Some(held) = self.held.get_mut(name)
            && held.holder == holder
        {
            held.until = Timestamp::default();
        }
    }
}

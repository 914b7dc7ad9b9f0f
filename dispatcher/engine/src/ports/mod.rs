//! The ports: the only ways in which the loops reach the world.
//!
//! [`Store`] takes a pure step and shows no connection; [`Deliveries`] hands out what the broker holds; [`Perform`] does
//! one effect; [`Live`] wakes others; [`Environment`] is time, ids and chance. Production implements them with
//! PostgreSQL, RabbitMQ and HTTP, the simulation in memory.

mod deliveries;
mod environment;
mod live;
mod perform;
mod store;

pub use deliveries::{Deliveries, Delivery, DeliveryTag, LinkLost};
pub use environment::Environment;
pub use live::{Live, Seen, Topic};
pub use perform::{Perform, Performed};
pub use store::{
    Append, Arrived, Changes, ClaimedEffect, Committed, Cursor, EffectRef, Idempotency, InboxKey, Lease, Loaded, LoadedAgent,
    LoadedVisitor, LogPage, NewEffect, NewEvent, PageSettings, QuarantineKind, Quarantined, ReadEvent, RelayId, Scope, Settled, Settlement,
    Step, Store, StoreError, StreamState, VisitorRef, Withdrawal,
};

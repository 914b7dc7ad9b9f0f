//! What the broker hands out.

use std::future::Future;

use bytes::Bytes;
use shared::Envelope;

/// Names one delivery to the broker; worthless after the link was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryTag {
    /// Which link handed it out.
    pub link: u64,
    /// Its number on that link.
    pub number: u64,
}

/// One event, as the broker hands it out.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// For the acknowledgement.
    pub tag: DeliveryTag,
    /// What travels around it; the broker's own words where the headers cannot be read.
    pub envelope: Result<Envelope, String>,
    /// The event's JSON as Facebook sent it.
    pub body: Bytes,
}

/// The broker is gone; what was unacknowledged comes again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the link to the broker is lost")]
pub struct LinkLost;

/// One stream of deliveries. Order per visitor is the broker queue's.
pub trait Deliveries: Send + 'static {
    /// Waits for at least one delivery and takes along what is there, up to `most`. Reconnects by itself; never ends but
    /// by being dropped.
    fn next_batch(&mut self, most: usize) -> impl Future<Output = Vec<Delivery>> + Send;

    /// Tells the broker that these are done with. Tags of a lost link are passed over: the broker hands those out again.
    fn acknowledge(&mut self, tags: &[DeliveryTag]) -> impl Future<Output = ()> + Send;

    /// Gives these back to the broker, to be handed out again later, in order: the link is closed and made anew.
    fn hand_back(&mut self) -> impl Future<Output = ()> + Send;
}

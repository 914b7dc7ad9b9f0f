//! What the handlers share.

use std::sync::Arc;

use runtime::metrics::Exposition;
use runtime::publisher::Publisher;

use crate::counters::Counters;
use crate::directory::Directory;
use crate::raw_body::Room;
use crate::traffic::Traffic;

/// Everything that a request needs.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) directory: Directory,
    pub(crate) publisher: Publisher,
    pub(crate) counters: Arc<Counters>,
    pub(crate) exposition: Exposition,
    pub(crate) traffic: Traffic,
    pub(crate) room: Room,
}

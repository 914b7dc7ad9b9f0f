//! What happened in a simulated world, in the order in which it happened.

use std::sync::{Mutex, PoisonError};

use engine::ports::ReadEvent;
use shared::{MessageId, PageId, Party, Timestamp, TurnId};

use super::clock::SimulatedClock;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Facebook told something for the first time, and the broker has it.
    Published(Published),
    /// Facebook told the same thing again.
    PublishedAgain(Published),
    /// Something that nobody can read lies at the broker.
    Littered,
    /// An event was committed.
    Appended(Box<ReadEvent>),
    /// An attempt to send was put on record.
    Started(MessageId),
    /// A message can be seen on a visitor's phone.
    Reached {
        /// On which Page.
        page: PageId,
        /// By whom.
        party: Party,
        /// Our id.
        message: MessageId,
    },
    /// A message was under way to a visitor while another one was.
    Overlapped {
        /// Our id of the second one.
        message: MessageId,
    },
    /// A bot was asked.
    Asked(TurnId),
    /// An agent's reply was carried out, was rejected, or the agent does not know.
    Replied {
        /// The words, which no other reply has.
        text: String,
        /// What the agent knows.
        carried_out: Option<bool>,
    },
    /// An idempotency key that was used once was taken for another request's.
    KeyReused,
    /// Something befell the machinery.
    Befell(String),
}

/// An event as Facebook told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// On which Page.
    pub page: PageId,
    /// By or about whom.
    pub party: Party,
    /// By which it is recognised when it comes again.
    pub key: String,
    /// Its JSON.
    pub json: String,
}

/// An entry with its time.
#[derive(Debug, Clone)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What.
    pub entry: Entry,
}

/// Everything that happened so far.
#[derive(Debug)]
pub struct Tape {
    clock: SimulatedClock,
    moments: Mutex<Vec<Moment>>,
}

impl Tape {
    /// An empty one.
    #[must_use]
    pub const fn new(clock: SimulatedClock) -> Self {
        Self {
            clock,
            moments: Mutex::new(Vec::new()),
        }
    }

    /// Puts something down.
    pub fn record(&self, entry: Entry) {
        let moment = Moment {
            at: self.clock.now(),
            entry,
        };
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
    }

    /// Everything so far.
    #[must_use]
    pub fn moments(&self) -> Vec<Moment> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

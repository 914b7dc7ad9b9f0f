//! The store: streams, log, inbox, outbox and read models behind one door.
//!
//! [`Store::transact`] locks what the [`Scope`] names, loads it, runs the pure step and writes what the step says, all in
//! one transaction, or nothing. The step never sees a connection.
//!
//! Contract, checked by the conformance suite for every implementation:
//! * Locks are taken in one statement, sorted, before the first write; no transaction takes a second set.
//! * An append whose expected version is not the stream's version fails the whole transaction with [`StoreError::Conflict`].
//! * Inbox keys are written once; of two transactions with the same key the second sees it as known.
//! * Effects of one lane (visitor, class) are handed out one at a time, in the order in which they were added.
//! * A claimed effect whose lease lapsed is free again; a started one never is: it is found by `lapsed`.
//! * [`Store::read_log`] never skips an event that commits later than one it has returned.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use domain::agent::Agent;
use domain::conversation::{Conversation, Settings};
use domain::directory::Person;
use domain::effect::Effect;
use domain::event::{Actor, Event, StreamId};
use domain::projection::RowChange;
use domain::routing::Floor;
use domain::visitor::Visitor;
use shared::{ConversationId, EffectId, MessageId, PageId, Party, PersonId, Timestamp, VisitorId};
use uuid::Uuid;

/// The machinery failed. Rejections of the domain are not errors; they are values of the step.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended in between. Try again on fresh state.
    #[error("stream {stream} is not at version {expected}")]
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// The version that the step had seen.
        expected: i64,
    },
    /// A lock was not to be had in time. A batch is split, a command is tried again.
    #[error("a lock was not to be had in time")]
    LockTimeout,
    /// The data itself was refused. The same data will be refused again.
    #[error("the data was refused: {reason}")]
    Data {
        /// What was wrong, without any of the data.
        reason: String,
    },
    /// An event in the log, or a state, that this version cannot read. Never skipped.
    #[error("stream {stream} cannot be read by this version")]
    Unreadable {
        /// Which stream.
        stream: String,
    },
    /// The store cannot be reached or broke off. It is not known whether the transaction was committed.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// For the log: the error with its sources.
    #[must_use]
    pub fn as_error(&self) -> &(dyn std::error::Error + 'static) {
        self
    }
}

/// Which visitor a transaction is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum VisitorRef {
    /// By what Facebook calls them; made known when the step appends something. `fresh` is the id of a new one.
    Identity {
        /// On which Page.
        page: PageId,
        /// Who.
        party: Party,
        /// The id that a new visitor gets.
        fresh: VisitorId,
    },
    /// By our id.
    Id(VisitorId),
    /// The one of a conversation; that conversation is loaded, closed or not.
    Of(ConversationId),
}

/// The inbox key of a received event: page and dedupe key. Stored hashed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboxKey(pub String);

/// An effect that a transaction settles: checked to be still ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectRef {
    /// Which effect.
    pub effect: EffectId,
    /// The attempt that we made; another number means that somebody else has it.
    pub attempt: u32,
}

/// A command that must not be carried out twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Who gave the key.
    pub person: PersonId,
    /// The key.
    pub key: String,
    /// Hash of the request: the same key with another request is an error.
    pub fingerprint: String,
}

/// What a transaction locks and loads.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Visitors: locked, loaded with their stream, their open conversation and what the outbox still holds of theirs.
    pub visitors: Vec<VisitorRef>,
    /// Pages whose settings are wanted beyond those of the visitors' own.
    pub pages: BTreeSet<PageId>,
    /// At most one agent: locked, loaded with agent and person stream.
    pub agent: Option<PersonId>,
    /// At most one directory stream (app, channel, bot, skill group, person): locked and loaded.
    pub directory: Option<StreamId>,
    /// Inbox keys: which of them are known?
    pub inbox: Vec<InboxKey>,
    /// Effects to be settled: which of them are still ours?
    pub effects: Vec<EffectRef>,
    /// The command's key, if it has one.
    pub idempotency: Option<Idempotency>,
    /// This relay takes the effects that become free through this transaction, if there are at most so many.
    pub claim: Option<(RelayId, usize)>,
}

/// A stream at its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState<S> {
    /// Its length; 0 where it has not begun.
    pub version: i64,
    /// Folded.
    pub state: S,
}

/// A visitor as loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedVisitor {
    /// Our id.
    pub id: VisitorId,
    /// On which Page.
    pub page: PageId,
    /// Who.
    pub party: Party,
    /// The visitor's own stream.
    pub stream: StreamState<Visitor>,
    /// The open conversation, and those that the scope names or whose effects it settles.
    pub conversations: BTreeMap<ConversationId, StreamState<Conversation>>,
    /// Messages in the outbox whose attempt has not begun: only these can still be withdrawn.
    pub unattempted: BTreeSet<MessageId>,
}

/// An agent as loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedAgent {
    /// Presence and engagements.
    pub agent: StreamState<Agent>,
    /// The account.
    pub person: StreamState<Option<Person>>,
    /// The name that visitors read.
    pub public_name: String,
}

/// Settings of a Page; `None` in the map of [`Loaded::pages`] where no channel is connected to it.
pub type PageSettings = Settings;

/// What the step gets to see.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Visitors by our id.
    pub visitors: BTreeMap<VisitorId, LoadedVisitor>,
    /// Which id a [`VisitorRef`] of the scope turned out to be; missing where a conversation does not exist.
    pub found: BTreeMap<VisitorRef, VisitorId>,
    /// Settings by Page.
    pub pages: BTreeMap<PageId, PageSettings>,
    /// The agent.
    pub agent: Option<LoadedAgent>,
    /// The directory stream: version and newest event (they carry the whole thing); version 0 where it has not begun.
    pub directory: Option<(i64, Option<Event>)>,
    /// Keys of the scope that were known before.
    pub known: BTreeSet<InboxKey>,
    /// Effects of the scope that are still ours.
    pub ours: BTreeSet<EffectId>,
}

/// An event to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The event.
    pub event: Event,
    /// When it happened: Facebook's time where there is one, else the time of the decision.
    pub occurred_at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// Who may see it (terms of `domain::permission::audience`).
    pub audience: Vec<String>,
    /// What belongs together: the dedupe key's hash, the effect, the request.
    pub correlation: Uuid,
    /// The trace that it belongs to (W3C), if any.
    pub traceparent: Option<String>,
}

/// Events for one stream, and its state after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Which stream.
    pub stream: StreamId,
    /// Whose visitor's key seals it; the service's key where there is none.
    pub visitor: Option<VisitorId>,
    /// The length that the step has seen.
    pub expected: i64,
    /// The events, in order.
    pub events: Vec<NewEvent>,
    /// The state after them, as JSON without texts, names and addresses.
    pub state: serde_json::Value,
    /// False once nothing more can happen (a closed conversation).
    pub live: bool,
}

/// An effect to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEffect {
    /// Its id.
    pub id: EffectId,
    /// Whose lane.
    pub visitor: VisitorId,
    /// What.
    pub effect: Effect,
    /// Not before.
    pub due: Timestamp,
}

/// Takes back what has not begun. If one of them has begun meanwhile, the transaction fails with [`StoreError::Conflict`]. What this very
/// transaction settles with [`Settlement::Again`] has not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Whose.
    pub visitor: VisitorId,
    /// Which message.
    pub message: MessageId,
}

/// How an effect ends for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done, one way or the other: the next of the lane may go.
    Done,
    /// It is tried again, and the lane waits for it.
    Again {
        /// Not before.
        not_before: Timestamp,
    },
    /// Nobody knows: it is never tried again, and the lane waits for the quiet period.
    Unknown {
        /// The next of the lane goes from then on.
        quiet_until: Timestamp,
    },
}

/// An effect and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which effect; one that is no longer ours is passed over.
    pub effect: EffectId,
    /// Its end.
    pub settlement: Settlement,
}

/// Why something is kept instead of processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuarantineKind {
    /// No channel is connected to the Page (yet).
    UnknownPage,
    /// It cannot be read or was refused by the database.
    Poison,
}

/// Something that is kept, sealed and redrivable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its id.
    pub id: Uuid,
    /// Why.
    pub kind: QuarantineKind,
    /// In words, without any of the data.
    pub reason: String,
    /// Which Page, if that much is known.
    pub page: Option<PageId>,
    /// Headers and body, as JSON; sealed with the service's key.
    pub envelope: String,
    /// The body as received; sealed with the service's key.
    pub body: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

/// An inbox key to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The key.
    pub key: InboxKey,
    /// Where in the ledger it was counted.
    pub receipt: Option<String>,
}

/// What the step wants written.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Events.
    pub appends: Vec<Append>,
    /// Read models.
    pub rows: Vec<RowChange>,
    /// New effects, in order.
    pub effects: Vec<NewEffect>,
    /// Effects taken back.
    pub withdrawn: Vec<Withdrawal>,
    /// Effects that ended.
    pub settled: Vec<Settled>,
    /// Inbox keys.
    pub arrived: Vec<Arrived>,
    /// What is kept aside.
    pub quarantined: Vec<Quarantined>,
    /// Kept events that are processed by this very transaction. If one of them is gone already, the transaction fails with
    /// [`StoreError::Conflict`].
    pub redriven: Vec<Uuid>,
    /// The answer to the command, kept under its idempotency key.
    pub response: Option<serde_json::Value>,
}

/// A pure step: from what is loaded to what shall be written. May be run again after a conflict.
pub type Step<T> = Box<dyn FnMut(&Loaded) -> (Changes, T) + Send>;

/// A relay: one process's performer of effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId(pub Uuid);

/// An effect that this relay has to perform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedEffect {
    /// Which one.
    pub id: EffectId,
    /// Whose lane.
    pub visitor: VisitorId,
    /// Page and party: where it goes.
    pub page: PageId,
    /// To whom.
    pub party: Party,
    /// What.
    pub effect: Effect,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The attempt is on record already: the request may be written at once.
    pub started: bool,
    /// Until when this relay has it.
    pub leased_until: Timestamp,
}

/// What a transaction did.
#[derive(Debug, Clone)]
pub struct Committed<T> {
    /// What the step returned; `None` where the idempotency key was known and nothing was done.
    pub value: Option<T>,
    /// The kept answer, where the idempotency key was known.
    pub replayed: Option<serde_json::Value>,
    /// The idempotency key was used for another request.
    pub key_reused: bool,
    /// Where the newest appended event stands.
    pub cursor: Option<Cursor>,
    /// Effects that are this relay's now. Those that go once are on record as started.
    pub claimed: Vec<ClaimedEffect>,
    /// Effects became free that this relay did not take.
    pub more_effects: bool,
}

/// A place in the log that a reader has read up to. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor {
    /// Rises when the database was restored into another cluster.
    pub epoch: i64,
    /// The transaction that appended.
    pub recorded_in: i64,
    /// The place in the log.
    pub position: i64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}-{}", self.epoch, self.recorded_in, self.position)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct NotACursor;

impl std::str::FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut parts = text.split('-').map(str::parse::<i64>);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(epoch)), Some(Ok(recorded_in)), Some(Ok(position)), None) => Ok(Self {
                epoch,
                recorded_in,
                position,
            }),
            _ => Err(NotACursor),
        }
    }
}

/// An event as a reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEvent {
    /// Its place in the log.
    pub cursor: Cursor,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: i64,
    /// Whose visitor's it is.
    pub visitor: Option<VisitorId>,
    /// What happened; opened. Content is empty where the key was destroyed.
    pub event: Event,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// Who may see it.
    pub audience: Vec<String>,
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The events, in order.
    pub events: Vec<ReadEvent>,
    /// Read from here next time.
    pub next: Cursor,
    /// There is more at once.
    pub full: bool,
}

/// A lease: the right to do something alone, until it lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Rises with every new holder.
    pub epoch: i64,
}

/// Streams, log, inbox, outbox and read models.
pub trait Store: Send + Sync + 'static {
    /// Locks, loads, steps, writes, commits.
    ///
    /// # Errors
    /// See [`StoreError`]; on all but [`StoreError::Unavailable`] nothing was written.
    fn transact<T: Send + 'static>(&self, scope: Scope, step: Step<T>) -> impl Future<Output = Result<Committed<T>, StoreError>> + Send;

    /// Claims the head effects of up to `most` free lanes that are due, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn claim(
        &self,
        relay: RelayId,
        now: Timestamp,
        most: usize,
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<ClaimedEffect>, StoreError>> + Send;

    /// Puts attempts on record just before the requests are written. Returns those that may begin; an effect that was
    /// withdrawn, or is no longer this relay's, is not among them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn start_attempts(
        &self,
        relay: RelayId,
        effects: Vec<EffectRef>,
    ) -> impl Future<Output = Result<BTreeSet<EffectId>, StoreError>> + Send;

    /// Started effects whose lease lapsed: what became of them is unknown. They become this relay's, to be settled.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn lapsed(
        &self,
        relay: RelayId,
        now: Timestamp,
        most: usize,
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<ClaimedEffect>, StoreError>> + Send;

    /// Prolongs what this relay has in hand, started or not. Only what it names: of effects that were given to it by a commit whose
    /// answer was lost, the relay knows nothing, and their leases must lapse.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn renew(
        &self,
        relay: RelayId,
        effects: Vec<EffectId>,
        now: Timestamp,
        lease: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// When the next effect falls due, if one is waiting for its time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn next_due(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Reads on behind a cursor, only below the oldest running transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    fn read_log(&self, after: Cursor, most: usize) -> impl Future<Output = Result<LogPage, StoreError>> + Send;

    /// Where a reader that wants only news begins.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn head(&self) -> impl Future<Output = Result<Cursor, StoreError>> + Send;

    /// The floor as the read models have it, and the cursor from which it has to be followed. Seeing an event twice does no
    /// harm to a floor.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn floor(&self) -> impl Future<Output = Result<(Floor, Cursor), StoreError>> + Send;

    /// Takes or renews a lease. `None` where somebody else has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn lease(
        &self,
        name: &'static str,
        holder: Uuid,
        now: Timestamp,
        span: Duration,
    ) -> impl Future<Output = Result<Option<Lease>, StoreError>> + Send;

    /// Gives a lease back.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn release(&self, name: &'static str, holder: Uuid) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes kept events of a Page whose channel has appeared out of quarantine, oldest first: `(id, envelope, body)`.
    /// They stay there until a transaction names them in [`Changes::redriven`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn redrivable(&self, most: usize) -> impl Future<Output = Result<Vec<(Uuid, String, Vec<u8>)>, StoreError>> + Send;
}

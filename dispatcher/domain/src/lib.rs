//! The rules of Frontdesk, as values.
//!
//! A command meets a state and becomes events ([`conversation::decide`]) or a [`Rejection`]; events fold into states
//! (`evolve`), into rows of the read models ([`projection`]) and into effects ([`effect`]).
//!
//! Invariant: nothing here performs I/O, reads a clock, draws randomness or waits. The build checks that no crate which
//! could do so is reachable from here.

pub mod agent;
pub mod bot;
pub mod content;
pub mod context;
pub mod conversation;
pub mod directory;
pub mod effect;
pub mod event;
pub mod outbound;
pub mod permission;
pub mod projection;
pub mod rejection;
pub mod routing;
pub mod texts;
pub mod visitor;
pub mod work_mode;

pub use content::Content;
pub use context::{Context, IdSeed};
pub use event::{Actor, Event, StreamId, StreamKind};
pub use rejection::Rejection;

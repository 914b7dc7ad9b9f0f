//! What must hold after every day, whatever happened in it.

mod agents;
mod arrivals;
mod log;
mod models;
mod queue;
mod sends;

use engine::ports::ReadEvent;

use super::tape::{Entry, Moment};
use super::world::{Kind, World};

/// A day to be judged.
struct Day<'a> {
    world: &'a World,
    kind: Kind,
    moments: Vec<Moment>,
    /// The log as a reader gets it.
    log: Vec<ReadEvent>,
}

impl Day<'_> {
    /// Committed events, in the order of their commits.
    fn committed(&self) -> impl Iterator<Item = &ReadEvent> {
        self.moments.iter().filter_map(|moment| match &moment.entry {
            Entry::Appended(event) => Some(&**event),
            _ => None,
        })
    }
}

/// Everything that is wrong, in words.
#[must_use]
pub fn all(world: &World, kind: Kind) -> Vec<String> {
    let log = match world.store.log() {
        Ok(log) => log,
        Err(error) => return vec![format!("the log cannot be read: {error}")],
    };
    let day = Day {
        world,
        kind,
        moments: world.tape.moments(),
        log,
    };
    let checks = [
        log::check,
        arrivals::check,
        sends::check,
        agents::check,
        queue::check,
        models::check,
    ];
    checks.iter().flat_map(|check| check(&day)).collect()
}

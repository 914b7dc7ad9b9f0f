//! The broker's exchanges and queues as data, so that both services and the tests declare the very same thing.
//!
//! Invariant: all events of one visitor go to one partition, and a partition is one broker queue with a single active consumer;
//! that is where the order of a visitor comes from. Works on RabbitMQ 3.10 and 4.x without plugins.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::{PageId, Party};

/// How many partitions there are. A constant: changing it moves visitors between broker queues while their events are under way.
pub const PARTITIONS: u8 = 16;

/// Redeliveries that the broker tolerates. Effectively never reached: poison is found by us. With 5 and six closed connections
/// the broker dead-lettered 50 healthy messages; RabbitMQ 4 sets 20 when nothing is said.
pub const DELIVERY_LIMIT: i64 = 1_000_000;

/// One of the [`PARTITIONS`] broker queues of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u8);

impl Partition {
    /// The partition of a visitor: the first 8 bytes, big-endian, of SHA-256(page id, line feed, party key), modulo [`PARTITIONS`].
    #[must_use]
    pub fn of(page_id: &PageId, party: &Party) -> Self {
        let mut hash = Sha256::new();
        hash.update(page_id.as_str().as_bytes());
        hash.update(b"\n");
        match party {
            Party::Psid(id) => hash.update(id.as_bytes()),
            other => hash.update(other.as_key().as_bytes()),
        }
        let digest: [u8; 32] = hash.finalize().into();
        // 16 divides 256, so the number modulo 16 is decided by its last byte alone.
        let [_, _, _, _, _, _, _, last, ..] = digest;
        Self(last % PARTITIONS)
    }

    /// The partition with this number, if there is one.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < PARTITIONS { Some(Self(number)) } else { None }
    }

    /// All partitions in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        const ALL: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        ALL.into_iter().map(Self)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its number, for indexing.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Its routing key at the events exchange.
    #[must_use]
    pub const fn routing_key(self) -> &'static str {
        const KEYS: [&str; 16] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];
        let mut remaining: &[&'static str] = &KEYS;
        let mut number = self.0;
        loop {
            match remaining {
                [key, ..] if number == 0 => return key,
                [_, rest @ ..] => {
                    remaining = rest;
                    number -= 1;
                }
                // A partition is below 16 by construction.
                [] => return "0",
            }
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A text that names no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    /// Not a number at all.
    #[error("a partition is a number")]
    NotANumber(#[from] ParseIntError),
    /// A number beyond the last partition.
    #[error("there is no partition {0}")]
    TooLarge(u8),
}

impl FromStr for Partition {
    type Err = PartitionError;
    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let number: u8 = text.parse()?;
        Self::new(number).ok_or(PartitionError::TooLarge(number))
    }
}

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// By exact routing key.
    Direct,
    /// To every bound queue.
    Fanout,
}

/// An exchange to declare, always durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its name, with the prefix.
    pub name: String,
    /// How it routes.
    pub kind: ExchangeKind,
}

/// The value of a queue argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A switch.
    Switch(bool),
}

/// A durable broker queue to declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name, with the prefix.
    pub name: String,
    /// Its declaration arguments.
    pub arguments: Vec<(&'static str, Argument)>,
    /// The exchange and routing key it is bound to; none means only the default exchange reaches it.
    pub binding: Option<(String, &'static str)>,
}

/// The names of everything at the broker, behind an optional prefix that keeps installations and tests apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topology {
    prefix: String,
}

impl Topology {
    /// A topology whose every name starts with `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The direct exchange that events are published to.
    #[must_use]
    pub fn events_exchange(&self) -> String {
        self.named("messenger.events")
    }

    /// The broker queue of one partition.
    #[must_use]
    pub fn events_queue(&self, partition: Partition) -> String {
        format!("{}messenger.events.{partition}", self.prefix)
    }

    /// The broker queue that keeps signed bodies nobody could split.
    #[must_use]
    pub fn unparsed_queue(&self) -> String {
        self.named("messenger.unparsed")
    }

    /// The broker queue of confirmed ranges, see [`crate::ledger`].
    #[must_use]
    pub fn ledger_queue(&self) -> String {
        self.named("messenger.ledger")
    }

    /// Where the broker would put an event that it gives up on. Must stay empty.
    #[must_use]
    pub fn dead_queue(&self) -> String {
        self.named("messenger.dead")
    }

    /// The fanout exchange that wakes the other processes.
    #[must_use]
    pub fn live_exchange(&self) -> String {
        self.named("frontdesk.live")
    }

    /// Every exchange.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        vec![
            Exchange {
                name: self.events_exchange(),
                kind: ExchangeKind::Direct,
            },
            Exchange {
                name: self.live_exchange(),
                kind: ExchangeKind::Fanout,
            },
        ]
    }

    /// Every durable broker queue; the dead queue comes first because the others point to it.
    #[must_use]
    pub fn queues(&self) -> Vec<Queue> {
        let plain = [self.dead_queue(), self.unparsed_queue(), self.ledger_queue()];
        let plain = plain.into_iter().map(|name| Queue {
            name,
            arguments: quorum(),
            binding: None,
        });
        plain
            .chain(Partition::all().map(|partition| self.partition_queue(partition)))
            .collect()
    }

    fn partition_queue(&self, partition: Partition) -> Queue {
        let mut arguments = quorum();
        arguments.extend([
            ("x-single-active-consumer", Argument::Switch(true)),
            ("x-dead-letter-exchange", Argument::Text(String::new())),
            ("x-dead-letter-routing-key", Argument::Text(self.dead_queue())),
        ]);
        Queue {
            name: self.events_queue(partition),
            arguments,
            binding: Some((self.events_exchange(), partition.routing_key())),
        }
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

fn quorum() -> Vec<(&'static str, Argument)> {
    vec![
        ("x-queue-type", Argument::Text("quorum".to_owned())),
        ("x-delivery-limit", Argument::Number(DELIVERY_LIMIT)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn page() -> PageId {
        PageId::parse("159955055741").unwrap()
    }

    #[test]
    fn the_partition_of_a_visitor_is_the_documented_hash() {
        for number in 0..200_u32 {
            let party = Party::Psid(number.to_string());
            let digest = Sha256::digest(format!("159955055741\n{number}"));
            let first_eight = u64::from_be_bytes(digest[..8].try_into().unwrap());
            assert_eq!(u64::from(Partition::of(&page(), &party).number()), first_eight % 16);
        }
    }

    #[test]
    fn the_partition_of_a_visitor_never_changes_between_releases() {
        assert_eq!(Partition::of(&page(), &Party::Psid("4711".into())).number(), 11);
        assert_eq!(Partition::of(&page(), &Party::Page).number(), 2);
        assert_eq!(Partition::of(&page(), &Party::UserRef("abc".into())).number(), 13);
    }

    #[test]
    fn visitors_spread_over_all_partitions() {
        let used: BTreeSet<_> = (0..500)
            .map(|number: u32| Partition::of(&page(), &Party::Psid(number.to_string())))
            .collect();
        assert_eq!(used, Partition::all().collect());
    }

    #[test]
    fn a_partition_is_told_apart_by_its_routing_key() {
        for partition in Partition::all() {
            assert_eq!(partition.routing_key().parse::<Partition>(), Ok(partition));
        }
        assert_eq!("16".parse::<Partition>(), Err(PartitionError::TooLarge(16)));
        assert!("x".parse::<Partition>().is_err());
    }

    #[test]
    fn every_partition_has_a_quorum_queue_with_one_active_consumer_and_a_dead_letter_target() {
        let topology = Topology::new("test.");
        let queues = topology.queues();
        for partition in Partition::all() {
            let queue = queues
                .iter()
                .find(|queue| queue.name == format!("test.messenger.events.{partition}"))
                .unwrap();
            assert_eq!(queue.binding, Some(("test.messenger.events".to_owned(), partition.routing_key())));
            assert!(queue.arguments.contains(&("x-queue-type", Argument::Text("quorum".into()))));
            assert!(queue.arguments.contains(&("x-single-active-consumer", Argument::Switch(true))));
            assert!(queue.arguments.contains(&("x-delivery-limit", Argument::Number(1_000_000))));
            assert!(
                queue
                    .arguments
                    .contains(&("x-dead-letter-routing-key", Argument::Text("test.messenger.dead".into())))
            );
        }
        assert_eq!(queues.len(), 19);
    }
}

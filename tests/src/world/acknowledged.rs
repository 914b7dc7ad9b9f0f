//! What ingress answered with 200, and what that obliges everybody to.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::database::Database;

/// A message that ingress acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Who wrote it.
    pub psid: String,
    /// Facebook's id of it.
    pub mid: String,
}

/// Everything acknowledged, in the order in which each visitor wrote it.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Vec<Acknowledged>);

impl Ledger {
    /// Of these messages; each visitor's in their order.
    #[must_use]
    pub const fn new(messages: Vec<Acknowledged>) -> Self {
        Self(messages)
    }

    /// How many messages there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was acknowledged.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of them are not in the log yet.
    #[must_use]
    pub fn missing_in(&self, database: &Database) -> usize {
        let stored: HashSet<String> = database.received().into_iter().map(|received| received.mid).collect();
        self.0.iter().filter(|message| !stored.contains(&message.mid)).count()
    }

    /// Checks that each of them is in the log once, that each visitor's stand there in the order in which they were written, and that
    /// no two people were taken for one.
    ///
    /// # Panics
    /// When it is not so; says what is wrong.
    pub fn check(&self, database: &Database) {
        let mut stored: HashMap<String, Vec<Uuid>> = HashMap::new();
        let mut in_order: HashMap<Uuid, Vec<String>> = HashMap::new();
        for received in database.received() {
            stored.entry(received.mid.clone()).or_default().push(received.visitor);
            in_order.entry(received.visitor).or_default().push(received.mid);
        }
        let lost: Vec<&Acknowledged> = self.0.iter().filter(|message| !stored.contains_key(&message.mid)).collect();
        assert!(
            lost.is_empty(),
            "{} of {} acknowledged messages are lost: {:?}",
            lost.len(),
            self.len(),
            &lost[..lost.len().min(10)]
        );
        let doubled: Vec<&String> = stored.iter().filter(|(_, places)| places.len() > 1).map(|(mid, _)| mid).collect();
        assert!(doubled.is_empty(), "messages stand in the log more than once: {doubled:?}");
        let mut of_visitors: BTreeMap<&str, Vec<&Acknowledged>> = BTreeMap::new();
        for message in &self.0 {
            of_visitors.entry(&message.psid).or_default().push(message);
        }
        let mut people = HashSet::new();
        for (psid, written) in of_visitors {
            let visitor = stored[&written[0].mid][0];
            assert!(people.insert(visitor), "two people are one visitor, one of them {psid}");
            let written: Vec<&str> = written.iter().map(|message| message.mid.as_str()).collect();
            let acknowledged: HashSet<&str> = written.iter().copied().collect();
            // What was stored without an acknowledgement may stand between.
            let stored: Vec<&str> = in_order[&visitor]
                .iter()
                .map(String::as_str)
                .filter(|mid| acknowledged.contains(mid))
                .collect();
            assert_eq!(stored, written, "the order of {psid} was not kept");
        }
    }
}

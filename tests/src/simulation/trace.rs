//! What a simulated day left behind.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::tape::{Entry, Moment};

/// How much of a trace is shown.
const TAIL: usize = 60;

/// A day, and what was wrong with it.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Out of which it came.
    pub seed: u64,
    /// Everything that happened.
    pub moments: Vec<Moment>,
    /// What must not have happened, in words.
    pub violations: Vec<String>,
}

impl Trace {
    /// SHA-256 over everything that happened, in order and with its time: log events, sends, questions, faults.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for moment in &self.moments {
            hash.update(format!("{} {:?}\n", moment.at, moment.entry).as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// How many events were committed.
    #[must_use]
    pub fn events(&self) -> usize {
        let appended = |moment: &&Moment| matches!(moment.entry, Entry::Appended(_));
        self.moments.iter().filter(appended).count()
    }

    /// How many messages reached a visitor.
    #[must_use]
    pub fn sends(&self) -> usize {
        let reached = |moment: &&Moment| matches!(moment.entry, Entry::Reached { .. });
        self.moments.iter().filter(reached).count()
    }

    /// For a person: the seed, what was wrong, and how the day ended.
    #[must_use]
    pub fn report(&self) -> String {
        let mut report = format!("seed {}: {} violations\n", self.seed, self.violations.len());
        for violation in &self.violations {
            let _infallible = writeln!(report, "  - {violation}");
        }
        let from = self.moments.len().saturating_sub(TAIL);
        for moment in self.moments.iter().skip(from) {
            let line = format!("{:?}", moment.entry);
            let short: String = line.chars().take(300).collect();
            let _infallible = writeln!(report, "    {} {short}", moment.at);
        }
        report
    }
}

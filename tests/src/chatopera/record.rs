//! What was asked, in order.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

/// A query and when it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    /// Its place among all queries, from 1.
    pub sequence: u64,
    /// Who asked.
    pub user_id: String,
    /// What.
    pub text: String,
    /// When it came, in microseconds since 1970.
    pub received_at_us: i64,
    /// When the answer left; none while it is thought about, or when there was none.
    pub answered_at_us: Option<i64>,
    /// Whether another query of the same user was still unanswered: a client that keeps the order never causes this.
    pub overlapping: bool,
}

/// Everything that was asked.
#[derive(Debug, Default)]
pub struct Record {
    /// Oldest first; a bounded memory.
    pub queries: VecDeque<Query>,
    /// How many queries ever came.
    pub total: u64,
    /// Calls that were kept out.
    pub kept_out: u64,
    in_flight: HashMap<String, u32>,
}

impl Record {
    /// Notes a query; gives back its number.
    pub(super) fn ask(&mut self, user_id: &str, text: &str, now_us: i64, remember: usize) -> u64 {
        let in_flight = self.in_flight.entry(user_id.to_owned()).or_insert(0);
        let overlapping = *in_flight > 0;
        *in_flight += 1;
        self.total += 1;
        self.queries.push_back(Query {
            sequence: self.total,
            user_id: user_id.to_owned(),
            text: text.to_owned(),
            received_at_us: now_us,
            answered_at_us: None,
            overlapping,
        });
        while self.queries.len() > remember {
            self.queries.pop_front();
        }
        self.total
    }

    /// Notes that a query is over, with an answer or without.
    pub(super) fn finish(&mut self, user_id: &str, sequence: u64, answered_at_us: Option<i64>) {
        if let Some(in_flight) = self.in_flight.get_mut(user_id) {
            *in_flight -= 1;
            if *in_flight == 0 {
                self.in_flight.remove(user_id);
            }
        }
        let first = self.queries.front().map_or(0, |query| query.sequence);
        let place = sequence.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(query) = place.and_then(|place| self.queries.get_mut(place)) {
            query.answered_at_us = answered_at_us;
        }
    }

    /// The queries of a user, oldest first.
    pub fn of<'a>(&'a self, user_id: &'a str) -> impl Iterator<Item = &'a Query> {
        self.queries.iter().filter(move |query| query.user_id == user_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_queries_of_one_user_at_once_are_noted_as_overlapping() {
        let mut record = Record::default();
        let first = record.ask("7", "a", 1, 10);
        record.ask("8", "b", 2, 10);
        record.ask("7", "c", 3, 10);
        record.finish("7", first, Some(4));
        let overlapping: Vec<bool> = record.queries.iter().map(|query| query.overlapping).collect();
        assert_eq!(overlapping, [false, false, true]);
        assert_eq!(record.queries[0].answered_at_us, Some(4));
    }

    #[test]
    fn an_answer_finds_its_query_after_older_ones_were_forgotten() {
        let mut record = Record::default();
        let numbers: Vec<u64> = (0..5).map(|number| record.ask(&number.to_string(), "a", number, 2)).collect();
        record.finish("4", numbers[4], Some(9));
        record.finish("0", numbers[0], Some(9));
        let answered: Vec<Option<i64>> = record.queries.iter().map(|query| query.answered_at_us).collect();
        assert_eq!(answered, [None, Some(9)]);
    }
}

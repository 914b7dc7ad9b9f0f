//! The bot's answers as they arrive at Facebook, and how long the bot took.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::arrivals::{Arrivals, Board};
use crate::chatopera::Chatopera;
use crate::chatopera::answer::SHIPPING;
use crate::facebook::Sent;
use crate::watched::NotReached;

/// Notes every answer of the bot that Facebook accepts.
pub(super) struct Answers {
    board: Board,
    task: JoinHandle<()>,
}

/// What an answer is known by: the visitor and how many of theirs came before. Answers to one visitor come in the order of the questions.
pub(super) fn key(psid: &str, earlier: u32) -> String {
    format!("{psid}/{earlier}")
}

impl Answers {
    pub(super) fn collect(accepted: broadcast::Receiver<Arc<Sent>>) -> Self {
        let board = Board::new();
        let task = tokio::spawn(note_all(accepted, board.clone()));
        Self { board, task }
    }

    pub(super) async fn wait_for(&self, count: usize, patience: Duration) -> Result<(), NotReached> {
        self.board.wait_for(count, patience).await
    }

    pub(super) fn end(self) -> Arrivals {
        self.task.abort();
        self.board.taken()
    }
}

/// Ends when Facebook ends, or when this does not keep up; then answers are missing, which fails the run.
async fn note_all(mut accepted: broadcast::Receiver<Arc<Sent>>, board: Board) {
    let mut answered: HashMap<String, u32> = HashMap::new();
    while let Ok(sent) = accepted.recv().await {
        if sent.text() == Some(SHIPPING) {
            let earlier = answered.entry(sent.psid.clone()).or_default();
            board.note(key(&sent.psid, *earlier), sent.accepted_at_us);
            *earlier += 1;
        }
    }
}

/// How long the bot took, by question, in microseconds.
pub(super) fn bot_times(chatopera: &Chatopera) -> HashMap<String, i64> {
    let queries = chatopera.queries().into_iter();
    queries
        .filter_map(|query| Some((query.text, query.answered_at_us? - query.received_at_us)))
        .collect()
}

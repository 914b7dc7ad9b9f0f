//! Performing one effect out there.

use std::future::Future;

use domain::bot::BotOutcome;
use domain::outbound::Outcome;

use super::ClaimedEffect;

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// A question to a bot.
    Bot(BotOutcome),
    /// A message to a visitor.
    Sent(Outcome),
}

/// Does one effect. Deadlines are its own business: it always answers.
pub trait Perform: Send + Sync + 'static {
    /// Does it. Dropping the future means that nobody waits any more; the effect may have happened.
    fn perform(&self, effect: &ClaimedEffect) -> impl Future<Output = Performed> + Send;
}

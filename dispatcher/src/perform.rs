//! Performs effects: messages through Facebook's Send API, questions through Chatopera.

use std::time::Duration;

use domain::bot::{BotFailure, BotOutcome};
use domain::effect::Effect;
use domain::outbound::{Outcome, Refusal, RefusalReason};
use engine::ports::{ClaimedEffect, Environment, Perform, Performed};
use rand::Rng as _;
use shared::{BotId, Timestamp};
use store::directory::Directory;

use crate::chatopera::{Chatopera, Credentials};
use crate::environment::SystemEnvironment;
use crate::graph::{Graph, Message};

/// How long a message waits when our own directory could not be read.
const DIRECTORY_PAUSE: Duration = Duration::from_secs(2);

/// The platforms behind the relay.
pub struct Platforms {
    graph: Graph,
    chatopera: Chatopera,
    directory: Directory,
}

impl Platforms {
    /// Facebook, Chatopera and the directory with the secrets for both.
    #[must_use]
    pub const fn new(graph: Graph, chatopera: Chatopera, directory: Directory) -> Self {
        Self {
            graph,
            chatopera,
            directory,
        }
    }

    async fn send(&self, claimed: &ClaimedEffect, effect: &Effect) -> Option<Outcome> {
        let Effect::Send {
            page,
            message,
            shape,
            content,
            ..
        } = effect
        else {
            return None;
        };
        let now = SystemEnvironment.now();
        Some(match self.directory.page_token(page).await {
            Ok(Some(token)) => {
                let message = Message {
                    page,
                    party: &claimed.party,
                    id: *message,
                    shape: *shape,
                    content,
                    attempt: claimed.attempt,
                };
                self.graph.send(&token, message, now).await
            }
            Ok(None) => Outcome::Refused(Refusal {
                reason: RefusalReason::TokenDead,
                code: None,
                subcode: None,
            }),
            // Nothing was sent: the token could not even be looked up.
            Err(_) => Outcome::Later {
                not_before: now.plus(DIRECTORY_PAUSE),
            },
        })
    }

    async fn ask(&self, claimed: &ClaimedEffect, bot: BotId, question: &str, now: Timestamp) -> BotOutcome {
        match self.directory.bot(bot).await {
            Ok(Some(bot)) if bot.enabled => {
                let credentials = Credentials {
                    client_id: bot.client_id,
                    secret: bot.secret,
                    base_url: bot.base_url,
                    deadline: bot.deadline,
                };
                let nonce = rand::rng().random_range(1..=999_999_999);
                self.chatopera
                    .ask(&credentials, &claimed.party.as_key(), question, now, nonce)
                    .await
            }
            Ok(_) => BotOutcome::Failed { reason: BotFailure::Off },
            Err(_) => BotOutcome::Failed {
                reason: BotFailure::Unavailable,
            },
        }
    }
}

impl Perform for Platforms {
    async fn perform(&self, claimed: &ClaimedEffect) -> Performed {
        match &claimed.effect {
            Effect::AskBot { bot, question, .. } => Performed::Bot(self.ask(claimed, *bot, question, SystemEnvironment.now()).await),
            effect @ Effect::Send { .. } => Performed::Sent(self.send(claimed, effect).await.unwrap_or(Outcome::Unknown)),
        }
    }
}

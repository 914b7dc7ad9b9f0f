//! Facebook's Send API and the bot, as they behave on bad days, with a record of what every visitor really sees.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::bot::{Answer, BotFailure, BotOutcome};
use domain::effect::Effect;
use domain::outbound::{Outcome, Refusal, RefusalReason};
use engine::ports::{ClaimedEffect, Perform, Performed};
use serde_json::json;
use shared::{MessageId, PageId, Party, TurnId};

use super::chance::Chance;
use super::clock::SimulatedClock;
use super::tape::{Entry, Tape};
use super::webhooks::{Webhooks, from_page, from_visitor};

/// How long the bot may think.
const BOT_DEADLINE: Duration = Duration::from_secs(30);
/// How long a request to Facebook may take.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// Whether the platforms have trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// Everything is sent and answered.
    Kind,
    /// Some of it is refused, put off, lost or late.
    Moody,
}

#[derive(Debug)]
struct State {
    temper: Temper,
    chance: Chance,
    sending: BTreeSet<(PageId, Party)>,
}

/// Both platforms.
#[derive(Debug)]
pub struct SimulatedPlatforms {
    clock: SimulatedClock,
    tape: Arc<Tape>,
    webhooks: Arc<Webhooks>,
    state: Mutex<State>,
}

/// What becomes of one request to Facebook.
enum Fate {
    Sent,
    Refused(RefusalReason),
    Later(Duration),
    LostBefore,
    LostAfter,
}

/// A message is under way to a visitor; however that ends, it is no longer when this is dropped.
struct Sending<'a> {
    platforms: &'a SimulatedPlatforms,
    to: (PageId, Party),
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.platforms.state().sending.remove(&self.to);
    }
}

impl SimulatedPlatforms {
    /// Platforms that tell what they do through these webhooks.
    #[must_use]
    pub const fn new(clock: SimulatedClock, tape: Arc<Tape>, webhooks: Arc<Webhooks>, temper: Temper, chance: Chance) -> Self {
        let state = State {
            temper,
            chance,
            sending: BTreeSet::new(),
        };
        Self {
            clock,
            tape,
            webhooks,
            state: Mutex::new(state),
        }
    }

    /// Changes the temper.
    pub fn turn(&self, temper: Temper) {
        self.state().temper = temper;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, span: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.state().chance.within(&span))
    }

    async fn send(&self, effect: &ClaimedEffect, message: MessageId) -> Outcome {
        let to = (effect.page.clone(), effect.party.clone());
        if !self.state().sending.insert(to.clone()) {
            self.tape.record(Entry::Overlapped { message });
        }
        let _sending = Sending { platforms: self, to };
        let fate = self.state().fate();
        tokio::time::sleep(self.draw(3..200)).await;
        let outcome = match fate {
            Fate::Sent => Outcome::Sent {
                mid: self.accept(effect, message),
            },
            Fate::Refused(reason) => Outcome::Refused(Refusal {
                reason,
                code: None,
                subcode: None,
            }),
            Fate::Later(span) => Outcome::Later {
                not_before: self.clock.now().plus(span),
            },
            Fate::LostBefore => {
                tokio::time::sleep(SEND_DEADLINE).await;
                Outcome::Unknown
            }
            Fate::LostAfter => {
                self.accept(effect, message);
                tokio::time::sleep(SEND_DEADLINE).await;
                Outcome::Unknown
            }
        };
        tokio::time::sleep(self.draw(2..150)).await;
        outcome
    }

    /// The message is on the visitor's phone. Facebook tells about it through the webhook.
    fn accept(&self, effect: &ClaimedEffect, message: MessageId) -> String {
        let (page, party) = (&effect.page, &effect.party);
        self.tape.record(Entry::Reached {
            page: page.clone(),
            party: party.clone(),
            message,
        });
        let (mid, now) = (format!("m_out_{message}"), self.clock.now());
        let (echoed, delivered, read) = {
            let chance = &mut self.state().chance;
            (chance.per_mille(500), chance.per_mille(500), chance.per_mille(300))
        };
        if echoed {
            let echo = json!({"is_echo": true, "app_id": 1, "metadata": message.to_string(), "mid": mid, "text": "…"});
            self.webhooks
                .post(page, from_page(page, party, now, "message", &echo), self.draw(1..3_000));
        }
        if delivered {
            let delivery = json!({"mids": [mid], "watermark": now.as_millis()});
            self.webhooks
                .post(page, from_visitor(page, party, now, "delivery", &delivery), self.draw(1..3_000));
        }
        if read {
            let read = json!({"watermark": now.as_millis()});
            self.webhooks
                .post(page, from_visitor(page, party, now, "read", &read), self.draw(1..9_000));
        }
        mid
    }

    async fn ask(&self, turn: TurnId, question: &str) -> BotOutcome {
        self.tape.record(Entry::Asked(turn));
        let luck = self.state().luck();
        if luck >= 94 {
            tokio::time::sleep(BOT_DEADLINE).await;
            return BotOutcome::Failed { reason: BotFailure::Late };
        }
        tokio::time::sleep(self.draw(30..3_000)).await;
        match luck {
            88..94 => BotOutcome::Failed {
                reason: BotFailure::Unavailable,
            },
            86..88 => BotOutcome::Muted,
            72..86 => answered("我不明白", true),
            // Long answers become several messages of one turn.
            60..72 => answered(&format!("{question}：{}", "长".repeat(4_000)), false),
            _ => answered(&format!("答：{question}"), false),
        }
    }
}

impl State {
    /// From 0, where nothing goes wrong, to 99.
    const fn luck(&mut self) -> u64 {
        match self.temper {
            Temper::Kind => 0,
            Temper::Moody => self.chance.below(100),
        }
    }

    fn fate(&mut self) -> Fate {
        match self.luck() {
            95.. => Fate::LostBefore,
            90..95 => Fate::LostAfter,
            84..90 => Fate::Later(Duration::from_millis(self.chance.within(&(100..12_000)))),
            82..84 => Fate::Refused(RefusalReason::WindowClosed),
            80..82 => Fate::Refused(RefusalReason::Other),
            _ => Fate::Sent,
        }
    }
}

fn answered(text: &str, is_fallback: bool) -> BotOutcome {
    BotOutcome::Answered(Answer {
        text: Some(text.to_owned()),
        is_fallback,
        provider: if is_fallback { "fallback" } else { "faq" }.to_owned(),
    })
}

impl Perform for SimulatedPlatforms {
    async fn perform(&self, effect: &ClaimedEffect) -> Performed {
        match &effect.effect {
            Effect::Send { message, .. } => Performed::Sent(self.send(effect, *message).await),
            Effect::AskBot { turn, question, .. } => Performed::Bot(self.ask(*turn, question).await),
        }
    }
}

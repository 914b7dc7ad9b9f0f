//! What may happen to a conversation, and what then follows.
//!
//! Invariant: `decide` never looks at the clock, the network or randomness.

use shared::{MessageId, PersonId, Timestamp, TurnId};

use super::command::{Command, Inbound, Settings};
use super::event::{CloseCause, ConversationEvent, HandOverCause, InboundKind, ReturnCause};
use super::phase::{Conversation, Epoch, Phase};
use crate::bot::{self, BotFailure, BotOutcome, FAQ_LIST, KICKOFF, START_CHATOPERA, TRANSFER_LABOR};
use crate::content::Content;
use crate::context::Context;
use crate::directory::AcceptMode;
use crate::outbound::{Draft, MOST_REPLY, Outcome, Sender};
use crate::rejection::Rejection;
use crate::routing::Explanation;
use crate::texts::TextKey;
use crate::work_mode::{Responder, first_responder};

/// Decides what follows from a command.
///
/// # Errors
/// A [`Rejection`] when the rules do not allow it.
pub fn decide(
    state: Option<&Conversation>,
    command: &Command,
    settings: &Settings,
    context: &Context,
) -> Result<Vec<ConversationEvent>, Rejection> {
    let mut turn = Turn {
        state: state.cloned(),
        events: Vec::new(),
        settings,
        context,
        ids_used: 0,
    };
    match command {
        Command::Receive(inbound) => turn.receive(inbound)?,
        Command::RecordBotOutcome { turn: id, epoch, outcome } => turn.record_bot_outcome(*id, *epoch, outcome)?,
        Command::RecordSend { message, attempt, outcome } => turn.record_send(*message, *attempt, outcome)?,
        Command::Reply { agent, text } => turn.reply(*agent, text)?,
        Command::Offer {
            agent,
            public_name,
            explanation,
        } => turn.offer(*agent, public_name, explanation)?,
        Command::Accept { agent, public_name } => turn.accept(*agent, public_name)?,
        Command::GiveQueueNotice { key, ahead } => turn.give_queue_notice(*key, *ahead)?,
        Command::HandToBot { agent } => turn.hand_to_bot(*agent)?,
        Command::PutBack { agent } => turn.put_back(*agent)?,
        Command::AgentLeft { agent } => turn.agent_left(*agent)?,
        Command::Close { person, any } => turn.close(*person, *any)?,
    }
    Ok(turn.events)
}

/// One decision in the making: every event is folded at once, so that the next step sees it.
struct Turn<'a> {
    state: Option<Conversation>,
    events: Vec<ConversationEvent>,
    settings: &'a Settings,
    context: &'a Context<'a>,
    ids_used: u16,
}

impl Turn<'_> {
    fn happen(&mut self, event: ConversationEvent) {
        self.state = Conversation::evolve(self.state.take(), &event);
        self.events.push(event);
    }

    fn open(&self) -> Result<&Conversation, Rejection> {
        self.state
            .as_ref()
            .filter(|state| !state.is_closed())
            .ok_or(Rejection::ConversationOver)
    }

    fn next_id(&mut self) -> u16 {
        let n = self.ids_used;
        self.ids_used = self.ids_used.saturating_add(1);
        n
    }

    fn receive(&mut self, inbound: &Inbound) -> Result<(), Rejection> {
        if self.state.as_ref().is_none_or(Conversation::is_closed) {
            self.state = None;
            self.happen(ConversationEvent::Opened {
                visitor: inbound.visitor,
                channel: self.settings.channel,
                page: self.settings.page.clone(),
                skill_group: self.settings.skill_group,
                bot: self.settings.bot,
                mode: self.settings.mode,
                responder: first_responder(self.settings.mode, self.settings.bot.is_some(), self.settings.humans_ready),
                at: self.context.now,
            });
        }
        let late = inbound.sent_at < self.open()?.last_sent_at;
        let n = self.next_id();
        let message = self.context.ids.message(n);
        self.happen(ConversationEvent::MessageReceived {
            message,
            mid: inbound.mid.clone(),
            kind: inbound.kind,
            sent_at: inbound.sent_at,
            late,
            content: inbound.content.clone(),
        });
        match self.open()?.phase {
            Phase::WithBot if inbound.content.payload.as_deref() == Some(TRANSFER_LABOR) => self.ask_for_a_person(),
            Phase::WithBot if late => Ok(()),
            Phase::WithBot => self.ask_bot(message, inbound),
            Phase::WithAgent {
                agent,
                since,
                parked: true,
            } => {
                self.happen(ConversationEvent::Returned {
                    agent,
                    cause: ReturnCause::VisitorReturned,
                    since,
                });
                Ok(())
            }
            Phase::WrapUp { agent, .. } => {
                self.happen(ConversationEvent::Resumed { agent });
                Ok(())
            }
            // Old buttons stay in the visitor's thread for ever; a tap after the hand-over is not an error.
            Phase::Waiting { .. } | Phase::Offered { .. } | Phase::WithAgent { parked: false, .. } | Phase::Closed { .. } => Ok(()),
        }
    }

    fn ask_for_a_person(&mut self) -> Result<(), Rejection> {
        if !self.settings.mode.allows_hand_over() {
            self.say(TextKey::HandoverRefused);
            return Ok(());
        }
        self.hand_to_people(HandOverCause::VisitorAsked)
    }

    fn hand_to_people(&mut self, by: HandOverCause) -> Result<(), Rejection> {
        self.raise_epoch(Responder::Human, by)?;
        self.happen(ConversationEvent::Queued { since: self.context.now });
        Ok(())
    }

    /// The turn fence: what the bot meant to say in an older epoch and has not begun to say is withdrawn.
    fn raise_epoch(&mut self, to: Responder, by: HandOverCause) -> Result<(), Rejection> {
        let state = self.open()?;
        let epoch = state.epoch.next();
        let of_the_bot = state
            .under_way
            .iter()
            .filter(|(_, under_way)| matches!(under_way.sender, Sender::Bot { .. }) && under_way.epoch < epoch);
        let void: Vec<MessageId> = of_the_bot
            .map(|(id, _)| *id)
            .filter(|id| self.context.unattempted.contains(id))
            .collect();
        self.happen(ConversationEvent::HandedOver {
            to,
            by,
            epoch,
            at: self.context.now,
        });
        for message in void {
            self.happen(ConversationEvent::MessageWithdrawn { message });
        }
        Ok(())
    }

    fn ask_bot(&mut self, message: MessageId, inbound: &Inbound) -> Result<(), Rejection> {
        let Some(bot) = self.settings.bot else { return self.bot_is_off() };
        let state = self.open()?;
        let (epoch, (_, turns)) = (state.epoch, state.turns_with_one_more(self.context.now));
        let Some(question) = question_of(inbound) else {
            if inbound.kind == InboundKind::Message {
                self.say_with_transfer_button(TextKey::BotNoAnswer);
            }
            return Ok(());
        };
        if turns > bot::TURNS_PER_MINUTE {
            self.happen(ConversationEvent::BotNotAsked { message });
            return Ok(());
        }
        let n = self.next_id();
        self.happen(ConversationEvent::BotAsked {
            turn: self.context.ids.turn(n),
            epoch,
            bot,
            at: self.context.now,
            content: Content::of_text(question),
        });
        Ok(())
    }

    /// The bot was switched off while the conversation was with it.
    fn bot_is_off(&mut self) -> Result<(), Rejection> {
        self.say(TextKey::BotUnavailable);
        if self.settings.mode.allows_hand_over() {
            self.hand_to_people(HandOverCause::BotFailed)
        } else {
            Ok(())
        }
    }

    fn record_bot_outcome(&mut self, turn: TurnId, epoch: Epoch, outcome: &BotOutcome) -> Result<(), Rejection> {
        // A late answer is refused, always: also where the conversation is over or was handed back to the bot since.
        let welcome = self
            .state
            .as_ref()
            .is_some_and(|state| state.epoch == epoch && matches!(state.phase, Phase::WithBot));
        if !welcome {
            if self.state.is_some() {
                self.happen(ConversationEvent::BotAnswerRefused { turn, epoch });
            }
            return Ok(());
        }
        match outcome {
            BotOutcome::Answered(answer) => {
                self.happen(ConversationEvent::BotAnswered {
                    turn,
                    provider: answer.provider.clone(),
                    is_fallback: answer.is_fallback,
                });
                let drafts = bot::render(answer, self.settings.mode, &self.settings.texts, self.context.ids, self.ids_used);
                self.intend(drafts, Sender::Bot { turn })
            }
            BotOutcome::Muted => self.bot_failed(turn, None, TextKey::BotNoAnswer),
            BotOutcome::Failed { reason } => self.bot_failed(turn, Some(*reason), TextKey::BotUnavailable),
        }
    }

    fn bot_failed(&mut self, turn: TurnId, reason: Option<BotFailure>, text: TextKey) -> Result<(), Rejection> {
        self.happen(ConversationEvent::BotFailed { turn, reason });
        self.say(text);
        if self.settings.mode.allows_hand_over() {
            self.hand_to_people(HandOverCause::BotFailed)
        } else {
            Ok(())
        }
    }

    fn record_send(&mut self, message: MessageId, attempt: u32, outcome: &Outcome) -> Result<(), Rejection> {
        let state = self.state.as_ref().ok_or(Rejection::NotUnderWay)?;
        let under_way = state.under_way.get(&message).ok_or(Rejection::NotUnderWay)?;
        // It had begun when the hand-over came, and Facebook did not take it: now it can be withdrawn after all.
        let overtaken = matches!(under_way.sender, Sender::Bot { .. }) && under_way.epoch < state.epoch;
        self.happen(match outcome {
            Outcome::Sent { mid } => ConversationEvent::MessageSent {
                message,
                mid: mid.clone(),
                attempt,
            },
            Outcome::Refused(refusal) => ConversationEvent::MessageRefused {
                message,
                refusal: refusal.clone(),
                attempt,
            },
            Outcome::Later { .. } if overtaken => ConversationEvent::MessageWithdrawn { message },
            Outcome::Later { not_before } => ConversationEvent::MessageDeferred {
                message,
                not_before: *not_before,
                attempt,
            },
            Outcome::Unknown => ConversationEvent::MessageUnknown { message, attempt },
        });
        Ok(())
    }

    fn reply(&mut self, agent: PersonId, text: &str) -> Result<(), Rejection> {
        let length = text.chars().count();
        if text.trim().is_empty() {
            return Err(Rejection::TextEmpty);
        }
        if length > MOST_REPLY {
            return Err(Rejection::TextTooLong { length, most: MOST_REPLY });
        }
        match self.open()?.phase {
            Phase::WithAgent { agent: owner, .. } if owner == agent => {}
            Phase::WithAgent { .. } | Phase::WithBot | Phase::Waiting { .. } | Phase::Offered { .. } | Phase::WrapUp { .. } => {
                return Err(Rejection::NotYourConversation);
            }
            Phase::Closed { .. } => return Err(Rejection::ConversationOver),
        }
        let drafts = bot::parts(text, self.context.ids, self.ids_used);
        self.intend(drafts, Sender::Agent { agent })
    }

    fn offer(&mut self, agent: PersonId, public_name: &str, explanation: &Explanation) -> Result<(), Rejection> {
        match self.open()?.phase {
            Phase::Waiting { .. } => {}
            Phase::WithBot | Phase::Offered { .. } | Phase::WithAgent { .. } | Phase::WrapUp { .. } | Phase::Closed { .. } => {
                return Err(Rejection::NotWaiting);
            }
        }
        self.happen(ConversationEvent::Offered {
            agent,
            at: self.context.now,
            explanation: Some(Box::new(explanation.clone())),
        });
        match self.settings.accept {
            AcceptMode::Automatic => self.take(agent, public_name),
            AcceptMode::Manual => Ok(()),
        }
    }

    fn accept(&mut self, agent: PersonId, public_name: &str) -> Result<(), Rejection> {
        match self.open()?.phase {
            Phase::Offered { agent: to, .. } if to == agent => self.take(agent, public_name),
            Phase::Waiting { .. } => {
                self.happen(ConversationEvent::Offered {
                    agent,
                    at: self.context.now,
                    explanation: None,
                });
                self.take(agent, public_name)
            }
            // Two clicks are one.
            Phase::WithAgent {
                agent: owner,
                parked: false,
                ..
            } if owner == agent => Ok(()),
            Phase::WithBot | Phase::Offered { .. } | Phase::WithAgent { .. } | Phase::WrapUp { .. } | Phase::Closed { .. } => {
                Err(Rejection::NotWaiting)
            }
        }
    }

    fn take(&mut self, agent: PersonId, public_name: &str) -> Result<(), Rejection> {
        self.happen(ConversationEvent::Accepted {
            agent,
            at: self.context.now,
        });
        let text = self.settings.texts.fill(TextKey::Assigned, "{agent}", public_name);
        self.say_text(TextKey::Assigned, text)
    }

    fn give_queue_notice(&mut self, key: TextKey, ahead: usize) -> Result<(), Rejection> {
        let state = self.open()?;
        match state.phase {
            Phase::Waiting { .. } if state.queue_notice.is_none() => {}
            Phase::Waiting { .. } => return Ok(()),
            Phase::WithBot | Phase::Offered { .. } | Phase::WithAgent { .. } | Phase::WrapUp { .. } | Phase::Closed { .. } => {
                return Err(Rejection::NotWaiting);
            }
        }
        let text = self.settings.texts.fill(key, "{num}", &ahead.to_string());
        self.say_text(key, text)
    }

    fn hand_to_bot(&mut self, agent: PersonId) -> Result<(), Rejection> {
        self.must_be_with(agent)?;
        if self.settings.bot.is_none() {
            return Err(Rejection::NoBot);
        }
        self.raise_epoch(Responder::Bot, HandOverCause::Agent { agent })
    }

    fn put_back(&mut self, agent: PersonId) -> Result<(), Rejection> {
        let since = self.must_be_with(agent)?;
        self.happen(ConversationEvent::Returned {
            agent,
            cause: ReturnCause::PutBack,
            since,
        });
        Ok(())
    }

    fn must_be_with(&self, agent: PersonId) -> Result<Timestamp, Rejection> {
        let state = self.open()?;
        match state.phase {
            Phase::Offered { agent: owner, since } | Phase::WithAgent { agent: owner, since, .. } if owner == agent => Ok(since),
            Phase::WithBot
            | Phase::Waiting { .. }
            | Phase::Offered { .. }
            | Phase::WithAgent { .. }
            | Phase::WrapUp { .. }
            | Phase::Closed { .. } => Err(Rejection::NotYourConversation),
        }
    }

    /// When an agent leaves, only what a visitor still waits for goes back; the rest is parked and causes no text.
    fn agent_left(&mut self, agent: PersonId) -> Result<(), Rejection> {
        let state = self.open()?;
        let unanswered = state.unanswered;
        match state.phase {
            Phase::Offered { agent: owner, since } if owner == agent => {
                self.happen(ConversationEvent::Returned {
                    agent,
                    cause: ReturnCause::AgentLeft,
                    since,
                });
            }
            Phase::WithAgent {
                agent: owner,
                since,
                parked: false,
            } if owner == agent && unanswered => {
                self.happen(ConversationEvent::Returned {
                    agent,
                    cause: ReturnCause::AgentLeft,
                    since,
                });
            }
            Phase::WithAgent {
                agent: owner,
                parked: false,
                ..
            } if owner == agent => self.happen(ConversationEvent::Parked { agent }),
            Phase::WrapUp { agent: owner, .. } if owner == agent => self.finish(CloseCause::Person { person: agent }),
            Phase::WithBot
            | Phase::Waiting { .. }
            | Phase::Offered { .. }
            | Phase::WithAgent { .. }
            | Phase::WrapUp { .. }
            | Phase::Closed { .. } => {}
        }
        Ok(())
    }

    fn close(&mut self, person: PersonId, any: bool) -> Result<(), Rejection> {
        let state = self.open()?;
        let phase = state.phase;
        match phase {
            Phase::WithAgent { agent, .. } | Phase::WrapUp { agent, .. } if agent == person || any => {}
            Phase::WithBot | Phase::Waiting { .. } | Phase::Offered { .. } if any => {}
            Phase::WithBot | Phase::Waiting { .. } | Phase::Offered { .. } | Phase::WithAgent { .. } | Phase::WrapUp { .. } => {
                return Err(Rejection::NotYourConversation);
            }
            Phase::Closed { .. } => return Err(Rejection::ConversationOver),
        }
        if !matches!(phase, Phase::WrapUp { .. }) {
            self.say(TextKey::Ended);
        }
        match phase {
            Phase::WithAgent { agent, parked: false, .. } if self.settings.wrap_up && agent == person => {
                self.happen(ConversationEvent::WrapUpStarted {
                    agent,
                    at: self.context.now,
                });
            }
            Phase::WithBot
            | Phase::Waiting { .. }
            | Phase::Offered { .. }
            | Phase::WithAgent { .. }
            | Phase::WrapUp { .. }
            | Phase::Closed { .. } => {
                self.finish(CloseCause::Person { person });
            }
        }
        Ok(())
    }

    fn finish(&mut self, by: CloseCause) {
        self.happen(ConversationEvent::Closed { by, at: self.context.now });
    }

    fn say(&mut self, key: TextKey) {
        let text = self.settings.texts.get(key).map(str::to_owned);
        // A text can only be refused where there is no conversation, and then there is nobody to read it.
        let _said = self.say_text(key, text);
    }

    fn say_text(&mut self, key: TextKey, text: Option<String>) -> Result<(), Rejection> {
        let drafts = text.map_or_else(Vec::new, |text| bot::parts(&text, self.context.ids, self.ids_used));
        self.intend(drafts, Sender::System { key })
    }

    fn say_with_transfer_button(&mut self, key: TextKey) {
        let Some(text) = self.settings.texts.get(key).map(str::to_owned) else {
            return;
        };
        let drafts = bot::with_transfer_button(&text, self.settings.mode, &self.settings.texts, self.context.ids, self.ids_used);
        let _said = self.intend(drafts, Sender::System { key });
    }

    fn intend(&mut self, drafts: Vec<Draft>, sender: Sender) -> Result<(), Rejection> {
        let epoch = self.open()?.epoch;
        for draft in drafts {
            self.next_id();
            self.happen(ConversationEvent::MessageIntended {
                message: draft.message,
                sender,
                epoch,
                shape: draft.shape,
                at: self.context.now,
                content: draft.content,
            });
        }
        Ok(())
    }
}

/// What the bot is asked: live buttons keep their meaning.
fn question_of(inbound: &Inbound) -> Option<String> {
    let content = &inbound.content;
    let question = match content.payload.as_deref() {
        Some(FAQ_LIST) => content.text.clone(),
        Some(START_CHATOPERA) => Some(KICKOFF.to_owned()),
        Some(payload) => Some(payload.to_owned()),
        None => content.text.clone(),
    };
    question.filter(|question| !question.trim().is_empty())
}

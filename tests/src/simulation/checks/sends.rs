//! What reaches visitors: nothing twice, nothing out of turn, nothing that a hand-over has overtaken; and everything ends.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::{ConversationEvent, Epoch};
use domain::effect::Effect;
use domain::event::Event;
use domain::outbound::Sender;
use engine::ports::ReadEvent;
use shared::{ConversationId, MessageId, PageId, Party, TurnId};

use super::Day;
use crate::simulation::tape::Entry;

/// A message that was meant to be sent.
struct Intent {
    conversation: ConversationId,
    sender: Sender,
    epoch: Epoch,
    /// Its place among all intents.
    place: usize,
    /// How it ended, in the order of the ends.
    ends: Vec<&'static str>,
    /// Attempts on record.
    started: u32,
    /// How often the visitor sees it.
    reached: u32,
}

/// The day as messages see it.
#[derive(Default)]
struct Messages<'a> {
    intents: BTreeMap<MessageId, Intent>,
    epochs: BTreeMap<ConversationId, Epoch>,
    newest: BTreeMap<(&'a PageId, &'a Party), usize>,
    turns: BTreeMap<TurnId, u32>,
    replies: BTreeMap<&'a str, u32>,
    wrong: Vec<String>,
}

pub(super) fn check(day: &Day<'_>) -> Vec<String> {
    let mut messages = Messages::default();
    for moment in &day.moments {
        match &moment.entry {
            Entry::Appended(event) => messages.appended(event),
            Entry::Started(message) => messages.started(*message),
            Entry::Reached { page, party, message } => messages.reached(page, party, *message),
            Entry::Overlapped { message } => messages.wrong.push(format!("message {message} overlapped another one")),
            Entry::KeyReused => messages
                .wrong
                .push("a command's own key was taken for another request's".to_owned()),
            _ => {}
        }
    }
    messages.must_have_ended(day);
    messages.must_have_been_said_once(day);
    messages.wrong
}

impl<'a> Messages<'a> {
    fn appended(&mut self, read: &'a ReadEvent) {
        let Event::Conversation(event) = &read.event else { return };
        let id = ConversationId(read.stream.id);
        match event {
            ConversationEvent::MessageIntended {
                message,
                sender,
                epoch,
                content,
                ..
            } => {
                self.intend(id, *message, *sender, *epoch);
                if let (Sender::Agent { .. }, Some(text)) = (sender, &content.text) {
                    *self.replies.entry(text).or_default() += 1;
                }
            }
            ConversationEvent::HandedOver { epoch, .. } => drop(self.epochs.insert(id, *epoch)),
            ConversationEvent::MessageWithdrawn { message } => self.end(*message, "withdrawn"),
            ConversationEvent::MessageSent { message, .. } => self.end(*message, "sent"),
            ConversationEvent::MessageRefused { message, .. } => self.end(*message, "refused"),
            ConversationEvent::MessageUnknown { message, .. } => self.end(*message, "unknown"),
            ConversationEvent::BotAsked { turn, .. } => drop(self.turns.insert(*turn, 0)),
            ConversationEvent::BotAnswered { turn, .. }
            | ConversationEvent::BotAnswerRefused { turn, .. }
            | ConversationEvent::BotFailed { turn, .. } => *self.turns.entry(*turn).or_default() += 1,
            _ => {}
        }
    }

    fn intend(&mut self, conversation: ConversationId, message: MessageId, sender: Sender, epoch: Epoch) {
        let current = self.epochs.get(&conversation).copied().unwrap_or_default();
        if matches!(sender, Sender::Bot { .. }) && epoch != current {
            self.wrong
                .push(format!("the bot intended {message} of epoch {epoch} in epoch {current}"));
        }
        let intent = Intent {
            conversation,
            sender,
            epoch,
            place: self.intents.len(),
            ends: Vec::new(),
            started: 0,
            reached: 0,
        };
        if self.intents.insert(message, intent).is_some() {
            self.wrong.push(format!("message {message} was intended twice"));
        }
    }

    fn end(&mut self, message: MessageId, end: &'static str) {
        match self.intents.get_mut(&message) {
            Some(intent) => intent.ends.push(end),
            None => self.wrong.push(format!("message {message} was {end} and never intended")),
        }
    }

    fn started(&mut self, message: MessageId) {
        let Some(intent) = self.intents.get_mut(&message) else {
            self.wrong.push(format!("message {message} was started and never intended"));
            return;
        };
        intent.started += 1;
        let current = self.epochs.get(&intent.conversation).copied().unwrap_or_default();
        if matches!(intent.sender, Sender::Bot { .. }) && intent.epoch < current {
            let (epoch, conversation) = (intent.epoch, intent.conversation);
            self.wrong.push(format!(
                "the bot's {message} of epoch {epoch} began in epoch {current} of {conversation}"
            ));
        }
    }

    fn reached(&mut self, page: &'a PageId, party: &'a Party, message: MessageId) {
        let Some(intent) = self.intents.get_mut(&message) else {
            self.wrong
                .push(format!("message {message} reached a visitor and was never intended"));
            return;
        };
        intent.reached += 1;
        if intent.reached > 1 {
            self.wrong
                .push(format!("message {message} reached its visitor {} times", intent.reached));
        }
        if intent.reached > intent.started {
            self.wrong
                .push(format!("message {message} reached its visitor without an attempt on record"));
        }
        let before = self.newest.insert((page, party), intent.place);
        if before.is_some_and(|before| before > intent.place) {
            self.wrong.push(format!("message {message} reached its visitor behind a later one"));
        }
    }

    fn must_have_ended(&mut self, day: &Day<'_>) {
        let outbox = day.world.store.outbox();
        let held: BTreeSet<MessageId> = outbox.iter().filter_map(|held| held.effect.message()).collect();
        let asking: BTreeSet<TurnId> = outbox.iter().filter_map(|held| turn_of(&held.effect)).collect();
        for (message, intent) in &self.intents {
            let consistent = match (intent.ends.as_slice(), intent.reached) {
                ([], _) => held.contains(message),
                (["sent"], 1) | (["refused" | "withdrawn"], 0) | (["unknown"], 0 | 1) => true,
                _ => false,
            };
            if !consistent {
                let ends = if intent.ends.is_empty() {
                    "never ended".to_owned()
                } else {
                    intent.ends.join(", then ")
                };
                self.wrong.push(format!(
                    "message {message} of {:?}: {ends}; {} attempts; seen {} times",
                    intent.sender, intent.started, intent.reached
                ));
            }
        }
        for (turn, ends) in self.turns.iter().filter(|(turn, ends)| **ends != 1 && !asking.contains(turn)) {
            self.wrong.push(format!("the bot's turn {turn} ended {ends} times"));
        }
    }

    /// A reply that an agent gave again and again, for want of an answer, is one reply.
    fn must_have_been_said_once(&mut self, day: &Day<'_>) {
        for moment in &day.moments {
            if let Entry::Replied { text, carried_out } = &moment.entry {
                let times = self.replies.get(text.as_str()).copied().unwrap_or(0);
                let right = match carried_out {
                    Some(true) => times == 1,
                    Some(false) => times == 0,
                    None => times <= 1,
                };
                if !right {
                    self.wrong
                        .push(format!("the reply {text:?} (known: {carried_out:?}) was intended {times} times"));
                }
            }
        }
    }
}

const fn turn_of(effect: &Effect) -> Option<TurnId> {
    match effect {
        Effect::AskBot { turn, .. } => Some(*turn),
        Effect::Send { .. } => None,
    }
}

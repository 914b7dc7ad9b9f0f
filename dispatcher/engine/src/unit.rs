//! One transaction's worth of decisions: loaded state goes in, changes come out.
//!
//! Invariant: every event is folded, projected and turned into its effects here and nowhere else, so that state, read
//! models, outbox and log can never disagree.

use std::collections::{BTreeMap, BTreeSet};

use domain::agent::{Agent, AgentEvent};
use domain::context::{Context, IdSeed};
use domain::conversation::{Command, Conversation, ConversationEvent, Settings, decide};
use domain::effect::effect_of;
use domain::event::{Actor, Event, StreamId};
use domain::permission::audience;
use domain::projection::{AgentRow, ConversationRow, Place, RowChange, project_conversation, project_visitor};
use domain::visitor::{Visitor, VisitorEvent};
use domain::{Content, Rejection};
use shared::{ConversationId, EffectId, MessageId, PersonId, SkillGroupId, Timestamp, VisitorId};
use uuid::Uuid;

use crate::ports::{Append, Changes, Loaded, NewEffect, NewEvent, PageSettings, Withdrawal};

/// Who and what stands behind the events of one decision.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Who caused it.
    pub actor: Actor,
    /// What belongs together.
    pub correlation: Uuid,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
}

/// A stream in the making.
struct Draft<S> {
    expected: i64,
    version: i64,
    state: S,
    visitor: Option<VisitorId>,
    events: Vec<NewEvent>,
}

impl<S> Draft<S> {
    const fn new(version: i64, state: S, visitor: Option<VisitorId>) -> Self {
        Self {
            expected: version,
            version,
            state,
            visitor,
            events: Vec::new(),
        }
    }

    fn push(&mut self, event: Event, occurred_at: Timestamp, cause: &Cause, audience: Vec<String>) {
        self.version = self.version.saturating_add(1);
        self.events.push(NewEvent {
            event,
            occurred_at,
            actor: cause.actor,
            audience,
            correlation: cause.correlation,
            traceparent: cause.traceparent.clone(),
        });
    }
}

/// One transaction in the making.
pub struct Unit<'a> {
    loaded: &'a Loaded,
    now: Timestamp,
    conversations: BTreeMap<ConversationId, Draft<Option<Conversation>>>,
    /// The open conversation of each visitor; at most one.
    open: BTreeMap<VisitorId, ConversationId>,
    visitors: BTreeMap<VisitorId, Draft<Visitor>>,
    agent: Option<(PersonId, Draft<Agent>)>,
    unattempted: BTreeMap<VisitorId, BTreeSet<MessageId>>,
    changes: Changes,
}

impl<'a> Unit<'a> {
    /// Begins with what is loaded.
    #[must_use]
    pub fn new(loaded: &'a Loaded, now: Timestamp) -> Self {
        let unattempted = loaded
            .visitors
            .iter()
            .map(|(id, visitor)| (*id, visitor.unattempted.clone()))
            .collect();
        let mut conversations = BTreeMap::new();
        let mut visitors = BTreeMap::new();
        let mut open = BTreeMap::new();
        for (id, visitor) in &loaded.visitors {
            visitors.insert(*id, Draft::new(visitor.stream.version, visitor.stream.state.clone(), Some(*id)));
            for (conversation, stream) in &visitor.conversations {
                if !stream.state.is_closed() {
                    open.insert(*id, *conversation);
                }
                conversations.insert(*conversation, Draft::new(stream.version, Some(stream.state.clone()), Some(*id)));
            }
        }
        Self {
            loaded,
            now,
            conversations,
            open,
            visitors,
            agent: None,
            unattempted,
            changes: Changes::default(),
        }
    }

    /// The time of this decision.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What is loaded.
    #[must_use]
    pub const fn loaded(&self) -> &'a Loaded {
        self.loaded
    }

    /// Other changes, beside streams.
    pub const fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// A conversation as it is by now.
    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.get(&id).and_then(|draft| draft.state.as_ref())
    }

    /// The open conversation of a visitor, as it is by now.
    #[must_use]
    pub fn open_conversation(&self, visitor: VisitorId) -> Option<ConversationId> {
        self.open.get(&visitor).copied()
    }

    /// Carries out a command on a conversation, or on one that the command opens.
    ///
    /// # Errors
    /// The domain's [`Rejection`]; nothing has changed then.
    pub fn command(
        &mut self,
        id: ConversationId,
        visitor: VisitorId,
        command: &Command,
        settings: &Settings,
        seed: IdSeed,
        cause: &Cause,
    ) -> Result<Vec<ConversationEvent>, Rejection> {
        let nothing = BTreeSet::new();
        let unattempted = self.unattempted.get(&visitor).unwrap_or(&nothing);
        let context = Context {
            now: self.now,
            ids: seed,
            unattempted,
        };
        let state = self.conversations.get(&id).and_then(|draft| draft.state.as_ref());
        let events = decide(state, command, settings, &context)?;
        for event in &events {
            self.happen(id, visitor, event, settings, cause);
        }
        Ok(events)
    }

    fn happen(&mut self, id: ConversationId, visitor: VisitorId, event: &ConversationEvent, settings: &Settings, cause: &Cause) {
        let draft = self.conversations.entry(id).or_insert_with(|| Draft::new(0, None, Some(visitor)));
        draft.state = Conversation::evolve(draft.state.take(), event);
        let Some(state) = draft.state.as_ref() else { return };
        if state.is_closed() {
            // What is recorded of an older one leaves the open one alone.
            if self.open.get(&visitor) == Some(&id) {
                self.open.remove(&visitor);
            }
        } else {
            self.open.insert(visitor, id);
        }
        let audience = audience_of(state.skill_group, state.phase.agent());
        let occurred_at = match event {
            ConversationEvent::MessageReceived { sent_at, .. } => *sent_at,
            _ => self.now,
        };
        draft.push(Event::Conversation(event.clone()), occurred_at, cause, audience);
        let place = Place {
            stream: id.0,
            version: draft.version,
            at: self.now,
        };
        if let Some(state) = draft.state.as_ref() {
            self.changes.rows.extend(project_conversation(id, state, event, place));
        }
        self.follow(id, visitor, event, settings);
    }

    /// The effects of an event: what has to be done, and what must not be done any more.
    fn follow(&mut self, id: ConversationId, visitor: VisitorId, event: &ConversationEvent, settings: &Settings) {
        if let Some(effect) = effect_of(id, &settings.page, event) {
            let name = match (event, effect.message()) {
                (_, Some(message)) => message.0,
                (ConversationEvent::BotAsked { turn, .. }, None) => turn.0,
                (_, None) => return,
            };
            if let Some(message) = effect.message() {
                self.unattempted.entry(visitor).or_default().insert(message);
            }
            self.changes.effects.push(NewEffect {
                id: EffectId(name),
                visitor,
                effect,
                due: self.now,
            });
        }
        match event {
            ConversationEvent::MessageWithdrawn { message } => self.withdraw(visitor, *message),
            // What was put off has not begun again: a hand-over in this very transaction can withdraw it.
            ConversationEvent::MessageDeferred { message, .. } => {
                self.unattempted.entry(visitor).or_default().insert(*message);
            }
            _ => {}
        }
    }

    fn withdraw(&mut self, visitor: VisitorId, message: MessageId) {
        if let Some(unattempted) = self.unattempted.get_mut(&visitor) {
            unattempted.remove(&message);
        }
        let before = self.changes.effects.len();
        self.changes.effects.retain(|effect| effect.effect.message() != Some(message));
        if self.changes.effects.len() == before {
            self.changes.withdrawn.push(Withdrawal { visitor, message });
        }
    }

    /// Writes something on a visitor's own stream.
    pub fn note(&mut self, visitor: VisitorId, event: VisitorEvent, settings: &Settings, cause: &Cause) {
        let draft = self
            .visitors
            .entry(visitor)
            .or_insert_with(|| Draft::new(0, Visitor::default(), Some(visitor)));
        draft.state = std::mem::take(&mut draft.state).evolve(&event);
        let VisitorEvent::Noted { sent_at, .. } = &event;
        let sent_at = *sent_at;
        let place = Place {
            stream: visitor.0,
            version: draft.version.saturating_add(1),
            at: self.now,
        };
        self.changes.rows.extend(project_visitor(visitor, &event, place));
        draft.push(Event::Visitor(event), sent_at, cause, audience_of(settings.skill_group, None));
    }

    /// Writes something on the loaded agent's stream.
    pub fn agent(&mut self, id: PersonId, events: Vec<AgentEvent>, cause: &Cause) {
        if events.is_empty() {
            return;
        }
        let loaded = self.loaded.agent.as_ref().map(|agent| agent.agent.clone());
        let (_, draft) = self.agent.get_or_insert_with(|| {
            let (version, state) = loaded.map_or_else(|| (0, Agent::default()), |stream| (stream.version, stream.state));
            (id, Draft::new(version, state, None))
        });
        for event in events {
            draft.state = std::mem::take(&mut draft.state).evolve(&event);
            let audience = vec![audience::of_person(id), audience::ADMINISTRATORS.to_owned()];
            draft.push(Event::Agent(event), self.now, cause, audience);
        }
    }

    /// Everything that was decided.
    #[must_use]
    pub fn finish(mut self) -> Changes {
        for (id, draft) in self.conversations {
            let Some(state) = draft.state.filter(|_| !draft.events.is_empty()) else {
                continue;
            };
            self.changes.appends.push(append(
                id.into(),
                draft.visitor,
                draft.expected,
                draft.events,
                &state,
                !state.is_closed(),
            ));
            self.changes.rows.push(RowChange::Conversation(Box::new(ConversationRow {
                id,
                state,
                version: draft.version,
            })));
        }
        for (id, draft) in self.visitors {
            if !draft.events.is_empty() {
                self.changes
                    .appends
                    .push(append(id.into(), Some(id), draft.expected, draft.events, &draft.state, true));
            }
        }
        if let Some((id, draft)) = self.agent {
            self.changes
                .appends
                .push(append(StreamId::agent(id), None, draft.expected, draft.events, &draft.state, true));
            self.changes.rows.push(RowChange::Agent(AgentRow {
                id,
                state: draft.state,
                version: draft.version,
            }));
        }
        self.changes
    }
}

fn append<S: serde::Serialize>(
    stream: StreamId,
    visitor: Option<VisitorId>,
    expected: i64,
    events: Vec<NewEvent>,
    state: &S,
    live: bool,
) -> Append {
    // A state is made of structs and maps with text keys: writing it as JSON cannot fail.
    let state = serde_json::to_value(state).unwrap_or_default();
    Append {
        stream,
        visitor,
        expected,
        events,
        state,
        live,
    }
}

/// Who may see what happens in a conversation: its group, its agent, the administrators.
fn audience_of(group: SkillGroupId, agent: Option<PersonId>) -> Vec<String> {
    let mut terms = vec![audience::of_group(group), audience::ADMINISTRATORS.to_owned()];
    terms.extend(agent.map(audience::of_person));
    terms
}

/// The settings of a conversation's Page. Where the channel is gone, what the conversation began with still holds.
#[must_use]
pub fn settings_for(loaded: &Loaded, conversation: &Conversation) -> PageSettings {
    loaded.pages.get(&conversation.page).cloned().unwrap_or_else(|| Settings {
        channel: conversation.channel,
        page: conversation.page.clone(),
        skill_group: conversation.skill_group,
        mode: conversation.mode,
        bot: None,
        enabled: false,
        texts: domain::texts::Texts::default(),
        accept: domain::directory::AcceptMode::Automatic,
        wrap_up: false,
        humans_ready: false,
    })
}

/// Content that keeps an event whole.
#[must_use]
pub fn raw(body: &[u8]) -> Content {
    Content {
        raw: Some(String::from_utf8_lossy(body).into_owned()),
        ..Content::default()
    }
}

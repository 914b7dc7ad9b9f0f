//! Little pieces from which tests build transactions.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::content::Content;
use domain::conversation::{Conversation, ConversationEvent, Epoch, InboundKind};
use domain::effect::Effect;
use domain::event::{Actor, Event, StreamId};
use domain::outbound::{Sender, Shape};
use domain::projection::{ConversationRow, Place, RowChange, project_conversation};
use domain::work_mode::{Responder, WorkMode};
use engine::ports::{Append, Changes, Committed, Loaded, NewEffect, NewEvent, RelayId, Scope, Step, Store as _, StoreError, VisitorRef};
use shared::{BotId, ChannelId, ConversationId, EffectId, MessageId, PageId, Party, PersonId, SkillGroupId, Timestamp, TurnId, VisitorId};
use store::PgStore;
use uuid::Uuid;

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn page() -> PageId {
    PageId::parse("159955055741").unwrap()
}

pub(crate) fn relay(n: u128) -> RelayId {
    RelayId(Uuid::from_u128(n))
}

pub(crate) const LEASE: Duration = Duration::from_secs(15);

pub(crate) fn identity(psid: &str) -> VisitorRef {
    VisitorRef::Identity {
        page: page(),
        party: Party::Psid(psid.to_owned()),
        fresh: VisitorId(Uuid::now_v7()),
    }
}

pub(crate) fn new_event(event: Event) -> NewEvent {
    NewEvent {
        event,
        occurred_at: now(),
        actor: Actor::Visitor,
        audience: vec!["group:1".to_owned(), "administrators".to_owned()],
        correlation: Uuid::now_v7(),
        traceparent: None,
    }
}

/// A conversation in the making.
pub(crate) struct Talk {
    pub(crate) id: ConversationId,
    pub(crate) visitor: VisitorId,
    pub(crate) state: Option<Conversation>,
    expected: i64,
    version: i64,
    events: Vec<NewEvent>,
    rows: Vec<RowChange>,
}

impl Talk {
    pub(crate) fn opened(visitor: VisitorId) -> Self {
        let mut talk = Self {
            id: ConversationId(Uuid::now_v7()),
            visitor,
            state: None,
            expected: 0,
            version: 0,
            events: Vec::new(),
            rows: Vec::new(),
        };
        talk.then(ConversationEvent::Opened {
            visitor,
            channel: ChannelId(Uuid::from_u128(11)),
            page: page(),
            skill_group: SkillGroupId(Uuid::from_u128(12)),
            bot: None,
            mode: WorkMode::HumanFirst,
            responder: Responder::Human,
            at: now(),
        });
        talk
    }

    /// The open conversation of a visitor.
    pub(crate) fn of(loaded: &Loaded, visitor: VisitorId) -> Self {
        let (id, stream) = loaded.visitors[&visitor]
            .conversations
            .iter()
            .find(|(_, stream)| !stream.state.is_closed())
            .expect("an open conversation");
        Self::on(*id, visitor, stream.version, stream.state.clone())
    }

    pub(crate) fn on(id: ConversationId, visitor: VisitorId, version: i64, state: Conversation) -> Self {
        Self {
            id,
            visitor,
            state: Some(state),
            expected: version,
            version,
            events: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn then(&mut self, event: ConversationEvent) -> &mut Self {
        self.state = Conversation::evolve(self.state.take(), &event);
        self.version += 1;
        let place = Place {
            stream: self.id.0,
            version: self.version,
            at: now(),
        };
        self.rows
            .extend(project_conversation(self.id, self.state.as_ref().unwrap(), &event, place));
        self.events.push(new_event(Event::Conversation(event)));
        self
    }

    pub(crate) fn received(&mut self, text: &str) -> &mut Self {
        self.received_at(text, now())
    }

    pub(crate) fn received_at(&mut self, text: &str, sent_at: Timestamp) -> &mut Self {
        self.then(ConversationEvent::MessageReceived {
            message: MessageId(Uuid::now_v7()),
            mid: Some(format!("m_{}", Uuid::now_v7().simple())),
            kind: InboundKind::Message,
            sent_at,
            late: false,
            content: Content::of_text(text),
        })
    }

    pub(crate) fn intended(&mut self, message: MessageId, text: &str) -> &mut Self {
        self.then(ConversationEvent::MessageIntended {
            message,
            sender: agent_speaks(),
            epoch: Epoch::default(),
            shape: Shape::Text,
            at: now(),
            content: Content::of_text(text),
        })
    }

    pub(crate) fn into_changes(self) -> Changes {
        let state = self.state.unwrap();
        let mut rows = self.rows;
        let append = Append {
            stream: StreamId::from(self.id),
            visitor: Some(self.visitor),
            expected: self.expected,
            events: self.events,
            state: serde_json::to_value(&state).unwrap(),
            live: !state.is_closed(),
        };
        rows.push(RowChange::Conversation(Box::new(ConversationRow {
            id: self.id,
            state,
            version: self.version,
        })));
        Changes {
            appends: vec![append],
            rows,
            ..Changes::default()
        }
    }
}

pub(crate) fn agent_speaks() -> Sender {
    Sender::Agent {
        agent: PersonId(Uuid::from_u128(77)),
    }
}

pub(crate) fn message() -> MessageId {
    MessageId(Uuid::now_v7())
}

pub(crate) fn send(visitor: VisitorId, conversation: ConversationId, message: MessageId, text: &str) -> NewEffect {
    NewEffect {
        id: EffectId(message.0),
        visitor,
        effect: Effect::Send {
            conversation,
            page: page(),
            message,
            sender: agent_speaks(),
            epoch: Epoch::default(),
            shape: Shape::Text,
            content: Content::of_text(text),
        },
        due: now(),
    }
}

pub(crate) fn ask(visitor: VisitorId, conversation: ConversationId, question: &str) -> NewEffect {
    let turn = TurnId(Uuid::now_v7());
    NewEffect {
        id: EffectId(turn.0),
        visitor,
        effect: Effect::AskBot {
            conversation,
            page: page(),
            turn,
            epoch: Epoch::default(),
            bot: BotId(Uuid::from_u128(5)),
            question: question.to_owned(),
        },
        due: now(),
    }
}

/// A step that may be run again.
pub(crate) fn step<T: Send + 'static>(step: impl FnMut(&Loaded) -> (Changes, T) + Send + 'static) -> Step<T> {
    Box::new(step)
}

pub(crate) fn about(visitors: impl IntoIterator<Item = VisitorRef>) -> Scope {
    Scope {
        visitors: visitors.into_iter().collect(),
        ..Scope::default()
    }
}

pub(crate) async fn run<T: Send + 'static>(
    store: &PgStore,
    scope: Scope,
    act: impl FnMut(&Loaded) -> (Changes, T) + Send + 'static,
) -> Result<Committed<T>, StoreError> {
    store.transact(scope, step(act)).await
}

/// A visitor with an open conversation in which a message was received.
pub(crate) async fn met(store: &PgStore, psid: &str, text: &str) -> (VisitorId, ConversationId) {
    let reference = identity(psid);
    let text = text.to_owned();
    let committed = run(store, about([reference.clone()]), move |loaded| {
        let visitor = loaded.found[&reference];
        let mut talk = Talk::opened(visitor);
        talk.received(&text);
        let id = talk.id;
        (talk.into_changes(), (visitor, id))
    })
    .await
    .unwrap();
    committed.value.unwrap()
}

/// Adds effects in a transaction of their own.
pub(crate) async fn add(store: &PgStore, effects: Vec<NewEffect>) {
    let visitors: BTreeSet<VisitorId> = effects.iter().map(|effect| effect.visitor).collect();
    let scope = about(visitors.into_iter().map(VisitorRef::Id));
    run(store, scope, move |_| {
        (
            Changes {
                effects: effects.clone(),
                ..Changes::default()
            },
            (),
        )
    })
    .await
    .unwrap();
}

/// The whole log, once everything that was committed before has become readable: transactions of other tests hold the horizon.
pub(crate) async fn whole_log(store: &PgStore, count: usize) -> Vec<engine::ports::ReadEvent> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let page = store.read_log(engine::ports::Cursor::default(), 10_000).await.unwrap();
        if page.events.len() >= count {
            return page.events;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the log has {} of {count} events",
            page.events.len()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

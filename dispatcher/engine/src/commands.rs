//! Commands of people: what console and command line ask for.
//!
//! Each is one transaction under the visitor's and at most one agent's lock. The same idempotency key never acts twice.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::Presence;
use domain::context::IdSeed;
use domain::conversation::{Command, ConversationEvent};
use domain::event::Actor;
use domain::permission::audience;
use domain::projection::DirectoryRow;
use domain::{Content, Rejection};
use serde_json::{Value, json};
use shared::{ConversationId, PersonId};
use uuid::Uuid;

use crate::directory_thing::DirectoryThing;
use crate::ports::{
    Append, Changes, Committed, Cursor, Environment, Idempotency, Live, Loaded, NewEvent, Scope, Store, StoreError, Topic, VisitorRef,
};
use crate::relay_handle::RelayHandle;
use crate::router::capacity_for;
use crate::unit::{Cause, Unit, settings_for};

/// Tries on fresh state before a command gives up.
const TRIES: u32 = 6;
/// The pause between tries.
const PAUSE: Duration = Duration::from_millis(20);

/// What a command led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Where its newest event stands; `None` where nothing was to be done.
    pub cursor: Option<Cursor>,
    /// What the caller gets to know.
    pub response: Value,
    /// It was carried out before, under the same key.
    pub replayed: bool,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The domain said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The machinery failed.
    #[error("the command could not be carried out")]
    Store(#[from] StoreError),
}

/// The door for people's commands.
pub struct Commands<S, E, L> {
    store: Arc<S>,
    environment: Arc<E>,
    live: Arc<L>,
    relay: RelayHandle,
}

type Outcome = Result<Value, Rejection>;

impl<S: Store, E: Environment, L: Live> Commands<S, E, L> {
    /// A door to this store.
    #[must_use]
    pub const fn new(store: Arc<S>, environment: Arc<E>, live: Arc<L>, relay: RelayHandle) -> Self {
        Self {
            store,
            environment,
            live,
            relay,
        }
    }

    /// An agent answers a visitor.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn reply(
        &self,
        agent: PersonId,
        conversation: ConversationId,
        text: String,
        key: Option<Idempotency>,
    ) -> Result<Answer, CommandError> {
        let scope = Scope {
            visitors: vec![VisitorRef::Of(conversation)],
            idempotency: key,
            ..Scope::default()
        };
        let command = Command::Reply { agent, text };
        self.carry_out(scope, agent, move |unit, seed, cause| {
            let events = converse(unit, conversation, &command, seed, cause)?;
            let first = events.iter().find_map(|event| match event {
                ConversationEvent::MessageIntended { message, .. } => Some(*message),
                _ => None,
            });
            Ok(json!({ "message_id": first }))
        })
        .await
    }

    /// An agent takes a conversation: one that was offered, or one from the queue.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn accept(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Result<Answer, CommandError> {
        let scope = Scope {
            visitors: vec![VisitorRef::Of(conversation)],
            agent: Some(agent),
            idempotency: key,
            ..Scope::default()
        };
        self.carry_out(scope, agent, move |unit, seed, cause| {
            let loaded = unit.loaded();
            let group = unit.conversation(conversation).ok_or(Rejection::ConversationOver)?.skill_group;
            let on_floor = loaded.agent.as_ref().ok_or(Rejection::AgentNotReady)?;
            let engaged = on_floor
                .agent
                .state
                .engage(conversation, capacity_for(on_floor, group)?, true, unit.now())?;
            let command = Command::Accept {
                agent,
                public_name: on_floor.public_name.clone(),
            };
            converse(unit, conversation, &command, seed, cause)?;
            unit.agent(agent, engaged, cause);
            Ok(json!({}))
        })
        .await
    }

    /// An agent hands a conversation to the bot.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn hand_to_bot(
        &self,
        agent: PersonId,
        conversation: ConversationId,
        key: Option<Idempotency>,
    ) -> Result<Answer, CommandError> {
        self.let_go(agent, agent, conversation, key, Command::HandToBot { agent }).await
    }

    /// An agent puts a conversation back into the queue.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn put_back(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Result<Answer, CommandError> {
        self.let_go(agent, agent, conversation, key, Command::PutBack { agent }).await
    }

    /// A person ends a conversation; with `any`, anybody's.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn close(
        &self,
        person: PersonId,
        any: bool,
        conversation: ConversationId,
        key: Option<Idempotency>,
    ) -> Result<Answer, CommandError> {
        let command = Command::Close { person, any };
        for _ in 0..TRIES {
            let owner = self.owner(conversation).await?;
            match self
                .let_go(person, owner.unwrap_or(person), conversation, key.clone(), command.clone())
                .await
            {
                // It changed hands between the look-up and the lock.
                Err(CommandError::Rejected(Rejection::Stale)) => tokio::time::sleep(PAUSE).await,
                answer => return answer,
            }
        }
        Err(Rejection::Stale.into())
    }

    async fn owner(&self, conversation: ConversationId) -> Result<Option<PersonId>, CommandError> {
        let scope = Scope {
            visitors: vec![VisitorRef::Of(conversation)],
            ..Scope::default()
        };
        let step = move |loaded: &Loaded| {
            let owner = Unit::new(loaded, shared::Timestamp::default())
                .conversation(conversation)
                .and_then(|conversation| conversation.phase.agent());
            (Changes::default(), owner)
        };
        Ok(self.store.transact(scope, Box::new(step)).await?.value.flatten())
    }

    /// A conversation leaves its agent: the agent's capacity is given back in the same transaction.
    async fn let_go(
        &self,
        actor: PersonId,
        owner: PersonId,
        conversation: ConversationId,
        key: Option<Idempotency>,
        command: Command,
    ) -> Result<Answer, CommandError> {
        let scope = Scope {
            visitors: vec![VisitorRef::Of(conversation)],
            agent: Some(owner),
            idempotency: key,
            ..Scope::default()
        };
        self.carry_out(scope, actor, move |unit, seed, cause| {
            let before = unit.conversation(conversation).and_then(|conversation| conversation.phase.agent());
            if before.is_some_and(|agent| agent != owner) && actor != owner {
                return Err(Rejection::Stale);
            }
            converse(unit, conversation, &command, seed, cause)?;
            let after = unit.conversation(conversation).and_then(|conversation| conversation.phase.agent());
            if after != Some(owner) {
                let released = unit
                    .loaded()
                    .agent
                    .as_ref()
                    .map_or_else(Vec::new, |agent| agent.agent.state.release(conversation, unit.now()));
                unit.agent(owner, released, cause);
            }
            Ok(json!({}))
        })
        .await
    }

    /// An agent says whether they take conversations.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn change_presence(&self, agent: PersonId, presence: Presence) -> Result<Answer, CommandError> {
        let scope = Scope {
            agent: Some(agent),
            ..Scope::default()
        };
        self.carry_out(scope, agent, move |unit, _, cause| {
            let on_floor = unit.loaded().agent.as_ref().ok_or(Rejection::NotFound { what: "the person" })?;
            let capacity = on_floor.person.state.as_ref().map_or(0, |person| person.capacity);
            let active = on_floor.agent.state.active.len();
            let events = on_floor.agent.state.change_presence(presence, unit.now());
            unit.agent(agent, events, cause);
            Ok(json!({ "presence": presence, "capacity": capacity, "active": active }))
        })
        .await
    }

    async fn carry_out<F>(&self, scope: Scope, actor: PersonId, decide: F) -> Result<Answer, CommandError>
    where
        F: Fn(&mut Unit<'_>, IdSeed, &Cause) -> Outcome + Clone + Send + 'static,
    {
        let seed = IdSeed::new(self.environment.fresh_id());
        let cause = Cause {
            actor: Actor::Person { person: actor },
            correlation: self.environment.fresh_id(),
            traceparent: None,
        };
        self.transact(scope, move |loaded, now| {
            let mut unit = Unit::new(loaded, now);
            match decide(&mut unit, seed, &cause) {
                Ok(response) => {
                    unit.changes().response = Some(response.clone());
                    (unit.finish(), Ok(response))
                }
                Err(rejection) => (Changes::default(), Err(rejection)),
            }
        })
        .await
    }

    async fn transact<F>(&self, scope: Scope, step: F) -> Result<Answer, CommandError>
    where
        F: Fn(&Loaded, shared::Timestamp) -> (Changes, Outcome) + Clone + Send + 'static,
    {
        let mut tries = 0;
        loop {
            let now = self.environment.now();
            let scope = Scope {
                claim: self.relay.room(),
                ..scope.clone()
            };
            let attempt = step.clone();
            match self.store.transact(scope, Box::new(move |loaded| attempt(loaded, now))).await {
                Ok(committed) => return self.answer(committed),
                Err(StoreError::Conflict { .. } | StoreError::LockTimeout) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn answer(&self, committed: Committed<Outcome>) -> Result<Answer, CommandError> {
        self.relay.take(committed.claimed);
        if committed.cursor.is_some() {
            self.live.wake(Topic::Log);
        }
        if committed.more_effects {
            self.live.wake(Topic::Outbox);
        }
        if committed.key_reused {
            return Err(CommandError::KeyReused);
        }
        match (committed.value, committed.replayed) {
            (_, Some(response)) => Ok(Answer {
                cursor: None,
                response,
                replayed: true,
            }),
            (Some(outcome), None) => Ok(Answer {
                cursor: committed.cursor,
                response: outcome?,
                replayed: false,
            }),
            (None, None) => Ok(Answer {
                cursor: None,
                response: json!({}),
                replayed: true,
            }),
        }
    }

    /// Adds a thing to the directory.
    ///
    /// # Errors
    /// [`CommandError`]; [`Rejection::AlreadyExists`] where the id is taken.
    pub async fn create<T: DirectoryThing>(
        &self,
        actor: Option<PersonId>,
        id: T::Id,
        state: T,
        content: Content,
    ) -> Result<Answer, CommandError> {
        self.save::<T, _>(actor, id, move |version, _| {
            if version != 0 {
                return Err(Rejection::AlreadyExists { what: T::WHAT });
            }
            Ok((state.clone(), content.clone()))
        })
        .await
    }

    /// Changes a thing of the directory. `expected` is the version that the caller has seen.
    ///
    /// # Errors
    /// [`CommandError`]; [`Rejection::Stale`] where somebody was faster, [`Rejection::NotFound`].
    pub async fn change<T, F>(&self, actor: Option<PersonId>, id: T::Id, expected: Option<i64>, edit: F) -> Result<Answer, CommandError>
    where
        T: DirectoryThing,
        F: Fn(&mut T, &mut Content) -> Result<(), Rejection> + Clone + Send + 'static,
    {
        self.save::<T, _>(actor, id, move |version, saved| {
            let (mut state, mut content) = saved.ok_or(Rejection::NotFound { what: T::WHAT })?;
            if expected.is_some_and(|expected| expected != version) {
                return Err(Rejection::Stale);
            }
            edit(&mut state, &mut content)?;
            Ok((state, content))
        })
        .await
    }

    async fn save<T, F>(&self, actor: Option<PersonId>, id: T::Id, decide: F) -> Result<Answer, CommandError>
    where
        T: DirectoryThing,
        F: Fn(i64, Option<(T, Content)>) -> Result<(T, Content), Rejection> + Clone + Send + 'static,
    {
        let stream = T::stream(id);
        let scope = Scope {
            directory: Some(stream),
            ..Scope::default()
        };
        let correlation = self.environment.fresh_id();
        let answer = self
            .transact(scope, move |loaded, now| {
                let (version, event) = loaded.directory.clone().unwrap_or((0, None));
                match decide(version, event.and_then(T::from_event)) {
                    Ok((state, content)) => saved::<T>(id, version, state, content, actor, correlation, now),
                    Err(rejection) => (Changes::default(), Err(rejection)),
                }
            })
            .await?;
        self.live.wake(Topic::Directory);
        Ok(answer)
    }
}

fn converse(
    unit: &mut Unit<'_>,
    id: ConversationId,
    command: &Command,
    seed: IdSeed,
    cause: &Cause,
) -> Result<Vec<ConversationEvent>, Rejection> {
    let conversation = unit.conversation(id).ok_or(Rejection::NotFound { what: "the conversation" })?;
    let (settings, visitor) = (settings_for(unit.loaded(), conversation), conversation.visitor);
    unit.command(id, visitor, command, &settings, seed, cause)
}

fn saved<T: DirectoryThing>(
    id: T::Id,
    version: i64,
    state: T,
    content: Content,
    actor: Option<PersonId>,
    correlation: Uuid,
    now: shared::Timestamp,
) -> (Changes, Outcome) {
    let stream = T::stream(id);
    let next = version.saturating_add(1);
    let event = NewEvent {
        event: state.clone().saved(content.clone()),
        occurred_at: now,
        actor: actor.map_or(Actor::System, |person| Actor::Person { person }),
        audience: vec![audience::ADMINISTRATORS.to_owned()],
        correlation,
        traceparent: None,
    };
    let append = Append {
        stream,
        visitor: None,
        expected: version,
        events: vec![event],
        state: serde_json::to_value(&state).unwrap_or_default(),
        live: true,
    };
    let response = json!({ "id": stream.id, "version": next });
    let row = T::row(DirectoryRow {
        id,
        state,
        content,
        version: next,
    });
    let changes = Changes {
        appends: vec![append],
        rows: vec![row],
        response: Some(response.clone()),
        ..Changes::default()
    };
    (changes, Ok(response))
}

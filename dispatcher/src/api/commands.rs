//! The engine's commands, as handlers see them: without the types of store, environment and wake-ups, which handlers have not.

use std::sync::Arc;

use domain::agent::Presence;
use domain::directory::{App, Bot, Channel, Person, SkillGroup};
use domain::{Content, Rejection};
use engine::ports::{Environment, Idempotency, Live, Store};
use engine::{Answer, CommandError, Commands, DirectoryThing};
use futures::future::BoxFuture;
use shared::{ConversationId, PersonId};

/// The answer to a command, once it is there.
pub type Answering<'a> = BoxFuture<'a, Result<Answer, CommandError>>;

/// A change of a thing of the directory. Run again on fresh state when somebody else was faster.
pub type Edit<T> = Arc<dyn Fn(&mut T, &mut Content) -> Result<(), Rejection> + Send + Sync>;

/// Commands on conversations, and on oneself.
pub trait ConversationCommands: Send + Sync {
    /// See [`Commands::reply`].
    fn reply(&self, agent: PersonId, conversation: ConversationId, text: String, key: Option<Idempotency>) -> Answering<'_>;
    /// See [`Commands::accept`].
    fn accept(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_>;
    /// See [`Commands::hand_to_bot`].
    fn hand_to_bot(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_>;
    /// See [`Commands::put_back`].
    fn put_back(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_>;
    /// See [`Commands::close`].
    fn close(&self, person: PersonId, any: bool, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_>;
    /// See [`Commands::change_presence`].
    fn change_presence(&self, agent: PersonId, presence: Presence) -> Answering<'_>;
}

/// Commands on one kind of the directory.
pub trait DirectoryCommands<T: DirectoryThing>: Send + Sync {
    /// See [`Commands::create`].
    fn create(&self, actor: PersonId, id: T::Id, state: T, content: Content) -> Answering<'_>;
    /// See [`Commands::change`].
    fn change(&self, actor: PersonId, id: T::Id, expected: Option<i64>, edit: Edit<T>) -> Answering<'_>;
}

/// Every command that the API knows.
pub trait ApiCommands:
    ConversationCommands
    + DirectoryCommands<App>
    + DirectoryCommands<Channel>
    + DirectoryCommands<Bot>
    + DirectoryCommands<SkillGroup>
    + DirectoryCommands<Person>
    + 'static
{
}

impl<S: Store, E: Environment, L: Live> ApiCommands for Commands<S, E, L> {}

impl<S: Store, E: Environment, L: Live> ConversationCommands for Commands<S, E, L> {
    fn reply(&self, agent: PersonId, conversation: ConversationId, text: String, key: Option<Idempotency>) -> Answering<'_> {
        Box::pin(self.reply(agent, conversation, text, key))
    }

    fn accept(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_> {
        Box::pin(self.accept(agent, conversation, key))
    }

    fn hand_to_bot(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_> {
        Box::pin(self.hand_to_bot(agent, conversation, key))
    }

    fn put_back(&self, agent: PersonId, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_> {
        Box::pin(self.put_back(agent, conversation, key))
    }

    fn close(&self, person: PersonId, any: bool, conversation: ConversationId, key: Option<Idempotency>) -> Answering<'_> {
        Box::pin(self.close(person, any, conversation, key))
    }

    fn change_presence(&self, agent: PersonId, presence: Presence) -> Answering<'_> {
        Box::pin(self.change_presence(agent, presence))
    }
}

impl<T: DirectoryThing, S: Store, E: Environment, L: Live> DirectoryCommands<T> for Commands<S, E, L> {
    fn create(&self, actor: PersonId, id: T::Id, state: T, content: Content) -> Answering<'_> {
        Box::pin(self.create(Some(actor), id, state, content))
    }

    fn change(&self, actor: PersonId, id: T::Id, expected: Option<i64>, edit: Edit<T>) -> Answering<'_> {
        let edit = move |thing: &mut T, content: &mut Content| edit(thing, content);
        Box::pin(self.change(Some(actor), id, expected, edit))
    }
}

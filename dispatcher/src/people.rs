//! Adding people from the command line.

use std::collections::BTreeSet;

use domain::Content;
use domain::directory::{Person, field};
use engine::{CommandError, Commands, Wakes};
use rand::Rng as _;
use secrecy::SecretString;
use shared::PersonId;
use store::PgStore;

use crate::api::session::password;
use crate::environment::SystemEnvironment;

/// The commands' door of a command line run.
pub type Door = Commands<PgStore, SystemEnvironment, Wakes>;

/// A person to be added, or to be given these names and this password.
pub struct NewPerson {
    /// The id.
    pub id: PersonId,
    /// The login.
    pub login: String,
    /// The name among colleagues.
    pub name: String,
    /// The name that visitors read.
    pub public_name: String,
    /// The password.
    pub password: String,
    /// The rest.
    pub person: Person,
}

/// Adds a person, or changes one that is there.
///
/// # Errors
/// When the password cannot be hashed or the store fails.
pub async fn put(door: &Door, new: NewPerson) -> anyhow::Result<()> {
    let clear = SecretString::from(new.password);
    let hash = tokio::task::spawn_blocking(move || password::hash(&clear)).await??;
    let mut content = Content::default();
    let fields = [
        (field::LOGIN, new.login),
        (field::NAME, new.name),
        (field::PUBLIC_NAME, new.public_name),
        (field::PASSWORD_HASH, hash),
    ];
    content.fields.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    put_thing(door, new.id, new.person, content).await
}

/// Adds a thing to the directory, or makes the one that is there so.
///
/// # Errors
/// When the store fails.
pub async fn put_thing<T: engine::DirectoryThing>(door: &Door, id: T::Id, state: T, content: Content) -> anyhow::Result<()> {
    match door.create(None, id, state.clone(), content.clone()).await {
        Ok(_) => Ok(()),
        Err(CommandError::Rejected(domain::Rejection::AlreadyExists { .. })) => {
            let edit = move |there: &mut T, words: &mut Content| {
                *there = state.clone();
                words.fields.extend(content.fields.clone());
                Ok(())
            };
            door.change(None, id, None, edit).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// No groups.
#[must_use]
pub const fn no_groups() -> BTreeSet<shared::SkillGroupId> {
    BTreeSet::new()
}

/// A password that nobody has used before: 20 letters and digits.
#[must_use]
pub fn drawn_password() -> String {
    rand::rng()
        .sample_iter(rand::distr::Alphanumeric)
        .take(20)
        .map(char::from)
        .collect()
}

//! The first administrator, and a way back in for one who lost the password.

use domain::directory::Person;
use domain::permission::Role;
use shared::PersonId;
use uuid::Uuid;

use crate::config::StoreConfig;
use crate::door;
use crate::people::{NewPerson, drawn_password, no_groups, put};

/// Adds an administrator, or gives the one with this login a new password. Says the password if it was drawn.
///
/// # Errors
/// When the store fails, or the login belongs to somebody who is no administrator.
pub async fn create(config: StoreConfig, login: String, password: Option<String>) -> anyhow::Result<String> {
    let (door, queries) = door::open(&config).await?;
    let there = queries.person_with_login(login.clone()).await?;
    if there.as_ref().is_some_and(|person| person.role != Role::Administrator) {
        anyhow::bail!("the login {login} belongs to somebody who is no administrator");
    }
    let drawn = password.is_none();
    let password = password.unwrap_or_else(drawn_password);
    let words = if drawn {
        format!("login {login}\npassword {password}\n")
    } else {
        format!("login {login}\n")
    };
    let id = there.map_or_else(|| PersonId(Uuid::now_v7()), |person| person.id);
    let person = Person {
        role: Role::Administrator,
        skill_groups: no_groups(),
        capacity: 10,
        enabled: true,
    };
    put(
        &door,
        NewPerson {
            id,
            name: login.clone(),
            public_name: login.clone(),
            login,
            password,
            person,
        },
    )
    .await?;
    Ok(words)
}

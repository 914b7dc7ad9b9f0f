//! Who may do what. Denied by default: what is not listed is not allowed.

use serde::{Deserialize, Serialize};
use shared::{PersonId, SkillGroupId};

use crate::directory::Person;

/// A person's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, everywhere.
    Administrator,
    /// Serves the conversations of their skill groups.
    Agent,
}

/// Something that one may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// See conversations and their timelines.
    #[serde(rename = "conversation.read")]
    ConversationRead,
    /// Answer, accept, hand over, close.
    #[serde(rename = "conversation.reply")]
    ConversationReply,
    /// Dispose of conversations that are somebody else's: end them.
    #[serde(rename = "conversation.assign")]
    ConversationAssign,
    /// Change one's own presence.
    #[serde(rename = "presence.change")]
    PresenceChange,
    /// Look up apps, channels, bots, groups and people by name.
    #[serde(rename = "directory.read")]
    DirectoryRead,
    /// Register and change apps.
    #[serde(rename = "app.manage")]
    AppManage,
    /// Connect and change channels.
    #[serde(rename = "channel.manage")]
    ChannelManage,
    /// Register and change bots.
    #[serde(rename = "bot.manage")]
    BotManage,
    /// Make and change skill groups.
    #[serde(rename = "skill_group.manage")]
    SkillGroupManage,
    /// Add and change people.
    #[serde(rename = "person.manage")]
    PersonManage,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 10] = [
        Self::ConversationRead,
        Self::ConversationReply,
        Self::ConversationAssign,
        Self::PresenceChange,
        Self::DirectoryRead,
        Self::AppManage,
        Self::ChannelManage,
        Self::BotManage,
        Self::SkillGroupManage,
        Self::PersonManage,
    ];
}

/// Where something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// In one skill group.
    SkillGroup(SkillGroupId),
    /// In the installation as a whole, or on what belongs to oneself.
    Everywhere,
}

/// Whether a person may do something somewhere.
#[must_use]
pub fn may(actor: &Person, permission: Permission, unit: Unit) -> bool {
    if !actor.enabled {
        return false;
    }
    match (actor.role, permission, unit) {
        (Role::Administrator, _, _) => true,
        (Role::Agent, Permission::ConversationRead | Permission::ConversationReply, Unit::SkillGroup(group)) => {
            actor.skill_groups.contains(&group)
        }
        (Role::Agent, Permission::ConversationRead | Permission::PresenceChange, Unit::Everywhere) => true,
        (
            Role::Agent,
            Permission::ConversationReply
            | Permission::ConversationAssign
            | Permission::DirectoryRead
            | Permission::AppManage
            | Permission::ChannelManage
            | Permission::BotManage
            | Permission::SkillGroupManage
            | Permission::PersonManage,
            _,
        )
        | (Role::Agent, Permission::PresenceChange, Unit::SkillGroup(_)) => false,
    }
}

/// The audience of an event, stored when it is appended: who may see it.
pub mod audience {
    use super::{Person, PersonId, Role, SkillGroupId};

    /// The term of those who serve a group.
    #[must_use]
    pub fn of_group(group: SkillGroupId) -> String {
        format!("group:{group}")
    }

    /// The term of one person.
    #[must_use]
    pub fn of_person(person: PersonId) -> String {
        format!("person:{person}")
    }

    /// The term of those who see everything.
    pub const ADMINISTRATORS: &str = "administrators";

    /// The terms that a viewer answers to; an event is visible when it names one of them.
    #[must_use]
    pub fn terms_of(id: PersonId, person: &Person) -> Vec<String> {
        let mut terms: Vec<String> = person.skill_groups.iter().copied().map(of_group).collect();
        terms.push(of_person(id));
        match person.role {
            Role::Administrator => terms.push(ADMINISTRATORS.to_owned()),
            Role::Agent => {}
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn person(role: Role, groups: &[u128]) -> Person {
        Person {
            role,
            skill_groups: groups.iter().map(|n| SkillGroupId(Uuid::from_u128(*n))).collect::<BTreeSet<_>>(),
            capacity: 5,
            enabled: true,
        }
    }

    #[test]
    fn an_agent_serves_only_the_own_groups() {
        let agent = person(Role::Agent, &[1]);
        assert!(may(
            &agent,
            Permission::ConversationReply,
            Unit::SkillGroup(SkillGroupId(Uuid::from_u128(1)))
        ));
        assert!(!may(
            &agent,
            Permission::ConversationReply,
            Unit::SkillGroup(SkillGroupId(Uuid::from_u128(2)))
        ));
        assert!(!may(&agent, Permission::ChannelManage, Unit::Everywhere));
    }

    #[test]
    fn a_disabled_person_may_nothing() {
        let off = Person {
            enabled: false,
            ..person(Role::Administrator, &[])
        };
        assert!(
            Permission::ALL
                .into_iter()
                .all(|permission| !may(&off, permission, Unit::Everywhere))
        );
    }
}

//! The identities that travel between the services. Each is a type of its own, so that one never stands in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What was wrong with an identity that somebody gave us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Facebook's ids are decimal numbers; this was something else.
    #[error("a Facebook id has 1 to 64 digits")]
    NotDigits,
}

macro_rules! facebook_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads an id of 1 to 64 decimal digits.
            ///
            /// # Errors
            /// [`IdError::NotDigits`] for anything else.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let digits = !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_digit());
                if digits { Ok(Self(text.to_owned())) } else { Err(IdError::NotDigits) }
            }

            /// The id as Facebook writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

facebook_id! {
    /// A Facebook Page, as `entry.id` names it.
    PageId
}
facebook_id! {
    /// A Facebook app, as its dashboard names it.
    FacebookAppId
}

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

own_id! {
    /// An app (应用) as Frontdesk names it.
    AppId
}
own_id! {
    /// A channel (渠道): one connected Page.
    ChannelId
}
own_id! {
    /// A visitor (访客) as Frontdesk names it; the PSID is sealed and never part of a stream's name.
    VisitorId
}
own_id! {
    /// A conversation (会话).
    ConversationId
}
own_id! {
    /// A person who signs in; as an agent (坐席) the same id names the agent's stream.
    PersonId
}
own_id! {
    /// A skill group (技能组).
    SkillGroupId
}
own_id! {
    /// A bot (机器人客服).
    BotId
}
own_id! {
    /// One message, received or intended. For outbound messages it is the intent and travels in Facebook's `metadata`.
    MessageId
}
own_id! {
    /// One question put to a bot.
    TurnId
}
own_id! {
    /// One outbound side effect.
    EffectId
}

/// Who writes to a Page: the other half of a visitor's identity.
///
/// Events about the Page as a whole have no sender; the Page then stands in, so that every event has a place and an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The Page-scoped id of a person.
    Psid(String),
    /// The reference of a plugin, before Facebook tells the PSID.
    UserRef(String),
    /// The Page itself.
    Page,
}

impl Party {
    /// The text that is hashed for the partition and for the visitor's directory entry.
    #[must_use]
    pub fn as_key(&self) -> String {
        match self {
            Self::Psid(id) => id.clone(),
            Self::UserRef(reference) => format!("user_ref:{reference}"),
            Self::Page => "page".to_owned(),
        }
    }

    /// Reads what [`Party::as_key`] wrote.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        match key.strip_prefix("user_ref:") {
            Some(reference) => Self::UserRef(reference.to_owned()),
            None if key == "page" => Self::Page,
            None => Self::Psid(key.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_id_is_digits_only() {
        assert_eq!(PageId::parse("159955055741").unwrap().as_str(), "159955055741");
        assert_eq!(PageId::parse("<PAGE_ID>"), Err(IdError::NotDigits));
        assert_eq!(PageId::parse(""), Err(IdError::NotDigits));
    }

    #[test]
    fn a_party_survives_its_key() {
        for party in [Party::Psid("42".into()), Party::UserRef("a:b".into()), Party::Page] {
            assert_eq!(Party::from_key(&party.as_key()), party);
        }
    }
}

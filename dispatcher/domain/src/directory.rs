//! The directory: apps, channels, bots, skill groups and people. Each save is one event with the whole thing in it, so
//! that every decision can be traced to the settings that held.
//!
//! Names and secrets are in the event's [`Content`] under the field names below.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shared::{AppId, BotId, FacebookAppId, PageId, SkillGroupId};

use crate::content::Content;
use crate::permission::Role;
use crate::texts::{Language, TextKey};
use crate::work_mode::WorkMode;

/// Names of the fields in the content of a directory event.
pub mod field {
    /// The thing's name.
    pub const NAME: &str = "name";
    /// An app's secret.
    pub const APP_SECRET: &str = "app_secret";
    /// The app's other secret during rotation.
    pub const SECOND_SECRET: &str = "second_secret";
    /// What Facebook must say in the handshake.
    pub const VERIFY_TOKEN: &str = "verify_token";
    /// A Page's token.
    pub const ACCESS_TOKEN: &str = "access_token";
    /// A bot's secret.
    pub const SECRET: &str = "secret";
    /// A person's login.
    pub const LOGIN: &str = "login";
    /// The name that visitors read.
    pub const PUBLIC_NAME: &str = "public_name";
    /// The argon2id hash of a password.
    pub const PASSWORD_HASH: &str = "password_hash";
    /// Prefix of a channel's own texts.
    pub const TEXT: &str = "text.";
}

/// An event of an app's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum AppEvent {
    /// The app was registered or changed.
    AppSaved {
        /// The app as it is now.
        app: App,
        /// Name, secrets, verify token.
        #[serde(skip)]
        content: Content,
    },
}

/// A Facebook app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Facebook's id of it.
    pub facebook_app_id: FacebookAppId,
}

/// An event of a channel's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ChannelEvent {
    /// The channel was connected or changed.
    ChannelSaved {
        /// The channel as it is now.
        channel: Channel,
        /// Name, token, texts.
        #[serde(skip)]
        content: Content,
    },
}

/// A connected Page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The Page; never changes.
    pub page: PageId,
    /// Its app.
    pub app: AppId,
    /// The skill group that serves it; never changes.
    pub skill_group: SkillGroupId,
    /// Its bot.
    pub bot: Option<BotId>,
    /// Who answers first.
    pub work_mode: WorkMode,
    /// Off: events are kept, nobody answers.
    pub enabled: bool,
    /// Language of the default texts.
    #[serde(default)]
    pub language: Language,
}

/// The own texts of a channel, from its content.
#[must_use]
pub fn own_texts(content: &Content) -> BTreeMap<TextKey, String> {
    TextKey::ALL
        .into_iter()
        .filter_map(|key| {
            content
                .fields
                .get(&format!("{}{}", field::TEXT, key.as_str()))
                .map(|text| (key, text.clone()))
        })
        .collect()
}

/// An event of a bot's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum BotEvent {
    /// The bot was registered or changed.
    BotSaved {
        /// The bot as it is now.
        bot: Bot,
        /// Name and secret.
        #[serde(skip)]
        content: Content,
    },
}

/// A Chatopera bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bot {
    /// Chatopera's id of it.
    pub client_id: String,
    /// Its server, where it is not the configured one.
    pub base_url: Option<String>,
    /// Off: nobody asks it.
    pub enabled: bool,
    /// How long an answer may take, in milliseconds.
    pub deadline_ms: u32,
}

/// An event of a skill group's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum SkillGroupEvent {
    /// The group was made or changed.
    SkillGroupSaved {
        /// The group as it is now.
        skill_group: SkillGroup,
        /// Its name.
        #[serde(skip)]
        content: Content,
    },
}

/// How an offered conversation becomes the agent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptMode {
    /// At once (cskefu's way).
    #[default]
    Automatic,
    /// When the agent says so.
    Manual,
}

/// A skill group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SkillGroup {
    /// How its agents get conversations.
    #[serde(default)]
    pub accept: AcceptMode,
    /// Whether closing leads through wrap-up.
    #[serde(default)]
    pub wrap_up: bool,
}

/// An event of a person's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum PersonEvent {
    /// The person was added or changed.
    PersonSaved {
        /// The person as they are now.
        person: Person,
        /// Login, names, password hash.
        #[serde(skip)]
        content: Content,
    },
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they may do.
    pub role: Role,
    /// The groups whose conversations they serve.
    pub skill_groups: BTreeSet<SkillGroupId>,
    /// Conversations they serve at most at a time.
    pub capacity: u32,
    /// Off: cannot sign in.
    pub enabled: bool,
}

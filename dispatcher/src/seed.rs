//! The demo: one Page, one skill group, one agent, one administrator, one bot.
//!
//! The ids are fixed, so that seeding again changes what is there instead of adding to it.

use std::collections::BTreeSet;

use clap::Args;
use domain::Content;
use domain::directory::{AcceptMode, App, Bot, Channel, Person, SkillGroup, field};
use domain::permission::Role;
use domain::texts::Language;
use domain::work_mode::WorkMode;
use serde_json::json;
use shared::{AppId, BotId, ChannelId, FacebookAppId, PageId, PersonId, SkillGroupId};
use uuid::Uuid;

use crate::config::StoreConfig;
use crate::door;
use crate::people::{Door, NewPerson, put, put_thing};

const APP: AppId = AppId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
const GROUP: SkillGroupId = SkillGroupId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002));
const BOT: BotId = BotId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0003));
const CHANNEL: ChannelId = ChannelId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0004));
const AGENT: PersonId = PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0005));
const ADMINISTRATOR: PersonId = PersonId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0006));

/// What the demo's platforms expect.
#[derive(Debug, Clone, Args)]
pub struct DemoConfig {
    /// Facebook's id of the app
    #[arg(long = "facebook-app-id", env = "FACEBOOK_APP_ID", default_value = "1517776481860111", value_parser = facebook_app)]
    pub facebook_app_id: FacebookAppId,
    /// The app's secret
    #[arg(long = "app-secret", env = "APP_SECRET", hide_env_values = true)]
    pub app_secret: String,
    /// What Facebook says in the handshake
    #[arg(long = "verify-token", env = "VERIFY_TOKEN", hide_env_values = true, default_value = "foobar20")]
    pub verify_token: String,
    /// The Page
    #[arg(long = "page-id", env = "PAGE_ID", default_value = "159955055741", value_parser = page)]
    pub page_id: PageId,
    /// Its name
    #[arg(long = "page-name", env = "PAGE_NAME", default_value = "春松客服 DEMO")]
    pub page_name: String,
    /// Its token
    #[arg(long = "page-token", env = "PAGE_TOKEN", hide_env_values = true)]
    pub page_token: String,
    /// The bot at Chatopera
    #[arg(long = "chatopera-client-id", env = "CHATOPERA_CLIENT_ID")]
    pub chatopera_client_id: String,
    /// The bot's secret
    #[arg(long = "chatopera-secret", env = "CHATOPERA_SECRET", hide_env_values = true)]
    pub chatopera_secret: String,
    /// Password of the demo's agent
    #[arg(
        long = "agent-password",
        env = "DEMO_AGENT_PASSWORD",
        hide_env_values = true,
        default_value = "zhangsan-demo"
    )]
    pub agent_password: String,
    /// Password of the demo's administrator
    #[arg(
        long = "demo-admin-password",
        env = "DEMO_ADMIN_PASSWORD",
        hide_env_values = true,
        default_value = "admin-demo"
    )]
    pub admin_password: String,
    /// Who answers first: bot_first, human_first or bot_only
    #[arg(long = "work-mode", env = "DEMO_WORK_MODE", default_value = "bot_first", value_parser = work_mode)]
    pub work_mode: WorkMode,
}

/// Seeds the demo; the logins as JSON.
///
/// # Errors
/// When the store fails.
pub async fn seed(config: StoreConfig, demo: DemoConfig) -> anyhow::Result<String> {
    let (door, _) = door::open(&config).await?;
    seed_directory(&door, &demo).await?;
    seed_people(&door, &demo).await?;
    let words = json!({
        "agent": { "id": AGENT, "login": "zhangsan", "password": demo.agent_password },
        "administrator": { "id": ADMINISTRATOR, "login": "admin", "password": demo.admin_password },
        "app_id": APP, "channel_id": CHANNEL, "skill_group_id": GROUP, "bot_id": BOT, "page_id": demo.page_id,
    });
    Ok(format!("{words}\n"))
}

async fn seed_directory(door: &Door, demo: &DemoConfig) -> anyhow::Result<()> {
    let app = App {
        facebook_app_id: demo.facebook_app_id.clone(),
    };
    let secrets = [
        (field::NAME, "Frontdesk Demo"),
        (field::APP_SECRET, &demo.app_secret),
        (field::VERIFY_TOKEN, &demo.verify_token),
    ];
    put_thing(door, APP, app, words(&secrets)).await?;
    put_thing(
        door,
        GROUP,
        SkillGroup {
            accept: AcceptMode::Automatic,
            wrap_up: false,
        },
        words(&[(field::NAME, "售前咨询")]),
    )
    .await?;
    let bot = Bot {
        client_id: demo.chatopera_client_id.clone(),
        base_url: None,
        enabled: true,
        deadline_ms: 30_000,
    };
    put_thing(
        door,
        BOT,
        bot,
        words(&[(field::NAME, "小松"), (field::SECRET, &demo.chatopera_secret)]),
    )
    .await?;
    let channel = Channel {
        page: demo.page_id.clone(),
        app: APP,
        skill_group: GROUP,
        bot: Some(BOT),
        work_mode: demo.work_mode,
        enabled: true,
        language: Language::Zh,
    };
    put_thing(
        door,
        CHANNEL,
        channel,
        words(&[(field::NAME, &demo.page_name), (field::ACCESS_TOKEN, &demo.page_token)]),
    )
    .await
}

async fn seed_people(door: &Door, demo: &DemoConfig) -> anyhow::Result<()> {
    let agent = NewPerson {
        id: AGENT,
        login: "zhangsan".to_owned(),
        name: "张三".to_owned(),
        public_name: "张三".to_owned(),
        password: demo.agent_password.clone(),
        person: Person {
            role: Role::Agent,
            skill_groups: BTreeSet::from([GROUP]),
            capacity: 10,
            enabled: true,
        },
    };
    put(door, agent).await?;
    let administrator = NewPerson {
        id: ADMINISTRATOR,
        login: "admin".to_owned(),
        name: "管理员".to_owned(),
        public_name: "管理员".to_owned(),
        password: demo.admin_password.clone(),
        person: Person {
            role: Role::Administrator,
            skill_groups: BTreeSet::new(),
            capacity: 10,
            enabled: true,
        },
    };
    put(door, administrator).await
}

fn words(fields: &[(&str, &str)]) -> Content {
    Content {
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Content::default()
    }
}

fn facebook_app(text: &str) -> Result<FacebookAppId, String> {
    FacebookAppId::parse(text).map_err(|error| error.to_string())
}

fn page(text: &str) -> Result<PageId, String> {
    PageId::parse(text).map_err(|error| error.to_string())
}

fn work_mode(text: &str) -> Result<WorkMode, String> {
    match text {
        "bot_first" => Ok(WorkMode::BotFirst),
        "human_first" => Ok(WorkMode::HumanFirst),
        "bot_only" => Ok(WorkMode::BotOnly),
        _ => Err("it is none of bot_first, human_first, bot_only".to_owned()),
    }
}

//! The channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use domain::Content;
use domain::directory::{Channel, field};
use domain::outbound::{MOST_TEXT, MOST_TITLE};
use domain::permission::{Permission, Unit};
use domain::texts::{Language, TextKey};
use domain::work_mode::WorkMode;
use serde::{Deserialize, Serialize};
use shared::{AppId, BotId, ChannelId, PageId, SkillGroupId};
use store::queries::ChannelRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entry::{FieldChange, Secret, content_of, dangling, name, set_fields};
use crate::api::conversations::Reference;
use crate::api::extract::{Body, IfMatch, given};
use crate::api::problem::{Problem, Refused};
use crate::api::signed::{Granted, Signed};
use crate::api::state::ApiState;
use crate::api::words;

/// A connected Page.
#[derive(Serialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelView {
    id: Uuid,
    page_id: String,
    name: String,
    app: Reference,
    skill_group: Reference,
    bot: Option<Reference>,
    #[schema(schema_with = words::work_mode)]
    work_mode: WorkMode,
    enabled: bool,
    has_token: bool,
    /// Where Facebook delivers this Page's events.
    webhook_path: String,
    #[schema(schema_with = words::texts)]
    texts: BTreeMap<&'static str, String>,
    version: i64,
}

impl From<ChannelRecord> for ChannelView {
    fn from(record: ChannelRecord) -> Self {
        let text = |key: TextKey| {
            let own = record.own_texts.get(&key).cloned();
            (key.as_str(), own.unwrap_or_else(|| key.default_text(record.language).to_owned()))
        };
        Self {
            texts: TextKey::ALL.into_iter().map(text).collect(),
            id: record.id.0,
            webhook_path: format!("/facebook/webhook/{}", record.page_id),
            page_id: record.page_id,
            name: record.name,
            app: record.app.into(),
            skill_group: record.skill_group.into(),
            bot: record.bot.map(Reference::from),
            work_mode: record.work_mode,
            enabled: record.enabled,
            has_token: record.has_token,
            version: record.version,
        }
    }
}

/// Every channel.
#[derive(Serialize, ToSchema)]
struct Channels {
    channels: Vec<ChannelView>,
}

/// One channel.
#[derive(Serialize, ToSchema)]
struct OneChannel {
    channel: ChannelView,
}

/// A Page to be connected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewChannel {
    /// Facebook's id of the Page: digits.
    page_id: String,
    name: String,
    /// Our id of the app.
    app_id: Uuid,
    /// The Page's token.
    access_token: Secret,
    /// Never changes.
    skill_group_id: Uuid,
    bot_id: Option<Uuid>,
    #[schema(schema_with = words::work_mode)]
    work_mode: WorkMode,
}

/// A change of a channel. What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChannelPatch {
    name: Option<String>,
    access_token: Option<Secret>,
    /// Null takes the bot away.
    #[serde(default, deserialize_with = "given")]
    bot_id: Option<Option<Uuid>>,
    #[schema(schema_with = words::work_mode, required = false)]
    work_mode: Option<WorkMode>,
    enabled: Option<bool>,
    #[schema(schema_with = words::texts, required = false)]
    texts: Option<BTreeMap<TextKey, String>>,
}

impl ChannelPatch {
    fn fields(&self) -> Result<Vec<FieldChange>, Refused> {
        let mut changes = Vec::new();
        if let Some(text) = &self.name {
            changes.push((field::NAME.to_owned(), Some(name("name", text)?)));
        }
        if let Some(secret) = &self.access_token {
            changes.push((field::ACCESS_TOKEN.to_owned(), Some(secret.checked("access_token")?)));
        }
        Ok(changes)
    }

    fn checked_texts(&self) -> Result<BTreeMap<TextKey, String>, Refused> {
        let texts = self.texts.clone().unwrap_or_default();
        for (key, text) in &texts {
            fits(*key, text)?;
        }
        Ok(texts)
    }
}

/// What Facebook would refuse is refused here, where somebody can mend it.
fn fits(key: TextKey, text: &str) -> Result<(), Refused> {
    let most = match key {
        TextKey::TransferManualService => MOST_TITLE,
        TextKey::NoAgent
        | TextKey::Queued
        | TextKey::Assigned
        | TextKey::Ended
        | TextKey::BotUnavailable
        | TextKey::BotNoAnswer
        | TextKey::HandoverRefused => MOST_TEXT,
    };
    let length = text.chars().count();
    if length > most || text.contains('\0') {
        let mut refused = Problem::TextTooLong.because(format!("texts.{}: at most {most} characters", key.as_str()));
        refused.more.insert("length".to_owned(), length.into());
        refused.more.insert("most".to_owned(), most.into());
        return Err(refused);
    }
    Ok(())
}

/// A text that is the default is no text of the channel's own: a better default of a later release reaches it.
fn set_texts(content: &mut Content, language: Language, texts: &BTreeMap<TextKey, String>) {
    let changes: Vec<FieldChange> = texts
        .iter()
        .map(|(key, text)| {
            let own = (text != key.default_text(language)).then(|| text.clone());
            (format!("{}{}", field::TEXT, key.as_str()), own)
        })
        .collect();
    set_fields(content, &changes);
}

/// Every channel.
#[utoipa::path(operation_id = "list_channels", tag = "channels", responses((status = 200, body = Channels)))]
#[get("/channels")]
pub(crate) async fn list_channels(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    let channels = state.read(&granted).channels().await?;
    Ok(HttpResponse::Ok().json(Channels {
        channels: channels.into_iter().map(ChannelView::from).collect(),
    }))
}

/// One channel.
#[utoipa::path(operation_id = "get_channel", tag = "channels", responses((status = 200, body = OneChannel)))]
#[get("/channels/{id}")]
pub(crate) async fn get_channel(signed: Signed, state: Data<ApiState>, id: Path<Uuid>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, ChannelId(*id)).await?))
}

/// Connect a Page.
#[utoipa::path(
    operation_id = "create_channel",
    tag = "channels",
    request_body = NewChannel,
    responses((status = 201, body = OneChannel))
)]
#[post("/channels")]
pub(crate) async fn create_channel(signed: Signed, state: Data<ApiState>, body: Body<NewChannel>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::ChannelManage, Unit::Everywhere)?;
    let new = body.value;
    let page = PageId::parse(new.page_id.trim()).or(Err(
        Problem::InvalidRequest.because("page_id: Facebook's id of the Page has digits only")
    ))?;
    let content = content_of([
        (field::NAME, Some(name("name", &new.name)?)),
        (field::ACCESS_TOKEN, Some(new.access_token.checked("access_token")?)),
    ]);
    let channel = Channel {
        page: page.clone(),
        app: AppId(new.app_id),
        skill_group: SkillGroupId(new.skill_group_id),
        bot: new.bot_id.map(BotId),
        work_mode: new.work_mode,
        enabled: true,
        language: Language::default(),
    };
    refers_to_what_exists(&state, &granted, &channel).await?;
    is_free(&state, &granted, &page).await?;
    let id = ChannelId(state.fresh_id());
    if let Err(error) = state.commands(&granted).create(granted.actor(), id, channel, content).await {
        // Somebody may have been faster between the look and the write.
        is_free(&state, &granted, &page).await?;
        return Err(error.into());
    }
    Ok(HttpResponse::Created().json(one(&state, &granted, id).await?))
}

/// Change a channel.
#[utoipa::path(
    operation_id = "update_channel",
    tag = "channels",
    request_body = ChannelPatch,
    responses((status = 200, body = OneChannel))
)]
#[patch("/channels/{id}")]
pub(crate) async fn update_channel(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    expected: IfMatch,
    body: Body<ChannelPatch>,
) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::ChannelManage, Unit::Everywhere)?;
    let (id, patch) = (ChannelId(*id), body.value);
    let (fields, texts) = (patch.fields()?, patch.checked_texts()?);
    if let Some(Some(bot)) = patch.bot_id {
        bot_exists(&state, &granted, BotId(bot)).await?;
    }
    let edit = move |channel: &mut Channel, content: &mut Content| {
        channel.bot = patch.bot_id.map_or(channel.bot, |bot| bot.map(BotId));
        channel.work_mode = patch.work_mode.unwrap_or(channel.work_mode);
        channel.enabled = patch.enabled.unwrap_or(channel.enabled);
        set_fields(content, &fields);
        set_texts(content, channel.language, &texts);
        Ok(())
    };
    state
        .commands(&granted)
        .change(granted.actor(), id, expected.0, Arc::new(edit))
        .await?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, id).await?))
}

async fn refers_to_what_exists(state: &ApiState, granted: &Granted, channel: &Channel) -> Result<(), Refused> {
    let read = state.read(granted);
    read.app(channel.app).await?.ok_or_else(|| dangling("app_id"))?;
    read.skill_group(channel.skill_group)
        .await?
        .ok_or_else(|| dangling("skill_group_id"))?;
    match channel.bot {
        Some(bot) => bot_exists(state, granted, bot).await,
        None => Ok(()),
    }
}

async fn bot_exists(state: &ApiState, granted: &Granted, bot: BotId) -> Result<(), Refused> {
    let there = state.read(granted).bot(bot).await?;
    there.map(|_| ()).ok_or_else(|| dangling("bot_id"))
}

async fn is_free(state: &ApiState, granted: &Granted, page: &PageId) -> Result<(), Refused> {
    let there = state.read(granted).channel_of_page(page.as_str().to_owned()).await?;
    there.map_or(Ok(()), |_| Err(Problem::AlreadyExists.because("a channel of this Page")))
}

async fn one(state: &ApiState, granted: &Granted, id: ChannelId) -> Result<OneChannel, Refused> {
    let channel = state.read(granted).channel(id).await?.ok_or(Problem::NotFound)?;
    Ok(OneChannel { channel: channel.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_title_that_facebook_would_refuse_is_refused_here() {
        assert!(fits(TextKey::TransferManualService, &"转".repeat(20)).is_ok());
        let refused = fits(TextKey::TransferManualService, &"转".repeat(21)).unwrap_err();
        assert_eq!((refused.problem, refused.more["most"].as_u64()), (Problem::TextTooLong, Some(20)));
        assert!(fits(TextKey::NoAgent, &"忙".repeat(21)).is_ok());
    }

    #[test]
    fn a_text_like_the_default_does_not_become_the_channels_own() {
        let default = TextKey::Ended.default_text(Language::Zh).to_owned();
        let mut content = content_of([("text.ended", Some("再见".to_owned()))]);
        let texts = BTreeMap::from([(TextKey::Ended, default), (TextKey::Queued, String::new())]);
        set_texts(&mut content, Language::Zh, &texts);
        assert_eq!(content.fields, BTreeMap::from([("text.queued".to_owned(), String::new())]));
    }
}

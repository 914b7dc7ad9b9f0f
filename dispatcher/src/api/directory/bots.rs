//! The bots.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch, post};
use domain::Content;
use domain::directory::{Bot, field};
use domain::permission::{Permission, Unit};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use shared::BotId;
use store::queries::BotRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entry::{FieldChange, Secret, content_of, name, set_fields};
use crate::api::extract::{Body, IfMatch, given};
use crate::api::problem::{Problem, Refused};
use crate::api::signed::{Granted, Signed};
use crate::api::state::ApiState;

/// How long an answer may take where nobody says: language models take their time.
const USUAL_DEADLINE_MS: u32 = 30_000;
/// Shorter, and nothing would ever be in time; longer, and the visitor would be gone.
const DEADLINES_MS: std::ops::RangeInclusive<u32> = 500..=120_000;

/// A Chatopera bot.
#[derive(Serialize, ToSchema)]
#[schema(as = Bot)]
pub(crate) struct BotView {
    id: Uuid,
    name: String,
    /// Chatopera's id of it.
    client_id: String,
    /// Its server, where it is not the configured one.
    base_url: Option<String>,
    has_secret: bool,
    enabled: bool,
    /// How long an answer may take.
    deadline_ms: u32,
    version: i64,
}

impl From<BotRecord> for BotView {
    fn from(record: BotRecord) -> Self {
        Self {
            id: record.id.0,
            name: record.name,
            client_id: record.client_id,
            base_url: record.base_url,
            has_secret: record.has_secret,
            enabled: record.enabled,
            deadline_ms: record.deadline_ms,
            version: record.version,
        }
    }
}

/// Every bot.
#[derive(Serialize, ToSchema)]
struct Bots {
    bots: Vec<BotView>,
}

/// One bot.
#[derive(Serialize, ToSchema)]
struct OneBot {
    bot: BotView,
}

/// A bot to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBot {
    name: String,
    client_id: String,
    secret: Option<Secret>,
    base_url: Option<String>,
    /// 30 000 where not given.
    deadline_ms: Option<u32>,
}

/// A change of a bot. What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BotPatch {
    name: Option<String>,
    client_id: Option<String>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given")]
    secret: Option<Option<Secret>>,
    /// Null stands for the configured server.
    #[serde(default, deserialize_with = "given")]
    base_url: Option<Option<String>>,
    enabled: Option<bool>,
    deadline_ms: Option<u32>,
}

impl BotPatch {
    fn fields(&self) -> Result<Vec<FieldChange>, Refused> {
        let mut changes = Vec::new();
        if let Some(text) = &self.name {
            changes.push((field::NAME.to_owned(), Some(name("name", text)?)));
        }
        if let Some(secret) = &self.secret {
            let secret = secret.as_ref().map(|secret| secret.checked("secret")).transpose()?;
            changes.push((field::SECRET.to_owned(), secret));
        }
        Ok(changes)
    }
}

fn server(text: &str) -> Result<String, Refused> {
    let is_server = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
    match Url::parse(text.trim()) {
        Ok(url) if is_server(&url) => Ok(text.trim().trim_end_matches('/').to_owned()),
        _ => Err(Problem::InvalidRequest.because("base_url: an http:// or https:// address")),
    }
}

fn deadline(deadline_ms: u32) -> Result<u32, Refused> {
    if DEADLINES_MS.contains(&deadline_ms) {
        return Ok(deadline_ms);
    }
    let (least, most) = (DEADLINES_MS.start(), DEADLINES_MS.end());
    Err(Problem::InvalidRequest.because(format!("deadline_ms: {least} to {most}")))
}

/// Every bot.
#[utoipa::path(operation_id = "list_bots", tag = "bots", responses((status = 200, body = Bots)))]
#[get("/bots")]
pub(crate) async fn list_bots(signed: Signed, state: Data<ApiState>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    let bots = state.read(&granted).bots().await?;
    Ok(HttpResponse::Ok().json(Bots {
        bots: bots.into_iter().map(BotView::from).collect(),
    }))
}

/// One bot.
#[utoipa::path(operation_id = "get_bot", tag = "bots", responses((status = 200, body = OneBot)))]
#[get("/bots/{id}")]
pub(crate) async fn get_bot(signed: Signed, state: Data<ApiState>, id: Path<Uuid>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::DirectoryRead, Unit::Everywhere)?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, BotId(*id)).await?))
}

/// Register a bot.
#[utoipa::path(operation_id = "create_bot", tag = "bots", request_body = NewBot, responses((status = 201, body = OneBot)))]
#[post("/bots")]
pub(crate) async fn create_bot(signed: Signed, state: Data<ApiState>, body: Body<NewBot>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::BotManage, Unit::Everywhere)?;
    let new = body.value;
    let content = content_of([
        (field::NAME, Some(name("name", &new.name)?)),
        (field::SECRET, new.secret.map(|secret| secret.checked("secret")).transpose()?),
    ]);
    let bot = Bot {
        client_id: name("client_id", &new.client_id)?,
        base_url: new.base_url.as_deref().map(server).transpose()?,
        enabled: true,
        deadline_ms: deadline(new.deadline_ms.unwrap_or(USUAL_DEADLINE_MS))?,
    };
    let id = BotId(state.fresh_id());
    state.commands(&granted).create(granted.actor(), id, bot, content).await?;
    Ok(HttpResponse::Created().json(one(&state, &granted, id).await?))
}

/// Change a bot.
#[utoipa::path(operation_id = "update_bot", tag = "bots", request_body = BotPatch, responses((status = 200, body = OneBot)))]
#[patch("/bots/{id}")]
pub(crate) async fn update_bot(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    expected: IfMatch,
    body: Body<BotPatch>,
) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::BotManage, Unit::Everywhere)?;
    let (id, patch) = (BotId(*id), body.value);
    let fields = patch.fields()?;
    let client_id = patch.client_id.as_deref().map(|text| name("client_id", text)).transpose()?;
    let base_url = match patch.base_url {
        Some(url) => Some(url.as_deref().map(server).transpose()?),
        None => None,
    };
    let deadline_ms = patch.deadline_ms.map(deadline).transpose()?;
    let edit = move |bot: &mut Bot, content: &mut Content| {
        bot.client_id = client_id.clone().unwrap_or_else(|| bot.client_id.clone());
        bot.base_url = base_url.clone().unwrap_or_else(|| bot.base_url.clone());
        bot.enabled = patch.enabled.unwrap_or(bot.enabled);
        bot.deadline_ms = deadline_ms.unwrap_or(bot.deadline_ms);
        set_fields(content, &fields);
        Ok(())
    };
    state
        .commands(&granted)
        .change(granted.actor(), id, expected.0, Arc::new(edit))
        .await?;
    Ok(HttpResponse::Ok().json(one(&state, &granted, id).await?))
}

async fn one(state: &ApiState, granted: &Granted, id: BotId) -> Result<OneBot, Refused> {
    let bot = state.read(granted).bot(id).await?.ok_or(Problem::NotFound)?;
    Ok(OneBot { bot: bot.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_of_the_web() {
        assert_eq!(server(" https://bot.chatopera.com/ "), Ok("https://bot.chatopera.com".to_owned()));
        for wrong in [
            "",
            "bot.chatopera.com",
            "ftp://bot",
            "http://",
            "https://user@host",
            "file:///etc/passwd",
        ] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_deadline_leaves_time_to_answer_and_keeps_nobody_waiting_for_ever() {
        assert!(deadline(30_000).is_ok());
        assert!(deadline(0).is_err() && deadline(600_000).is_err());
    }
}

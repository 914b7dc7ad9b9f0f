//! What happened in a conversation.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use shared::ConversationId;
use store::queries::{ItemRecord, ItemSeek};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::may_in;
use crate::api::extract::page_size;
use crate::api::instant::Instant;
use crate::api::page_cursor;
use crate::api::problem::Refused;
use crate::api::signed::Signed;
use crate::api::state::ApiState;
use crate::api::words;

/// A page of a timeline.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TimelineQuery {
    /// At most so many, 200 at most.
    #[param(minimum = 1, maximum = 200, default = 100)]
    limit: Option<u32>,
    /// `meta.next` of a page: the items before it.
    before: Option<String>,
}

/// A page of a timeline, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct TimelinePage {
    items: Vec<Item>,
    meta: TimelinePageMeta,
    /// Where the feed goes on from this page.
    cursor: String,
}

/// About a page of a timeline.
#[derive(Serialize, ToSchema)]
struct TimelinePageMeta {
    /// For `before`: where the older items end; null when there are none.
    next: Option<String>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct Item {
    id: Uuid,
    at: Instant,
    #[schema(schema_with = words::item_kind)]
    kind: String,
    #[schema(schema_with = words::direction)]
    direction: String,
    author: Author,
    text: Option<String>,
    attachments: Vec<Attachment>,
    /// Titles of buttons and quick replies.
    buttons: Vec<String>,
    /// What became of an outbound message.
    #[schema(schema_with = words::send_status)]
    status: Option<String>,
    status_reason: Option<String>,
    /// What happened, for notices and events.
    event: Option<String>,
    /// It arrived after something newer.
    late: bool,
}

/// Who made an item.
#[derive(Serialize, ToSchema)]
struct Author {
    #[schema(schema_with = words::author_kind)]
    kind: String,
    id: Option<Uuid>,
    name: Option<String>,
}

/// A picture, a file, a place.
#[derive(Serialize, ToSchema)]
struct Attachment {
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    title: Option<String>,
}

impl From<ItemRecord> for Item {
    fn from(record: ItemRecord) -> Self {
        Self {
            id: record.id,
            at: Instant(record.at),
            kind: record.kind,
            direction: record.direction,
            author: Author {
                kind: record.author_kind,
                id: record.author.map(|person| person.0),
                name: record.author_name,
            },
            text: record.text,
            attachments: record.attachments.into_iter().map(Attachment::from).collect(),
            buttons: record.buttons,
            status: record.status,
            status_reason: record.status_reason,
            event: record.event,
            late: record.late,
        }
    }
}

impl From<domain::content::Attachment> for Attachment {
    fn from(attachment: domain::content::Attachment) -> Self {
        Self {
            kind: attachment.kind,
            url: attachment.url,
            title: attachment.title,
        }
    }
}

/// The newest items of a conversation, or those before a place.
#[utoipa::path(
    operation_id = "get_timeline",
    tag = "conversations",
    params(TimelineQuery),
    responses((status = 200, body = TimelinePage))
)]
#[get("/conversations/{id}/timeline")]
pub(crate) async fn get_timeline(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    query: Query<TimelineQuery>,
) -> Result<HttpResponse, Refused> {
    let id = ConversationId(*id);
    let granted = may_in(&state, &signed, Permission::ConversationRead, id).await?;
    let limit = page_size(query.limit, 100, 200)?;
    let before = query.before.as_deref().map(seek).transpose()?;
    let page = state.read(&granted).timeline(id, before, limit).await?;
    Ok(HttpResponse::Ok().json(TimelinePage {
        items: page.value.items.into_iter().map(Item::from).collect(),
        meta: TimelinePageMeta {
            next: page.value.older.map(|place| page_cursor::write(place.at, place.seq)),
        },
        cursor: page.cursor.to_string(),
    }))
}

fn seek(text: &str) -> Result<ItemSeek, Refused> {
    let (at, seq) = page_cursor::read::<i64>(text)?;
    Ok(ItemSeek { at, seq })
}

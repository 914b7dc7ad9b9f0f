//! The lists of the workbench.

use actix_web::web::{Data, Query};
use actix_web::{HttpResponse, get};
use domain::permission::{Permission, Unit};
use serde::{Deserialize, Serialize};
use shared::{ConversationId, PersonId};
use store::queries::{Seek, View};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::view::Conversation;
use crate::api::extract::page_size;
use crate::api::page_cursor;
use crate::api::problem::Refused;
use crate::api::signed::Signed;
use crate::api::state::ApiState;
use crate::api::words;

/// Which list.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ViewName {
    Mine,
    Queue,
    Open,
    Closed,
}

impl ViewName {
    const fn of(self, person: PersonId) -> View {
        match self {
            Self::Mine => View::Mine(person),
            Self::Queue => View::Queue,
            Self::Open => View::Open,
            Self::Closed => View::Closed,
        }
    }
}

/// A page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Mine: what I have or was offered. Queue: what waits, first come first. Open: what is not over. Closed: what is over, newest first.
    #[param(schema_with = words::view)]
    view: ViewName,
    /// At most so many, 100 at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// `meta.next` of the page before.
    after: Option<String>,
}

/// A page of conversations.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationPage {
    conversations: Vec<Conversation>,
    meta: ConversationPageMeta,
    /// Where the feed goes on from this page.
    cursor: String,
}

/// About a page of conversations.
#[derive(Serialize, ToSchema)]
struct ConversationPageMeta {
    /// Where the next page begins; null on the last one.
    next: Option<String>,
    /// How many wait in all groups that the person may see.
    total_waiting: i64,
}

/// A list of conversations.
#[utoipa::path(
    operation_id = "list_conversations",
    tag = "conversations",
    params(ListQuery),
    responses((status = 200, body = ConversationPage))
)]
#[get("/conversations")]
pub(crate) async fn list_conversations(signed: Signed, state: Data<ApiState>, query: Query<ListQuery>) -> Result<HttpResponse, Refused> {
    let granted = signed.may(Permission::ConversationRead, Unit::Everywhere)?;
    let limit = page_size(query.limit, 50, 100)?;
    let after = query.after.as_deref().map(seek).transpose()?;
    let page = state
        .read(&granted)
        .conversations(query.view.of(granted.actor()), signed.sight(), after, limit)
        .await?;
    Ok(HttpResponse::Ok().json(ConversationPage {
        conversations: page.value.conversations.into_iter().map(Conversation::from).collect(),
        meta: ConversationPageMeta {
            next: page.value.next.map(|place| page_cursor::write(place.at, place.id)),
            total_waiting: page.value.total_waiting,
        },
        cursor: page.cursor.to_string(),
    }))
}

fn seek(text: &str) -> Result<Seek, Refused> {
    let (at, id) = page_cursor::read::<Uuid>(text)?;
    Ok(Seek {
        at,
        id: ConversationId(id),
    })
}

//! One conversation.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use domain::permission::Permission;
use serde::Serialize;
use shared::ConversationId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::may_in;
use super::view::Conversation;
use crate::api::problem::{Problem, Refused};
use crate::api::signed::Signed;
use crate::api::state::ApiState;

/// One conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneConversation {
    conversation: Conversation,
    /// Where the feed goes on from this answer.
    cursor: String,
}

/// One conversation.
#[utoipa::path(operation_id = "get_conversation", tag = "conversations", responses((status = 200, body = OneConversation)))]
#[get("/conversations/{id}")]
pub(crate) async fn get_conversation(signed: Signed, state: Data<ApiState>, id: Path<Uuid>) -> Result<HttpResponse, Refused> {
    let id = ConversationId(*id);
    let granted = may_in(&state, &signed, Permission::ConversationRead, id).await?;
    let found = state.read(&granted).conversation(id).await?;
    Ok(HttpResponse::Ok().json(OneConversation {
        conversation: found.value.ok_or(Problem::NotFound)?.into(),
        cursor: found.cursor.to_string(),
    }))
}

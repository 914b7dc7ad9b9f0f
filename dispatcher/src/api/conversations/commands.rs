//! What an agent does in a conversation. Each may carry an Idempotency-Key: the same key never acts twice.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use domain::permission::Permission;
use engine::Answer;
use serde::{Deserialize, Serialize};
use shared::ConversationId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::may_in;
use crate::api::extract::Body;
use crate::api::problem::Refused;
use crate::api::signed::Signed;
use crate::api::state::ApiState;

/// What a command did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// Where its newest event stands in the log; null where there was nothing to do, or it was done before under the same key.
    position: Option<String>,
}

/// What a reply did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replied {
    /// The message on its way.
    message_id: Option<Uuid>,
    /// Where its newest event stands in the log; null where it was done before under the same key.
    position: Option<String>,
}

/// A message to the visitor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReply {
    text: String,
}

/// To whom a conversation goes.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum HandOverTarget {
    /// Back into the queue of its group.
    Queue,
    /// To the bot.
    Bot,
}

/// To whom a conversation shall go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    to: HandOverTarget,
}

/// Nothing more has to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Done {
    fn of(answer: &Answer) -> HttpResponse {
        HttpResponse::Ok().json(Self {
            position: position_of(answer),
        })
    }
}

fn position_of(answer: &Answer) -> Option<String> {
    answer.cursor.map(|cursor| cursor.position.to_string())
}

/// Answer the visitor.
#[utoipa::path(
    operation_id = "create_reply",
    tag = "conversations",
    request_body = NewReply,
    responses((status = 202, body = Replied))
)]
#[post("/conversations/{id}/replies")]
pub(crate) async fn create_reply(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    body: Body<NewReply>,
) -> Result<HttpResponse, Refused> {
    let id = ConversationId(*id);
    let granted = may_in(&state, &signed, Permission::ConversationReply, id).await?;
    let key = body.idempotency(granted.actor());
    let answer = state.commands(&granted).reply(granted.actor(), id, body.value.text, key).await?;
    let message_id = answer.response.get("message_id").and_then(serde_json::Value::as_str);
    Ok(HttpResponse::Accepted().json(Replied {
        message_id: message_id.and_then(|id| Uuid::parse_str(id).ok()),
        position: position_of(&answer),
    }))
}

/// Take a conversation that was offered, or one that waits.
#[utoipa::path(
    operation_id = "accept_conversation",
    tag = "conversations",
    request_body = Nothing,
    responses((status = 200, body = Done))
)]
#[post("/conversations/{id}/accept")]
pub(crate) async fn accept_conversation(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    body: Body<Nothing>,
) -> Result<HttpResponse, Refused> {
    let id = ConversationId(*id);
    let granted = may_in(&state, &signed, Permission::ConversationReply, id).await?;
    let key = body.idempotency(granted.actor());
    let answer = state.commands(&granted).accept(granted.actor(), id, key).await?;
    Ok(Done::of(&answer))
}

/// Put a conversation back into the queue, or hand it to the bot.
#[utoipa::path(
    operation_id = "hand_over_conversation",
    tag = "conversations",
    request_body = HandOver,
    responses((status = 200, body = Done))
)]
#[post("/conversations/{id}/hand-over")]
pub(crate) async fn hand_over_conversation(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    body: Body<HandOver>,
) -> Result<HttpResponse, Refused> {
    let id = ConversationId(*id);
    let granted = may_in(&state, &signed, Permission::ConversationReply, id).await?;
    let key = body.idempotency(granted.actor());
    let commands = state.commands(&granted);
    let answer = match body.value.to {
        HandOverTarget::Queue => commands.put_back(granted.actor(), id, key).await?,
        HandOverTarget::Bot => commands.hand_to_bot(granted.actor(), id, key).await?,
    };
    Ok(Done::of(&answer))
}

/// End a conversation.
#[utoipa::path(
    operation_id = "close_conversation",
    tag = "conversations",
    request_body = Nothing,
    responses((status = 200, body = Done))
)]
#[post("/conversations/{id}/close")]
pub(crate) async fn close_conversation(
    signed: Signed,
    state: Data<ApiState>,
    id: Path<Uuid>,
    body: Body<Nothing>,
) -> Result<HttpResponse, Refused> {
    let id = ConversationId(*id);
    let granted = may_in(&state, &signed, Permission::ConversationReply, id).await?;
    let key = body.idempotency(granted.actor());
    let answer = state
        .commands(&granted)
        .close(granted.actor(), signed.disposes_of_all(), id, key)
        .await?;
    Ok(Done::of(&answer))
}

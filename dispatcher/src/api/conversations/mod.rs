//! The workbench: lists, conversations, timelines, and what an agent does in them.

mod commands;
mod list;
mod one;
mod timeline;
mod view;

pub(crate) use commands::{accept_conversation, close_conversation, create_reply, hand_over_conversation};
pub(crate) use list::list_conversations;
pub(crate) use one::get_conversation;
pub(crate) use timeline::get_timeline;
pub(crate) use view::Reference;

use domain::permission::{Permission, Unit};
use shared::ConversationId;

use super::problem::{Problem, Refused};
use super::signed::{Granted, Signed};
use super::state::ApiState;

/// Asks whether the person may do this in the group that the conversation belongs to.
async fn may_in(state: &ApiState, signed: &Signed, permission: Permission, id: ConversationId) -> Result<Granted, Refused> {
    let looks = signed.may(Permission::ConversationRead, Unit::Everywhere)?;
    let group = state.read(&looks).group_of_conversation(id).await?.ok_or(Problem::NotFound)?;
    signed.may(permission, Unit::SkillGroup(group))
}

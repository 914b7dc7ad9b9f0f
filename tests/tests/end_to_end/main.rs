//! The real binaries on a real database and broker, against simulated platforms: what a visitor, an agent and an administrator live through.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests by their attribute; this whole crate is tests"
)]

mod agents;
mod broken_bot;
mod conversation;
mod duplicates;
mod feed;
mod main_job;
mod pages;
mod quarantine;
mod work_modes;

/// A visitor of the first Page.
pub(crate) const VISITOR: &str = "6011223344556677";
/// Another one.
pub(crate) const OTHER_VISITOR: &str = "6011223344556688";
/// What the visitor reads when 张三 takes over.
pub(crate) const TAKEN_BY_ZHANGSAN: &str = "坐席分配成功，张三为您服务。";
/// What the visitor reads when nobody is ready.
pub(crate) const NOBODY_THERE: &str = "坐席全忙，已进入等待队列，您也可以在其他时间再来咨询。";
/// What the visitor reads when the conversation is over.
pub(crate) const ENDED: &str = "坐席已断开和您的对话";
/// The button that asks for a person.
pub(crate) const TRANSFER: &str = "TRANSFER_LABOR";

//! What a bot can answer, and how its answer becomes messages.
//!
//! Source of the shapes: Chatopera's `/conversation/query`; cskefu's rendering rules without their dead ends.

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::context::IdSeed;
use crate::outbound::{Button, Draft, MOST_TEMPLATE_TEXT, MOST_TEXT, Shape, fit_title, split_text};
use crate::texts::{TextKey, Texts};
use crate::work_mode::WorkMode;

/// Payload of the button that asks for a person. Buttons with it live in visitors' threads for ever.
pub const TRANSFER_LABOR: &str = "TRANSFER_LABOR";
/// Payload of a suggested question: its title is the question.
pub const FAQ_LIST: &str = "FAQ_LIST";
/// Payload of the opening button; the bot is asked [`KICKOFF`].
pub const START_CHATOPERA: &str = "startChatopera";
/// The bot's opening question.
pub const KICKOFF: &str = "__kickoff";

/// Bot questions that one visitor may cause in a minute; more are kept but not asked.
pub const TURNS_PER_MINUTE: u32 = 20;

/// A bot's answer to one turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The words; `None` where the bot says nothing.
    pub text: Option<String>,
    /// The bot did not understand: this is its fallback (兜底回复).
    pub is_fallback: bool,
    /// Who inside the bot answered: faq, script, llm, fallback, …
    pub provider: String,
}

/// How a question to the bot ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum BotOutcome {
    /// It answered.
    Answered(Answer),
    /// The visitor is muted at the bot: it will not answer.
    Muted,
    /// It did not answer, or not in time, or not so that we understand it.
    Failed {
        /// What happened.
        reason: BotFailure,
    },
}

/// Why a bot gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotFailure {
    /// No answer within the bot's deadline.
    Late,
    /// The platform could not be reached or answered with an error of its own.
    Unavailable,
    /// The platform refused: credentials, quota, an unknown `rc`.
    Refused,
    /// The answer could not be read.
    Unreadable,
    /// The channel's bot is off or gone.
    Off,
}

/// Turns an answer into the messages that the visitor gets.
#[must_use]
pub fn render(answer: &Answer, mode: WorkMode, texts: &Texts, ids: IdSeed, first: u16) -> Vec<Draft> {
    let text = answer.text.as_deref().map(plain).filter(|text| !text.trim().is_empty());
    match (text, answer.is_fallback) {
        (Some(text), true) => with_transfer_button(&text, mode, texts, ids, first),
        (Some(text), false) => parts(&text, ids, first),
        (None, _) => texts
            .get(TextKey::BotNoAnswer)
            .map_or_else(Vec::new, |text| with_transfer_button(text, mode, texts, ids, first)),
    }
}

/// A text with the 转人工 button below it, where the mode allows hand-over and the button has a title.
#[must_use]
pub fn with_transfer_button(text: &str, mode: WorkMode, texts: &Texts, ids: IdSeed, first: u16) -> Vec<Draft> {
    let Some(title) = texts.get(TextKey::TransferManualService).filter(|_| mode.allows_hand_over()) else {
        return parts(text, ids, first);
    };
    let mut lines = split_text(text, MOST_TEMPLATE_TEXT);
    let Some(last) = lines.pop() else { return Vec::new() };
    let mut drafts = parts(&lines.join(" "), ids, first);
    let n = first.saturating_add(u16::try_from(drafts.len()).unwrap_or(u16::MAX));
    let buttons = vec![Button {
        title: fit_title(title),
        payload: TRANSFER_LABOR.to_owned(),
    }];
    drafts.push(Draft {
        message: ids.message(n),
        shape: Shape::Buttons,
        content: Content {
            text: Some(last),
            buttons,
            ..Content::default()
        },
    });
    drafts
}

/// A text as one or several plain messages.
#[must_use]
pub fn parts(text: &str, ids: IdSeed, first: u16) -> Vec<Draft> {
    (first..)
        .zip(split_text(text, MOST_TEXT))
        .map(|(n, part)| Draft {
            message: ids.message(n),
            shape: Shape::Text,
            content: Content::of_text(part),
        })
        .collect()
}

/// The engine's markers are not for visitors: `{CLEAR}` at the start only tells the engine to forget the dialogue.
fn plain(text: &str) -> String {
    text.trim_start().strip_prefix("{CLEAR}").map_or(text, str::trim_start).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn ids() -> IdSeed {
        IdSeed::new(Uuid::from_u128(1 << 64))
    }

    fn answer(text: &str, is_fallback: bool) -> Answer {
        Answer {
            text: Some(text.to_owned()),
            is_fallback,
            provider: "fallback".to_owned(),
        }
    }

    #[test]
    fn a_fallback_carries_the_button_to_a_person() {
        let drafts = render(&answer("不明白", true), WorkMode::BotFirst, &Texts::default(), ids(), 0);
        assert_eq!(drafts.len(), 1);
        assert_eq!(
            drafts[0].content.buttons,
            [Button {
                title: "转人工".into(),
                payload: TRANSFER_LABOR.into()
            }]
        );
    }

    #[test]
    fn a_bot_only_channel_offers_no_person() {
        let drafts = render(&answer("不明白", true), WorkMode::BotOnly, &Texts::default(), ids(), 0);
        assert!(drafts[0].content.buttons.is_empty());
        assert_eq!(drafts[0].shape, Shape::Text);
    }

    #[test]
    fn a_long_fallback_keeps_every_part_and_the_button_last() {
        let drafts = render(&answer(&"长".repeat(1500), true), WorkMode::BotFirst, &Texts::default(), ids(), 3);
        let total: usize = drafts
            .iter()
            .map(|draft| draft.content.text.as_deref().unwrap().chars().filter(|c| *c == '长').count())
            .sum();
        assert_eq!(total, 1500);
        assert_eq!(drafts.last().unwrap().shape, Shape::Buttons);
    }

    #[test]
    fn an_empty_answer_says_so_instead_of_nothing() {
        let drafts = render(&answer(" ", false), WorkMode::BotFirst, &Texts::default(), ids(), 0);
        assert_eq!(drafts[0].content.text.as_deref(), Some("抱歉，我没有找到合适的答案。"));
    }

    #[test]
    fn the_engines_markers_are_not_shown() {
        let drafts = render(&answer("{CLEAR} 您好", false), WorkMode::BotFirst, &Texts::default(), ids(), 0);
        assert_eq!(drafts[0].content.text.as_deref(), Some("您好"));
    }
}

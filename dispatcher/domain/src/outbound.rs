//! What we send to a visitor, and how a send can end.

use serde::{Deserialize, Serialize};
use shared::{MessageId, PersonId, Timestamp, TurnId};

use crate::content::Content;
use crate::texts::TextKey;

/// Most characters of one text message. Facebook wants fewer than 2 000 and does not say in which unit it counts.
pub const MOST_TEXT: usize = 1_900;
/// Most characters of a button template's text (Facebook: 640).
pub const MOST_TEMPLATE_TEXT: usize = 640;
/// Most characters of a button's or quick reply's title (Facebook: 20).
pub const MOST_TITLE: usize = 20;
/// Most characters an agent may send in one go; longer ones are parts of at most [`MOST_TEXT`].
pub const MOST_REPLY: usize = 20_000;

/// A button of a template; a tap comes back as a postback with the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What the visitor reads.
    pub title: String,
    /// What comes back.
    pub payload: String,
}

/// A quick reply; a tap comes back as a message with the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuickReply {
    /// What the visitor reads.
    pub title: String,
    /// What comes back.
    pub payload: String,
}

/// Who speaks. The messaging policy tells a person's words from a machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Sender {
    /// The bot, in a turn of its own.
    Bot {
        /// The turn that it answers.
        turn: TurnId,
    },
    /// An agent.
    Agent {
        /// Which one.
        agent: PersonId,
    },
    /// A text of the channel.
    System {
        /// Which text.
        key: TextKey,
    },
}

/// The shape of an outbound message; its words are in the [`Content`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A text, with quick replies or without.
    Text,
    /// A button template.
    Buttons,
}

/// How an attempt to send ended, as far as we can know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// Facebook took it.
    Sent {
        /// Facebook's id of the message.
        mid: String,
    },
    /// Facebook said no, and will say no again.
    Refused(Refusal),
    /// Facebook said not now, and did not take it.
    Later {
        /// When to try again.
        not_before: Timestamp,
    },
    /// The request may have left; no answer came. Never sent again blindly.
    Unknown,
}

/// Why Facebook refused, in words that an agent understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason.
    pub reason: RefusalReason,
    /// Facebook's error code, if it told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Facebook's subcode, if it told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
}

/// The classes of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The messaging window is closed (10/2018278).
    WindowClosed,
    /// The person cannot be reached: blocked, gone, unknown (551, 100/2018001).
    VisitorUnavailable,
    /// The Page's token is dead or lacks a permission (190, 102, 200).
    TokenDead,
    /// The Page may not write: restricted or blocked (10/1893063, 368, 2022).
    PageRestricted,
    /// Another app holds the thread (2018300).
    OtherAppOwnsThread,
    /// The message itself was not accepted (100).
    Invalid,
    /// Anything else that Facebook will not change its mind about.
    Other,
}

impl RefusalReason {
    /// The reason as API and read model write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WindowClosed => "window_closed",
            Self::VisitorUnavailable => "visitor_unavailable",
            Self::TokenDead => "token_dead",
            Self::PageRestricted => "page_restricted",
            Self::OtherAppOwnsThread => "other_app_owns_thread",
            Self::Invalid => "invalid",
            Self::Other => "other",
        }
    }
}

/// A message that is about to be intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id.
    pub message: MessageId,
    /// Its shape.
    pub shape: Shape,
    /// Its words.
    pub content: Content,
}

/// Cuts a text into parts that Facebook accepts, at white space where there is some near the end of a part.
#[must_use]
pub fn split_text(text: &str, most: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut length = 0_usize;
    let mut last_space: Option<usize> = None;
    for character in text.chars() {
        if length == most {
            let rest = last_space
                .filter(|at| *at > part.len() / 2)
                .map_or_else(String::new, |at| part.split_off(at));
            parts.push(std::mem::take(&mut part));
            part = rest.trim_start().to_owned();
            length = part.chars().count();
            last_space = None;
        }
        if character.is_whitespace() {
            last_space = Some(part.len());
        }
        part.push(character);
        length += 1;
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// A title that fits Facebook's limit.
#[must_use]
pub fn fit_title(title: &str) -> String {
    title.chars().take(MOST_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_part() {
        assert_eq!(split_text("您好", 10), vec!["您好".to_owned()]);
    }

    #[test]
    fn a_long_text_is_cut_at_a_word_and_loses_no_word() {
        let parts = split_text("one two three four five", 9);
        assert!(parts.iter().all(|part| part.chars().count() <= 9), "{parts:?}");
        assert_eq!(
            parts.join(" ").split_whitespace().collect::<Vec<_>>(),
            ["one", "two", "three", "four", "five"]
        );
    }

    #[test]
    fn a_text_without_spaces_is_cut_all_the_same() {
        let parts = split_text(&"好".repeat(25), 10);
        assert_eq!(parts.iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [10, 10, 5]);
    }
}

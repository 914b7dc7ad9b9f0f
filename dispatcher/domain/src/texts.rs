//! The texts that a visitor can get, by key. A blank text means silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The key of a text. The defaults are cskefu's where cskefu has the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextKey {
    /// No agent of the group is ready.
    NoAgent,
    /// All agents are busy; `{num}` conversations wait before this one.
    Queued,
    /// `{agent}` took the conversation.
    Assigned,
    /// The agent ended the conversation.
    Ended,
    /// The bot failed or answered too late.
    BotUnavailable,
    /// The bot has nothing to say.
    BotNoAnswer,
    /// The visitor asked for a person where there is none to be had.
    HandoverRefused,
    /// Title of the button that asks for a person (20 characters at most, Facebook's limit).
    TransferManualService,
}

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl TextKey {
    /// Every key, in the order in which forms show them.
    pub const ALL: [Self; 8] = [
        Self::NoAgent,
        Self::Queued,
        Self::Assigned,
        Self::Ended,
        Self::BotUnavailable,
        Self::BotNoAnswer,
        Self::HandoverRefused,
        Self::TransferManualService,
    ];

    /// The key as settings and API write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAgent => "no_agent",
            Self::Queued => "queued",
            Self::Assigned => "assigned",
            Self::Ended => "ended",
            Self::BotUnavailable => "bot_unavailable",
            Self::BotNoAnswer => "bot_no_answer",
            Self::HandoverRefused => "handover_refused",
            Self::TransferManualService => "transfer_manual_service",
        }
    }

    /// The text where nobody wrote another one.
    #[must_use]
    pub const fn default_text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::NoAgent, Language::Zh) => "坐席全忙，已进入等待队列，您也可以在其他时间再来咨询。",
            (Self::NoAgent, Language::En) => "Nobody is available right now. You are in the queue; you can also come back later.",
            (Self::Queued, Language::Zh) => "坐席全忙，已进入等待队列，在您之前，还有 {num} 位等待用户。",
            (Self::Queued, Language::En) => "All agents are busy. You are in the queue, {num} before you.",
            (Self::Assigned, Language::Zh) => "坐席分配成功，{agent}为您服务。",
            (Self::Assigned, Language::En) => "{agent} is here to help you.",
            (Self::Ended, Language::Zh) => "坐席已断开和您的对话",
            (Self::Ended, Language::En) => "The conversation has ended.",
            (Self::BotUnavailable, Language::Zh) => "抱歉，机器人客服暂时无法回答。",
            (Self::BotUnavailable, Language::En) => "Sorry, our bot cannot answer right now.",
            (Self::BotNoAnswer, Language::Zh) => "抱歉，我没有找到合适的答案。",
            (Self::BotNoAnswer, Language::En) => "Sorry, I have no answer to that.",
            (Self::HandoverRefused, Language::Zh) => "抱歉，此处仅提供机器人客服。",
            (Self::HandoverRefused, Language::En) => "Sorry, only our bot answers here.",
            (Self::TransferManualService, Language::Zh) => "转人工",
            (Self::TransferManualService, Language::En) => "Talk to a person",
        }
    }
}

/// The texts of a channel: its own where it has them, the defaults elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Texts {
    /// The language of the defaults.
    #[serde(default)]
    pub language: Language,
    /// The channel's own texts.
    #[serde(default)]
    pub own: BTreeMap<TextKey, String>,
}

impl Texts {
    /// The text of a key, or `None` where silence is wanted.
    #[must_use]
    pub fn get(&self, key: TextKey) -> Option<&str> {
        let text = self.own.get(&key).map_or_else(|| key.default_text(self.language), String::as_str);
        if text.trim().is_empty() { None } else { Some(text) }
    }

    /// The text with one placeholder filled. The value is put in as it is: nothing in it is a placeholder again.
    #[must_use]
    pub fn fill(&self, key: TextKey, placeholder: &str, value: &str) -> Option<String> {
        self.get(key).map(|text| text.replace(placeholder, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_text_means_silence_and_a_missing_one_the_default() {
        let texts = Texts {
            language: Language::Zh,
            own: BTreeMap::from([(TextKey::Ended, "  ".to_owned())]),
        };
        assert_eq!(texts.get(TextKey::Ended), None);
        assert_eq!(
            texts.fill(TextKey::Assigned, "{agent}", "张三").as_deref(),
            Some("坐席分配成功，张三为您服务。")
        );
    }

    #[test]
    fn button_titles_fit_facebooks_limit_in_every_language() {
        for language in [Language::Zh, Language::En] {
            assert!(TextKey::TransferManualService.default_text(language).chars().count() <= 20);
        }
    }
}

//! Work modes (工作模式): who answers first, and who may take over.

use serde::{Deserialize, Serialize};

/// How a channel shares its work between bot and people (cskefu's three modes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkMode {
    /// 机器人客服优先: the bot answers until the visitor asks for a person.
    BotFirst,
    /// 人工客服优先: people answer; the bot stands in when nobody is available.
    HumanFirst,
    /// 仅机器人客服: only the bot answers.
    BotOnly,
}

impl WorkMode {
    /// Whether a visitor with the bot may be handed over to a person.
    #[must_use]
    pub const fn allows_hand_over(self) -> bool {
        match self {
            Self::BotFirst | Self::HumanFirst => true,
            Self::BotOnly => false,
        }
    }
}

/// Who answers a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Responder {
    /// The channel's bot.
    Bot,
    /// An agent of the skill group.
    Human,
}

/// The table of truth: who is the first to answer.
///
/// A channel that is bot-only stays with the bot even when the bot is off: the visitor is told so instead of waiting for
/// people who will not come.
#[must_use]
pub const fn first_responder(mode: WorkMode, bot_available: bool, humans_ready: bool) -> Responder {
    match (mode, bot_available, humans_ready) {
        (WorkMode::BotOnly, _, _) | (WorkMode::BotFirst, true, _) | (WorkMode::HumanFirst, true, false) => Responder::Bot,
        (WorkMode::BotFirst | WorkMode::HumanFirst, false, _) | (WorkMode::HumanFirst, true, true) => Responder::Human,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_truth_holds_for_every_row() {
        use Responder::{Bot, Human};
        use WorkMode::{BotFirst, BotOnly, HumanFirst};
        let table = [
            (BotFirst, true, true, Bot),
            (BotFirst, true, false, Bot),
            (BotFirst, false, true, Human),
            (BotFirst, false, false, Human),
            (HumanFirst, true, true, Human),
            (HumanFirst, true, false, Bot),
            (HumanFirst, false, true, Human),
            (HumanFirst, false, false, Human),
            (BotOnly, true, true, Bot),
            (BotOnly, true, false, Bot),
            (BotOnly, false, true, Bot),
            (BotOnly, false, false, Bot),
        ];
        for (mode, bot, humans, expected) in table {
            assert_eq!(first_responder(mode, bot, humans), expected, "{mode:?} bot={bot} humans={humans}");
        }
    }
}

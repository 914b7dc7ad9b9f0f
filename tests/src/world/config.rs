//! What a world shall be like.

use crate::facebook::Page;

/// What a world shall be like.
#[derive(Clone)]
pub struct WorldConfig {
    /// How many dispatchers run.
    pub dispatchers: usize,
    /// Who answers first on the first Page: `bot_first`, `human_first` or `bot_only`.
    pub work_mode: String,
    /// Pages that Facebook knows beside the first. Frontdesk does not know them yet.
    pub more_pages: Vec<Page>,
    /// Another broker than the one of `FRONTDESK_TEST_AMQP_URL`.
    pub broker: Option<String>,
    /// The services reach broker and database over wires that can be cut.
    pub wired: bool,
    /// How long the later messages of a visitor wait after a send whose end is unknown, in seconds.
    pub quiet_period: u32,
    /// Variables of the services that differ from what a world sets.
    pub variables: Vec<(String, String)>,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            dispatchers: 1,
            work_mode: "bot_first".to_owned(),
            more_pages: Vec::new(),
            broker: None,
            wired: false,
            quiet_period: 2,
            variables: Vec::new(),
        }
    }
}

impl WorldConfig {
    /// The usual world with people before the bot.
    #[must_use]
    pub fn with_mode(work_mode: &str) -> Self {
        Self {
            work_mode: work_mode.to_owned(),
            ..Self::default()
        }
    }
}

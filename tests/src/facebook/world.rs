//! What the simulated Facebook knows: visitors with their threads, everything that was accepted, how the webhooks fare.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::refusal::Refusal;
use super::send_request::{Permit, SenderAction};
use super::thread::Thread;

const STANDARD_WINDOW: Duration = Duration::from_secs(24 * 3600);
const HUMAN_AGENT_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the simulated Facebook knows.
#[derive(Debug, Default)]
pub struct World {
    /// Visitors by their Page-scoped id.
    pub visitors: HashMap<String, Visitor>,
    /// Accepted messages, oldest first; a bounded memory.
    pub sent: VecDeque<Arc<Sent>>,
    /// How many messages were ever accepted.
    pub sent_total: u64,
    /// Signs that were shown, oldest first; as many as messages are remembered.
    pub signs: VecDeque<ShownSign>,
    /// How the webhooks fare.
    pub webhooks: WebhookCounts,
    /// How far the clock of the messaging windows runs ahead, in milliseconds.
    pub window_shift_ms: i64,
}

/// A person who writes to a Page.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The Page that the id is scoped to.
    pub page_id: String,
    /// What they are called.
    pub profile: Profile,
    /// The last action that opens the messaging window, on the windows' clock.
    pub last_action: i64,
    /// What was said.
    pub thread: Thread,
}

/// What Facebook tells about a person.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// The whole name.
    pub name: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Language and country.
    pub locale: String,
    /// Hours from UTC.
    pub timezone: i32,
}

/// A message that was accepted.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// Its place among all accepted ones, from 1.
    pub sequence: u64,
    /// The Page that sent it.
    pub page_id: String,
    /// The visitor who got it.
    pub psid: String,
    /// Facebook's id for it.
    pub mid: String,
    /// As it was written.
    pub message: Value,
    /// The sender's own id for it.
    pub metadata: Option<String>,
    /// When, in milliseconds since 1970; the stamp of its echo.
    pub at: i64,
    /// When it was accepted, in microseconds since 1970.
    pub accepted_at_us: i64,
}

impl Sent {
    /// What it says: its text, or the text of its template.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let of_template = || self.message.pointer("/attachment/payload/text");
        self.message.get("text").or_else(of_template).and_then(Value::as_str)
    }
}

/// A sign that was shown to a visitor.
#[derive(Debug, Clone, Serialize)]
pub struct ShownSign {
    /// The visitor.
    pub psid: String,
    /// Which sign.
    pub action: SenderAction,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// How the webhooks fare, counted in events except `attempts` and `failures`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WebhookCounts {
    /// Waiting or under way.
    pub pending: u64,
    /// Answered with 200.
    pub delivered: u64,
    /// Sent once more on purpose.
    pub duplicated: u64,
    /// Given up.
    pub lost: u64,
    /// POSTs made.
    pub attempts: u64,
    /// POSTs that were not answered with 200 in time.
    pub failures: u64,
}

impl World {
    /// The thread of a visitor.
    #[must_use]
    pub fn thread(&self, psid: &str) -> Option<&Thread> {
        self.visitors.get(psid).map(|visitor| &visitor.thread)
    }

    /// The accepted messages to a visitor, oldest first.
    pub fn sent_to<'a>(&'a self, psid: &'a str) -> impl Iterator<Item = &'a Arc<Sent>> {
        self.sent.iter().filter(move |sent| sent.psid == psid)
    }

    /// Checks that a Page may write to a visitor now.
    pub(super) fn check_recipient(
        &mut self,
        page_id: &str,
        psid: &str,
        permit: Option<Permit>,
        human_agent: bool,
        now: i64,
    ) -> Result<&mut Visitor, Refusal> {
        let shifted = now.saturating_add(self.window_shift_ms);
        let visitor = self
            .visitors
            .get_mut(psid)
            .filter(|visitor| visitor.page_id == page_id)
            .ok_or_else(|| Refusal::with_subcode(100, 2_018_001, "(#100) No matching user found"))?;
        let window = match permit {
            // Signs are not messages; they need no window.
            None => return Ok(visitor),
            Some(Permit::HumanAgent) if human_agent => HUMAN_AGENT_WINDOW,
            Some(Permit::HumanAgent | Permit::Standard) => STANDARD_WINDOW,
        };
        let since = u128::try_from(shifted.saturating_sub(visitor.last_action)).unwrap_or_default();
        if since <= window.as_millis() {
            return Ok(visitor);
        }
        Err(Refusal::with_subcode(
            10,
            2_018_278,
            "(#10) This message is sent outside of allowed window.",
        ))
    }

    /// Makes a visitor known, or notes that a known one acted.
    pub(super) fn note_action(&mut self, page_id: &str, psid: &str, now: i64) -> &mut Visitor {
        let shifted = now.saturating_add(self.window_shift_ms);
        let visitor = self.visitors.entry(psid.to_owned()).or_insert_with(|| Visitor {
            page_id: page_id.to_owned(),
            profile: Profile::of(psid),
            last_action: shifted,
            thread: Thread::default(),
        });
        visitor.last_action = shifted;
        visitor
    }

    pub(super) fn record(&mut self, sent: Arc<Sent>, remember: usize) {
        self.sent.push_back(sent);
        while self.sent.len() > remember {
            self.sent.pop_front();
        }
    }

    pub(super) fn record_sign(&mut self, sign: ShownSign, remember: usize) {
        self.signs.push_back(sign);
        while self.signs.len() > remember {
            self.signs.pop_front();
        }
    }
}

impl Profile {
    /// A name that the id decides, so that a visitor keeps it.
    fn of(psid: &str) -> Self {
        const FAMILY: [&str; 8] = ["王", "李", "赵", "陈", "杨", "黄", "周", "吴"];
        const GIVEN: [&str; 8] = ["小明", "丽华", "建国", "雨桐", "子涵", "志强", "晓燕", "思远"];
        let sum = psid
            .bytes()
            .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let last_name = FAMILY.get(sum % FAMILY.len()).copied().unwrap_or_default();
        let first_name = GIVEN.get((sum / FAMILY.len()) % GIVEN.len()).copied().unwrap_or_default();
        Self {
            name: format!("{last_name}{first_name}"),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            locale: "zh_CN".to_owned(),
            timezone: 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn verdict_after(hours: i64, permit: Permit, human_agent: bool) -> Option<(u32, Option<u32>)> {
        let mut world = World::default();
        world.note_action("1", "7", 0);
        world
            .check_recipient("1", "7", Some(permit), human_agent, hours * HOUR)
            .err()
            .map(|refusal| (refusal.code, refusal.subcode))
    }

    #[test]
    fn a_stranger_and_a_visitor_of_another_page_are_unknown() {
        let mut world = World::default();
        world.note_action("1", "7", 0);
        let unknown = Some((100, Some(2_018_001)));
        let mut verdict = |page: &str, psid: &str| {
            world
                .check_recipient(page, psid, None, true, 0)
                .err()
                .map(|refusal| (refusal.code, refusal.subcode))
        };
        assert_eq!(verdict("1", "8"), unknown);
        assert_eq!(verdict("2", "7"), unknown);
        assert_eq!(verdict("1", "7"), None);
    }

    #[test]
    fn the_window_closes_after_a_day_and_for_human_agents_after_a_week() {
        let closed = Some((10, Some(2_018_278)));
        assert_eq!(verdict_after(24, Permit::Standard, true), None);
        assert_eq!(verdict_after(25, Permit::Standard, true), closed);
        assert_eq!(verdict_after(25, Permit::HumanAgent, true), None);
        assert_eq!(verdict_after(25, Permit::HumanAgent, false), closed);
        assert_eq!(verdict_after(7 * 24 + 1, Permit::HumanAgent, true), closed);
    }

    #[test]
    fn a_visitor_who_writes_under_the_shifted_clock_opens_the_window_again() {
        let mut world = World::default();
        world.note_action("1", "7", 0);
        world.window_shift_ms = 30 * HOUR;
        assert!(world.check_recipient("1", "7", Some(Permit::Standard), true, 0).is_err());
        world.note_action("1", "7", 0);
        assert!(world.check_recipient("1", "7", Some(Permit::Standard), true, 0).is_ok());
    }
}

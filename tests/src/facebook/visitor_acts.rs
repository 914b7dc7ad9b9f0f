//! What a visitor does on the phone; each act becomes a webhook.

use serde::Deserialize;
use serde_json::Value;

use super::escape::to_escaped_json;
use super::event;
use super::lane::Notice;
use super::platform::Facebook;
use super::thread::{Item, Side, Tapped};
use crate::wall_clock;

/// A tap on a quick reply or a button.
#[derive(Debug, Clone, Deserialize)]
pub struct Tap {
    /// What it says.
    pub title: String,
    /// What it brings back.
    pub payload: String,
    /// The message that it belongs to; otherwise the newest one that shows it, and if none does, the Page's menu.
    #[serde(default)]
    pub mid: Option<String>,
}

impl Facebook {
    /// Makes a visitor known to a Page, as if they had just acted there. Nothing is told to the callback.
    pub fn meet(&self, page_id: &str, psid: &str) {
        self.0.world.change(|world| {
            world.note_action(page_id, psid, wall_clock::now_ms());
        });
    }

    /// A visitor writes; strangers write to the first Page. Gives back the message's id.
    pub fn visitor_writes(&self, psid: &str, text: &str) -> String {
        self.visitor_sends(psid, text, |page_id, at, mid| {
            event::visitor_message(page_id, psid, at, mid, text, None)
        })
    }

    /// A visitor taps. A quick reply comes as a message, a button as a postback.
    pub fn visitor_taps(&self, psid: &str, tap: &Tap) -> String {
        let thread = self.thread(psid);
        match thread.tapped(&tap.title, &tap.payload, tap.mid.as_deref()) {
            Tapped::QuickReply(reply) => self.visitor_sends(psid, &reply.title, |page_id, at, mid| {
                event::visitor_message(page_id, psid, at, mid, &reply.title, Some(&reply))
            }),
            Tapped::Button { title, payload } => self.visitor_sends(psid, &title, |page_id, at, mid| {
                event::postback(page_id, psid, at, mid, &title, &payload)
            }),
        }
    }

    /// A visitor looks at the thread. Says nothing when nothing was unread.
    pub fn visitor_reads(&self, psid: &str) {
        self.0.world.change(|world| {
            let Some(visitor) = world.visitors.get_mut(psid) else { return };
            if !visitor.thread.mark_read(Side::Page) {
                return;
            }
            let page_id = visitor.page_id.clone();
            let event = event::read(&page_id, psid, wall_clock::now_ms());
            world.webhooks.pending += 1;
            self.0.lanes.enqueue(Notice {
                page_id,
                psid: psid.to_owned(),
                event,
                ticks: None,
            });
        });
    }

    /// Sends any event to the callback, behind the visitor's earlier ones. The visitor need not be known.
    ///
    /// # Errors
    /// When the event has no JSON form.
    pub fn send_event(&self, page_id: &str, psid: &str, event: &Value) -> Result<(), serde_json::Error> {
        let event = to_escaped_json(event)?;
        self.0.lanes.count_pending(1);
        self.0.lanes.enqueue(Notice {
            page_id: page_id.to_owned(),
            psid: psid.to_owned(),
            event,
            ticks: None,
        });
        Ok(())
    }

    fn visitor_sends(&self, psid: &str, shown: &str, event: impl FnOnce(&str, i64, &str) -> String) -> String {
        let platform = &*self.0;
        let mid = platform.mids.mint();
        let page_id = self.page_of_visitor(psid).map(|page| page.id.clone()).unwrap_or_default();
        platform.world.change(|world| {
            let now = wall_clock::now_ms();
            let visitor = world.note_action(&page_id, psid, now);
            let at = visitor.thread.next_moment(now);
            visitor
                .thread
                .push(Item::of_visitor(mid.clone(), at, shown), platform.config.remember_per_visitor);
            world.webhooks.pending += 1;
            let notice = Notice {
                event: event(&page_id, at, &mid),
                page_id,
                psid: psid.to_owned(),
                ticks: Some(mid.clone()),
            };
            platform.lanes.enqueue(notice);
        });
        mid
    }
}

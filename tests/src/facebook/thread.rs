//! A thread as the visitor sees it on the phone.

use std::collections::VecDeque;

use serde::Serialize;

use super::message::{Attachment, Button, OutgoingMessage, QuickReply};

/// What one visitor and one Page said to each other.
#[derive(Debug, Clone, Default)]
pub struct Thread {
    /// Rises with every change.
    pub version: u64,
    /// Oldest first.
    pub items: VecDeque<Item>,
    /// Until when the three dots show, in milliseconds since 1970.
    pub typing_until: Option<i64>,
    last_at: i64,
}

/// One bubble.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// The message's id.
    pub mid: String,
    /// Whose it is.
    pub from: Side,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What it says.
    pub text: Option<String>,
    /// Files and cards.
    pub attachments: Vec<ShownAttachment>,
    /// Replies to tap; they show only under the newest item.
    pub quick_replies: Vec<QuickReply>,
    /// Buttons to tap; they stay.
    pub buttons: Vec<Button>,
    /// Whether it reached the other side.
    pub delivered: bool,
    /// Whether the other side looked.
    pub read: bool,
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The person on the phone.
    Visitor,
    /// The Page.
    Page,
}

/// A file or a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownAttachment {
    /// `image`, `audio`, `video`, `file` or `card`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    pub url: Option<String>,
    /// A card's headline.
    pub title: Option<String>,
    /// A card's second line.
    pub subtitle: Option<String>,
}

/// What a tap hit.
#[derive(Debug, Clone)]
pub(super) enum Tapped {
    QuickReply(QuickReply),
    Button { title: String, payload: String },
}

impl Thread {
    /// A time that is later than everything before it, so that the order of a thread is never in doubt.
    pub(super) fn next_moment(&mut self, now: i64) -> i64 {
        self.last_at = now.max(self.last_at + 1);
        self.last_at
    }

    pub(super) fn push(&mut self, item: Item, remember: usize) {
        if item.from == Side::Page {
            self.typing_until = None;
        }
        self.items.push_back(item);
        while self.items.len() > remember {
            self.items.pop_front();
        }
        self.version += 1;
    }

    pub(super) fn show_typing(&mut self, until: Option<i64>) {
        self.typing_until = until;
        self.version += 1;
    }

    pub(super) fn mark_delivered(&mut self, mid: &str) {
        // Newest first: that is where it nearly always is.
        if let Some(item) = self.items.iter_mut().rev().find(|item| item.mid == mid) {
            item.delivered = true;
            self.version += 1;
        }
    }

    /// Marks everything of one side as read; says whether anything was unread.
    pub(super) fn mark_read(&mut self, of: Side) -> bool {
        let mut news = false;
        for item in self
            .items
            .iter_mut()
            .rev()
            .filter(|item| item.from == of)
            .take_while(|item| !item.read)
        {
            item.read = true;
            news = true;
        }
        self.version += u64::from(news);
        news
    }

    pub(super) fn tapped(&self, title: &str, payload: &str, mid: Option<&str>) -> Tapped {
        let candidates = self.items.iter().rev().filter(|item| mid.is_none_or(|mid| item.mid == mid));
        candidates
            .filter_map(|item| item.tapped(title, payload))
            .next()
            // The menu and Get Started belong to no message.
            .unwrap_or_else(|| Tapped::Button {
                title: title.to_owned(),
                payload: payload.to_owned(),
            })
    }
}

impl Item {
    pub(super) fn of_visitor(mid: String, at: i64, text: &str) -> Self {
        Self {
            mid,
            from: Side::Visitor,
            at,
            text: Some(text.to_owned()),
            attachments: Vec::new(),
            quick_replies: Vec::new(),
            buttons: Vec::new(),
            delivered: false,
            read: false,
        }
    }

    pub(super) fn of_page(mid: String, at: i64, message: OutgoingMessage) -> Self {
        let buttons = message.buttons().cloned().collect();
        let template_text = message.attachment.as_ref().and_then(|attachment| attachment.payload.text.clone());
        let attachments = message
            .attachment
            .iter()
            .chain(&message.attachments)
            .flat_map(ShownAttachment::of)
            .collect();
        Self {
            mid,
            from: Side::Page,
            at,
            text: message.text.or(template_text),
            attachments,
            quick_replies: message.quick_replies,
            buttons,
            delivered: true,
            read: false,
        }
    }

    fn tapped(&self, title: &str, payload: &str) -> Option<Tapped> {
        let reply = self
            .quick_replies
            .iter()
            .find(|reply| reply.title == title && reply.payload == payload);
        let button = || {
            self.buttons
                .iter()
                .find(|button| button.title == title && button.payload.as_deref() == Some(payload))
        };
        match reply {
            Some(reply) => Some(Tapped::QuickReply(reply.clone())),
            None => button().map(|button| Tapped::Button {
                title: button.title.clone(),
                payload: payload.to_owned(),
            }),
        }
    }
}

impl ShownAttachment {
    fn of(attachment: &Attachment) -> Vec<Self> {
        if attachment.kind != "template" {
            return vec![Self {
                kind: attachment.kind.clone(),
                url: attachment.payload.url.clone(),
                title: None,
                subtitle: None,
            }];
        }
        let cards = attachment.payload.elements.iter().map(|element| Self {
            kind: "card".to_owned(),
            url: element.image_url.clone(),
            title: Some(element.title.clone()),
            subtitle: element.subtitle.clone(),
        });
        cards.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page_item(mid: &str, message: serde_json::Value) -> Item {
        Item::of_page(mid.to_owned(), 1, serde_json::from_value(message).unwrap())
    }

    #[test]
    fn a_tap_finds_the_quick_reply_or_button_that_was_shown() {
        let mut thread = Thread::default();
        thread.push(
            page_item(
                "m_1",
                json!({"text": "?", "quick_replies": [{"content_type": "text", "title": "是", "payload": "yes"}]}),
            ),
            10,
        );
        thread.push(
            page_item(
                "m_2",
                json!({"attachment": {"type": "template", "payload": {"template_type": "button", "text": "?",
                       "buttons": [{"type": "postback", "title": "转人工", "payload": "TRANSFER_LABOR"}]}}}),
            ),
            10,
        );
        assert!(matches!(thread.tapped("是", "yes", None), Tapped::QuickReply(_)));
        assert!(matches!(
            thread.tapped("转人工", "TRANSFER_LABOR", Some("m_2")),
            Tapped::Button { .. }
        ));
        assert!(matches!(thread.tapped("Get Started", "__get_start", None), Tapped::Button { .. }));
    }

    #[test]
    fn a_thread_forgets_its_oldest_items_and_keeps_its_times_in_order() {
        let mut thread = Thread::default();
        let times: Vec<i64> = (0..3).map(|_| thread.next_moment(100)).collect();
        assert_eq!(times, [100, 101, 102]);
        for number in 0..5 {
            thread.push(Item::of_visitor(format!("m_{number}"), number, "a"), 3);
        }
        assert_eq!(
            thread.items.iter().map(|item| item.mid.as_str()).collect::<Vec<_>>(),
            ["m_2", "m_3", "m_4"]
        );
    }
}

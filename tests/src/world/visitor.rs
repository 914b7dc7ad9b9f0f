//! What visitors do and see, as sentences.

use crate::facebook::{Facebook, Item, Side, Tap};

use super::eventually::PATIENCE;

/// What visitors do and see.
pub trait VisitorActs {
    /// Waits until the Page has said this to a visitor; the bubble.
    fn visitor_sees(&self, psid: &str, text: &str) -> impl Future<Output = Item>;

    /// The same for a bubble of which a part is known.
    fn visitor_sees_one_with(&self, psid: &str, what: &str, is_it: impl FnMut(&Item) -> bool) -> impl Future<Output = Item>;

    /// Taps the newest button or quick reply with this payload.
    fn visitor_taps_payload(&self, psid: &str, payload: &str);

    /// Everything that the Page said to a visitor, oldest first.
    fn words_to(&self, psid: &str) -> Vec<String>;
}

impl VisitorActs for Facebook {
    async fn visitor_sees(&self, psid: &str, text: &str) -> Item {
        let what = format!("{psid} reads: {text}");
        self.visitor_sees_one_with(psid, &what, |item| item.text.as_deref() == Some(text))
            .await
    }

    async fn visitor_sees_one_with(&self, psid: &str, what: &str, mut is_it: impl FnMut(&Item) -> bool) -> Item {
        let seen = self
            .wait_for(
                |world| {
                    let items = world.thread(psid)?.items.iter();
                    items.filter(|item| item.from == Side::Page).rfind(|item| is_it(item)).cloned()
                },
                PATIENCE,
            )
            .await;
        seen.unwrap_or_else(|_late| panic!("never happened: {what}; the Page said {:?}", self.words_to(psid)))
    }

    fn visitor_taps_payload(&self, psid: &str, payload: &str) {
        let thread = self.thread(psid);
        let tap = thread.items.iter().rev().find_map(|item| {
            let reply = item
                .quick_replies
                .iter()
                .find(|reply| reply.payload == payload)
                .map(|reply| &reply.title);
            let button = item
                .buttons
                .iter()
                .find(|button| button.payload.as_deref() == Some(payload))
                .map(|button| &button.title);
            let title = reply.or(button)?.clone();
            Some(Tap {
                title,
                payload: payload.to_owned(),
                mid: Some(item.mid.clone()),
            })
        });
        let tap = tap.unwrap_or_else(|| panic!("{psid} has nothing to tap with {payload}: {:?}", self.words_to(psid)));
        self.visitor_taps(psid, &tap);
    }

    fn words_to(&self, psid: &str) -> Vec<String> {
        let of_page = |item: &Item| (item.from == Side::Page).then(|| item.text.clone().unwrap_or_default());
        self.thread(psid).items.iter().filter_map(of_page).collect()
    }
}

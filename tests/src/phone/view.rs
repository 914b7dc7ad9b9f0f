//! A thread as JSON, for the page and for whoever looks on.

use serde::Serialize;

use crate::facebook::{Facebook, Item};

/// A thread as JSON.
#[derive(Debug, Serialize)]
pub struct ThreadView {
    /// The visitor.
    pub psid: String,
    /// What the visitor is called; none for a stranger.
    pub visitor_name: Option<String>,
    /// The Page.
    pub page: PageView,
    /// Rises with every change.
    pub version: u64,
    /// Until when the three dots show, in milliseconds since 1970.
    pub typing_until: Option<i64>,
    /// Oldest first.
    pub items: Vec<Item>,
}

/// The Page that the visitor writes to.
#[derive(Debug, Serialize)]
pub struct PageView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The thread of a visitor; empty for a stranger.
#[must_use]
pub fn thread_view(facebook: &Facebook, psid: &str) -> ThreadView {
    let page = facebook.page_of_visitor(psid);
    let thread = facebook.thread(psid);
    ThreadView {
        psid: psid.to_owned(),
        visitor_name: facebook.look(|world| world.visitors.get(psid).map(|visitor| visitor.profile.name.clone())),
        page: PageView {
            id: page.map(|page| page.id.clone()).unwrap_or_default(),
            name: page.map(|page| page.name.clone()).unwrap_or_default(),
        },
        version: thread.version,
        typing_until: thread.typing_until,
        items: thread.items.into_iter().collect(),
    }
}

//! The live feed, as a console's browser follows it.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::watched::{NotReached, Watched};

/// An event of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// The cursor, where it has one.
    pub id: Option<String>,
    /// `hello`, `changed` or `reload`.
    pub name: String,
    /// What it says.
    pub data: Value,
}

/// A feed that is being followed. It ends when this is dropped.
pub struct Feed {
    events: Arc<Watched<Vec<FeedEvent>>>,
    following: JoinHandle<()>,
}

impl Feed {
    /// Opens it.
    pub(super) async fn open(request: RequestBuilder) -> Self {
        let response = request
            .header("Accept", "text/event-stream")
            .send()
            .await
            .expect("the feed answers");
        assert_eq!(response.status(), StatusCode::OK, "the feed");
        let events = Arc::new(Watched::new(Vec::new()));
        let seen = Arc::clone(&events);
        let following = tokio::spawn(async move {
            let mut pieces = response.bytes_stream();
            let mut unread = Vec::new();
            while let Some(Ok(piece)) = pieces.next().await {
                unread.extend_from_slice(&piece);
                while let Some(block) = take_block(&mut unread) {
                    if let Some(event) = read(&block) {
                        seen.change(|events| events.push(event));
                    }
                }
            }
        });
        Self { events, following }
    }

    /// Everything seen so far, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<FeedEvent> {
        self.events.read(Clone::clone)
    }

    /// How many events were seen so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.read(Vec::len)
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_for(&self, timeout: Duration, mut is_it: impl FnMut(&FeedEvent) -> bool) -> Result<FeedEvent, NotReached> {
        self.events
            .wait_for(|events| events.iter().find(|event| is_it(event)).cloned(), timeout)
            .await
    }

    /// Waits until more than so many events were seen.
    ///
    /// # Errors
    /// When they do not come in time.
    pub async fn wait_beyond(&self, seen: usize, timeout: Duration) -> Result<(), NotReached> {
        self.events.wait_for(|events| (events.len() > seen).then_some(()), timeout).await
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// The next whole block, up to an empty line.
fn take_block(unread: &mut Vec<u8>) -> Option<String> {
    let end = unread.windows(2).position(|pair| pair == b"\n\n")?;
    let block: Vec<u8> = unread.drain(..end + 2).collect();
    Some(String::from_utf8(block).expect("the feed is text"))
}

/// An event; none where the block is only a comment.
fn read(block: &str) -> Option<FeedEvent> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.strip_prefix(' ').unwrap_or(value))
    };
    let name = field("event")?.to_owned();
    let data = field("data").map_or(Value::Null, |data| serde_json::from_str(data).expect("the feed's data are JSON"));
    Some(FeedEvent {
        id: field("id").map(str::to_owned),
        name,
        data,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_are_read_as_they_come_and_comments_are_nothing() {
        let mut unread = b": ping\n\nid: 1-2-3\nevent: changed\ndata: {\"a\":1}\n\nevent: he".to_vec();
        let ping = take_block(&mut unread).unwrap();
        assert_eq!(read(&ping), None);
        let changed = take_block(&mut unread).unwrap();
        let expected = FeedEvent {
            id: Some("1-2-3".to_owned()),
            name: "changed".to_owned(),
            data: json!({"a": 1}),
        };
        assert_eq!(read(&changed), Some(expected));
        assert_eq!(take_block(&mut unread), None);
    }
}

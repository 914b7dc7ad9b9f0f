//! A console that listens to the feed.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use reqwest::header::COOKIE;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::arrivals::{Arrivals, Board};
use crate::bench::BenchError;
use crate::watched::NotReached;

const PATIENCE: Duration = Duration::from_secs(10);

/// A console that notes every message that it is told of, by Facebook's id of the message.
pub(super) struct Listener {
    board: Board,
    task: JoinHandle<Result<(), BenchError>>,
}

/// As much of a feed event as is needed here.
#[derive(Deserialize)]
struct Change {
    #[serde(rename = "type")]
    kind: String,
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    mid: Option<String>,
}

impl Listener {
    /// Connects and returns when the feed has said hello: from then on it tells everything.
    pub(super) async fn connect(console: SocketAddr, cookie: Option<&str>) -> Result<Self, BenchError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(PATIENCE)
            .build()?;
        let mut request = client.get(format!("http://{console}/api/v1/feed"));
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        let frames = request.send().await?.error_for_status()?.bytes_stream();
        let board = Board::new();
        let (hello, heard) = oneshot::channel();
        let task = tokio::spawn(follow(frames, board.clone(), hello));
        match tokio::time::timeout(PATIENCE, heard).await {
            Ok(Ok(())) => Ok(Self { board, task }),
            Ok(Err(_)) | Err(_) => Err(BenchError::Api("the feed said no hello".to_owned())),
        }
    }

    pub(super) async fn wait_for(&self, count: usize, patience: Duration) -> Result<(), NotReached> {
        self.board.wait_for(count, patience).await
    }

    /// Stops listening.
    pub(super) fn end(self) -> Result<Arrivals, BenchError> {
        if self.task.is_finished() {
            return Err(BenchError::Api("the feed ended early".to_owned()));
        }
        self.task.abort();
        Ok(self.board.taken())
    }
}

async fn follow<B: AsRef<[u8]>>(
    chunks: impl Stream<Item = reqwest::Result<B>>,
    board: Board,
    hello: oneshot::Sender<()>,
) -> Result<(), BenchError> {
    let mut chunks = std::pin::pin!(chunks);
    let mut frames = Frames::default();
    let mut hello = Some(hello);
    while let Some(chunk) = chunks.next().await {
        for frame in frames.after(chunk?.as_ref()) {
            if let Some(mid) = message_in(&frame)? {
                board.note_now(mid);
            } else if frame.contains("event: reload") {
                return Err(BenchError::Api("the feed asks to reload".to_owned()));
            } else if frame.contains("event: hello")
                && let Some(hello) = hello.take()
            {
                // Whoever waits for it has given up when it cannot be told.
                let _told = hello.send(());
            }
        }
    }
    Ok(())
}

/// Facebook's id of the message that a frame tells of.
fn message_in(frame: &str) -> Result<Option<String>, serde_json::Error> {
    // Most frames tell something else; looking for the name is cheaper than reading them.
    if !frame.contains("message_received") {
        return Ok(None);
    }
    let Some(data) = frame.lines().find_map(|line| line.strip_prefix("data: ")) else {
        return Ok(None);
    };
    let change: Change = serde_json::from_str(data)?;
    Ok(change.payload.mid.filter(|_| change.kind == "message_received"))
}

/// Puts chunks together and takes them apart where an event ends.
#[derive(Default)]
struct Frames {
    pending: Vec<u8>,
}

impl Frames {
    fn after(&mut self, chunk: &[u8]) -> Vec<String> {
        self.pending.extend_from_slice(chunk);
        let Some(end) = self.pending.windows(2).rposition(|window| window == b"\n\n") else {
            return Vec::new();
        };
        let complete: Vec<u8> = self.pending.drain(..end + 2).collect();
        let text = String::from_utf8_lossy(&complete);
        text.split_terminator("\n\n").map(ToOwned::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_same_however_they_are_cut() {
        let wire = "event: hello\ndata: {}\n\nid: 1\nevent: changed\ndata: {\"type\":\"opened\",\"payload\":{}}\n\n";
        for size in 1..wire.len() {
            let mut frames = Frames::default();
            let found: Vec<String> = wire.as_bytes().chunks(size).flat_map(|chunk| frames.after(chunk)).collect();
            assert_eq!(
                found,
                [
                    "event: hello\ndata: {}",
                    "id: 1\nevent: changed\ndata: {\"type\":\"opened\",\"payload\":{}}"
                ]
            );
        }
    }

    #[test]
    fn only_a_received_message_gives_its_id() {
        let frame = |kind: &str| format!("event: changed\ndata: {{\"type\":\"{kind}\",\"payload\":{{\"mid\":\"m_1\"}}}}");
        assert_eq!(message_in(&frame("message_received")).unwrap(), Some("m_1".to_owned()));
        assert_eq!(message_in(&frame("message_received_twice")).unwrap(), None);
        assert_eq!(message_in(&frame("opened")).unwrap(), None);
    }
}

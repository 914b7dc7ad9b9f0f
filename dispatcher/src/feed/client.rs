//! One connected console.
//!
//! Invariant: what is buffered for a client is bounded by its channel; one that does not read is cut, and goes on from the last
//! event that it got.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::directory::Person;
use domain::permission::audience;
use engine::ports::{Cursor, StoreError};
use futures::future::BoxFuture;
use serde_json::json;
use shared::PersonId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::entry::Entry;
use super::follower::{Follower, Next};
use super::ring::Ring;

/// Who listens, and what they may hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub person: PersonId,
    terms: Vec<String>,
}

impl Viewer {
    /// What this person may hear now.
    #[must_use]
    pub fn of(id: PersonId, person: &Person) -> Self {
        Self {
            person: id,
            terms: audience::terms_of(id, person),
        }
    }
}

/// Knows whether a session still stands.
pub trait Witness: Send + Sync + 'static {
    /// The viewer behind the session; `None` once it is over or the person may no longer listen.
    fn viewer(&self) -> BoxFuture<'_, Result<Option<Viewer>, StoreError>>;
}

/// How often what happens on a connection.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// A sign of life.
    pub ping: Duration,
    /// The session and its rights are looked up again.
    pub check: Duration,
    /// A client that takes nothing for so long is cut.
    pub patience: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(15),
            check: Duration::from_secs(25),
            patience: Duration::from_secs(20),
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client went away, or did not read.
    Gone,
    /// The session is over, or it could not be found out whether it is.
    SignedOut,
    /// The client has to read everything anew.
    Reload,
    /// The log could not be read.
    Log,
}

/// One connected console.
pub struct Client {
    follower: Follower,
    viewer: Viewer,
    witness: Arc<dyn Witness>,
    out: mpsc::Sender<Bytes>,
    rhythm: Rhythm,
    ping_at: Instant,
    check_at: Instant,
}

impl Client {
    /// A console that listens through `out`.
    #[must_use]
    pub fn new(follower: Follower, viewer: Viewer, witness: Arc<dyn Witness>, out: mpsc::Sender<Bytes>, rhythm: Rhythm) -> Self {
        let now = Instant::now();
        Self {
            follower,
            viewer,
            witness,
            out,
            rhythm,
            ping_at: now + rhythm.ping,
            check_at: now + rhythm.check,
        }
    }

    /// Tells what happens until the connection ends.
    pub async fn run(mut self, ring: Arc<Ring>) -> End {
        let end = match self.tell(&ring).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        debug!(?end, "a console stopped listening");
        end
    }

    async fn tell(&mut self, ring: &Ring) -> Result<std::convert::Infallible, End> {
        let mut news = ring.news();
        self.send(hello(self.follower.cursor())).await?;
        loop {
            news.mark_unchanged();
            self.keep_time().await?;
            match self.follower.next().await {
                Ok(Next::Entries(entries)) => self.pass_on(&entries).await?,
                Ok(Next::Reload) => return self.reload().await,
                Ok(Next::UpToDate) => self.wait(&mut news).await?,
                Err(_unread) => return Err(End::Log),
            }
        }
    }

    async fn pass_on(&mut self, entries: &[Arc<Entry>]) -> Result<(), End> {
        let mut frames = BytesMut::new();
        for entry in entries {
            if entry.account == Some(self.viewer.person) {
                self.send(frames.split().freeze()).await?;
                self.check().await?;
            }
            if entry.is_for(&self.viewer.terms) {
                frames.extend_from_slice(&entry.frame);
            }
        }
        self.send(frames.freeze()).await
    }

    async fn wait(&self, news: &mut tokio::sync::watch::Receiver<u64>) -> Result<(), End> {
        tokio::select! {
            biased;
            () = self.out.closed() => Err(End::Gone),
            // The ring lives as long as the process; should its end be told, the clock still turns this loop.
            Ok(()) = news.changed() => Ok(()),
            () = sleep_until(self.ping_at.min(self.check_at)) => Ok(()),
        }
    }

    async fn keep_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.check_at {
            self.check().await?;
        }
        if now >= self.ping_at {
            self.ping_at = now + self.rhythm.ping;
            // The id moves the client's place past what it may not see, so that it does not fall behind the ring.
            let ping = format!(": ping\nid: {}\n\n", self.follower.cursor());
            self.send(Bytes::from(ping)).await?;
        }
        Ok(())
    }

    /// Looks up again what the viewer may hear. One who gained or lost something has to read everything anew.
    async fn check(&mut self) -> Result<(), End> {
        match self.witness.viewer().await {
            Ok(Some(viewer)) if viewer == self.viewer => {
                self.check_at = Instant::now() + self.rhythm.check;
                Ok(())
            }
            Ok(Some(_changed)) => self.reload().await.map(|never| match never {}),
            Ok(None) | Err(_) => Err(End::SignedOut),
        }
    }

    async fn reload(&self) -> Result<std::convert::Infallible, End> {
        self.send(Bytes::from_static(b"event: reload\ndata: {}\n\n")).await?;
        Err(End::Reload)
    }

    async fn send(&self, frames: Bytes) -> Result<(), End> {
        if frames.is_empty() {
            return Ok(());
        }
        match timeout(self.rhythm.patience, self.out.send(frames)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// The id makes a resume exact even where nothing came before the cut.
fn hello(cursor: Cursor) -> Bytes {
    let data = json!({ "cursor": cursor.to_string() });
    Bytes::from(format!("id: {cursor}\nevent: hello\ndata: {data}\n\n"))
}

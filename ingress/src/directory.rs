//! Which app a callback path and a Page belong to.
//!
//! Invariant: answering needs no database. Reads see the last complete picture; a picture that could not be loaded replaces nothing, so an
//! outage of PostgreSQL stops nobody who was known before it.

mod loader;
mod picture;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use runtime::live::Wake;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tracing::{info, warn};

pub(crate) use loader::Loader;
pub(crate) use picture::{App, Picture};
use runtime::telemetry::Causes;

/// A change is told through the broker; this finds those whose telling was lost.
const REFRESH_PERIOD: Duration = Duration::from_secs(5);
/// Loads for the sake of unknown paths happen at most this often: anybody may ask for paths that do not exist.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
/// How long a request for an unknown path waits for a fresh look.
const MISS_PATIENCE: Duration = Duration::from_secs(2);

/// Why a callback path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("the directory was never loaded")]
    NeverLoaded,
    #[error("no app has this callback path")]
    UnknownPage,
    #[error("the app's secrets do not open")]
    Sealed,
}

/// The directory as requests see it.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    picture: Arc<RwLock<Option<Arc<Picture>>>>,
    /// Asks the refresher for a fresh look.
    requests: mpsc::Sender<()>,
    /// Counts finished looks, good or bad.
    looks: watch::Receiver<u64>,
}

/// Keeps a [`Directory`] fresh.
#[derive(Debug)]
pub(crate) struct Refresher {
    picture: Arc<RwLock<Option<Arc<Picture>>>>,
    requests: mpsc::Receiver<()>,
    looks: watch::Sender<u64>,
    loader: Loader,
}

impl Directory {
    /// An empty directory and the refresher that fills it.
    pub(crate) fn new(loader: Loader) -> (Self, Refresher) {
        let picture = Arc::new(RwLock::new(None));
        let (ask, requests) = mpsc::channel(1);
        let (looked, looks) = watch::channel(0);
        let directory = Self {
            picture: Arc::clone(&picture),
            requests: ask,
            looks,
        };
        (
            directory,
            Refresher {
                picture,
                requests,
                looks: looked,
                loader,
            },
        )
    }

    /// The last complete picture.
    pub(crate) fn picture(&self) -> Option<Arc<Picture>> {
        self.picture.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The app behind a callback path, with the picture that says so. A path that is not known is looked up afresh once.
    pub(crate) async fn app_of(&self, page_id: &str) -> Result<(Arc<App>, Arc<Picture>), LookupError> {
        match self.known(page_id) {
            Err(LookupError::UnknownPage | LookupError::NeverLoaded) => {
                self.look_again().await;
                self.known(page_id)
            }
            known => known,
        }
    }

    fn known(&self, page_id: &str) -> Result<(Arc<App>, Arc<Picture>), LookupError> {
        let picture = self.picture().ok_or(LookupError::NeverLoaded)?;
        let app = picture.app_of(page_id).ok_or(LookupError::UnknownPage)?;
        if app.is_readable() {
            Ok((app, picture))
        } else {
            Err(LookupError::Sealed)
        }
    }

    async fn look_again(&self) {
        let mut looks = self.looks.clone();
        looks.mark_unchanged();
        // A request that is waiting already is ours as well.
        let _queued = self.requests.try_send(());
        let _looked = tokio::time::timeout(MISS_PATIENCE, looks.changed()).await;
    }
}

impl Refresher {
    /// Looks at the start, on every wake-up, when asked, and every [`REFRESH_PERIOD`]; ends when nobody reads the directory any more.
    pub(crate) async fn run(mut self, mut wakes: mpsc::Receiver<Wake>) {
        let mut ticks = tokio::time::interval(REFRESH_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = None;
        let mut listening = true;
        loop {
            let asked = tokio::select! {
                biased;
                wake = wakes.recv(), if listening => {
                    listening = wake.is_some();
                    if !wake.is_some_and(|wake| concerns_directory(&wake)) {
                        continue;
                    }
                    false
                }
                request = self.requests.recv() => match request {
                    Some(()) => true,
                    None => return,
                },
                _ = ticks.tick() => false,
            };
            if !(asked && last.is_some_and(|last: Instant| last.elapsed() < LEAST_PAUSE)) {
                last = Some(Instant::now());
                self.look().await;
            }
            self.looks.send_modify(|looks| *looks = looks.wrapping_add(1));
        }
    }

    async fn look(&mut self) {
        let known = self.picture.read().unwrap_or_else(PoisonError::into_inner).clone();
        match self.loader.load().await {
            Ok(picture) => {
                if known.is_none() {
                    info!(apps = picture.apps(), paths = picture.paths(), "the directory is loaded");
                }
                *self.picture.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(picture));
            }
            Err(error) => warn!(error = %Causes(&error), kept = known.is_some(), "the directory could not be loaded"),
        }
    }
}

fn concerns_directory(wake: &Wake) -> bool {
    use runtime::live::Topic;
    matches!(wake.topic, Topic::Directory | Topic::Reconnected)
}

//! What a row keeps sealed: which secrets there are, and the one that a sign-in needs.

use std::collections::BTreeMap;
use std::fmt::Display;

use shared::sealing::Keyring;
use tracing::error;

/// The secrets of one row, opened.
pub(super) struct Secrets(BTreeMap<String, Option<String>>);

impl Secrets {
    /// Opens them. What does not open is as good as not there: the console shows it as missing, and it can be entered anew.
    pub(super) fn open(keyring: &Keyring, table: &str, id: impl Display, sealed: &[u8]) -> Self {
        let place = format!("{table}:{id}");
        let opened = keyring.open(place.as_bytes(), sealed).ok();
        let fields = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
        if fields.is_none() {
            error!(place, "sealed secrets do not open with the keys of this process");
        }
        Self(fields.unwrap_or_default())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|secret| secret.as_deref().is_some_and(|text| !text.is_empty()))
    }

    pub(super) fn take(mut self, name: &str) -> Option<String> {
        self.0.remove(name).flatten()
    }
}

//! Ids of messages, in the shape of today: `m_` and some ninety characters that mean nothing.
//!
//! Invariant: two platforms never mint the same id, even under one seed: the receiver's memory of ids outlives a test's platform.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha512};

use crate::wall_clock;

static PLATFORMS_STARTED: AtomicU64 = AtomicU64::new(0);

/// Mints the ids of messages.
#[derive(Debug)]
pub(super) struct MidMint {
    salt: Sha512,
    minted: AtomicU64,
}

impl MidMint {
    pub(super) fn new() -> Self {
        let salt = Sha512::new()
            .chain_update(wall_clock::now_us().to_be_bytes())
            .chain_update(std::process::id().to_be_bytes())
            .chain_update(PLATFORMS_STARTED.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Self {
            salt,
            minted: AtomicU64::new(0),
        }
    }

    pub(super) fn mint(&self) -> String {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let digest = self.salt.clone().chain_update(number.to_be_bytes()).finalize();
        format!("m_{}", URL_SAFE_NO_PAD.encode(digest))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_long_and_never_repeat() {
        let (first, second) = (MidMint::new(), MidMint::new());
        let minted: HashSet<String> = (0..100).flat_map(|_| [first.mint(), second.mint()]).collect();
        assert_eq!(minted.len(), 200);
        assert!(minted.iter().all(|mid| mid.starts_with("m_") && mid.len() == 88));
    }
}

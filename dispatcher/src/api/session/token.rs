//! The token of a session.
//!
//! Invariant: the database knows only its hash, so that whoever reads the database cannot sign in with what they find.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sha2::{Digest as _, Sha256};

/// 32 random bytes that stand for a signed-in person.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken([u8; 32]);

/// The system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no randomness")]
pub struct NoRandomness(#[from] rand::rand_core::OsError);

impl SessionToken {
    /// A fresh one.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn draw() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads what a cookie carries.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As the cookie carries it.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As the database knows it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// What requests that change something carry in a header, so that only the console's own scripts can make them. It says nothing of
/// the session's token: the console may keep it where scripts can read.
///
/// # Errors
/// [`NoRandomness`].
pub fn draw_csrf_token() -> Result<String, NoRandomness> {
    SessionToken::draw().map(|token| token.reveal())
}

/// Whether a header carries the session's token. Hashes are compared: how long it takes tells nothing of what was right.
#[must_use]
pub fn is_csrf_token(given: &str, expected: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(expected)
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_cookie_and_nothing_else_passes_for_one() {
        let token = SessionToken::draw().unwrap();
        assert_eq!(SessionToken::parse(&token.reveal()), Some(token.clone()));
        assert_ne!(SessionToken::draw().unwrap(), token);
        for wrong in ["", "abc", "ä", token.reveal().split_at(1).1, &format!("{}A", token.reveal())] {
            assert_eq!(SessionToken::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_the_sessions_own_csrf_token_is_accepted() {
        let (mine, other) = (draw_csrf_token().unwrap(), draw_csrf_token().unwrap());
        assert!(is_csrf_token(&mine, &mine));
        for wrong in [other.as_str(), "", mine.split_at(1).1] {
            assert!(!is_csrf_token(wrong, &mine), "{wrong}");
        }
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = SessionToken::draw().unwrap();
        assert_eq!(format!("{token:?}"), "SessionToken");
    }
}

//! Passwords: hashed with argon2id, away from the threads that serve requests.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Hashes that are computed at a time: each takes 19 MiB and one core.
const AT_A_TIME: usize = 2;

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashingFailed;

/// Hashes and checks passwords, a few at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of nobody's password: checking against it takes as long as against a real one.
    nobody: Arc<str>,
}

impl Passwords {
    /// Ready to hash.
    ///
    /// # Errors
    /// [`HashingFailed`] when the system gives no randomness.
    pub fn new() -> Result<Self, HashingFailed> {
        let nobody = hash(&SecretString::from("nobody has this password"))?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            nobody: nobody.into(),
        })
    }

    /// The hash of a password.
    ///
    /// # Errors
    /// [`HashingFailed`].
    pub async fn hash(&self, password: SecretString) -> Result<String, HashingFailed> {
        let _turn = self.turns.acquire().await.or(Err(HashingFailed))?;
        spawn_blocking(move || hash(&password)).await.or(Err(HashingFailed))?
    }

    /// Whether the password is the one behind the hash. Without a hash the same work is done, and the answer is no: how long it
    /// takes does not tell whether a login exists.
    ///
    /// # Errors
    /// [`HashingFailed`].
    pub async fn is_right(&self, password: SecretString, stored: Option<String>) -> Result<bool, HashingFailed> {
        let _turn = self.turns.acquire().await.or(Err(HashingFailed))?;
        let nobody = Arc::clone(&self.nobody);
        spawn_blocking(move || {
            let matches = verify(&password, stored.as_deref().unwrap_or(&nobody));
            matches && stored.is_some()
        })
        .await
        .or(Err(HashingFailed))
    }
}

/// The argon2id hash of a password (19 MiB, two passes: the floor that OWASP names), as a PHC string.
///
/// # Errors
/// [`HashingFailed`].
pub fn hash(password: &SecretString) -> Result<String, HashingFailed> {
    Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .map(|hash: PasswordHash| hash.to_string())
        .or(Err(HashingFailed))
}

fn verify(password: &SecretString, stored: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(stored) else { return false };
    // The stored parameters decide how much is computed; what asks for far more than we ever wrote is not ours.
    let is_ours = Params::try_from(&parsed).is_ok_and(|params| params.m_cost() <= 1 << 18 && params.t_cost() <= 16);
    is_ours
        && Argon2::default()
            .verify_password(password.expose_secret().as_bytes(), &parsed)
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(passwords.is_right("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.is_right("correct house".into(), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_signs_in_where_there_is_no_hash_or_no_readable_one() {
        let passwords = Passwords::new().unwrap();
        assert!(!passwords.is_right("nobody has this password".into(), None).await.unwrap());
        assert!(!passwords.is_right("x".into(), Some("plain".into())).await.unwrap());
    }
}

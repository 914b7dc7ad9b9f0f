//! Sealing: what must not lie about in the clear is encrypted with XChaCha20-Poly1305 and bound to its place.
//!
//! Invariant: a sealed value opens only with its own key and only where it was sealed for (the additional data); nothing here
//! draws randomness, so the caller brings a fresh nonce. 192 bits are enough to draw nonces without counting them.
//!
//! Layout: version (1 byte) | key id (4) | nonce (24) | ciphertext and tag.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};

/// The nonce of one sealing: 24 random bytes, never used twice.
pub type Nonce = [u8; 24];

const VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 4;

/// Why something could not be sealed or opened. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// The key text is not what `openssl rand -base64 32` prints.
    #[error("a sealing key is 32 bytes in base64")]
    MalformedKey,
    /// Too short, or a version that this build does not know.
    #[error("not a sealed value")]
    Malformed,
    /// Sealed with a key that is not on the ring.
    #[error("sealed with another key")]
    UnknownKey,
    /// Altered, or moved to another place than it was sealed for.
    #[error("the sealed value does not open here")]
    Refused,
}

/// One key. Its `Debug` shows only the public key id.
#[derive(Clone)]
pub struct SealingKey {
    id: [u8; KEY_ID_LENGTH],
    cipher: XChaCha20Poly1305,
}

impl SealingKey {
    /// A key from its 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let [first, second, third, fourth, ..] = digest;
        Self {
            id: [first, second, third, fourth],
            cipher: XChaCha20Poly1305::new(&bytes.into()),
        }
    }

    /// A key from base64 (with or without a line end around it), as `ENCRYPTION_KEY` carries it.
    ///
    /// # Errors
    /// [`SealingError::MalformedKey`] when it is not 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, SealingError> {
        let decoded = STANDARD.decode(text.trim()).or(Err(SealingError::MalformedKey))?;
        let bytes: [u8; 32] = decoded.try_into().or(Err(SealingError::MalformedKey))?;
        Ok(Self::from_bytes(bytes))
    }

    /// Seals `plain` for the place named by `aad`.
    ///
    /// # Panics
    /// Never: the cipher refuses only texts beyond 256 GiB, and then the result is empty and does not open.
    #[must_use]
    pub fn seal(&self, nonce: Nonce, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let Ok(ciphertext) = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad }) else {
            return Vec::new();
        };
        let mut sealed = Vec::with_capacity(1 + KEY_ID_LENGTH + nonce.len() + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what [`SealingKey::seal`] sealed for the same place.
    ///
    /// # Errors
    /// See [`SealingError`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let parts = Parts::of(sealed)?;
        if parts.key_id != &self.id {
            return Err(SealingError::UnknownKey);
        }
        self.cipher
            .decrypt(
                &XNonce::from(*parts.nonce),
                Payload {
                    msg: parts.ciphertext,
                    aad,
                },
            )
            .or(Err(SealingError::Refused))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SealingKey({})", hex::encode(self.id))
    }
}

/// The key that seals, and the older ones that still open during a rotation.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Seals and opens.
    pub current: SealingKey,
    /// Only open.
    pub previous: Vec<SealingKey>,
}

impl Keyring {
    /// A ring of one key.
    #[must_use]
    pub const fn single(current: SealingKey) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }

    /// Seals with the current key.
    #[must_use]
    pub fn seal(&self, nonce: Nonce, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.current.seal(nonce, aad, plain)
    }

    /// Opens with whichever key sealed it.
    ///
    /// # Errors
    /// See [`SealingError`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let id = Parts::of(sealed)?.key_id;
        let key = std::iter::once(&self.current).chain(&self.previous).find(|key| &key.id == id);
        key.ok_or(SealingError::UnknownKey)?.open(aad, sealed)
    }
}

/// A sealed value, taken apart.
struct Parts<'a> {
    key_id: &'a [u8; KEY_ID_LENGTH],
    nonce: &'a Nonce,
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, SealingError> {
        let (version, rest) = sealed.split_first().ok_or(SealingError::Malformed)?;
        let (key_id, rest) = rest.split_first_chunk().ok_or(SealingError::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(SealingError::Malformed)?;
        if *version == VERSION {
            Ok(Self { key_id, nonce, ciphertext })
        } else {
            Err(SealingError::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_bytes([byte; 32])
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_in_the_same_place() {
        let sealed = key(1).seal([7; 24], b"app:1", "密码".as_bytes());
        assert_eq!(key(1).open(b"app:1", &sealed).unwrap(), "密码".as_bytes());
        assert_eq!(sealed.len(), 1 + 4 + 24 + "密码".len() + 16);
    }

    #[test]
    fn a_sealed_value_does_not_open_in_another_place() {
        let sealed = key(1).seal([7; 24], b"app:1", b"secret");
        assert_eq!(key(1).open(b"app:2", &sealed), Err(SealingError::Refused));
    }

    #[test]
    fn altering_any_byte_of_a_sealed_value_is_found() {
        let sealed = key(1).seal([7; 24], b"app:1", b"secret");
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(key(1).open(b"app:1", &altered).is_err(), "byte {position}");
        }
    }

    #[test]
    fn every_shortened_value_is_refused() {
        let sealed = key(1).seal([7; 24], b"app:1", b"secret");
        for length in 0..sealed.len() {
            assert!(key(1).open(b"app:1", &sealed[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_ring_opens_what_an_older_key_sealed_and_seals_with_the_current_one() {
        let ring = Keyring {
            current: key(2),
            previous: vec![key(1)],
        };
        assert_eq!(ring.open(b"x", &key(1).seal([0; 24], b"x", b"old")).unwrap(), b"old");
        assert_eq!(key(2).open(b"x", &ring.seal([0; 24], b"x", b"new")).unwrap(), b"new");
        assert_eq!(
            ring.open(b"x", &key(3).seal([0; 24], b"x", b"foreign")),
            Err(SealingError::UnknownKey)
        );
    }

    #[test]
    fn a_key_is_read_from_base64_and_refused_otherwise() {
        let text = STANDARD.encode([9_u8; 32]);
        assert_eq!(
            key(9)
                .open(
                    b"",
                    &SealingKey::from_base64(&format!("{text}\n")).unwrap().seal([1; 24], b"", b"a")
                )
                .unwrap(),
            b"a"
        );
        for wrong in ["", "abc", "not base64!", &STANDARD.encode([9_u8; 31])] {
            assert_eq!(SealingKey::from_base64(wrong).unwrap_err(), SealingError::MalformedKey, "{wrong}");
        }
    }

    #[test]
    fn a_key_never_shows_itself() {
        let shown = format!(
            "{:?}",
            Keyring {
                current: key(255),
                previous: vec![key(0)]
            }
        );
        assert!(!shown.contains("255") && !shown.contains("ffff"), "{shown}");
    }
}

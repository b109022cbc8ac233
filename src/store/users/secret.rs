//! Opaque tokens: 256 random bits that are shown once and stored only as a hash.
//!
//! In: the system's randomness, or text from a cookie, header or link. Out: a [`Secret`] and its [`SecretHash`].
//! It never prints a token: `Debug` hides it, `Display` does not exist.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// Text length of a token.
const LENGTH: usize = 43;

/// A token as its holder keeps it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Draws a new token.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Takes a token from outside; `None` if it cannot be one of ours.
    pub fn from_text(text: &str) -> Option<Self> {
        let plain = text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        plain.then(|| Self(text.to_owned()))
    }

    /// The token in clear, for the one answer that hands it to its holder.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store keeps.
    pub fn hash(&self) -> SecretHash {
        SecretHash(hex::encode(Sha256::digest(self.0.as_bytes())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a token, in hex. Knowing it does not let anyone in.
#[derive(Clone)]
pub struct SecretHash(String);

impl SecretHash {
    /// The stored text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares with a stored hash in a time that does not depend on where they differ.
    pub fn is(&self, stored: &str) -> bool {
        self.0.as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_token_is_long_random_and_never_printed() {
        let (a, b) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        assert_eq!(a.reveal().len(), LENGTH);
        assert_ne!(a.reveal(), b.reveal());
        assert!(!format!("{a:?} {:?}", a.hash()).contains(a.reveal()));
        assert!(!format!("{:?}", a.hash()).contains(a.hash().as_str()));
        assert!(Secret::from_text(a.reveal()).unwrap().hash().is(a.hash().as_str()));
        assert!(!b.hash().is(a.hash().as_str()));
    }

    #[test]
    fn users_text_that_cannot_be_a_token_is_refused_before_any_lookup() {
        for text in ["", "short", &"a".repeat(44), &"a".repeat(42), &"é".repeat(43), &format!("{} ", "a".repeat(42))] {
            assert!(Secret::from_text(text).is_none(), "{text:?}");
        }
    }
}

//! Passwords: what is accepted, how it is kept, how it is compared.
//!
//! In: a password in clear. Out: an argon2id hash in PHC text, or a yes or no. Hashing takes tens of milliseconds and
//! 19 MiB, so it runs on a blocking thread, a few at a time; who comes when all are busy waits at most [`WAIT`].

use super::UserError;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long a login waits for its turn to be compared.
const WAIT: Duration = Duration::from_secs(10);
/// How many are compared at once.
const AT_ONCE: usize = 2;
/// The pages say the same number (`web/src/login`).
const SHORTEST: usize = 10;
const LONGEST: usize = 256;

/// A password in clear; never printed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Wraps what a person typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it may become the password of `name`.
    pub(super) fn accept(&self, name: &str) -> Result<(), UserError> {
        let length = self.0.chars().count();
        let repeated = self.0.chars().next().is_some_and(|first| self.0.chars().all(|c| c == first));
        if length < SHORTEST {
            return Err(UserError::WeakPassword { why: "is shorter than 10 characters" });
        }
        if self.0.len() > LONGEST {
            return Err(UserError::WeakPassword { why: "is longer than 256 bytes" });
        }
        if repeated || self.0.eq_ignore_ascii_case(name) {
            return Err(UserError::WeakPassword { why: "is one repeated character or the user's name" });
        }
        Ok(())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Hashes and compares with a bound on how many at once.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The PHC text to store.
    pub(super) async fn hash(&self, password: Password) -> Result<String, UserError> {
        self.in_turn(move || hash_now(&password)).await?
    }

    /// Whether the password fits; with no stored hash it takes as long and says no.
    pub(super) async fn fits(&self, password: Password, stored: Option<String>) -> Result<bool, UserError> {
        let known = stored.is_some();
        let against = stored.map_or_else(decoy, Ok)?;
        let fits = self
            .in_turn(move || {
                PasswordHash::new(&against)
                    .is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(known && fits)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, UserError> {
        let turn = timeout(WAIT, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(UserError::Crowded) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| UserError::Crowded)
    }
}

fn hash_now(password: &Password) -> Result<String, UserError> {
    let hash = Argon2::default().hash_password(password.0.as_bytes()).map_err(|_| UserError::NoRandomness)?;
    Ok(hash.to_string())
}

/// A hash that nobody's password made, so that an unknown name costs as much time as a known one.
fn decoy() -> Result<String, UserError> {
    static DECOY: OnceLock<String> = OnceLock::new();
    if let Some(decoy) = DECOY.get() {
        return Ok(decoy.clone());
    }
    let token = super::Secret::draw().map_err(|_| UserError::NoRandomness)?;
    let made = hash_now(&Password::new(token.reveal()))?;
    Ok(DECOY.get_or_init(|| made).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn users_password_is_kept_as_argon2id_and_compared() {
        let hasher = Hasher::new();
        let stored = hasher.hash(Password::new("黄河安澜 2026 大堤")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456"), "{stored}");
        assert!(hasher.fits(Password::new("黄河安澜 2026 大堤"), Some(stored.clone())).await.unwrap());
        assert!(!hasher.fits(Password::new("黄河安澜 2026 大坝"), Some(stored.clone())).await.unwrap());
        assert!(!hasher.fits(Password::new("黄河安澜 2026 大堤"), None).await.unwrap());
        assert!(!hasher.fits(Password::new("x"), Some("not a hash".into())).await.unwrap());
        assert_ne!(stored, hasher.hash(Password::new("黄河安澜 2026 大堤")).await.unwrap(), "salted");
    }

    #[test]
    fn users_weak_passwords_are_refused_with_the_reason() {
        let check = |text: &str, word: &str| {
            let refusal = Password::new(text).accept("duty-officer").unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        };
        check("short", "10 characters");
        check("", "10 characters");
        check("一二三四五六七八九", "10 characters");
        check("aaaaaaaaaaaaaa", "repeated");
        check("DUTY-OFFICER", "name");
        check(&"ab".repeat(200), "256 bytes");
        Password::new("一二三四五六七八九十").accept("duty").unwrap();
        assert!(!format!("{:?}", Password::new("hidden-away")).contains("hidden"));
    }
}

//! Signatures after Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`, HMAC-SHA256 over
//! `id.timestamp.body`, several signatures separated by blanks while a key is changed, five minutes of tolerance.

use crate::model::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A message may be this old or this much ahead, seconds.
const TOLERANCE_S: i64 = 300;
/// Fewest bytes of a secret.
const SECRET_MIN: usize = 24;
/// Longest id of a message.
const ID_MAX: usize = 100;
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// The secret that a source signs with; `whsec_` and base64. Never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HookSecret(Vec<u8>);

impl TryFrom<String> for HookSecret {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let coded = text.strip_prefix("whsec_").unwrap_or(&text);
        let bytes = STANDARD.decode(coded).ok().filter(|bytes| bytes.len() >= SECRET_MIN);
        bytes.map(Self).ok_or("a secret is base64 of at least 24 bytes, with or without whsec_ before it")
    }
}

impl std::fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookSecret(…)")
    }
}

/// What a message says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`, seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`.
    pub signatures: &'a str,
    /// The body as it came.
    pub body: &'a [u8],
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    /// A header is missing or cannot be.
    #[error("webhook-id、webhook-timestamp 或 webhook-signature 缺失或不合规 (a header is missing or wrong)")]
    Headers,
    /// Sent again later, or from a clock that is off.
    #[error("时间戳相差超过 5 分钟，请校时 (the timestamp is more than 5 minutes off)")]
    Age,
    /// Not made with the secret.
    #[error("签名不符 (the signature does not fit)")]
    Signature,
}

impl HookSecret {
    /// Whether the message is of the source and of now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, message: &Signed<'_>, now: Timestamp) -> Result<(), SignFault> {
        let plain = message.id.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=ID_MAX).contains(&message.id.len()) || !plain {
            return Err(SignFault::Headers);
        }
        let sent: i64 = message.timestamp.parse().map_err(|_| SignFault::Headers)?;
        if now.timestamp().checked_sub(sent).is_none_or(|age| age.unsigned_abs() > TOLERANCE_S.unsigned_abs()) {
            return Err(SignFault::Age);
        }
        let made = self.sign(message);
        let fits = |one: &str| {
            let shown = one.strip_prefix("v1,").and_then(|coded| STANDARD.decode(coded).ok());
            shown.is_some_and(|shown| bool::from(shown.ct_eq(&made)))
        };
        if message.signatures.split_ascii_whitespace().take(8).any(fits) { Ok(()) } else { Err(SignFault::Signature) }
    }

    fn sign(&self, message: &Signed<'_>) -> [u8; 32] {
        hmac(&self.0, &[message.id.as_bytes(), b".", message.timestamp.as_bytes(), b".", message.body])
    }
}

/// HMAC-SHA256 (RFC 2104) over parts in a row.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    let hashed = Sha256::digest(key);
    let key: &[u8] = if key.len() > BLOCK { &hashed } else { key };
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|byte| byte ^ 0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(block.map(|byte| byte ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> HookSecret {
        HookSecret::try_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()).unwrap()
    }

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_vector_is_believed_within_five_minutes() {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let message = Signed { id: ID, timestamp: "1614265330", signatures: SIGNATURE, body: BODY };
        for off in [-300, 0, 300] {
            assert_eq!(secret().check(&message, at(1_614_265_330 + off)), Ok(()));
        }
        for off in [-301, 301] {
            assert_eq!(secret().check(&message, at(1_614_265_330 + off)), Err(SignFault::Age));
        }
        let two = format!("v1,AAAA v2,x {SIGNATURE}");
        assert_eq!(secret().check(&Signed { signatures: &two, ..message }, at(1_614_265_330)), Ok(()));
    }

    #[test]
    fn anything_changed_is_refused() {
        let now = Timestamp::from_timestamp(1_614_265_330, 0).unwrap();
        let message = Signed { id: ID, timestamp: "1614265330", signatures: SIGNATURE, body: BODY };
        let check = |message: Signed<'_>, fault| assert_eq!(secret().check(&message, now), Err(fault), "{message:?}");
        check(Signed { body: b"{}", ..message }, SignFault::Signature);
        check(Signed { id: "msg_other", ..message }, SignFault::Signature);
        check(Signed { timestamp: "1614265331", ..message }, SignFault::Signature);
        check(Signed { signatures: "", ..message }, SignFault::Signature);
        check(Signed { signatures: "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", ..message }, SignFault::Signature);
        check(Signed { id: "", ..message }, SignFault::Headers);
        check(Signed { timestamp: "now", ..message }, SignFault::Headers);
        check(Signed { timestamp: "-9223372036854775808", ..message }, SignFault::Age);
        for text in ["whsec_", "whsec_c2hvcnQ=", "not base64 at all"] {
            assert!(HookSecret::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert!(!format!("{:?}", secret()).contains("Mf"));
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let check = |key: &[u8], text: &[u8], hex: &str| assert_eq!(hex::encode(hmac(key, &[text])), hex);
        let second = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        check(b"Jefe", b"what do ya want for nothing?", second);
        let sixth = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        check(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First", sixth);
    }
}

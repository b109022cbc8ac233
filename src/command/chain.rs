//! The hash chain over facts: each hash covers the one before it and the fact's own text.

use crate::model::FactSeq;
use sha2::{Digest, Sha256};

/// SHA-256 over the previous hash and a fact's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// Before the first fact.
    pub const START: Self = Self([0; 32]);

    /// The hash after `body`, the JSON text of the fact as it is stored.
    #[must_use]
    pub fn after(self, body: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(body.as_bytes());
        Self(hasher.finalize().into())
    }
    /// 64 hex digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
    /// From 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// A fact is missing or stands in the wrong place.
    #[error(
        "日志缺第 {expected} 条：请恢复最近的完好备份 (journal: fact {expected} is missing, found {found} in its place: restore from the last good backup)"
    )]
    Gap {
        /// Expected position.
        expected: u64,
        /// Found position.
        found: u64,
    },
    /// A fact's text does not belong to its hash.
    #[error(
        "日志第 {0} 条写入后被改动：请恢复最近的完好备份 (journal: fact {0} was changed after it was written: restore from the last good backup)"
    )]
    Changed(u64),
}

/// Walks rows of (position, text, hash) and gives the last hash.
///
/// # Errors
/// The first row that breaks the chain.
pub fn verify_chain<'a>(
    rows: impl IntoIterator<Item = (FactSeq, &'a str, ChainHash)>,
) -> Result<ChainHash, ChainFault> {
    let mut last = ChainHash::START;
    for (expected, (seq, body, hash)) in (1..).zip(rows) {
        if seq.0 != expected {
            return Err(ChainFault::Gap { expected, found: seq.0 });
        }
        last = last.after(body);
        if last != hash {
            return Err(ChainFault::Changed(seq.0));
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_missing_fact_is_named() {
        let first = ChainHash::START.after("a");
        let second = first.after("b");
        let good = [(FactSeq(1), "a", first), (FactSeq(2), "b", second)];
        assert_eq!(verify_chain(good), Ok(second));
        assert_eq!(verify_chain([(FactSeq(1), "x", first)]), Err(ChainFault::Changed(1)));
        assert_eq!(verify_chain([(FactSeq(2), "b", second)]), Err(ChainFault::Gap { expected: 1, found: 2 }));
    }
}

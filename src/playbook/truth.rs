//! Three-valued truth: what is not known is neither true nor false.

use serde::{Deserialize, Serialize};
use std::ops::Not;

/// The answer of a condition, in Kleene's strong three-valued logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// 不成立.
    False,
    /// 待定: a needed signal is missing.
    Unknown,
    /// 成立.
    True,
}

impl Truth {
    /// True only when both are; false as soon as one is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }
    /// True as soon as one is; false only when both are.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
    /// Whether it is [`Truth::True`].
    pub fn is_true(self) -> bool {
        self == Self::True
    }
    /// Whether it is [`Truth::Unknown`].
    pub fn is_unknown(self) -> bool {
        self == Self::Unknown
    }
}

impl Not for Truth {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::Unknown => Self::Unknown,
            Self::False => Self::True,
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};

    #[test]
    fn kleene_laws_hold_for_all_triples() {
        let all = [False, Unknown, True];
        for a in all {
            assert_eq!(!!a, a);
            assert_eq!(a.and(True), a);
            assert_eq!(a.or(False), a);
            assert_eq!(a.and(False), False);
            assert_eq!(a.or(True), True);
            for b in all {
                assert_eq!(a.and(b), b.and(a));
                assert_eq!(!(a.and(b)), (!a).or(!b));
                assert_eq!(a.or(a.and(b)), a);
                for c in all {
                    assert_eq!(a.and(b.and(c)), a.and(b).and(c));
                    assert_eq!(a.and(b.or(c)), a.and(b).or(a.and(c)));
                }
            }
        }
    }

    #[test]
    fn the_unknown_is_not_excluded_from_the_middle() {
        assert_eq!(Unknown.or(!Unknown), Unknown);
        assert_eq!(Unknown.and(!Unknown), Unknown);
    }
}

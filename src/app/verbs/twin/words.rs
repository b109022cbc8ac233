//! What is wrong, in both languages: Chinese first, English in brackets.

use std::fmt;

/// A fault in Chinese and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.zh, self.en)
    }
}

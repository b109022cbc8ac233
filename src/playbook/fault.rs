//! What is wrong with a file of the playbook, where, and what to do about it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Words {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Both sentences.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl fmt::Display for Words {
    /// Chinese first, English in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.zh, self.en)
    }
}

/// A position in a file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct At {
    /// Name of the file inside its edition.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl At {
    /// The position of a byte offset in a text.
    pub fn of(file: &Arc<str>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.clone(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }
    /// The same line, a number of characters further.
    #[must_use]
    pub fn further(&self, characters: usize) -> Self {
        Self { column: self.column + characters, ..self.clone() }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A fault that keeps an edition from being loaded or imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub at: At,
    /// Which rule it breaks: `toml`, `trigger`, `unknown-role`, ….
    pub rule: &'static str,
    /// What is wrong.
    pub message: Words,
    /// What to do.
    pub advice: Words,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, rule, message, advice } = self;
        write!(f, "{at}: [{rule}] {}；{} | {}; {}", message.zh, advice.zh, message.en, advice.en)
    }
}

impl std::error::Error for Fault {}

/// Several faults as one error, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

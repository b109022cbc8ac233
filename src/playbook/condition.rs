//! Conditions as data: a typed tree that keeps where each part stands in its text.

use super::signal::SignalKey;
use std::fmt;
use std::ops::Range;

/// A comparison of a signal with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

impl Comparison {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::Equal => "==",
            Self::Unequal => "!=",
        }
    }
    /// Whether it holds.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::AtLeast => left >= right,
            Self::Above => left > right,
            Self::AtMost => left <= right,
            Self::Below => left < right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
        }
    }
    /// The threshold that must be passed back before the row may fire again: 90 % of a rising one, 110 % of a falling one.
    pub fn safe_side(self, threshold: f64) -> f64 {
        match self {
            Self::AtLeast | Self::Above => threshold * 0.9,
            Self::AtMost | Self::Below => threshold * 1.1,
            Self::Equal | Self::Unequal => threshold,
        }
    }
}

/// A parsed trigger. Brackets are gone; `and` binds closer than `or`.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All parts hold.
    All(Vec<Condition>),
    /// At least one part holds.
    Any(Vec<Condition>),
    /// A number compares with a threshold.
    Compare {
        /// The number.
        signal: SignalKey,
        /// How.
        comparison: Comparison,
        /// With what.
        threshold: f64,
        /// Bytes of the trigger text that it stands in.
        span: Range<usize>,
    },
    /// The answer of a function.
    Holds {
        /// The function.
        signal: SignalKey,
        /// Bytes of the trigger text that it stands in.
        span: Range<usize>,
    },
}

/// Same meaning and shape; where the parts stand in their text does not count.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(left), Self::All(right)) | (Self::Any(left), Self::Any(right)) => left == right,
            (
                Self::Compare { signal, comparison, threshold, .. },
                Self::Compare {
                    signal: other_signal, comparison: other_comparison, threshold: other_threshold, ..
                },
            ) => signal == other_signal && comparison == other_comparison && threshold == other_threshold,
            (Self::Holds { signal, .. }, Self::Holds { signal: other_signal, .. }) => signal == other_signal,
            _ => false,
        }
    }
}

impl Condition {
    /// Every signal in it, in order of appearance.
    pub fn signals(&self) -> Vec<&SignalKey> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::signals).collect(),
            Self::Compare { signal, .. } | Self::Holds { signal, .. } => vec![signal],
        }
    }
    /// Whether it asks for a signal of that name.
    pub fn asks_for(&self, name: &str) -> bool {
        self.signals().iter().any(|signal| signal.name() == name)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Compare { signal, comparison, threshold, .. } => {
                write!(f, "{signal}{}{threshold}", comparison.as_str())
            }
            Self::Holds { signal, .. } => write!(f, "{signal}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Condition], word: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match part {
            Condition::All(_) | Condition::Any(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

//! Values of the configuration that check themselves while they are read.

use serde::Deserialize;

/// Seconds of the reach in one second; finite, above 0 and at most 100 000.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Speed(f64);

impl Speed {
    /// The factor.
    pub fn as_factor(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Speed {
    type Error = String;
    fn try_from(factor: f64) -> Result<Self, String> {
        let possible = factor.is_finite() && factor > 0.0 && factor <= 100_000.0;
        possible.then_some(Self(factor)).ok_or_else(|| format!("speed {factor} is not above 0 and at most 100000"))
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line for each event.
    #[default]
    Text,
    /// One JSON object for each event.
    Json,
}

/// How much the log tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    /// What needs a person now.
    Error,
    /// And what will need one soon.
    Warn,
    /// And what happened.
    #[default]
    Info,
    /// And why: for the engineer.
    Debug,
}

impl Verbosity {
    /// As a level of the log library.
    pub fn as_level(self) -> tracing::Level {
        match self {
            Self::Error => tracing::Level::ERROR,
            Self::Warn => tracing::Level::WARN,
            Self::Info => tracing::Level::INFO,
            Self::Debug => tracing::Level::DEBUG,
        }
    }
}

//! The files of an edition as TOML writes them; nothing is trusted here yet.

use super::instruction::{Phase, RowColour};
use crate::model::{Authority, WarningLevel};
use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstructionFile {
    #[serde(default)]
    pub instruction: Vec<InstructionShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstructionShape {
    pub code: Spanned<String>,
    pub band: Spanned<String>,
    pub q_min: u32,
    pub q_max: Option<u32>,
    pub colour: RowColour,
    #[serde(default)]
    pub response: String,
    pub phase: Phase,
    pub category: String,
    pub role: Spanned<String>,
    pub scope: Spanned<String>,
    pub trigger: Spanned<String>,
    pub deadline_min: Spanned<u32>,
    pub evidence: Vec<String>,
    pub title_zh: String,
    pub text_zh: String,
    pub title_en: String,
    pub basis: String,
    pub numbers_basis: String,
    pub repeat_min: Option<u32>,
    pub stop_when: Option<Spanned<String>>,
    #[serde(default)]
    pub supersedes: Vec<Spanned<String>>,
    #[serde(default)]
    pub preauthorised: bool,
    #[serde(default)]
    pub life_safety: bool,
    #[serde(default)]
    pub retreat: bool,
    pub authority: Authority,
    pub report_to: Spanned<String>,
    pub sms_zh: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameShape {
    pub code: Spanned<String>,
    pub zh: String,
    pub en: String,
    #[serde(default)]
    pub report_only: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleFile {
    pub role: Vec<NameShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeFile {
    pub scope: Vec<NameShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageFile {
    pub message: Vec<MessageShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageShape {
    pub key: Spanned<String>,
    pub zh: String,
    pub en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelFile {
    pub edition: String,
    pub note_zh: String,
    pub note_en: String,
    pub flapping: super::levels::FlappingRule,
    pub band: Vec<BandShape>,
    pub level: Vec<LevelShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BandShape {
    pub code: String,
    pub from_m3s: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelShape {
    pub level: Spanned<WarningLevel>,
    pub response: String,
    pub observed: super::levels::ObservedTrigger,
    pub forecast: super::levels::ForecastTrigger,
    pub clear: super::levels::ClearRule,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectationFile {
    #[serde(default)]
    pub expectation: Vec<Spanned<ExpectationShape>>,
    #[serde(default)]
    pub preauthorised: Option<Spanned<Vec<String>>>,
}

/// What an edition promises about itself, run by `check`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectationShape {
    pub discharge_m3s: f64,
    pub forecast_m3s: Option<f64>,
    pub level: Option<WarningLevel>,
    pub band: Option<String>,
    pub fired: Option<usize>,
    pub standing: Option<usize>,
    pub waiting: Option<usize>,
    #[serde(default)]
    pub fires: Vec<String>,
    #[serde(default)]
    pub silent: Vec<String>,
}

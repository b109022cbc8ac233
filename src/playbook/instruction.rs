//! A preset instruction (任务指令): one row of the plan, typed.

use super::condition::Condition;
use super::fault::At;
use crate::model::{Authority, InstructionCode, RoleCode, ScopeCode, WarningLevel};
use serde::{Deserialize, Serialize};

/// When in the life of a flood a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// 汛前与平时: only while no flood event is open.
    Prepare,
    /// 预警.
    Alert,
    /// 响应.
    Respond,
    /// 撤防: only in an open event whose level is being lowered.
    Withdraw,
}

impl Phase {
    /// As written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Alert => "alert",
            Self::Respond => "respond",
            Self::Withdraw => "withdraw",
        }
    }
}

/// The colour column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowColour {
    /// No colour.
    None,
    /// 蓝色.
    Blue,
    /// 黄色.
    Yellow,
    /// 橙色.
    Orange,
    /// 红色.
    Red,
    /// The colour that is in force.
    Any,
}

impl RowColour {
    /// As written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
            Self::Any => "any",
        }
    }
    /// The level; `None` where the row takes the one in force.
    pub fn level(self) -> Option<WarningLevel> {
        match self {
            Self::Any => None,
            other => other.as_str().parse().ok(),
        }
    }
}

/// A condition with the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// As written.
    pub text: String,
    /// As understood.
    pub condition: Condition,
    /// Where the text begins.
    pub at: At,
}

/// One row of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// Kept for life; its prefix may differ from the band.
    pub code: InstructionCode,
    /// D, P, B4 … B22, H or W: groups only.
    pub band: String,
    /// Lower end of the band in m³/s: groups only, the trigger decides.
    pub q_min_m3s: u32,
    /// Upper end of the band in m³/s, if it has one.
    pub q_max_m3s: Option<u32>,
    /// Colour of the band.
    pub colour: RowColour,
    /// `IV` … `I`, empty where the band has none.
    pub response: String,
    /// When in the life of a flood it belongs.
    pub phase: Phase,
    /// `patrol`, `evacuate`, ….
    pub category: String,
    /// Who carries it out.
    pub role: RoleCode,
    /// Which places it goes to.
    pub scope: ScopeCode,
    /// When it fires.
    pub trigger: Trigger,
    /// Minutes from the release to done.
    pub deadline_min: u32,
    /// What proves it: `photo`, `gps`, `count`, ….
    pub evidence: Vec<String>,
    /// 标题.
    pub title_zh: String,
    /// 指令全文.
    pub text_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Source of the rule.
    pub basis: String,
    /// Source of its figures.
    pub numbers_basis: String,
    /// Minutes between repetitions; `None` = once.
    pub repeat_min: Option<u32>,
    /// What ends the repetition; `None` = the end of the event.
    pub stop_when: Option<Trigger>,
    /// Rows that it replaces while it is fired and not stopped.
    pub supersedes: Vec<InstructionCode>,
    /// May go out by itself under a signed standing authorisation.
    pub preauthorised: bool,
    /// Warns people in danger, recalls them or moves them out of it (生命安全); such orders go first.
    pub life_safety: bool,
    /// Orders the one who gets it out of danger at once (立即撤离).
    pub retreat: bool,
    /// Who signs.
    pub authority: Authority,
    /// The role that it reports to.
    pub report_to: RoleCode,
    /// 短信 with `{place}`, `{by}` and `{call}`.
    pub sms_zh: String,
    /// Where it stands.
    pub at: At,
}

impl Instruction {
    /// The colour that it belongs to; a row that takes the colour in force belongs to none.
    pub fn level(&self) -> WarningLevel {
        self.colour.level().unwrap_or_default()
    }
    /// Whether it belongs to the flood itself: neither quiet preparation nor the way down.
    pub fn is_of_flood(&self) -> bool {
        matches!(self.phase, Phase::Alert | Phase::Respond)
    }
    /// Whether the rule or any figure in it is our own default, to be confirmed by the district headquarters.
    pub fn our_default(&self) -> bool {
        self.basis == "default" || self.numbers_basis == "default"
    }
}

/// The word of an authority in files.
pub(super) fn authority_word(authority: Authority) -> &'static str {
    match authority {
        Authority::None => "none",
        Authority::HqDuty => "hq_duty",
        Authority::TownCommander => "town_commander",
        Authority::CountyHqCommander => "county_hq_commander",
        Authority::AuthorisedPublisher => "authorised_publisher",
    }
}

//! What can reach the core from outside: judged water, the clock, and people.

use super::{Actor, Amendment, CommandSettings, PlaceWater, Shot};
use crate::model::{
    ActivationId, DeclineReason, FaultKind, HazardKind, InstructionCode, MemberId, PlaceId, Quality, ReportId,
    SeriesId, Spot, TaskId, Timestamp, WarningLevel, WorkingMode,
};
use crate::playbook::Snapshot;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// One message to the core. Those that lead to facts are kept in the journal before their facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "kebab-case")]
pub enum Input {
    /// The site's settings, at every start; a fact only when they changed.
    Configure {
        /// All of them.
        settings: CommandSettings,
    },
    /// The playbook that is in use from now on, at every start; a fact only when it is another one. Whoever folds the
    /// journal again takes this edition for what follows.
    UseEdition {
        /// Edition of the playbook.
        edition: String,
    },
    /// The signals as they stand now, with the readings behind them.
    Evaluate {
        /// Signals of the playbook.
        snapshot: Snapshot,
        /// The readings that the main signals rest on.
        readings: Vec<ReadingRef>,
    },
    /// Time has passed: holds, ladders and deadlines are looked at.
    Tick,
    /// Somebody asks that a level be put in force (the same level again releases what waits for a signature).
    Ask {
        /// Who asks.
        by: Actor,
        /// Which level.
        level: WarningLevel,
        /// Why, in words.
        reason: String,
        /// On whose order, if not the asker's own.
        ordered_by: Option<String>,
        /// The discharge that the request prepares for, in m³/s (设定流量): rows count it as reached once in force.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prepare_for_m3s: Option<f64>,
    },
    /// The second person agrees.
    Confirm {
        /// Who agrees.
        by: Actor,
        /// To what.
        activation: ActivationId,
        /// The signals as they stood then: what follows from the release at that water belongs to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        water: Option<Arc<Snapshot>>,
    },
    /// The second person refuses.
    Refuse {
        /// Who refuses.
        by: Actor,
        /// What.
        activation: ActivationId,
        /// Why.
        reason: String,
    },
    /// The asker goes alone, with a reason; everybody is told and it is flagged.
    BreakGlass {
        /// Who goes alone.
        by: Actor,
        /// With what.
        activation: ActivationId,
        /// Why.
        reason: String,
        /// The signals as they stood then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        water: Option<Arc<Snapshot>>,
    },
    /// One officer signs drafts that need no more than his own signature.
    Sign {
        /// Who signs.
        by: Actor,
        /// Which rows; all their drafts.
        codes: Vec<InstructionCode>,
    },
    /// A demo starts with a level in force; flagged for ever as such.
    SeedLevel {
        /// Which level.
        level: WarningLevel,
    },
    /// A phone has the tasks on its screen.
    Deliver {
        /// Whose phone.
        member: MemberId,
        /// Which tasks.
        tasks: Vec<TaskId>,
    },
    /// 收到.
    Acknowledge {
        /// Whose hand.
        by: Actor,
        /// Which task.
        task: TaskId,
    },
    /// 去不了.
    Decline {
        /// Who.
        by: Actor,
        /// Which task.
        task: TaskId,
        /// Why.
        reason: DeclineReason,
        /// In own words.
        text: Option<String>,
    },
    /// 到达.
    Arrive {
        /// Who.
        by: Actor,
        /// Which task.
        task: TaskId,
    },
    /// 完成.
    Complete {
        /// Who.
        by: Actor,
        /// Which task.
        task: TaskId,
    },
    /// 核查: another than the doer confirms.
    Verify {
        /// Who.
        by: Actor,
        /// Which task.
        task: TaskId,
    },
    /// HQ takes tasks back.
    Withdraw {
        /// Who.
        by: Actor,
        /// Which tasks.
        tasks: Vec<TaskId>,
        /// Why.
        reason: String,
    },
    /// HQ names another person for a task: nobody answered, nobody is on duty for it, or the one who has it cannot.
    Assign {
        /// Who names.
        by: Actor,
        /// For which task.
        task: TaskId,
        /// Whom.
        member: MemberId,
        /// Why.
        reason: String,
    },
    /// Something was seen.
    Report {
        /// By whom.
        by: Actor,
        /// What.
        report: FieldReport,
    },
    /// Photos of a report arrive after it.
    AddPhotos {
        /// Whose phone.
        by: Actor,
        /// Which report.
        report: ReportId,
        /// Ids of stored photos.
        photos: Vec<String>,
        /// Which picture of the phone it is, when it comes small first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shot: Option<Shot>,
    },
    /// A hazard is dealt with, or was none.
    Settle {
        /// Who says so.
        by: Actor,
        /// Which report.
        report: ReportId,
        /// It was nothing.
        false_alarm: bool,
    },
    /// HQ takes a tip from outside for a hazard: it becomes a report of the officer's own, and the tip ends.
    Adopt {
        /// Who takes it on.
        by: Actor,
        /// The tip.
        report: ReportId,
        /// Kind of hazard in the trigger language.
        #[serde(rename = "type")]
        type_: HazardKind,
        /// 1 一般, 2 较大, 3 重大.
        grade: u8,
        /// Where, if the officer knows better.
        place: Option<Spot>,
    },
    /// HQ has looked at a report.
    SeeReport {
        /// Who looked.
        by: Actor,
        /// At what.
        report: ReportId,
    },
    /// An order is given or a notice registered.
    Order {
        /// By whom.
        by: Actor,
        /// Its name in the trigger language.
        name: String,
        /// Where; `None` everywhere.
        place: Option<PlaceId>,
        /// It no longer holds.
        lift: bool,
    },
    /// A message from HQ to members.
    Notice {
        /// By whom.
        by: Actor,
        /// To whom.
        members: Vec<MemberId>,
        /// What.
        text: String,
    },
    /// A person sets a value of the river, or says that it may not be used.
    Amend {
        /// Who.
        by: Actor,
        /// What.
        amendment: Amendment,
    },
    /// A station is asked something, or its clock is set.
    AskStation {
        /// Who asks.
        by: Actor,
        /// The station.
        station: String,
        /// What, in the words of the protocol.
        question: String,
    },
    /// A masked name and number are looked at.
    Reveal {
        /// Who looks.
        by: Actor,
        /// At whom.
        member: MemberId,
    },
    /// The words of a report are looked at with the numbers that stand in them.
    RevealReport {
        /// Who looks.
        by: Actor,
        /// At which.
        report: ReportId,
    },
    /// The working mode is switched.
    Mode {
        /// By whom.
        by: Actor,
        /// To what.
        mode: WorkingMode,
    },
    /// The director of a drill breaks something; only a drill's own journal ever holds it.
    Inject {
        /// The director.
        by: Actor,
        /// What.
        injection: Injection,
    },
    /// A source of readings fell silent or came back.
    Health {
        /// What fell silent: a series or a gateway.
        cause: String,
        /// Words for the wall.
        title_zh: String,
        /// Words for the wall.
        title_en: String,
        /// Whether it is silent now.
        silent: bool,
    },
    /// The stones of a dam show a hazard: told when it begins and when a second stone agrees.
    StoneHazard {
        /// The dam.
        dam: PlaceId,
        /// The stone that showed it first.
        first: String,
        /// When.
        #[serde(with = "chrono::serde::ts_milliseconds")]
        first_at: Timestamp,
        /// All that show it, in the order in which they began.
        stones: Vec<String>,
        /// 0…1.
        confidence: f64,
        /// Whether a second stone agrees; before that somebody must look first.
        second_stone: bool,
    },
    /// Nothing new of a dam's stones for hours.
    StoneHazardOver {
        /// The dam.
        dam: PlaceId,
    },
    /// The live twin: every place that has or soon gets water, or whose last way out is cut soon. Places that are not
    /// among them are dry for now.
    WaterComes {
        /// By place.
        places: Vec<PlaceWater>,
    },
    /// Somebody took note of an alarm, or put it aside for some minutes.
    MindAlarm {
        /// Who.
        by: Actor,
        /// Which, by its key.
        alarm: String,
        /// Put aside until; `None` acknowledges.
        shelve_until: Option<Timestamp>,
    },
}

/// What tells two requests apart, beside who sends them and in which words.
const TELLING: [&str; 15] = [
    "input",
    "level",
    "prepare_for_m3s",
    "activation",
    "codes",
    "task",
    "tasks",
    "member",
    "report",
    "false_alarm",
    "name",
    "place",
    "lift",
    "mode",
    "alarm",
];

/// The same for what lies within.
const ABOUT: [&str; 6] = ["kind", "type", "series", "at", "value", "target"];

impl Input {
    /// What is asked for: a sender's key that stands for one mark does not stand for another. Of a report, an amendment or an
    /// inject what it is about counts; reasons, texts, and the water of the moment are no part of it.
    pub fn mark(&self) -> String {
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(self) else { return String::new() };
        let telling = TELLING.iter().filter_map(|name| Some((name, fields.get(*name)?)));
        let mut digest = Sha256::new();
        for (name, value) in telling.filter(|(_, value)| !value.is_object() && !value.is_null()) {
            digest.update(format!("{name}={value}\n"));
        }
        let within = fields.iter().filter(|(name, _)| *name != "water").filter_map(|(_, value)| value.as_object());
        for (name, value) in within.flatten() {
            if ABOUT.contains(&name.as_str()) {
                digest.update(format!(".{name}={value}\n"));
            }
        }
        hex::encode(digest.finalize())
    }
}

/// What the director of a drill breaks (导调注入): the grammar of scripts with the moments of the drill's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// A series, device, dam, work, group of people, place or chainage.
    pub target: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Its size, in the unit of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// From here on.
    pub from: Timestamp,
    /// So many seconds; `None` to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<f64>,
}

/// The reading behind a signal, for the chain of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingRef {
    /// Series.
    pub series: SeriesId,
    /// In the unit of the series.
    pub value: f64,
    /// When the water was like this.
    pub at: Timestamp,
    /// Verdict of the checks, as its stored code.
    #[serde(with = "quality_code")]
    pub quality: Quality,
}

/// What somebody in the field reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldReport {
    /// `hazard`, `patrol`, `task`, `sos`.
    pub kind: ReportKind,
    /// Kind of hazard in the trigger language, or a free word for the others.
    #[serde(rename = "type")]
    pub type_: HazardKind,
    /// 1 一般, 2 较大, 3 重大.
    pub grade: u8,
    /// Where.
    pub place: Spot,
    /// When it was seen.
    pub observed_at: Timestamp,
    /// In own words.
    pub text: Option<String>,
    /// Ids of stored photos.
    pub photos: Vec<String>,
    /// The task it belongs to, if any.
    pub task: Option<TaskId>,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// 险情.
    Hazard,
    /// 巡查状态.
    Patrol,
    /// 任务回传.
    Task,
    /// 求救.
    Sos,
    /// 线索: from the public or a machine; counts for no rule until an officer takes it for a hazard.
    Tip,
}

pub(super) mod quality_code {
    use crate::model::Quality;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(quality: &Quality, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(quality.to_code())
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Quality, D::Error> {
        u16::deserialize(from).map(Quality::from_code)
    }
}

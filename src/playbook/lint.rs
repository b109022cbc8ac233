//! The examination of an edition, offline, before an officer signs it.

use super::condition::{Comparison, Condition};
use super::edition::{Expectation, Playbook};
use super::fault::{At, Words};
use super::instruction::Instruction;
use super::preview::preview;
use super::signal::SignalKey;
use crate::model::{Reach, Standing, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be looked at.
    Warning,
    /// The edition must not be used.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintItem {
    /// `no-deadline`, `nobody`, `gap`, ….
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// File of the edition.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// The row, empty where the finding is about none.
    pub code: String,
    /// 中文.
    pub message_zh: String,
    /// English.
    pub message_en: String,
}

impl fmt::Display for LintItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, severity, file, line, column, code, message_zh, message_en } = self;
        let word = if *severity == Severity::Error { "错误 error" } else { "注意 warning" };
        let code = if code.is_empty() { String::new() } else { format!("{code} ") };
        write!(f, "{file}:{line}:{column}: {word} [{rule}] {code}{message_zh} | {message_en}")
    }
}

/// Longest short message in characters, place holders as written.
const SMS_MAX: usize = 60;
/// Longest time to carry a row out, in min: a year.
const DEADLINE_MAX: u32 = 525_600;

struct Lint<'a> {
    playbook: &'a Playbook,
    items: Vec<LintItem>,
}

/// Examines an edition; with a reach also whether there are places and people for every row. Findings come in the order of
/// files and lines.
pub fn check(playbook: &Playbook, reach: Option<&Reach>) -> Vec<LintItem> {
    let mut lint = Lint { playbook, items: Vec::new() };
    for row in playbook.instructions() {
        lint.row(row);
    }
    lint.bands();
    lint.levels();
    lint.preauthorised();
    lint.cycles();
    if let Some(reach) = reach {
        lint.people(reach);
    }
    lint.expectations();
    lint.items.sort_by(|a, b| (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule)));
    lint.items
}

impl Lint<'_> {
    fn find(&mut self, at: &At, rule: &'static str, severity: Severity, code: &str, message: Words) {
        self.items.push(LintItem {
            rule,
            severity,
            file: at.file.to_string(),
            line: at.line,
            column: at.column,
            code: code.to_owned(),
            message_zh: message.zh,
            message_en: message.en,
        });
    }
    fn error(&mut self, row: &Instruction, rule: &'static str, zh: impl Into<String>, en: impl Into<String>) {
        self.find(&row.at, rule, Severity::Error, row.code.as_str(), Words::new(zh, en));
    }
    fn warning(&mut self, row: &Instruction, rule: &'static str, zh: impl Into<String>, en: impl Into<String>) {
        self.find(&row.at, rule, Severity::Warning, row.code.as_str(), Words::new(zh, en));
    }

    fn row(&mut self, row: &Instruction) {
        if row.deadline_min == 0 || row.deadline_min > DEADLINE_MAX {
            self.error(row, "no-deadline", "没有办结时限", "has no deadline");
        }
        let length = row.sms_zh.chars().count();
        if length > SMS_MAX {
            self.error(
                row,
                "sms-too-long",
                format!("短信 {length} 字，超过 {SMS_MAX} 字"),
                format!("its short message has {length} characters, more than {SMS_MAX}"),
            );
        }
        for holder in ["{place}", "{by}", "{call}"] {
            if !row.sms_zh.contains(holder) {
                self.warning(
                    row,
                    "sms-holder",
                    format!("短信缺少 {holder}"),
                    format!("its short message has no {holder}"),
                );
            }
        }
        for (text, zh, en) in [
            (&row.text_zh, "指令全文", "text"),
            (&row.title_zh, "标题", "title"),
            (&row.title_en, "英文标题", "English title"),
        ] {
            if text.trim().is_empty() {
                self.error(row, "no-text", format!("没有{zh}"), format!("has no {en}"));
            }
        }
        if row.evidence.is_empty() {
            self.error(row, "no-evidence", "没有规定回传凭据", "names no evidence");
        }
        self.repetition(row);
        self.reporting(row);
        self.authority(row);
        self.life_safety(row);
        if !self.playbook.levels().bands().iter().any(|band| band.code == row.band)
            && !["D", "H", "W"].contains(&row.band.as_str())
        {
            self.error(
                row,
                "unknown-band",
                format!("没有流量级 {}", row.band),
                format!("there is no band {}", row.band),
            );
        }
        if never_true(&row.trigger.condition) {
            self.find(
                &row.trigger.at,
                "never",
                Severity::Error,
                row.code.as_str(),
                Words::new("触发条件永远不成立", "its trigger can never be true"),
            );
        }
    }

    fn repetition(&mut self, row: &Instruction) {
        match (row.repeat_min, &row.stop_when) {
            (Some(0), _) => self.error(row, "repeat", "重复间隔为 0", "repeats every 0 minutes"),
            (Some(minutes), _) if row.deadline_min > minutes => self.warning(
                row,
                "repeat",
                format!("时限 {} 分钟长于重复间隔 {minutes} 分钟", row.deadline_min),
                format!("its deadline of {} min is longer than its interval of {minutes} min", row.deadline_min),
            ),
            _ => {}
        }
        if row.supersedes.contains(&row.code) {
            self.error(row, "supersedes", "替代了自己", "supersedes itself");
        }
    }

    fn reporting(&mut self, row: &Instruction) {
        if self.playbook.role(&row.role).is_some_and(|role| role.report_only) {
            self.error(
                row,
                "role",
                format!("{} 只接收报告，不执行任务", row.role),
                format!("{} is only reported to", row.role),
            );
        }
    }

    fn authority(&mut self, row: &Instruction) {
        let touches_works =
            ["works", "gate", "power", "traffic", "river", "material", "equipment"].contains(&row.category.as_str());
        if row.preauthorised && touches_works {
            self.error(
                row,
                "preauthorised",
                "预授权只限提醒、召回、转移人员，不得动工程、闸门、电力、交通",
                "only rows that warn, recall or move people may be preauthorised, never works, gates, power or traffic",
            );
        }
    }

    fn life_safety(&mut self, row: &Instruction) {
        if row.life_safety {
            return;
        }
        if row.retreat {
            self.error(
                row,
                "retreat",
                "retreat = true 的指令须同时 life_safety = true",
                "a row with retreat = true must have life_safety = true",
            );
        }
        if row.preauthorised {
            self.error(
                row,
                "life-safety",
                "预授权只限提醒、召回、转移人员的指令：须 life_safety = true",
                "only rows that warn, recall or move people may be preauthorised: life_safety = true is missing",
            );
        }
    }

    /// Bands of rows join without gap and overlap, and agree with `levels.toml`.
    fn bands(&mut self) {
        let bands: Vec<(String, f64)> =
            self.playbook.levels().bands().iter().map(|band| (band.code.clone(), band.from_m3s)).collect();
        for row in self.playbook.instructions() {
            let Some(index) = bands.iter().position(|(code, _)| *code == row.band) else { continue };
            let (from, to) = (bands.get(index).map(|band| band.1), bands.get(index + 1).map(|band| band.1));
            let min = f64::from(row.q_min_m3s);
            let max = row.q_max_m3s.map(f64::from);
            if from == Some(min) && max == to {
                continue;
            }
            let overlaps = from.is_some_and(|from| min < from)
                || max.zip(to).is_some_and(|(max, to)| max > to)
                || (max.is_none() && to.is_some());
            let (rule, zh, en) = if overlaps {
                ("overlap", "与相邻流量级重叠", "overlaps its neighbour")
            } else {
                ("gap", "与相邻流量级之间有空档", "leaves a gap to its neighbour")
            };
            let row = row.clone();
            self.error(
                &row,
                rule,
                format!("{} 的流量范围{zh}", row.band),
                format!("its range in band {} {en}", row.band),
            );
        }
    }

    fn levels(&mut self) {
        let levels = self.playbook.levels();
        let at = At { file: "levels.toml".into(), line: 1, column: 1 };
        let missing: Vec<_> =
            crate::model::WarningLevel::ALL.into_iter().skip(1).filter(|level| levels.rule(*level).is_none()).collect();
        for level in missing {
            self.find(
                &at,
                "level",
                Severity::Error,
                "",
                Words::new(format!("没有{}级", level.name_zh()), format!("level {level} is missing")),
            );
        }
    }

    fn preauthorised(&mut self) {
        let Some((expected, at)) = &self.playbook.parts().preauthorised else { return };
        let marked: BTreeSet<&str> =
            self.playbook.instructions().iter().filter(|row| row.preauthorised).map(|row| row.code.as_str()).collect();
        let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
        let differing: Vec<&str> = marked.symmetric_difference(&expected).copied().collect();
        if !differing.is_empty() {
            let names = differing.join(", ");
            let message = Words::new(
                format!("预授权清单与指令不符：{names}"),
                format!("the list of preauthorised rows disagrees with the rows: {names}"),
            );
            self.find(&at.clone(), "preauthorised", Severity::Error, "", message);
        }
    }

    /// A row that replaces itself through others would silence both.
    fn cycles(&mut self) {
        let rows = &self.playbook.parts().rows;
        let mut done = vec![false; rows.len()];
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        for start in 0..rows.len() {
            let mut path = Vec::new();
            visit(start, rows, &mut done, &mut path, &mut found);
        }
        for (row, through) in found {
            let names = |index: usize| self.playbook.instructions().get(index).cloned();
            if let (Some(row), Some(through)) = (names(row), names(through)) {
                self.error(
                    &row,
                    "supersedes-cycle",
                    format!("与 {} 互相替代", through.code),
                    format!("and {} supersede each other", through.code),
                );
            }
        }
    }

    fn people(&mut self, reach: &Reach) {
        let rows: Vec<Instruction> = self.playbook.instructions().to_vec();
        let mut told: BTreeSet<(String, String)> = BTreeSet::new();
        for row in &rows {
            let places = reach.places_of_scope(&row.scope);
            if places.is_empty() {
                if told.insert((String::new(), row.scope.clone())) {
                    self.error(
                        row,
                        "no-place",
                        format!("辖区里没有 {} 类地点", row.scope),
                        format!("the reach has no place of scope {}", row.scope),
                    );
                }
                continue;
            }
            let without = places.iter().filter(|place| reach.on_duty(&row.role, place).is_none()).count();
            if without > 0 && told.insert((row.role.clone(), row.scope.clone())) {
                self.error(
                    row,
                    "nobody",
                    format!("{} 在 {} 的 {without} 处没有值班人", row.role, row.scope),
                    format!("nobody is on duty as {} at {without} places of scope {}", row.role, row.scope),
                );
            }
        }
    }

    fn expectations(&mut self) {
        for expectation in &self.playbook.parts().expectations {
            for message in failures(self.playbook, expectation) {
                self.items.push(LintItem {
                    rule: "expectation",
                    severity: Severity::Error,
                    file: expectation.at.file.to_string(),
                    line: expectation.at.line,
                    column: expectation.at.column,
                    code: String::new(),
                    message_zh: message.zh,
                    message_en: message.en,
                });
            }
        }
    }
}

fn visit(
    row: usize,
    rows: &[super::compiled::CompiledRow],
    done: &mut [bool],
    path: &mut Vec<usize>,
    found: &mut BTreeMap<usize, usize>,
) {
    if path.contains(&row) {
        if let Some(last) = path.last() {
            found.insert(row, *last);
        }
        return;
    }
    if done.get(row).copied().unwrap_or(true) {
        return;
    }
    path.push(row);
    for next in rows.get(row).map(|row| row.supersedes.as_slice()).unwrap_or_default() {
        visit(*next, rows, done, path, found);
    }
    path.pop();
    if let Some(flag) = done.get_mut(row) {
        *flag = true;
    }
}

/// Whether an `and` asks one signal for two ranges that do not meet.
fn never_true(condition: &Condition) -> bool {
    match condition {
        Condition::Any(parts) => parts.iter().all(never_true),
        Condition::All(parts) => {
            let mut ranges: BTreeMap<&SignalKey, (f64, f64)> = BTreeMap::new();
            for part in parts {
                if let Condition::Compare { signal, comparison, threshold, .. } = part {
                    let range = ranges.entry(signal).or_insert((f64::NEG_INFINITY, f64::INFINITY));
                    match comparison {
                        Comparison::AtLeast | Comparison::Above => range.0 = range.0.max(*threshold),
                        Comparison::AtMost | Comparison::Below => range.1 = range.1.min(*threshold),
                        Comparison::Equal | Comparison::Unequal => {}
                    }
                }
            }
            parts.iter().any(never_true) || ranges.values().any(|(low, high)| low > high)
        }
        _ => false,
    }
}

/// Noon of a flood-season day: expectations speak of discharges, not of days.
fn expectation_day() -> Timestamp {
    chrono::DateTime::from_timestamp(1_658_376_000, 0).unwrap_or_default()
}

fn failures(playbook: &Playbook, expectation: &Expectation) -> Vec<Words> {
    let shape = &expectation.shape;
    let q = shape.discharge_m3s;
    let forecast = shape.forecast_m3s.map(|later| (0.0, later));
    let result = preview(playbook, &Reach::default(), q, forecast, expectation_day(), &Standing::default());
    let mut failed = Vec::new();
    let mut compare = |zh: &str, en: &str, expected: Option<String>, found: String| {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            failed.push(Words::new(
                format!("{q:.0} m³/s 时{zh}应为 {expected}，实为 {found}"),
                format!("at {q:.0} m³/s {en} should be {expected}, is {found}"),
            ));
        }
    };
    compare("级别", "the level", shape.level.map(|level| level.to_string()), result.level.to_string());
    compare("流量级", "the band", shape.band.clone(), result.band.clone());
    compare(
        "触发条数",
        "the number of fired rows",
        shape.fired.map(|count| count.to_string()),
        result.fired.to_string(),
    );
    compare(
        "替代后条数",
        "the number after supersedes",
        shape.standing.map(|count| count.to_string()),
        result.fires.len().to_string(),
    );
    compare(
        "待定条数",
        "the number of waiting rows",
        shape.waiting.map(|count| count.to_string()),
        result.waits.len().to_string(),
    );
    let fires: BTreeSet<&str> = result.fires.iter().map(|code| code.as_str()).collect();
    for code in &shape.fires {
        compare(
            code,
            code,
            Some("fired".into()),
            if fires.contains(code.as_str()) { "fired" } else { "silent" }.into(),
        );
    }
    for code in &shape.silent {
        compare(
            code,
            code,
            Some("silent".into()),
            if fires.contains(code.as_str()) { "fired" } else { "silent" }.into(),
        );
    }
    failed
}

//! What would happen at a discharge. Sends nothing, changes nothing.

use super::edition::Playbook;
use super::evaluate::{Situation, Verdict, World};
use super::fault::Words;
use super::instruction::Phase;
use super::snapshot::Snapshot;
use super::supersede::supersede_rows;
use super::truth::Truth;
use crate::model::{InstructionCode, PlaceId, Reach, Standing, Timestamp, WarningLevel};
use serde::Serialize;
use std::collections::BTreeSet;

/// A row that cannot be decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The row.
    pub code: InstructionCode,
    /// The signals that are missing.
    pub unknown: Vec<String>,
}

/// What a discharge would bring.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewResult {
    /// The level that the discharge or its forecast reaches.
    pub level: WarningLevel,
    /// Why, with the note that the bands are to be confirmed.
    pub reason: Words,
    /// The band of the discharge, empty below the first.
    pub band: String,
    /// How many rows are true, replaced ones included.
    pub fired: usize,
    /// Rows that are true and stand, in the order of rows.
    pub fires: Vec<InstructionCode>,
    /// Rows that are true but replaced by another.
    pub superseded: Vec<InstructionCode>,
    /// Rows that wait for a signal, an order or a report.
    pub waits: Vec<Waiting>,
    /// Rows that belong to another phase (before the season, stand-down).
    pub excluded: usize,
    /// One for each place of each standing row.
    pub tasks: Vec<(usize, PlaceId)>,
}

/// What a preview changes against the rows that are active now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// Fire newly.
    pub new: Vec<InstructionCode>,
    /// Fire newly and replace a row that is active now.
    pub changed: Vec<InstructionCode>,
    /// Active now and still.
    pub kept: Vec<InstructionCode>,
    /// Active now, not any more.
    pub withdrawn: Vec<InstructionCode>,
}

/// Shows a discharge: only it, its forecast (`(hours ahead, m³/s)`) and the season are taken as known; orders and hazards
/// that stand are counted, others may still come and make rows wait. An open flood event is assumed.
pub fn preview(
    playbook: &Playbook,
    reach: &Reach,
    q_m3s: f64,
    forecast: Option<(f64, f64)>,
    now: Timestamp,
    standing: &Standing,
) -> PreviewResult {
    let snapshot = Snapshot::at_discharge(now, q_m3s, forecast, &playbook.signals());
    let assumed = Standing { event_open: true, lowering: false, ..standing.clone() };
    let verdicts = Situation::new(playbook, &snapshot, &assumed, reach, World::Open).verdicts();
    let fired = rows_with(&verdicts, Truth::True);
    let stands = supersede_rows(&fired, playbook);
    let code = |row: &usize| playbook.instructions().get(*row).map(|row| row.code.clone());
    let (level, reason) = level_and_reason(playbook, q_m3s, forecast, &snapshot);
    PreviewResult {
        level,
        reason,
        band: playbook.levels().band_of(q_m3s).to_owned(),
        fired: fired.len(),
        fires: stands.iter().filter_map(code).collect(),
        superseded: fired.difference(&stands).filter_map(code).collect(),
        waits: waits(playbook, &verdicts, &fired),
        excluded: excluded(playbook),
        tasks: tasks(playbook, reach, &verdicts, &stands),
    }
}

fn rows_with(verdicts: &[Verdict], truth: Truth) -> BTreeSet<usize> {
    verdicts.iter().filter(|verdict| verdict.truth == truth).map(|verdict| verdict.row).collect()
}

fn excluded(playbook: &Playbook) -> usize {
    playbook.instructions().iter().filter(|row| matches!(row.phase, Phase::Prepare | Phase::Withdraw)).count()
}

fn waits(playbook: &Playbook, verdicts: &[Verdict], fired: &BTreeSet<usize>) -> Vec<Waiting> {
    let unknown = verdicts
        .iter()
        .filter(|verdict| verdict.truth.is_unknown() && verdict.place.is_none() && !fired.contains(&verdict.row));
    unknown
        .filter_map(|verdict| {
            let row = playbook.instructions().get(verdict.row)?;
            Some(Waiting { code: row.code.clone(), unknown: verdict.unknown.clone() })
        })
        .collect()
}

fn tasks(playbook: &Playbook, reach: &Reach, verdicts: &[Verdict], stands: &BTreeSet<usize>) -> Vec<(usize, PlaceId)> {
    let mut tasks = BTreeSet::new();
    for verdict in verdicts.iter().filter(|verdict| stands.contains(&verdict.row)) {
        let Some(row) = playbook.instructions().get(verdict.row) else { continue };
        match &verdict.place {
            None if verdict.truth.is_true() => {
                tasks.extend(reach.places_of_scope(&row.scope).iter().map(|place| (verdict.row, place.clone())));
            }
            None => {}
            Some(place) if verdict.truth.is_true() => {
                tasks.insert((verdict.row, place.clone()));
            }
            Some(place) => {
                tasks.remove(&(verdict.row, place.clone()));
            }
        }
    }
    tasks.into_iter().collect()
}

fn level_and_reason(
    playbook: &Playbook,
    q_m3s: f64,
    forecast: Option<(f64, f64)>,
    snapshot: &Snapshot,
) -> (WarningLevel, Words) {
    let levels = playbook.levels();
    let observed = levels.level_of(q_m3s);
    let reached = |rule: &&super::levels::LevelRule| {
        let key = super::signal::SignalKey::forecast(rule.forecast.within_h);
        snapshot.everywhere(&key).is_some_and(|value| value >= rule.forecast.at_least_m3s)
    };
    let ahead = levels.rules().iter().rev().find(reached);
    let note = levels.note();
    match (ahead, forecast) {
        (Some(rule), Some((ahead_h, later_m3s))) if rule.level > observed => (
            rule.level,
            Words::new(
                format!(
                    "预报 {ahead_h:.0} 小时后 {later_m3s:.0} m³/s，达到{} {:.0} m³/s。{}",
                    rule.level.name_zh(),
                    rule.forecast.at_least_m3s,
                    note.zh
                ),
                format!(
                    "forecast {later_m3s:.0} m³/s in {ahead_h:.0} h reaches {} at {:.0} m³/s. {}",
                    rule.level, rule.forecast.at_least_m3s, note.en
                ),
            ),
        ),
        _ => match levels.rule(observed) {
            Some(rule) => (
                observed,
                Words::new(
                    format!(
                        "推演流量 {q_m3s:.0} m³/s 达到{} {:.0} m³/s。{}",
                        observed.name_zh(),
                        rule.observed.at_least_m3s,
                        note.zh
                    ),
                    format!(
                        "assumed {q_m3s:.0} m³/s reaches {observed} at {:.0} m³/s. {}",
                        rule.observed.at_least_m3s, note.en
                    ),
                ),
            ),
            None => (
                observed,
                Words::new(
                    format!("推演流量 {q_m3s:.0} m³/s 低于各级阈值。{}", note.zh),
                    format!("assumed {q_m3s:.0} m³/s is below every threshold. {}", note.en),
                ),
            ),
        },
    }
}

impl PreviewResult {
    /// What changes against the rows that are active now.
    pub fn diff(&self, playbook: &Playbook, active: &BTreeSet<InstructionCode>) -> Diff {
        let replaces_active = |code: &InstructionCode| {
            let row = playbook.instruction(code);
            row.is_some_and(|row| row.supersedes.iter().any(|replaced| active.contains(replaced)))
        };
        let mut diff = Diff::default();
        for code in &self.fires {
            match (active.contains(code), replaces_active(code)) {
                (true, _) => diff.kept.push(code.clone()),
                (false, true) => diff.changed.push(code.clone()),
                (false, false) => diff.new.push(code.clone()),
            }
        }
        diff.withdrawn = active.iter().filter(|code| !self.fires.contains(code)).cloned().collect();
        diff
    }
}

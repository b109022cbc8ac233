//! Levels proposed from the discharge, with hysteresis. The engine proposes; a person confirms.
//!
//! Raising follows the observed discharge at once (or after its hold) and the forecast after its hold. Lowering goes one
//! level at a time, only on an observed discharge below the clear threshold for the whole hold, and never while the
//! forecast still reaches the level: a lower forecast alone never lowers, an unknown discharge holds everything.

use super::fault::Words;
use super::signal::SignalKey;
use super::snapshot::Snapshot;
use crate::model::{Timestamp, WarningLevel};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Raises on the observed discharge.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedTrigger {
    /// From this discharge, in m³/s.
    pub at_least_m3s: f64,
    /// For this long, in s; 0 raises at once.
    pub hold_s: u32,
}

/// Raises on the forecast discharge.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastTrigger {
    /// From this forecast discharge, in m³/s.
    pub at_least_m3s: f64,
    /// Within this many hours.
    pub within_h: u32,
    /// For this long, in s.
    pub hold_s: u32,
}

/// Proposes to lower.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearRule {
    /// Below this observed discharge, in m³/s.
    pub below_m3s: f64,
    /// For this long, in s.
    pub hold_s: u32,
    /// For this long, in s, where no forecast is known.
    pub hold_without_forecast_s: u32,
}

/// When the level goes up and down too often to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlappingRule {
    /// This many changes …
    pub changes: usize,
    /// … within this time, in s …
    pub window_s: u32,
    /// … multiply the hold of every lowering by this.
    pub hold_factor: u32,
}

/// One level with its thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelRule {
    /// Which.
    pub level: WarningLevel,
    /// Observed trigger.
    pub observed: ObservedTrigger,
    /// Forecast trigger.
    pub forecast: ForecastTrigger,
    /// How it is lowered.
    pub clear: ClearRule,
}

/// A band of discharges (流量级) that groups instructions.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// `P`, `B4`, ….
    pub code: String,
    /// Lower end in m³/s; the next band's lower end is its upper.
    pub from_m3s: f64,
}

/// What moved the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// 实测.
    Observed,
    /// 预报.
    Forecast,
}

/// Why a level is proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelCause {
    /// Observed or forecast.
    pub kind: CauseKind,
    /// The signal, `q` or `qf(24)`.
    pub signal: SignalKey,
    /// Its value in m³/s.
    pub value: f64,
    /// The threshold that it passed, in m³/s.
    pub threshold: f64,
}

/// A change that waits for its hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingChange {
    /// The level to come.
    pub to: WarningLevel,
    /// Since when its condition has held without a break.
    pub since: Timestamp,
}

/// A change that was proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelChange {
    /// When.
    pub at: Timestamp,
    /// To which level.
    pub to: WarningLevel,
}

/// The memory of [`Levels::observe`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LevelState {
    /// The level proposed now.
    pub proposed: WarningLevel,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Why; `None` for no level.
    pub cause: Option<LevelCause>,
    /// Rises that wait for their hold, by level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rising: Vec<PendingChange>,
    /// A lowering that waits for its hold.
    pub pending: Option<PendingChange>,
    /// Whether it changes too often.
    pub flapping: bool,
    /// Changes of the flapping window, oldest first, at most [`RECENT_MAX`].
    pub recent: Vec<LevelChange>,
}

/// Most changes kept in [`LevelState::recent`].
pub const RECENT_MAX: usize = 16;

/// The levels of an edition.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    pub(super) rules: Vec<LevelRule>,
    pub(super) bands: Vec<Band>,
    pub(super) flapping: FlappingRule,
    pub(super) note: Words,
}

struct Seen {
    level: WarningLevel,
    cause: LevelCause,
    hold_s: u32,
}

impl Levels {
    pub(super) const EMPTY: Self = Self {
        rules: Vec::new(),
        bands: Vec::new(),
        flapping: FlappingRule { changes: usize::MAX, window_s: 0, hold_factor: 1 },
        note: Words { zh: String::new(), en: String::new() },
    };
    /// The rules, rising.
    pub fn rules(&self) -> &[LevelRule] {
        &self.rules
    }
    /// The bands, rising.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }
    /// That these are default bands after the basin plan, to be confirmed by the district headquarters.
    pub fn note(&self) -> &Words {
        &self.note
    }
    /// The band of a discharge in m³/s, empty below the first.
    pub fn band_of(&self, q_m3s: f64) -> &str {
        self.bands.iter().rev().find(|band| q_m3s >= band.from_m3s).map_or("", |band| &band.code)
    }
    /// The level whose observed trigger a discharge in m³/s reaches.
    pub fn level_of(&self, q_m3s: f64) -> WarningLevel {
        let reached = self.rules.iter().rev().find(|rule| q_m3s >= rule.observed.at_least_m3s);
        reached.map_or(WarningLevel::None, |rule| rule.level)
    }
    /// The rule of a level; none for [`WarningLevel::None`].
    pub fn rule(&self, level: WarningLevel) -> Option<&LevelRule> {
        self.rules.iter().find(|rule| rule.level == level)
    }
    /// Every signal that the levels need.
    pub fn signals(&self) -> Vec<SignalKey> {
        let mut keys = vec![SignalKey::discharge()];
        keys.extend(self.rules.iter().map(|rule| SignalKey::forecast(rule.forecast.within_h)));
        keys.sort();
        keys.dedup();
        keys
    }

    /// Judges one snapshot. Pure: the same state, moment and snapshot give the same state.
    #[must_use]
    pub fn observe(&self, state: &LevelState, now: Timestamp, snapshot: &Snapshot) -> LevelState {
        let mut next = state.clone();
        let window = TimeDelta::seconds(i64::from(self.flapping.window_s));
        next.recent.retain(|change| now - change.at <= window);
        next.flapping = next.recent.len() >= self.flapping.changes;
        if self.raise(&mut next, now, snapshot) {
            next.pending = None;
        } else {
            self.lower(&mut next, now, snapshot);
        }
        next.flapping = next.recent.len() >= self.flapping.changes;
        next
    }

    fn raise(&self, state: &mut LevelState, now: Timestamp, snapshot: &Snapshot) -> bool {
        let higher: Vec<Seen> = self.seen(snapshot).into_iter().filter(|seen| seen.level > state.proposed).collect();
        let since_of = |level: WarningLevel| {
            let known = state.rising.iter().find(|rising| rising.to == level);
            known.map_or(now, |rising| rising.since)
        };
        let mut rising: Vec<PendingChange> = Vec::new();
        for seen in &higher {
            if rising.iter().all(|other| other.to != seen.level) {
                rising.push(PendingChange { to: seen.level, since: since_of(seen.level) });
            }
        }
        let held_s = |level: WarningLevel| (now - since_of(level)).num_seconds();
        let ready = higher
            .into_iter()
            .filter(|seen| held_s(seen.level) >= i64::from(seen.hold_s))
            .max_by_key(|seen| seen.level);
        state.rising = rising;
        let Some(ready) = ready else { return false };
        state.rising.retain(|rising| rising.to > ready.level);
        state.cause = Some(ready.cause);
        state.change_to(ready.level, now);
        true
    }

    /// What each trigger says now, observed before forecast.
    fn seen(&self, snapshot: &Snapshot) -> Vec<Seen> {
        let mut seen = Vec::new();
        for rule in &self.rules {
            let triggers = [
                (
                    CauseKind::Forecast,
                    SignalKey::forecast(rule.forecast.within_h),
                    rule.forecast.at_least_m3s,
                    rule.forecast.hold_s,
                ),
                (CauseKind::Observed, SignalKey::discharge(), rule.observed.at_least_m3s, rule.observed.hold_s),
            ];
            for (kind, signal, threshold, hold_s) in triggers {
                if let Some(value) = snapshot.everywhere(&signal)
                    && value >= threshold
                {
                    let cause = LevelCause { kind, signal, value, threshold };
                    seen.push(Seen { level: rule.level, cause, hold_s });
                }
            }
        }
        seen
    }

    fn lower(&self, state: &mut LevelState, now: Timestamp, snapshot: &Snapshot) {
        let Some(rule) = self.rule(state.proposed) else {
            state.pending = None;
            return;
        };
        let Some(q) = snapshot.everywhere(&SignalKey::discharge()) else {
            // Not known: the level stands, and the time without a value does not count towards the hold.
            state.pending = None;
            return;
        };
        let forecast = snapshot.everywhere(&SignalKey::forecast(rule.forecast.within_h));
        let comes_back = forecast.is_some_and(|value| value >= rule.forecast.at_least_m3s);
        if q >= rule.clear.below_m3s || comes_back {
            state.pending = None;
            return;
        }
        let is_foreseen = snapshot.certain(&SignalKey::forecast(rule.forecast.within_h)).is_some();
        let hold_s = if is_foreseen { rule.clear.hold_s } else { rule.clear.hold_without_forecast_s };
        let factor = if state.flapping { self.flapping.hold_factor } else { 1 };
        let since = state.pending.as_ref().map_or(now, |pending| pending.since);
        let to = self.below(state.proposed);
        if (now - since).num_seconds() < i64::from(hold_s) * i64::from(factor) {
            state.pending = Some(PendingChange { to, since });
            return;
        }
        state.pending = None;
        state.cause = (to != WarningLevel::None).then(|| LevelCause {
            kind: CauseKind::Observed,
            signal: SignalKey::discharge(),
            value: q,
            threshold: rule.clear.below_m3s,
        });
        state.change_to(to, now);
    }

    /// The next lower level that has a rule.
    fn below(&self, level: WarningLevel) -> WarningLevel {
        self.rules.iter().rev().map(|rule| rule.level).find(|other| *other < level).unwrap_or_default()
    }

    /// Why the state proposes what it proposes.
    pub fn reason(&self, state: &LevelState) -> Words {
        let Some(cause) = &state.cause else {
            return Words::new("流量低于各级阈值", "the discharge is below every threshold");
        };
        let LevelCause { kind, signal, value, threshold } = cause;
        let (kind_zh, kind_en) = match kind {
            CauseKind::Observed => ("实测".to_owned(), "observed".to_owned()),
            CauseKind::Forecast => match signal.number(0) {
                Some(hours) => (format!(" {hours} 小时内预报"), format!("{hours} h forecast")),
                None => ("预报".to_owned(), "forecast".to_owned()),
            },
        };
        let (sign_zh, sign_en) = if value >= threshold { ("达到", "reaches") } else { ("低于", "is below") };
        Words::new(
            format!("花园口{kind_zh}流量 {value:.0} m³/s {sign_zh} {threshold:.0} m³/s。{}", self.note.zh),
            format!(
                "{kind_en} discharge at Huayuankou {value:.0} m³/s {sign_en} {threshold:.0} m³/s. {}",
                self.note.en
            ),
        )
    }
}

impl LevelState {
    fn change_to(&mut self, level: WarningLevel, now: Timestamp) {
        self.proposed = level;
        self.since = Some(now);
        self.recent.push(LevelChange { at: now, to: level });
        let surplus = self.recent.len().saturating_sub(RECENT_MAX);
        self.recent.drain(..surplus);
    }
}

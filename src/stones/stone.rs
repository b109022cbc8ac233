//! One stone: what it last told, and what that makes of it.

use super::StoneSettings;
use crate::model::{Observation, StoneState, Timestamp};
use chrono::TimeDelta;
use std::collections::VecDeque;

/// Turns kept for `move_within_s`; when full the oldest goes.
const TURNS_MAX: usize = 256;
/// Share of a new quiet peak in the usual one.
const USUAL_SHARE: f64 = 0.05;

/// The state of a stone in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoneWord {
    /// 静止.
    Still,
    /// 失联: not heard.
    Silent,
    /// 振动.
    Shaking,
    /// 断线: the terminal says that its line is cut.
    CutLine,
    /// 位移.
    Moved,
    /// 走失: moved, and then its line was cut.
    Lost,
}

impl StoneWord {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        ["still", "silent", "shaking", "cut-line", "moved", "lost"].get(self as usize).copied().unwrap_or("silent")
    }
    /// 静止、失联、振动、断线、位移、走失.
    pub fn name_zh(self) -> &'static str {
        ["静止", "失联", "振动", "断线", "位移", "走失"].get(self as usize).copied().unwrap_or("失联")
    }
}

/// Memory of one stone.
#[derive(Debug, Clone, Default)]
pub(super) struct Stone {
    heard_at: Option<Timestamp>,
    line_cut: bool,
    rest: [Option<f64>; 3],
    now: [Option<f64>; 3],
    turns: VecDeque<(Timestamp, f64)>,
    beyond: u8,
    turned_to: Option<f64>,
    offset_since: Option<Timestamp>,
    moved: bool,
    usual_peak: Option<f64>,
    bursts: u8,
    quiet: u8,
    shaking: bool,
    pub(super) alarmed_at: Option<Timestamp>,
}

impl Stone {
    /// Takes one usable value of the stone.
    pub(super) fn take(&mut self, seen: &Observation, settings: &StoneSettings) {
        let value = seen.value;
        if seen.series.quantity() == "line_state" {
            self.line_cut = value >= 1.5;
            if value < 0.5 {
                self.hear(seen.at);
            }
            return;
        }
        self.hear(seen.at);
        match seen.series.quantity() {
            "tilt_x" => self.tilt(0, value),
            "tilt_y" => self.tilt(1, value),
            "tilt_z" => {
                self.tilt(2, value);
                self.turn(seen.at, settings); // The last of the three in the block: the turn is whole now.
            }
            "acc_peak" => self.shake(value, settings),
            _ => {}
        }
        if self.moved || self.shaking {
            self.alarmed_at = self.alarmed_at.max(Some(seen.at));
        }
    }

    fn hear(&mut self, at: Timestamp) {
        self.heard_at = self.heard_at.max(Some(at));
    }

    fn tilt(&mut self, axis: usize, value: f64) {
        if let (Some(now), Some(rest)) = (self.now.get_mut(axis), self.rest.get_mut(axis)) {
            *now = Some(value);
            rest.get_or_insert(value);
        }
    }

    /// Degrees away from rest over all axes, each taken the short way round.
    fn away(&self) -> Option<f64> {
        let axes = self.now.iter().zip(&self.rest).map(|(now, rest)| {
            let turned = (now.as_ref()? - rest.as_ref()?).rem_euclid(360.0);
            Some(turned.min(360.0 - turned).powi(2))
        });
        axes.sum::<Option<f64>>().map(f64::sqrt)
    }

    fn turn(&mut self, at: Timestamp, settings: &StoneSettings) {
        let Some(away) = self.away() else { return };
        let span = |seconds: f64| TimeDelta::milliseconds((seconds * 1000.0) as i64);
        while self.turns.front().is_some_and(|(old, _)| at - *old > span(settings.move_within_s))
            || self.turns.len() >= TURNS_MAX
        {
            self.turns.pop_front();
        }
        let farthest = self.turns.iter().map(|(_, before)| (away - before).abs()).fold(0.0, f64::max);
        let agrees = self.turned_to.is_some_and(|before| (away - before).abs() < settings.move_deg / 2.0);
        self.beyond = match farthest >= settings.move_deg {
            true if agrees => self.beyond.saturating_add(1),
            true => 1,
            false => 0,
        };
        self.turned_to = (self.beyond > 0).then_some(away);
        let turned = self.beyond >= settings.move_values;
        if self.beyond == 0 || turned {
            self.turns.push_back((at, away)); // A lone wild value is nothing that a later one could have turned from.
        }
        self.offset_since = (away >= settings.offset_deg).then(|| self.offset_since.unwrap_or(at));
        let lasting = self.offset_since.is_some_and(|since| at - since >= span(settings.offset_for_s));
        let still_away = self.moved && away >= settings.offset_deg;
        self.moved = turned || lasting || still_away;
    }

    fn shake(&mut self, peak: f64, settings: &StoneSettings) {
        let usual = *self.usual_peak.get_or_insert(peak.min(settings.shake_floor_ms2));
        let burst = peak > settings.shake_floor_ms2.max(usual * settings.shake_times_usual);
        if burst {
            (self.bursts, self.quiet) = (self.bursts.saturating_add(1), 0);
        } else {
            (self.bursts, self.quiet) = (0, self.quiet.saturating_add(1));
            self.usual_peak = Some(usual + USUAL_SHARE * (peak - usual));
        }
        if self.bursts >= settings.shake_windows {
            self.shaking = true;
        } else if self.quiet >= settings.shake_windows {
            self.shaking = false;
        }
    }

    pub(super) fn word(&self, now: Timestamp, settings: &StoneSettings) -> StoneWord {
        let age = |at: Timestamp| (now - at).num_milliseconds() as f64 / 1000.0;
        match (self.moved, self.line_cut) {
            (true, true) => StoneWord::Lost,
            (true, false) => StoneWord::Moved,
            (false, true) => StoneWord::CutLine,
            _ if self.heard_at.is_none_or(|at| age(at) > settings.silent_after_s) => StoneWord::Silent,
            _ if self.shaking => StoneWord::Shaking,
            _ => StoneWord::Still,
        }
    }

    /// `since` is the time from which a stone that was never heard should have been.
    pub(super) fn state(&self, since: Timestamp) -> StoneState {
        StoneState {
            at: self.heard_at.unwrap_or(since),
            shakes: self.shaking,
            moves: self.moved,
            tilt_deg: self.away(),
        }
    }
}

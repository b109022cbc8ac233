//! One stone: what it last told, and what that makes of it.

use super::StoneSettings;
use crate::model::{Observation, StoneState, Timestamp};
use chrono::TimeDelta;
use std::collections::VecDeque;

/// Turns kept for `move_within_s`; when full the oldest goes.
const TURNS_MAX: usize = 256;
/// Share of a new quiet peak in the usual one.
const USUAL_SHARE: f64 = 0.05;
/// Values of an axis from which the first rest is taken.
const FIRST_VALUES: usize = 5;
/// The rest follows values that lie no further off than this, degrees …
const FOLLOWS_DEG: f64 = 2.0;
/// … by this share of each, about half a day at one value a minute.
const REST_SHARE: f64 = 0.001;
/// Share of a new value in the noise.
const NOISE_SHARE: f64 = 0.01;

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
    cut_since: Option<Timestamp>,
    /// First values of each axis; their middle is the first rest.
    first: [Vec<f64>; 3],
    rest: [Option<f64>; 3],
    /// Mean |value - rest| while at rest, degrees: its own noise.
    noise_deg: f64,
    leaning_since: Option<Timestamp>,
    leaning: bool,
    moved_since: Option<Timestamp>,
    burst_since: Option<Timestamp>,
    last_burst: Option<Timestamp>,
    last_turn: Option<Timestamp>,
    first_sign: Option<Timestamp>,
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
    torn_within: TimeDelta,
    pub(super) alarmed_at: Option<Timestamp>,
}

fn span(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

impl Stone {
    /// Takes one usable value of the stone.
    pub(super) fn take(&mut self, seen: &Observation, settings: &StoneSettings) {
        let value = seen.value;
        if seen.series.quantity() == "line_state" {
            self.line_cut = value >= 1.5;
            self.cut_since = self.line_cut.then(|| self.cut_since.unwrap_or(seen.at));
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
            "acc_peak" => self.shake(seen.at, value, settings),
            _ => {}
        }
        self.note_signs(seen.at, settings);
        if self.moved || self.shaking {
            self.alarmed_at = self.alarmed_at.max(Some(seen.at));
        }
    }

    fn hear(&mut self, at: Timestamp) {
        self.heard_at = self.heard_at.max(Some(at));
    }

    /// The rest is the middle of the first few values, so that one wild value at the start is no rest; later it follows
    /// slowly (temperature, settling) while the stone lies still.
    fn tilt(&mut self, axis: usize, value: f64) {
        let (Some(now), Some(rest), Some(first)) =
            (self.now.get_mut(axis), self.rest.get_mut(axis), self.first.get_mut(axis))
        else {
            return;
        };
        *now = Some(value);
        if first.len() < FIRST_VALUES {
            rest.get_or_insert(value);
            first.push(value);
            if first.len() == FIRST_VALUES {
                first.sort_by(f64::total_cmp);
                *rest = first.get(FIRST_VALUES / 2).copied();
            }
        } else if let Some(rest) = rest {
            let off = value - *rest;
            if !self.moved && !self.leaning && off.abs() < FOLLOWS_DEG {
                *rest += REST_SHARE * off;
            }
        }
    }

    /// Since when what it shows has been showing; forgotten when it shows nothing any more.
    fn note_signs(&mut self, at: Timestamp, settings: &StoneSettings) {
        self.moved_since = self.moved.then(|| self.moved_since.unwrap_or(at));
        let shows = self.moved || self.leaning || self.shaking || self.bursts > 0 || self.beyond > 0;
        let lately = [self.last_burst, self.last_turn].into_iter().flatten().max();
        let is_recent = lately.is_some_and(|last| span(settings.torn_within_s) >= at - last);
        if shows {
            let began = [self.burst_since.filter(|_| self.bursts > 0 || self.shaking), self.leaning_since];
            let began = began.into_iter().flatten().min().unwrap_or(at);
            self.first_sign.get_or_insert(began);
        } else if !is_recent && self.leaning_since.is_none() {
            self.first_sign = None;
        }
    }

    /// Leans by more than its noise for long enough, without having turned.
    fn lean(&mut self, at: Timestamp, away: f64, settings: &StoneSettings) {
        let limit = settings.lean_deg.max(8.0 * self.noise_deg);
        if away < limit && !self.leaning {
            self.noise_deg += NOISE_SHARE * (away - self.noise_deg);
        }
        self.leaning_since = (away >= limit).then(|| self.leaning_since.unwrap_or(at));
        self.leaning = self.leaning_since.is_some_and(|since| at - since >= span(settings.lean_for_s));
    }

    /// Its place is where it lies now: what it showed before is over.
    pub(super) fn settle(&mut self) {
        for (now, rest) in self.now.iter().zip(&mut self.rest) {
            *rest = now.or(*rest);
        }
        self.turns.clear();
        (self.moved, self.leaning, self.beyond, self.turned_to, self.offset_since) = (false, false, 0, None, None);
        (self.moved_since, self.leaning_since, self.first_sign) = (None, None, None);
        (self.last_burst, self.last_turn) = (None, None);
    }

    pub(super) fn is_moved(&self) -> bool {
        self.moved
    }
    pub(super) fn moved_since(&self) -> Option<Timestamp> {
        self.moved_since
    }
    pub(super) fn is_shaking(&self) -> bool {
        self.shaking && !self.line_cut
    }
    pub(super) fn shaking_since(&self) -> Option<Timestamp> {
        self.burst_since
    }
    pub(super) fn is_leaning(&self) -> bool {
        self.leaning && !self.line_cut
    }
    pub(super) fn leaning_since(&self) -> Option<Timestamp> {
        self.leaning_since
    }
    pub(super) fn cut_since(&self) -> Option<Timestamp> {
        self.cut_since
    }
    pub(super) fn first_sign(&self) -> Option<Timestamp> {
        self.first_sign
    }
    /// Lost: its line is cut, and it moved, shook hard or turned just before. A line that is cut in peace is a line.
    pub(super) fn is_torn(&self) -> bool {
        self.cut_since.is_some_and(|cut| {
            let lately = [self.last_burst, self.last_turn].into_iter().flatten().max();
            self.moved || lately.is_some_and(|last| cut - last <= self.torn_within)
        })
    }
    /// Whether it was heard lately, or is not due yet: it is listened to since `since`.
    pub(super) fn is_heard_since(&self, since: Timestamp, now: Timestamp, settings: &StoneSettings) -> bool {
        now - self.heard_at.map_or(since, |at| at.max(since)) <= span(settings.silent_after_s)
    }
    pub(super) fn is_heard(&self, now: Timestamp, settings: &StoneSettings) -> bool {
        self.heard_at.is_some_and(|at| now - at <= span(settings.silent_after_s))
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
        self.lean(at, away, settings);
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
        if self.beyond > 0 {
            self.last_turn = Some(at);
            self.torn_within = span(settings.torn_within_s);
        }
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

    fn shake(&mut self, at: Timestamp, peak: f64, settings: &StoneSettings) {
        let usual = *self.usual_peak.get_or_insert(peak.min(settings.shake_floor_ms2));
        let burst = peak > settings.shake_floor_ms2.max(usual * settings.shake_times_usual);
        if burst {
            self.burst_since = Some(if self.bursts > 0 { self.burst_since.unwrap_or(at) } else { at });
            self.last_burst = Some(at);
            self.torn_within = span(settings.torn_within_s);
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

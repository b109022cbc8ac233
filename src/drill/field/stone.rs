//! What a virtual smart stone measures: at rest by default, otherwise as its faults say. Invented, never a record.

use super::faults::Inject;
use super::noise::noise;
use crate::model::{FaultKind, Timestamp};

/// The tilts of a stone at rest, in degrees: none lies quite level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    x: f64,
    y: f64,
    z: f64,
}

impl Rest {
    pub(super) fn of(seed: u64, id: &str) -> Self {
        let draw = |quantity, spread| spread * noise(seed, &[id, ".", quantity, ".rest"], 0);
        Self { x: draw("tilt_x", 4.0), y: draw("tilt_y", 4.0), z: draw("tilt_z", 30.0) }
    }
}

/// A stone at a moment.
pub(super) struct StoneMoment<'a> {
    pub(super) seed: u64,
    pub(super) id: &'a str,
    /// How it lies when nothing has moved it.
    pub(super) rest: Rest,
    pub(super) now: Timestamp,
    /// m³/s at Huayuankou: fast water shakes a little.
    pub(super) discharge_m3s: f64,
    /// Faults that hold, each with its beginning.
    pub(super) faults: &'a [(&'a Inject, Timestamp)],
}

impl StoneMoment<'_> {
    /// The value of a quantity of the profile `smart-stone`; NaN when the stone gives none.
    pub(super) fn value(&self, quantity: &str) -> f64 {
        let line = self.line_state();
        if quantity == "line_state" {
            return line;
        }
        if line > 0.0 {
            return f64::NAN;
        }
        let frozen = self.fault(FaultKind::Frozen).map(|(_, since)| since);
        let second = frozen.unwrap_or(self.now).timestamp();
        match quantity {
            "tilt_x" => self.rest.x + self.roll() + self.draw("tilt_x", second) * 0.05,
            "tilt_y" => self.rest.y + self.roll() * 0.4 + self.draw("tilt_y", second) * 0.05,
            "tilt_z" => self.rest.z + self.roll() * 0.2 + self.draw("tilt_z", second) * 0.1,
            "acc_rms" => {
                self.shake() * 0.4 + 0.01 + self.discharge_m3s * 1e-6 + self.draw("acc_rms", second).abs() * 0.004
            }
            "acc_peak" => self.shake() + 0.03 + self.discharge_m3s * 3e-6 + self.draw("acc_peak", second).abs() * 0.01,
            "displacement_class" => displacement_class(self.roll()),
            "supply" => self.supply() + self.draw("supply", second) * 0.02,
            "temperature" => 24.0 + self.draw("temperature", second / 600) * 0.5,
            "sequence" => second.div_euclid(60).rem_euclid(65_535) as f64,
            _ => f64::NAN,
        }
    }

    fn draw(&self, quantity: &str, second: i64) -> f64 {
        noise(self.seed, &[self.id, ".", quantity], second)
    }
    fn fault(&self, kind: FaultKind) -> Option<(&Inject, Timestamp)> {
        self.faults.iter().copied().find(|(inject, _)| inject.kind == kind)
    }
    fn seconds(&self, since: Timestamp) -> f64 {
        (self.now - since).num_milliseconds() as f64 / 1000.0
    }

    /// 0 sound, 1 no answer, 2 cut; a breach tears the cable after two minutes.
    fn line_state(&self) -> f64 {
        let torn = self.fault(FaultKind::Breach).is_some_and(|(_, since)| self.seconds(since) >= 120.0);
        if torn || self.fault(FaultKind::Comms).is_some() {
            2.0
        } else if self.fault(FaultKind::Dead).is_some() {
            1.0
        } else {
            0.0
        }
    }
    /// Degrees turned away from rest.
    fn roll(&self) -> f64 {
        let spike = self.fault(FaultKind::Spike).map_or(0.0, |(inject, _)| inject.value.unwrap_or(25.0));
        let drift = self
            .fault(FaultKind::Drift)
            .map_or(0.0, |(inject, since)| inject.value.unwrap_or(20.0) * self.seconds(since) / 3600.0);
        let breach = self.fault(FaultKind::Breach).map_or(0.0, |(inject, _)| inject.value.unwrap_or(60.0));
        (spike + drift + breach).clamp(-170.0, 170.0)
    }
    /// m/s² of extra peak.
    fn shake(&self) -> f64 {
        let shake = self.fault(FaultKind::Shake).map_or(0.0, |(inject, _)| inject.value.unwrap_or(6.0));
        shake + if self.fault(FaultKind::Breach).is_some() { 12.0 } else { 0.0 }
    }
    fn supply(&self) -> f64 {
        self.fault(FaultKind::Power).map_or(12.6, |(inject, _)| inject.value.unwrap_or(9.0))
    }
}

/// 0 none, 1 slight, 2 clear, 3 gone.
fn displacement_class(roll_deg: f64) -> f64 {
    [5.0, 15.0, 45.0].iter().filter(|limit| roll_deg.abs() > **limit).count() as f64
}

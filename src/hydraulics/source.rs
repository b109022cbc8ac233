//! Water that comes from outside without passing the rim: inflow lines and rain.
//!
//! In: discharges and rain of a case. Out: depth added to cells. What single precision cannot add in one step is carried to
//! the next in double precision, so that no volume is lost to rounding.

use super::case::Case;
use super::grid::{Cell, Layout, Water};

/// Rain is added when this much has gathered, m: less would drown in the rounding of deep water.
const RAIN_PORTION_M: f64 = 1e-4;

/// A cell that takes part of an inflow.
#[derive(Debug, Clone, PartialEq)]
struct Spring {
    inflow: usize,
    at: usize,
    cell: Cell,
    share: f64,
    /// Depth not yet added, m.
    owed_m: f64,
}

/// All sources of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sources {
    springs: Vec<Spring>,
    rain_owed_m: f64,
}

impl Sources {
    pub(super) fn new(case: &Case, layout: &Layout) -> Self {
        let mut springs = Vec::new();
        for (inflow, source) in case.inflows.iter().enumerate() {
            let cells: Vec<(Cell, f64)> =
                case.grid.cells_along(&source.line).into_iter().filter(|(cell, _)| case.is_ground(*cell)).collect();
            let length: f64 = cells.iter().map(|(_, length)| length).sum();
            for (cell, part) in &cells {
                let share = if length > 0.0 { part / length } else { 1.0 / cells.len() as f64 };
                springs.push(Spring { inflow, at: layout.at(*cell), cell: *cell, share, owed_m: 0.0 });
            }
        }
        Self { springs, rain_owed_m: 0.0 }
    }

    /// Fastest rise by sources from now to `until_s`, m/s: bounds the time step on dry ground.
    pub(super) fn fastest_rise_ms(&self, case: &Case, time_s: f64, until_s: f64) -> f64 {
        let area = case.grid.cell_area_m2();
        let springs = self.springs.iter().map(|spring| {
            let rate =
                case.inflows.get(spring.inflow).map_or(0.0, |inflow| inflow.discharge_m3s.highest_in(time_s, until_s));
            rate * spring.share / area
        });
        springs.fold(0.0, f64::max)
    }

    /// Adds what enters from `time_s` on during `dt_s`; tells which cells woke. Returns the volume, m³.
    pub(super) fn add(&mut self, case: &Case, water: &mut Water, span: (f64, f64), mut woke: impl FnMut(Cell)) -> f64 {
        let area = case.grid.cell_area_m2();
        let (time_s, dt_s) = span;
        let mut volume = 0.0;
        let volumes: Vec<f64> =
            case.inflows.iter().map(|inflow| inflow.discharge_m3s.integral(time_s, time_s + dt_s)).collect();
        for spring in &mut self.springs {
            let entered = volumes.get(spring.inflow).copied().unwrap_or(0.0) * spring.share;
            volume += entered;
            spring.owed_m += entered / area;
            let old = water.h[spring.at];
            let new = (f64::from(old) + spring.owed_m) as f32;
            if new > old {
                spring.owed_m -= f64::from(new) - f64::from(old);
                water.h[spring.at] = new;
                woke(spring.cell);
            }
        }
        volume
    }

    /// Gathers rain; gives the portion to add to every cell with ground, once it is large enough, and all that waits in the last
    /// step of the run, m.
    pub(super) fn rain_portion_m(&mut self, case: &Case, span: (f64, f64)) -> Option<f32> {
        let rain = case.rain_mm_h.as_ref()?;
        self.rain_owed_m += rain.integral(span.0, span.0 + span.1) / 3.6e6;
        let last = case.end_s - (span.0 + span.1) < 1e-6 * span.1;
        if self.rain_owed_m < RAIN_PORTION_M && !(last && self.rain_owed_m > 0.0) {
            return None;
        }
        let portion = self.rain_owed_m as f32;
        self.rain_owed_m -= f64::from(portion);
        Some(portion)
    }

    /// What is carried, for a checkpoint.
    pub(super) fn state(&self) -> Vec<f64> {
        self.springs.iter().map(|spring| spring.owed_m).chain([self.rain_owed_m]).collect()
    }

    /// Takes back what [`Self::state`] gave; `None` if it is of another case.
    pub(super) fn restore(&mut self, state: &[f64]) -> Option<()> {
        let (rain, springs) = state.split_last()?;
        if springs.len() != self.springs.len() {
            return None;
        }
        self.springs.iter_mut().zip(springs).for_each(|(spring, owed)| spring.owed_m = *owed);
        self.rain_owed_m = *rain;
        Some(())
    }
}

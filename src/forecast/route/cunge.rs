//! Muskingum-Cunge with variable parameters in the form of Todini 2007 (Hydrol. Earth Syst. Sci. 11, 1645-1659), which keeps the
//! volume: weights from Courant and cell Reynolds numbers at both ends of a step, corrected by β = c·A/Q.
//!
//! The channel is a wide rectangle with Manning's friction; hydraulic radius = depth.

use super::{RouteFault, Routed, within};

/// A uniform channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// m.
    pub length_m: f64,
    /// Width B, m.
    pub width_m: f64,
    /// Bed slope S0.
    pub slope: f64,
    /// Manning's n, s/m^⅓.
    pub manning: f64,
    /// Length of a cell, m; the nearest whole number of cells is taken.
    pub dx_m: f64,
}

/// Courant and cell Reynolds numbers of a cell, divided by β.
#[derive(Clone, Copy)]
struct Numbers {
    courant: f64,
    reynolds: f64,
}

impl Channel {
    fn check(&self) -> Result<(), RouteFault> {
        within("length_m", self.length_m, 1.0..=1e7, "1…1e7")?;
        within("width_m", self.width_m, 0.1..=50_000.0, "0.1…50000")?;
        within("slope", self.slope, 1e-7..=0.1, "1e-7…0.1")?;
        within("manning", self.manning, 0.005..=0.5, "0.005…0.5")?;
        within("dx_m", self.dx_m, 1.0..=1e6, "1…1e6")
    }

    /// Normal depth at a discharge, m (Manning, R = h).
    pub fn depth_m(&self, q_m3s: f64) -> f64 {
        (q_m3s * self.manning / (self.width_m * self.slope.sqrt())).powf(0.6)
    }
    /// Celerity dQ/dA, m/s: 5/3 of the velocity.
    pub fn celerity_ms(&self, q_m3s: f64) -> f64 {
        5.0 / 3.0 * q_m3s / (self.width_m * self.depth_m(q_m3s))
    }
    /// Diffusivity Q/(2·B·S0), m²/s.
    pub fn diffusivity_m2s(&self, q_m3s: f64) -> f64 {
        q_m3s / (2.0 * self.width_m * self.slope)
    }
    /// Number of cells.
    pub fn cells(&self) -> usize {
        (self.length_m / self.dx_m).round().max(1.0) as usize
    }

    fn numbers(&self, q: f64, dt_s: f64, dx: f64) -> Numbers {
        // A trickle still has a celerity.
        let q = q.max(1e-6);
        let celerity = self.celerity_ms(q);
        let beta = 5.0 / 3.0;
        Numbers {
            courant: celerity * dt_s / (beta * dx),
            reynolds: q / (beta * self.width_m * self.slope * celerity * dx),
        }
    }

    pub(super) fn route(&self, inflow: &[f64], dt_s: f64, first: f64) -> Result<Routed, RouteFault> {
        self.check()?;
        let (cells, mut series, mut stored_m3) = (self.cells(), inflow.to_vec(), 0.0);
        let dx = self.length_m / cells as f64;
        for cell in 0..cells {
            let share = (cell + 1) as f64 / cells as f64;
            stored_m3 += self.cell(&mut series, dt_s, dx, inflow[0] + (first - inflow[0]) * share);
        }
        let below_zero = series.iter().filter(|q| **q < 0.0).count();
        Ok(Routed { outflow_m3s: series, stored_m3, below_zero, clipped: 0 })
    }

    /// One cell, in place; the change of its storage in m³.
    fn cell(&self, series: &mut [f64], dt_s: f64, dx: f64, first: f64) -> f64 {
        let held = |i: f64, o: f64, at: Numbers| {
            dt_s * ((1.0 - at.reynolds) * i + (1.0 + at.reynolds) * o) / (2.0 * at.courant)
        };
        let (mut before, mut out) = (series[0], first);
        let mut old = self.numbers(0.5 * (before + out), dt_s, dx);
        let begun = held(before, out, old);
        series[0] = first;
        for value in series.iter_mut().skip(1) {
            let now = *value;
            let mut next = (out + now - before).max(0.0);
            let mut new = old;
            // The outflow sets its own parameters, and a small wave feels that as much as a great one: till it stands.
            for _ in 0..40 {
                let guess = next;
                new = self.numbers(0.5 * (now + next), dt_s, dx);
                let whole = 1.0 + new.courant + new.reynolds;
                let ratio = new.courant / old.courant;
                next = ((new.courant + new.reynolds - 1.0) * now
                    + (1.0 + old.courant - old.reynolds) * ratio * before
                    + (1.0 - old.courant + old.reynolds) * ratio * out)
                    / whole;
                if (next - guess).abs() <= 1e-9 * next.abs() {
                    break;
                }
            }
            (before, out, old) = (now, next, new);
            *value = next;
        }
        held(before, out, old) - begun
    }
}

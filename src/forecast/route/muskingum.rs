//! Muskingum routing, linear (McCarthy 1938; Chow, Maidment, Mays 1988, section 8.4) and with the three-parameter storage
//! S = K·(x·I + (1 − x)·O)^m of Gill 1978 in the explicit recursion of Tung 1985.

use super::{RouteFault, Routed, within};

/// S = K·(x·I + (1 − x)·O).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    /// Travel time K, hours.
    pub k_h: f64,
    /// Weight of the inflow x, 0…0.5.
    pub x: f64,
}

impl Linear {
    /// Weights of the inflow now, the inflow before and the outflow before; they add up to 1.
    pub fn weights(&self, dt_s: f64) -> [f64; 3] {
        let (k, x) = (self.k_h * 3600.0, self.x);
        let whole = 2.0 * k * (1.0 - x) + dt_s;
        [(dt_s - 2.0 * k * x) / whole, (dt_s + 2.0 * k * x) / whole, (2.0 * k * (1.0 - x) - dt_s) / whole]
    }

    pub(super) fn route(&self, inflow: &[f64], dt_s: f64, first: f64) -> Result<Routed, RouteFault> {
        within("k_h", self.k_h, 1e-3..=10_000.0, "0.001…10000")?;
        within("x", self.x, 0.0..=0.5, "0…0.5")?;
        let [now, before, kept] = self.weights(dt_s);
        let mut out = Vec::with_capacity(inflow.len());
        out.push(first);
        let mut last = first;
        for pair in inflow.windows(2) {
            last = now * pair[1] + before * pair[0] + kept * last;
            out.push(last);
        }
        let held = |i: f64, o: f64| self.k_h * 3600.0 * (self.x * i + (1.0 - self.x) * o);
        let stored_m3 = held(inflow[inflow.len() - 1], last) - held(inflow[0], first);
        let below_zero = out.iter().filter(|q| **q < 0.0).count();
        Ok(Routed { outflow_m3s: out, stored_m3, below_zero, clipped: 0 })
    }
}

/// S = K·(x·I + (1 − x)·O)^m with S in (m³/s)·h.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nonlinear {
    /// K, h·(m³/s)^(1 − m).
    pub k_h: f64,
    /// Weight of the inflow x, 0…0.5.
    pub x: f64,
    /// Exponent m.
    pub m: f64,
}

impl Nonlinear {
    /// From the travel time dS/dW at a discharge instead of K: K alone says little, its unit changes with m.
    pub fn from_travel_time(travel_h: f64, at_m3s: f64, x: f64, m: f64) -> Self {
        Self { k_h: travel_h / (m * at_m3s.powf(m - 1.0)), x, m }
    }

    /// The outflow of a step uses the inflow of the step before, as the published fits to Wilson's flood do.
    pub(super) fn route(&self, inflow: &[f64], dt_s: f64, first: f64) -> Result<Routed, RouteFault> {
        within("k_h", self.k_h, 1e-12..=1e12, "1e-12…1e12")?;
        within("x", self.x, 0.0..=0.5, "0…0.5")?;
        within("m", self.m, 0.2..=6.0, "0.2…6")?;
        let (dt_h, give) = (dt_s / 3600.0, 1.0 / (1.0 - self.x));
        let weighed = (self.x * inflow[0] + (1.0 - self.x) * first).max(0.0);
        let begun = self.k_h * weighed.powf(self.m);
        let (mut stored, mut clipped, power) = (begun, 0, 1.0 / self.m);
        let mut out = Vec::with_capacity(inflow.len());
        out.push(first);
        // The weighed flow of the storage now: the same power serves the change of this step and the outflow of the last.
        let mut flow = (stored / self.k_h).powf(power);
        for &before in &inflow[..inflow.len() - 1] {
            stored += dt_h * give * (before - flow);
            if stored <= 0.0 {
                (stored, clipped) = (1e-9, clipped + 1);
            }
            flow = (stored / self.k_h).powf(power);
            out.push(give * (flow - self.x * before));
        }
        let below_zero = out.iter().filter(|q| **q < 0.0).count();
        Ok(Routed { outflow_m3s: out, stored_m3: (stored - begun) * 3600.0, below_zero, clipped })
    }
}

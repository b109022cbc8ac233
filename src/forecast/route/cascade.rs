//! A reach whose travel time depends on the discharge: Muskingum storage with dS/dW = K(W), in equal parts one behind the other.
//!
//! Water that leaves the main channel comes back late: at the lower Yellow River K falls with the discharge up to bankfull and then
//! grows as the floodplain fills. K is linear between nodes, S is its integral, and each step solves the trapezoidal balance of
//! volume for the outflow: the balance holds to rounding whatever K does.

use super::{RouteFault, Routed, within};

/// Travel time of the whole reach at a discharge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// m³/s.
    pub q_m3s: f64,
    /// Travel time dS/dW there, hours.
    pub k_h: f64,
}

/// A reach in equal parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Cascade {
    /// Rising by discharge; below the first and above the last its travel time holds.
    pub nodes: Vec<Node>,
    /// Weight of the inflow in each part, 0…0.5.
    pub x: f64,
    /// Number of parts: the more, the less a wave is drawn out.
    pub parts: usize,
}

impl Cascade {
    fn check(&self) -> Result<(), RouteFault> {
        within("x", self.x, 0.0..=0.5, "0…0.5")?;
        within("parts", self.parts as f64, 1.0..=200.0, "1…200")?;
        if self.nodes.is_empty() || !self.nodes.windows(2).all(|pair| pair[0].q_m3s < pair[1].q_m3s) {
            return Err(RouteFault::Nodes);
        }
        for node in &self.nodes {
            within("q_m3s", node.q_m3s, 0.0..=200_000.0, "0…200000")?;
            within("k_h", node.k_h, 1e-3..=10_000.0, "0.001…10000")?;
        }
        Ok(())
    }

    /// Travel time of the whole reach at a discharge, hours.
    pub fn travel_h(&self, q_m3s: f64) -> f64 {
        let after = self.nodes.partition_point(|node| node.q_m3s <= q_m3s);
        match (after.checked_sub(1).and_then(|at| self.nodes.get(at)), self.nodes.get(after)) {
            (Some(a), Some(b)) => a.k_h + (b.k_h - a.k_h) * (q_m3s - a.q_m3s) / (b.q_m3s - a.q_m3s),
            (Some(only), None) | (None, Some(only)) => only.k_h,
            (None, None) => 0.0,
        }
    }

    /// Storage of the whole reach in m³ at a weighed flow, and dS/dW in s.
    fn storage(&self, flow: f64) -> (f64, f64) {
        let (mut sum, mut from, mut k_from) = (0.0, 0.0, self.nodes[0].k_h);
        for node in &self.nodes {
            if flow <= node.q_m3s {
                break;
            }
            sum += 0.5 * (k_from + node.k_h) * (node.q_m3s - from);
            (from, k_from) = (node.q_m3s, node.k_h);
        }
        let k = if flow <= self.nodes[0].q_m3s { self.nodes[0].k_h } else { self.travel_h(flow) };
        ((sum + 0.5 * (k_from + k) * (flow - from)) * 3600.0, k * 3600.0)
    }

    pub(super) fn route(&self, inflow: &[f64], dt_s: f64, first: f64) -> Result<Routed, RouteFault> {
        self.check()?;
        let (mut series, mut stored_m3) = (inflow.to_vec(), 0.0);
        for part in 0..self.parts {
            // The parts begin on the line between what comes in and what goes out.
            let share = (part + 1) as f64 / self.parts as f64;
            let begins = inflow[0] + (first - inflow[0]) * share;
            stored_m3 += self.part(&mut series, dt_s, begins);
        }
        let below_zero = series.iter().filter(|q| **q < 0.0).count();
        Ok(Routed { outflow_m3s: series, stored_m3, below_zero, clipped: 0 })
    }

    /// One part, in place; the change of its storage in m³.
    fn part(&self, series: &mut [f64], dt_s: f64, first: f64) -> f64 {
        let (x, count) = (self.x, self.parts as f64);
        let held = |i: f64, o: f64| self.storage(x * i + (1.0 - x) * o).0 / count;
        let begun = held(series[0], first);
        let (mut stored, mut before, mut out) = (begun, series[0], first);
        series[0] = first;
        for value in series.iter_mut().skip(1) {
            let now = *value;
            // What the storage would be if nothing left in the second half of the step.
            let filled = stored + 0.5 * dt_s * (before + now - out);
            let mut next = out;
            // Rising in `next` with a slope of at least dt/2: Newton's steps on its piecewise parabolas end quickly.
            for _ in 0..60 {
                let (s, k) = self.storage(x * now + (1.0 - x) * next);
                let step = (s / count + 0.5 * dt_s * next - filled) / (k * (1.0 - x) / count + 0.5 * dt_s);
                next -= step;
                if step.abs() <= 1e-9 * (1.0 + next.abs()) {
                    break;
                }
            }
            // The balance, not the table, says what is kept: an unfinished last digit does not pile up.
            stored = filled - 0.5 * dt_s * next;
            (before, out) = (now, next);
            *value = next;
        }
        stored - begun
    }
}

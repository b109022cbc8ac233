//! Routing of a flood along a reach: what goes in above comes out below, later and flatter.
//!
//! In: inflow at equal steps and a [`Router`]. Out: outflow at the same steps with its water balance. Four models: linear Muskingum,
//! nonlinear Muskingum (three parameters), a cascade whose travel time depends on the discharge, Muskingum-Cunge for a channel.
//! No I/O, no clock. It refuses parameters that mean nothing and stops where a run leaves the numbers.

mod calibrate;
mod cascade;
mod cunge;
mod muskingum;
mod skill;

pub(in crate::forecast) use calibrate::Draws;
pub use calibrate::{Best, Search, minimise};
pub use cascade::{Cascade, Node};
pub use cunge::Channel;
pub use muskingum::{Linear, Nonlinear};
pub use skill::{Skill, Spread, crps, grade_of_dc};

use thiserror::Error;

/// Why a flood cannot be routed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RouteFault {
    /// A parameter outside its range.
    #[error("{name} = {value} 不在 {range} 之内 ({name} = {value} is not within {range})")]
    Parameter {
        /// As written in a case file.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is possible.
        range: &'static str,
    },
    /// Nodes of a travel time that do not rise.
    #[error("传播时间至少要有一个节点，并按 q_m3s 递增 (nodes of the travel time need at least one, rising by q_m3s)")]
    Nodes,
    /// No inflow, or a value that is no discharge.
    #[error("第 {0} 个入流缺失、为负或不是有限数 (inflow {0} is missing, below zero or no finite number)")]
    Inflow(usize),
    /// The result left the numbers.
    #[error(
        "第 {0} 步计算发散：减小 dt_s 或更换参数 (the run became unstable at step {0}: choose a shorter dt_s or other parameters)"
    )]
    Unstable(usize),
}

/// A model with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Router {
    /// Linear Muskingum.
    Linear(Linear),
    /// Nonlinear Muskingum with three parameters.
    Nonlinear(Nonlinear),
    /// Travel time by discharge.
    Cascade(Cascade),
    /// Muskingum-Cunge with variable parameters.
    Cunge(Channel),
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// m³/s at every step, the first at time 0.
    pub outflow_m3s: Vec<f64>,
    /// Water that the reach holds more at the end than at the start, m³.
    pub stored_m3: f64,
    /// Steps at which the model gave an outflow below zero (kept as computed: a dip at the front of a steep rise).
    pub below_zero: usize,
    /// Steps at which the storage ran empty and was held.
    pub clipped: usize,
}

impl Router {
    /// Routes inflow in m³/s at steps of `dt_s`; the reach begins with `first_m3s` coming out, or steady.
    ///
    /// # Errors
    /// See [`RouteFault`].
    pub fn route(&self, inflow: &[f64], dt_s: f64, first_m3s: Option<f64>) -> Result<Routed, RouteFault> {
        within("dt_s", dt_s, 1.0..=604_800.0, "1…604800")?;
        if inflow.is_empty() {
            return Err(RouteFault::Inflow(0));
        }
        if let Some(at) = inflow.iter().position(|q| !(q.is_finite() && *q >= 0.0)) {
            return Err(RouteFault::Inflow(at));
        }
        let first = first_m3s.unwrap_or(inflow[0]);
        let routed = match self {
            Self::Linear(one) => one.route(inflow, dt_s, first),
            Self::Nonlinear(one) => one.route(inflow, dt_s, first),
            Self::Cascade(one) => one.route(inflow, dt_s, first),
            Self::Cunge(one) => one.route(inflow, dt_s, first),
        }?;
        match routed.outflow_m3s.iter().position(|q| !q.is_finite() || q.abs() > 1e7) {
            Some(at) => Err(RouteFault::Unstable(at)),
            None => Ok(routed),
        }
    }
    /// As written in a case file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear(_) => "muskingum",
            Self::Nonlinear(_) => "nonlinear",
            Self::Cascade(_) => "by-discharge",
            Self::Cunge(_) => "cunge",
        }
    }
}

/// A crest is flat within this share of it.
pub const CREST_FLAT: f64 = 0.005;
/// A crest that rises on its way by less of itself is rounding.
const CREST_ROUNDING: f64 = 1e-6;

/// A flood stands so long at its crest only where it is let out at one discharge, s.
const FLAT_S: f64 = 24.0 * 3600.0;

/// Whether a series stands at its highest for a day or more: a release at one discharge. Which of its steps is the highest says nothing.
pub fn is_flat_topped(series: &[f64], dt_s: f64) -> bool {
    let Some(highest) = series.iter().copied().reduce(f64::max) else { return false };
    let at_crest = |q: &f64| *q >= highest * (1.0 - CREST_FLAT);
    let longest = series.split(|q| !at_crest(q)).map(<[f64]>::len).max().unwrap_or(0);
    (longest.saturating_sub(1)) as f64 * dt_s >= FLAT_S
}

/// Step and height of the highest of a series, m³/s. Of a flood with a flat top, a crest is reached with the first step within
/// [`CREST_FLAT`] of it; and where the method lifts it above `came_m3s`, the highest that came from above, with the first step that is as
/// high as what came.
pub fn crest(series: &[f64], came_m3s: f64, is_flat: bool) -> Option<(usize, f64)> {
    let highest = series.iter().copied().reduce(f64::max)?;
    let reached = highest.min(came_m3s) * if is_flat { 1.0 - CREST_FLAT } else { 1.0 };
    Some((series.iter().position(|q| *q >= reached)?, highest))
}

/// Whether a crest leaves higher than it came, which no reach does.
pub fn is_above(crest_m3s: f64, came_m3s: f64) -> bool {
    crest_m3s > came_m3s * (1.0 + CREST_ROUNDING)
}

/// Volume under a hydrograph by the trapezoidal rule, m³.
pub fn volume_m3(series: &[f64], dt_s: f64) -> f64 {
    series.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]) * dt_s).sum()
}

fn within(
    name: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    shown: &'static str,
) -> Result<(), RouteFault> {
    if range.contains(&value) { Ok(()) } else { Err(RouteFault::Parameter { name, value, range: shown }) }
}

#[cfg(test)]
mod tests;

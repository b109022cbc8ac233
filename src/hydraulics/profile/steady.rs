//! Steady gradually varied flow from downstream to upstream: the standard step (Chow 1959, section 10-4) on the energy equation,
//! z + α·v²/2g, with the friction slope as the mean of (Q/K)² at both ends. Subcritical; where no such water exists, the critical
//! stage stands and is marked.

use super::{GRAVITY, ProfileFault, River};

/// Step in which the uppermost zero of the energy equation is looked for, m.
const LOOK_DOWN_M: f64 = 0.02;

/// The water at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteadyWater {
    /// m.
    pub stage_m: f64,
    /// Mean velocity, m/s.
    pub velocity_ms: f64,
    /// Froude number of the whole section: √(α·Q²·B/(g·A³)).
    pub froude: f64,
    /// Whether the critical stage had to be taken.
    pub critical: bool,
    /// Whether the stage passes the lower end of the section.
    pub over_top: bool,
}

/// Stages from the last node upwards for a discharge at every node in m³/s.
///
/// # Errors
/// A discharge that is not above zero; a stage below that lies under the bed.
pub fn steady(river: &River, discharge_m3s: &[f64], below_m: f64) -> Result<Vec<SteadyWater>, ProfileFault> {
    let count = river.nodes.len();
    if discharge_m3s.len() != count || discharge_m3s.iter().any(|q| !(q.is_finite() && *q > 0.0)) {
        return Err(ProfileFault::Value("every node needs a discharge above zero".into()));
    }
    let last = count - 1;
    if !(below_m > river.bed_m(last) && below_m.is_finite()) {
        let bed = river.bed_m(last);
        return Err(ProfileFault::Value(format!("the stage below, {below_m} m, is not above the bed, {bed:.3} m")));
    }
    let lowest = critical_m(river, last, discharge_m3s[last]);
    let mut stage = below_m.max(lowest);
    let mut waters = vec![water(river, last, discharge_m3s[last], stage, below_m < lowest)];
    for node in (0..last).rev() {
        let (q, q_below) = (discharge_m3s[node], discharge_m3s[node + 1]);
        let length = river.nodes[node + 1].chainage_m - river.nodes[node].chainage_m;
        let (head, slope) = energy(river, node + 1, q_below, stage);
        let target = |stage: f64| {
            let (own, own_slope) = energy(river, node, q, stage);
            own - head - 0.5 * (slope + own_slope) * length
        };
        let critical = critical_m(river, node, q);
        // Where flow behind the lips begins, the energy falls and rises again with the stage (more than one critical stage:
        // Blalock & Sturm 1981). The uppermost zero is the subcritical water that continues what stands below.
        let mut high = stage.max(critical) + 0.5;
        while target(high) < 0.0 && high < critical + 100.0 {
            high += 0.5;
        }
        let mut low = high - LOOK_DOWN_M;
        while target(low) > 0.0 && low > critical {
            low -= LOOK_DOWN_M;
        }
        low = low.max(critical);
        high = high.min(low + LOOK_DOWN_M);
        let is_critical = target(low) > 0.0;
        if !is_critical {
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                *(if target(middle) < 0.0 { &mut low } else { &mut high }) = middle;
            }
        }
        stage = if is_critical { critical } else { 0.5 * (low + high) };
        waters.push(water(river, node, q, stage, is_critical));
    }
    waters.reverse();
    Ok(waters)
}

/// Energy head, m, and friction slope.
fn energy(river: &River, node: usize, q: f64, stage: f64) -> (f64, f64) {
    let wet = river.wetted(node, stage);
    let (v, k) = (q / wet.area_m2, wet.conveyance_m3s);
    (stage + wet.alpha * v * v / (2.0 * GRAVITY), (q / k) * (q / k))
}

/// Stage of the least energy, m: found where the Froude number passes 1, from above.
fn critical_m(river: &River, node: usize, q: f64) -> f64 {
    let bed = river.bed_m(node);
    let mut high = bed + 1.0;
    while water(river, node, q, high, false).froude > 1.0 && high < bed + 200.0 {
        high += 1.0;
    }
    let mut low = bed;
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        *(if water(river, node, q, middle, false).froude > 1.0 { &mut low } else { &mut high }) = middle;
    }
    high
}

fn water(river: &River, node: usize, q: f64, stage_m: f64, critical: bool) -> SteadyWater {
    let wet = river.wetted(node, stage_m);
    let velocity_ms = if wet.area_m2 > 0.0 { q / wet.area_m2 } else { f64::INFINITY };
    let froude = (wet.alpha * velocity_ms * velocity_ms * wet.width_m / (GRAVITY * wet.area_m2)).sqrt();
    let froude = if froude.is_finite() { froude } else { f64::INFINITY };
    SteadyWater { stage_m, velocity_ms, froude, critical, over_top: stage_m > river.top_m(node) }
}

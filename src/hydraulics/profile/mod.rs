//! The water surface along a river in one dimension: steady (standard step) and unsteady (Saint-Venant).
//!
//! In: cross sections as surveyed, roughness, discharges, what holds the water below. Out: stage, velocity and Froude number at every
//! node. The lower Yellow River is higher in its channel than at the foot of its levees: ground behind the lip of the channel carries
//! water only once the lip is overtopped. No I/O, no clock. It refuses sections that are none and stops by name where a run fails.

mod section;
mod steady;
mod unsteady;

pub use section::{Section, SectionPoint, Wetted};
pub use steady::{SteadyWater, steady};
pub use unsteady::{Downstream, RiverRun, RiverWater};

use thiserror::Error;

/// Standard gravity as in the rest of the room, m/s².
pub(super) const GRAVITY: f64 = 9.81;

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ProfileFault {
    /// A section that is none.
    #[error("断面“{name}”有误 (section '{name}': {what})")]
    Section {
        /// Its name.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// Fewer than two nodes, or chainages that do not rise.
    #[error(
        "河道至少两个断面，里程递增；“{0}”不是 (a river needs two sections or more, rising by chainage; '{0}' does not)"
    )]
    Order(String),
    /// A number that is none, or outside its range.
    #[error("{0}")]
    Value(String),
    /// The run left the numbers.
    #[error(
        "{time_s:.0} s 时计算发散，里程 {chainage_m:.0} m 附近 (the run became unstable at {time_s:.0} s near chainage {chainage_m:.0} m: {what})"
    )]
    Unstable {
        /// s.
        time_s: f64,
        /// m.
        chainage_m: f64,
        /// What failed.
        what: &'static str,
    },
}

/// A section and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Along the river, m, rising downstream.
    pub chainage_m: f64,
    /// Which of the river's sections has its shape.
    pub section: usize,
    /// Metres that its bed lies above that of the section as surveyed.
    pub lift_m: f64,
    /// Highest stage that it can hold, m: on the line between the crests of the surveyed sections.
    pub top_m: f64,
}

/// A river as surveyed, with nodes in between.
#[derive(Debug, Clone, PartialEq)]
pub struct River {
    /// Sections as surveyed.
    pub sections: Vec<Section>,
    /// Where the water is computed, from upstream to downstream.
    pub nodes: Vec<Node>,
}

impl River {
    /// Sections with their chainages, and nodes at most `dx_m` apart: each has the shape of the nearer section, with its bed on the
    /// line between the two.
    ///
    /// # Errors
    /// See [`ProfileFault`].
    pub fn new(surveyed: Vec<(f64, Section)>, dx_m: f64) -> Result<Self, ProfileFault> {
        if !(dx_m.is_finite() && dx_m > 0.0) {
            return Err(ProfileFault::Value(format!("dx_m = {dx_m} must be above zero")));
        }
        let name = |at: usize| surveyed.get(at).map_or_else(String::new, |(_, section)| section.name().to_owned());
        if surveyed.len() < 2 {
            return Err(ProfileFault::Order(name(0)));
        }
        if let Some(at) =
            surveyed.windows(2).position(|pair| pair[0].0.partial_cmp(&pair[1].0) != Some(std::cmp::Ordering::Less))
        {
            return Err(ProfileFault::Order(name(at + 1)));
        }
        let mut nodes = Vec::new();
        for (at, pair) in surveyed.windows(2).enumerate() {
            let ((from, upper), (to, lower)) = (&pair[0], &pair[1]);
            let parts = ((to - from) / dx_m).ceil().max(1.0) as usize;
            let fall = lower.bed_m() - upper.bed_m();
            for part in 0..parts {
                let share = part as f64 / parts as f64;
                let nearer = usize::from(share > 0.5);
                let lift_m = if nearer == 0 { fall * share } else { fall * (share - 1.0) };
                let top_m = upper.top_m() + (lower.top_m() - upper.top_m()) * share;
                nodes.push(Node { chainage_m: from + (to - from) * share, section: at + nearer, lift_m, top_m });
            }
        }
        let last = surveyed.len() - 1;
        let (chainage_m, top_m) = (surveyed[last].0, surveyed[last].1.top_m());
        nodes.push(Node { chainage_m, section: last, lift_m: 0.0, top_m });
        Ok(Self { sections: surveyed.into_iter().map(|(_, section)| section).collect(), nodes })
    }

    /// What is wet of a node at a stage.
    pub fn wetted(&self, node: usize, stage_m: f64) -> Wetted {
        let node = &self.nodes[node];
        self.sections[node.section].wetted(stage_m - node.lift_m)
    }
    /// Lowest ground of a node, m.
    pub fn bed_m(&self, node: usize) -> f64 {
        let node = &self.nodes[node];
        self.sections[node.section].bed_m() + node.lift_m
    }
    /// Highest stage that the section of a node can hold, m.
    pub fn top_m(&self, node: usize) -> f64 {
        self.nodes[node].top_m
    }
    /// Stage at which a discharge flows uniformly on a slope, by bisection, m; nothing if the section cannot hold it.
    pub fn normal_stage_m(&self, node: usize, discharge_m3s: f64, slope: f64) -> Option<f64> {
        let (mut low, mut high) = (self.bed_m(node), self.top_m(node));
        let carries = |stage: f64| self.wetted(node, stage).conveyance_m3s * slope.sqrt();
        if carries(high) < discharge_m3s {
            return None;
        }
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            *(if carries(middle) < discharge_m3s { &mut low } else { &mut high }) = middle;
        }
        Some(high)
    }
    /// A value between nodes by chainage; at the ends the end.
    pub fn between(&self, values: &[f64], chainage_m: f64) -> Option<f64> {
        let after = self.nodes.partition_point(|node| node.chainage_m < chainage_m);
        let (Some(a), Some(b)) = (after.checked_sub(1), self.nodes.get(after)) else {
            return values.get(after.min(self.nodes.len() - 1)).copied();
        };
        let (from, value) = (self.nodes.get(a)?.chainage_m, *values.get(a)?);
        Some(value + (values.get(after)? - value) * (chainage_m - from) / (b.chainage_m - from))
    }
}

#[cfg(test)]
mod tests;

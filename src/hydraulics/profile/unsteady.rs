//! Unsteady flow (Saint-Venant) on a staggered row: stages at nodes, discharges between them.
//!
//! Advection conserves momentum (Stelling & Duinmeijer 2003, Int. J. Numer. Meth. Fluids 43), the slope of the surface is implicit
//! with the storage iterated (Casulli 2009): a lake at rest stays at rest, bores run at their speed, and a step may be as long as
//! the water takes from node to node, not the wave. Areas change with the fluxes alone, so the balance of volume holds to rounding.
//! Momentum coefficient 1; nodes must stay wet.

use super::{GRAVITY, ProfileFault, River};
use crate::hydraulics::Series;

/// Height between two entries of a section's table, m.
const TABLE_STEP_M: f64 = 0.05;
/// Share of the way to the next node that the water may go in a step.
const COURANT: f64 = 0.7;

/// What holds the water below the last node.
#[derive(Debug, Clone, PartialEq)]
pub enum Downstream {
    /// No flow.
    Wall,
    /// Stage by time, m.
    Stage(Series),
    /// Uniform flow on a slope.
    Normal {
        /// m per m.
        slope: f64,
    },
}

/// The water at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiverWater {
    /// m.
    pub stage_m: f64,
    /// Mean of the discharges on both sides, m³/s.
    pub discharge_m3s: f64,
    /// Mean velocity, m/s.
    pub velocity_ms: f64,
}

/// Area and conveyance of a section by height over its bed.
#[derive(Debug, Clone)]
struct Table {
    area: Vec<f64>,
    conveyance: Vec<f64>,
}

impl Table {
    /// Area, width and conveyance at a height over the bed.
    fn at(&self, height: f64) -> (f64, f64, f64) {
        let place = (height / TABLE_STEP_M).max(0.0);
        let at = (place as usize).min(self.area.len() - 2);
        let (low, high) = (self.area[at], self.area[at + 1]);
        let rest = place - at as f64;
        let conveyance = self.conveyance[at] + (self.conveyance[at + 1] - self.conveyance[at]) * rest;
        (low + (high - low) * rest, (high - low) / TABLE_STEP_M, conveyance)
    }
}

/// A river whose water moves on in time.
#[derive(Debug, Clone)]
pub struct RiverRun {
    river: River,
    downstream: Downstream,
    tables: Vec<Table>,
    /// Bed, m, and length, m, of each node.
    bed: Vec<f64>,
    length: Vec<f64>,
    /// Between node and next, m.
    apart: Vec<f64>,
    stage: Vec<f64>,
    volume: Vec<f64>,
    /// Through the face below each node, m³/s; the last is what leaves.
    flow: Vec<f64>,
    /// Velocity in each face, m/s: this moves on in time; the discharge is its product with the area above.
    speed: Vec<f64>,
    enters: f64,
    time_s: f64,
    steps: u64,
    longest_s: f64,
    begun_m3: f64,
    in_m3: f64,
    out_m3: f64,
    work: Work,
}

/// Rows that a step needs, kept between steps.
#[derive(Debug, Clone, Default)]
struct Work {
    area: Vec<f64>,
    conveyance: Vec<f64>,
    face: Vec<f64>,
    push: Vec<f64>,
    give: Vec<f64>,
    upper: Vec<f64>,
    right: Vec<f64>,
    next: Vec<f64>,
}

impl RiverRun {
    /// Begins with stages in m and one discharge through all faces in m³/s; no step is longer than `longest_s`.
    ///
    /// # Errors
    /// Stages that do not fit the nodes or lie under the bed.
    pub fn new(
        river: River,
        stages_m: &[f64],
        flow_m3s: f64,
        downstream: Downstream,
        longest_s: f64,
    ) -> Result<Self, ProfileFault> {
        let count = river.nodes.len();
        let wet = |at: usize, stage: f64| stage.is_finite() && stage > river.bed_m(at) + 1e-3;
        if stages_m.len() != count || !stages_m.iter().enumerate().all(|(at, stage)| wet(at, *stage)) {
            return Err(ProfileFault::Value("every node needs a stage above its bed to begin with".into()));
        }
        if !(longest_s > 0.0 && longest_s.is_finite() && flow_m3s.is_finite()) {
            return Err(ProfileFault::Value(format!("dt_s = {longest_s} must be above zero")));
        }
        let tables: Vec<Table> = river.sections.iter().map(table).collect();
        let apart: Vec<f64> = river.nodes.windows(2).map(|pair| pair[1].chainage_m - pair[0].chainage_m).collect();
        let length = (0..count)
            .map(|at| {
                let before = at.checked_sub(1).and_then(|at| apart.get(at)).copied().unwrap_or(0.0);
                0.5 * (before + apart.get(at).copied().unwrap_or(0.0))
            })
            .collect();
        let mut run = Self {
            bed: (0..count).map(|at| river.bed_m(at)).collect(),
            tables,
            length,
            apart,
            stage: stages_m.to_vec(),
            volume: Vec::new(),
            flow: vec![flow_m3s; count],
            speed: Vec::new(),
            enters: flow_m3s,
            time_s: 0.0,
            steps: 0,
            longest_s,
            begun_m3: 0.0,
            in_m3: 0.0,
            out_m3: 0.0,
            work: Work::default(),
            downstream,
            river,
        };
        run.volume = (0..count).map(|at| run.table(at, run.stage[at]).0 * run.length[at]).collect();
        run.begun_m3 = run.volume.iter().sum();
        run.speed = (0..count - 1).map(|at| flow_m3s / run.table(at, run.stage[at]).0).collect();
        Ok(run)
    }

    fn table(&self, node: usize, stage: f64) -> (f64, f64, f64) {
        self.tables[self.river.nodes[node].section].at(stage - self.bed[node])
    }

    /// Moves on to `until_s` with what enters above in m³/s.
    ///
    /// # Errors
    /// A node that runs dry, or numbers that are none: where and when.
    pub fn advance(&mut self, until_s: f64, inflow: &Series) -> Result<(), ProfileFault> {
        while self.time_s < until_s - 1e-9 {
            let free = self.free_step();
            let left = until_s - self.time_s;
            // Equal steps to the end instead of a crumb at it.
            let dt = left / (left / free).ceil();
            self.step(dt, inflow)?;
        }
        Ok(())
    }

    /// Longest step, s, in which no water passes more than its share of the way to the next node.
    fn free_step(&self) -> f64 {
        let shares = self.apart.iter().zip(&self.speed).map(|(apart, speed)| COURANT * apart / speed.abs().max(1e-12));
        shares.fold(self.longest_s, f64::min)
    }

    fn step(&mut self, dt: f64, inflow: &Series) -> Result<(), ProfileFault> {
        let count = self.stage.len();
        let last = count - 1;
        let mut work = std::mem::take(&mut self.work);
        self.prepare(dt, &mut work);
        let until = self.time_s + dt;
        // The mean over the step: volume in is that of the series.
        let enters = inflow.integral(self.time_s, until) / dt;
        let held = match &self.downstream {
            Downstream::Stage(series) => Some(series.at(until)),
            _ => None,
        };
        work.next.clone_from(&self.stage);
        let mut leaves = 0.0;
        for _ in 0..8 {
            let mut slope_out = 0.0;
            for at in 0..count {
                let (area, width, _) = self.table(at, work.next[at]);
                let store = width * self.length[at];
                let below = if at < last { dt * work.face[at] * work.give[at] } else { 0.0 };
                let above = if at > 0 { dt * work.face[at - 1] * work.give[at - 1] } else { 0.0 };
                let through = |at: usize| work.face[at] * work.push[at];
                let gain = if at > 0 { through(at - 1) } else { enters } - if at < last { through(at) } else { 0.0 };
                let mut diagonal = store + below + above;
                let mut right = self.volume[at] - area * self.length[at] + store * work.next[at] + dt * gain;
                if at == last
                    && let Downstream::Normal { slope } = self.downstream
                {
                    let (_, _, k) = self.table(at, work.next[at]);
                    let (_, _, more) = self.table(at, work.next[at] + 0.01);
                    slope_out = (more - k) / 0.01 * slope.sqrt();
                    leaves = k * slope.sqrt();
                    diagonal += dt * slope_out;
                    right -= dt * (leaves - slope_out * work.next[at]);
                }
                let (lower, mut upper) = (-above, -below);
                if at == last
                    && let Some(stage) = held
                {
                    (diagonal, upper, right) = (1.0, 0.0, stage);
                }
                // Thomas: forward.
                let lower = if at == last && held.is_some() { 0.0 } else { lower };
                let (before_u, before_r) = if at > 0 { (work.upper[at - 1], work.right[at - 1]) } else { (0.0, 0.0) };
                let pivot = diagonal - lower * before_u;
                work.upper[at] = upper / pivot;
                work.right[at] = (right - lower * before_r) / pivot;
            }
            let (mut above, mut change) = (0.0, 0.0_f64);
            for at in (0..count).rev() {
                above = work.right[at] - work.upper[at] * above;
                change = change.max((above - work.next[at]).abs());
                if at == last {
                    leaves += slope_out * (above - work.next[at]);
                }
                work.next[at] = above;
            }
            if change.is_nan() || change < 1e-6 {
                break;
            }
        }
        for at in 0..last {
            self.speed[at] = work.push[at] - work.give[at] * (work.next[at + 1] - work.next[at]);
            self.flow[at] = work.face[at] * self.speed[at];
        }
        if held.is_some() {
            let kept = self.table(last, work.next[last]).0 * self.length[last];
            leaves = self.flow[last - 1] - (kept - self.volume[last]) / dt;
        }
        self.flow[last] = leaves;
        let mut above = enters;
        for at in 0..count {
            self.volume[at] += dt * (above - self.flow[at]);
            above = self.flow[at];
        }
        std::mem::swap(&mut self.stage, &mut work.next);
        self.work = work;
        self.enters = enters;
        self.in_m3 += dt * enters;
        self.out_m3 += dt * leaves;
        (self.time_s, self.steps) = (until, self.steps + 1);
        self.check()
    }

    /// Areas and velocities of the faces: what the discharge would be on a level surface, and how it answers to a slope.
    fn prepare(&self, dt: f64, work: &mut Work) {
        let count = self.stage.len();
        let last = count - 1;
        for row in [&mut work.upper, &mut work.right, &mut work.area, &mut work.conveyance] {
            row.resize(count, 0.0);
        }
        for row in [&mut work.face, &mut work.push, &mut work.give] {
            row.resize(last, 0.0);
        }
        for at in 0..count {
            let (area, _, conveyance) = self.table(at, self.stage[at]);
            (work.area[at], work.conveyance[at]) = (area, conveyance);
        }
        for at in 0..last {
            let falls = self.stage[at] >= self.stage[at + 1];
            let from_above = if self.flow[at] == 0.0 { falls } else { self.flow[at] > 0.0 };
            work.face[at] = if from_above { work.area[at] } else { work.area[at + 1] };
        }
        let velocity = |at: usize| self.speed[at];
        for at in 0..last {
            let (u, mean) = (velocity(at), 0.5 * (work.area[at] + work.area[at + 1]));
            let before = if at > 0 { self.flow[at - 1] } else { self.enters };
            let (above, below) = (0.5 * (before + self.flow[at]), 0.5 * (self.flow[at] + self.flow[at + 1]));
            let u_above = if above > 0.0 && at > 0 { velocity(at - 1) } else { u };
            let u_below = if below < 0.0 && at + 1 < last { velocity(at + 1) } else { u };
            let carried = (below * u_below - above * u_above - u * (below - above)) / (mean * self.apart[at]);
            let k = 0.5 * (work.conveyance[at] + work.conveyance[at + 1]);
            let drag = 1.0 + dt * GRAVITY * mean * mean * u.abs() / (k * k);
            work.push[at] = (u - dt * carried) / drag;
            work.give[at] = GRAVITY * dt / (self.apart[at] * drag);
        }
    }

    fn check(&self) -> Result<(), ProfileFault> {
        let fault = |at: usize, what| {
            let chainage_m = self.river.nodes[at].chainage_m;
            Err(ProfileFault::Unstable { time_s: self.time_s, chainage_m, what })
        };
        for at in 0..self.stage.len() {
            if !(self.stage[at].is_finite() && self.flow[at].is_finite()) {
                return fault(at, "a value is no number");
            }
            if self.volume[at] <= 0.0 || self.stage[at] <= self.bed[at] {
                return fault(at, "the node ran dry");
            }
        }
        Ok(())
    }

    /// The water at every node.
    pub fn waters(&self) -> Vec<RiverWater> {
        (0..self.stage.len())
            .map(|at| {
                let before = if at > 0 { self.flow[at - 1] } else { self.enters };
                let discharge_m3s = 0.5 * (before + self.flow[at]);
                let velocity_ms = discharge_m3s / self.table(at, self.stage[at]).0;
                RiverWater { stage_m: self.stage[at], discharge_m3s, velocity_ms }
            })
            .collect()
    }
    /// The river that it moves in.
    pub fn river(&self) -> &River {
        &self.river
    }
    /// s.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }
    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }
    /// What leaves below, m³/s.
    pub fn leaves_m3s(&self) -> f64 {
        self.flow.last().copied().unwrap_or(0.0)
    }
    /// Volumes that came in, went out, and are held more than at the start, m³.
    pub fn volumes_m3(&self) -> [f64; 3] {
        [self.in_m3, self.out_m3, self.volume.iter().sum::<f64>() - self.begun_m3]
    }
}

fn table(section: &super::Section) -> Table {
    let entries = ((section.top_m() + 2.0 - section.bed_m()) / TABLE_STEP_M).ceil().max(2.0) as usize;
    let (mut area, mut conveyance) = (Vec::with_capacity(entries + 1), Vec::with_capacity(entries + 1));
    for entry in 0..=entries {
        let wet = section.wetted(section.bed_m() + entry as f64 * TABLE_STEP_M);
        area.push(wet.area_m2);
        conveyance.push(wet.conveyance_m3s);
    }
    Table { area, conveyance }
}

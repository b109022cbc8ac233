//! The run of an inundation: water moved on in time over the grid.
//!
//! In: a checked case, the number of workers. Out: depths, velocities, records and a water balance at any time asked for; or
//! where and when the run became unstable. The same bits come out for any number of workers and any vector width.

use super::case::{Boundary, Case, Manning, Scheme};
use super::case_fault::CaseFault;
use super::debts;
use super::dispatch::VectorWidth;
use super::field::Field;
use super::full::FullScratch;
use super::grid::{Cell, EqualRows, Grid, HALO, Layout, Water};
use super::ground::Ground;
use super::inertia::{InertiaScratch, Seam};
use super::kernels::GRAVITY;
use super::record::{BandRecords, Froude, Look, Records};
use super::rim::{NO_GROUND_M, Rim, RimStep};
use super::source::Sources;
use super::strips::{self, LEAST_STRIP_ROWS, STRIPS_A_WORKER, Scratch, StripWork};
use super::sweep::{BAND, Step};
use super::tiles::{self, Band};
use super::weir::Weirs;
use rayon::prelude::*;
use std::sync::{Arc, Mutex};
use thiserror::Error;

/// Longest time step, s.
const LONGEST_STEP_S: f64 = 60.0;
/// Shortest time step; below it the run is unstable, s.
const SHORTEST_STEP_S: f64 = 1e-7;
/// Steps after which the watcher is asked whether to go on.
const STEPS_A_WATCH: usize = 16;
/// Fewer cells than this are swept by one worker: handing out the work would cost more. A cell of the full equations is four of
/// local inertia.
const FEW_CELLS: usize = 8_000;
/// Largest depth, m, or speed, m/s, that a sound run can have.
const IMPOSSIBLE: f32 = 2_000.0;

/// Why a run cannot go on.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum InundationFault {
    /// The case does not hold together.
    #[error("算例不能计算 (the case cannot be run)")]
    Case(#[from] CaseFault),
    /// No workers.
    #[error("不能启动 {0} 个计算线程，至少 1 个 (cannot start {0} workers: give 1 or more)")]
    Workers(usize),
    /// A depth or speed that cannot be.
    #[error("{time_s:.3} s 时计算发散：减小 cfl，或查看该处地形 (unstable at {time_s:.3} s in column {}, row {} from the south: lower cfl or look at the terrain there)", cell.column + 1, cell.row + 1)]
    Unstable {
        /// When, s.
        time_s: f64,
        /// Where it was seen first, from the south-west.
        cell: Cell,
    },
    /// A checkpoint of another case or version, or a damaged one.
    #[error("断点文件不相合 (the checkpoint does not fit: {0})")]
    Checkpoint(&'static str),
}

/// How an advance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The time asked for is reached.
    Reached,
    /// The watcher asked to stop.
    Stopped,
}

/// Volumes and counts of a run so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WaterBalance {
    /// Volume at the start, m³.
    pub initial_m3: f64,
    /// Volume that entered by lines, rain and rim, m³.
    pub in_m3: f64,
    /// Volume that left through the rim, m³.
    pub out_m3: f64,
    /// Volume on the grid now, m³.
    pub stored_m3: f64,
    /// Depth below zero that was set to zero, as volume, m³: water that the scheme made.
    pub clipped_m3: f64,
}

impl WaterBalance {
    /// (stored − initial − in + out) / (initial + in): what the scheme made (+) or lost (−), clipped volume included.
    pub fn error(&self) -> f64 {
        let gross = self.initial_m3 + self.in_m3;
        if gross > 0.0 { (self.stored_m3 - self.initial_m3 - self.in_m3 + self.out_m3) / gross } else { 0.0 }
    }
}

/// A running inundation (淹没演进).
pub struct Inundation {
    pub(super) case: Case,
    pub(super) layout: Layout,
    /// Height that the bed is counted from, m.
    pub(super) datum_m: f64,
    pub(super) bed: Field,
    pub(super) n2: EqualRows,
    pub(super) now: Water,
    /// The full equations write the new water here; local inertia does so in place.
    next: Water,
    pub(super) records: Records,
    pub(super) rim: Rim,
    pub(super) weirs: Weirs,
    pub(super) sources: Sources,
    bands: Vec<Band>,
    seams: Vec<Seam>,
    pub(super) time_s: f64,
    pub(super) steps: u64,
    /// Largest depth or speed after the last step.
    pub(super) top: f32,
    pub(super) balance: WaterBalance,
    pub(super) froude_highest: f32,
    pub(super) froude_cells_above: u64,
    /// Cells swept since the start.
    pub(super) swept: u64,
    width: VectorWidth,
    workers: Option<Arc<rayon::ThreadPool>>,
    /// Whether the last step was shared out among them.
    shared: bool,
    scratch: Vec<Mutex<Scratch>>,
}

impl Inundation {
    /// A run at its start, with this many workers (at least one; none is refused).
    pub fn new(case: Case, workers: usize) -> Result<Self, InundationFault> {
        Self::with_width(case, workers, VectorWidth::of_this_machine())
    }

    /// The same, with given vector instructions; tests compare them.
    pub fn with_width(mut case: Case, workers: usize, width: VectorWidth) -> Result<Self, InundationFault> {
        if workers == 0 {
            return Err(InundationFault::Workers(0));
        }
        case.check()?;
        let layout = Layout::of(&case.grid);
        let ground = Ground::new(&case, &layout);
        let now = ground.water(&case, &layout);
        let scratch = || {
            Mutex::new(match case.scheme {
                Scheme::LocalInertia => Scratch::Inertia(Box::new(InertiaScratch::new(&layout))),
                _ => Scratch::Full(Box::new(FullScratch::new(&layout))),
            })
        };
        let pool = if workers == 1 { None } else { Some(pool(workers)?) };
        let mut run = Self {
            rim: Rim::new(&case, &layout),
            weirs: Weirs::new(&case, &layout, ground.datum_m),
            sources: Sources::new(&case, &layout),
            bands: tiles::bands(&case, &layout),
            records: Records::new(&layout),
            next: if case.scheme == Scheme::LocalInertia { Water::none() } else { now.clone() },
            seams: Vec::new(),
            scratch: (0..workers).map(|_| scratch()).collect(),
            datum_m: ground.datum_m,
            bed: ground.bed,
            n2: ground.n2,
            layout,
            now,
            time_s: 0.0,
            steps: 0,
            top: 0.0,
            balance: WaterBalance::default(),
            froude_highest: 0.0,
            froude_cells_above: 0,
            swept: 0,
            width,
            workers: pool,
            shared: false,
            case: Case::new(case.grid, Vec::new(), 0.0, case.scheme, case.end_s),
        };
        // The fields live on in the arrays of the run; a second copy would cost 12 bytes a cell.
        case.bed_m = Vec::new();
        (case.depth_m, case.u_ms, case.v_ms) = (Vec::new(), Vec::new(), Vec::new());
        case.manning = Manning::Uniform(0.0);
        run.case = case;
        run.balance.initial_m3 = run.stored_m3();
        run.wake_all();
        run.look();
        Ok(run)
    }

    /// Moves on to `until_s`. `watch` sees the time every few steps and answers whether to go on.
    pub fn advance(&mut self, until_s: f64, watch: &(dyn Fn(f64) -> bool + Sync)) -> Result<Advance, InundationFault> {
        match self.workers.clone() {
            Some(pool) => pool.install(|| self.advance_here(until_s, watch)),
            None => self.advance_here(until_s, watch),
        }
    }

    fn advance_here(&mut self, until_s: f64, watch: &(dyn Fn(f64) -> bool + Sync)) -> Result<Advance, InundationFault> {
        while self.time_s < until_s {
            if self.shared {
                strips::all_awake(|| self.some_steps(until_s))?
            } else {
                self.some_steps(until_s)?
            }
            if self.time_s < until_s && !watch(self.time_s) {
                return Ok(Advance::Stopped);
            }
        }
        self.look();
        Ok(Advance::Reached)
    }

    /// The steps between two questions to the watcher.
    fn some_steps(&mut self, until_s: f64) -> Result<(), InundationFault> {
        for _ in 0..STEPS_A_WATCH {
            if self.time_s >= until_s {
                break;
            }
            self.step(until_s)?;
        }
        Ok(())
    }

    fn step(&mut self, until_s: f64) -> Result<(), InundationFault> {
        let dt_s = f64::from(self.time_step_s(until_s) as f32);
        if dt_s < SHORTEST_STEP_S.min(until_s - self.time_s) {
            return Err(self.unstable());
        }
        self.add_sources(dt_s);
        let dt_over_dx = dt_s / self.case.grid.cell_m;
        let rim_step = RimStep {
            case: &self.case,
            layout: self.layout,
            bed: &self.bed,
            n2: &self.n2,
            datum_m: self.datum_m,
            time_s: self.time_s,
            dt_s,
        };
        self.rim.prepare(&rim_step, &mut self.now);
        if !self.weirs.is_empty() {
            self.weirs.flow(&self.now, &self.bed, self.time_s, dt_over_dx);
        }
        let cells = tiles::plan(&mut self.bands, &self.layout);
        self.sweep(dt_s, cells);
        if self.case.scheme != Scheme::LocalInertia {
            std::mem::swap(&mut self.now, &mut self.next);
            for Band { tally, .. } in &mut self.bands {
                tally.clipped_m += debts::pay(&tally.debts, &mut self.now);
            }
        }
        self.settle(dt_s, until_s);
        self.swept += cells as u64;
        if self.top.is_nan() || self.top >= IMPOSSIBLE {
            return Err(self.unstable());
        }
        let every = if self.case.scheme == Scheme::LocalInertia { 8 } else { 4 };
        if self.steps.is_multiple_of(every) {
            self.look();
        }
        Ok(())
    }

    /// Courant's condition on the largest speed, and on sources that fall on dry ground.
    fn time_step_s(&self, until_s: f64) -> f64 {
        let (case, g) = (&self.case, f64::from(GRAVITY));
        let reach_m = case.courant * case.grid.cell_m;
        let speed = match case.scheme {
            Scheme::LocalInertia => (g * f64::from(self.top)).sqrt(),
            _ => f64::from(self.top),
        };
        let speed = speed.max(self.rim_speed_ms());
        let by_speed = if speed > 0.0 { reach_m / speed } else { LONGEST_STEP_S };
        let rise = self.fastest_rise_ms();
        // A cell filling at this rate reaches depth r Δt, whose wave must not outrun the step: c² Δx² = g r Δt³.
        let by_rise = if rise > 0.0 { (reach_m * reach_m / (g * rise)).cbrt() } else { LONGEST_STEP_S };
        by_speed.min(by_rise).min(LONGEST_STEP_S).min(until_s - self.time_s)
    }

    /// Speed of a wave that a stage outside could send in, m/s.
    fn rim_speed_ms(&self) -> f64 {
        let stages = self.case.sides.named().into_iter().filter_map(|(_, side)| match side {
            Boundary::Stage(stage) => Some(stage.at(self.time_s) - self.datum_m),
            _ => None,
        });
        2.0 * (f64::from(GRAVITY) * stages.fold(0.0, f64::max).min(100.0)).sqrt()
    }

    fn fastest_rise_ms(&self) -> f64 {
        let (case, grid) = (&self.case, &self.case.grid);
        let soon_s = self.time_s + LONGEST_STEP_S;
        let lines = self.sources.fastest_rise_ms(case, self.time_s, soon_s);
        let rain = case.rain_mm_h.as_ref().map_or(0.0, |rain| rain.highest_in(self.time_s, soon_s) / 3.6e6);
        let sides = case.sides.named().into_iter().zip([grid.rows, grid.rows, grid.columns, grid.columns]);
        let rim = sides.map(|((_, side), cells)| match side {
            Boundary::Discharge(q) => {
                4.0 * q.highest_in(self.time_s, soon_s).max(0.0) / (cells as f64 * grid.cell_area_m2())
            }
            _ => 0.0,
        });
        rim.fold(lines.max(rain), f64::max)
    }

    fn add_sources(&mut self, dt_s: f64) {
        let span = (self.time_s, dt_s);
        let bands = &mut self.bands;
        self.balance.in_m3 += self.sources.add(&self.case, &mut self.now, span, |cell| tiles::wake(bands, cell));
        let Some(portion) = self.sources.rain_portion_m(&self.case, span) else { return };
        let mut rained = 0u64;
        for row in 0..self.layout.rows {
            let cells = self.layout.row(row);
            let (depths, beds) = (&mut self.now.h[cells.clone()], &self.bed[cells]);
            for (h, _) in depths.iter_mut().zip(beds).filter(|(_, bed)| **bed < NO_GROUND_M) {
                *h += portion;
                rained += 1;
            }
        }
        self.balance.in_m3 += rained as f64 * f64::from(portion) * self.case.grid.cell_area_m2();
        self.wake_all();
    }

    fn sweep(&mut self, dt_s: f64, cells: usize) {
        let cell_m = self.case.grid.cell_m;
        let step = Step {
            width: self.width,
            layout: self.layout,
            bed: &self.bed,
            n2: &self.n2,
            weirs: &self.weirs,
            rim: &self.rim,
            k: (dt_s / cell_m) as f32,
            gdt: GRAVITY * dt_s as f32,
            rdx: (1.0 / cell_m) as f32,
            dry: self.case.dry_m as f32,
            slopes: self.case.scheme == Scheme::Full2,
        };
        let weight = if self.case.scheme == Scheme::LocalInertia { 1 } else { 4 };
        let serial = self.workers.is_none() || cells * weight < FEW_CELLS;
        self.shared = !serial;
        let workers = if serial { 1 } else { self.scratch.len() };
        let strips = (self.layout.rows / LEAST_STRIP_ROWS / workers).clamp(1, STRIPS_A_WORKER);
        let count = if serial { 1 } else { workers * strips };
        let counts = tiles::strips(&self.bands, cells.div_ceil(count));
        let scratch = &self.scratch;
        let run = |work: StripWork, old: Option<&Water>| strips::sweep_strip(&step, old, work, scratch);
        if self.case.scheme == Scheme::LocalInertia {
            strips::take_seams(&self.layout, &self.now, &self.bands, &counts, &mut self.seams);
            let work = strips::split(&self.layout, &mut self.now, &mut self.bands, &counts, Some(&self.seams));
            strips::each(work, serial, |work| run(work, None));
        } else {
            let work = strips::split(&self.layout, &mut self.next, &mut self.bands, &counts, None);
            let old = &self.now;
            strips::each(work, serial, |work| run(work, Some(old)));
        }
    }

    fn settle(&mut self, dt_s: f64, until_s: f64) {
        let cell_m = self.case.grid.cell_m;
        let mut rim = [0.0; 4];
        for band in &self.bands {
            (0..4).for_each(|side| rim[side] += band.tally.rim[side]);
            self.balance.clipped_m3 += band.tally.clipped_m * cell_m * cell_m;
        }
        for entering in [rim[0], -rim[1], rim[2], -rim[3]] {
            let volume = entering * cell_m * dt_s;
            if volume > 0.0 { self.balance.in_m3 += volume } else { self.balance.out_m3 -= volume }
        }
        self.top = tiles::settle(&mut self.bands);
        self.steps += 1;
        self.time_s += dt_s;
        if until_s - self.time_s < 1e-6 * dt_s {
            self.time_s = until_s;
        }
    }

    /// Brings the records up to date.
    fn look(&mut self) {
        let look = Look {
            width: self.width,
            layout: self.layout,
            water: &self.now,
            on_faces: self.case.scheme == Scheme::LocalInertia,
            time_s: self.time_s,
        };
        let inner = HALO * self.layout.stride..(HALO + self.layout.rows) * self.layout.stride;
        let chunk = BAND * self.layout.stride;
        let Records { depth, hazard, arrival } = &mut self.records;
        let parts = depth[inner.clone()].chunks_mut(chunk).zip(hazard[inner.clone()].chunks_mut(chunk));
        let parts = parts.zip(arrival[inner].chunks_mut(chunk)).zip(&self.bands);
        let work = parts.map(|(((depth, hazard), arrival), band)| (BandRecords { depth, hazard, arrival }, band));
        let take = |(mut records, band): (BandRecords, &Band)| {
            let runs = band.runs.iter().map(|run| look.take(band.first, band.rows, run.clone(), &mut records));
            runs.fold(Froude::default(), Froude::and)
        };
        let seen = if self.workers.is_none() {
            work.map(take).fold(Froude::default(), Froude::and)
        } else {
            let work: Vec<_> = work.collect();
            work.into_par_iter().map(take).reduce(Froude::default, Froude::and)
        };
        self.froude_highest = self.froude_highest.max(seen.highest);
        self.froude_cells_above = self.froude_cells_above.max(seen.cells_above);
    }

    /// Marks every wet tile, and plans the first step so that the records see all water.
    pub(super) fn wake_all(&mut self) {
        for row in 0..self.layout.rows {
            let depths = &self.now.h[self.layout.row(row)];
            for (column, _) in depths.iter().enumerate().filter(|(_, h)| **h > 0.0) {
                tiles::wake(&mut self.bands, Cell { column, row });
            }
        }
        tiles::plan(&mut self.bands, &self.layout);
        if self.steps == 0 {
            self.top = self.top.max(self.starting_top());
        }
    }

    /// After a restart the other buffer must not hold the water of the start.
    pub(super) fn forget_start(&mut self) {
        if self.case.scheme != Scheme::LocalInertia {
            self.next = Water::dry(&self.layout);
            self.next.h.copy_from_slice(&self.now.h);
        }
        self.bands = tiles::bands(&self.case, &self.layout);
    }

    /// Largest depth or characteristic speed of the water as it stands.
    fn starting_top(&self) -> f32 {
        let cells = (0..self.layout.rows).flat_map(|row| self.layout.row(row));
        let tops = cells.map(|at| {
            let h = self.now.h[at];
            match self.case.scheme {
                Scheme::LocalInertia => h,
                _ if h > super::kernels::FILM_M => {
                    let deep = h.max(self.case.dry_m as f32);
                    self.now.qx[at].abs().max(self.now.qy[at].abs()) * 2.0 * h / (h * h + deep * deep)
                        + (GRAVITY * h).sqrt()
                }
                _ => 0.0,
            }
        });
        tops.fold(0.0, f32::max)
    }

    fn unstable(&self) -> InundationFault {
        let grid = &self.case.grid;
        let worst = (0..grid.cells()).map(|at| Cell { column: at % grid.columns, row: at / grid.columns });
        let badness = |cell: &Cell| {
            let at = self.layout.at(*cell);
            let sum = self.now.h[at].abs() + self.now.qx[at].abs() + self.now.qy[at].abs();
            if sum.is_finite() { sum } else { f32::INFINITY }
        };
        let cell = worst.max_by(|a, b| badness(a).total_cmp(&badness(b))).unwrap_or(Cell { column: 0, row: 0 });
        InundationFault::Unstable { time_s: self.time_s, cell }
    }

    pub(super) fn stored_m3(&self) -> f64 {
        let rows = (0..self.layout.rows).map(|row| super::sweep::sum(&self.now.h[self.layout.row(row)]));
        rows.sum::<f64>() * self.case.grid.cell_area_m2()
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.case.grid
    }
}

fn pool(workers: usize) -> Result<Arc<rayon::ThreadPool>, InundationFault> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
    built.map(Arc::new).map_err(|_| InundationFault::Workers(workers))
}

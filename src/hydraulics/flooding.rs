//! What one assumed discharge does to a reach, hour by hour: the frames that maps and lists are made of.
//!
//! In: the ground of a site, a discharge, a breach or none. Out: depths at fixed hours after the discharge begins to rise,
//! arrival, highest depth, speed and hazard of every cell, in whole centimetres and minutes: what is stored is what is shown.

use super::grid::Cell;
use super::inundation::{Advance, Inundation, InundationFault};
use super::site::{BreachSite, SiteFault, SiteGround, SiteRun, TwinSite};
use crate::model::PlaceId;
use thiserror::Error;

/// Before the rise the water runs so long at the base discharge, s: the start knows depths, not speeds.
const LEAD_IN_S: f64 = 7_200.0;
/// Within that time the inflow comes up to the base discharge, s.
const GATHER_S: f64 = 900.0;
/// A minute that never comes.
pub const NEVER_MIN: u16 = u16::MAX;
/// Depth from which a cell counts as wet, cm.
pub const WET_CM: u16 = 5;

/// Why a scenario could not be computed.
#[derive(Debug, Error)]
pub enum FloodingFault {
    /// The site.
    #[error(transparent)]
    Site(#[from] SiteFault),
    /// The solver.
    #[error(transparent)]
    Solver(#[from] InundationFault),
    /// Somebody asked to stop.
    #[error("已停止 (stopped)")]
    Stopped,
}

/// What is assumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Assumed {
    /// Discharge that the base rises to, m³/s.
    pub discharge_m3s: f64,
    /// Where the levee is assumed to breach.
    pub breach: Option<BreachSite>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Flooding {
    /// Discharge that was assumed, m³/s.
    pub discharge_m3s: f64,
    /// Work at which the levee was assumed to breach.
    pub breach: Option<PlaceId>,
    /// Depth of every cell at every hour of the plan, cm.
    pub depth_cm: Vec<Vec<u16>>,
    /// Minutes from the beginning of the rise until water is 5 cm deep; [`NEVER_MIN`] = not in this run.
    pub arrival_min: Vec<u16>,
    /// Highest depth, cm.
    pub highest_cm: Vec<u16>,
    /// Highest speed at the hours of the plan, cm/s.
    pub speed_cms: Vec<u16>,
    /// Highest depth × speed, 0.01 m²/s.
    pub hazard: Vec<u16>,
    /// Highest Froude number met.
    pub highest_froude: f64,
    /// What the scheme made or lost of the water, relative.
    pub volume_error: f64,
}

fn whole(value: f32, per: f32) -> u16 {
    (value * per).round().clamp(0.0, f32::from(u16::MAX - 1)) as u16
}

/// Depths in metres of depths in centimetres.
pub fn metres(depth_cm: &[u16]) -> Vec<f32> {
    depth_cm.iter().map(|cm| f32::from(*cm) / 100.0).collect()
}

/// The steady water of the base discharge, from dry ground, cm.
///
/// # Errors
/// The site, the solver, or a wish to stop.
pub fn base_water(
    site: &TwinSite,
    ground: &SiteGround,
    workers: usize,
    go_on: &(dyn Fn(f64) -> bool + Sync),
) -> Result<Vec<u16>, FloodingFault> {
    let end_s = site.plan.spin_up_h * 3600.0;
    let q = site.plan.base_m3s;
    let run = SiteRun { inflow_m3s: vec![(0.0, 0.0), (3600.0, q), (end_s, q)], end_s, ..SiteRun::default() };
    let mut run = Inundation::new(site.case(ground, &run)?, workers)?;
    advance(&mut run, end_s, go_on)?;
    Ok(run.depth_m().iter().map(|depth| whole(*depth, 100.0)).collect())
}

fn advance(run: &mut Inundation, until_s: f64, go_on: &(dyn Fn(f64) -> bool + Sync)) -> Result<(), FloodingFault> {
    match run.advance(until_s, go_on)? {
        Advance::Reached => Ok(()),
        Advance::Stopped => Err(FloodingFault::Stopped),
    }
}

/// Computes a scenario up to `until_h` (all hours of the plan: infinity) from the base water; `go_on` is told the hours done.
///
/// # Errors
/// The site, the solver, or a wish to stop.
pub fn flood(
    site: &TwinSite,
    ground: &SiteGround,
    base_cm: &[u16],
    assumed: &Assumed,
    until_h: f64,
    workers: usize,
    go_on: &(dyn Fn(f64) -> bool + Sync),
) -> Result<Flooding, FloodingFault> {
    let hours: Vec<f64> = site.plan.hours.iter().copied().filter(|hour| *hour <= until_h).collect();
    let end_s = LEAD_IN_S + hours.last().copied().unwrap_or(0.0) * 3600.0;
    let (base, q) = (site.plan.base_m3s, assumed.discharge_m3s);
    let risen_s = LEAD_IN_S + site.plan.rise_h * 3600.0;
    let run = SiteRun {
        // The still water gathers speed first: all of the discharge at once would run into it as a bore.
        inflow_m3s: vec![(0.0, 0.0), (GATHER_S, base), (LEAD_IN_S, base), (risen_s, q), (end_s.max(risen_s + 1.0), q)],
        depth_m: metres(base_cm),
        breach: assumed.breach.clone().map(|site| {
            let start_s = LEAD_IN_S + site.start_h * 3600.0;
            (site, start_s)
        }),
        end_s,
    };
    let mut run = Inundation::new(site.case(ground, &run)?, workers)?;
    let cells = ground.grid.cells();
    let mut made = Flooding {
        discharge_m3s: q,
        breach: assumed.breach.as_ref().map(|site| site.place.clone()),
        depth_cm: Vec::new(),
        arrival_min: Vec::new(),
        highest_cm: Vec::new(),
        speed_cms: vec![0; cells],
        hazard: Vec::new(),
        highest_froude: 0.0,
        volume_error: 0.0,
    };
    for hour in hours {
        advance(&mut run, LEAD_IN_S + hour * 3600.0, &|time_s| go_on((time_s - LEAD_IN_S) / 3600.0))?;
        made.depth_cm.push(run.depth_m().iter().map(|depth| whole(*depth, 100.0)).collect());
        for (at, speed) in made.speed_cms.iter_mut().enumerate() {
            let cell = Cell { column: at % ground.grid.columns, row: at / ground.grid.columns };
            let water = run.at(cell).filter(|water| water.depth_m >= 0.05);
            *speed = (*speed).max(water.map_or(0, |water| whole(water.u_ms.hypot(water.v_ms) as f32, 100.0)));
        }
    }
    made.arrival_min = run.arrival_s().iter().map(|arrival| minutes(*arrival)).collect();
    made.highest_cm = run.highest_depth_m().iter().map(|depth| whole(*depth, 100.0)).collect();
    made.hazard = run.highest_hazard_m2s().iter().map(|hazard| whole(*hazard, 100.0)).collect();
    made.highest_froude = run.highest_froude();
    made.volume_error = run.balance().error();
    Ok(made)
}

fn minutes(arrival_s: f32) -> u16 {
    if arrival_s < 0.0 { NEVER_MIN } else { whole((arrival_s - LEAD_IN_S as f32).max(0.0), 1.0 / 60.0) }
}

impl Flooding {
    /// Between two scenarios of one plan, `share` of the way from this one to the greater one. Where only the greater one is
    /// wet its arrival counts: rather too early than too late.
    pub fn towards(&self, greater: &Self, share: f64, discharge_m3s: f64) -> Self {
        let mix = |a: &[u16], b: &[u16]| -> Vec<u16> {
            let between =
                |(a, b): (&u16, &u16)| (f64::from(*a) + (f64::from(*b) - f64::from(*a)) * share).round() as u16;
            a.iter().zip(b).map(between).collect()
        };
        let highest_cm = mix(&self.highest_cm, &greater.highest_cm);
        let arrival = |((a, b), highest): ((&u16, &u16), &u16)| match (*a, *b) {
            _ if *highest < WET_CM => NEVER_MIN,
            (NEVER_MIN, b) => b,
            (a, NEVER_MIN) => a,
            (a, b) => (f64::from(a) + (f64::from(b) - f64::from(a)) * share).floor() as u16,
        };
        let arrivals = self.arrival_min.iter().zip(&greater.arrival_min).zip(&highest_cm);
        Self {
            discharge_m3s,
            breach: greater.breach.clone(),
            depth_cm: self.depth_cm.iter().zip(&greater.depth_cm).map(|(a, b)| mix(a, b)).collect(),
            arrival_min: arrivals.map(arrival).collect(),
            highest_cm,
            speed_cms: mix(&self.speed_cms, &greater.speed_cms),
            hazard: mix(&self.hazard, &greater.hazard),
            highest_froude: self.highest_froude.max(greater.highest_froude),
            volume_error: self.volume_error.abs().max(greater.volume_error.abs()),
        }
    }

    /// The same with no arrival after a frame that shows the water: depths and arrivals between scenarios are found apart.
    #[must_use]
    pub fn no_later_than_frames(mut self, hours: &[f64]) -> Self {
        for (frame, hour) in self.depth_cm.iter().zip(hours) {
            let minute = (hour * 60.0) as u16;
            for (arrival, _) in self.arrival_min.iter_mut().zip(frame).filter(|(_, depth)| **depth >= WET_CM) {
                *arrival = minute.min(*arrival);
            }
        }
        self
    }

    /// With the water of another scenario: of each cell the earlier arrival and the greater depth, speed and hazard.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let most = |a: &[u16], b: &[u16]| a.iter().zip(b).map(|(a, b)| *a.max(b)).collect::<Vec<u16>>();
        Self {
            discharge_m3s: self.discharge_m3s,
            breach: self.breach.clone(),
            depth_cm: self.depth_cm.iter().zip(&other.depth_cm).map(|(a, b)| most(a, b)).collect(),
            arrival_min: self.arrival_min.iter().zip(&other.arrival_min).map(|(a, b)| *a.min(b)).collect(),
            highest_cm: most(&self.highest_cm, &other.highest_cm),
            speed_cms: most(&self.speed_cms, &other.speed_cms),
            hazard: most(&self.hazard, &other.hazard),
            highest_froude: self.highest_froude.max(other.highest_froude),
            volume_error: self.volume_error.abs().max(other.volume_error.abs()),
        }
    }

    /// Depth of every cell at an hour, cm, straight between the frames.
    pub fn at_hour(&self, hours: &[f64], hour: f64) -> Vec<u16> {
        let after = hours.partition_point(|at| *at <= hour).min(self.depth_cm.len());
        let (Some(before), Some(next)) = (self.depth_cm.get(after.saturating_sub(1)), self.depth_cm.get(after)) else {
            return self.depth_cm.last().cloned().unwrap_or_default();
        };
        if after == 0 {
            return before.clone();
        }
        let share = (hour - hours[after - 1]) / (hours[after] - hours[after - 1]);
        let between = |(a, b): (&u16, &u16)| (f64::from(*a) + (f64::from(*b) - f64::from(*a)) * share).round() as u16;
        before.iter().zip(next).map(between).collect()
    }
}

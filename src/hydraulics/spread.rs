//! Several runs around one discharge (集合): how likely water is, how deep, how early, when inflow, roughness and breach are not sure.
//!
//! In: an assumption, how many members, how far inflow, roughness and an assumed breach may be off. Out: a [`Spread`]: of every cell the share of the
//! members that bring water, median and ninth decile of the highest depth, the earliest arrival. Members are spread evenly, not drawn:
//! the same plan is the same spread, bit for bit, with any number of workers.

use super::flooding::{Assumed, Flooding, FloodingFault, NEVER_MIN, WET_CM, flood};
use super::library::{LibraryFault, fingerprint, put_column, take, take_column, take_length};
use super::site::{BreachSite, SiteGround, TwinSite};
use crate::model::PlaceId;
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 12] = b"ANLAN-SPREAD";
/// How far the inflow may be off, share of it: our default.
const INFLOW_SHARE: f64 = 0.15;
/// How far the roughness may be off, share of it: our default.
const ROUGHNESS_SHARE: f64 = 0.2;
/// An assumed breach may be so many times as wide, or as narrow, as the site's plan has it, and as slow or fast: our default.
const BREACH_FACTOR: f64 = 2.0;
/// Hours that a spread looks ahead, after the rise begins.
const HOURS: f64 = 72.0;

/// What is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct SpreadPlan {
    /// The middle.
    pub assumed: Assumed,
    /// How many runs.
    pub members: usize,
    /// Hours after the rise begins.
    pub hours: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// What was computed.
    pub head: SpreadHead,
    /// Members in thousand that bring water to a cell.
    pub share: Vec<u16>,
    /// Median of the highest depth, cm.
    pub median_cm: Vec<u16>,
    /// Nine of ten members stay below this depth, cm.
    pub ninth_cm: Vec<u16>,
    /// Earliest arrival of all members, minutes after the rise begins; [`NEVER_MIN`]: in none.
    pub earliest_min: Vec<u16>,
}

/// What a spread was computed for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpreadHead {
    /// The middle discharge, m³/s.
    pub discharge_m3s: f64,
    /// Where the levee was assumed to breach.
    pub breach: Option<PlaceId>,
    /// Discharge and factor of the roughness of each member.
    pub members: Vec<(f64, f64)>,
    /// Width in m and hours of growth of each member's breach; empty without one.
    #[serde(default)]
    pub breaches: Vec<(f64, f64)>,
    /// Hours after the rise begins.
    pub hours: f64,
    /// Highest relative volume error of the members.
    pub volume_error: f64,
}

impl SpreadPlan {
    /// So many members around an assumption, with our defaults for what is not sure.
    pub fn around(assumed: Assumed, members: usize) -> Self {
        Self { assumed, members, hours: HOURS }
    }

    /// Discharge and factor of the roughness of each member: the inflow evenly through its range, the roughness by steps of
    /// the golden section through its own, so that neither follows the other.
    fn members(&self) -> Vec<(f64, f64)> {
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let one = |index: usize| {
            let inflow = (index as f64 + 0.5) / self.members as f64;
            let rough = (golden * (index as f64 + 1.0)).fract();
            let off = |share: f64, at: f64| 1.0 + share * (2.0 * at - 1.0);
            (self.assumed.discharge_m3s * off(INFLOW_SHARE, inflow), off(ROUGHNESS_SHARE, rough))
        };
        (0..self.members).map(one).collect()
    }

    /// The breach of each member: width and growth evenly through their ranges by equal factors, in the order of steps of the
    /// plastic number and its square (the golden section of two dimensions), so that neither follows the other nor the inflow.
    fn breaches(&self) -> Vec<BreachSite> {
        const PLASTIC: f64 = 1.324_717_957_244_746;
        let Some(plan) = &self.assumed.breach else { return Vec::new() };
        let factor = |at: &f64| BREACH_FACTOR.powf(2.0 * at - 1.0);
        let (widths, growths) = (evenly(self.members, 1.0 / PLASTIC), evenly(self.members, 1.0 / (PLASTIC * PLASTIC)));
        let one = |(width, growth)| BreachSite {
            width_m: plan.width_m * factor(width),
            duration_h: plan.duration_h * factor(growth),
            ..plan.clone()
        };
        widths.iter().zip(&growths).map(one).collect()
    }
}

/// The middles of `n` equal parts of 0 to 1, in the order that steps of this length around a circle come to them.
fn evenly(n: usize, step: f64) -> Vec<f64> {
    let place = |index: &usize| (step * (*index as f64 + 1.0)).fract();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| place(a).total_cmp(&place(b)));
    let mut out = vec![0.0; n];
    order.into_iter().enumerate().for_each(|(rank, index)| out[index] = (rank as f64 + 0.5) / n as f64);
    out
}

impl Spread {
    /// Computes all members, one after the other; `go_on` is told the share that is done.
    ///
    /// # Errors
    /// The site, the solver, or a wish to stop.
    pub fn compute(
        site: &TwinSite,
        ground: &SiteGround,
        base_cm: &[u16],
        plan: &SpreadPlan,
        workers: usize,
        go_on: &(dyn Fn(f64) -> bool + Sync),
    ) -> Result<Self, FloodingFault> {
        // Frames are not kept: only the last hour is asked for, records go through the whole run.
        let mut own = site.clone();
        own.plan.hours = vec![0.0, plan.hours];
        let (members, breaches) = (plan.members(), plan.breaches());
        let mut made: Vec<Flooding> = Vec::with_capacity(members.len());
        for (index, (discharge_m3s, roughness)) in members.iter().enumerate() {
            let manning = ground.manning.iter().map(|n| (f64::from(*n) * roughness) as f32).collect();
            let rough = SiteGround { manning, ..ground.clone() };
            let assumed = Assumed { discharge_m3s: *discharge_m3s, breach: breaches.get(index).cloned() };
            let told = |hour: f64| go_on((index as f64 + (hour / plan.hours).clamp(0.0, 1.0)) / members.len() as f64);
            let mut flooding = flood(&own, &rough, base_cm, &assumed, f64::INFINITY, workers, &told)?;
            flooding.depth_cm.clear();
            made.push(flooding);
        }
        let volume_error = made.iter().map(|one| one.volume_error.abs()).fold(0.0, f64::max);
        let (discharge_m3s, hours) = (plan.assumed.discharge_m3s, plan.hours);
        let breach = plan.assumed.breach.as_ref().map(|site| site.place.clone());
        let breaches = breaches.iter().map(|breach| (breach.width_m, breach.duration_h)).collect();
        let head = SpreadHead { discharge_m3s, breach, members, breaches, hours, volume_error };
        Ok(Self::of(head, &made, ground.grid.cells()))
    }

    fn of(head: SpreadHead, made: &[Flooding], cells: usize) -> Self {
        let mut spread = Self {
            head,
            share: vec![0; cells],
            median_cm: vec![0; cells],
            ninth_cm: vec![0; cells],
            earliest_min: vec![NEVER_MIN; cells],
        };
        let mut depths: Vec<u16> = Vec::with_capacity(made.len());
        for at in 0..cells {
            depths.clear();
            depths.extend(made.iter().map(|one| one.highest_cm[at]));
            depths.sort_unstable();
            let wet = depths.iter().filter(|cm| **cm >= WET_CM).count();
            let rank =
                |share: f64| depths.get(((made.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied();
            spread.share[at] = (wet * 1000 / made.len().max(1)) as u16;
            spread.median_cm[at] = rank(0.5).unwrap_or(0);
            spread.ninth_cm[at] = rank(0.9).unwrap_or(0);
            spread.earliest_min[at] = made.iter().map(|one| one.arrival_min[at]).min().unwrap_or(NEVER_MIN);
        }
        spread
    }

    /// As bytes: `ANLAN-SPREAD`, SHA-256 of the ground, head (JSON) after its length, four columns compressed with pcodec.
    ///
    /// # Errors
    /// When a part is too long.
    pub fn encode(&self, ground: &SiteGround) -> Result<Vec<u8>, LibraryFault> {
        let head = serde_json::to_vec(&self.head).map_err(|_| LibraryFault::Damaged("the head cannot be written"))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(fingerprint(ground));
        let length = u32::try_from(head.len()).map_err(|_| LibraryFault::Damaged("a part is too long"))?;
        bytes.extend(length.to_le_bytes());
        bytes.extend(head);
        for column in [&self.share, &self.median_cm, &self.ninth_cm, &self.earliest_min] {
            put_column(&mut bytes, column)?;
        }
        Ok(bytes)
    }

    /// From bytes.
    ///
    /// # Errors
    /// Damage, or another terrain.
    pub fn decode(bytes: &[u8], ground: &SiteGround) -> Result<Self, LibraryFault> {
        let mut rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(LibraryFault::Damaged("it is no spread"))?;
        if take(&mut rest, 32)? != fingerprint(ground) {
            return Err(LibraryFault::OtherGround);
        }
        let length = take_length(&mut rest)?;
        let head = serde_json::from_slice(take(&mut rest, length)?).map_err(|_| LibraryFault::Damaged("the head"))?;
        let cells = ground.grid.cells();
        Ok(Self {
            head,
            share: take_column(&mut rest, cells)?,
            median_cm: take_column(&mut rest, cells)?,
            ninth_cm: take_column(&mut rest, cells)?,
            earliest_min: take_column(&mut rest, cells)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hydraulics::Grid;

    fn one(depth: u16, arrival: u16) -> Flooding {
        Flooding {
            discharge_m3s: 1.0,
            breach: None,
            depth_cm: Vec::new(),
            arrival_min: vec![arrival, NEVER_MIN],
            highest_cm: vec![depth, 0],
            speed_cms: vec![0; 2],
            hazard: vec![0; 2],
            highest_froude: 0.0,
            volume_error: 0.0,
        }
    }

    fn ground() -> SiteGround {
        let grid = Grid { columns: 2, rows: 1, cell_m: 50.0, west_m: 0.0, south_m: 0.0 };
        SiteGround { grid, bed_m: vec![90.0; 2], manning: vec![0.03; 2], river_side: vec![true; 2] }
    }

    #[test]
    fn spread_members_cover_their_range_and_inflow_does_not_follow_roughness() {
        let assumed = Assumed { discharge_m3s: 10_000.0, breach: None };
        let members = SpreadPlan::around(assumed, 20).members();
        let mean = |of: fn(&(f64, f64)) -> f64| members.iter().map(of).sum::<f64>() / 20.0;
        let (q, n) = (mean(|one| one.0), mean(|one| one.1));
        assert!((q - 10_000.0).abs() < 1e-6 && (n - 1.0).abs() < 0.01, "{q} {n}");
        assert!(members.iter().all(|(q, n)| (8500.0..11_500.0).contains(q) && (0.8..1.2).contains(n)));
        let product = members.iter().map(|one| (one.0 / q - 1.0) * (one.1 - n)).sum::<f64>();
        let square = |of: fn(&(f64, f64)) -> f64, mid: f64| members.iter().map(|m| (of(m) - mid).powi(2)).sum::<f64>();
        let correlation = product / (square(|one| one.0, q) / (q * q) * square(|one| one.1, n)).sqrt();
        assert!(correlation.abs() < 0.1, "{correlation}");
    }

    #[test]
    fn spread_members_breach_the_levee_in_their_own_ways() {
        let site = BreachSite {
            place: PlaceId::new("work-madu"),
            name_zh: String::new(),
            name_en: String::new(),
            centre: [0.0, 0.0],
            width_m: 200.0,
            to_crest_m: 88.0,
            start_h: 3.0,
            duration_h: 1.0,
        };
        let plan = SpreadPlan::around(Assumed { discharge_m3s: 10_000.0, breach: Some(site.clone()) }, 20);
        let breaches = plan.breaches();
        let log2 = |of: fn(&BreachSite) -> f64, plan: f64| -> Vec<f64> {
            breaches.iter().map(|one| (of(one) / plan).log2()).collect()
        };
        let (width, growth) = (log2(|one| one.width_m, 200.0), log2(|one| one.duration_h, 1.0));
        let rises: Vec<f64> = (0..20).map(|index| f64::from(index) - 9.5).collect();
        for values in [&width, &growth] {
            assert!(values.iter().all(|value| value.abs() < 1.0));
            assert!(values.iter().any(|value| *value < -0.9) && values.iter().any(|value| *value > 0.9), "{values:?}");
            assert!((values.iter().sum::<f64>() / 20.0).abs() < 1e-9, "{values:?}");
        }
        let correlation = |a: &[f64], b: &[f64]| {
            let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            sum(a, b) / (sum(a, a) * sum(b, b)).sqrt()
        };
        for (a, b) in [(&width, &growth), (&width, &rises), (&growth, &rises)] {
            assert!(correlation(a, b).abs() < 0.2, "{}", correlation(a, b));
        }
        assert!(breaches.iter().all(|one| one.to_crest_m == site.to_crest_m && one.start_h == site.start_h));
        assert!(SpreadPlan::around(Assumed { discharge_m3s: 10_000.0, breach: None }, 20).breaches().is_empty());
    }

    #[test]
    fn spread_counts_members_and_survives_its_bytes() {
        let head = SpreadHead {
            discharge_m3s: 9000.0,
            breach: Some(PlaceId::new("work-madu")),
            members: vec![(8000.0, 0.9), (10_000.0, 1.1)],
            breaches: vec![(150.0, 0.7), (310.0, 1.4)],
            hours: 72.0,
            volume_error: 1e-9,
        };
        let made = [one(0, NEVER_MIN), one(40, 300), one(90, 200), one(4, NEVER_MIN)];
        let spread = Spread::of(head, &made, 2);
        assert_eq!((spread.share.clone(), spread.median_cm.clone()), (vec![500, 0], vec![4, 0]));
        assert_eq!((spread.ninth_cm.clone(), spread.earliest_min.clone()), (vec![90, 0], vec![200, NEVER_MIN]));
        let bytes = spread.encode(&ground()).unwrap();
        assert_eq!(Spread::decode(&bytes, &ground()), Ok(spread));
        let other = SiteGround { bed_m: vec![90.0, 91.0], ..ground() };
        assert_eq!(Spread::decode(&bytes, &other), Err(LibraryFault::OtherGround));
        for cut in [0, 20, 50, bytes.len() - 1] {
            assert!(matches!(Spread::decode(&bytes[..cut], &ground()), Err(LibraryFault::Damaged(_))), "{cut}");
        }
    }
}

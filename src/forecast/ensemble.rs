//! Many possible courses instead of one: what may come in, how fast it travels, and how far the readings at the target bear it out.
//!
//! In: hourly inflows up to now with what is planned, readings at the target. Out: one course a member. Each member errs in the inflow
//! of every station and in the travel time; readings of the last day pull the members towards what was seen (ensemble square root
//! filter, Whitaker & Hamill 2002, one reading after the other), localised by age and by a station's share of the water at the target;
//! then each member is corrected by what is left of its error now, as an AR(1) process.
//! The draws come from the seed alone: the same readings give the same members, live, in a drill and in a replay.

use super::route::Draws;
use super::settings::EnsembleSettings;

/// Hours before now that are routed.
pub(super) const RUN_IN_H: i32 = 72;
/// Hours of inflow before now that the slowest member may ask for.
pub(super) const GRID_H: usize = 119;
/// Readings at the target that the members are pulled towards, hours before now, oldest first.
pub(super) const READINGS_H: [i32; 9] = [24, 21, 18, 15, 12, 9, 6, 3, 0];
/// Over so many hours the rate of rise is taken.
const TREND_H: usize = 3;

/// One station as the members see it.
#[derive(Debug, Clone)]
pub(super) struct Inflow {
    pub delay_h: f64,
    pub store_h: f64,
    /// Hourly, the last one now; [`GRID_H`] + 1 values, m³/s.
    pub past: Vec<f64>,
    /// Planned or forecast elsewhere: courses by hour ahead, the first one hour ahead; empty where nothing is planned.
    pub planned: Vec<Vec<f64>>,
    /// What rain still to come adds, by hour ahead, the first one now, m³/s: courses as in `planned`; empty where no rain is forecast.
    pub rain: Vec<Vec<f64>>,
    /// Whether the last values are missing and held.
    pub stale: bool,
    /// The largest discharge that the station can be thought to bring, m³/s.
    pub most: f64,
}

impl Inflow {
    fn now(&self) -> f64 {
        self.past.last().copied().unwrap_or(0.0)
    }
    /// Change of ln Q an hour.
    fn trend(&self) -> f64 {
        let before = self.past.len().checked_sub(1 + TREND_H).and_then(|at| self.past.get(at)).copied();
        before.map_or(0.0, |before| (self.now().max(1.0) / before.max(1.0)).ln() / TREND_H as f64)
    }
}

/// How sharply a rise bends towards the largest discharge: below half of the way to it nearly nothing is taken away.
const BEND: i32 = 3;

/// A rise from `now` to `free`, bent so that it comes near `most` and never above it; falls and what is above already stay.
fn bend(now: f64, free: f64, most: f64) -> f64 {
    let (rise, room) = (free - now, most - now);
    if rise <= 0.0 || !room.is_finite() {
        return free;
    }
    if room <= 0.0 {
        return now;
    }
    now + rise / (1.0 + (rise / room).powi(BEND)).powf(1.0 / f64::from(BEND))
}

/// How one member differs from the plain forecast.
#[derive(Debug, Clone)]
struct Member {
    /// ln of the factor on the inflow of each station.
    inflow: Vec<f64>,
    /// ln of the factor on all travel times: the roughness of the river.
    travel: f64,
    /// Where the coming inflow of each station lies in its spread.
    coming: Vec<f64>,
    /// Where the rest of the error lies in its spread.
    rest: f64,
}

/// The courses of all members, m³/s by hour ahead, the first one hour ahead.
///
/// `readings` are values at the target in the order of [`READINGS_H`]; a missing one pulls nothing.
pub(super) fn courses(
    settings: &EnsembleSettings,
    offset_decay_h: f64,
    inflows: &[Inflow],
    readings: &[Option<f64>; READINGS_H.len()],
    horizon: usize,
) -> Vec<Vec<f64>> {
    let mut members = draw(settings, inflows.len());
    // Only the hours of the readings count here: the future is routed once the members have been pulled.
    let mut seen: Vec<Vec<f64>> = members
        .iter()
        .map(|member| {
            let routed = route(settings, inflows, member, 0, 0);
            READINGS_H.iter().map(|hours| routed[(RUN_IN_H - hours) as usize]).collect()
        })
        .collect();
    let shares = shares(inflows);
    for (at, reading) in readings.iter().enumerate() {
        if let Some(reading) = reading {
            pull(settings, &mut members, &mut seen, at, *reading, &shares);
        }
    }
    let kept = (-1.0 / offset_decay_h).exp();
    let now = readings[READINGS_H.len() - 1];
    let finish = |(number, member): (usize, &Member)| {
        let routed = route(settings, inflows, member, horizon, number);
        let error = now.map_or(0.0, |reading| reading - routed[RUN_IN_H as usize]);
        let mut share = 1.0;
        let ahead = &routed[RUN_IN_H as usize + 1..];
        ahead
            .iter()
            .map(|value| {
                share *= kept;
                let spread = if now.is_some() { (1.0 - share * share).sqrt() } else { 1.0 };
                ((value + error * share) * (1.0 + settings.rest * spread * member.rest)).max(0.0)
            })
            .collect()
    };
    members.iter().enumerate().map(finish).collect()
}

fn draw(settings: &EnsembleSettings, stations: usize) -> Vec<Member> {
    let mut draws = Draws::new(settings.seed);
    let count = settings.members as usize;
    // Standard normal in equal shares, in a drawn order: the spread is right with few members, too.
    let mut column = || {
        let mut order: Vec<(f64, usize)> = (0..count).map(|at| (draws.unit(), at)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        order.into_iter().map(|(_, at)| normal((at as f64 + 0.5) / count as f64)).collect::<Vec<f64>>()
    };
    let (travel, rest, storm) = (column(), column(), column());
    let own: Vec<[Vec<f64>; 2]> = (0..stations).map(|_| [column(), column()]).collect();
    (0..count)
        .map(|at| Member {
            inflow: own.iter().map(|[inflow, _]| settings.inflow * inflow[at]).collect(),
            travel: settings.travel * travel[at],
            // A storm feeds neighbouring rivers at once: half of the variance is common.
            coming: own.iter().map(|[_, coming]| (coming[at] + storm[at]) * std::f64::consts::FRAC_1_SQRT_2).collect(),
            rest: rest[at],
        })
        .collect()
}

/// Value below which a standard normal lies with that probability (Abramowitz & Stegun 1964, 26.2.23; error below 4.5e-4).
fn normal(share: f64) -> f64 {
    let tail = share.min(1.0 - share).max(1e-12);
    let t = (-2.0 * tail.ln()).sqrt();
    let off =
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    if share < 0.5 { -off } else { off }
}

/// The routed sum of a member from [`RUN_IN_H`] hours ago to `horizon` hours ahead.
fn route(settings: &EnsembleSettings, inflows: &[Inflow], member: &Member, horizon: usize, number: usize) -> Vec<f64> {
    let mut sum = vec![0.0; RUN_IN_H as usize + 1 + horizon];
    let slower = member.travel.exp();
    for (station, inflow) in inflows.iter().enumerate() {
        let factor = member.inflow[station].exp();
        let take = 1.0 - (-1.0 / (inflow.store_h * slower)).exp();
        let delay = inflow.delay_h * slower;
        let planned = (!inflow.planned.is_empty()).then(|| &inflow.planned[number % inflow.planned.len()]);
        let rain = (!inflow.rain.is_empty()).then(|| &inflow.rain[number % inflow.rain.len()]);
        let trend = inflow.trend();
        let wide = settings.coming + settings.coming_of_trend * trend.abs();
        let drift = settings.trend_kept * trend + wide * member.coming[station];
        let (fade, now) = ((-1.0 / settings.memory_h).exp(), inflow.now());
        // Hours ahead rise by one from step to step: what is left of the rate of change follows by a product.
        let mut left = 1.0;
        let mut at = |hour: f64| {
            if hour < 0.0 {
                let place = (hour + GRID_H as f64).max(0.0);
                let low = (place as usize).min(GRID_H - 1);
                let rest = (place - low as f64).min(1.0);
                return inflow.past[low] + (inflow.past[low + 1] - inflow.past[low]) * rest;
            }
            if let Some(course) = planned {
                // A plan is a plan: it errs as a measured inflow does.
                return between(course, hour - 1.0);
            }
            left = if left == 1.0 { (-hour / settings.memory_h).exp() } else { left * fade };
            let free = bend(now, now * (drift * settings.memory_h * (1.0 - left)).exp(), inflow.most);
            rain.map_or(free, |course| (free + between(course, hour)).max(0.0))
        };
        let mut stored = at(f64::from(-RUN_IN_H) - delay);
        for (step, total) in sum.iter_mut().enumerate() {
            stored += take * (at(step as f64 - f64::from(RUN_IN_H) - delay) - stored);
            *total += factor * stored;
        }
    }
    sum
}

/// A value of an hourly course on the line between two of them; before the first the first, after the last the last.
pub(super) fn between(course: &[f64], place: f64) -> f64 {
    let Some(last) = course.len().checked_sub(1) else { return 0.0 };
    let place = place.clamp(0.0, last as f64);
    let low = place as usize;
    let (a, b) = (course[low], course[(low + 1).min(last)]);
    a + (b - a) * (place - low as f64)
}

/// Each station's part of the water now at the target; a stale station answers for nothing.
fn shares(inflows: &[Inflow]) -> Vec<f64> {
    let passed = |one: &Inflow| {
        let back = (one.delay_h + one.store_h).round() as usize;
        if one.stale { 0.0 } else { one.past.len().checked_sub(1 + back).map_or(0.0, |at| one.past[at]) }
    };
    let whole: f64 = inflows.iter().map(passed).sum::<f64>().max(1e-9);
    inflows.iter().map(|one| passed(one) / whole).collect()
}

/// Pulls all members towards one reading at the target.
fn pull(
    settings: &EnsembleSettings,
    members: &mut [Member],
    seen: &mut [Vec<f64>],
    at: usize,
    reading: f64,
    shares: &[f64],
) {
    let count = members.len() as f64;
    let mean = seen.iter().map(|row| row[at]).sum::<f64>() / count;
    let off: Vec<f64> = seen.iter().map(|row| row[at] - mean).collect();
    let variance = off.iter().map(|d| d * d).sum::<f64>() / (count - 1.0);
    let error = (settings.reading * reading).powi(2).max(1.0);
    // A reading of yesterday says less about the river of today; and readings three hours apart err together.
    let aged = (-f64::from(READINGS_H[at]) / settings.memory_h).exp();
    let whole = variance + error;
    let root = 1.0 / (1.0 + (error / whole).sqrt());
    let gain_of = |values: &[f64], local: f64| {
        let middle = values.iter().sum::<f64>() / count;
        let together = values.iter().zip(&off).map(|(value, d)| (value - middle) * d).sum::<f64>() / (count - 1.0);
        local * together / whole
    };
    let apply = |value: f64, gain: f64, d: f64| value + gain * (reading - mean) - root * gain * d;
    for (station, share) in shares.iter().enumerate() {
        let values: Vec<f64> = members.iter().map(|member| member.inflow[station]).collect();
        let gain = gain_of(&values, aged * share.sqrt());
        for (member, d) in members.iter_mut().zip(&off) {
            member.inflow[station] = apply(member.inflow[station], gain, *d);
        }
    }
    let values: Vec<f64> = members.iter().map(|member| member.travel).collect();
    let gain = gain_of(&values, aged);
    for (member, d) in members.iter_mut().zip(&off) {
        member.travel = apply(member.travel, gain, *d);
    }
    for later in at + 1..READINGS_H.len() {
        let values: Vec<f64> = seen.iter().map(|row| row[later]).collect();
        let gain = gain_of(&values, aged);
        for (row, d) in seen.iter_mut().zip(&off) {
            row[later] = apply(row[later], gain, *d);
        }
    }
}

/// The value below which a share of the values lies, on the line between two neighbours.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let low = (place as usize).min(sorted.len() - 1);
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

#[cfg(test)]
mod tests {
    use super::bend;

    #[test]
    fn a_rise_bends_towards_the_largest_flood_and_nothing_else_does() {
        assert_eq!(bend(8_000.0, 6_000.0, 36_000.0), 6_000.0, "a fall is free");
        assert_eq!(bend(8_000.0, 90_000.0, f64::INFINITY), 90_000.0, "no limit is known");
        assert_eq!(bend(40_000.0, 50_000.0, 36_000.0), 40_000.0, "more than thought possible has come already");
        let small = bend(8_000.0, 14_000.0, 36_000.0);
        assert!((13_900.0..14_000.0).contains(&small), "{small}");
        let large = bend(8_000.0, 500_000.0, 36_000.0);
        assert!((35_900.0..36_000.0).contains(&large), "{large}");
        let rising =
            (0..100).map(|step| bend(8_000.0, 8_000.0 + 2_000.0 * f64::from(step), 36_000.0)).collect::<Vec<_>>();
        assert!(rising.is_sorted());
    }
}

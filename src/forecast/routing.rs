//! Delay and linear store: y ← y + (1 − e^(−1/K))·(x(t − delay) − y), hour by hour, summed over the stations.
//! The store is the linear reservoir of hydrology (Chow, Maidment, Mays 1988, section 8.5).

use super::ensemble::{GRID_H, Inflow, READINGS_H, between, courses, quantile};
use super::imported::{ForecastVariable, ImportedForecast};
use super::rain::{self, RainArea};
use super::settings::{EnsembleSettings, ForecastSettings, ParameterSet, StationParameters};
use crate::model::{Observation, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Values are kept this far apart.
const KEEP_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Values are kept this long.
const KEEP_FOR: TimeDelta = TimeDelta::hours(120);
/// Time constant of a store that holds nothing back, hours.
const AT_ONCE_H: f64 = 0.05;
/// So much more than came down from upstream, as a share of it, is no error of the routing: hyperconcentrated water or tributaries
/// that nobody gauges. In 1992-08 the crest grew from 小浪底 to 花园口 by about a third (general knowledge);
/// in the floods it was fitted to the routing never errs so much.
const GROWN_SHARE: f64 = 0.2;
/// Below this sum it is no flood, m³/s.
const GROWN_LEAST_M3S: f64 = 2_000.0;
/// The stores are run in over so many hours before now, as far as there are values.
const RUN_IN_H: i32 = 72;

/// What a point mostly rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestsOn {
    /// Water already measured upstream.
    Measured,
    /// The assumption that inflow stays as it is.
    Assumed,
}

/// One hour of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastPoint {
    /// The hour.
    pub at: Timestamp,
    /// m³/s.
    pub q_m3s: f64,
    /// Lower end of the band, m³/s.
    pub low_m3s: f64,
    /// Upper end of the band, m³/s.
    pub high_m3s: f64,
    /// Share of the water that was already measured upstream, 0…1.
    pub measured_share: f64,
}

impl ForecastPoint {
    /// What it mostly rests on.
    pub fn rests_on(&self) -> RestsOn {
        if self.measured_share >= 0.5 { RestsOn::Measured } else { RestsOn::Assumed }
    }
}

/// A forecast of discharge at the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The moment from which it looks ahead.
    pub issued_at: Timestamp,
    /// 方法.
    pub method_zh: String,
    /// Method.
    pub method_en: String,
    /// Hourly, the first one hour ahead.
    pub points: Vec<ForecastPoint>,
    /// Stations that were stale or silent: their last value was held, or left out if there was none.
    pub without: Vec<String>,
    /// m³/s by which the target now differs from the routed sum; `None` when the target itself is stale.
    pub offset_m3s: Option<f64>,
    /// Share by which the target carries more than came down to it from upstream, where that is a flag of its own (沿程增峰: sediment
    /// or ungauged inflow); the routing does not hold then, and nothing is fitted to it.
    pub grown: Option<f64>,
    /// Possible courses beside the plain one, m³/s at the moments of the points; empty without an ensemble.
    pub members: Vec<Vec<f64>>,
    /// Share of the courses that the band holds; `None` for a band of fixed shares.
    pub band: Option<f64>,
    /// Stations whose coming inflow was planned or forecast elsewhere.
    pub planned: Vec<Planned>,
}

/// A plan or a forecast from elsewhere that a forecast rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Whose coming discharge it gives.
    pub station: String,
    /// Who issued it.
    pub source: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// A release, a discharge, or the rain of an area; then `station` is the area.
    pub variable: ForecastVariable,
    /// The last moment that all its members reach; afterwards the last value is held.
    pub until: Timestamp,
}

/// What a forecaster makes of a forecast from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanUse {
    /// In place of the assumption that the inflow of a station stays as it is.
    Inflow,
    /// Rain of an area that drains to the target or to an upstream station: what runs off is added.
    Rain,
    /// It is of the target itself: to compare with.
    Target,
    /// Neither wind nor stage nor the rain of another area is an input.
    NoFlow,
    /// A discharge, but of no station that feeds the target.
    NoInflow,
}

impl Forecast {
    /// The highest point.
    pub fn peak(&self) -> Option<&ForecastPoint> {
        self.points.iter().max_by(|a, b| a.q_m3s.total_cmp(&b.q_m3s))
    }
    /// Share of the courses that reach a discharge within so many hours; `None` without an ensemble or beyond its end.
    pub fn probability(&self, at_least_m3s: f64, within_h: usize) -> Option<f64> {
        if self.members.is_empty() || within_h == 0 || within_h > self.points.len() {
            return None;
        }
        let reaches = |course: &&Vec<f64>| course.iter().take(within_h).any(|q| *q >= at_least_m3s);
        Some(self.members.iter().filter(reaches).count() as f64 / self.members.len() as f64)
    }
    /// The last hour that mostly rests on measured water.
    pub fn measured_until(&self) -> Option<Timestamp> {
        self.points.iter().take_while(|point| point.rests_on() == RestsOn::Measured).last().map(|point| point.at)
    }
}

/// Thinned-out values of one station.
#[derive(Debug, Clone, Default)]
struct History {
    values: BTreeMap<Timestamp, f64>,
    newest: Option<(Timestamp, f64)>,
}

impl History {
    fn add(&mut self, at: Timestamp, value: f64) {
        if self.newest.is_none_or(|(newest, _)| at >= newest) {
            self.newest = Some((at, value));
        }
        let near = self.values.range(at - KEEP_EVERY + TimeDelta::milliseconds(1)..at).next_back().is_some();
        if !near || self.values.contains_key(&at) {
            self.values.insert(at, value);
        }
        if let Some((newest, _)) = self.newest {
            self.values = self.values.split_off(&(newest - KEEP_FOR));
        }
    }

    /// Between two values on the line between them; after the last the last, before the first the first.
    fn at(&self, t: Timestamp) -> Option<f64> {
        let before = self.values.range(..=t).next_back().map(|(at, value)| (*at, *value));
        let after =
            self.values.range(t..).next().map(|(at, value)| (*at, *value)).or(self.newest.filter(|(at, _)| *at > t));
        match (before, after) {
            (Some((at, value)), _) if at == t => Some(value),
            (Some(left), Some(right)) if right.0 > left.0 => {
                let share = (t - left.0).num_milliseconds() as f64 / (right.0 - left.0).num_milliseconds() as f64;
                Some(left.1 + (right.1 - left.1) * share)
            }
            (None, Some((_, first))) => Some(first),
            _ => self.newest.map(|(_, last)| last),
        }
    }
    fn is_stale(&self, now: Timestamp, after_h: f64) -> bool {
        self.newest.is_none_or(|(at, _)| hours(now - at) > after_h)
    }
    fn largest_since(&self, from: Timestamp) -> f64 {
        let kept = self.values.range(from..).map(|(_, value)| *value);
        kept.chain(self.newest.map(|(_, value)| value)).fold(0.0, f64::max)
    }
}

fn hours(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 3_600_000.0
}

/// Keeps the last days of the upstream discharges and routes them to the target.
#[derive(Debug, Clone)]
pub struct Forecaster {
    settings: ForecastSettings,
    upstream: BTreeMap<String, History>,
    target: History,
    /// Station → the newest plan or forecast of its discharge from elsewhere.
    plans: BTreeMap<String, ImportedForecast>,
    /// Area → the newest rain forecast for it.
    rains: BTreeMap<String, ImportedForecast>,
}

/// Rain of an area on its way to a gauge.
struct Rained<'a> {
    area: &'a RainArea,
    forecast: &'a ImportedForecast,
    /// Hourly discharge by member, from [`GRID_H`] hours before now, m³/s.
    courses: Vec<Vec<f64>>,
}

impl Rained<'_> {
    /// What the hours ahead bring more than now, by member, the first value now.
    fn rises(&self) -> Vec<Vec<f64>> {
        let rise = |course: &Vec<f64>| course[GRID_H..].iter().map(|q| q - course[GRID_H]).collect();
        self.courses.iter().map(rise).collect()
    }
}

/// What the stations add up to in one hour.
struct Hour {
    sum: f64,
    measured: f64,
}

impl Forecaster {
    /// Knows nothing yet.
    pub fn new(settings: ForecastSettings) -> Self {
        let upstream = settings.stations().map(|name| (name.to_owned(), History::default())).collect();
        Self { settings, upstream, target: History::default(), plans: BTreeMap::new(), rains: BTreeMap::new() }
    }
    /// The series that is forecast.
    pub fn target(&self) -> &crate::model::SeriesId {
        &self.settings.target
    }

    /// Takes a usable discharge of an upstream station or of the target; everything else is passed over.
    pub fn observe(&mut self, seen: &Observation) {
        if !seen.quality.is_usable() || !seen.value.is_finite() {
            return;
        }
        if seen.series == self.settings.target {
            self.target.add(seen.at, seen.value);
        } else if seen.series.quantity() == "discharge"
            && let Some(history) = self.upstream.get_mut(seen.series.station())
        {
            history.add(seen.at, seen.value);
        }
    }

    /// Forgets what is known of a series: somebody has corrected its past, and it is told anew.
    pub fn forget(&mut self, series: &crate::model::SeriesId) {
        if *series == self.settings.target {
            self.target = History::default();
        } else if series.quantity() == "discharge"
            && let Some(history) = self.upstream.get_mut(series.station())
        {
            *history = History::default();
        }
    }

    /// What would become of a forecast from elsewhere.
    pub fn use_of(&self, forecast: &ImportedForecast) -> PlanUse {
        let is_flow = matches!(forecast.variable, ForecastVariable::Release | ForecastVariable::Discharge);
        if rain::takes(&self.settings.rain, forecast) {
            PlanUse::Rain
        } else if !is_flow {
            PlanUse::NoFlow
        } else if self.upstream.contains_key(&forecast.area) {
            PlanUse::Inflow
        } else if self.settings.target.station() == forecast.area {
            PlanUse::Target
        } else {
            PlanUse::NoInflow
        }
    }

    /// Forgets every plan and takes these in, in their order; see [`Self::plan`].
    pub fn use_plans(&mut self, plans: &[ImportedForecast]) {
        self.plans.clear();
        self.rains.clear();
        for plan in plans {
            self.plan(plan);
        }
    }

    /// Takes in a planned release, a discharge forecast elsewhere for an upstream station, or the rain of an area that drains to a
    /// gauge; anything else is passed over, and so is one older than the one known. Says whether it was taken.
    pub fn plan(&mut self, forecast: &ImportedForecast) -> bool {
        let known = match self.use_of(forecast) {
            PlanUse::Inflow => &mut self.plans,
            PlanUse::Rain => &mut self.rains,
            PlanUse::Target | PlanUse::NoFlow | PlanUse::NoInflow => return false,
        };
        let is_newer = known.get(&forecast.area).is_none_or(|known| forecast.issued_at >= known.issued_at);
        if is_newer {
            known.insert(forecast.area.clone(), forecast.clone());
        }
        is_newer
    }

    /// Rain that is forecast and on its way, area by area. Where a station's inflow is planned, its rain is in the plan.
    fn rained(&self, now: Timestamp, horizon: i32) -> Vec<Rained<'_>> {
        let back = i32::try_from(GRID_H).unwrap_or(0);
        let one = |area: &'_ RainArea| {
            let forecast = area.forecast(&self.rains, now)?;
            let is_planned = !self.planned(&area.enters, now, horizon).is_empty();
            (!is_planned).then(|| area.courses(forecast, now, back, horizon)).map(|courses| (forecast, courses))
        };
        let areas = self.settings.rain.iter();
        areas.filter_map(|area| one(area).map(|(forecast, courses)| Rained { area, forecast, courses })).collect()
    }

    /// Planned courses of a station by hour ahead, the first one hour ahead; each ends where its points end. Empty when there is no plan,
    /// or one issued after `now` or so long ago that it says nothing about the coming hours.
    fn planned(&self, station: &str, now: Timestamp, horizon: i32) -> Vec<Vec<f64>> {
        let Some(plan) = self.plans.get(station).filter(|plan| plan.issued_at <= now) else { return Vec::new() };
        let course = |member: &super::imported::ImportedMember| {
            (1..=horizon).map_while(|hour| member.at(now + TimeDelta::hours(i64::from(hour)))).collect::<Vec<f64>>()
        };
        plan.members.iter().map(course).filter(|course| !course.is_empty()).collect()
    }

    /// Hourly points from one hour after `now`; `None` while an essential station is stale or silent.
    pub fn forecast(&self, now: Timestamp) -> Option<Forecast> {
        let stale_after_h = self.settings.stale_after_h;
        let stale: Vec<String> = self
            .upstream
            .iter()
            .filter(|(_, history)| history.is_stale(now, stale_after_h))
            .map(|(name, _)| name.clone())
            .collect();
        if self.settings.essential.iter().any(|name| stale.contains(name)) {
            return None;
        }
        let from = now - TimeDelta::hours(48);
        let set = self.settings.set_for(self.upstream.values().map(|history| history.largest_since(from)).sum())?;
        let horizon = i32::try_from(self.settings.horizon_h).ok()?;
        let rained = self.rained(now, horizon);
        let routed: Vec<(&StationParameters, bool, Vec<f64>)> = set
            .station
            .iter()
            .filter_map(|(name, one)| {
                let history = self.upstream.get(name).filter(|history| history.newest.is_some())?;
                let plan = self.planned(name, now, horizon).into_iter().next();
                let rises = sum_of_courses(&rises_into(&rained, name));
                let routed = route(history, plan.as_deref(), rises.as_deref(), one, now, horizon)?;
                Some((one, stale.contains(name), routed))
            })
            .collect();
        let own: Vec<&Rained> = rained.iter().filter(|one| one.area.enters == self.settings.target.station()).collect();
        let hour = |ahead: usize| {
            let mut hour = sum_of(&routed, ahead);
            hour.sum += own.iter().filter_map(|one| one.courses.first()?.get(GRID_H + ahead)).sum::<f64>();
            hour
        };
        let target = self.target.newest.filter(|_| !self.target.is_stale(now, stale_after_h));
        let offset_m3s = target.map(|(_, value)| value - hour(0).sum);
        let routed_now = hour(0).sum;
        // A station that is left out, or rain that is on its way, may be the cause.
        let is_whole = stale.iter().all(|name| !set.station.contains_key(name)) && own.is_empty();
        let share = offset_m3s.filter(|_| is_whole && routed_now >= GROWN_LEAST_M3S).map(|offset| offset / routed_now);
        let grown = share.filter(|share| *share >= GROWN_SHARE);
        let without = stale.into_iter().filter(|name| set.station.contains_key(name)).collect::<Vec<_>>();
        let points = (1..=self.settings.horizon_h).map(|ahead| {
            let routed = hour(usize::try_from(ahead).unwrap_or(0));
            self.point(now, f64::from(ahead), &routed, offset_m3s, without.len())
        });
        let mut points: Vec<ForecastPoint> = points.collect();
        let is_planned = |name: &&String| !self.planned(name, now, horizon).is_empty();
        let plans = set.station.keys().filter(is_planned).filter_map(|name| self.plans.get(name));
        let mut planned: Vec<Planned> = plans.filter_map(ImportedForecast::as_planned).collect();
        for one in rained.iter().filter_map(|one| one.forecast.as_planned()) {
            // One area may drain to several gauges.
            if !planned.contains(&one) {
                planned.push(one);
            }
        }
        let (mut method_zh, mut method_en) = words(&set.source, &without, &planned, offset_m3s.is_some());
        if let Some(share) = grown {
            let percent = 100.0 * share;
            method_zh
                .push_str(&format!("；⚠ 本站比上游来水演算大 {percent:.0} %：高含沙增峰或区间来水，演算不可靠，偏低"));
            method_en.push_str(&format!(
                "; ⚠ {percent:.0} % more here than came down: hyperconcentrated water or ungauged inflow, the routing does not hold and is too low"
            ));
        }
        let members = match &self.settings.ensemble {
            Some(ensemble) => self.members(ensemble, set, now, &without, &rained),
            None => Vec::new(),
        };
        let band = self.settings.ensemble.as_ref().map(|ensemble| ensemble.band);
        if let Some(band) = band {
            narrow(&mut points, &members, band);
            let (count, percent) = (members.len(), band * 100.0);
            method_zh.push_str(&format!("；色带含 {count} 个成员的 {percent:.0} %"));
            method_en.push_str(&format!("; the band holds {percent:.0} % of {count} members"));
        }
        Some(Forecast {
            issued_at: now,
            method_zh,
            method_en,
            points,
            without,
            offset_m3s,
            grown,
            members,
            band,
            planned,
        })
    }

    /// Possible courses from what was seen up to now.
    fn members(
        &self,
        ensemble: &EnsembleSettings,
        set: &ParameterSet,
        now: Timestamp,
        stale: &[String],
        rained: &[Rained],
    ) -> Vec<Vec<f64>> {
        let horizon = i32::try_from(self.settings.horizon_h).unwrap_or(0);
        let mut inflows: Vec<Inflow> = set
            .station
            .iter()
            .filter_map(|(name, one)| {
                let history = self.upstream.get(name).filter(|history| history.newest.is_some())?;
                let hours = i64::try_from(GRID_H).ok()?;
                let past = (-hours..=0).map(|hour| history.at(now + TimeDelta::hours(hour)));
                let past = past.collect::<Option<Vec<f64>>>()?;
                let planned = self.planned(name, now, horizon);
                let stale = stale.contains(name);
                let most = ensemble.most_m3s.get(name).copied().unwrap_or(f64::INFINITY);
                let rain = rises_into(rained, name).into_iter().reduce(added).unwrap_or_default();
                Some(Inflow { delay_h: one.delay_h, store_h: one.store_h, past, planned, rain, stale, most })
            })
            .collect();
        for one in rained.iter().filter(|one| one.area.enters == self.settings.target.station()) {
            // At once at the target. No reading bears it out or not: it is not pulled.
            let (past, planned) = (one.courses[0][..=GRID_H].to_vec(), one.courses.iter());
            let planned = planned.map(|course| course[GRID_H + 1..].to_vec()).collect();
            let (rain, stale, most) = (Vec::new(), true, f64::INFINITY);
            inflows.push(Inflow { delay_h: 0.0, store_h: AT_ONCE_H, past, planned, rain, stale, most });
        }
        let fresh = !self.target.is_stale(now, self.settings.stale_after_h);
        let readings = READINGS_H.map(|hours| {
            let at = now - TimeDelta::hours(i64::from(hours));
            let known = self.target.values.first_key_value().is_some_and(|(first, _)| *first <= at);
            self.target.at(at).filter(|_| fresh && (known || hours == 0))
        });
        courses(ensemble, self.settings.offset_decay_h, &inflows, &readings, self.settings.horizon_h as usize)
    }

    fn point(&self, now: Timestamp, ahead_h: f64, hour: &Hour, offset: Option<f64>, without: usize) -> ForecastPoint {
        let settings = &self.settings;
        let kept = offset.unwrap_or(0.0) * (-ahead_h / settings.offset_decay_h).exp();
        let q = (hour.sum + kept).max(0.0);
        let measured_share = if hour.sum > 0.0 { hour.measured / hour.sum } else { 0.0 };
        let assumed_h = ahead_h * (1.0 - measured_share);
        let share = settings.band_measured * (1.0 + without as f64)
            + settings.band_per_h * ahead_h
            + settings.band_assumed_per_h * assumed_h
            + if offset.is_none() { settings.band_measured } else { 0.0 };
        let half = q * share.min(1.0);
        let at = now + TimeDelta::milliseconds((ahead_h * 3_600_000.0) as i64);
        ForecastPoint { at, q_m3s: q, low_m3s: q - half, high_m3s: q + half, measured_share }
    }
}

/// The band from the courses: it always holds the plain forecast, which may lie at its rim.
fn narrow(points: &mut [ForecastPoint], members: &[Vec<f64>], band: f64) {
    for (ahead, point) in points.iter_mut().enumerate() {
        let mut values: Vec<f64> = members.iter().filter_map(|course| course.get(ahead)).copied().collect();
        if values.is_empty() {
            continue;
        }
        values.sort_by(f64::total_cmp);
        point.low_m3s = quantile(&values, 0.5 * (1.0 - band)).min(point.q_m3s);
        point.high_m3s = quantile(&values, 0.5 * (1.0 + band)).max(point.q_m3s);
    }
}

/// What rain adds to the inflow of a station, area by area, by member, the first value now.
fn rises_into(rained: &[Rained], station: &str) -> Vec<Vec<Vec<f64>>> {
    rained.iter().filter(|one| one.area.enters == station).map(Rained::rises).collect()
}

/// Two areas together; the shorter list of members is gone through again.
fn added(a: Vec<Vec<f64>>, b: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let count = a.len().max(b.len());
    let sum = |at: usize| a[at % a.len()].iter().zip(&b[at % b.len()]).map(|(a, b)| a + b).collect();
    (0..count).map(sum).collect()
}

/// The first members of some areas together; nothing where there is no area.
fn sum_of_courses(areas: &[Vec<Vec<f64>>]) -> Option<Vec<f64>> {
    let first = areas.iter().filter_map(|members| members.first().cloned());
    first.reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
}

/// The routed discharge of one station, now and at each hour ahead; after now its plan, or the last value with what rain adds.
fn route(
    history: &History,
    plan: Option<&[f64]>,
    rises: Option<&[f64]>,
    one: &StationParameters,
    now: Timestamp,
    horizon: i32,
) -> Option<Vec<f64>> {
    let input = |hour: i32| {
        let hours = f64::from(hour) - one.delay_h;
        let seen = history.at(now + TimeDelta::milliseconds((hours * 3_600_000.0) as i64));
        match (plan, rises) {
            (Some(plan), _) if hours > 0.0 => Some(between(plan, hours - 1.0)),
            (None, Some(rises)) if hours > 0.0 => seen.map(|held| (held + between(rises, hours)).max(0.0)),
            _ => seen,
        }
    };
    let inputs = (-RUN_IN_H..=horizon).map(input).collect::<Option<Vec<f64>>>()?;
    let run_in = usize::try_from(RUN_IN_H).unwrap_or(0);
    Some(through_store(one, inputs.into_iter()).skip(run_in).collect())
}

/// Hourly discharges through the linear store of a station, which begins steady.
fn through_store(one: &StationParameters, inputs: impl Iterator<Item = f64>) -> impl Iterator<Item = f64> {
    let take = 1.0 - (-1.0 / one.store_h).exp();
    inputs.scan(None, move |stored, input| {
        let before = stored.unwrap_or(input);
        *stored = Some(before + take * (input - before));
        *stored
    })
}

/// Why whole courses cannot be routed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutedFault {
    /// A station without parameters.
    #[error("{station} 没有演算参数，可用：{} ({station} has no parameters, there are: {})", known.join("、"), known.join(", "))]
    Unknown {
        /// The station given.
        station: String,
        /// Those with parameters.
        known: Vec<String>,
    },
    /// A station without which nothing is routed.
    #[error("缺少 {0} 的流量 (the discharge of {0} is missing)")]
    Missing(String),
}

/// What whole hourly courses of upstream stations, in m³/s, amount to at the target hour by hour. Each begins steady and stays as it ends;
/// the parameters are those of the largest sum. A station that is not essential may be absent and counts for nothing.
///
/// # Errors
/// A station without parameters, or an essential one that is missing.
pub fn routed(settings: &ForecastSettings, upstream: &BTreeMap<String, Vec<f64>>) -> Result<Vec<f64>, RoutedFault> {
    let known: Vec<String> = {
        let stations: std::collections::BTreeSet<&str> = settings.stations().collect();
        stations.into_iter().map(str::to_owned).collect()
    };
    if let Some(station) = upstream.keys().find(|station| !known.contains(station)) {
        return Err(RoutedFault::Unknown { station: station.clone(), known });
    }
    if let Some(missing) = settings.essential.iter().find(|name| upstream.get(*name).is_none_or(Vec::is_empty)) {
        return Err(RoutedFault::Missing(missing.clone()));
    }
    let hours = upstream.values().map(Vec::len).max().unwrap_or(0);
    let at = |course: &Vec<f64>, hour: usize| course.get(hour).or(course.last()).copied().unwrap_or(0.0);
    let largest = (0..hours).map(|hour| upstream.values().map(|course| at(course, hour)).sum()).fold(0.0, f64::max);
    let Some(set) = settings.set_for(largest) else { return Ok(Vec::new()) };
    let mut sum = vec![0.0; hours];
    for (name, one) in &set.station {
        let Some(course) = upstream.get(name).filter(|course| !course.is_empty()) else { continue };
        let delayed = (0..hours).map(|hour| between(course, hour as f64 - one.delay_h));
        sum.iter_mut().zip(through_store(one, delayed)).for_each(|(sum, own)| *sum += own);
    }
    Ok(sum)
}

/// Sum over the stations, and how much of it had passed them by now.
fn sum_of(routed: &[(&StationParameters, bool, Vec<f64>)], ahead: usize) -> Hour {
    let mut hour = Hour { sum: 0.0, measured: 0.0 };
    for (one, stale, values) in routed {
        let value = values.get(ahead).copied().unwrap_or(0.0);
        let beyond_h = (ahead as f64 - one.delay_h).max(0.0);
        let share = if *stale { 0.0 } else { (-beyond_h / one.store_h).exp() };
        hour.sum += value;
        hour.measured += value * share;
    }
    hour
}

impl ImportedForecast {
    fn as_planned(&self) -> Option<Planned> {
        let (station, source, variable) = (self.area.clone(), self.source.clone(), self.variable);
        Some(Planned { station, source, issued_at: self.issued_at, variable, until: self.reaches_until()? })
    }
}

impl Planned {
    /// `小浪底（黄委水文局 07-15 08:00 发布，至 07-18 08:00）`, in Beijing time.
    fn words(&self) -> (String, String) {
        let local = |at: Timestamp| (at + TimeDelta::hours(8)).format("%m-%d %H:%M");
        let (station, source) = (&self.station, &self.source);
        let (issued, until) = (local(self.issued_at), local(self.until));
        let (of_zh, of_en) = if self.variable == ForecastVariable::Rain { ("雨量", "rain of ") } else { ("", "") };
        (
            format!("{station}{of_zh}（{source} {issued} 发布，至 {until}）"),
            format!("{of_en}{station} ({source}, issued {issued}, until {until}, UTC+8)"),
        )
    }
}

fn words(source: &str, without: &[String], planned: &[Planned], corrected: bool) -> (String, String) {
    let mut zh = format!("上游滞时坦化（{source}）；滞时之外按来水不变推算");
    let mut en =
        format!("lag and attenuation from upstream ({source}); beyond the lag inflow is taken to stay as it is");
    if !planned.is_empty() {
        let (planned_zh, planned_en): (Vec<_>, Vec<_>) = planned.iter().map(Planned::words).unzip();
        zh.push_str(&format!("；按计划或外来预报：{}", planned_zh.join("、")));
        en.push_str(&format!("; by plan or a forecast from elsewhere: {}", planned_en.join(", ")));
    }
    if !without.is_empty() {
        zh.push_str(&format!("；缺站：{}", without.join("、")));
        en.push_str(&format!("; without {}", without.join(", ")));
    }
    if !corrected {
        zh.push_str("；本站无新值，未校正");
        en.push_str("; not corrected, the station itself has no fresh value");
    }
    (zh, en)
}

#[cfg(test)]
#[path = "routing_tests.rs"]
mod tests;

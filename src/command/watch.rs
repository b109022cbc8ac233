//! The watch on the water: readings in, judged observations and evaluations out.
//!
//! It joins the judge, the signal board and the forecast of one reach. Pure: the same readings in the same order, at
//! the same moments, give the same observations and the same [`Input::Evaluate`], live and in a drill.

use super::{Input, ReadingRef};
use crate::forecast::{Forecast, Forecaster, ImportedForecast};
use crate::model::{Datum, Observation, PlaceId, Quality, Reading, SeriesId, Timestamp};
use crate::playbook::{SignalBoard, SignalKey, Snapshot};
use crate::quality::{Freshness, Judge, freshness};
use crate::stones::{StoneArray, StoneNews};
use chrono::TimeDelta;
use std::collections::{BTreeMap, VecDeque};

/// Span over which the trend of a gauge is taken.
const TREND_H: i64 = 3;
/// Shortest time between two points kept for the trend, in seconds.
const TREND_STEP_S: i64 = 300;

/// A gauge as screens show it.
#[derive(Debug, Clone, PartialEq)]
pub struct GaugeView {
    /// `<station>.<quantity>`.
    pub series: SeriesId,
    /// Station.
    pub station: String,
    /// Its name.
    pub name_zh: String,
    /// Its name.
    pub name_en: String,
    /// `discharge`, `stage`, `rain`, ….
    pub quantity: String,
    /// Unit of the value.
    pub unit: String,
    /// Reference surface of a stage.
    pub datum: Option<Datum>,
    /// Last usable value.
    pub value: Option<f64>,
    /// Moment of that value.
    pub time: Option<Timestamp>,
    /// Verdict on the newest value, usable or not.
    pub quality: Quality,
    /// Change an hour over the last three hours, in the unit.
    pub trend_per_h: Option<f64>,
    /// Seconds between two values.
    pub interval_s: f64,
    /// Seconds that a value may come late.
    pub grace_s: f64,
}

impl GaugeView {
    /// `fresh`, `late`, `stale` or `missing` at that moment.
    pub fn freshness(&self, now: Timestamp) -> &'static str {
        self.freshness_at(now).as_str()
    }
    fn freshness_at(&self, now: Timestamp) -> Freshness {
        freshness(self.time, self.interval_s, self.grace_s, now)
    }
}

/// A way in or out, and how much of it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// Stable word.
    pub name: String,
    /// For the wall.
    pub label_zh: String,
    /// For the wall.
    pub label_en: String,
    /// Working.
    pub ok: usize,
    /// In all.
    pub total: usize,
}

/// The water as last judged, for screens.
#[derive(Debug, Clone, Default)]
pub struct Water {
    /// Gauges in the order of the files.
    pub gauges: Vec<GaugeView>,
    /// Telemetry, stones, channels.
    pub links: Vec<LinkView>,
    /// Discharge forecast of the control station.
    pub forecast: Option<Forecast>,
    /// Signals of the last evaluation.
    pub snapshot: Option<Snapshot>,
    /// State of each stone: id → word.
    pub stones: BTreeMap<String, &'static str>,
    /// The control series.
    pub control: Option<SeriesId>,
}

impl Water {
    /// Discharge of the control station, in m³/s, if it is known.
    pub fn discharge_m3s(&self) -> Option<f64> {
        self.snapshot.as_ref()?.everywhere(&SignalKey::discharge())
    }
    /// The forecast that belongs to a series.
    pub fn forecast_of(&self, series: &SeriesId) -> Option<&Forecast> {
        self.forecast.as_ref().filter(|_| self.control.as_ref() == Some(series))
    }
}

/// What a watch is made of.
#[derive(Debug, Clone)]
pub struct WatchParts {
    /// Checks of readings.
    pub judge: Judge,
    /// Memory behind the signals.
    pub board: SignalBoard,
    /// Upstream to the control station, where the site has it.
    pub forecaster: Option<Forecaster>,
    /// Smart stones.
    pub stones: StoneArray,
    /// Gauges, without values yet.
    pub gauges: Vec<GaugeView>,
    /// Signals that the playbook asks for.
    pub keys: Vec<SignalKey>,
    /// Discharge series of the control station.
    pub control: SeriesId,
    /// Seconds between two forecasts.
    pub forecast_every_s: u32,
}

/// The watch of one reach.
#[derive(Debug, Clone)]
pub struct Watch {
    parts: WatchParts,
    by_series: BTreeMap<SeriesId, usize>,
    trends: BTreeMap<SeriesId, VecDeque<(Timestamp, f64)>>,
    newest: BTreeMap<SeriesId, ReadingRef>,
    forecast: Option<Forecast>,
    silent: BTreeMap<SeriesId, bool>,
    /// Until when signals of events hold.
    held: BTreeMap<(SignalKey, PlaceId), Timestamp>,
    snapshot: Option<Snapshot>,
}

impl Watch {
    /// Begins to watch.
    pub fn new(parts: WatchParts) -> Self {
        let by_series = parts.gauges.iter().enumerate().map(|(index, gauge)| (gauge.series.clone(), index)).collect();
        Self {
            parts,
            by_series,
            trends: BTreeMap::new(),
            newest: BTreeMap::new(),
            forecast: None,
            silent: BTreeMap::new(),
            held: BTreeMap::new(),
            snapshot: None,
        }
    }

    /// Judges readings; what comes out must be durable before [`Self::evaluate`] is told to anyone.
    pub fn take(&mut self, readings: &[Reading]) -> Vec<Observation> {
        let mut judged = Vec::with_capacity(readings.len());
        for reading in readings {
            judged.extend(self.parts.judge.judge(reading));
        }
        for observation in &judged {
            self.note(observation);
        }
        judged
    }

    /// Judges readings that are brought in afterwards, by themselves: the live memory learns nothing from them. Readings of a
    /// series must come in order of time.
    pub fn judge_apart(&self, readings: &[Reading]) -> Vec<Observation> {
        let mut judge = self.parts.judge.apart();
        readings.iter().flat_map(|reading| judge.judge(reading)).collect()
    }

    /// Takes in what the store remembers after a restart; it was judged before.
    pub fn recall(&mut self, observation: &Observation) {
        self.note(observation);
    }

    /// Takes in a planned release or a discharge forecast made elsewhere for an upstream station. Says whether it is of use here.
    pub fn plan(&mut self, forecast: &ImportedForecast) -> bool {
        self.parts.forecaster.as_mut().is_some_and(|forecaster| forecaster.plan(forecast))
    }

    fn note(&mut self, observation: &Observation) {
        let Some(index) = self.by_series.get(&observation.series).copied() else {
            self.parts.stones.observe(observation);
            return;
        };
        self.parts.board.observe(observation);
        if let Some(forecaster) = &mut self.parts.forecaster {
            forecaster.observe(observation);
        }
        let Some(gauge) = self.parts.gauges.get_mut(index) else { return };
        let newer = gauge.time.is_none_or(|time| observation.at >= time);
        if newer {
            gauge.quality = observation.quality;
        }
        if newer && observation.quality.is_usable() && observation.value.is_finite() {
            gauge.value = Some(observation.value);
            gauge.time = Some(observation.at);
            gauge.trend_per_h =
                trend(self.trends.entry(observation.series.clone()).or_default(), observation.at, observation.value);
            let reading = ReadingRef {
                series: observation.series.clone(),
                value: observation.value,
                at: observation.at,
                quality: observation.quality,
            };
            self.newest.insert(observation.series.clone(), reading);
        }
    }

    /// The signals as they stand, with the readings that the level rests on.
    pub fn evaluate(&mut self, now: Timestamp) -> Input {
        let due = self
            .forecast
            .as_ref()
            .is_none_or(|old| now - old.issued_at >= TimeDelta::seconds(i64::from(self.parts.forecast_every_s)));
        if due {
            self.forecast = self.parts.forecaster.as_ref().and_then(|forecaster| forecaster.forecast(now));
            if let Some(forecast) = &self.forecast {
                let points: Vec<_> = forecast.points.iter().map(|point| (point.at, tenths(point.q_m3s))).collect();
                self.parts.board.set_forecast(forecast.issued_at, &points);
                let moments = || forecast.points.iter().map(|point| point.at);
                let course = |member: &Vec<f64>| moments().zip(member.iter().map(|q| tenths(*q))).collect();
                let members: Vec<Vec<_>> = forecast.members.iter().map(course).collect();
                self.parts.board.set_members(forecast.issued_at, &members);
            }
        }
        for (dam, stone, news) in self.parts.stones.drain_news(now) {
            match news {
                StoneNews::Changed(state) => self.parts.board.set_stone(&dam, &stone, state),
                StoneNews::Same(at) => self.parts.board.hear_stone(&dam, &stone, at),
            }
        }
        self.let_go(now);
        let snapshot = self.parts.board.snapshot(now, &self.parts.keys);
        self.snapshot = Some(snapshot.clone());
        let readings = self.newest.get(&self.parts.control).cloned().into_iter().collect();
        Input::Evaluate { snapshot, readings }
    }

    /// An event says that a signal holds at a place for a while (有人闯入涉水区); afterwards it no longer does.
    pub fn hear(&mut self, key: SignalKey, place: PlaceId, at: Timestamp, hold: TimeDelta) {
        self.parts.board.set_place_value(key.clone(), place.clone(), 1.0, at);
        let until = self.held.entry((key, place)).or_insert(at + hold);
        *until = (*until).max(at + hold);
    }

    /// Signals of events whose time is over.
    fn let_go(&mut self, now: Timestamp) {
        let over: Vec<_> = self.held.iter().filter(|(_, until)| **until <= now).map(|(key, _)| key.clone()).collect();
        for (key, place) in over {
            self.held.remove(&(key.clone(), place.clone()));
            self.parts.board.set_place_value(key, place, 0.0, now);
        }
    }

    /// Series that fell silent or came back since the last look; one cause an input.
    pub fn health(&mut self, now: Timestamp) -> Vec<Input> {
        let mut changes = Vec::new();
        for gauge in &self.parts.gauges {
            let silent = gauge.time.is_some() && gauge.freshness_at(now) >= Freshness::Stale;
            let known = self.silent.entry(gauge.series.clone()).or_insert(false);
            if *known != silent {
                *known = silent;
                changes.push(Input::Health {
                    cause: gauge.series.to_string(),
                    title_zh: format!("{} {} 中断，已超过三个报汛间隔", gauge.name_zh, quantity_zh(&gauge.quantity)),
                    title_en: format!("{} {}: no usable value for three intervals", gauge.name_en, gauge.quantity),
                    silent,
                });
            }
        }
        changes
    }

    /// For screens.
    pub fn water(&self, now: Timestamp) -> Water {
        let fresh = |gauge: &&GaugeView| matches!(gauge.freshness_at(now), Freshness::Fresh | Freshness::Late);
        let heard = self.parts.gauges.iter().filter(fresh).count();
        let stones = self.parts.stones.words(now);
        let silent = ["silent", "cut-line"];
        let alive = stones.values().filter(|word| !silent.contains(word)).count();
        let links = vec![
            link("telemetry", "遥测", "Telemetry", heard, self.parts.gauges.len()),
            link("stones", "智能石头", "Smart stones", alive, stones.len()),
        ];
        Water {
            gauges: self.parts.gauges.clone(),
            links,
            forecast: self.forecast.clone(),
            snapshot: self.snapshot.clone(),
            stones,
            control: Some(self.parts.control.clone()),
        }
    }
}

/// To 0.1 m³/s: finer than any forecast, coarser than what two machines' arithmetic may differ by.
fn tenths(m3s: f64) -> f64 {
    (m3s * 10.0).round() / 10.0
}

fn link(name: &str, zh: &str, en: &str, ok: usize, total: usize) -> LinkView {
    LinkView { name: name.into(), label_zh: zh.into(), label_en: en.into(), ok, total }
}

fn quantity_zh(quantity: &str) -> &str {
    match quantity {
        "discharge" => "流量",
        "stage" => "水位",
        "rain" => "雨量",
        other => other,
    }
}

/// Change an hour between the newest value and the oldest within three hours; `None` below half an hour of history.
fn trend(points: &mut VecDeque<(Timestamp, f64)>, at: Timestamp, value: f64) -> Option<f64> {
    while points.front().is_some_and(|(oldest, _)| at - *oldest > TimeDelta::hours(TREND_H)) {
        points.pop_front();
    }
    if points.back().is_none_or(|(newest, _)| (at - *newest).num_seconds() >= TREND_STEP_S) {
        points.push_back((at, value));
    }
    let (oldest, then) = points.front()?;
    let hours = (at - *oldest).num_seconds() as f64 / 3600.0;
    (hours >= 0.5).then(|| (value - then) / hours)
}

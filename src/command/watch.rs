//! The watch on the water: readings in, judged observations and evaluations out.
//!
//! It joins the judge, the signal board and the forecast of one reach. Pure: the same readings in the same order, at
//! the same moments, give the same observations and the same [`Input::Evaluate`], live and in a drill.

use super::twin::LiveTwin;
use super::{Input, LastWord, ReadingRef, StandIn, TwinSlot, TwinStanding, TwinView};
use crate::forecast::{Forecast, Forecaster, ImportedForecast, PlanUse};
use crate::model::{Datum, ESTIMATE, Observation, PlaceId, Quality, Reading, SeriesId, Timestamp};
use crate::playbook::{SignalBoard, SignalKey, Snapshot};
use crate::quality::{Freshness, Judge, freshness};
use crate::stones::{Group, Silences, Standing, StoneArray, StoneHazard, StoneNews};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Span over which the trend of a gauge is taken.
const TREND_H: i64 = 3;
/// Shortest time between two points kept for the trend, in seconds.
const TREND_STEP_S: i64 = 300;
/// A measured discharge that differs by more of what the last forecast rests on asks for a new one at once.
const OVERTAKEN_SHARE: f64 = 0.05;

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
    /// Lowest and highest value that can be, in the unit.
    pub range: Option<[f64; 2]>,
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
    /// The gateway that it is reached through, if it is polled.
    pub gateway: Option<String>,
    /// When anything of it last came, usable or not.
    pub heard_at: Option<Timestamp>,
    /// Since when it is listened to: from then the silence of one that never spoke is counted.
    pub watched_since: Timestamp,
    /// What is used in its place while it is silent or refused.
    pub stand_in: Option<StandIn>,
}

impl GaugeView {
    /// `fresh`, `late`, `stale` or `missing` at that moment.
    pub fn freshness(&self, now: Timestamp) -> &'static str {
        self.freshness_at(now).as_str()
    }
    /// Under which an alarm may call it silent: by itself, with its station, with its gateway.
    fn causes(&self) -> impl Iterator<Item = String> {
        let gateway = self.gateway.iter().map(|gateway| gateway_cause(gateway));
        [self.series.to_string(), self.station.clone()].into_iter().chain(gateway.collect::<Vec<_>>())
    }
    fn is_silent(&self, now: Timestamp) -> bool {
        // After a start the first polls are still on their way: what is remembered from before is no sign of silence.
        let since = self.time.max(Some(self.watched_since));
        freshness(since, self.interval_s, self.grace_s, now) >= Freshness::Stale
    }
    pub(super) fn freshness_at(&self, now: Timestamp) -> Freshness {
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
    pub snapshot: Option<Arc<Snapshot>>,
    /// State of each stone: id → word.
    pub stones: BTreeMap<String, &'static str>,
    /// Open hazards of the stones.
    pub stone_hazards: Vec<StoneHazard>,
    /// The control series.
    pub control: Option<SeriesId>,
    /// The live twin.
    pub twin: TwinView,
}

impl Water {
    /// Discharge of the control station, in m³/s, if it is known.
    pub fn discharge_m3s(&self) -> Option<f64> {
        self.snapshot.as_ref()?.everywhere(&SignalKey::discharge())
    }
    /// How far the live twin may be trusted.
    pub fn twin_standing(&self, now: Timestamp) -> TwinStanding {
        let control = self.gauges.iter().find(|gauge| self.control.as_ref() == Some(&gauge.series));
        self.twin.standing(control, now)
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
    /// The twin of the reach, where it has terrain.
    pub twin: Option<TwinSlot>,
}

/// The watch of one reach.
#[derive(Debug, Clone)]
pub struct Watch {
    pub(super) parts: WatchParts,
    pub(super) by_series: BTreeMap<SeriesId, usize>,
    trends: BTreeMap<SeriesId, VecDeque<(Timestamp, f64)>>,
    pub(super) newest: BTreeMap<SeriesId, ReadingRef>,
    /// Estimates that nobody has taken away for the store yet.
    pub(super) estimates: Vec<Observation>,
    forecast: Option<Forecast>,
    /// The discharge that was measured when forecast and twin were last made.
    rests_on_m3s: Option<f64>,
    /// Which change of the plans from elsewhere was taken in last.
    plans_as_of: i64,
    /// Until when signals of events hold.
    held: BTreeMap<(SignalKey, PlaceId), Timestamp>,
    /// Outages that were told.
    told: LastWord,
    /// Hazards of the stones that were told, and how far they were confirmed then.
    stone_hazards: BTreeMap<PlaceId, Standing>,
    snapshot: Option<Arc<Snapshot>>,
    twin: LiveTwin,
}

impl Watch {
    /// Begins to watch.
    pub fn new(parts: WatchParts) -> Self {
        let by_series = parts.gauges.iter().enumerate().map(|(index, gauge)| (gauge.series.clone(), index)).collect();
        let twin = LiveTwin::new(parts.twin.clone());
        Self {
            parts,
            by_series,
            twin,
            trends: BTreeMap::new(),
            newest: BTreeMap::new(),
            estimates: Vec::new(),
            forecast: None,
            rests_on_m3s: None,
            plans_as_of: 0,
            held: BTreeMap::new(),
            told: LastWord::default(),
            stone_hazards: BTreeMap::new(),
            snapshot: None,
        }
    }

    /// Judges readings; what comes out must be durable before [`Self::evaluate`] is told to anyone.
    pub fn take(&mut self, readings: &[Reading]) -> Vec<Observation> {
        let mut judged = Vec::with_capacity(readings.len());
        for reading in readings {
            self.parts.judge.judge_into(reading, &mut judged);
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
        if observation.series.sensor() == Some(ESTIMATE) {
            self.learn_estimate(&Observation { series: observation.series.main(), ..observation.clone() });
            return;
        }
        self.parts.judge.remember(observation);
        self.note(observation);
    }

    /// What was recalled so far was thinned out: how often the series speak is learned from what follows.
    pub fn forget_rhythm(&mut self) {
        self.parts.judge.forget_rhythm();
    }

    /// Forgets what is known of a series whose past was corrected, and takes in what the store has of it now, in order of time.
    pub fn relearn(&mut self, series: &SeriesId, observations: &[Observation]) {
        self.parts.board.forget(series);
        if let Some(forecaster) = &mut self.parts.forecaster {
            forecaster.forget(series);
        }
        self.trends.remove(series);
        self.newest.remove(series);
        if let Some(gauge) = self.by_series.get(series).and_then(|index| self.parts.gauges.get_mut(*index)) {
            (gauge.value, gauge.time, gauge.trend_per_h) = (None, None, None);
        }
        self.forecast = None;
        for observation in observations {
            self.note(observation);
        }
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
        // A poll without an answer is kept as 缺测: nothing was heard.
        if observation.value.is_finite() {
            gauge.heard_at = gauge.heard_at.max(Some(observation.received_at));
        }
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
            if observation.series == self.parts.control {
                self.twin.note(observation.at, observation.value);
            }
        }
    }

    /// The signals as they stand, with the readings that the level rests on.
    pub fn evaluate(&mut self, now: Timestamp) -> Input {
        self.stand_in(now);
        let every = TimeDelta::seconds(i64::from(self.parts.forecast_every_s));
        let due = self.forecast.as_ref().is_none_or(|old| now - old.issued_at >= every) || self.is_overtaken();
        if due {
            self.rests_on_m3s = self.newest.get(&self.parts.control).map(|reading| reading.value);
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
        if due || self.twin.is_empty() {
            self.twin.renew(now, &self.parts.control, &self.parts.gauges, self.forecast.as_ref());
            if let Some(says) = self.twin.says(now, &self.parts.keys) {
                self.parts.board.set_twin(says);
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
        self.snapshot = Some(Arc::new(snapshot.clone()));
        let readings = self.newest.get(&self.parts.control).cloned().into_iter().collect();
        Input::Evaluate { snapshot, readings }
    }

    /// The river has left what forecast and twin rest on by more than a river does between two forecasts.
    fn is_overtaken(&self) -> bool {
        let measured = self.newest.get(&self.parts.control).map(|reading| reading.value);
        measured.zip(self.rests_on_m3s).is_some_and(|(now, then)| (now - then).abs() > OVERTAKEN_SHARE * then)
    }

    /// Plans and discharges forecast elsewhere, as they stand after their change number `as_of`; an earlier state that comes late is
    /// passed over. The next evaluation forecasts anew.
    pub fn use_plans(&mut self, as_of: i64, plans: &[ImportedForecast]) {
        if as_of < self.plans_as_of {
            return;
        }
        self.plans_as_of = as_of;
        if let Some(forecaster) = &mut self.parts.forecaster {
            forecaster.use_plans(plans);
            self.forecast = None;
        }
    }

    /// What becomes of forecasts from elsewhere, one by one, and the forecast that they would give; nothing changes.
    pub fn would_use(&self, plans: &[ImportedForecast], now: Timestamp) -> (Vec<PlanUse>, Option<Forecast>) {
        let Some(mut forecaster) = self.parts.forecaster.clone() else {
            return (plans.iter().map(|_| PlanUse::NoInflow).collect(), None);
        };
        let uses = plans.iter().map(|plan| forecaster.use_of(plan)).collect();
        for plan in plans {
            forecaster.plan(plan);
        }
        (uses, forecaster.forecast(now))
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

    /// What fell silent or came back since the last look, one input a cause, and what the stones show together, one a dam.
    pub fn health(&mut self, now: Timestamp) -> Vec<Input> {
        self.stand_in(now);
        let mut changes = self.outage_changes(now);
        let discharge = self.newest.get(&self.parts.control).map(|reading| reading.value);
        let is_known =
            self.parts.gauges.iter().any(|gauge| gauge.series == self.parts.control && !gauge.is_silent(now));
        self.parts.stones.judge(now, discharge.filter(|_| is_known));
        changes.extend(self.stone_changes());
        changes.extend(self.twin.water_comes(now));
        changes
    }

    /// The live twin as it stands.
    pub fn twin_view(&self) -> TwinView {
        self.twin.view()
    }

    fn outage_changes(&mut self, now: Timestamp) -> Vec<Input> {
        let mut causes = outages(&self.parts.gauges, now);
        let alive = self.parts.gauges.iter().filter(|gauge| gauge.freshness_at(now) < Freshness::Stale);
        let alive: BTreeSet<String> = alive.flat_map(GaugeView::causes).collect();
        let (dead, heard) = stone_outages(&self.parts.stones.silences(now));
        // Where gauges behind it are heard, the gateway lives.
        causes.extend(dead.into_iter().filter(|(cause, _)| !alive.contains(cause)));
        let over: BTreeSet<String> = alive
            .into_iter()
            .chain(heard)
            .chain(self.told.silent().cloned())
            .filter(|cause| !causes.contains_key(cause))
            .collect();
        let over = over.into_iter().map(|cause| (cause, Default::default(), false));
        let new = causes.into_iter().map(|(cause, words)| (cause, words, true));
        let changes = over.chain(new).filter(|(cause, _, silent)| self.told.is_news(cause, *silent));
        changes
            .map(|(cause, (title_zh, title_en), silent): (String, (String, String), bool)| Input::Health {
                cause,
                title_zh,
                title_en,
                silent,
            })
            .collect()
    }

    fn stone_changes(&mut self) -> Vec<Input> {
        let hazards = self.parts.stones.hazards();
        let now: BTreeMap<PlaceId, Standing> =
            hazards.iter().map(|(dam, hazard)| (dam.clone(), hazard.standing)).collect();
        let told = std::mem::replace(&mut self.stone_hazards, now);
        let input = |hazard: &StoneHazard| Input::StoneHazard {
            dam: hazard.dam.clone(),
            first: hazard.first.clone(),
            first_at: hazard.first_at,
            stones: hazard.stones.clone(),
            confidence: hazard.confidence,
            second_stone: hazard.standing == Standing::SecondStone,
        };
        let new = hazards.values().filter(|hazard| told.get(&hazard.dam) != Some(&hazard.standing)).map(input);
        let over = told.keys().filter(|dam| !hazards.contains_key(*dam));
        new.chain(over.map(|dam| Input::StoneHazardOver { dam: dam.clone() })).collect()
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
            stone_hazards: self.parts.stones.hazards().values().cloned().collect(),
            control: Some(self.parts.control.clone()),
            twin: self.twin.view(),
        }
    }
}

/// Begins the cause of a dam whose stones are all silent; the core puts the dam's name into the words.
pub(super) const STONES_OF: &str = "stones-of:";

fn gateway_cause(gateway: &str) -> String {
    format!("gateway:{gateway}")
}

/// Causes of silence: a gateway through which nothing comes is one, a station whose every series is silent is one.
fn outages(gauges: &[GaugeView], now: Timestamp) -> BTreeMap<String, (String, String)> {
    let mut causes = BTreeMap::new();
    for gauge in gauges.iter().filter(|gauge| gauge.is_silent(now)) {
        let of_gateway = || gauges.iter().filter(|other| other.gateway.is_some() && other.gateway == gauge.gateway);
        let of_station = || gauges.iter().filter(|other| other.station == gauge.station);
        // Nothing came through the gateway since this one should have: slower ones behind it are not due yet.
        let due = |time| time + TimeDelta::milliseconds(((gauge.interval_s + gauge.grace_s) * 1000.0) as i64);
        let heard = of_gateway().filter_map(|other| other.heard_at).max();
        let stations: BTreeSet<&str> = of_gateway().map(|other| other.station.as_str()).collect();
        let last = gauge.time.unwrap_or(gauge.watched_since);
        let is_gateway = stations.len() > 1 && heard.is_none_or(|heard| heard <= due(last));
        let (cause, words) = if let (true, Some(gateway)) = (is_gateway, &gauge.gateway) {
            let count = of_gateway().count();
            let zh = format!("网关 {gateway} 中断，其后 {count} 个序列无数据");
            (gateway_cause(gateway), (zh, format!("gateway {gateway} is silent, and {count} series behind it")))
        } else if of_station().count() > 1 && of_station().all(|other| other.time.is_none() || other.is_silent(now)) {
            let (what_zh, what_en) = outage(of_station(), now);
            let zh = format!("{} 全站{what_zh}，已超过三个报汛间隔", gauge.name_zh);
            let en = format!("{}, every series: {what_en} for three intervals", gauge.name_en);
            (gauge.station.clone(), (zh, en))
        } else {
            let stand_in = gauge.stand_in.as_ref();
            let (by_zh, by_en) =
                stand_in.map_or_else(Default::default, |one| (format!("，{}", one.zh), format!(", taken {}", one.en)));
            let (what_zh, what_en) = outage(std::iter::once(gauge), now);
            let zh = format!("{} {} {what_zh}，已超过三个报汛间隔{by_zh}", gauge.name_zh, quantity_zh(&gauge.quantity));
            let en = format!("{} {}: {what_en} for three intervals{by_en}", gauge.name_en, gauge.quantity);
            (gauge.series.to_string(), (zh, en))
        };
        causes.entry(cause).or_insert(words);
    }
    causes
}

/// Causes of the silence of stones, the gateway before its dams, and what of them is heard.
fn stone_outages(silences: &Silences) -> (BTreeMap<String, (String, String)>, Vec<String>) {
    let (mut dead, mut heard) = (BTreeMap::new(), Vec::new());
    let mut tell = |cause: String, group: &Group, zh: String, en: String| match (group.heard, group.waits) {
        (true, _) => heard.push(cause),
        (false, true) => {}
        (false, false) => {
            dead.entry(cause).or_insert((zh, en));
        }
    };
    for (name, group) in &silences.gateways {
        let zh = format!("网关 {name} 中断，其后 {} 块智能石头无数据", group.stones);
        tell(gateway_cause(name), group, zh, format!("gateway {name} is silent, and {} smart stones", group.stones));
    }
    for ((gateway, dam), group) in &silences.dams {
        if gateway
            .as_ref()
            .and_then(|gateway| silences.gateways.get(gateway))
            .is_none_or(|gateway| gateway.heard || gateway.waits)
        {
            let zh = format!("{dam} 的 {} 块智能石头全部无数据", group.stones);
            let en = format!("none of the {} smart stones of {dam} is heard", group.stones);
            tell(format!("{STONES_OF}{dam}"), group, zh, en);
        }
    }
    (dead, heard)
}

/// Nothing comes (中断), or what comes is refused by the checks: the one asks for the line, the other for the instrument.
fn outage<'a>(gauges: impl Iterator<Item = &'a GaugeView>, now: Timestamp) -> (&'static str, &'static str) {
    // Something comes at its usual pace: what stopped coming was heard a little later than its last value.
    let is_heard =
        |gauge: &GaugeView| freshness(gauge.heard_at, gauge.interval_s, gauge.grace_s, now) == Freshness::Fresh;
    let gauges: Vec<_> = gauges.collect();
    if gauges.iter().any(|gauge| is_heard(gauge)) {
        ("有数据但不可用（质控未通过）", "values come, all refused by the checks,")
    } else if gauges.iter().all(|gauge| gauge.heard_at.is_none()) {
        ("启动以来无数据", "nothing since the start,")
    } else {
        ("中断（无数据）", "nothing comes")
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

//! The live twin behind the watch: what it remembers, when it is made anew, and how far it may be trusted.
//!
//! In: usable discharges and stages, the forecast each time it is issued. Out: the [`Mirrored`] of then, and its
//! [`TwinStanding`]. A silent discharge makes nothing new: what was made last gets old, then unknown; it is never shown as new.

use super::watch::GaugeView;
use super::{Input, PlaceWater, State};
use crate::forecast::Forecast;
use crate::hydraulics::{DischargeMemory, MirrorInput, MirrorTable, Mirrored, PlaceValues};
use crate::model::{PlaceId, SeriesId, Timestamp};
use crate::playbook::{SignalKey, Snapshot};
use crate::quality::Freshness;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Where the table of a reach appears once its files are read; `None` inside: there is no scenario library.
pub type TwinSlot = Arc<OnceLock<Option<Arc<MirrorTable>>>>;

/// A mirror whose discharge is older than this tells nothing any more, as a forecast.
const UNKNOWN_AFTER: TimeDelta = TimeDelta::hours(12);

/// A freeboard of more is told as "at least this": a levee is built 3 m above the stage that it must hold.
const FAR_BELOW_CREST_M: f64 = 4.0;

/// Water that comes within this is told to the command, which has its own bound.
const SOON: TimeDelta = TimeDelta::hours(2);

/// How far the live twin may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TwinStanding {
    /// It goes with the river.
    Live,
    /// The discharge is silent: it shows the water of the last value.
    Old,
    /// The discharge has been silent for too long, or was never heard.
    NoDischarge,
    /// The reach has no terrain.
    NoTerrain,
    /// Terrain without scenarios.
    NoLibrary,
    /// Its files are still being read.
    Reading,
}

impl TwinStanding {
    /// Whether what it shows may be shown.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Live | Self::Old)
    }
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Old => "old",
            _ => "unknown",
        }
    }
    /// For screens.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Live => ("随实测与预报流量更新", "follows the measured and forecast discharge"),
            Self::Old => (
                "流量中断：按最后一次有效流量显示，已过时",
                "the discharge is silent: shown for its last usable value, out of date",
            ),
            Self::NoDischarge => ("流量未知：孪生不显示", "the discharge is unknown: the twin shows nothing"),
            Self::NoTerrain => ("本河段没有地形数据", "this reach has no terrain"),
            Self::NoLibrary => ("情景库尚未计算", "no scenario library has been computed"),
            Self::Reading => ("正在读取孪生数据", "the twin's files are being read"),
        }
    }
}

/// The live twin of one watch.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveTwin {
    slot: Option<TwinSlot>,
    memory: DischargeMemory,
    mirror: Option<Arc<Mirrored>>,
    /// Whether the command was last told of places with water; `None`: it was told nothing since the start.
    told: Option<bool>,
}

/// The live twin as screens see it.
#[derive(Debug, Clone, Default)]
pub struct TwinView {
    slot: Option<TwinSlot>,
    /// What was made last, whatever it is still worth.
    pub last: Option<Arc<Mirrored>>,
}

impl LiveTwin {
    pub(super) fn new(slot: Option<TwinSlot>) -> Self {
        Self { slot, ..Self::default() }
    }
    /// A usable discharge of the control station, m³/s.
    pub(super) fn note(&mut self, at: Timestamp, q_m3s: f64) {
        self.memory.note(at, q_m3s);
    }
    /// Nothing was made yet.
    pub(super) fn is_empty(&self) -> bool {
        self.mirror.is_none()
    }

    /// Makes it anew from what the gauges say and the forecast; a silent discharge leaves the old one.
    pub(super) fn renew(
        &mut self,
        now: Timestamp,
        control: &SeriesId,
        gauges: &[GaugeView],
        forecast: Option<&Forecast>,
    ) {
        let Some(table) = self.slot.as_ref().and_then(|slot| slot.get()).and_then(Option::as_ref) else { return };
        let speaks = |gauge: &&GaugeView| !is_silent(gauge, now);
        let gauge = gauges.iter().filter(speaks).find(|gauge| gauge.series == *control);
        let Some(discharge) = gauge.and_then(|gauge| gauge.time.zip(gauge.value)) else { return };
        let of_station = |gauge: &&GaugeView| gauge.station == table.gauge_station && gauge.quantity == "stage";
        let stage = gauges.iter().filter(speaks).find(of_station);
        let stage = stage.and_then(|gauge| Some((gauge.time?, gauge.value?, gauge.datum?)));
        let points: Vec<(Timestamp, f64)> =
            forecast.iter().flat_map(|forecast| &forecast.points).map(|point| (point.at, point.q_m3s)).collect();
        let input = MirrorInput {
            discharge: Some(discharge),
            stage,
            forecast: forecast.map(|forecast| (forecast.issued_at, points.as_slice())),
        };
        if let Some(made) = Mirrored::make(table, now, &self.memory, &input) {
            self.mirror = Some(Arc::new(made));
        }
    }

    /// What it says of the signals that the playbook asks for, as of the discharge that it rests on; `None` while nothing is
    /// known. Quiet places are many and a snapshot is kept for ever: where the model knows them all, the reach has their value.
    pub(super) fn says(&self, now: Timestamp, keys: &[SignalKey]) -> Option<Snapshot> {
        let twin = self.mirror.as_ref().filter(|twin| now - twin.discharge.0 <= UNKNOWN_AFTER)?;
        let mut says = Snapshot::new(twin.discharge.0);
        let until = twin.forecast_until();
        for key in keys {
            match key.name() {
                "toe" => tell(&mut says, key, &twin.toe_m(now), Quiet::Is(0.0)),
                "depth_village" => tell(&mut says, key, &twin.village_m(now), Quiet::Is(0.0)),
                "toe_eta" => {
                    // What does not come with this forecast may come after its end.
                    let end = until.map(|until| (until - now).num_minutes().max(0) as f64 / 60.0);
                    tell(&mut says, key, &twin.toe_h(now), end.map_or(Quiet::Unknown, Quiet::AtLeast));
                }
                "z_crest_gap" | "overtop" => {
                    let hours = key.number(0).map(|hours| now + TimeDelta::hours(i64::from(hours)));
                    let Some(until) = hours.or(until) else { continue };
                    let Some(mut values) = twin.freeboard_m(now, until, key.name() == "overtop") else { continue };
                    values.at.retain(|_, metres| *metres < FAR_BELOW_CREST_M);
                    tell(&mut says, key, &values, Quiet::AtLeast(FAR_BELOW_CREST_M));
                }
                _ => {}
            }
        }
        Some(says)
    }

    /// What own people must be told of, within so long from now; `None` while nothing is known, and while
    /// nothing is to be told that was not told before.
    pub(super) fn water_comes(&mut self, now: Timestamp) -> Option<Input> {
        let twin = self.mirror.as_ref().filter(|twin| now - twin.discharge.0 <= UNKNOWN_AFTER)?;
        let places = soon_wet(twin, now);
        let was_dry = self.told.replace(!places.is_empty()) == Some(false);
        (!was_dry || !places.is_empty()).then_some(Input::WaterComes { places })
    }

    pub(super) fn view(&self) -> TwinView {
        TwinView { slot: self.slot.clone(), last: self.mirror.clone() }
    }
}

/// Places that have water or get it soon, or whose last way out is cut soon.
fn soon_wet(twin: &Mirrored, now: Timestamp) -> Vec<PlaceWater> {
    let soon = |at: Option<Timestamp>| at.is_none_or(|at| at - now <= SOON);
    let wet = twin.places.iter().map(|(place, coming)| (place.clone(), coming.at));
    let mut places: BTreeMap<PlaceId, PlaceWater> = wet
        .filter(|(_, at)| soon(*at))
        .map(|(place, at)| (place.clone(), PlaceWater { place, at, cut: false }))
        .collect();
    for way in &twin.ways {
        let Some(cut) = twin.last_way_cut(&way.leaves).filter(|cut| soon(cut.at)) else { continue };
        let place = way.leaves.clone();
        let first = places.get(&place).is_none_or(|water| cut.at < water.at);
        if first {
            places.insert(place.clone(), PlaceWater { place, at: cut.at, cut: true });
        }
    }
    places.into_values().collect()
}

/// What holds at the places that are not named.
#[derive(Debug, Clone, Copy)]
enum Quiet {
    Is(f64),
    AtLeast(f64),
    Unknown,
}

/// To 1 cm, hours to a hundredth.
fn tell(says: &mut Snapshot, key: &SignalKey, values: &PlaceValues, quiet: Quiet) {
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    match quiet {
        Quiet::Is(value) if values.is_whole => says.set(key.clone(), value),
        Quiet::AtLeast(value) if values.is_whole => says.set_at_least(key.clone(), hundredths(value)),
        _ => {}
    }
    for (place, value) in &values.at {
        says.set_at(key.clone(), place.clone(), hundredths(*value));
    }
}

fn is_silent(gauge: &GaugeView, now: Timestamp) -> bool {
    crate::quality::freshness(gauge.time, gauge.interval_s, gauge.grace_s, now) >= Freshness::Stale
}

impl TwinView {
    /// What the watch found, with the water of reported breaches: the watch looks at the river alone and may run ahead of
    /// what people report.
    #[must_use]
    pub fn with_breaches(&self, mut found: Vec<Input>, state: &State, now: Timestamp) -> Vec<Input> {
        let open = state.open_breaches();
        let is_water = |input: &Input| matches!(input, Input::WaterComes { .. });
        // An alarm that only a breach raised ends with it, though the river by itself has nothing to tell.
        let is_told = found.iter().any(is_water) || !state.has_water_alarm();
        if open.is_empty() && is_told {
            return found;
        }
        let Some(twin) = self.last.as_ref().filter(|twin| now - twin.discharge.0 <= UNKNOWN_AFTER) else {
            return found; // a silent twin ends no alarm
        };
        found.retain(|input| !is_water(input));
        found.push(Input::WaterComes { places: soon_wet(&twin.with_breaches(&open), now) });
        found
    }

    /// How far it may be trusted; `control` is the gauge of the discharge.
    pub fn standing(&self, control: Option<&GaugeView>, now: Timestamp) -> TwinStanding {
        let Some(slot) = &self.slot else { return TwinStanding::NoTerrain };
        match (slot.get(), &self.last) {
            (None, _) => TwinStanding::Reading,
            (Some(None), _) => TwinStanding::NoLibrary,
            (Some(Some(_)), None) => TwinStanding::NoDischarge,
            (Some(Some(_)), Some(last)) if now - last.discharge.0 > UNKNOWN_AFTER => TwinStanding::NoDischarge,
            (Some(Some(_)), Some(_)) if control.is_none_or(|gauge| is_silent(gauge, now)) => TwinStanding::Old,
            (Some(Some(_)), Some(_)) => TwinStanding::Live,
        }
    }
}

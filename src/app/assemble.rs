//! Puts a command post together: rules, journal, series, watch, pollers. `serve`, `demo` and drills use the same parts.

use super::config::Config;
use super::editions;
use super::reaches::{ReachData, reach_from};
use crate::command::{CommandSettings, Core, GaugeView, Input, TwinSlot, Watch, WatchParts};
use crate::drill::floods::Flood;
use crate::forecast::Forecaster;
use crate::ingest::sensors::Sensors;
use crate::ingest::sl323::{Sl323Site, Sl323Station};
use crate::model::{Observation, Quality, SeriesId, Timestamp};
use crate::playbook::{BoardSettings, Fault, Playbook, SignalBoard};
use crate::store::series::{Aggregate, Sample, SeriesError, SeriesStore, Step};
use crate::store::{Clock, Engine, Folded, Journal, JournalError};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// History that the watch is given after a restart: a little more than the longest look-back of a condition.
const RECALL_H: i64 = 100;
/// The last ones whole: the checks learn from them how often a series speaks.
const RECALL_WHOLE_H: i64 = 2;
/// Step of the history that a demo or a drill is given, in minutes.
const HISTORY_STEP_MIN: i64 = 10;
/// That history, in hours.
const HISTORY_H: i64 = 96;
/// Seconds between two forecasts.
const FORECAST_EVERY_S: u32 = 600;

/// Why a post cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The playbook has faults; all are listed.
    #[error("预案有误，未启动 (the playbook has faults, nothing was started):\n{0}")]
    Playbook(String),
    /// The edition that the open event began with is not kept.
    #[error(
        "正在进行的汛情使用预案版本 {edition}，数据目录中没有保存它 (the open event uses playbook {edition}, which this data directory does not hold)"
    )]
    EditionLost {
        /// The edition.
        edition: String,
    },
    /// The files of a kept edition are unreadable.
    #[error("保存的预案版本不可读 (the kept playbook edition is not readable)")]
    EditionUnreadable(#[source] serde_json::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The series store.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// The core does not start.
    #[error(transparent)]
    Engine(#[from] crate::store::EngineError),
}

/// The files of a site: playbook, reach, sensors.
#[derive(Clone)]
pub struct SiteFiles {
    /// File name → text.
    pub playbook: BTreeMap<String, String>,
    /// Places, people, layers.
    pub reach: ReachData,
    /// Stations and devices.
    pub sensors: Sensors,
}

impl SiteFiles {
    /// Reads the folders of a configuration; what it leaves out comes from the binary.
    ///
    /// # Errors
    /// The first fault, by file, line and field.
    pub fn read(config: &Config) -> Result<Self, Box<dyn std::error::Error>> {
        Self::from_folders(config.playbook.as_deref(), config.reach.as_deref(), config.sensors.as_deref())
    }

    /// As [`Self::read`], from the folders themselves.
    ///
    /// # Errors
    /// The first fault, by file, line and field.
    pub fn from_folders(
        playbook: Option<&Path>,
        reach: Option<&Path>,
        sensors: Option<&Path>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let playbook = match playbook {
            Some(folder) => editions::playbook_in(folder)?,
            None => editions::embedded_playbook(),
        };
        let sensor_files = match sensors {
            Some(folder) => editions::sensors::of_folder(folder)?,
            None => editions::sensors::demo(),
        };
        Ok(Self { playbook, reach: reach_from(reach)?, sensors: Sensors::load(&sensor_files)? })
    }
}

/// Reads a playbook; all faults in one message.
///
/// # Errors
/// The faults, one a line.
pub fn load_playbook(files: &BTreeMap<String, String>) -> Result<Playbook, AssembleError> {
    Playbook::load("", files).map_err(|faults: Vec<Fault>| {
        AssembleError::Playbook(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// The playbook for a folded journal: the edition that an open event began with, else the configured one, which is
/// kept for the events to come.
///
/// # Errors
/// Faults of the playbook, or a kept edition that is gone.
pub async fn pinned_playbook(
    journal: &Journal,
    folded: &Folded,
    files: &BTreeMap<String, String>,
) -> Result<Playbook, AssembleError> {
    let configured = load_playbook(files)?;
    let text = serde_json::to_string(files).map_err(AssembleError::EditionUnreadable)?;
    journal.keep_edition(configured.edition(), &text).await?;
    let Some(event) = folded.state.event.as_ref().filter(|event| event.edition != configured.edition()) else {
        return Ok(configured);
    };
    tracing::warn!(
        pinned = event.edition,
        configured = configured.edition(),
        "汛情进行中，沿用原预案版本，新版本待本场汛情结束后生效 (an event is open: its own edition stays in use)"
    );
    let lost = || AssembleError::EditionLost { edition: event.edition.clone() };
    let kept = journal.edition(&event.edition).await?.ok_or_else(lost)?;
    load_playbook(&serde_json::from_str(&kept).map_err(AssembleError::EditionUnreadable)?)
}

/// Starts the one writer of a reach.
///
/// # Errors
/// When the playbook has faults or the settings cannot be put down.
pub async fn start_engine(
    journal: Journal,
    folded: Folded,
    files: &SiteFiles,
    settings: CommandSettings,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(Engine, tokio::task::JoinHandle<()>), AssembleError> {
    let playbook = pinned_playbook(&journal, &folded, &files.playbook).await?;
    let edition = playbook.edition().to_owned();
    let core = Core { playbook: Arc::new(playbook), reach: Arc::new(files.reach.reach.clone()) };
    let (engine, worker) = Engine::start(Arc::new(core), journal, folded, clock, stop);
    engine.submit(Input::UseEdition { edition }).await?;
    engine.submit(Input::Configure { settings }).await?;
    Ok((engine, worker))
}

/// The watch of a reach, without history; `speed` is how fast its clock runs.
pub fn watch(sensors: &Sensors, playbook: &Playbook, twin: Option<TwinSlot>, started: Timestamp, speed: f64) -> Watch {
    let settings = BoardSettings::default();
    let control = settings.discharge.clone();
    let mut board = SignalBoard::new(settings, started);
    for station in &sensors.stations {
        if let Some(work) = station.id.strip_prefix("rain-") {
            board.set_station_place(&station.id, format!("work-{work}").into());
        }
    }
    Watch::new(WatchParts {
        judge: sensors.judge(),
        board,
        forecaster: sensors.forecast.clone().map(Forecaster::new),
        stones: sensors.stone_array(),
        gauges: gauges(sensors, started, speed),
        keys: playbook.signals(),
        control,
        forecast_every_s: FORECAST_EVERY_S,
        twin,
    })
}

/// Gauges in the order of the stations, discharge before stage.
fn gauges(sensors: &Sensors, started: Timestamp, speed: f64) -> Vec<GaugeView> {
    let mut gauges = Vec::new();
    for station in &sensors.stations {
        let of_station = sensors.series_of(&station.id).into_iter();
        for (id, facts) in of_station.filter_map(|id| Some((id, sensors.series.get(id)?))) {
            let interval_s = crate::ingest::modbus::effective_interval_s(facts.interval_s, speed);
            let of_quantity = sensors.quality.get(id.measure()).and_then(|limits| limits.range);
            gauges.push(GaugeView {
                series: id.clone(),
                station: station.id.clone(),
                name_zh: station.name_zh.clone(),
                name_en: station.name_en.clone(),
                quantity: id.quantity().to_owned(),
                unit: facts.unit.clone(),
                datum: facts.datum,
                range: facts.limits.range.or(of_quantity),
                value: None,
                time: None,
                quality: Quality::GOOD,
                trend_per_h: None,
                interval_s,
                grace_s: interval_s,
                gateway: sensors.gateway_of(id).map(str::to_owned),
                heard_at: None,
                watched_since: started,
                stand_in: None,
            });
        }
    }
    // The control station first, then upstream to downstream as in the file; discharge before stage.
    gauges.sort_by_key(|gauge| {
        (gauge.station != "huayuankou", gauge.quantity != "discharge" && gauge.quantity != "stage")
    });
    gauges.sort_by_key(|gauge| gauge.quantity == "rain");
    gauges
}

/// The same sensors, with no stone called silent before `least_s`: a fast clock hears each of them seldom.
pub(super) fn patient(mut sensors: Sensors, least_s: f64) -> Sensors {
    sensors.stone_limits.silent_after_s = sensors.stone_limits.silent_after_s.max(least_s);
    sensors
}

/// Gives the watch what the store remembers, in order of time: older values in five-minute steps, the last ones whole.
///
/// # Errors
/// When the store cannot be read.
pub async fn recall(
    watch: &mut Watch,
    series: &dyn SeriesStore,
    ids: &[SeriesId],
    now: Timestamp,
) -> Result<(), AssembleError> {
    let thinned = Step { every_ms: 300_000, aggregate: Aggregate::Last };
    let whole_from = now - TimeDelta::hours(RECALL_WHOLE_H);
    for (from, until, step) in [(now - TimeDelta::hours(RECALL_H), whole_from, Some(thinned)), (whole_from, now, None)]
    {
        let mut known = Vec::new();
        for id in ids {
            for Sample { at, value, quality, .. } in series.range(id, from, until, step).await? {
                known.push(Observation { series: id.clone(), at, received_at: at, value, quality });
            }
        }
        known.sort_by_key(|one| one.at);
        known.iter().for_each(|one| watch.recall(one));
        if step.is_some() {
            watch.forget_rhythm();
        }
    }
    Ok(())
}

/// The stations as tables of SL 323 name them.
pub fn stations(sensors: &Sensors) -> Sl323Site {
    let station = |station: &crate::ingest::sensors::Station| {
        let series = sensors.series_of(&station.id).into_iter();
        let series = series.filter_map(|id| Some((id.quantity().to_owned(), sensors.series.get(id)?.datum)));
        Sl323Station {
            id: station.id.clone(),
            code: station.code.clone(),
            name: station.name_zh.clone(),
            name_en: station.name_en.clone(),
            river: station.river.clone(),
            lon: station.lon,
            lat: station.lat,
            series: series.collect(),
        }
    };
    Sl323Site { stations: sensors.stations.iter().map(station).collect() }
}

/// Series of stations, not of stones.
pub(super) fn gauge_series(files: &SiteFiles) -> Vec<SeriesId> {
    let stations: std::collections::BTreeSet<_> = files.sensors.stations.iter().map(|station| &station.id).collect();
    let of_station = |id: &&SeriesId| stations.contains(&id.station().to_owned());
    let measured = files.sensors.series.keys().filter(of_station);
    // Before the gauges themselves: where both speak of a moment, the measurement counts.
    let relations = files.sensors.relations();
    let estimated = relations.iter().filter(|(_, one)| !one.fallback.is_empty()).map(|(id, _)| id.estimate());
    estimated.chain(measured.cloned()).collect()
}

/// The hours before a demo or a drill begins, as its flood file has them.
pub(super) fn history_of(flood: &Flood, series: &[SeriesId], now: Timestamp) -> Vec<Observation> {
    let steps = HISTORY_H * 60 / HISTORY_STEP_MIN;
    let moments = (1..=steps).rev().map(|step| now - TimeDelta::minutes(step * HISTORY_STEP_MIN));
    moments
        .flat_map(|at| series.iter().map(move |id| (at, id)))
        .filter_map(|(at, id)| {
            let value = flood.at(id.station(), id.quantity(), at)?;
            Some(Observation { series: id.clone(), at, received_at: at, value, quality: Quality::GOOD })
        })
        .collect()
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;

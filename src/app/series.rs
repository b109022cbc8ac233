//! The series store as the configuration has it, and the alarms of the remote store behind it.

use super::config::{ConfigError, SeriesKind, SeriesSection};
use crate::command::{Input, LastWord};
use crate::ingest::sensors::Sensors;
use crate::model::Timestamp;
use crate::store::series::{
    DamagedSpan, EmbeddedSeries, InfluxSettings, RelaySettings, RelayState, RelayedSeries, SeriesError, SeriesLimits,
    SeriesStore,
};
use crate::store::{Clock, Engine, series_file};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long one request to a remote store may take.
const REQUEST: Duration = Duration::from_secs(20);
/// Points of one request: about 400 kB.
const LINES_A_REQUEST: usize = 5_000;

/// How often the whole file is looked through for damage.
const LOOK_EVERY: Duration = Duration::from_secs(86_400);
/// Cause of the alarm that stored points cannot be read.
const DAMAGED: &str = "series-damaged";
/// How often old history is looked for.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);

/// The series store of a server.
pub struct OpenSeries {
    /// What the house writes to and reads from.
    pub store: Arc<dyn SeriesStore>,
    local: Arc<EmbeddedSeries>,
    relay: Option<Arc<RelayedSeries>>,
    /// Days after which points become minutes, and minutes hours.
    keep: Option<(u32, Option<u32>)>,
}

impl SeriesSection {
    /// How much the store takes.
    pub fn limits(&self) -> SeriesLimits {
        SeriesLimits { series_max: self.series_max, ..SeriesLimits::default() }
    }

    /// The remote store, if there is one; lines that it refuses go into the folder `data`.
    pub fn influx(&self, data: &Path) -> Option<InfluxSettings> {
        if self.kind != SeriesKind::Influx2 {
            return None;
        }
        Some(InfluxSettings {
            url: self.url.clone()?,
            org: self.org.clone()?,
            bucket: self.bucket.clone()?,
            token_file: self.token_file.clone()?,
            ca_file: self.ca_file.clone(),
            timeout: REQUEST,
            lines_a_request: LINES_A_REQUEST,
            // The relay does the waiting.
            patience: Duration::ZERO,
            refused_file: data.join("influx-refused.lp"),
        })
    }

    /// Whether every series of the site has room in the store.
    ///
    /// # Errors
    /// When it has not, with both numbers.
    pub fn check_room(&self, sensors: &Sensors) -> Result<(), ConfigError> {
        let (needed, limit) = (sensors.series_book().len(), self.series_max);
        if needed > limit { Err(ConfigError::NoRoom { needed, limit }) } else { Ok(()) }
    }

    /// Reads the files that the section names; nothing is asked of the remote store.
    ///
    /// # Errors
    /// When address, token or certificates cannot be used.
    pub fn check(&self) -> Result<(), SeriesError> {
        self.influx(Path::new("")).map_or(Ok(()), |influx| influx.check())
    }
}

impl OpenSeries {
    /// Opens it in the data directory.
    ///
    /// # Errors
    /// When the file or the settings of the remote store cannot be used.
    pub async fn open(section: &SeriesSection, data: &Path, now: Timestamp) -> Result<Self, SeriesError> {
        let path = series_file(data);
        let keep = section.points_days.map(|days| (days, section.minutes_days));
        let Some(influx) = section.influx(data) else {
            let local = Arc::new(EmbeddedSeries::open(&path, section.limits()).await?);
            return Ok(Self { store: local.clone(), local, relay: None, keep });
        };
        let settings = RelaySettings { spool_bytes: section.spool_mib << 20, ..RelaySettings::default() };
        let relay = Arc::new(RelayedSeries::open(&path, section.limits(), influx, settings, now).await?);
        Ok(Self { store: relay.clone(), local: relay.local().clone(), relay: Some(relay), keep })
    }

    /// Starts what sends to the remote store, what raises its alarms, and what down-samples old history.
    pub fn start(&self, engine: &Engine, clock: &Clock, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        let mut workers = Vec::new();
        if let Some(relay) = &self.relay {
            let alarms = tell(relay.remote_url().to_owned(), relay.state(), engine.clone(), stop.clone());
            workers.extend([tokio::spawn(Arc::clone(relay).relay(stop.clone())), tokio::spawn(alarms)]);
        }
        workers.push(tokio::spawn(watch_damage(Arc::clone(&self.local), engine.clone(), stop.clone())));
        if let Some(keep) = self.keep {
            workers.push(tokio::spawn(retain(Arc::clone(&self.local), keep, Arc::clone(clock), stop.clone())));
        }
        workers
    }

    /// The store on this machine, for queries that must not wait for another.
    pub fn local(&self) -> &Arc<EmbeddedSeries> {
        &self.local
    }

    /// Closes it in order, if nobody else holds it any more.
    pub async fn close(self) {
        let Self { store, local, relay, .. } = self;
        drop((store, relay));
        if let Some(local) = Arc::into_inner(local) {
            local.close().await;
        }
    }
}

/// Down-samples what is old enough, now and every hour.
async fn retain(
    store: Arc<EmbeddedSeries>,
    (points_days, minutes_days): (u32, Option<u32>),
    clock: Clock,
    stop: CancellationToken,
) {
    let mut due = tokio::time::interval(RETAIN_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {}
        }
        let now = clock();
        let before = |days: u32| now - chrono::TimeDelta::days(i64::from(days));
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = store.retain(before(points_days), minutes_days.map(before)) => done,
        };
        if let Err(fault) = done {
            tracing::warn!(%fault, "降采样未完成，下次再试 (old history was not down-sampled; tried again in an hour)");
        }
    }
}

/// Looks through the file at the start and once a day, and alarms what is found, by that or by who reads. The alarm of an earlier run ends
/// when a whole look finds nothing any more.
async fn watch_damage(store: Arc<EmbeddedSeries>, engine: Engine, stop: CancellationToken) {
    let (mut known, mut told) = (store.damage_known(), LastWord::default());
    let mut due = tokio::time::interval(LOOK_EVERY);
    loop {
        let clean = tokio::select! {
            () = stop.cancelled() => return,
            changed = known.changed() => {
                if changed.is_err() {
                    return;
                }
                false
            }
            _ = due.tick() => {
                let looked = tokio::select! {
                    () = stop.cancelled() => return,
                    looked = store.look_for_damage() => looked,
                };
                match looked {
                    Ok(spans) => spans == 0,
                    Err(fault) => {
                        tracing::warn!(%fault, "查看数据块未完成 (the look for damaged chunks did not end)");
                        false
                    }
                }
            }
        };
        let input = match store.damage(None, Timestamp::MIN_UTC, Timestamp::MAX_UTC).as_slice() {
            [] if clean && told.is_news(DAMAGED, false) => {
                Input::Health { cause: DAMAGED.into(), title_zh: String::new(), title_en: String::new(), silent: false }
            }
            [] => continue,
            spans if told.is_news(DAMAGED, true) => damage_alarm(spans),
            _ => continue,
        };
        if let Err(fault) = engine.submit(input).await {
            tracing::error!(
                fault = &fault as &dyn std::error::Error,
                "告警未进入指挥流程 (an alarm did not reach the command)"
            );
        }
    }
}

/// Names the first span and counts the others.
fn damage_alarm(spans: &[DamagedSpan]) -> Input {
    let local = |at: Timestamp| (at + chrono::TimeDelta::hours(8)).format("%Y-%m-%d %H:%M").to_string();
    let first = spans.first().map(|span| (span.series.as_str(), local(span.from), local(span.to)));
    let (series, from, to) = first.unwrap_or_default();
    let count = spans.len();
    Input::Health {
        cause: DAMAGED.into(),
        title_zh: format!(
            "时序库数据块损坏 {count} 段：{series} {from} 至 {to} 的存值读不出，图表缺此段，其余照常；请从备份取回"
        ),
        title_en: format!(
            "{count} spans of stored points are damaged: {series} from {from} to {to} (Beijing) cannot be read and is left out of charts, all else is not concerned; take it from a backup"
        ),
        silent: true,
    }
}

/// One alarm for each thing that is wrong with the remote store; it is closed when that is over.
async fn tell(
    url: String,
    mut state: tokio::sync::watch::Receiver<RelayState>,
    engine: Engine,
    stop: CancellationToken,
) {
    let mut told = LastWord::default();
    let begun = state.borrow().refused;
    loop {
        let now = tokio::select! {
            () = stop.cancelled() => return,
            known = state.wait_for(|state| state.tried) => match known {
                Ok(known) => known.clone(),
                Err(_) => return,
            },
        };
        for (cause, wrong, zh, en) in faults(&url, &now, begun) {
            let was_wrong = told.silent().any(|known| known == cause);
            if !told.is_news(cause, wrong) {
                continue;
            }
            if wrong {
                tracing::warn!(url, why = now.away, waiting_bytes = now.waiting_bytes, "{zh} ({en})");
            } else if was_wrong {
                tracing::info!(url, cause, "远端时序库恢复 (over)");
            }
            let input = Input::Health { cause: cause.into(), title_zh: zh, title_en: en, silent: wrong };
            if let Err(fault) = engine.submit(input).await {
                tracing::error!(
                    fault = &fault as &dyn std::error::Error,
                    "告警未进入指挥流程 (an alarm did not reach the command)"
                );
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

/// Cause, whether, and the words.
fn faults(url: &str, now: &RelayState, refused_before: u64) -> [(&'static str, bool, String, String); 3] {
    [
        (
            "series-remote",
            now.away.is_some(),
            format!("远端时序库 {url} 不接收数据；观测值已存本机，恢复后自动补发"),
            format!("the remote series store {url} takes no points; they are kept here and sent when it is back"),
        ),
        (
            "series-spool",
            now.gap,
            format!("发往 {url} 的待转发队列已满；最旧部分恢复后从本机库补发"),
            format!("the spool towards {url} is full; its oldest part will be sent out of the local store"),
        ),
        (
            "series-refused",
            now.refused > refused_before,
            format!("远端时序库 {url} 拒收部分数据，已存入 influx-refused.lp，请查看"),
            format!("the remote series store {url} refuses points; they are in influx-refused.lp, look at it"),
        ),
    ]
}

/// A remote store's settings that cannot be used, as a fault of the configuration.
impl From<SeriesError> for ConfigError {
    fn from(cause: SeriesError) -> Self {
        Self::Series { cause }
    }
}

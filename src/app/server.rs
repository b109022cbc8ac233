//! One running server: data directory, stores, engine, pollers, HTTP; and its orderly end.

use super::assemble;
pub use super::assemble::SiteFiles;
use super::backup::{NewestBackup, keep_backups};
use super::callers::{self, CallersParts};
use super::clock::{DemoClock, ReachClock, wall_now};
use super::config::{BackupSection, LimitsSection, PublicReportsSection, SeriesSection, Sl651Section};
use super::drills::{LiveDrills, LiveDrillsParts};
use super::metrics::Metrics;
use super::series::OpenSeries;
use crate::command::{CommandSettings, Input};
use crate::drill::floods::Flood;
use crate::ingest::cameras::CameraMap;
use crate::ingest::hooks::HookMap;
use crate::ingest::modbus::Poller;
use crate::ingest::mqtt::Broker;
use crate::ingest::{Intake, IntakeParts};
use crate::model::{Reading, Timestamp, WarningLevel};
use crate::store::arrivals::{ARRIVALS_SCHEMA, Arrivals};
use crate::store::jobs::{JOBS_SCHEMA, Jobs};
use crate::store::series::{SeriesError, SeriesStore};
use crate::store::users::{USERS_SCHEMA, Users};
use crate::store::{
    Clock, Database, Engine, Flights, Folded, JOURNAL_SCHEMA, Journal, Photos, Published, StoreDirectory, blobs_folder,
    state_file,
};
use crate::web::runs::{self, TwinRuns};
use crate::web::{
    Cameras, ClockKind, Hooks, Post, PublicReports, Scope, ScrapeToken, Site, Workers, reapply_amendments, router,
};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Seconds on the wall for which no stone is called silent, however fast the clock of the reach runs.
const STONE_PATIENCE_S: f64 = 5.0;
/// Batches of readings between pollers and intake; when full, pollers wait.
const READINGS_QUEUE: usize = 256;
/// How often silent sources of events are looked for.
const HOOKS_EVERY: Duration = Duration::from_secs(2);
/// How long open requests may take when the server goes down.
const GRACE: Duration = Duration::from_secs(10);

/// What a server is started with.
pub struct ServerParts {
    /// Address of pages and API.
    pub listen: SocketAddr,
    /// The data directory.
    pub data: PathBuf,
    /// Playbook, reach, sensors (endpoints as they are to be polled).
    pub files: SiteFiles,
    /// Where the clock starts and how fast it runs; `None` for the wall clock.
    pub clock: Option<DemoClock>,
    /// Times that the command keeps.
    pub settings: CommandSettings,
    /// What one caller may cost.
    pub limits: LimitsSection,
    /// What a scraper on another machine shows.
    pub scrape_token: Option<ScrapeToken>,
    /// Backups by the server itself.
    pub backup: Option<BackupSection>,
    /// Where stations that report by SL 651 connect.
    pub sl651: Option<Sl651Section>,
    /// Cameras and how they are reached.
    pub cameras: CameraMap,
    /// Events of other systems.
    pub hooks: HookMap,
    /// Reports of the public.
    pub public_reports: Option<PublicReportsSection>,
    /// Where observations are kept.
    pub series: SeriesSection,
    /// Brokers that devices publish to.
    pub mqtt: Vec<Broker>,
    /// The flood of a demo: its history is filled in and its level preset.
    pub demo: Option<Flood>,
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Users, for links and setup.
    pub users: Users,
    /// Its clock.
    pub clock: Clock,
    stop: CancellationToken,
    http: tokio::task::JoinHandle<std::io::Result<()>>,
    workers: Vec<tokio::task::JoinHandle<()>>,
    streams: Workers,
    drills: Arc<LiveDrills>,
    series: OpenSeries,
    database: Database,
    _directory: StoreDirectory,
    _poller: Arc<Poller>,
}

impl Server {
    /// Claims the data directory, folds the journal, starts every worker and listens.
    ///
    /// # Errors
    /// The first thing that cannot be had, by name: directory, file, port.
    pub async fn start(parts: ServerParts) -> Result<Self, Box<dyn Error>> {
        parts.series.check_room(&parts.files.sensors)?;
        let directory = StoreDirectory::claim(&parts.data)?;
        // The port first: a second server must fail before it touches anything.
        let listener = TcpListener::bind(parts.listen).await.map_err(|cause| {
            format!("端口被占用或不可用：{0}（{cause}）。用 --listen 或配置项 `listen` 换一个 (cannot listen on {0}; where another program has the port, choose another with --listen or `listen`)", parts.listen)
        })?;
        let address = listener.local_addr()?;
        let database =
            Database::open(&state_file(&parts.data), &[USERS_SCHEMA, JOURNAL_SCHEMA, ARRIVALS_SCHEMA, JOBS_SCHEMA])
                .await?;
        let journal = Journal::new(database.clone());
        let folded = Folded::of(&journal).await?;
        let empty = folded.state.last.0 == 0;
        let stop = CancellationToken::new();
        let known = folded.state.at;
        let now = parts.clock.as_ref().map_or_else(wall_now, |clock| clock.now().max(known));
        let series = OpenSeries::open(&parts.series, &parts.data, now).await?;
        let reach_clock = match &parts.clock {
            None => ReachClock::real(),
            // A demo that goes on begins where its journal and its readings end: its time never runs back.
            Some(clock) => clock.begin(newest_usable(&*series.store).await?.max((!empty).then_some(known))),
        };
        let clock: Clock = Arc::new(move || reach_clock.now());
        let settings = parts.settings.clone();
        let (engine, writer) =
            assemble::start_engine(journal, folded, &parts.files, settings, Arc::clone(&clock), stop.clone()).await?;
        let feed = engine.feed();
        let now = clock();
        let store: Arc<dyn SeriesStore> = Arc::clone(&series.store);
        let gauge_ids = assemble::gauge_series(&parts.files);
        if let (Some(flood), true) = (&parts.demo, empty) {
            let history = assemble::history_of(flood, &gauge_ids, now);
            let _ = store.append(&history).await?;
        }
        reapply_amendments(&engine.state(), store.as_ref()).await?;
        let results = blobs_folder(&parts.data).join("twin");
        crate::store::make_private(&results)?;
        let jobs = Jobs::new(database.clone(), results);
        // The directory is ours alone: what the last server was computing is nobody's.
        jobs.release(runs::WORKER).await?;
        let finer = TwinRuns::new(Arc::new(jobs), Box::new(wall_now));
        let twin = parts.files.reach.twin_desk().map(|desk| Arc::new(desk.with_runs(finer)));
        if let Some(twin) = twin.clone() {
            // Behind the start: the first preview then has its water at hand.
            tokio::task::spawn_blocking(move || twin.read_ahead());
        }
        let slot = twin.as_ref().map(|twin| twin.slot());
        let speed = reach_clock.speed();
        let sensors = assemble::patient(parts.files.sensors.clone(), STONE_PATIENCE_S * speed);
        let mut watch = assemble::watch(&sensors, &engine.core().playbook, slot, now, speed);
        if let Err(fault) = assemble::recall(&mut watch, store.as_ref(), &gauge_ids, now).await {
            // A remote store that is away must not keep the server down: what is here is enough to begin with.
            tracing::warn!(fault = &fault as &dyn Error, "仅以本机数据起步 (starting with what this machine holds)");
            assemble::recall(&mut watch, series.local().as_ref(), &gauge_ids, now).await?;
        }
        let arrivals = Arrivals::new(database.clone());
        let (as_of, plans) = arrivals.plans().await?;
        watch.use_plans(as_of, &plans);
        let evaluation = watch.evaluate(now);
        if parts.demo.is_some() && empty {
            engine.submit(evaluation).await?;
            engine.submit(Input::SeedLevel { level: WarningLevel::Blue }).await?;
        }
        // Whoever asks first sees what is remembered, not an empty river.
        let water = Published::new(watch.water(now));
        let (polled_in, polled) = mpsc::channel::<Vec<Reading>>(READINGS_QUEUE);
        let poller = Arc::new(Poller::start(&parts.files.sensors, &clock, speed, &polled_in));
        let aside = blobs_folder(&parts.data).join("intake");
        crate::store::make_private(&aside)?;
        let intake_parts = IntakeParts {
            folder: Some(aside),
            watch,
            series: store.clone(),
            engine: engine.clone(),
            water: water.clone(),
            clock: Arc::clone(&clock),
        };
        let (intake, intake_worker) = Intake::start(intake_parts, polled, stop.clone());
        let callers = callers::start(CallersParts {
            sl651: parts.sl651,
            brokers: parts.mqtt,
            sensors: &parts.files.sensors,
            data: parts.data.clone(),
            clock: Arc::clone(&clock),
            intake: intake.clone(),
            stop: stop.clone(),
        })
        .await?;
        let layers = parts.files.reach.layers.iter().map(|(name, text)| (name.clone(), Arc::from(text.as_str())));
        let layers = Arc::new(layers.collect());
        let evacuation = Arc::new(parts.files.reach.evacuation());
        let drills = LiveDrills::open(LiveDrillsParts {
            folder: parts.data.join("drills"),
            files: parts.files.clone(),
            sensors: Arc::new(parts.files.sensors.clone()),
            settings: parts.settings.clone(),
            layers: Arc::clone(&layers),
            evacuation: Arc::clone(&evacuation),
            twin: twin.clone(),
            stop: stop.clone(),
        })
        .await?;
        let going = Arc::clone(&drills);
        let shared = twin.clone();
        let live = Arc::new(Post {
            scope: Scope::Live,
            clock: if parts.clock.is_some() { ClockKind::Demo } else { ClockKind::Real },
            speed: Box::new(move || speed),
            engine: engine.clone(),
            series: store,
            water,
            intake,
            layers,
            evacuation,
            twin,
            demo: parts.files.reach.about.synthetic,
            made: Mutex::default(),
            drill: Box::new(move || going.now_running()),
        });
        let hooks = Arc::new(Hooks::new(parts.hooks, now));
        let listening = tokio::spawn(watch_hooks(Arc::clone(&hooks), engine.clone(), stop.clone()));
        let users = Users::new(database.clone());
        let photos = blobs_folder(&parts.data);
        crate::store::make_private(&photos)?;
        let flights = photos.join("drones");
        crate::store::make_private(&flights)?;
        let photos = Photos::new(photos);
        let cameras = Arc::new(Cameras::new(parts.cameras, photos.clone(), arrivals.clone())?);
        let streams = Workers::new();
        let newest_backup = NewestBackup::default();
        let metrics = Metrics::new(newest_backup.clone());
        let (metrics_post, metrics_poller, metrics_streams) = (Arc::clone(&live), Arc::clone(&poller), streams.clone());
        let metrics_callers = callers.clone();
        let site = Arc::new(Site {
            live,
            drills: drills.clone(),
            users: users.clone(),
            arrivals,
            stations: assemble::stations(&parts.files.sensors),
            book: parts.files.sensors.series_book(),
            callers,
            wall: Box::new(wall_now),
            flights: Flights::new(flights),
            photos,
            cameras: Arc::clone(&cameras),
            hooks: Arc::clone(&hooks),
            public: parts.public_reports.map(|section| PublicReports::new(section.per_hour, section.all_per_hour)),
            limits: parts.limits.into(),
            demo: parts.demo.is_some(),
            metrics: Box::new(move || {
                metrics.scrape(&metrics_post, &metrics_poller, &metrics_callers, metrics_streams.len())
            }),
            scrape_token: parts.scrape_token,
            stop: stop.clone(),
            workers: streams.clone(),
        });
        let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
        let ending = stop.clone();
        let http = axum::serve(listener, service).with_graceful_shutdown(async move { ending.cancelled().await });
        let http = tokio::spawn(async move { http.await });
        let duty_log = tokio::spawn(super::log::duty::keep(feed, stop.clone()));
        let mut workers = vec![writer, intake_worker, duty_log, listening];
        if cameras.can_look() {
            let (cameras, clock) = (Arc::clone(&cameras), Arc::clone(&clock));
            workers.push(tokio::spawn(super::cameras::watch(cameras, engine.clone(), clock, stop.clone())));
        }
        workers.extend(shared.map(|twin| tokio::spawn(runs::work(twin, stop.clone()))));
        workers.extend(series.start(&engine, &clock, &stop));
        if let Some(settings) = parts.backup {
            workers.push(tokio::spawn(keep_backups(parts.data.clone(), settings, newest_backup, stop.clone())));
        }
        Ok(Self {
            address,
            users,
            clock,
            stop,
            http,
            workers,
            streams,
            drills,
            series,
            database,
            _directory: directory,
            _poller: poller,
        })
    }

    /// Runs until Ctrl-C or SIGTERM, then ends in order: no new requests, what is open is finished, stores are closed.
    ///
    /// # Errors
    /// When the listener breaks down.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let mut http = self.http;
        let broken = tokio::select! {
            broken = &mut http => Some(broken),
            () = asked_to_stop() => None,
        };
        tracing::info!("停止：完成已收到的请求 (stopping: open requests are finished)");
        self.stop.cancel();
        self.streams.close();
        if broken.is_none() && tokio::time::timeout(GRACE, http).await.is_err() {
            tracing::warn!("仍有请求未结束，不再等待 (some requests did not end in time)");
        }
        if tokio::time::timeout(GRACE, self.drills.close()).await.is_err() {
            tracing::warn!("演练未按时结束 (a drill did not end in time)");
        }
        for worker in self.workers {
            if tokio::time::timeout(GRACE, worker).await.is_err() {
                tracing::warn!("有后台任务未按时结束 (a worker did not end in time)");
            }
        }
        self.series.close().await;
        self.database.close().await;
        match broken {
            Some(ended) => Ok(ended??),
            None => Ok(()),
        }
    }
}

/// Sources of events that fall silent or come back.
async fn watch_hooks(hooks: Arc<Hooks>, engine: Engine, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HOOKS_EVERY) => {}
        }
        for input in hooks.look(engine.now()) {
            if let Err(fault) = engine.submit(input).await {
                tracing::error!(
                    fault = &fault as &dyn std::error::Error,
                    "事件来源告警未写入 (an alarm was not put down)"
                );
            }
        }
    }
}

/// Ctrl-C, SIGTERM, or the end of the terminal that it was started in: the same orderly stop.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let one = async |kind: SignalKind| match signal(kind) {
        Ok(mut asked) => {
            asked.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = one(SignalKind::interrupt()) => {}
        () = one(SignalKind::terminate()) => {}
        () = one(SignalKind::hangup()) => {}
    }
}

/// The moment of the newest reading that decisions may rest on; what a device with a wrong clock says moves nobody's time.
async fn newest_usable(store: &dyn SeriesStore) -> Result<Option<Timestamp>, SeriesError> {
    let latest = store.latest().await?;
    let usable = latest.values().filter(|sample| sample.quality.is_usable()).map(|sample| sample.at);
    Ok(usable.max())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Causes, Grade, Observation, Quality};
    use crate::store::series::{EmbeddedSeries, SeriesLimits};

    #[tokio::test]
    async fn a_demo_goes_on_after_its_newest_usable_reading() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
        assert_eq!(newest_usable(&store).await.unwrap(), None);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (last, ahead) = (at("1958-07-16T10:00:50Z"), at("1958-07-16T23:00:00Z"));
        let one =
            |series: &str, at, quality| Observation { series: series.into(), at, received_at: at, value: 1.0, quality };
        let wrong = Quality { grade: Grade::Suspect, causes: Causes::CLOCK };
        let _ =
            store.append(&[one("a.discharge", last, Quality::GOOD), one("b.discharge", ahead, wrong)]).await.unwrap();
        assert_eq!(newest_usable(&store).await.unwrap(), Some(last));
    }
}

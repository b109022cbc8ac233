//! The intake in front of a store that is full, down, or takes no further series.

use super::assemble::{SiteFiles, load_playbook, start_engine, watch};
use crate::app::config::SeriesSection;
use crate::command::{CommandSettings, Input};
use crate::ingest::{Intake, IntakeError, IntakeParts, Sink};
use crate::model::{Causes, Grade, Observation, Quality, Reading, SeriesId, Timestamp, WarningLevel};
use crate::store::series::{
    Correction, Durable, EmbeddedSeries, Sample, SeriesBatch, SeriesError, SeriesFacts, SeriesLimits, SeriesStats,
    SeriesStore, Step,
};
use crate::store::{Database, Engine, Folded, JOURNAL_SCHEMA, Journal, Published};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A store that refuses while a fault is set.
struct Sick {
    inner: EmbeddedSeries,
    fault: Mutex<Option<SeriesError>>,
}

#[async_trait::async_trait]
impl SeriesStore for Sick {
    async fn append(&self, batch: &[Observation]) -> Result<Durable, SeriesError> {
        let fault = self.fault.lock().unwrap().clone();
        match fault {
            Some(fault) => Err(fault),
            None => self.inner.append(batch).await,
        }
    }
    async fn append_columns(&self, batches: &[SeriesBatch]) -> Result<Durable, SeriesError> {
        self.inner.append_columns(batches).await
    }
    async fn correct(&self, corrections: &[Correction]) -> Result<Durable, SeriesError> {
        self.inner.correct(corrections).await
    }
    async fn range(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError> {
        self.inner.range(series, from, to, step).await
    }
    async fn latest(&self) -> Result<BTreeMap<SeriesId, Sample>, SeriesError> {
        self.inner.latest().await
    }
    fn no_room_for(&self, series: &BTreeSet<SeriesId>) -> Option<SeriesError> {
        self.inner.no_room_for(series)
    }
    async fn list(&self) -> Result<Vec<SeriesFacts>, SeriesError> {
        self.inner.list().await
    }
    async fn stats(&self) -> Result<SeriesStats, SeriesError> {
        self.inner.stats().await
    }
}

/// The demo's site with an intake over a store of its own.
struct Desk {
    store: Arc<Sick>,
    engine: Engine,
    intake: Intake,
    polled: mpsc::Sender<Vec<Reading>>,
    worker: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open(series_max: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-08-01T00:00:00Z".parse().unwrap();
        let files = SiteFiles::from_folders(None, None, None).unwrap();
        let playbook = load_playbook(&files.playbook).unwrap();
        let journal = Journal::new(Database::open(&folder.path().join("state.db"), &[JOURNAL_SCHEMA]).await.unwrap());
        let folded = Folded::of(&journal).await.unwrap();
        let (stop, clock): (_, crate::store::Clock) = (CancellationToken::new(), Arc::new(move || now));
        let settings = CommandSettings::default();
        let (engine, _writer) =
            start_engine(journal, folded, &files, settings, Arc::clone(&clock), stop.clone()).await.unwrap();
        let limits = SeriesLimits { series_max, ..SeriesLimits::default() };
        let inner = EmbeddedSeries::open(&folder.path().join("series.db"), limits).await.unwrap();
        let store = Arc::new(Sick { inner, fault: Mutex::default() });
        let parts = IntakeParts {
            watch: watch(&files.sensors, &playbook, None, now, 1.0),
            series: store.clone(),
            engine: engine.clone(),
            water: Published::default(),
            clock,
            folder: None,
        };
        let (polled, inbox) = mpsc::channel(8);
        // The intake stops alone: the engine still hears its last words.
        let stop_intake = CancellationToken::new();
        let (intake, worker) = Intake::start(parts, inbox, stop_intake.clone());
        Self { store, engine, intake, polled, worker, stop: stop_intake, now, _folder: folder }
    }

    fn reading(&self, series: &str, second: i64, value: f64) -> Reading {
        let at = self.now - TimeDelta::seconds(second);
        Reading { series: series.into(), observed_at: at, received_at: at, value }
    }

    /// The title of an open alarm.
    fn alarm(&self, cause: &str) -> Option<String> {
        let state = self.engine.state();
        let alarm = state.alarms.get(&format!("silent:{cause}")).filter(|alarm| !alarm.closed);
        alarm.map(|alarm| format!("{} ({})", alarm.title.zh, alarm.title.en))
    }

    async fn until(&self, what: &str, fits: impl AsyncFn(&Self) -> bool) {
        for _ in 0..20_000 {
            if fits(self).await {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        panic!("never: {what}");
    }

    async fn stored(&self, series: &str) -> usize {
        let (from, to) = (self.now - TimeDelta::hours(9), self.now + TimeDelta::hours(9));
        self.store.range(&series.into(), from, to, None).await.unwrap().len()
    }
}

fn full() -> SeriesError {
    SeriesError::DiskFull { path: "series.db".into(), points: 1 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intake_whoever_looks_at_the_state_stops_neither_orders_nor_readings() {
    let desk = Desk::open(8).await;
    // Two screens shape long answers; one looks a second time while a fact waits to be told.
    let (early, also) = (desk.engine.state(), desk.engine.state());
    let level = Input::SeedLevel { level: WarningLevel::Blue };
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), desk.engine.submit(level)).await;
    told.expect("a fact waits for no reader").unwrap();
    let late = desk.engine.state();
    assert!(late.last > early.last, "{:?} {:?}", late.last, early.last);
    assert_eq!(early, also, "what was looked at stays as it was");
    assert_eq!((early.in_force, late.in_force), (WarningLevel::None, WarningLevel::Blue));
}

#[tokio::test]
async fn intake_series_beyond_the_limit_keep_no_other_out_and_are_named() {
    let desk = Desk::open(2).await;
    let ids = ["huayuankou.discharge", "huayuankou.stage", "heishiguan.discharge", "wuzhi.discharge"];
    for second in [9, 8] {
        let batch = ids.map(|id| desk.reading(id, second, 90.0)).to_vec();
        desk.polled.send(batch).await.unwrap();
    }
    desk.until("what has room is stored", async |desk| desk.stored(ids[0]).await + desk.stored(ids[1]).await == 4)
        .await;
    assert_eq!(desk.stored(ids[3]).await, 0);
    desk.until("the alarm", async |desk| desk.alarm("series-limit").is_some()).await;
    let words = desk.alarm("series-limit").unwrap();
    assert!(
        words.contains("上限 2") && words.contains("heishiguan.discharge") && words.contains("series_max"),
        "{words}"
    );
    assert_eq!(desk.alarm("series-store"), None, "the store is not down");
    // Who pushes is told, and the rest of his push is stored.
    let push = vec![desk.reading(ids[3], 7, 5.0), desk.reading(ids[0], 7, 4000.0)];
    let refused = desk.intake.take(push.clone()).await;
    assert!(matches!(refused, Err(IntakeError::Store(SeriesError::TooManySeries { limit: 2, .. }))), "{refused:?}");
    assert_eq!(desk.stored(ids[0]).await, 3);
    // A broker would send it again for ever.
    assert!(desk.intake.keep(push).await.is_ok());
    assert!(desk.intake.take(vec![desk.reading(ids[1], 6, 90.1)]).await.is_ok(), "others are not concerned");
}

#[tokio::test]
async fn intake_a_store_that_stays_down_is_alarmed_with_its_reason_and_the_oldest_go() {
    let desk = Desk::open(9000).await;
    *desk.store.fault.lock().unwrap() = Some(full());
    let many: Vec<_> = (1..=400).rev().map(|second| desk.reading("huayuankou.stage", second, 90.0)).collect();
    desk.polled.send(many).await.unwrap();
    desk.until("the oldest go", async |desk| desk.alarm("series-dropped").is_some()).await;
    let words = desk.alarm("series-store").unwrap();
    assert!(words.contains("存储空间不足") && words.contains("no space left"), "{words}");
    // Another reason is said, too.
    *desk.store.fault.lock().unwrap() = Some(SeriesError::NotWritable {
        path: "series.db".into(),
        cause: Arc::new(std::io::Error::other("read-only")),
    });
    desk.until("the new reason", async |desk| desk.alarm("series-store").is_some_and(|words| words.contains("不可写")))
        .await;
    // A push is not held here, so nobody's readings push those of the pollers out.
    assert!(desk.intake.take(vec![desk.reading("huayuankou.stage", 0, 90.0)]).await.is_err());
    *desk.store.fault.lock().unwrap() = None;
    desk.until("all is well", async |desk| {
        desk.alarm("series-store").is_none() && desk.alarm("series-dropped").is_none()
    })
    .await;
    let newest =
        desk.store.range(&"huayuankou.stage".into(), desk.now - TimeDelta::hours(1), desk.now, None).await.unwrap();
    // 300 wait at most, some of them estimates of other series.
    assert!((200..=300).contains(&newest.len()), "{}", newest.len());
    assert_eq!(newest.last().unwrap().at, desk.now - TimeDelta::seconds(1), "the newest are kept");
}

#[tokio::test]
async fn intake_what_waits_is_stored_at_the_end() {
    let desk = Desk::open(9000).await;
    *desk.store.fault.lock().unwrap() = Some(full());
    desk.polled.send(vec![desk.reading("huayuankou.stage", 1, 90.0)]).await.unwrap();
    desk.until("it waits", async |desk| desk.alarm("series-store").is_some()).await;
    *desk.store.fault.lock().unwrap() = None;
    desk.stop.cancel();
    let Desk { worker, store, now, .. } = desk;
    worker.await.unwrap();
    let kept = store.range(&"huayuankou.stage".into(), now - TimeDelta::hours(1), now, None).await.unwrap();
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn intake_moments_are_those_of_the_store() {
    let desk = Desk::open(9000).await;
    let mut fine = desk.reading("huayuankou.stage", 1, 90.0);
    fine.observed_at += TimeDelta::microseconds(123);
    desk.intake.take(vec![fine.clone()]).await.unwrap();
    assert_eq!(fine.in_whole_ms().observed_at, desk.now - TimeDelta::seconds(1));
    assert_eq!(desk.stored("huayuankou.stage").await, 1);
}

#[test]
fn a_limit_below_the_series_of_the_site_is_refused_with_both_numbers() {
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    let needed = files.sensors.series_book().len();
    let section = |series_max| SeriesSection { series_max, ..SeriesSection::default() };
    let words = section(needed - 1).check_room(&files.sensors).unwrap_err().to_string();
    assert!(words.contains(&format!("至少设为 {needed}")) && words.contains(&format!("= {}", needed - 1)), "{words}");
    assert!(section(needed).check_room(&files.sensors).is_ok());
    assert!(SeriesSection::default().check_room(&files.sensors).is_ok());
}

/// Two people at once both saw what stood there before either of them.
#[tokio::test]
async fn an_amendment_keeps_what_the_one_before_it_set() {
    use crate::command::{Actor, Amendment, StoodBefore};
    let desk = Desk::open(9000).await;
    let by = Actor { user: crate::model::UserName::new("li"), role: crate::model::UserRole::Hydrologist, member: None };
    let quality = |grade| Quality { grade, causes: Causes::NONE };
    let saw = StoodBefore { value: Some(90.0), quality: Quality::GOOD };
    let amend = |at: Timestamp, value, grade| Input::Amend {
        by: by.clone(),
        amendment: Amendment {
            series: "huayuankou.stage".into(),
            at,
            value: Some(value),
            quality: quality(grade),
            was: Some(saw),
            reason: "校核".into(),
        },
    };
    let at = desk.now - TimeDelta::hours(1);
    for (value, grade) in [(92.6, Grade::Manual), (91.0, Grade::Manual), (90.0, Grade::Suspect), (91.4, Grade::Manual)]
    {
        desk.engine.submit(amend(at, value, grade)).await.unwrap();
    }
    let state = desk.engine.state();
    let made: Vec<_> =
        state.amended[&SeriesId::from("huayuankou.stage")].iter().map(|one| one.amendment.clone()).collect();
    let was: Vec<_> = made.iter().map(|one| one.was.unwrap().value.unwrap()).collect();
    assert_eq!(was, [90.0, 92.6, 91.0, 91.0], "each keeps what the one before it set");
    assert_eq!(made[2].value, Some(91.0), "a mark leaves the value as it stands now");
    assert_eq!(made[3].was.unwrap().quality.grade, Grade::Suspect);
    for (at, word) in [("1700-12-01T00:00:00Z", "1900"), ("2026-08-02T00:00:00Z", "未来")] {
        let refused =
            desk.engine.submit(amend(at.parse().unwrap(), 91.0, Grade::Manual)).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
}

//! The default store: one SQLite file, one writing worker, a few readers.

use super::coarse::{self, Horizon};
use super::damage::{self, Damage};
use super::error::from_database;
use super::frame::{FramePoint, FrameWriter, read_entry};
use super::heads::Heads;
use super::points::{Points, code_of, moment, sample};
use super::read::{Question, Readers, answer, sound_points};
use super::registry::Registry;
use super::spool::{self, Spool};
use super::writer::{Command, CommitStep, Halt, Reply, Writer};
use super::{
    Correction, DamagedSpan, Durable, Sample, SeriesBatch, SeriesError, SeriesFacts, SeriesStats, SeriesStore, Step,
    schema,
};
use crate::model::{Observation, SeriesId, Timestamp};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// How much the store takes; every limit answers with an error that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesLimits {
    /// Most points of one append, and about the most of one commit.
    pub batch_points_max: usize,
    /// Most series.
    pub series_max: usize,
    /// Most samples of one answer.
    pub answer_samples_max: usize,
    /// Appends that may wait for the worker; further ones wait before they are taken.
    pub queue: usize,
    /// Journal bytes above which heads are sealed before they are full; bounds memory (about three times this) and the replay at start.
    pub journal_bytes: u64,
    /// Points of a full chunk.
    pub chunk_points: usize,
    /// Most bytes of the file, if it must not fill its disk.
    pub file_bytes_max: Option<u64>,
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self {
            batch_points_max: 200_000,
            series_max: 20_000,
            answer_samples_max: 2_000_000,
            queue: 64,
            journal_bytes: 8 << 20,
            chunk_points: 4096,
            file_bytes_max: None,
        }
    }
}

/// Between two looks for damage: whoever reads or writes goes first.
const LOOK_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);
/// Readers at work at once.
const READERS: usize = 3;

/// What the worker and the callers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) limits: SeriesLimits,
    /// Before `heads`, where both are held: two orders would wait for each other.
    registry: RwLock<Registry>,
    heads: RwLock<Heads>,
    pub(super) journal_bytes: AtomicU64,
    pub(super) spool: Spool,
    pub(super) trip: Tripwire,
    pub(super) damage: Damage,
}

impl Shared {
    pub(super) fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn heads(&self) -> RwLockReadGuard<'_, Heads> {
        self.heads.read().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn heads_mut(&self) -> RwLockWriteGuard<'_, Heads> {
        self.heads.write().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn id_of(&self, number: u32) -> SeriesId {
        self.registry().id(number).cloned().unwrap_or_else(|| SeriesId::new(format!("#{number}")))
    }
    pub(super) fn damaged(&self, number: u32, from: i64, to: i64, reason: String) -> SeriesError {
        SeriesError::DamagedChunk { series: self.id_of(number), from: moment(from), to: moment(to), reason }
    }
    fn closed(&self) -> SeriesError {
        SeriesError::Closed { path: self.path.clone() }
    }
    /// Gives the series numbers; takes the write lock only if one is new.
    fn admit<'a>(&self, series: impl Iterator<Item = &'a SeriesId> + Clone) -> Result<(), SeriesError> {
        let known = {
            let registry = self.registry();
            series.clone().all(|id| registry.number(id).is_some())
        };
        if known {
            return Ok(());
        }
        self.registry.write().unwrap_or_else(PoisonError::into_inner).admit(series)
    }
    fn check_size(&self, points: usize) -> Result<(), SeriesError> {
        let limit = self.limits.batch_points_max;
        if points > limit { Err(SeriesError::BatchTooLarge { points, limit }) } else { Ok(()) }
    }
}

/// Points on their way to a remote store.
#[derive(Debug)]
pub(super) struct Unsent {
    /// The last entry they come from.
    pub(super) through: u64,
    /// Series, Unix ms, value, stored code.
    pub(super) points: Vec<(SeriesId, i64, f64, u16)>,
}

/// Plays a crash at a chosen step; in a real run it never trips.
#[derive(Debug, Default)]
pub(super) struct Tripwire {
    #[cfg(test)]
    pub(super) armed: std::sync::Mutex<Option<(CommitStep, u32)>>,
    #[cfg(test)]
    tripped: std::sync::atomic::AtomicBool,
}

impl Tripwire {
    #[cfg(not(test))]
    pub(super) fn pass(&self, _: CommitStep) -> Result<(), Halt> {
        Ok(())
    }
    #[cfg(not(test))]
    pub(super) fn is_tripped(&self) -> bool {
        false
    }
    /// Halts at the armed step, after it was passed the armed number of times.
    #[cfg(test)]
    pub(super) fn pass(&self, step: CommitStep) -> Result<(), Halt> {
        let mut armed = self.armed.lock().unwrap();
        match armed.as_mut() {
            Some((at, left)) if *at == step => {
                if *left > 0 {
                    *left -= 1;
                    return Ok(());
                }
                self.tripped.store(true, Ordering::SeqCst);
                Err(Halt::Tripped(SeriesError::Closed { path: PathBuf::from("tripped") }))
            }
            _ => Ok(()),
        }
    }
    #[cfg(test)]
    pub(super) fn is_tripped(&self) -> bool {
        self.tripped.load(Ordering::SeqCst)
    }
}

/// Series in a SQLite file of their own: a durable journal in front of compressed chunks.
///
/// Opening claims the file for this process. Dropping waits for the commit under way; [`EmbeddedSeries::close`] says when it is done.
#[derive(Debug)]
pub struct EmbeddedSeries {
    shared: Arc<Shared>,
    readers: Readers,
    inbox: Option<mpsc::Sender<Command>>,
    worker: Option<JoinHandle<()>>,
    damaged: u64,
}

impl EmbeddedSeries {
    /// Opens the store at `path` (usually `series.db` in the data folder), makes it if it is not there, and replays its journal.
    pub async fn open(path: &Path, limits: SeriesLimits) -> Result<Self, SeriesError> {
        Self::open_as(path, limits, None).await
    }

    /// As [`EmbeddedSeries::open`], and keeps every entry of the journal until a remote store has it, up to `bytes_max`.
    pub(super) async fn open_spooled(
        path: &Path,
        limits: SeriesLimits,
        bytes_max: u64,
        now: Timestamp,
    ) -> Result<Self, SeriesError> {
        Self::open_as(path, limits, Some((bytes_max, now))).await
    }

    async fn open_as(path: &Path, limits: SeriesLimits, spool: Option<(u64, Timestamp)>) -> Result<Self, SeriesError> {
        let path = path.to_path_buf();
        let claim = schema::claim(&path)?;
        let mut conn = schema::open_writer(&path, limits.file_bytes_max).await?;
        let mut loaded = schema::load(&mut conn, &path, limits.series_max, limits.chunk_points).await?;
        match spool {
            Some((_, now)) => spool::begin(&mut conn, &path, &mut loaded, now.timestamp_millis()).await?,
            None => spool::leave(&mut conn, &path, &loaded.marks).await?,
        }
        let (sender, inbox) = mpsc::channel(limits.queue.max(1));
        let named = loaded.registry.len();
        let shared = Arc::new(Shared {
            path: path.clone(),
            limits,
            registry: RwLock::new(loaded.registry),
            heads: RwLock::new(loaded.heads),
            journal_bytes: AtomicU64::new(0),
            spool: Spool::new(spool.map(|(bytes_max, _)| bytes_max), &loaded.marks),
            trip: Tripwire::default(),
            damage: Damage::default(),
        });
        shared.damage.note(loaded.damaged_spans);
        let mut writer = Writer {
            conn,
            doubtful: false,
            shared: Arc::clone(&shared),
            journal: loaded.journal.into(),
            next_entry: loaded.next_entry,
            named,
            commits: 0,
            untidy: Default::default(),
            sealing: Vec::new(),
            seal_through: 0,
            tidying: Vec::new(),
            retaining: None,
            needed: loaded.marks.needed,
        };
        writer.count_journal();
        let worker = start(writer, inbox, claim, &path)?;
        let readers = Readers::new(path, READERS);
        Ok(Self { shared, readers, inbox: Some(sender), worker: Some(worker), damaged: loaded.damaged })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Puts every point appended so far into chunks and gives free space back to the system. Appends go on meanwhile.
    pub async fn seal(&self) -> Result<(), SeriesError> {
        self.ask(|reply| Command::Seal { reply }).await
    }

    /// Merges overlapping and small chunks of all series. Appends go on meanwhile.
    pub async fn tidy(&self) -> Result<(), SeriesError> {
        self.ask(|reply| Command::Tidy { reply }).await
    }

    /// Writes a consistent copy of a store that may be in use, by this process or another; the copy opens like any store.
    pub async fn snapshot(from: &Path, to: &Path) -> Result<(), SeriesError> {
        let fail = |cause| from_database(from, "copying it", 0, cause);
        let mut conn = schema::open_reader(from).await?;
        let target = to.to_string_lossy();
        sqlx::query("VACUUM INTO $1").bind(target.as_ref()).execute(&mut conn).await.map_err(fail)?;
        sqlx::Connection::close(conn).await.map_err(fail)
    }

    /// Puts minutes in place of points from before a moment, and hours in place of minutes from before another; smallest and
    /// largest values are kept. A little at a time, whenever no append waits; answers when all is done.
    pub async fn retain(&self, points_from: Timestamp, minutes_from: Option<Timestamp>) -> Result<(), SeriesError> {
        // Whole hours: a bucket is not half of one kind and half of the other.
        let whole = |at: Timestamp| at.timestamp_millis().div_euclid(coarse::HOUR_MS).saturating_mul(coarse::HOUR_MS);
        let horizon = Horizon { points_before: whole(points_from), minutes_before: minutes_from.map(whole) };
        self.ask(|reply| Command::Retain { horizon, reply }).await
    }

    /// Writes a consistent copy of the store to a new file while everything goes on; the copy opens like any store.
    pub async fn backup(&self, to: &Path) -> Result<(), SeriesError> {
        if to.exists() {
            return Err(SeriesError::BackupExists { path: to.to_path_buf() });
        }
        let fail = |cause| from_database(to, "writing the backup", 0, cause);
        let mut conn = self.readers.lend().await?;
        let target = to.to_string_lossy();
        sqlx::query("VACUUM INTO $1").bind(target.as_ref()).execute(conn.get()?).await.map_err(fail)?;
        let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
        synced.map_err(|cause| SeriesError::File {
            path: to.to_path_buf(),
            doing: "making the backup durable",
            cause: Arc::new(cause),
        })?;
        schema::sync_folder(to)
    }

    /// Looks through the whole file for chunks that cannot be read, a little at a time; gives how many spans are known to be damaged.
    pub async fn look_for_damage(&self) -> Result<usize, SeriesError> {
        let mut place = damage::Place::default();
        loop {
            let found = {
                let mut conn = self.readers.lend().await?;
                damage::look(conn.get()?, &self.shared.path, &mut place).await?
            };
            let Some(found) = found else { break };
            self.shared.damage.note(found);
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Ok(*self.shared.damage.count().borrow())
    }

    /// How many spans are known to be damaged, now and from now on.
    pub fn damage_known(&self) -> tokio::sync::watch::Receiver<usize> {
        self.shared.damage.count()
    }

    /// Everything that cannot be read in a file that nobody writes to, such as a backup.
    pub async fn damaged_in(path: &Path) -> Result<Vec<DamagedSpan>, SeriesError> {
        damage::all_in(path).await
    }

    /// Finishes the commits under way and lets the file go.
    pub async fn close(mut self) {
        self.inbox = None;
        if let Some(worker) = self.worker.take() {
            let _ = tokio::task::spawn_blocking(move || worker.join()).await;
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, SeriesError> {
        let inbox = self.inbox.as_ref().ok_or_else(|| self.shared.closed())?;
        let (reply, answer) = oneshot::channel();
        inbox.send(command(reply)).await.map_err(|_| self.shared.closed())?;
        answer.await.map_err(|_| self.shared.closed())?
    }

    async fn append_frame(&self, frame: FrameWriter) -> Result<Durable, SeriesError> {
        let frame = frame.finish();
        self.ask(|reply| Command::Append { frame, reply }).await
    }

    /// The spool towards a remote store.
    pub(super) fn spool(&self) -> &Spool {
        &self.shared.spool
    }

    /// The oldest entries that the remote store has not, with their points in order of arrival; about `bytes` of them.
    pub(super) async fn unsent(&self, bytes: usize) -> Result<Option<Unsent>, SeriesError> {
        let entries = self.readers.entries(self.shared.spool.sent(), bytes).await?;
        let Some(through) = entries.last().map(|(entry, _)| *entry) else { return Ok(None) };
        let mut points = Vec::new();
        for (entry, body) in entries {
            if let Err(reason) = read_entry(&body, |point| points.push(point)) {
                tracing::error!(entry, reason, "an entry of the journal cannot be read and is not sent");
            }
        }
        let registry = self.shared.registry();
        let named = |point: FramePoint| Some((registry.id(point.series)?.clone(), point.at, point.value, point.code));
        Ok(Some(Unsent { through, points: points.into_iter().filter_map(named).collect() }))
    }

    /// Notes that the remote store has every entry up to `through`.
    pub(super) async fn note_sent(&self, through: u64) -> Result<(), SeriesError> {
        self.ask(|reply| Command::Sent { through, reply }).await
    }

    /// Notes that the remote store has everything observed in `gap`.
    pub(super) async fn note_gap_sent(&self, gap: (i64, i64)) -> Result<(), SeriesError> {
        self.ask(|reply| Command::GapSent { gap, reply }).await
    }

    /// Points of a series as stored, merged, with `from <= time < to`.
    pub(super) async fn points(&self, series: &SeriesId, from: i64, to: i64) -> Result<Points, SeriesError> {
        let Some(number) = self.shared.registry().number(series) else { return Ok(Points::default()) };
        let head = {
            let heads = self.shared.heads();
            heads.slot(number).map(|slot| slot.head.within(from, to)).unwrap_or_default()
        };
        let mut chunks = self.readers.chunks(number, from, to).await?;
        let series = series.clone();
        let work = move || {
            chunks.sort_by_key(|chunk| chunk.order);
            let (all, damaged) = sound_points(&series, &chunks);
            let mut all = all.within(from, to);
            all.append(head);
            (all.merged(), damaged)
        };
        let (points, damaged) = tokio::task::spawn_blocking(work).await.map_err(|_| self.shared.closed())?;
        self.shared.damage.note(damaged);
        Ok(points)
    }

    /// First moment in a chunk and newest moment of a series.
    pub(super) async fn extent(&self, series: &SeriesId) -> Result<Option<(i64, i64)>, SeriesError> {
        let Some(number) = self.shared.registry().number(series) else { return Ok(None) };
        let sealed = self.readers.extent(number).await?;
        let heads = self.shared.heads();
        let head = heads.slot(number).map(|slot| &slot.head.times);
        let head = head.and_then(|times| Some((*times.iter().min()?, *times.iter().max()?)));
        Ok(match (sealed, head) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (some, other) => some.or(other),
        })
    }

    #[cfg(test)]
    pub(super) fn has_crashed(&self) -> bool {
        self.shared.trip.is_tripped()
    }

    #[cfg(test)]
    pub(super) fn journal_bytes(&self) -> u64 {
        self.shared.journal_bytes.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn play_crash_at(&self, step: CommitStep, after: u32) {
        *self.shared.trip.armed.lock().unwrap() = Some((step, after));
    }
}

impl Drop for EmbeddedSeries {
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// Starts the worker on a thread of its own: compression must not hold up the callers' runtime.
fn start(
    writer: Writer,
    inbox: mpsc::Receiver<Command>,
    claim: schema::Claim,
    path: &Path,
) -> Result<JoinHandle<()>, SeriesError> {
    let fail = |cause| SeriesError::File {
        path: path.to_path_buf(),
        doing: "starting its writing worker",
        cause: Arc::new(cause),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fail)?;
    let work = move || {
        runtime.block_on(writer.run(inbox));
        drop(claim);
    };
    std::thread::Builder::new().name("series-writer".into()).spawn(work).map_err(fail)
}

#[async_trait]
impl SeriesStore for EmbeddedSeries {
    async fn append(&self, batch: &[Observation]) -> Result<Durable, SeriesError> {
        self.shared.check_size(batch.len())?;
        self.shared.admit(batch.iter().map(|o| &o.series))?;
        let mut frame = FrameWriter::with_room_for(batch.len());
        {
            let registry = self.shared.registry();
            for observation in batch {
                let Some(series) = registry.number(&observation.series) else { continue };
                let code = code_of(observation.value, observation.quality, false);
                let at = observation.at.timestamp_millis();
                frame.push(FramePoint { series, at, value: observation.value, code });
            }
        }
        debug_assert_eq!(frame.points(), batch.len());
        self.append_frame(frame).await
    }

    async fn append_columns(&self, batches: &[SeriesBatch]) -> Result<Durable, SeriesError> {
        let points = batches.iter().map(|batch| batch.at_ms.len()).sum();
        self.shared.check_size(points)?;
        for batch in batches {
            let (times, values, verdicts) = (batch.at_ms.len(), batch.values.len(), batch.quality.len());
            if times != values || times != verdicts {
                return Err(SeriesError::UnevenColumns { series: batch.series.clone(), times, values, verdicts });
            }
        }
        self.shared.admit(batches.iter().map(|batch| &batch.series))?;
        let mut frame = FrameWriter::with_room_for(points);
        for batch in batches {
            let Some(series) = self.shared.registry().number(&batch.series) else { continue };
            for ((&at, &value), &quality) in batch.at_ms.iter().zip(&batch.values).zip(&batch.quality) {
                frame.push(FramePoint { series, at, value, code: code_of(value, quality, false) });
            }
        }
        self.append_frame(frame).await
    }

    async fn correct(&self, corrections: &[Correction]) -> Result<Durable, SeriesError> {
        self.shared.check_size(corrections.len())?;
        self.shared.admit(corrections.iter().map(|c| &c.series))?;
        let mut frame = FrameWriter::with_room_for(corrections.len());
        {
            let registry = self.shared.registry();
            for correction in corrections {
                let Some(series) = registry.number(&correction.series) else { continue };
                let code = code_of(correction.value, correction.quality, true);
                let at = correction.at.timestamp_millis();
                frame.push(FramePoint { series, at, value: correction.value, code });
            }
        }
        self.append_frame(frame).await
    }

    async fn range(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError> {
        let step = step.map(Step::checked).transpose()?;
        let Some(number) = self.shared.registry().number(series) else {
            return Ok(Vec::new());
        };
        let question = Question {
            series: series.clone(),
            from: from.timestamp_millis(),
            to: to.timestamp_millis(),
            step,
            samples_max: self.shared.limits.answer_samples_max,
        };
        let head = {
            let heads = self.shared.heads();
            heads.slot(number).map(|slot| slot.head.within(question.from, question.to)).unwrap_or_default()
        };
        let chunks = self.readers.chunks(number, question.from, question.to).await?;
        // After the chunks: what becomes buckets in between is seen twice, never not at all.
        let coarse = coarse::within(&self.readers, number, question.from, question.to).await?;
        let work = tokio::task::spawn_blocking(move || answer(&question, chunks, &head.merged(), &coarse)).await;
        let (samples, damaged) = work.map_err(|_| self.shared.closed())?;
        self.shared.damage.note(damaged);
        samples
    }

    async fn latest(&self) -> Result<BTreeMap<SeriesId, Sample>, SeriesError> {
        let (registry, heads) = (self.shared.registry(), self.shared.heads());
        let newest = registry.ids().iter().zip(heads.slots());
        Ok(newest
            .filter_map(|(id, slot)| slot.latest.map(|(at, value, code)| (id.clone(), sample(at, value, code))))
            .collect())
    }

    fn ends_before(&self, series: &SeriesId, at: Timestamp) -> bool {
        let (registry, heads) = (self.shared.registry(), self.shared.heads());
        let slot = registry.number(series).and_then(|number| heads.slot(number));
        let newest = slot.and_then(|slot| slot.latest.map(|(at, ..)| at).max(slot.frontier));
        newest.is_none_or(|newest| newest < at.timestamp_millis())
    }

    fn damage(&self, series: Option<&SeriesId>, from: Timestamp, to: Timestamp) -> Vec<DamagedSpan> {
        self.shared.damage.within(series, from, to)
    }

    fn no_room_for(&self, series: &BTreeSet<SeriesId>) -> Option<SeriesError> {
        self.shared.registry().refusal(series.iter())
    }

    async fn list(&self) -> Result<Vec<SeriesFacts>, SeriesError> {
        let (registry, heads) = (self.shared.registry(), self.shared.heads());
        let mut facts: Vec<SeriesFacts> = registry
            .ids()
            .iter()
            .zip(heads.slots())
            .map(|(id, slot)| SeriesFacts {
                series: id.clone(),
                points: slot.chunk_points + slot.head.len() as u64,
                oldest: slot.oldest_at.map(moment),
                // The end of its chunks too: a newest chunk that cannot be read must not hide the older ones.
                newest: slot.latest.map(|(at, ..)| at).max(slot.frontier).map(moment),
            })
            .collect();
        facts.sort_by(|a, b| a.series.cmp(&b.series));
        Ok(facts)
    }

    async fn stats(&self) -> Result<SeriesStats, SeriesError> {
        let fail = |cause| from_database(&self.shared.path, "measuring it", 0, cause);
        let mut conn = self.readers.lend().await?;
        let mut pages = [0i64; 3];
        for (into, pragma) in pages.iter_mut().zip(["PRAGMA page_count", "PRAGMA freelist_count", "PRAGMA page_size"]) {
            *into = sqlx::query_scalar(pragma).fetch_one(conn.get()?).await.map_err(fail)?;
        }
        let [count, free, size] = pages;
        let series = self.shared.registry().len() as u64;
        let heads = self.shared.heads();
        let sealed: u64 = heads.slots().iter().map(|slot| slot.chunk_points).sum();
        Ok(SeriesStats {
            series,
            points: sealed + heads.points(),
            unsealed_points: heads.points(),
            chunks: heads.slots().iter().map(|slot| slot.chunks).sum(),
            journal_bytes: self.shared.journal_bytes.load(Ordering::Relaxed),
            live_bytes: ((count - free) * size).unsigned_abs(),
            file_bytes: file_bytes(&self.shared.path),
            damaged_entries: self.damaged,
        })
    }
}

/// Bytes of the file and its write-ahead log.
fn file_bytes(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    [path, Path::new(&log)].iter().filter_map(|part| std::fs::metadata(part).ok()).map(|meta| meta.len()).sum()
}

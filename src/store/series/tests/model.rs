//! Any order of on-time, late, doubled and corrected points, seals, merges, restarts and crashes at every step gives
//! the same answers as a map of moments.

use super::super::writer::CommitStep;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SERIES: [&str; 3] = ["huayuankou.stage", "huayuankou.discharge", "jiahetan.stage"];

#[derive(Debug, Clone)]
struct Row {
    series: usize,
    second: i64,
    value: f64,
    quality: Quality,
}

#[derive(Debug, Clone)]
enum Act {
    Append(Vec<Row>),
    Correct(Vec<Row>),
    Seal,
    Tidy,
    Reopen,
    /// From now on the process dies when it passes this step for the n-th time.
    CrashAt(CommitStep, u32),
}

/// What a moment of a series should hold: value bits, verdict, by hand.
type Model = BTreeMap<(usize, i64), (u64, Quality, bool)>;

fn put(model: &mut Model, row: &Row, corrected: bool) {
    let mut quality = row.quality;
    if !row.value.is_finite() && quality.is_usable() {
        let cause = if row.value.is_nan() { Causes::MISSING } else { Causes::RANGE };
        quality = Quality { grade: Grade::Bad, causes: quality.causes.with(cause) };
    }
    let by_hand = corrected || row.quality.grade == Grade::Manual;
    let old = model.get(&(row.series, row.second));
    if by_hand || !old.is_some_and(|(_, _, by_hand)| *by_hand) {
        model.insert((row.series, row.second), (row.value.to_bits(), quality, by_hand));
    }
}

fn rows(times: std::ops::Range<i64>) -> impl Strategy<Value = Vec<Row>> {
    let quality = prop_oneof![
        6 => Just(Quality::GOOD),
        1 => Just(Quality { grade: Grade::Manual, causes: Causes::NONE }),
        1 => Just(Quality { grade: Grade::Suspect, causes: Causes::SPIKE.with(Causes::LATE) }),
        1 => Just(Quality { grade: Grade::Bad, causes: Causes::MISSING }),
    ];
    let value = prop_oneof![8 => (0i64..5000).prop_map(|v| v as f64 / 100.0), 1 => any::<f64>(), 1 => Just(f64::NAN)];
    // One device has its clock in the far future now and then.
    let second = prop_oneof![20 => times, 1 => Just(300_000_000i64)];
    let row = (0..SERIES.len(), second, value, quality).prop_map(|(series, second, value, quality)| Row {
        series,
        second,
        value,
        quality,
    });
    prop::collection::vec(row, 1..12)
}

fn step() -> impl Strategy<Value = CommitStep> {
    use CommitStep as S;
    prop::sample::select(vec![
        S::Begun,
        S::SeriesNamed,
        S::EntryWritten,
        S::ChunksWritten,
        S::SeriesMarked,
        S::JournalTrimmed,
        S::Committed,
        S::OldChunksGone,
        S::NewChunksWritten,
        S::ChunksReplaced,
    ])
}

fn act(i: i64) -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => rows(i * 10..i * 10 + 10).prop_map(Act::Append),
        4 => rows(0..200).prop_map(Act::Append),
        2 => rows(0..200).prop_map(Act::Correct),
        1 => Just(Act::Seal),
        1 => Just(Act::Tidy),
        1 => Just(Act::Reopen),
        2 => (step(), 0u32..4).prop_map(|(step, after)| Act::CrashAt(step, after)),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    (5i64..40).prop_flat_map(|n| (0..n).map(act).collect::<Vec<_>>())
}

async fn read(store: &EmbeddedSeries) -> Model {
    let mut found = Model::new();
    for (place, series) in SERIES.iter().enumerate() {
        let samples = all(store, series).await;
        assert!(samples.windows(2).all(|pair| pair[0].at < pair[1].at), "answers are in order of time");
        for s in samples {
            let second = (s.at.timestamp_millis() - START) / 1000;
            found.insert((place, second), (s.value.to_bits(), s.quality, s.by_hand));
        }
    }
    found
}

struct Trial {
    folder: tempfile::TempDir,
    store: Option<EmbeddedSeries>,
    model: Model,
    crashes: u32,
}

impl Trial {
    async fn reopen(&mut self) {
        self.crashes += u32::from(self.store.as_ref().is_some_and(EmbeddedSeries::has_crashed));
        self.store = None;
        let path = self.folder.path().join("series.db");
        self.store = Some(EmbeddedSeries::open(&path, tiny()).await.unwrap());
    }
    fn store(&self) -> &EmbeddedSeries {
        self.store.as_ref().unwrap()
    }
    async fn write(&mut self, rows: &[Row], by_person: bool) {
        let mut after = self.model.clone();
        rows.iter().for_each(|row| put(&mut after, row, by_person));
        let outcome = if by_person {
            let list: Vec<_> = rows
                .iter()
                .map(|r| Correction {
                    series: SERIES[r.series].into(),
                    at: at(r.second),
                    value: r.value,
                    quality: r.quality,
                })
                .collect();
            self.store().correct(&list).await
        } else {
            let list: Vec<_> = rows
                .iter()
                .map(|r| Observation { quality: r.quality, ..seen(SERIES[r.series], r.second, r.value) })
                .collect();
            self.store().append(&list).await
        };
        match outcome {
            Ok(durable) => {
                assert_eq!(durable.points, rows.len());
                self.model = after;
            }
            Err(SeriesError::Closed { .. }) => {
                // The crash came before the answer: all of the batch is there, or nothing.
                self.reopen().await;
                let found = read(self.store()).await;
                assert!(found == after || found == self.model, "a batch without answer is kept whole or not at all");
                self.model = found;
            }
            Err(other) => panic!("{other}"),
        }
    }
    async fn act(&mut self, act: &Act) {
        match act {
            Act::Append(rows) => self.write(rows, false).await,
            Act::Correct(rows) => self.write(rows, true).await,
            Act::Seal => {
                if self.store().seal().await.is_err() {
                    self.reopen().await;
                }
            }
            Act::Tidy => {
                if self.store().tidy().await.is_err() {
                    self.reopen().await;
                }
            }
            Act::Reopen => self.reopen().await,
            Act::CrashAt(step, after) => self.store().play_crash_at(*step, *after),
        }
    }
    async fn check(&self) {
        assert_eq!(read(self.store()).await, self.model);
        for (place, series) in SERIES.iter().enumerate() {
            self.check_latest(place, series).await;
            self.check_steps(place, series).await;
        }
    }
    async fn check_latest(&self, place: usize, series: &str) {
        let latest = self.store().latest().await.unwrap().get(&SeriesId::from(series)).copied();
        let expected = self.model.range((place, i64::MIN)..=(place, i64::MAX)).last();
        assert_eq!(
            latest.map(|s| (s.at, s.value.to_bits(), s.quality, s.by_hand)),
            expected.map(|((_, second), (bits, quality, by_hand))| (at(*second), *bits, *quality, *by_hand)),
        );
    }
    async fn check_steps(&self, place: usize, series: &str) {
        let (from, to) = (23, 151);
        let step = Step { every_ms: 7000, aggregate: Aggregate::Max };
        let samples = self.store().range(&series.into(), at(from), at(to), Some(step)).await.unwrap();
        let mut expected: BTreeMap<i64, (u32, u32, f64)> = BTreeMap::new();
        for ((_, second), (bits, quality, _)) in self.model.range((place, from)..(place, to)) {
            let bucket = expected.entry((START + second * 1000).div_euclid(7000) * 7000).or_insert((0, 0, f64::NAN));
            if quality.is_usable() {
                *bucket = (bucket.0 + 1, bucket.1, bucket.2.max(f64::from_bits(*bits)));
            } else {
                bucket.1 += 1;
            }
        }
        let found: Vec<_> =
            samples.iter().map(|s| (s.at.timestamp_millis(), s.usable, s.unusable, s.value.to_bits())).collect();
        let expected: Vec<_> = expected.into_iter().map(|(at, (u, o, max))| (at, u, o, max.to_bits())).collect();
        assert_eq!(found, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn series_model_any_history_with_crashes_gives_the_same_answers(acts in acts()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let mut trial = Trial { folder, store: None, model: Model::new(), crashes: 0 };
            trial.reopen().await;
            for act in &acts {
                trial.act(act).await;
            }
            // Read with whatever is in heads and chunks now, then after a restart, then with everything sealed and merged.
            let live = read(trial.store()).await;
            prop_assert_eq!(&live, &trial.model);
            trial.reopen().await;
            trial.check().await;
            trial.store().seal().await.unwrap();
            trial.store().tidy().await.unwrap();
            trial.check().await;
            let stats = trial.store().stats().await.unwrap();
            prop_assert_eq!((stats.unsealed_points, stats.journal_bytes, stats.damaged_entries), (0, 0, 0));
            prop_assert_eq!(stats.points, trial.model.len() as u64, "merging leaves one point for each moment");
            Ok(())
        })?;
    }
}

/// Every step of a commit and of a rewrite, one by one: the acknowledged points are there afterwards, the rest whole or not at all.
#[tokio::test]
async fn series_model_a_crash_at_every_step_loses_nothing_acknowledged() {
    use CommitStep as S;
    let steps = [
        S::Begun,
        S::SeriesNamed,
        S::EntryWritten,
        S::ChunksWritten,
        S::SeriesMarked,
        S::JournalTrimmed,
        S::Committed,
        S::OldChunksGone,
        S::NewChunksWritten,
        S::ChunksReplaced,
    ];
    for step in steps {
        for after in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            let mut trial = Trial { folder, store: None, model: Model::new(), crashes: 0 };
            trial.reopen().await;
            trial.store().play_crash_at(step, after);
            for i in 0..60i64 {
                let rows: Vec<Row> = (0..9)
                    .map(|k| Row {
                        series: (k % 3) as usize,
                        second: if k == 8 { i / 2 } else { i * 3 + k / 3 },
                        value: (i * 9 + k) as f64 / 10.0,
                        quality: Quality::GOOD,
                    })
                    .collect();
                trial.write(&rows, false).await;
                if i % 10 == 9 {
                    let sealed = trial.store().seal().await.is_ok();
                    let tidied = sealed && trial.store().tidy().await.is_ok();
                    if !tidied {
                        trial.reopen().await;
                    }
                }
            }
            assert!(trial.crashes > 0, "{step:?} was never reached {after} times");
            assert_eq!(read(trial.store()).await, trial.model, "{step:?} {after}");
        }
    }
}

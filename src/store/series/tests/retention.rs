//! Old points become minutes and hours; the peaks stay, appends go on, a crash in between does no harm.

use super::*;
use crate::store::series::writer::CommitStep;
use proptest::prelude::*;

const DAY_S: i64 = 86_400;

async fn range(store: &EmbeddedSeries, from: i64, to: i64, step: Option<Step>) -> Vec<Sample> {
    store.range(&"a.stage".into(), at(from), at(to), step).await.unwrap()
}

/// Points every 20 s over three days with a peak of one reading.
fn flood() -> Vec<Observation> {
    (0..3 * DAY_S / 20)
        .map(|i| seen("a.stage", i * 20, if i == 777 { 94.999 } else { 93.0 + (i % 100) as f64 / 1000.0 }))
        .collect()
}

#[tokio::test]
async fn series_retention_minutes_then_hours_keep_the_peak_and_appends_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SeriesLimits { chunk_points: 256, ..SeriesLimits::default() };
    let path = folder.path().join("series.db");
    let store = EmbeddedSeries::open(&path, limits.clone()).await.unwrap();
    let _ = store.append(&flood()).await.unwrap();
    store.seal().await.unwrap();
    let hour = Step { every_ms: 3_600_000, aggregate: Aggregate::Max };
    let before = range(&store, 0, 3 * DAY_S, Some(hour)).await;
    let chunks = store.stats().await.unwrap().chunks;
    // Everything but the last day becomes minutes; an append in the middle of it is answered.
    let retain = store.retain(at(2 * DAY_S), None);
    let late = [seen("b.stage", 0, 1.0)];
    let append = store.append(&late);
    let (done, appended) = tokio::join!(retain, append);
    done.unwrap();
    assert_eq!(appended.unwrap().points, 1);
    assert!(store.stats().await.unwrap().chunks < chunks / 2);
    assert_eq!(range(&store, 0, 3 * DAY_S, Some(hour)).await, before, "hours are the same to the bit");
    let minutes = range(&store, 0, DAY_S, None).await;
    assert_eq!(minutes.len() as i64, DAY_S / 60, "one sample a minute where the points are gone");
    let peak = minutes.iter().find(|s| s.max == 94.999).unwrap();
    assert!(peak.usable == 3 && peak.value < 94.999 && peak.min >= 93.0);
    assert_eq!(range(&store, 2 * DAY_S + 6_000, 2 * DAY_S + 6_060, None).await.len(), 3, "the last day is whole");
    // The first day becomes hours; all of it is in a backup and after a restart.
    store.retain(at(2 * DAY_S), Some(at(DAY_S))).await.unwrap();
    assert_eq!(range(&store, 0, 3 * DAY_S, Some(hour)).await, before);
    assert!(range(&store, 0, DAY_S / 2, None).await.len() == 12);
    let copy = folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    drop(store);
    for path in [path, copy] {
        let store = EmbeddedSeries::open(&path, limits.clone()).await.unwrap();
        assert_eq!(range(&store, 0, 3 * DAY_S, Some(hour)).await, before);
        assert_eq!(store.latest().await.unwrap()[&SeriesId::from("a.stage")].at, at(3 * DAY_S - 20));
    }
}

#[tokio::test]
async fn series_retention_a_silent_series_keeps_its_newest_point() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let _ = store.append(&[seen("a.stage", 0, 1.0), seen("a.stage", 10, 2.0)]).await.unwrap();
    store.seal().await.unwrap();
    store.retain(at(400 * DAY_S), Some(at(400 * DAY_S))).await.unwrap();
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(store.latest().await.unwrap()[&SeriesId::from("a.stage")].value, 2.0);
}

#[tokio::test]
async fn series_retention_a_crash_at_either_step_loses_and_doubles_nothing() {
    for step in [CommitStep::PointsGone, CommitStep::PointsCoarse] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("series.db");
        let limits = SeriesLimits { chunk_points: 256, ..SeriesLimits::default() };
        let store = EmbeddedSeries::open(&path, limits.clone()).await.unwrap();
        let _ = store.append(&flood()).await.unwrap();
        store.seal().await.unwrap();
        let hour = Step { every_ms: 3_600_000, aggregate: Aggregate::Sum };
        let before = range(&store, 0, 3 * DAY_S, Some(hour)).await;
        store.play_crash_at(step, 2);
        assert!(store.retain(at(2 * DAY_S), None).await.is_err());
        drop(store);
        let store = EmbeddedSeries::open(&path, limits).await.unwrap();
        store.retain(at(2 * DAY_S), None).await.unwrap();
        let after = range(&store, 0, 3 * DAY_S, Some(hour)).await;
        let counts = |samples: &[Sample]| samples.iter().map(|s| (s.usable, s.max.to_bits())).collect::<Vec<_>>();
        assert_eq!(counts(&after), counts(&before), "{step:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever came in whatever order: the largest usable value of any span is still found, and nothing larger than
    /// what lies in the hours that the span touches.
    #[test]
    fn series_retention_the_maximum_of_any_span_survives(
        rows in prop::collection::vec((0i64..4 * DAY_S, -500i64..500, 0u8..6), 1..120),
        late in prop::collection::vec((0i64..2 * DAY_S, -500i64..500), 0..20),
        spans in prop::collection::vec((0i64..4 * DAY_S, 1i64..DAY_S), 1..8),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = EmbeddedSeries::open(&folder.path().join("series.db"), tiny()).await.unwrap();
            let mut known: std::collections::BTreeMap<i64, (f64, bool)> = Default::default();
            // A moment that was given twice is not asked for here: which of the two stays depends on when it became a minute.
            let mut keep = |second: i64, value: i64, usable: bool| {
                let (value, usable) = *known.entry(second).or_insert((value as f64, usable));
                let bad = Quality { grade: Grade::Bad, causes: Causes::SPIKE };
                Observation { quality: if usable { Quality::GOOD } else { bad }, ..seen("a.stage", second, value) }
            };
            let first: Vec<_> = rows.iter().map(|(at, v, kind)| keep(*at, *v, *kind > 0)).collect();
            let late: Vec<_> = late.iter().map(|(at, v)| keep(*at, *v, true)).collect();
            let _ = store.append(&first).await.unwrap();
            store.seal().await.unwrap();
            store.retain(at(3 * DAY_S), Some(at(DAY_S))).await.unwrap();
            if !late.is_empty() {
                let _ = store.append(&late).await.unwrap();
                store.seal().await.unwrap();
                store.retain(at(3 * DAY_S), Some(at(DAY_S))).await.unwrap();
            }
            for (from, length) in spans {
                let to = from + length;
                let max = |from: i64, to: i64| known.range(from..to).filter(|(_, (_, ok))| *ok).map(|(_, (v, _))| *v).fold(f64::NAN, f64::max);
                let found = range(&store, from, to, None).await.iter().map(|s| s.max).fold(f64::NAN, f64::max);
                let (exact, wide) = (max(from, to), max(from.div_euclid(3600) * 3600, (to + 3599).div_euclid(3600) * 3600));
                prop_assert!(exact.is_nan() || found >= exact, "{from}..{to}: {found} is below {exact}");
                prop_assert!(found.is_nan() || found <= wide, "{from}..{to}: {found} is above {wide}");
            }
            Ok(())
        })?;
    }
}

//! What callers rely on, one small story each.

use super::*;

#[tokio::test]
async fn series_store_keeps_what_it_acknowledged_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let durable = store.append(&[seen("a.stage", 0, 93.82), seen("b.stage", 1, 1.0)]).await.unwrap();
    assert_eq!((durable.points, durable.entry), (2, 1));
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(values(&store, "a.stage").await, [(0, 93.82)]);
    assert_eq!(store.append(&[seen("a.stage", 2, 93.83)]).await.unwrap().entry, 2);
    assert_eq!(values(&store, "a.stage").await, [(0, 93.82), (2, 93.83)]);
}

#[tokio::test]
async fn series_store_a_person_beats_a_device_whenever_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let _ = store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    let _ = store.correct(&[corrected("a.stage", 0, 2.0)]).await.unwrap();
    store.seal().await.unwrap();
    let _ = store.append(&[seen("a.stage", 0, 3.0)]).await.unwrap();
    let samples = all(&store, "a.stage").await;
    assert_eq!(samples.len(), 1);
    assert_eq!((samples[0].value, samples[0].by_hand, samples[0].quality.grade), (2.0, true, Grade::Manual));
    assert_eq!(store.latest().await.unwrap()[&SeriesId::from("a.stage")].value, 2.0);
    let _ = store.correct(&[corrected("a.stage", 0, 4.0)]).await.unwrap();
    assert_eq!(values(&store, "a.stage").await, [(0, 4.0)]);
}

#[tokio::test]
async fn series_store_keeps_a_missing_value_as_bad_and_out_of_the_mean() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let _ = store
        .append(&[seen("a.stage", 0, 1.0), seen("a.stage", 10, f64::NAN), seen("a.stage", 20, 3.0)])
        .await
        .unwrap();
    store.seal().await.unwrap();
    let raw = all(&store, "a.stage").await;
    assert!(raw[1].value.is_nan() && raw[1].quality.grade == Grade::Bad && raw[1].quality.causes.has(Causes::MISSING));
    let step = Step { every_ms: 60_000, aggregate: Aggregate::Mean };
    let minutes = store.range(&"a.stage".into(), at(0), at(60), Some(step)).await.unwrap();
    assert_eq!((minutes[0].value, minutes[0].usable, minutes[0].unusable), (2.0, 2, 1));
}

#[tokio::test]
async fn series_store_span_starts_inclusive_and_ends_exclusive() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedSeries::open(&folder.path().join("series.db"), tiny()).await.unwrap();
    let points: Vec<_> = (0..40).map(|i| seen("a.stage", i, i as f64)).collect();
    let _ = store.append(&points).await.unwrap();
    let ask = async |from, to| store.range(&"a.stage".into(), at(from), at(to), None).await.unwrap().len();
    for _ in 0..2 {
        assert_eq!((ask(3, 9).await, ask(3, 3).await, ask(9, 3).await, ask(-5, 100).await), (6, 0, 0, 40));
        store.seal().await.unwrap();
    }
    assert_eq!(store.range(&"nobody.stage".into(), at(0), at(9), None).await.unwrap(), []);
}

#[tokio::test]
async fn series_store_columns_and_observations_are_the_same_points() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let columns = SeriesBatch {
        series: "a.stage".into(),
        at_ms: vec![START, START + 1000],
        values: vec![1.0, f64::NAN],
        quality: vec![Quality::GOOD; 2],
    };
    let durable = store.append_columns(&[columns]).await.unwrap();
    let _ = store.append(&[seen("b.stage", 0, 1.0), seen("b.stage", 1, f64::NAN)]).await.unwrap();
    assert_eq!(durable.points, 2);
    let (a, b) = (all(&store, "a.stage").await, all(&store, "b.stage").await);
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

#[tokio::test]
async fn series_store_many_appends_at_once_share_commits_and_all_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(folder.path()).await);
    let appends: Vec<_> = (0..200)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move { store.append(&[seen("a.stage", i, i as f64)]).await.unwrap().entry })
        })
        .collect();
    let mut entries = std::collections::BTreeSet::new();
    for append in appends {
        entries.insert(append.await.unwrap());
    }
    assert!(entries.len() < 200, "{} commits for 200 appends", entries.len());
    assert_eq!(all(&store, "a.stage").await.len(), 200);
}

#[tokio::test]
async fn series_store_an_append_nobody_waits_for_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    for i in 0..50 {
        let points = [seen("a.stage", i, 1.0)];
        let append = store.append(&points);
        let _ = tokio::time::timeout(std::time::Duration::from_micros(i as u64 * 20), append).await;
    }
    let _ = store.append(&[seen("a.stage", 100, 1.0)]).await.unwrap();
    let kept = values(&store, "a.stage").await;
    drop(store);
    assert_eq!(values(&open(folder.path()).await, "a.stage").await, kept);
    assert_eq!(kept.last(), Some(&(100, 1.0)));
}

#[tokio::test]
async fn series_store_journal_and_file_stay_small_under_steady_load() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.db");
    let limits = SeriesLimits { journal_bytes: 60_000, chunk_points: 512, ..SeriesLimits::default() };
    let store = EmbeddedSeries::open(&path, limits).await.unwrap();
    let ids: Vec<SeriesId> = (0..100).map(|i| SeriesId::new(format!("s{i}.stage"))).collect();
    for second in 0..2000i64 {
        let value = 90.0 + ((second / 60) % 50) as f64 / 100.0;
        let batch: Vec<_> =
            ids.iter().map(|id| Observation { series: id.clone(), ..seen("", second, value) }).collect();
        let _ = store.append(&batch).await.unwrap();
        let stats = store.journal_bytes();
        assert!(stats < 200_000, "journal grew to {stats} bytes at {second}");
    }
    store.seal().await.unwrap();
    store.tidy().await.unwrap();
    store.seal().await.unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.points, stats.unsealed_points, stats.journal_bytes), (200_000, 0, 0));
    let bytes_per_point = stats.file_bytes as f64 / stats.points as f64;
    assert!(bytes_per_point < 1.5, "{bytes_per_point} bytes a point, {stats:?}");
}

#[tokio::test]
async fn series_store_backup_of_a_running_store_opens_like_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let _ = store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    store.seal().await.unwrap();
    let _ = store.append(&[seen("a.stage", 1, 2.0)]).await.unwrap();
    let copy = folder.path().join("copy").join("series.db");
    std::fs::create_dir(copy.parent().unwrap()).unwrap();
    store.backup(&copy).await.unwrap();
    let _ = store.append(&[seen("a.stage", 2, 3.0)]).await.unwrap();
    let copied = EmbeddedSeries::open(&copy, SeriesLimits::default()).await.unwrap();
    assert_eq!(values(&copied, "a.stage").await, [(0, 1.0), (1, 2.0)]);
    let fault = store.backup(&copy).await.unwrap_err();
    assert!(fault.to_string().contains("already exists"), "{fault}");
}

#[tokio::test]
async fn series_store_lists_series_in_order_with_points_and_newest() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let _ = store.append(&[seen("b.stage", 5, 1.0), seen("a.stage", 7, 1.0), seen("b.stage", 2, 1.0)]).await.unwrap();
    let facts = store.list().await.unwrap();
    let facts: Vec<_> = facts.iter().map(|f| (f.series.as_str(), f.points, f.newest)).collect();
    assert_eq!(facts, [("a.stage", 1, Some(at(7))), ("b.stage", 2, Some(at(5)))]);
}

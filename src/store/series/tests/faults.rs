//! Every fault says what happened and what to do, and leaves the rest of the store usable.

use super::*;
use crate::store::tiny_disk::TinyDisk;
use sqlx::Connection;

async fn fault(path: &Path) -> String {
    EmbeddedSeries::open(path, SeriesLimits::default()).await.unwrap_err().to_string()
}

pub(super) async fn sql(path: &Path, text: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut conn = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(text).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

#[tokio::test]
async fn series_fault_a_second_anlan_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let text = fault(store.path()).await;
    assert!(text.contains("series.db is already in use by another anlan"), "{text}");
    drop(store);
    open(folder.path()).await;
}

#[tokio::test]
async fn series_fault_a_newer_layout_is_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = open(folder.path()).await.path().to_path_buf();
    sql(&path, "PRAGMA user_version=7").await;
    let text = fault(&path).await;
    assert!(text.contains("has layout 7, this anlan knows up to 2; install the newer anlan"), "{text}");
}

#[tokio::test]
async fn series_fault_other_files_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.db");
    std::fs::write(&path, "a letter, not a database, and longer than a header of one hundred bytes ".repeat(9))
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(fault(&path).await.contains("is not a series store"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let foreign = folder.path().join("foreign.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
    let mut conn = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("CREATE TABLE guests (name TEXT)").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    assert!(fault(&foreign).await.contains("is not a series store"));
}

#[tokio::test]
async fn series_fault_a_folder_that_cannot_be_made_names_the_file_and_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain");
    std::fs::write(&file, "").unwrap();
    let text = fault(&file.join("data").join("series.db")).await;
    assert!(text.contains("plain/data/series.db; give the user that runs anlan write access"), "{text}");
}

#[tokio::test]
async fn series_fault_a_damaged_chunk_names_series_and_span_and_hurts_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.db");
    let store = EmbeddedSeries::open(&path, tiny()).await.unwrap();
    let points: Vec<_> = (0..32).flat_map(|i| [seen("a.stage", i, 1.5), seen("b.stage", i, 2.5)]).collect();
    let _ = store.append(&points).await.unwrap();
    store.seal().await.unwrap();
    drop(store);
    sql(&path, "UPDATE chunk SET body = zeroblob(length(body)) WHERE series = 0 AND t0 = (SELECT min(t0) FROM chunk)")
        .await;
    let store = EmbeddedSeries::open(&path, tiny()).await.unwrap();
    assert_eq!(values(&store, "a.stage").await.len(), 24, "one bad hour hides no week");
    let damage = store.damage(Some(&"a.stage".into()), at(0), at(99));
    let text = SeriesError::from(damage[0].clone()).to_string();
    assert!(text.contains("a.stage from 2026-07-15 00:00:00 UTC to 2026-07-15 00:00:07 UTC are damaged"), "{text}");
    assert_eq!((damage.len(), *store.damage_known().borrow()), (1, 1), "known once, however often it is met");
    assert!(
        store.damage(Some(&"a.stage".into()), at(8), at(99)).is_empty()
            && store.damage(Some(&"b.stage".into()), at(0), at(99)).is_empty()
    );
    assert_eq!(values(&store, "b.stage").await.len(), 32);
    assert_eq!(store.range(&"a.stage".into(), at(8), at(99), None).await.unwrap().len(), 24);
    assert!(store.tidy().await.is_ok());
    // What comes late for the span is kept beside it, in the journal, in a chunk of its own, and after a restart.
    let _ = store.append(&[seen("a.stage", 3, 7.5)]).await.unwrap();
    assert_eq!(values(&store, "a.stage").await[0], (3, 7.5));
    store.seal().await.unwrap();
    assert!(store.tidy().await.is_ok());
    assert!(store.retain(at(400_000), None).await.is_ok(), "other chunks and series do not wait for it");
    drop(store);
    let store = EmbeddedSeries::open(&path, tiny()).await.unwrap();
    assert_eq!(store.look_for_damage().await.unwrap(), 1, "found before anybody reads");
    assert_eq!(values(&store, "a.stage").await[0], (3, 7.5));
    let copy = folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    assert_eq!(EmbeddedSeries::damaged_in(&copy).await.unwrap(), damage, "a copy is as damaged");
    let _ = store.append(&[seen("a.stage", 40, 1.0)]).await.unwrap();
    assert_eq!(store.latest().await.unwrap()[&SeriesId::from("a.stage")].at, at(40));
}

#[tokio::test]
async fn series_fault_a_damaged_journal_entry_is_set_aside_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    for i in 0..3 {
        let _ = store.append(&[seen("a.stage", i, i as f64)]).await.unwrap();
    }
    let path = store.path().to_path_buf();
    drop(store);
    sql(&path, "UPDATE journal SET body = x'0102030405' WHERE entry = 2").await;
    for _ in 0..2 {
        let store = open(folder.path()).await;
        assert_eq!(values(&store, "a.stage").await, [(0, 0.0), (2, 2.0)]);
        assert_eq!(store.stats().await.unwrap().damaged_entries, 1);
    }
}

#[tokio::test]
async fn series_fault_a_full_disk_refuses_whole_batches_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.db");
    let limits = SeriesLimits { file_bytes_max: Some(400_000), ..SeriesLimits::default() };
    let store = EmbeddedSeries::open(&path, limits.clone()).await.unwrap();
    // Random values: nothing compresses them away.
    let batch = |k: i64| -> Vec<Observation> {
        (0..500).map(|i| seen("a.stage", k * 500 + i, (((k * 500 + i) * 7919) as f64).sin())).collect()
    };
    let mut kept = 0;
    let refusal = loop {
        match store.append(&batch(kept)).await {
            Ok(_) => kept += 1,
            Err(refusal) => break refusal,
        }
    };
    let text = refusal.to_string();
    assert!(matches!(refusal, SeriesError::DiskFull { points: 500, .. }), "{text}");
    assert!(text.contains("no space left") && text.contains("500 points were not stored"), "{text}");
    assert!(refusal.may_pass());
    assert!(kept > 10, "{kept}");
    assert_eq!(all(&store, "a.stage").await.len() as i64, kept * 500);
    drop(store);
    let store = EmbeddedSeries::open(&path, SeriesLimits { file_bytes_max: None, ..limits }).await.unwrap();
    assert_eq!(all(&store, "a.stage").await.len() as i64, kept * 500);
    let _ = store.append(&batch(kept)).await.unwrap();
    assert_eq!(all(&store, "a.stage").await.len() as i64, (kept + 1) * 500);
}

#[tokio::test]
async fn series_fault_limits_name_themselves_and_keep_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SeriesLimits { batch_points_max: 3, series_max: 2, answer_samples_max: 2, ..SeriesLimits::default() };
    let store = EmbeddedSeries::open(&folder.path().join("series.db"), limits).await.unwrap();
    let many: Vec<_> = (0..4).map(|i| seen("a.stage", i, 1.0)).collect();
    let text = store.append(&many).await.unwrap_err().to_string();
    assert!(text.contains("a batch of 4 points is too large, at most 3"), "{text}");
    let invented = [seen("a.stage", 0, 1.0), seen("b.stage", 0, 1.0), seen("c.stage", 0, 1.0)];
    let text = store.append(&invented).await.unwrap_err().to_string();
    assert!(text.contains("series c.stage would be number 3, the store takes 2"), "{text}");
    assert!(store.latest().await.unwrap().is_empty());
    let _ = store.append(&many[..3]).await.unwrap();
    let text = store.range(&"a.stage".into(), at(0), at(9), None).await.unwrap_err().to_string();
    assert!(text.contains("a.stage has more than 2 samples"), "{text}");
    let uneven = SeriesBatch { series: "a.stage".into(), at_ms: vec![1], values: vec![], quality: vec![] };
    let text = store.append_columns(&[uneven]).await.unwrap_err().to_string();
    assert!(text.contains("columns of a.stage differ in length: 1 times, 0 values"), "{text}");
    let step = Step { every_ms: 0, aggregate: Aggregate::Mean };
    let text = store.range(&"a.stage".into(), at(0), at(9), Some(step)).await.unwrap_err().to_string();
    assert!(text.contains("a step of 0 ms is outside"), "{text}");
}

#[tokio::test]
async fn series_fault_a_read_only_folder_names_the_file_and_the_cure() {
    // Nobody may make files there, not even root.
    let text = fault(Path::new("/sys/kernel/series.db")).await;
    assert!(text.contains("/sys/kernel/series.db; give the user that runs anlan write access"), "{text}");
}

#[tokio::test]
async fn series_fault_a_disk_that_is_full_in_earnest_refuses_and_goes_on_by_itself() {
    let Some(disk) = TinyDisk::mount(3) else {
        println!("no right to mount: a full disk is tested with a limit of the file only");
        return;
    };
    let store = open(disk.path()).await;
    let ballast = disk.path().join("ballast");
    let batch = |k: i64| -> Vec<Observation> {
        (0..500).map(|i| seen("a.stage", k * 500 + i, (((k * 500 + i) * 7919) as f64).sin())).collect()
    };
    let mut kept = 0;
    for _ in 0..3 {
        // To the last page; writing stops with an error when nothing more fits.
        let _ = std::fs::write(&ballast, vec![1; 4 << 20]);
        let refusal = loop {
            match store.append(&batch(kept)).await {
                Ok(_) => kept += 1,
                Err(refusal) => break refusal,
            }
        };
        assert!(matches!(refusal, SeriesError::DiskFull { points: 500, .. }), "{refusal:?}");
        assert!(refusal.to_string().contains("free space on that disk, the store goes on by itself"));
        assert_eq!(all(&store, "a.stage").await.len() as i64, kept * 500);
        std::fs::remove_file(&ballast).unwrap();
        let _ = store.append(&batch(kept)).await.unwrap();
        kept += 1;
    }
    drop(store);
    let store = open(disk.path()).await;
    assert_eq!(all(&store, "a.stage").await.len() as i64, kept * 500);
}

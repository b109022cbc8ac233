//! From one kind of store to the other and back: the same points, compared; broken off, begun again, never overwritten.

use super::*;
use crate::store::series::influx::double;

async fn history(store: &EmbeddedSeries) {
    let months: Vec<_> = (0..300).map(|i| seen("a.stage", i * 30_000, 90.0 + i as f64 / 7.0)).collect();
    let _ = store.append(&months).await.unwrap();
    let odd = [seen("a.stage", 5, f64::NAN), seen("b.rain", 0, f64::INFINITY), seen("b.rain", 9, 1.0)];
    let _ = store.append(&odd).await.unwrap();
    let struck = Quality { grade: Grade::Bad, causes: Causes::SPIKE };
    let by_hand = [corrected("a.stage", 30_000, 91.0), Correction { quality: struck, ..corrected("b.rain", 9, 1.0) }];
    let _ = store.correct(&by_hand).await.unwrap();
    store.seal().await.unwrap();
}

async fn carry_all(from: &dyn SeriesStore, to: &dyn SeriesStore, replace: bool) -> Result<Vec<Carried>, MigrateError> {
    let mut all = Vec::new();
    for facts in from.list().await.unwrap() {
        all.push(carry(from, to, &facts, replace).await?);
    }
    Ok(all)
}

fn shown(samples: &[Sample]) -> Vec<String> {
    let one = |s: &Sample| {
        let value = if s.value.is_finite() { s.value } else { f64::NAN };
        format!("{} {value} {:?} {}", s.at, s.quality, s.by_hand)
    };
    samples.iter().map(one).collect()
}

#[tokio::test]
async fn series_migrate_there_and_back_is_the_same() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(here.path()).await;
    history(&store).await;
    let (remote, url) = double::serve().await;
    let influx = InfluxSeries::new(double::settings(&url, here.path())).unwrap();
    let first = carry_all(&store, &influx, false).await.unwrap();
    assert_eq!(first.iter().map(|c| (c.points, c.written)).collect::<Vec<_>>(), [(301, 301), (2, 2)]);
    // Again: nothing is written, the same is compared.
    let again = carry_all(&store, &influx, false).await.unwrap();
    assert_eq!(
        again.iter().map(|c| (c.checksum, c.written)).collect::<Vec<_>>(),
        [(first[0].checksum, 0), (first[1].checksum, 0)]
    );
    // Broken off: what is missing in the target is written, and only that.
    remote.lock().unwrap().kept.retain(|(.., at), _| *at < START + 4_000_000_000);
    let rest = carry_all(&store, &influx, false).await.unwrap();
    assert!(rest[0].written > 0 && rest[0].written < 301 && rest[0].checksum == first[0].checksum, "{rest:?}");
    // And back.
    let back = open(there.path()).await;
    let carried = carry_all(&influx, &back, false).await.unwrap();
    assert_eq!(carried.iter().map(|c| c.checksum).collect::<Vec<_>>(), [first[0].checksum, first[1].checksum]);
    for series in ["a.stage", "b.rain"] {
        assert_eq!(shown(&all(&back, series).await), shown(&all(&store, series).await));
    }
}

#[tokio::test]
async fn series_migrate_overwrites_only_when_told_to_and_leaves_what_is_the_targets_own() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, target) = (open(here.path()).await, open(there.path()).await);
    let _ = source.append(&[seen("a.stage", 0, 1.0), seen("a.stage", 1, 2.0)]).await.unwrap();
    let _ = target.append(&[seen("a.stage", 1, 9.0), seen("a.stage", 2, 3.0)]).await.unwrap();
    let fault = carry_all(&source, &target, false).await.unwrap_err().to_string();
    assert!(fault.contains("the target has 9, the source 2") && fault.contains("--replace"), "{fault}");
    assert_eq!(values(&target, "a.stage").await, [(1, 9.0), (2, 3.0)], "nothing was touched");
    carry_all(&source, &target, true).await.unwrap();
    assert_eq!(values(&target, "a.stage").await, [(0, 1.0), (1, 2.0), (2, 3.0)]);
    // A person's value in the target cannot be overwritten by a device's: that is found when it is read back.
    let _ = target.correct(&[corrected("a.stage", 0, 5.0)]).await.unwrap();
    let fault = carry_all(&source, &target, true).await.unwrap_err().to_string();
    assert!(fault.contains("were read back"), "{fault}");
}

#[tokio::test]
async fn series_migrate_steps_of_old_history_stay_and_are_counted() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, target) =
        (EmbeddedSeries::open(&here.path().join("series.db"), tiny()).await.unwrap(), open(there.path()).await);
    let points: Vec<_> = (0..600).map(|i| seen("a.stage", i * 20, i as f64)).collect();
    let _ = source.append(&points).await.unwrap();
    source.seal().await.unwrap();
    source.retain(at(7_200), None).await.unwrap();
    let carried = carry_all(&source, &target, false).await.unwrap();
    assert!(carried[0].steps_left >= 60 && carried[0].points < 600, "{carried:?}");
}

#[tokio::test]
async fn series_migrate_stops_at_damage_and_names_it() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(here.path()).await;
    history(&store).await;
    let path = store.path().to_path_buf();
    drop(store);
    super::faults::sql(&path, "UPDATE chunk SET body = zeroblob(length(body)) WHERE series = 0").await;
    let (store, target) = (open(here.path()).await, open(there.path()).await);
    let fault = carry_all(&store, &target, false).await.unwrap_err();
    let MigrateError::Store { cause: SeriesError::DamagedChunk { series, .. }, .. } = fault else { panic!("{fault}") };
    assert_eq!(series.as_str(), "a.stage", "a copy with a hole in it is no copy");
}

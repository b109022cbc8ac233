//! What every store promises, asked of each of them in the same words.

use super::*;
use crate::store::series::influx::double;

async fn values_of(store: &dyn SeriesStore, series: &str) -> Vec<(i64, f64)> {
    let samples = store.range(&series.into(), at(-1_000), at(1_000_000), None).await.unwrap();
    samples.iter().map(|s| ((s.at.timestamp_millis() - START) / 1000, s.value)).collect()
}

async fn write(store: &dyn SeriesStore) {
    let durable = store.append(&[seen("a.stage", 0, 93.82), seen("b.stage", 1, 1.0)]).await.unwrap();
    assert_eq!((durable.points, durable.entry), (2, 1));
    assert_eq!(values_of(store, "a.stage").await, [(0, 93.82)]);
    assert_eq!(values_of(store, "nobody.stage").await, []);

    // A person beats a device whenever it comes.
    let _ = store.correct(&[corrected("a.stage", 0, 2.0)]).await.unwrap();
    let _ = store.append(&[seen("a.stage", 0, 3.0)]).await.unwrap();
    assert_eq!(values_of(store, "a.stage").await, [(0, 2.0)]);
    let _ = store.correct(&[corrected("a.stage", 0, 4.0)]).await.unwrap();

    // A missing value is kept as bad; it outlives an earlier value of the same moment.
    let gone = [seen("c.stage", 0, 1.0), seen("c.stage", 20, 3.0), seen("c.stage", 10, f64::NAN)];
    let _ = store.append(&gone).await.unwrap();
    let _ = store.append(&[seen("c.stage", 20, f64::NAN)]).await.unwrap();
    // The same again, late and in another order, is the same.
    let _ = store.append(&[gone[2].clone(), gone[0].clone()]).await.unwrap();

    let columns = |values: Vec<f64>| SeriesBatch {
        series: "d.rain".into(),
        at_ms: vec![START, START + 1000],
        values,
        quality: vec![Quality::GOOD; 2],
    };
    assert_eq!(store.append_columns(&[columns(vec![1.0, f64::INFINITY])]).await.unwrap().points, 2);
    let words = store.append_columns(&[columns(vec![1.0])]).await.unwrap_err().to_string();
    assert!(words.contains("d.rain differ in length"), "{words}");
}

async fn read_back(store: &dyn SeriesStore) {
    assert_eq!(values_of(store, "a.stage").await, [(0, 4.0)]);
    let latest = store.latest().await.unwrap();
    assert_eq!((latest[&SeriesId::from("a.stage")].value, latest[&SeriesId::from("a.stage")].by_hand), (4.0, true));
    let newest = latest[&SeriesId::from("c.stage")];
    assert!(newest.value.is_nan() && newest.quality.grade == Grade::Bad && newest.at == at(20));

    // Start inclusive, end exclusive; an empty span has nothing.
    let ask = async |from, to| store.range(&"c.stage".into(), at(from), at(to), None).await.unwrap().len();
    assert_eq!((ask(0, 20).await, ask(10, 10).await, ask(20, 0).await), (2, 0, 0));

    // What decisions may not rest on enters no aggregate and is counted.
    let step = Step { every_ms: 60_000, aggregate: Aggregate::Mean };
    let minutes = store.range(&"c.stage".into(), at(0), at(60), Some(step)).await.unwrap();
    assert_eq!((minutes[0].value, minutes[0].usable, minutes[0].unusable), (1.0, 1, 2));
    let step = Step { every_ms: 0, aggregate: Aggregate::Mean };
    assert!(store.range(&"c.stage".into(), at(0), at(60), Some(step)).await.is_err());

    let rain = store.range(&"d.rain".into(), at(0), at(9), None).await.unwrap();
    assert!(rain[0].quality == Quality::GOOD && rain[1].quality.causes.has(Causes::RANGE) && rain[1].usable == 0);

    // Who says without looking that nothing is there must be right.
    for (series, second) in [("a.stage", 0), ("c.stage", 20), ("c.stage", 5), ("d.rain", -1)] {
        assert!(!store.ends_before(&series.into(), at(second)), "{series} at {second}");
    }

    let list = store.list().await.unwrap();
    let facts: Vec<_> = list.iter().map(|facts| (facts.series.as_str(), facts.newest)).collect();
    assert_eq!(
        facts,
        [("a.stage", Some(at(0))), ("b.stage", Some(at(1))), ("c.stage", Some(at(20))), ("d.rain", Some(at(1)))]
    );
    assert_eq!(store.stats().await.unwrap().series, 4);
}

#[tokio::test]
async fn series_contract_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    write(&store).await;
    read_back(&store).await;
    drop(store);
    let store = open(folder.path()).await;
    read_back(&store).await;
    let ends = |series: &str, second| store.ends_before(&series.into(), at(second));
    assert!(ends("c.stage", 21) && ends("nobody.stage", 0), "what is newer than everything is not looked for");
}

#[tokio::test]
async fn series_contract_influx() {
    let (_remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let store = InfluxSeries::new(double::settings(&url, folder.path())).unwrap();
    write(&store).await;
    read_back(&store).await;
    read_back(&InfluxSeries::new(double::settings(&url, folder.path())).unwrap()).await;
}

#[tokio::test]
async fn series_contract_relayed_with_the_remote_store_there_or_away() {
    for away in [false, true] {
        let (remote, url) = double::serve().await;
        remote.lock().unwrap().away = away;
        let folder = tempfile::tempdir().unwrap();
        let open = async || relay::open(folder.path(), &url, 1 << 20, at(-2_000)).await;
        let store = open().await;
        write(store.as_ref()).await;
        read_back(store.as_ref()).await;
        drop(store);
        read_back(open().await.as_ref()).await;
    }
}

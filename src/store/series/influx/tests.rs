//! The adapter against a server of a few lines that speaks the write route and the three questions, against golden
//! answers, and (writes) against a real VictoriaMetrics.

use super::*;
use crate::model::{Causes, Grade, Quality};
use crate::store::series::Aggregate;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

const START: i64 = 1_784_073_600_000;

fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp_millis(START + second * 1000).unwrap()
}

fn seen(series: &str, second: i64, value: f64) -> Observation {
    Observation { series: series.into(), at: at(second), received_at: at(second), value, quality: Quality::GOOD }
}

/// Measurement, station, by, ms → field → value.
type Kept = BTreeMap<(String, String, String, i64), BTreeMap<String, String>>;

/// Time, and field → value.
type Point<'a> = (i64, &'a BTreeMap<String, String>);

/// A server that keeps points as InfluxDB does: fields of the same series and moment overwrite each other.
#[derive(Default)]
struct Remote {
    kept: Kept,
    requests: Vec<usize>,
    /// Answers that are given first, before it works.
    moods: VecDeque<(u16, &'static str)>,
    /// Most lines of one request.
    lines_max: Option<usize>,
}

type Shared = Arc<Mutex<Remote>>;

async fn take(
    State(remote): State<Shared>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(
        (asked["org"].as_str(), asked["bucket"].as_str(), asked["precision"].as_str()),
        ("bureau", "levee", "ms")
    );
    if headers["authorization"] != "Token secret" {
        return (StatusCode::UNAUTHORIZED, "unauthorized access").into_response();
    }
    let mut remote = remote.lock().unwrap();
    remote.requests.push(body.lines().count());
    if let Some((status, retry)) = remote.moods.pop_front() {
        return (StatusCode::from_u16(status).unwrap(), [("retry-after", retry)], "as you like it").into_response();
    }
    if remote.lines_max.is_some_and(|most| body.lines().count() > most) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    // As InfluxDB 2: a line that cannot be parsed refuses the whole batch.
    if let Some(bad) = body.lines().find(|line| line.starts_with("poison")) {
        return (StatusCode::BAD_REQUEST, format!("unable to parse '{bad}'")).into_response();
    }
    for line in body.lines() {
        let [key, fields, at] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let [measurement, by, station] = key.split(',').collect::<Vec<_>>().try_into().unwrap();
        let of = |tag: &str| tag.split_once('=').unwrap().1.to_owned();
        let point = remote.kept.entry((measurement.into(), of(station), of(by), at.parse().unwrap())).or_default();
        for field in fields.split(',') {
            let (name, value) = field.split_once('=').unwrap();
            point.insert(name.into(), value.trim_end_matches('i').into());
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

/// Understands the three questions by their words and nothing else.
async fn ask(State(remote): State<Shared>, Json(question): Json<serde_json::Value>) -> String {
    let flux = question["query"].as_str().unwrap();
    let remote = remote.lock().unwrap();
    let word = |after: &str| flux.split_once(after).map(|(_, rest)| rest.split([',', ')', ' ']).next().unwrap());
    let ms = |text: &str| text.parse::<Timestamp>().map_or(i64::MIN, |at| at.timestamp_millis());
    let wanted = |measurement: &str, station: &str| {
        let is = |key: &str, value: &str| word(key).is_none_or(|text| text.trim_matches('"') == value);
        is("r._measurement == ", measurement) && is("r.station == ", station)
    };
    let (from, to) = (word("start: ").map_or(i64::MIN, ms), word("stop: ").map_or(i64::MAX, ms));
    let mut tables: BTreeMap<(String, String, String), Vec<Point<'_>>> = BTreeMap::new();
    for ((measurement, station, by, at), fields) in &remote.kept {
        if wanted(measurement, station) && (from..to).contains(at) {
            tables.entry((measurement.clone(), station.clone(), by.clone())).or_default().push((*at, fields));
        }
    }
    let mut out = String::new();
    for (number, ((measurement, station, by), points)) in tables.iter().enumerate() {
        let tags = format!(",,{number},{measurement},{station},{by}");
        if flux.ends_with("count()") {
            let _ = write!(
                out,
                "#datatype,string,long,string,string,string,long\r\n#group,false,false,true,true,true,false\r\n#default,_result,,,,,\r\n,result,table,_measurement,station,by,_value\r\n{tags},{}\r\n\r\n",
                points.len()
            );
            continue;
        }
        let cell = |fields: &BTreeMap<String, String>, name: &str| fields.get(name).cloned().unwrap_or_default();
        let _ = write!(
            out,
            "#datatype,string,long,string,string,string,dateTime:RFC3339,long,double\r\n#group,false,false,true,true,true,false,false,false\r\n#default,_result,,,,,,,\r\n,result,table,_measurement,station,by,_time,quality,value\r\n"
        );
        let last = if flux.contains("last()") { points.len() - 1 } else { 0 };
        for (at, fields) in points.iter().skip(last) {
            let time = chrono::DateTime::from_timestamp_millis(*at).unwrap().to_rfc3339();
            let _ = write!(out, "{tags},{time},{},{}\r\n", cell(fields, "quality"), cell(fields, "value"));
        }
        out.push_str("\r\n");
    }
    out
}

struct Site {
    remote: Shared,
    store: InfluxSeries,
    folder: tempfile::TempDir,
}

async fn site() -> Site {
    let remote = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/influx", listener.local_addr().unwrap());
    let routes = Router::new().route("/influx/api/v2/write", post(take)).route("/influx/api/v2/query", post(ask));
    let routes = routes.with_state(Arc::clone(&remote));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let folder = tempfile::tempdir().unwrap();
    let store = InfluxSeries::new(settings(&url, folder.path())).unwrap();
    Site { remote, store, folder }
}

fn settings(url: &str, folder: &std::path::Path) -> InfluxSettings {
    InfluxSettings {
        url: url.into(),
        org: "bureau".into(),
        bucket: "levee".into(),
        token: "secret".into(),
        timeout: Duration::from_secs(5),
        lines_a_request: 1_000,
        patience: Duration::from_millis(1_500),
        refused_file: folder.join("refused.lp"),
    }
}

async fn values(store: &InfluxSeries, series: &str) -> Vec<(i64, f64)> {
    let samples = store.range(&series.into(), at(-1_000), at(1_000_000), None).await.unwrap();
    samples.iter().map(|s| ((s.at.timestamp_millis() - START) / 1000, s.value)).collect()
}

#[tokio::test]
async fn influx_keeps_the_promises_of_the_embedded_store() {
    let site = site().await;
    let store = &site.store;
    let durable = store.append(&[seen("a.stage", 0, 93.82), seen("b.stage", 1, 1.0)]).await.unwrap();
    assert_eq!((durable.points, durable.entry), (2, 1));
    assert_eq!(values(store, "a.stage").await, [(0, 93.82)]);
    assert_eq!(values(store, "nobody.stage").await, []);

    // A person beats a device whenever it comes.
    let by_hand = |value| Correction {
        series: "a.stage".into(),
        at: at(0),
        value,
        quality: Quality { grade: Grade::Manual, causes: Causes::NONE },
    };
    let _ = store.correct(&[by_hand(2.0)]).await.unwrap();
    let _ = store.append(&[seen("a.stage", 0, 3.0)]).await.unwrap();
    assert_eq!(values(store, "a.stage").await, [(0, 2.0)]);
    let latest = store.latest().await.unwrap();
    assert_eq!((latest[&SeriesId::from("a.stage")].value, latest[&SeriesId::from("a.stage")].by_hand), (2.0, true));
    let _ = store.correct(&[by_hand(4.0)]).await.unwrap();
    assert_eq!(values(store, "a.stage").await, [(0, 4.0)]);

    // A missing value is kept as bad, out of the mean; it outlives an earlier value of the same moment.
    let _ = store
        .append(&[seen("c.stage", 0, 1.0), seen("c.stage", 10, f64::NAN), seen("c.stage", 20, 3.0)])
        .await
        .unwrap();
    let step = Step { every_ms: 60_000, aggregate: Aggregate::Mean };
    let minutes = store.range(&"c.stage".into(), at(0), at(60), Some(step)).await.unwrap();
    assert_eq!((minutes[0].value, minutes[0].usable, minutes[0].unusable), (2.0, 2, 1));
    let _ = store.append(&[seen("c.stage", 20, f64::NAN)]).await.unwrap();
    let newest = store.latest().await.unwrap()[&SeriesId::from("c.stage")];
    assert!(newest.value.is_nan() && newest.quality.grade == Grade::Bad && newest.at == at(20));

    // Start inclusive, end exclusive; an empty span asks nobody.
    let ask = async |from, to| store.range(&"c.stage".into(), at(from), at(to), None).await.unwrap().len();
    assert_eq!((ask(0, 20).await, ask(10, 10).await, ask(20, 0).await), (2, 0, 0));

    let list = store.list().await.unwrap();
    let facts: Vec<_> = list.iter().map(|facts| (facts.series.as_str(), facts.points, facts.newest)).collect();
    assert_eq!(facts, [("a.stage", 2, Some(at(0))), ("b.stage", 1, Some(at(1))), ("c.stage", 3, Some(at(20)))]);
    assert_eq!(store.stats().await.unwrap().points, 6);
}

#[tokio::test]
async fn influx_uneven_columns_and_odd_ids_are_refused_before_they_leave() {
    let site = site().await;
    let batch =
        SeriesBatch { series: "a.stage".into(), at_ms: vec![START], values: vec![], quality: vec![Quality::GOOD] };
    let words = site.store.append_columns(&[batch]).await.unwrap_err().to_string();
    assert!(words.contains("a.stage differ in length"), "{words}");
    for odd in ["stage", "a b.stage", "a,by=person.stage", "a\n.stage", ".stage", "a\\.stage"] {
        let words = site.store.append(&[seen(odd, 0, 1.0)]).await.unwrap_err().to_string();
        assert!(words.contains("cannot be a series id"), "{odd}: {words}");
    }
    assert!(site.remote.lock().unwrap().requests.is_empty());
}

#[tokio::test]
async fn influx_a_refused_line_is_found_set_aside_and_hurts_no_other() {
    let site = site().await;
    let mut batch: Vec<_> = (0..100).map(|i| seen("a.stage", i, i as f64)).collect();
    batch[37].series = "a.poison".into();
    let durable = site.store.append(&batch).await.unwrap();
    assert_eq!(durable.points, 100);
    assert_eq!(values(&site.store, "a.stage").await.len(), 99);
    assert_eq!(site.store.refused_lines(), 1);
    let kept = std::fs::read_to_string(site.folder.path().join("refused.lp")).unwrap();
    assert!(kept.starts_with("# unable to parse") && kept.contains("\npoison,by=device,station=a "), "{kept}");
    assert!(site.remote.lock().unwrap().requests.len() < 20, "found by halves");
}

#[tokio::test]
async fn influx_a_batch_that_is_too_large_goes_in_halves() {
    let site = site().await;
    site.remote.lock().unwrap().lines_max = Some(30);
    let batch: Vec<_> = (0..100).map(|i| seen("a.stage", i, i as f64)).collect();
    let _ = site.store.append(&batch).await.unwrap();
    assert_eq!(values(&site.store, "a.stage").await.len(), 100);
    assert_eq!(site.store.refused_lines(), 0);
}

#[tokio::test]
async fn influx_a_busy_server_is_given_the_time_it_asks_for() {
    let site = site().await;
    site.remote.lock().unwrap().moods.extend([(429, "1"), (500, "")]);
    let began = std::time::Instant::now();
    let _ = site.store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(site.remote.lock().unwrap().requests.len(), 3);

    site.remote.lock().unwrap().moods.push_back((503, "3600"));
    let fault = site.store.append(&[seen("a.stage", 1, 1.0)]).await.unwrap_err();
    assert!(fault.may_pass() && fault.to_string().contains("503"), "{fault}");
    assert_eq!(values(&site.store, "a.stage").await, [(0, 1.0)]);
}

#[tokio::test]
async fn influx_a_closed_door_stops_at_once_and_names_the_cure() {
    let site = site().await;
    for status in [401, 403, 404] {
        site.remote.lock().unwrap().moods.push_back((status, ""));
        let fault = site.store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap_err();
        assert!(!fault.may_pass(), "{fault}");
        assert!(fault.to_string().contains("check token, organisation and bucket"), "{fault}");
    }
    assert_eq!(site.remote.lock().unwrap().requests.len(), 3);
    let shown = format!("{:?} {:?}", site.store, settings("http://127.0.0.1:9", site.folder.path()));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn influx_an_absent_server_gives_the_batch_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = InfluxSeries::new(settings("http://127.0.0.1:9", folder.path())).unwrap();
    let fault = store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap_err();
    assert!(fault.may_pass() && fault.to_string().contains("kept here and sent again"), "{fault}");
    assert!(store.latest().await.is_err());
    assert!(InfluxSeries::new(settings("no address", folder.path())).is_err());
}

#[test]
fn influx_csv_several_tables_nulls_defaults_and_line_ends() {
    let text = "#datatype,string,long,dateTime:RFC3339,long,double\r\n#group,false,false,false,false,false\r\n#default,_result,,,0,\r\n,result,table,_time,quality,value\r\n,,0,2026-07-15T00:00:00Z,,93.82\r\n,,0,2026-07-15T00:01:00.5Z,1025,\r\n\r\n#datatype,string,long,string\r\n#group,false,false,true\r\n#default,,,\r\n,result,table,note\r\n,,1,\"two\r\nlines, one cell\"\r\n,,1,next\r\n\r\n";
    let rows = csv::read(text).unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!((rows[0].at_ms().unwrap(), rows[0].code().unwrap(), rows[0].value(0).unwrap()), (START, 0, 93.82));
    assert_eq!((rows[1].at_ms().unwrap(), rows[1].code().unwrap()), (START + 60_500, 1025));
    assert!(rows[1].get("value").is_none() && rows[1].value(1025).unwrap().is_nan());
    assert_eq!(rows[2].get("note"), Some("two\r\nlines, one cell"));
    assert_eq!((rows[3].get("note"), rows[3].get("quality")), (Some("next"), None));
    assert_eq!(csv::read("").unwrap(), []);
    assert_eq!(csv::read("\r\n").unwrap(), []);
}

#[test]
fn influx_csv_faults_have_words() {
    let head = "#datatype,string,long,dateTime:RFC3339,long,double\r\n#group,f,f,f,f,f\r\n#default,_result,,,,\r\n,result,table,_time,quality,value\r\n";
    let words = |text: String| csv::read(&text).unwrap_err().to_string();
    let good = ",,0,2026-07-15T00:00:00Z,0,1\r\n";
    // The server breaks down after good rows: inside HTTP 200.
    let late = format!(
        "{head}{good}\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,engine: context canceled,897\r\n"
    );
    assert!(words(late).contains("context canceled"));
    assert!(words(format!("{head}{good},,0,2026-07")).contains("cut off"));
    assert!(words(format!("{head},,0\r\n")).contains("3 cells, its table 6"));
    let row = |cells: &str| csv::read(&format!("{head},,0,{cells}\r\n")).unwrap().remove(0);
    assert!(row("yesterday,0,1").at_ms().unwrap_err().to_string().contains("yesterday"));
    assert!(row("2026-07-15T00:00:00Z,x,1").code().unwrap_err().to_string().contains("quality code"));
    assert!(row("2026-07-15T00:00:00Z,0,x").value(0).unwrap_err().to_string().contains("no value"));
}

proptest::proptest! {
    #[test]
    fn influx_csv_any_text_gives_rows_or_words(text in "[#,a-z0-9\"\r\n]{0,200}") {
        if let Ok(rows) = csv::read(&text) {
            proptest::prop_assert!(rows.len() <= text.lines().count());
        }
    }
}

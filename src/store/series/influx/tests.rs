//! The adapter against a server of a few lines that speaks the write route and the three questions, against golden
//! answers, and (writes) against a real VictoriaMetrics.

use super::*;
use crate::model::{Causes, Grade, Quality};
use double::{Remote, Shape, Shared, settings};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const START: i64 = 1_784_073_600_000;

fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp_millis(START + second * 1000).unwrap()
}

fn seen(series: &str, second: i64, value: f64) -> Observation {
    Observation { series: series.into(), at: at(second), received_at: at(second), value, quality: Quality::GOOD }
}

struct Site {
    remote: Shared,
    store: InfluxSeries,
    folder: tempfile::TempDir,
}

async fn site() -> Site {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let store = InfluxSeries::new(settings(&url, folder.path())).unwrap();
    Site { remote, store, folder }
}

fn by_hand(series: &str, second: i64, value: f64) -> Correction {
    let quality = Quality { grade: Grade::Manual, causes: Causes::NONE };
    Correction { series: series.into(), at: at(second), value, quality }
}

async fn values(store: &InfluxSeries, series: &str) -> Vec<(i64, f64)> {
    let samples = store.range(&series.into(), at(-1_000), at(1_000_000), None).await.unwrap();
    samples.iter().map(|s| ((s.at.timestamp_millis() - START) / 1000, s.value)).collect()
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
    assert!(shown.contains("token_file"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn influx_an_absent_server_gives_the_batch_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = InfluxSeries::new(settings("http://127.0.0.1:9", folder.path())).unwrap();
    let fault = store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap_err();
    assert!(fault.may_pass() && fault.to_string().contains("kept here and sent again"), "{fault}");
    assert!(store.latest().await.is_err());
    for url in
        ["no address", "http://u:geheim77@127.0.0.1:9", "http://127.0.0.1:9/?token=geheim77", "http://u:geheim77@a b"]
    {
        let words = InfluxSeries::new(settings(url, folder.path())).unwrap_err().to_string();
        assert!(!words.contains("geheim77"), "{words}");
    }
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
            proptest::prop_assert!(rows.len() <= text.split(['\n', '\r']).count());
        }
    }
}

#[tokio::test]
async fn influx_lines_beyond_retention_are_set_aside_and_the_rest_is_kept() {
    let site = site().await;
    let mut batch: Vec<_> = (0..100).map(|i| seen("a.stage", i, i as f64)).collect();
    batch[3].series = "a.expired".into();
    batch[90].series = "b.expired".into();
    let _ = site.store.append(&batch).await.unwrap();
    assert_eq!((values(&site.store, "a.stage").await.len(), site.store.refused_lines()), (98, 2));
    let kept = std::fs::read_to_string(site.folder.path().join("refused.lp")).unwrap();
    assert!(kept.contains("beyond retention") && kept.contains("\nexpired,by=device,station=b "), "{kept}");
}

#[tokio::test]
async fn influx_when_nearly_all_is_refused_the_search_ends_and_nothing_is_dropped() {
    let site = site().await;
    let batch: Vec<_> = (0..1000).map(|i| seen("a.expired", i, i as f64)).collect();
    let _ = site.store.append(&batch).await.unwrap();
    assert_eq!(site.store.refused_lines(), 1000);
    assert!(site.remote.lock().unwrap().requests.len() < 700, "{}", site.remote.lock().unwrap().requests.len());
    let again = InfluxSeries::new(settings(site.store.url(), site.folder.path())).unwrap();
    assert_eq!(again.refused_lines(), 1000, "counted again at the next start");
}

#[tokio::test]
async fn influx_every_shape_of_an_answer_is_read_or_refused_with_words() {
    let site = site().await;
    let _ = site.store.append(&[seen("a.stage", 0, 93.82), seen("a.stage", 1, f64::NAN)]).await.unwrap();
    let _ = site.store.correct(&[by_hand("a.stage", 0, 1.0)]).await.unwrap();
    let ask = async |shape| {
        site.remote.lock().unwrap().shapes.push_back(shape);
        site.store.range(&"a.stage".into(), at(0), at(9), None).await
    };
    assert_eq!(ask(Shape::Gzip).await.unwrap().len(), 2);
    for (shape, word, passes) in [
        (Shape::HalfALine, "cut off", false),
        (Shape::CutOff, "cannot be read now", true),
        (Shape::ErrorAfterRows, "context canceled", false),
        (Shape::Busy, "429", true),
        (Shape::Page, "no annotated CSV", false),
        (Shape::WriteOnly, "unsupported path", true),
        (Shape::Echo, "you sent Token ***", true),
    ] {
        let fault = ask(shape).await.unwrap_err();
        let said = fault.to_string();
        assert!(fault.is_remote() && said.contains("read") && !said.contains("does not take points"), "{said}");
        assert!(!said.contains("secret") && said.len() < 700 && !said.contains('\n'), "{said}");
        assert!(fault.to_string().contains(word) && fault.may_pass() == passes, "{shape:?}: {fault}");
    }
    assert_eq!(ask(Shape::Gzip).await.unwrap().len(), 2);
}

#[tokio::test]
async fn influx_a_slow_answer_ends_with_the_time_it_may_take() {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = InfluxSettings { timeout: std::time::Duration::from_millis(100), ..settings(&url, folder.path()) };
    let store = InfluxSeries::new(settings).unwrap();
    remote.lock().unwrap().shapes.push_back(Shape::Slow);
    let fault = store.latest().await.unwrap_err();
    assert!(fault.may_pass(), "{fault}");
    assert!(store.latest().await.unwrap().is_empty());
}

#[tokio::test]
async fn influx_a_new_token_is_taken_from_its_file() {
    let site = site().await;
    site.remote.lock().unwrap().token = "newer".into();
    assert!(site.store.append(&[seen("a.stage", 0, 1.0)]).await.is_err());
    std::fs::write(site.folder.path().join("token"), "newer\n").unwrap();
    site.store.renew_token().await;
    let _ = site.store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    for wrong in ["", "two words", "two\nlines"] {
        std::fs::write(site.folder.path().join("token"), wrong).unwrap();
        let folder = site.folder.path();
        let settings = InfluxSettings {
            token_file: folder.join("token"),
            ..double::settings(site.store.url(), &folder.join("."))
        };
        std::fs::write(folder.join("token"), wrong).unwrap();
        let words = settings.check().unwrap_err();
        assert!(words.to_string().contains("token for the remote series store"), "{words}");
    }
}

#[test]
fn influx_a_panic_in_foreign_code_costs_its_line_only() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = line::guarded(|| -> Result<(), _> { panic!("as the crate does at a null") });
    std::panic::set_hook(before);
    assert_eq!(outcome, Err("building its line broke down"));
}

/// A listener that speaks TLS with the certificate in `tests/golden/influx`.
struct Tls(tokio::net::TcpListener, tokio_rustls::TlsAcceptor);

impl axum::serve::Listener for Tls {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = std::net::SocketAddr;
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }
    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

#[tokio::test]
async fn influx_https_with_an_authority_of_the_site_and_not_without() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/influx");
    let certificate = CertificateDer::from_pem_file(golden.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(golden.join("server.key")).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/influx", listener.local_addr().unwrap().port());
    let remote = Shared::new(std::sync::Mutex::new(Remote::default()));
    let routes = double::routes(&remote);
    let tls = Tls(listener, tokio_rustls::TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move { axum::serve(tls, routes).await.unwrap() });
    let folder = tempfile::tempdir().unwrap();
    let stranger = InfluxSeries::new(settings(&url, folder.path())).unwrap();
    let fault = stranger.append(&[seen("a.stage", 0, 1.0)]).await.unwrap_err().to_string();
    assert!(fault.to_lowercase().contains("certificate"), "{fault}");
    let known = InfluxSettings { ca_file: Some(golden.join("ca.pem")), ..settings(&url, folder.path()) };
    let store = InfluxSeries::new(known).unwrap();
    let _ = store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    assert_eq!(values(&store, "a.stage").await, [(0, 1.0)]);
    let no_file = InfluxSettings { ca_file: Some(golden.join("server.key")), ..settings(&url, folder.path()) };
    assert!(no_file.check().unwrap_err().to_string().contains("server.key"));
}

/// A real server that takes `/api/v2/write`; ended when dropped.
struct Victoria(Child);

impl Drop for Victoria {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it can show: real HTTP, real line protocol, gzip-free bodies of thousands of lines, values and times as sent. What it
/// cannot: refusals (it answers 204 to broken lines and only logs them), tokens, organisations and buckets (ignored), Flux.
#[tokio::test]
async fn influx_writes_are_understood_by_a_real_victoria_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let server = Command::new("victoria-metrics")
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!("-storageDataPath={}", folder.path().join("vm").display()))
        .args(["-retentionPeriod=100y", "-loggerLevel=ERROR"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("victoria-metrics is a Debian package of tests/needs.txt");
    let _server = Victoria(server);
    // Plain HTTP, but the client is built with TLS and asks for one crypto provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    while !http.get(format!("{url}/health")).send().await.is_ok_and(|reply| reply.status().is_success()) {
        tokio::task::yield_now().await;
    }
    let store = InfluxSeries::new(settings(&url, folder.path())).unwrap();
    let batch: Vec<_> = (0..2_500).map(|i| seen("花园口.stage", i, 93.0 + i as f64 / 1000.0)).collect();
    let _ = store.append(&batch).await.unwrap();
    let _ = store.append(&[seen("花园口.stage", 9_000, f64::NAN)]).await.unwrap();
    let _ = store.correct(&[by_hand("花园口.stage", 0, 2.0)]).await.unwrap();
    let get = async |path: &str| http.get(format!("{url}{path}")).send().await.unwrap().text().await.unwrap();
    get("/internal/force_flush").await;
    let mut values = BTreeMap::new();
    for line in get("/api/v1/export?match%5B%5D=%7Bstation%3D~%22.%2B%22%7D").await.lines() {
        let one: serde_json::Value = serde_json::from_str(line).unwrap();
        let metric = &one["metric"];
        assert_eq!(metric["station"], "花园口");
        let name = format!("{} {}", metric["__name__"].as_str().unwrap(), metric["by"].as_str().unwrap());
        let times: Vec<i64> = one["timestamps"].as_array().unwrap().iter().map(|t| t.as_i64().unwrap()).collect();
        let found: Vec<f64> = one["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        values.insert(name, times.into_iter().zip(found).collect::<Vec<_>>());
    }
    let device = &values["stage_value device"];
    assert_eq!(device.len(), 2_500, "the missing one has no value: {:?}", values.keys());
    // It keeps decimals of its own: the last bits of a value may differ.
    let same = |((at, value), i): (&(i64, f64), i64)| {
        *at == START + i * 1000 && (value - (93.0 + i as f64 / 1000.0)).abs() < 1e-9
    };
    assert!(device.iter().zip(0..).all(same), "{:?}", &device[..9]);
    assert_eq!(values["stage_quality device"].len(), 2_501);
    assert_eq!(values["stage_value person"], [(START, 2.0)]);
}

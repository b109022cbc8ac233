//! A server for the tests that speaks `/api/v2/write` and the three questions of `flux` as InfluxDB 2 does, and can be in
//! every mood that one can be in. It understands those questions by their words and nothing else.

use super::InfluxSettings;
use crate::model::Timestamp;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Measurement, station, by, ms → field → value.
pub(in crate::store::series) type Kept = BTreeMap<(String, String, String, i64), BTreeMap<String, String>>;

/// Time, and field → value.
type Point<'a> = (i64, &'a BTreeMap<String, String>);

/// A server that keeps points as InfluxDB does: fields of the same series and moment overwrite each other.
#[derive(Default)]
pub(in crate::store::series) struct Remote {
    pub(in crate::store::series) kept: Kept,
    /// Lines of each request.
    pub(in crate::store::series) requests: Vec<usize>,
    /// Times of the points, as they came.
    pub(in crate::store::series) arrivals: Vec<i64>,
    /// Answers 503 to everything.
    pub(in crate::store::series) away: bool,
    /// The token it lets in; empty stands for `secret`.
    pub(in crate::store::series) token: String,
    /// Shapes of the next answers to questions.
    pub(in crate::store::series) shapes: VecDeque<Shape>,
    /// Answers that are given first, before it works.
    pub(in crate::store::series) moods: VecDeque<(u16, &'static str)>,
    /// Most lines of one request.
    pub(in crate::store::series) lines_max: Option<usize>,
}

pub(in crate::store::series) type Shared = Arc<Mutex<Remote>>;

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
    let mut remote = remote.lock().unwrap();
    if let Some(refusal) = remote.refusal(&headers) {
        return refusal;
    }
    remote.requests.push(body.lines().count());
    if let Some((status, retry)) = remote.moods.pop_front() {
        return (StatusCode::from_u16(status).unwrap(), [("retry-after", retry)], "as you like it").into_response();
    }
    if remote.lines_max.is_some_and(|most| body.lines().count() > most) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    // As InfluxDB 2: a line that cannot be parsed refuses the whole batch.
    if let Some(bad) = body.lines().find(|line| line.starts_with("poison")) {
        let said = serde_json::json!({ "code": "invalid", "message": format!("unable to parse '{bad}'") });
        return (StatusCode::BAD_REQUEST, Json(said)).into_response();
    }
    // As InfluxDB 2: points of another type or before the bucket's time are left out, the others are kept.
    let partial = body.lines().filter(|line| line.starts_with("expired")).count();
    for line in body.lines().filter(|line| !line.starts_with("expired")) {
        let [key, fields, at] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        remote.arrivals.push(at.parse().unwrap());
        let [measurement, by, station] = key.split(',').collect::<Vec<_>>().try_into().unwrap();
        let of = |tag: &str| tag.split_once('=').unwrap().1.to_owned();
        let point = remote.kept.entry((measurement.into(), of(station), of(by), at.parse().unwrap())).or_default();
        for field in fields.split(',') {
            let (name, value) = field.split_once('=').unwrap();
            point.insert(name.into(), value.trim_end_matches('i').into());
        }
    }
    if partial > 0 {
        let said = format!(
            "failure writing points to database: partial write: points beyond retention policy dropped={partial}"
        );
        let said = serde_json::json!({ "code": "unprocessable entity", "message": said });
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(said)).into_response();
    }
    StatusCode::NO_CONTENT.into_response()
}

/// How an answer to a question looks on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::series) enum Shape {
    /// Compressed, as asked for.
    Gzip,
    /// The connection is closed before the end.
    CutOff,
    /// The text ends in the middle of a line.
    HalfALine,
    /// An error table after the good rows, inside HTTP 200.
    ErrorAfterRows,
    /// Later than the caller waits.
    Slow,
    /// 429, and when to come back.
    Busy,
    /// A page of a proxy, inside HTTP 200.
    Page,
    /// 400: a server that is written to and does not know the question.
    WriteOnly,
    /// 500 that repeats the token it was shown, at length.
    Echo,
}

impl Remote {
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if self.away {
            return Some((StatusCode::SERVICE_UNAVAILABLE, "starting up").into_response());
        }
        let token = if self.token.is_empty() { "secret" } else { &self.token };
        (headers["authorization"] != format!("Token {token}"))
            .then(|| (StatusCode::UNAUTHORIZED, "unauthorized access").into_response())
    }
}

async fn ask(State(remote): State<Shared>, headers: HeaderMap, Json(question): Json<serde_json::Value>) -> Response {
    assert_eq!(headers["accept"], "application/csv");
    let (shape, text) = {
        let mut remote = remote.lock().unwrap();
        if let Some(refusal) = remote.refusal(&headers) {
            return refusal;
        }
        (remote.shapes.pop_front(), tables(&remote, question["query"].as_str().unwrap()))
    };
    match shape {
        None => text.into_response(),
        Some(Shape::Gzip) => {
            assert!(headers["accept-encoding"].to_str().unwrap().contains("gzip"));
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            ([("content-encoding", "gzip")], packed.finish().unwrap()).into_response()
        }
        Some(Shape::CutOff) => {
            let half = text.as_bytes()[..text.len() / 2].to_vec();
            let parts = [Ok(half), Err(std::io::Error::other("gone"))];
            axum::body::Body::from_stream(futures::stream::iter(parts)).into_response()
        }
        Some(Shape::HalfALine) => text.trim_end()[..text.trim_end().len() - 3].to_owned().into_response(),
        Some(Shape::ErrorAfterRows) => {
            let error = "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,engine: context canceled,897\r\n";
            format!("{text}{error}").into_response()
        }
        Some(Shape::Slow) => std::future::pending().await,
        Some(Shape::Page) => "<html>proxy login</html>\n".into_response(),
        Some(Shape::WriteOnly) => (StatusCode::BAD_REQUEST, "unsupported path requested").into_response(),
        Some(Shape::Echo) => {
            let said = format!("you sent {}\n{}", headers["authorization"].to_str().unwrap(), "x".repeat(100_000));
            (StatusCode::INTERNAL_SERVER_ERROR, said).into_response()
        }
        Some(Shape::Busy) => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], "slow down").into_response(),
    }
}

fn tables(remote: &Remote, flux: &str) -> String {
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
        let most = if flux.contains("first()") { 1 } else { usize::MAX };
        for (at, fields) in points.iter().skip(last).take(most) {
            let time = chrono::DateTime::from_timestamp_millis(*at).unwrap().to_rfc3339();
            let _ = write!(out, "{tags},{time},{},{}\r\n", cell(fields, "quality"), cell(fields, "value"));
        }
        out.push_str("\r\n");
    }
    out
}

/// Starts the server on loopback; gives what it keeps and its address, with a path below it.
pub(in crate::store::series) async fn serve() -> (Shared, String) {
    let remote = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/influx", listener.local_addr().unwrap());
    let routes = routes(&remote);
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (remote, url)
}

pub(super) fn routes(remote: &Shared) -> Router {
    let routes = Router::new().route("/influx/api/v2/write", post(take)).route("/influx/api/v2/query", post(ask));
    routes.with_state(Arc::clone(remote))
}

/// Settings for it; the token file is made in `folder`.
pub(in crate::store::series) fn settings(url: &str, folder: &Path) -> InfluxSettings {
    std::fs::write(folder.join("token"), "secret\n").unwrap();
    InfluxSettings {
        url: url.into(),
        org: "bureau".into(),
        bucket: "levee".into(),
        token_file: folder.join("token"),
        ca_file: None,
        timeout: Duration::from_secs(5),
        lines_a_request: 1_000,
        patience: Duration::from_millis(1_500),
        refused_file: folder.join("refused.lp"),
    }
}

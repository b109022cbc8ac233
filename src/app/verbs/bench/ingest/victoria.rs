//! VictoriaMetrics as Debian packages it, one node, line protocol in. It answers before data is on disk.

use super::figures::{Question, Span};
use super::http::Http;
use super::served::{Dialect, Served};
use crate::app::verbs::bench::workload::Workload;
use crate::model::Observation;
use async_trait::async_trait;
use serde_json::Value;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// `victoria-metrics` of Debian.
pub(super) struct Victoria;

#[async_trait(?Send)]
impl Dialect for Victoria {
    fn name(&self) -> &'static str {
        "victoria-metrics"
    }
    fn command(&self, folder: &Path, address: &str, _: bool) -> Result<Command, Box<dyn Error>> {
        let mut command = Command::new("victoria-metrics");
        command
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-storageDataPath={}", folder.display()))
            .args(["-retentionPeriod=100y", "-search.maxPointsPerTimeseries=200000", "-loggerLevel=ERROR"])
            .args(["-search.maxUniqueTimeseries=2000000", "-search.maxQueryDuration=5m"])
            .stderr(Stdio::null());
        Ok(command)
    }
    fn ready(&self) -> &'static str {
        "/health"
    }
    fn write(&self) -> &'static str {
        "/api/v2/write"
    }
    /// One point a line, time in ns.
    fn body(&self, points: &[Observation]) -> String {
        lines(points)
    }
    async fn settle(&self, http: &mut Http) -> Result<(), Box<dyn Error>> {
        http.get("/internal/force_flush").await.map(drop)
    }
    async fn compress(&self, served: &mut Served<'_>) -> Result<(), Box<dyn Error>> {
        served.http.get("/internal/force_merge").await?;
        served.rest().await?;
        self.settle(&mut served.http).await
    }
    fn ask(&self, question: Question, load: &Workload, span: Span) -> Result<String, Box<dyn Error>> {
        let (from, to) = (span.from_ms / 1000, span.to_ms / 1000);
        let one = format!("r_v%7Bs%3D%22{}%22%7D", question.series(load)?);
        let steps = |function: &str, window: &str, step: i64| {
            let start = from + step;
            format!(
                "/api/v1/query_range?query={function}({one}%5B{window}%5D)&start={start}&end={to}&step={step}&nocache=1"
            )
        };
        Ok(match question {
            Question::MinuteMeans => steps("avg_over_time", "1m", 60),
            Question::HourPeaks => steps("max_over_time", "1h", 3600),
            Question::Points => format!("/api/v1/export?match%5B%5D={one}&start={from}&end={to}"),
            Question::Latest => format!("/api/v1/query?query=last_over_time(r_v%5B1h%5D)&time={to}&nocache=1"),
        })
    }
    fn samples(&self, question: Question, answer: &str) -> usize {
        if question == Question::Points {
            let length = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["values"].as_array()?.len());
            return answer.lines().filter_map(length).sum();
        }
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let found = match question {
            Question::Latest => &answer["data"]["result"],
            _ => &answer["data"]["result"][0]["values"],
        };
        found.as_array().map_or(0, Vec::len)
    }
    async fn points(&self, served: &mut Served<'_>, span: Span) -> Result<u64, Box<dyn Error>> {
        let days = (span.to_ms - span.from_ms) / 86_400_000 + 2;
        let to = span.to_ms / 1000;
        let path = format!("/api/v1/query?query=sum(count_over_time(r_v%5B{days}d%5D))&time={to}&nocache=1");
        let answer: Value = serde_json::from_str(&served.http.get(&path).await?)?;
        let count = answer["data"]["result"][0]["value"][1].as_str().unwrap_or("0");
        Ok(count.parse::<f64>()? as u64)
    }
}

/// Line protocol, one point a line, time in ns.
pub(super) fn lines(points: &[Observation]) -> String {
    let mut body = String::with_capacity(points.len() * 56);
    for o in points {
        // Writing into a String cannot fail.
        let _ = writeln!(body, "r,s={} v={} {}", o.series, o.value, o.at.timestamp_millis() * 1_000_000);
    }
    body
}

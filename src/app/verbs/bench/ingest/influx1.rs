//! InfluxDB 1.6 as Debian packages it, line protocol in. It syncs its log before it answers, as by default.

use super::figures::{Question, Span};
use super::http::Http;
use super::served::{Dialect, Served};
use super::victoria::lines;
use crate::app::verbs::bench::workload::Workload;
use crate::model::Observation;
use async_trait::async_trait;
use serde_json::Value;
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

/// `influxdb` of Debian.
pub(super) struct Influx1;

#[async_trait(?Send)]
impl Dialect for Influx1 {
    fn name(&self) -> &'static str {
        "influxdb1"
    }
    /// Everything as by default, but for folders, ports, the log and its patience on a busy machine; to compress, only how soon a quiet shard is.
    fn command(&self, folder: &Path, address: &str, compress: bool) -> Result<Command, Box<dyn Error>> {
        let file = folder.with_extension("conf");
        let at = folder.display();
        let cold = match compress {
            true => "cache-snapshot-write-cold-duration = \"1s\"\ncompact-full-write-cold-duration = \"1s\"\n",
            false => "",
        };
        std::fs::write(
            &file,
            format!(
                "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = \"{at}/meta\"\nlogging-enabled = false\n\
                 [data]\ndir = \"{at}/data\"\nwal-dir = \"{at}/wal\"\nquery-log-enabled = false\nmax-series-per-database = 0\n\
                 max-values-per-tag = 0\n{cold}[coordinator]\nwrite-timeout = \"60s\"\n[http]\nbind-address = \"{address}\"\nlog-enabled = false\n\
                 [monitor]\nstore-enabled = false\n[logging]\nlevel = \"error\"\nsuppress-logo = true\n"
            ),
        )?;
        let mut command = Command::new("influxd");
        command.args(["run", "-config"]).arg(file).stderr(Stdio::null());
        Ok(command)
    }
    fn ready(&self) -> &'static str {
        "/ping"
    }
    async fn prepare(&self, http: &mut Http) -> Result<(), Box<dyn Error>> {
        http.post(&query("CREATE DATABASE b"), &[]).await.map(drop)
    }
    fn write(&self) -> &'static str {
        "/write?db=b"
    }
    fn body(&self, points: &[Observation]) -> String {
        lines(points)
    }
    async fn compress(&self, served: &mut Served<'_>) -> Result<(), Box<dyn Error>> {
        served.stop()?;
        served.start_again(true).await?;
        served.rest().await
    }
    fn ask(&self, question: Question, load: &Workload, span: Span) -> Result<String, Box<dyn Error>> {
        let series = question.series(load)?;
        let of = format!("FROM r WHERE s='{series}' AND time >= {}ms AND time < {}ms", span.from_ms, span.to_ms);
        Ok(query(&match question {
            Question::MinuteMeans => format!("SELECT mean(v) {of} GROUP BY time(1m) fill(none)"),
            Question::HourPeaks => format!("SELECT max(v) {of} GROUP BY time(1h) fill(none)"),
            Question::Points => format!("SELECT v {of}"),
            Question::Latest => format!("SELECT last(v) FROM r WHERE time >= {}ms GROUP BY s", span.to_ms - 3_600_000),
        }))
    }
    fn samples(&self, question: Question, answer: &str) -> usize {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let found = match question {
            Question::Latest => &answer["results"][0]["series"],
            _ => &answer["results"][0]["series"][0]["values"],
        };
        found.as_array().map_or(0, Vec::len)
    }
    async fn points(&self, served: &mut Served<'_>, _: Span) -> Result<u64, Box<dyn Error>> {
        let answer: Value = serde_json::from_str(&served.http.get(&query("SELECT count(v) FROM r")).await?)?;
        Ok(answer["results"][0]["series"][0]["values"][0][1].as_u64().unwrap_or(0))
    }
}

/// The path of a question, with what a path cannot carry in hexadecimal.
fn query(text: &str) -> String {
    let sign = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'(' | b')' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    format!("/query?db=b&epoch=ms&q={}", text.bytes().map(sign).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_ingest_questions_go_into_a_path() {
        assert_eq!(query("SELECT v >= 1ms"), "/query?db=b&epoch=ms&q=SELECT%20v%20%3E%3D%201ms");
    }
}

//! Our server as a program pushes to it: `POST /api/v1/readings`, JSON, each reading checked, judged, durable and evaluated.

use super::super::site::accounts;
use super::super::workload::{START_MS, Workload, moment};
use super::embedded::limits;
use super::figures::{Plan, Question, Span};
use super::served::{Dialect, Served};
use crate::model::{Observation, UserRole};
use crate::store::series::{EmbeddedSeries, SeriesStore};
use crate::store::series_file;
use async_trait::async_trait;
use serde_json::Value;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const HYDROLOGIST: &str = "hydrologist";

/// `anlan serve` with a station for each series.
pub(super) struct Route {
    token: String,
    series: u32,
}

impl Route {
    /// Prepares a data directory in `folder` with an account that may push, and the files of the site.
    pub(super) async fn prepare(folder: &Path, plan: &Plan) -> Result<Self, Box<dyn Error>> {
        let data = folder.join("data");
        let people = [("operator", UserRole::Operator), (HYDROLOGIST, UserRole::Hydrologist)];
        let people = people.map(|(name, role)| (name.to_owned(), role, None)).to_vec();
        let mut tokens = accounts(&data, people).await?;
        let token = tokens.remove(HYDROLOGIST).ok_or("no account that may push")?;
        std::fs::create_dir_all(folder.join("sensors"))?;
        std::fs::write(folder.join("sensors/bench.toml"), stations(&plan.workload()))?;
        // The clock stands after the last point: one that lies days ahead would be refused.
        let days = plan.points / Workload::points_a_day(plan.series as usize).max(1) + 5;
        let now = moment(START_MS + days as i64 * 86_400_000);
        let text = format!(
            "listen = \"LISTEN\"\ndata = \"data\"\nsensors = \"sensors\"\n[clock]\nkind = \"demo\"\nstart = \"{}\"\nspeed = 1.0\n\
             [sl651]\nlisten = \"127.0.0.1:0\"\n[series]\nseries_max = {}\n[limits]\nbody_bytes = 33554432\n[log]\nverbosity = \"error\"\n",
            now.to_rfc3339(),
            limits(plan.series).series_max
        );
        std::fs::write(folder.join("anlan.toml"), text)?;
        Ok(Self { token, series: plan.series })
    }

    /// Opens the files of a server that is down.
    async fn files(&self, folder: &Path) -> Result<EmbeddedSeries, Box<dyn Error>> {
        Ok(EmbeddedSeries::open(&series_file(&folder.join("data")), limits(self.series)).await?)
    }
}

#[async_trait(?Send)]
impl Dialect for Route {
    fn name(&self) -> &'static str {
        "anlan-http"
    }
    fn command(&self, folder: &Path, address: &str, _: bool) -> Result<Command, Box<dyn Error>> {
        let (template, config) = (folder.join("anlan.toml"), folder.join("listening.toml"));
        std::fs::write(&config, std::fs::read_to_string(template)?.replace("LISTEN", address))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--config"]).arg(config).stderr(std::fs::File::create(folder.join("log"))?);
        Ok(command)
    }
    fn head(&self) -> String {
        format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.token)
    }
    fn ready(&self) -> &'static str {
        "/readyz"
    }
    fn write(&self) -> &'static str {
        "/api/v1/readings"
    }
    fn body(&self, points: &[Observation]) -> String {
        let mut body = String::with_capacity(points.len() * 72);
        for o in points {
            let (open, at) = (if body.is_empty() { '[' } else { ',' }, o.at.format("%Y-%m-%dT%H:%M:%SZ"));
            // Writing into a String cannot fail.
            let _ = write!(body, "{open}{{\"series\":\"{}\",\"time\":\"{at}\",\"value\":{}}}", o.series, o.value);
        }
        body.push(']');
        body
    }
    async fn compress(&self, served: &mut Served<'_>) -> Result<(), Box<dyn Error>> {
        served.stop()?;
        let store = self.files(&served.folder).await?;
        store.seal().await?;
        store.close().await;
        served.start_again(true).await.map(drop)
    }
    fn bytes(&self, folder: &Path) -> u64 {
        let file = series_file(&folder.join("data"));
        let parts = [file.clone(), file.with_extension("db-wal")];
        parts.iter().filter_map(|part| std::fs::metadata(part).ok()).map(|meta| meta.len()).sum()
    }
    fn ask(&self, question: Question, load: &Workload, span: Span) -> Result<String, Box<dyn Error>> {
        let every = match question {
            Question::Latest => return Ok("/api/v1/situation".into()),
            Question::MinuteMeans => "&every=1m",
            Question::HourPeaks => "&every=1h",
            Question::Points => "",
        };
        let at = |ms| moment(ms).format("%Y-%m-%dT%H:%M:%SZ");
        let (from, to) = (at(span.from_ms), at(span.to_ms));
        Ok(format!("/api/v1/series/{}/observations?from={from}&to={to}{every}", question.series(load)?))
    }
    fn samples(&self, question: Question, answer: &str) -> usize {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let found = if question == Question::Latest { &answer["gauges"] } else { &answer["points"] };
        found.as_array().map_or(0, Vec::len)
    }
    async fn points(&self, served: &mut Served<'_>, _: Span) -> Result<u64, Box<dyn Error>> {
        served.stop()?;
        let store = self.files(&served.folder).await?;
        let points = store.stats().await?.points;
        store.close().await;
        served.start_again(false).await?;
        Ok(points)
    }
}

/// A station for each series; they never call by themselves.
fn stations(load: &Workload) -> String {
    let mut text = String::new();
    let ids = || load.ids().iter().filter_map(|id| id.as_str().split_once('.')).map(|(station, _)| station);
    for station in ids() {
        // Writing into a String cannot fail.
        let _ =
            writeln!(text, "[[station]]\nid='{station}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='bench'");
    }
    for (number, station) in ids().enumerate() {
        let _ = writeln!(
            text,
            "[[sl651]]\naddress='{number:010}'\nstation='{station}'\npassword='0000'\nreport_every_s=86400\nseries=[{{element='Z'}}]"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sensors::{SensorFiles, Sensors};

    #[test]
    fn bench_ingest_stations_are_those_of_the_workload() {
        let load = Workload::new(3, false);
        let files = SensorFiles::from([("bench.toml".to_owned(), stations(&load).into_bytes())]);
        let sensors = Sensors::load(&files).unwrap();
        assert!(sensors.series.keys().eq(load.ids()), "{:?}", sensors.series.keys());
    }
}

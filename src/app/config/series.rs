//! `[series]`: where observations are kept and for how long.

use serde::Deserialize;
use std::path::PathBuf;

/// What keeps the observations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesKind {
    /// This program, in the data directory.
    #[default]
    Embedded,
    /// This program, and an InfluxDB 2 that gets everything.
    Influx2,
}

/// `[series]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesSection {
    /// Embedded alone, or with a remote store behind it.
    pub kind: SeriesKind,
    /// Base address of the remote store, a path below it included.
    pub url: Option<String>,
    /// Its organisation.
    pub org: Option<String>,
    /// Its bucket.
    pub bucket: Option<String>,
    /// The file with its token.
    pub token_file: Option<PathBuf>,
    /// Certificates of the site's own authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// Most MiB of points that wait for the remote store, 1 to 1,048,576.
    pub spool_mib: u64,
    /// Most series, 1 to 1,000,000.
    pub series_max: usize,
    /// Days after which points become minutes, 1 to 36,600; absent: never.
    pub points_days: Option<u32>,
    /// Days after which minutes become hours, not less than `points_days`; absent: never.
    pub minutes_days: Option<u32>,
}

impl Default for SeriesSection {
    fn default() -> Self {
        let kind = SeriesKind::default();
        let (url, org, bucket, token_file, ca_file) = Default::default();
        Self {
            kind,
            url,
            org,
            bucket,
            token_file,
            ca_file,
            spool_mib: 2048,
            series_max: 20_000,
            points_days: None,
            minutes_days: None,
        }
    }
}

impl SeriesSection {
    /// What is wrong with it: whether, the key, and what.
    pub(super) fn faults(&self) -> impl Iterator<Item = (bool, &'static str, &'static str)> + use<> {
        let remote = self.kind == SeriesKind::Influx2;
        let needs = |there: bool, key| {
            (remote && !there, key, "在 kind = \"influx2\" 时必填 (is needed with kind = \"influx2\")")
        };
        let not =
            |there: bool, key| (!remote && there, key, "仅用于 kind = \"influx2\" (is only for kind = \"influx2\")");
        let web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        [
            needs(self.url.is_some(), "url"),
            needs(self.org.is_some(), "org"),
            needs(self.bucket.is_some(), "bucket"),
            needs(self.token_file.is_some(), "token_file"),
            not(self.url.is_some(), "url"),
            not(self.org.is_some(), "org"),
            not(self.bucket.is_some(), "bucket"),
            not(self.token_file.is_some(), "token_file"),
            not(self.ca_file.is_some(), "ca_file"),
            (
                self.url.as_ref().is_some_and(|url| !web(url)),
                "url",
                "须以 http:// 或 https:// 开头 (must begin with http:// or https://)",
            ),
            (
                self.url.as_ref().is_some_and(|url| carries_more(url)),
                "url",
                "只写地址，不带用户名、口令或查询参数；口令放在 token_file (the address alone, without user, password or query; a secret belongs in token_file)",
            ),
            (!(1..=1 << 20).contains(&self.spool_mib), "spool_mib", "须在 1 至 1048576 之间 (must be 1 to 1048576)"),
            (
                self.points_days.is_some_and(|days| !(1..=36_600).contains(&days)),
                "points_days",
                "须在 1 至 36600 之间 (must be 1 to 36600)",
            ),
            (
                self.minutes_days.is_some_and(|days| !(self.points_days.unwrap_or(u32::MAX)..=36_600).contains(&days)),
                "minutes_days",
                "不可小于 points_days，且不超过 36600 (must be at least points_days and at most 36600)",
            ),
            (!(1..=1_000_000).contains(&self.series_max), "series_max", "须在 1 至 1000000 之间 (must be 1 to 1000000)"),
        ]
        .into_iter()
    }

    /// The files it names.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.token_file, &mut self.ca_file].into_iter().flatten()
    }
}

/// Whether an address carries more than where the store is: user, password, query or fragment would stand in logs and alarms.
fn carries_more(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().is_some_and(|host| host.contains('@')) || rest.contains(['?', '#'])
}

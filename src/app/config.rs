//! The configuration file of a server: `deploy/anlan.toml` explains every key.
//!
//! In: TOML text. Out: a checked [`Config`]. A misspelt key, a wrong type or an impossible value is refused with file,
//! line and column; nothing is guessed and nothing is silently ignored.

mod fault;
mod series;
mod values;

pub use fault::ConfigError;
pub use series::{SeriesKind, SeriesSection};
pub use values::{LogFormat, Speed, Verbosity};

use crate::command::CommandSettings;
use crate::ingest::mqtt::Broker;
use crate::ingest::utf8;
use crate::model::{InstructionCode, Timestamp};
use crate::web::ScrapeToken;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The sample that `anlan init` writes and that documents every key.
pub const SAMPLE: &str = include_str!("../../deploy/anlan.toml");

/// A server's configuration. Paths are absolute or relative to the folder of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port of the pages and the API.
    pub listen: SocketAddr,
    /// The data directory.
    pub data: PathBuf,
    /// Reach data; absent: the edition in the program.
    pub reach: Option<PathBuf>,
    /// Playbook; absent: the edition in the program.
    pub playbook: Option<PathBuf>,
    /// Sensors; absent: the edition in the program.
    pub sensors: Option<PathBuf>,
    /// The clock of the reach.
    #[serde(default)]
    pub clock: ClockSection,
    /// Where the field devices are.
    #[serde(default)]
    pub field: FieldSection,
    /// The log.
    #[serde(default)]
    pub log: LogSection,
    /// What one request may cost.
    #[serde(default)]
    pub limits: LimitsSection,
    /// Who reads `/metrics` from another machine.
    #[serde(default)]
    pub metrics: MetricsSection,
    /// Times of a release.
    #[serde(default)]
    pub release: ReleaseSection,
    /// Times of the escalation ladder.
    #[serde(default)]
    pub ladder: LadderSection,
    /// Times of the rules.
    #[serde(default)]
    pub rules: RulesSection,
    /// Where stations that report by SL 651 connect; absent: nowhere.
    pub sl651: Option<Sl651Section>,
    /// Brokers that devices publish to; absent: none.
    #[serde(default)]
    pub mqtt: Vec<Broker>,
    /// Events of other systems; absent: none are taken.
    pub hooks: Option<HooksSection>,
    /// How cameras are reached; absent: none is asked.
    pub cameras: Option<CamerasSection>,
    /// Reports of the public; absent: none are taken.
    pub public_reports: Option<PublicReportsSection>,
    /// Backups by the server itself; absent: none.
    pub backup: Option<BackupSection>,
    /// Where observations are kept.
    #[serde(default)]
    pub series: SeriesSection,
}

/// `[clock]`
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum ClockSection {
    /// The wall clock.
    Real {},
    /// A start moment that runs at a speed; must be that of `anlan field`.
    Demo {
        /// Where the clock starts, UTC or with an offset.
        start: Timestamp,
        /// Seconds of the reach in one second.
        speed: Speed,
    },
}

impl Default for ClockSection {
    fn default() -> Self {
        Self::Real {}
    }
}

/// `[field]`
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSection {
    /// Takes the place of the address in every sensor file: gauges at this port, the works at the next ones.
    pub address: Option<SocketAddr>,
}

/// `[log]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// Text for people, JSON for collectors.
    pub format: LogFormat,
    /// How much is told.
    pub verbosity: Verbosity,
}

/// `[limits]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// Largest request body but for reports, bytes.
    pub body_bytes: usize,
    /// Largest report with all its photos, bytes.
    pub report_bytes: usize,
    /// Most event streams open at once.
    pub streams: usize,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self { body_bytes: 256 << 10, report_bytes: 12 << 20, streams: 2_000 }
    }
}

impl From<LimitsSection> for crate::web::Limits {
    fn from(limits: LimitsSection) -> Self {
        Self { body_bytes: limits.body_bytes, report_bytes: limits.report_bytes, streams: limits.streams }
    }
}

/// `[metrics]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSection {
    /// What a scraper on another machine shows as its bearer token; absent: none may come.
    pub scrape_token: Option<ScrapeToken>,
}

/// `[release]`: seconds after the request, on the clock of the reach.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReleaseSection {
    /// Further commanders are called.
    pub call_commanders_after_s: u32,
    /// Deputies may confirm, break-glass is offered.
    pub deputies_after_s: u32,
    /// The request expires.
    pub expires_after_s: u32,
    /// Rows that the signed standing authorisation lists.
    pub standing_authorisation: BTreeSet<InstructionCode>,
}

impl Default for ReleaseSection {
    fn default() -> Self {
        let defaults = CommandSettings::default();
        Self {
            call_commanders_after_s: defaults.call_commanders_after_s,
            deputies_after_s: defaults.deputies_after_s,
            expires_after_s: defaults.expires_after_s,
            standing_authorisation: defaults.standing_authorisation,
        }
    }
}

/// `[ladder]`: seconds after a task was issued, on the clock of the reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LadderSection {
    /// The task stands on the wall's list of the unanswered.
    pub unanswered_after_s: u32,
    /// The deputy gets it too.
    pub deputy_after_s: u32,
    /// The commander is alarmed.
    pub commander_after_s: u32,
}

impl Default for LadderSection {
    fn default() -> Self {
        let defaults = CommandSettings::default();
        Self {
            unanswered_after_s: defaults.unanswered_after_s,
            deputy_after_s: defaults.deputy_after_s,
            commander_after_s: defaults.commander_after_s,
        }
    }
}

/// `[rules]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesSection {
    /// How long a fired row must be on the safe side before it may fire again, seconds.
    pub rearm_after_s: u32,
    /// Own people whose place gets water, or whose last way out is cut, within this are alarmed, seconds.
    pub water_within_s: u32,
}

impl Default for RulesSection {
    fn default() -> Self {
        let defaults = CommandSettings::default();
        Self { rearm_after_s: defaults.rearm_after_s, water_within_s: defaults.water_within_s }
    }
}

/// `[sl651]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sl651Section {
    /// Address and port, TCP and UDP.
    pub listen: SocketAddr,
}

/// `[hooks]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HooksSection {
    /// `hooks.toml`: sources, secrets, what their events mean.
    pub file: PathBuf,
}

/// `[cameras]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CamerasSection {
    /// `cameras.toml`: machines that may be asked, addresses, accounts.
    pub file: PathBuf,
}

/// `[public_reports]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicReportsSection {
    /// From one address within an hour.
    pub per_hour: u32,
    /// From all addresses together within an hour.
    pub all_per_hour: u32,
}

/// `[backup]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSection {
    /// Where the dated folders go; best another disk.
    pub folder: PathBuf,
    /// Hours between backups, 1 to 168.
    pub every_h: u32,
    /// How many are kept, 1 to 1000; older ones are removed.
    pub keep: usize,
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        let mut config = Self::parse(utf8(&path.display().to_string(), &bytes)?, path)?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        Ok(config)
    }

    /// Checks a text; `path` is for the messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|cause| ConfigError::from_toml(path, text, &cause))?;
        match config.fault() {
            None => Ok(config),
            Some((key, what)) => Err(ConfigError::at_key(path, text, key, what)),
        }
    }

    /// The times of release, ladder and rules as the command core takes them.
    pub fn command_settings(&self) -> CommandSettings {
        CommandSettings {
            call_commanders_after_s: self.release.call_commanders_after_s,
            deputies_after_s: self.release.deputies_after_s,
            expires_after_s: self.release.expires_after_s,
            unanswered_after_s: self.ladder.unanswered_after_s,
            deputy_after_s: self.ladder.deputy_after_s,
            commander_after_s: self.ladder.commander_after_s,
            rearm_after_s: self.rules.rearm_after_s,
            water_within_s: self.rules.water_within_s,
            standing_authorisation: self.release.standing_authorisation.clone(),
        }
    }

    /// What only the values together can tell: the key at fault and what is wrong.
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let (release, ladder, limits) = (&self.release, &self.ladder, &self.limits);
        let faults = [
            (release.call_commanders_after_s == 0, "call_commanders_after_s", "must be above 0"),
            (
                release.deputies_after_s < release.call_commanders_after_s,
                "deputies_after_s",
                "must not come before call_commanders_after_s",
            ),
            (
                release.expires_after_s <= release.deputies_after_s,
                "expires_after_s",
                "must come after deputies_after_s, else no deputy can confirm",
            ),
            (ladder.unanswered_after_s == 0, "unanswered_after_s", "must be above 0"),
            (
                ladder.deputy_after_s < ladder.unanswered_after_s,
                "deputy_after_s",
                "must not come before unanswered_after_s",
            ),
            (
                ladder.commander_after_s < ladder.deputy_after_s,
                "commander_after_s",
                "must not come before deputy_after_s",
            ),
            (!(1 << 10..=64 << 20).contains(&limits.body_bytes), "body_bytes", "must be 1024 to 67108864"),
            (!(1 << 10..=64 << 20).contains(&limits.report_bytes), "report_bytes", "must be 1024 to 67108864"),
            (!(60..=3600).contains(&self.rules.water_within_s), "water_within_s", "must be 60 to 3600"),
            (!(1..=100_000).contains(&limits.streams), "streams", "must be 1 to 100000"),
        ];
        let backup = self.backup.iter().flat_map(|backup| {
            [
                (!(1..=168).contains(&backup.every_h), "every_h", "must be 1 to 168 hours"),
                (!(1..=1000).contains(&backup.keep), "keep", "must be 1 to 1000"),
            ]
        });
        let public = self.public_reports.iter().flat_map(|public| {
            [
                (!(1..=1000).contains(&public.per_hour), "per_hour", "must be 1 to 1000"),
                (!(1..=100_000).contains(&public.all_per_hour), "all_per_hour", "must be 1 to 100000"),
            ]
        });
        let mut all = faults.into_iter().chain(public).chain(backup).chain(self.series.faults());
        let broken = all.find(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what));
        broken.or_else(|| self.mqtt.iter().find_map(Broker::fault))
    }

    fn resolve(&mut self, folder: &Path) {
        let optional = [&mut self.reach, &mut self.playbook, &mut self.sensors].into_iter().flatten();
        let backup = self.backup.iter_mut().map(|backup| &mut backup.folder);
        let brokers = self.mqtt.iter_mut().flat_map(Broker::files_mut);
        let hooks = self.hooks.iter_mut().map(|hooks| &mut hooks.file);
        let cameras = self.cameras.iter_mut().map(|cameras| &mut cameras.file);
        let files = optional.chain(backup).chain(hooks).chain(cameras).chain(self.series.files()).chain(brokers);
        for path in files.chain([&mut self.data]) {
            *path = folder.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests;

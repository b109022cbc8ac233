//! `anlan twin verify`: the forecast of this edition on floods of the past.
//!
//! In: the floods of the binary, `forecast.toml` of the demo reach or of a file, and the levels of a playbook. Out: errors by lead with
//! their grades, coverage of the band, crossings of every level with the hours gained and what was said for nothing, warnings by
//! threshold and lead, the crest; as tables or JSON. Floods without an upstream companion get no forecast and stand apart. It says
//! which series are reconstructions: they flatter.

mod json;
mod text;

use super::results::say;
use super::table;
use crate::app::editions;
use crate::app::verbs::Outcome;
use crate::drill::floods::Flood;
use crate::forecast::ForecastSettings;
use crate::forecast::verify::events::{Alert, EventCount, SOURCES};
use crate::forecast::verify::standard::Judged;
use crate::forecast::verify::{FloodHour, LEADS_H, Verification, verify};
use crate::playbook::{Faults, Levels, Playbook};
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Floods on which the spreads of the ensemble were set; the others only verify.
const SET_ON: [&str; 2] = ["1958-07", "1996-08"];
/// Hours between two forecasts at most: further apart there are too few of a flood to say anything.
const MOST_EVERY_H: i64 = 24;
/// A band that is no level is looked for in the forecast of so many hours, as in most rows of the playbook …
const BAND_WITHIN_H: u32 = 24;
/// … and a crossing of it is over below this share of it, as that of a level.
const BAND_CLEAR: f64 = 0.9;
const NOTE_ZH: &str =
    "上游过程为重建，由同样的滞时与线性水库反推：短预见期的误差偏小，传播时间以内的提前量为构造所致，不代表实况";
const NOTE_EN: &str = "upstream series are reconstructions made with the same delays and stores: errors at short leads flatter, and so do \
                       hours gained within the travel time";
const ROLE_ZH: &str = "“率定、检验”只指成员离散度；滞时与调蓄系数对有上游过程的各场都率定过，没有一场独立";
const ROLE_EN: &str = "\"set on\" and \"verified on\" speak of the spreads of the members alone: delays and stores were fitted to every \
                       flood with upstream series, none is independent";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Floods, e.g. 1958-07; all but the invented ones by default.
    floods: Vec<String>,
    /// A `forecast.toml` in place of the demo reach's.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Folder of a playbook whose levels are to be foreseen, in place of the one in the binary.
    #[arg(long)]
    playbook: Option<PathBuf>,
    /// Hours between two forecasts, 1 to 24.
    #[arg(long, default_value_t = 1)]
    every_h: i64,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// What came of all floods.
struct Report {
    settings: ForecastSettings,
    alerts: Vec<Alert>,
    /// Whether rows of the playbook ask for the probability by members.
    asks_members: bool,
    /// Floods with an upstream companion: the forecast was played.
    forecast: Vec<Played>,
    /// Floods without: there was no forecast to judge.
    unforecast: Vec<Played>,
}

/// One flood.
struct Played {
    id: String,
    /// Its role, Chinese and English.
    role: (&'static str, &'static str),
    told: Verification,
}

pub(super) fn run(args: &Args) -> Outcome {
    if !(1..=MOST_EVERY_H).contains(&args.every_h) {
        let every_h = args.every_h;
        return Err(format!("--every-h {every_h} 须为 1 至 {MOST_EVERY_H} (must be 1 to {MOST_EVERY_H})").into());
    }
    let text = table::settings(args.settings.as_deref(), "huayuankou/forecast.toml", editions::sensors::text)?;
    let settings: ForecastSettings = toml::from_str(&text)?;
    let rows = args.playbook.as_deref().map_or_else(|| Ok(editions::embedded_playbook()), editions::playbook_in)?;
    let playbook = Playbook::load("", &rows).map_err(Faults)?;
    let alerts = alerts(playbook.levels());
    let asks_members = playbook.signals().iter().any(|signal| signal.name() == "pqf");
    let files = editions::floods::files();
    let mut report = Report { settings, alerts, asks_members, forecast: Vec::new(), unforecast: Vec::new() };
    // A flood that is named twice is one flood.
    let mut taken = BTreeSet::new();
    let ids = if args.floods.is_empty() { Flood::ids(&files) } else { args.floods.clone() };
    for id in ids.into_iter().filter(|id| taken.insert(id.clone())) {
        let flood = Flood::load(&files, &id)?;
        if args.floods.is_empty() && flood.is_synthetic() {
            continue;
        }
        let hours = hours(&flood, &report.settings);
        let told = verify(&report.settings, &hours, args.every_h, &report.alerts);
        let has_upstream = hours.iter().any(|hour| !hour.upstream_m3s.is_empty());
        let role = role(&flood, has_upstream);
        let group = if has_upstream { &mut report.forecast } else { &mut report.unforecast };
        group.push(Played { id, role, told });
    }
    Ok(say(&if args.json { json::of_report(&report).to_string() } else { text::of_report(&report) })?)
}

/// Over all floods by lead: the plain forecast, and standing still.
fn totals(floods: &[Played]) -> [(Judged, Judged); LEADS_H.len()] {
    let mut sums = [(Judged::default(), Judged::default()); LEADS_H.len()];
    for one in floods {
        for (lead, sum) in one.told.leads.iter().zip(&mut sums) {
            sum.0.join(&lead.plain);
            sum.1.join(&lead.still);
        }
    }
    sums
}

/// The levels of a playbook and those of its bands that are no level, rising.
fn alerts(levels: &Levels) -> Vec<Alert> {
    let of_level = levels.rules().iter().map(|rule| Alert {
        name_zh: rule.level.name_zh().to_owned(),
        name_en: rule.level.as_str().to_owned(),
        at_least_m3s: rule.observed.at_least_m3s,
        foreseen_from_m3s: rule.forecast.at_least_m3s,
        within_h: rule.forecast.within_h,
        clear_m3s: rule.clear.below_m3s,
    });
    let is_level = |q: f64| levels.rules().iter().any(|rule| rule.observed.at_least_m3s == q);
    let of_band = levels.bands().iter().filter(|band| !is_level(band.from_m3s)).map(|band| Alert {
        name_zh: format!("流量级 {}", band.code),
        name_en: format!("band {}", band.code),
        at_least_m3s: band.from_m3s,
        foreseen_from_m3s: band.from_m3s,
        within_h: BAND_WITHIN_H,
        clear_m3s: BAND_CLEAR * band.from_m3s,
    });
    let mut alerts: Vec<Alert> = of_level.chain(of_band).collect();
    alerts.sort_by(|a, b| a.at_least_m3s.total_cmp(&b.at_least_m3s));
    alerts
}

/// Whole hours of a flood with what its files say; what a rule says of an upstream station is made from the target and left out.
fn hours(flood: &Flood, settings: &ForecastSettings) -> Vec<FloodHour> {
    let (from, to) = flood.span();
    let target = settings.target.station();
    let stations: Vec<String> = settings.set.iter().flat_map(|set| set.station.keys().cloned()).collect();
    // Companions begin up to a day before the file of the target.
    let mut at = from - TimeDelta::hours(24);
    let mut hours = Vec::new();
    while at <= to {
        let known = |station: &String| Some((station.clone(), flood.at(station, "discharge", at)?));
        let upstream_m3s = stations.iter().filter(|one| !flood.is_ruled(one, "discharge")).filter_map(known).collect();
        let target_m3s = flood.at(target, "discharge", at).filter(|_| at >= from);
        hours.push(FloodHour { at, target_m3s, upstream_m3s });
        at += TimeDelta::hours(1);
    }
    hours
}

fn role(flood: &Flood, has_upstream: bool) -> (&'static str, &'static str) {
    match (flood.is_synthetic(), has_upstream) {
        (true, _) => ("虚构", "invented"),
        (false, false) => ("无上游", "no upstream"),
        (false, true) if SET_ON.contains(&flood.id()) => ("率定", "set on"),
        (false, true) => ("检验", "verified on"),
    }
}

/// Events of one threshold over floods: by the plain forecast, by the members.
fn count(floods: &[Played], alert: usize) -> [EventCount; SOURCES] {
    let mut counts = [EventCount::default(); SOURCES];
    for events in floods.iter().filter_map(|one| one.told.events.get(alert)) {
        for (source, count) in counts.iter_mut().enumerate() {
            count.add(events, source);
        }
    }
    counts
}

/// Shortest and longest time gained on one threshold over floods, h.
fn gained_h(floods: &[Played], alert: usize, source: usize) -> Option<(i64, i64)> {
    let crossings = floods.iter().filter_map(|one| one.told.events.get(alert)).flat_map(|events| &events.crossings);
    let hours = crossings.filter_map(|crossing| Some((*crossing.gained.get(source)?)?.first_h));
    hours.fold(None, |range, h| Some(range.map_or((h, h), |(low, high): (i64, i64)| (low.min(h), high.max(h)))))
}

/// `5/6`: what was counted, of how many: too few for a share. `None` of none.
fn of((part, whole): (usize, usize)) -> Option<String> {
    (whole > 0).then(|| format!("{part}/{whole}"))
}

//! `anlan twin downstream`: when a flood comes to the stations below, and how high it still is there.
//!
//! In: floods of the binary, or a series of a file, and `downstream.toml`. Out: crest and hour at every station, beside what was listed
//! for floods of the past; with `--fit` the travel times that fit these best, ready for `downstream.toml`.

use super::results::say;
use super::table;
use crate::app::editions;
use crate::app::verbs::Outcome;
use crate::drill::floods::{Flood, FloodFiles};
use crate::forecast::downstream::{
    Downstream, ListedCrest, Passing, PastFlood, crest, crests, ends_high, fit, front_h, held_at, in_flood_from,
    is_flat_topped, lowest_about_crest,
};
use crate::forecast::route::is_above;
use crate::forecast::{ForecastSettings, routed};
use crate::hydraulics::Series;
use crate::model::Timestamp;
use chrono::{FixedOffset, TimeDelta};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Hours that the last discharge is held for, so that the crest has passed the last station.
const RUN_OUT_H: i64 = 30 * 24;
/// Half a day: a crest that is listed by its day alone.
const BY_DAY_H: f64 = 12.0;
/// A flood whose crest is listed at fewer stations says little of the way down.
const LISTED_LEAST: usize = 3;
/// Longest series of a file, in hours.
const MOST_H: f64 = 24.0 * 366.0;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Floods, e.g. 1958-07; by default all whose crests are listed at three stations or more.
    floods: Vec<String>,
    /// Discharge at the first station instead: CSV with time_s,discharge_m3s.
    #[arg(long, conflicts_with = "floods")]
    inflow: Option<PathBuf>,
    /// Discharges above the first station instead, each STATION=CSV (小浪底 xiaolangdi, 黑石关 heishiguan, 武陟 wuzhi): brought
    /// to it by the lags and stores of the forecast.
    #[arg(long, value_parser = upstream, value_delimiter = ',', conflicts_with_all = ["floods", "inflow"])]
    upstream: Vec<(String, PathBuf)>,
    /// A `forecast.toml` in place of the demo reach's, for --upstream.
    #[arg(long, requires = "upstream")]
    lags: Option<PathBuf>,
    /// A `downstream.toml` in place of the one in the binary.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Finds the travel times that fit the listed crests of these floods and prints them as TOML.
    #[arg(long, value_delimiter = ',')]
    fit: Vec<String>,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

fn upstream(text: &str) -> Result<(String, PathBuf), String> {
    let (station, path) = text.split_once('=').ok_or("须为 站=文件 (must be STATION=FILE)")?;
    Ok((station.to_owned(), path.into()))
}

/// A flood on its way down.
struct Told {
    id: String,
    begins: Option<Timestamp>,
    /// Hours from the first inflow to the crest at the first station, and its height in m³/s.
    crest: (f64, f64),
    listed: PastFlood,
    passing: Vec<Passing>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let files = editions::floods::files();
    let mut settings: Downstream =
        toml::from_str(&table::settings(args.settings.as_deref(), "downstream.toml", editions::floods::text)?)?;
    if !args.fit.is_empty() {
        settings = fitted(&files, &args.fit, &settings)?;
        if !args.json {
            say(&as_toml(&settings))?;
        }
    }
    let told = match &args.inflow {
        Some(path) => vec![of_file(path, &settings)?],
        None if !args.upstream.is_empty() => vec![of_upstream(args, &settings)?],
        None => {
            let ids = if args.floods.is_empty() { listed_below(&files, &settings)? } else { args.floods.clone() };
            ids.iter().map(|id| of_flood(&files, id, &settings)).collect::<Result<_, _>>()?
        }
    };
    Ok(say(&if args.json { as_json(&settings, &told).to_string() } else { table(&settings, &told) })?)
}

/// Travel times that fit the listed crests of floods, and a note of what they rest on.
fn fitted(files: &FloodFiles, ids: &[String], settings: &Downstream) -> Result<Downstream, Box<dyn Error>> {
    let ids: BTreeSet<&String> = ids.iter().collect();
    let mut floods = Vec::new();
    for id in &ids {
        let (_, flood) = past(files, id, settings)?;
        if flood.listed.is_empty() {
            return Err(format!(
                "--fit {id}: station_peaks.csv 未列其下游洪峰，不能率定：换一场洪水 (no crest of it is listed below {}: nothing can be found from it, name another flood)",
                settings.from
            )
            .into());
        }
        floods.push(flood);
    }
    let ids: Vec<&str> = ids.into_iter().map(String::as_str).collect();
    let validity = note(settings, &ids, &floods);
    Ok(Downstream { validity, ..fit(settings, &floods, 1)? })
}

/// On what travel times rest that were fitted to floods, in both languages.
fn note(settings: &Downstream, ids: &[&str], floods: &[PastFlood]) -> String {
    let kept = settings.below.iter().filter(|one| floods.iter().all(|flood| !flood.listed.contains_key(&one.station)));
    let (kept_zh, kept_en): (Vec<_>, Vec<_>) = kept.map(|one| (one.name_zh.as_str(), one.name_en.as_str())).unzip();
    let ids = ids.join(", ");
    let (mut zh, mut en) = (String::new(), String::new());
    if !kept_zh.is_empty() {
        zh = format!("；{} 未列洪峰，沿用原值", kept_zh.join("、"));
        en = format!(" No crest is listed at {}: as given.", kept_en.join(", "));
    }
    format!(
        "按 {ids} 的洪峰率定（--fit），未经检验{zh}；未计引水、分洪和高含沙，河床逐年变化。 Set on the crests of {ids} (--fit), not verified.{en} No diversions, no hyperconcentrated floods; the bed moves from year to year."
    )
}

/// Floods that were followed down the river: their crests are listed at so many stations.
fn listed_below(files: &FloodFiles, settings: &Downstream) -> Result<Vec<String>, Box<dyn Error>> {
    let mut ids = Vec::new();
    for id in Flood::ids(files) {
        let flood = Flood::load(files, &id)?;
        let listed = settings.below.iter().filter(|one| flood.listed_peak(&one.station).is_some()).count();
        if !flood.is_synthetic() && listed >= LISTED_LEAST {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn past(files: &FloodFiles, id: &str, settings: &Downstream) -> Result<(Timestamp, PastFlood), Box<dyn Error>> {
    let flood = Flood::load(files, id)?;
    let (from, to) = flood.span();
    let hours = (to - from).num_hours() + RUN_OUT_H;
    let inflow_m3s = (0..=hours)
        .map_while(|hour| flood.at(&settings.from, "discharge", (from + TimeDelta::hours(hour)).min(to)))
        .collect();
    let of = |station: &String| {
        let peak = flood.listed_peak(station)?;
        let within_h = if peak.to_the_hour { 0.0 } else { BY_DAY_H };
        let at_h = peak.at.map(|at| ((at - from).num_minutes() as f64 / 60.0, within_h));
        Some((station.clone(), ListedCrest { m3s: peak.m3s, at_h }))
    };
    let listed = settings.below.iter().filter_map(|one| of(&one.station)).collect();
    Ok((from, PastFlood { inflow_m3s, listed }))
}

fn of_flood(files: &FloodFiles, id: &str, settings: &Downstream) -> Result<Told, Box<dyn Error>> {
    let (begins, listed) = past(files, id, settings)?;
    let passing = settings.route(&listed.inflow_m3s)?;
    Ok(Told { id: id.to_owned(), begins: Some(begins), crest: crest(&listed.inflow_m3s), listed, passing })
}

/// The three rivers above, from the earliest beginning to the latest end of the files, brought to the first station.
fn of_upstream(args: &Args, settings: &Downstream) -> Result<Told, Box<dyn Error>> {
    let lags: ForecastSettings =
        toml::from_str(&table::settings(args.lags.as_deref(), "huayuankou/forecast.toml", editions::sensors::text)?)?;
    let mut series = BTreeMap::new();
    for (station, path) in &args.upstream {
        if series.insert(station.clone(), table::read(path, "discharge_m3s")?).is_some() {
            return Err(format!("--upstream {station}: 重复 (twice)").into());
        }
    }
    for (station, one) in &series {
        ends_low(&format!("--upstream {station}"), one)?;
    }
    same_flood(&series)?;
    let from = series.values().map(Series::begins_s).fold(f64::INFINITY, f64::min);
    let to = series.values().map(Series::ends_s).fold(f64::NEG_INFINITY, f64::max);
    let courses = series.iter().map(|(station, one)| Ok((station.clone(), hourly(one, (from, to), "--upstream")?)));
    let courses = courses.collect::<Result<_, String>>()?;
    of_course(series.keys().cloned().collect::<Vec<_>>().join("+"), routed(&lags, &courses)?, settings)
}

fn of_file(path: &Path, settings: &Downstream) -> Result<Told, Box<dyn Error>> {
    let series = table::read(path, "discharge_m3s")?;
    ends_low(&format!("--inflow {}", path.display()), &series)?;
    let span = (series.begins_s(), series.ends_s());
    let id = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    of_course(id, hourly(&series, span, &path.display().to_string())?, settings)
}

/// A series that ends while the river is in flood would go on as a flood without end.
fn ends_low(what: &str, series: &Series) -> Result<(), String> {
    let values: Vec<f64> = series.points().map(|[_, q]| q).collect();
    let (ends_s, last) = (series.ends_s(), values.last().copied().unwrap_or_default());
    if values.len() < 2 {
        return Err(format!(
            "{what}: 只有 1 点（{ends_s} s，{last:.0} m³/s），至少 2 点 (one point only, at {ends_s} s, {last:.0} m³/s: give 2 or more)"
        ));
    }
    if ends_high(&values) {
        let low = in_flood_from(&values);
        return Err(format!(
            "{what}: 过程止于 {ends_s} s 时流量仍有 {last:.0} m³/s，洪水未过：续至低于 {low:.0} m³/s (the hydrograph ends early: at {ends_s} s there are still {last:.0} m³/s, go on until it is below {low:.0} m³/s)"
        ));
    }
    Ok(())
}

/// A series that ends before the flood of another one has passed says nothing of its own river in that flood.
fn same_flood(series: &BTreeMap<String, Series>) -> Result<(), String> {
    let passed = series.iter().map(|(station, one)| (station, passed_s(one)));
    let Some((high, until_s)) = passed.max_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(()) };
    let Some((short, one)) = series.iter().find(|(_, one)| one.ends_s() < until_s) else { return Ok(()) };
    let (ends_s, last) = (one.ends_s(), one.at(one.ends_s()));
    Err(format!(
        "--upstream {short}: 过程止于 {ends_s} s（{last:.0} m³/s），而 {high} 的洪水至 {until_s} s 才过：续至该时 (the series ends at {ends_s} s with {last:.0} m³/s, but the flood of {high} has passed at {until_s} s only: go on until then)"
    ))
}

/// When the river is in flood no longer, s.
fn passed_s(series: &Series) -> f64 {
    let values: Vec<f64> = series.points().map(|[_, q]| q).collect();
    let from = in_flood_from(&values);
    let points: Vec<[f64; 2]> = series.points().collect();
    let last = points.windows(2).rfind(|pair| matches!(pair, [a, _] if a[1] > from));
    last.and_then(|pair| pair.last()).map_or(f64::NEG_INFINITY, |[time_s, _]| *time_s)
}

/// Every hour of a span in s and of the time that the crest needs to the last station; before its beginning and after its end a series
/// stays as it is. `what` names it where it is too long.
fn hourly(series: &Series, (from, to): (f64, f64), what: &str) -> Result<Vec<f64>, String> {
    let hours = ((to - from) / 3600.0).floor();
    if hours > MOST_H {
        return Err(format!("{what}: 超过 366 天 (longer than 366 days)"));
    }
    let at = |hour: i64| (from + hour as f64 * 3600.0).clamp(series.begins_s(), series.ends_s());
    Ok((0..=hours as i64 + RUN_OUT_H).map(|hour| series.at(at(hour))).collect())
}

/// An hourly course at the first station, of no known flood.
fn of_course(id: String, inflow_m3s: Vec<f64>, settings: &Downstream) -> Result<Told, Box<dyn Error>> {
    let (crest, passing) = (crest(&inflow_m3s), settings.route(&inflow_m3s)?);
    if let Some(said) = held(settings, &inflow_m3s, &passing) {
        return Err(format!("{id}: {said}").into());
    }
    Ok(Told { id, begins: None, crest, listed: PastFlood { inflow_m3s, listed: Default::default() }, passing })
}

/// Where the crest told would be the last discharge, held, and no crest of the flood.
fn held(settings: &Downstream, inflow_m3s: &[f64], passing: &[Passing]) -> Option<String> {
    let below = settings.below.get(held_at(inflow_m3s, passing)?)?;
    let last = inflow_m3s.last()?;
    let (zh, en) = (&below.name_zh, &below.name_en);
    Some(format!(
        "过程止得过早：末值 {last:.0} m³/s 一直延续，自{zh}起高于洪峰本身：续至回落 (the hydrograph ends early: its last {last:.0} m³/s are held and from {en} on stand above the crest itself, go on until it has fallen)"
    ))
}

/// Whether the river stands at its crest from the beginning: no front goes down it.
fn crests_at_once(told: &Told) -> bool {
    told.crest.0 == 0.0
}

/// The front of a release is half way up long before the river stands within a little of its crest.
fn flat(settings: &Downstream, told: &Told) -> String {
    let begins = front_h(&told.listed.inflow_m3s).unwrap_or_default();
    let fronts = settings
        .below
        .iter()
        .zip(&told.passing)
        .filter_map(|(below, passing)| Some((below, front_h(&passing.q_m3s)? - begins)));
    let (zh, en): (Vec<_>, Vec<_>) =
        fronts.map(|(below, h)| (format!("{} {h:.0} h", below.name_zh), format!("{} {h:.0} h", below.name_en))).unzip();
    format!(
        "平顶洪水：峰时为首次到达洪峰 99.5 % 之时；前锋（涨到一半）晚于首站 {} (a flat crest: its hour is the first within 0.5 % of it; the front, half of the rise, comes after the first station's by: {})",
        zh.join("、"),
        en.join(", ")
    )
}

/// What the reader of a flood must know, in both languages.
fn warnings(settings: &Downstream, told: &Told) -> Vec<String> {
    let (_, high) = told.crest;
    let (from, to) = settings.covers_m3s();
    let mut said = Vec::new();
    let nodes = format!("{from:.0} 至 {to:.0} m³/s");
    let nodes_en = format!("{from:.0} to {to:.0} m³/s: outside, the outermost one is taken");
    let low = lowest_about_crest(&told.listed.inflow_m3s);
    if !(from..=to).contains(&high) {
        said.push(format!(
            "洪峰 {high:.0} m³/s 超出传播时间节点 {nodes}，之外取端点值 (the crest of {high:.0} m³/s lies beyond the travel times of {nodes_en})"
        ));
    } else if low < from {
        said.push(format!(
            "洪峰前后流量低至 {low:.0} m³/s，低于传播时间节点 {nodes}，之外取端点值 (about the crest, discharges down to {low:.0} m³/s lie below the travel times of {nodes_en})"
        ));
    } else if let Some((below, passing)) =
        settings.below.iter().zip(&told.passing).find(|(_, passing)| passing.crest_m3s < from)
    {
        let (zh, en, crest) = (&below.name_zh, &below.name_en, passing.crest_m3s);
        said.push(format!(
            "自{zh}起洪峰 {crest:.0} m³/s 低于传播时间节点 {nodes}，之外取端点值 (from {en} on the crest, {crest:.0} m³/s, lies below the travel times of {nodes_en})"
        ));
    }
    let inflow_m3s = &told.listed.inflow_m3s;
    if let Some(last) = inflow_m3s.last().filter(|_| ends_high(inflow_m3s)) {
        said.push(format!(
            "过程止于 {last:.0} m³/s，洪水未过，其后按不变计 (the series ends with {last:.0} m³/s, before the flood has passed; it is held from there on)"
        ));
    }
    if is_flat_topped(inflow_m3s) && !crests_at_once(told) {
        said.push(flat(settings, told));
    }
    said.extend(held(settings, inflow_m3s, &told.passing));
    let higher = |passing: &Passing| is_above(passing.crest_m3s, passing.came_m3s);
    if let Some((below, passing)) = settings.below.iter().zip(&told.passing).find(|(_, passing)| higher(passing)) {
        let (zh, en, crest, came) = (&below.name_zh, &below.name_en, passing.crest_m3s, passing.came_m3s);
        said.push(format!(
            "{zh}洪峰 {crest:.0} 高于来水洪峰 {came:.0} m³/s，河道不会如此：算法所致，按 {came:.0} m³/s 看 (the crest at {en}, {crest:.0}, is above the one that came, {came:.0} m³/s, which no reach does: the method makes it, take {came:.0} m³/s)"
        ));
    }
    let count = crests(inflow_m3s);
    if count > 1 {
        said.push(format!(
            "过程有 {count} 个洪峰：各站所列为其最高者，可能出自另一洪峰，时差不可比 (the series has {count} crests: a station is told its highest, which may come of another one than the first station's, so hours between them may not compare)"
        ));
    }
    said
}

/// Share by which the crest is too high, hours by which it is too late.
fn errors(told: &Told, station: &str, passing: &Passing) -> (Option<f64>, Option<f64>) {
    let listed = told.listed.listed.get(station);
    let crest = listed.map(|listed| passing.crest_m3s / listed.m3s - 1.0);
    (crest, listed.and_then(|listed| listed.at_h).map(|(at_h, _)| passing.crest_h - at_h))
}

fn as_json(settings: &Downstream, told: &[Told]) -> Value {
    let flood = |one: &Told| {
        let stations: Vec<Value> = settings
            .below
            .iter()
            .zip(&one.passing)
            .map(|(below, passing)| {
                let (crest_error, late_h) = errors(one, &below.station, passing);
                json!({
                    "station": below.station, "km": below.km, "crest_m3s": passing.crest_m3s.round(),
                    "after_h": passing.crest_h - one.crest.0, "at": at(one, passing.crest_h).map(|at| at.to_rfc3339()),
                    "listed_m3s": one.listed.listed.get(&below.station).map(|listed| listed.m3s),
                    "crest_error": crest_error, "late_h": late_h,
                })
            })
            .collect();
        json!({
            "flood": one.id, "crest_m3s": one.crest.1, "stations": stations, "warnings": warnings(settings, one),
        })
    };
    json!({ "from": settings.from, "validity": settings.validity, "floods": told.iter().map(flood).collect::<Vec<_>>() })
}

fn at(told: &Told, hour: f64) -> Option<chrono::DateTime<FixedOffset>> {
    let beijing = FixedOffset::east_opt(8 * 3600)?;
    told.begins.map(|begins| (begins + TimeDelta::minutes((hour * 60.0) as i64)).with_timezone(&beijing))
}

fn table(settings: &Downstream, told: &[Told]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "注意 {}\n", settings.validity);
    let _ = writeln!(
        out,
        "洪水 flood    站 station            km  洪峰 crest m³/s   洪峰后 after     时刻 at        实录 listed   误差 error   晚 late"
    );
    for one in told {
        let _ = writeln!(
            out,
            "{:<13} {:<20} {:>4} {:>15.0} {:>14}  {}",
            one.id,
            settings.from,
            0,
            one.crest.1,
            "",
            moment(one, one.crest.0)
        );
        for (below, passing) in settings.below.iter().zip(&one.passing) {
            let (crest_error, late_h) = errors(one, &below.station, passing);
            let listed =
                one.listed.listed.get(&below.station).map_or_else(String::new, |listed| format!("{:.0}", listed.m3s));
            let _ = writeln!(
                out,
                "{:<13} {:<20} {:>4.0} {:>15.0} {:>12.0} h  {:<14} {:>10} {:>11} {:>10}",
                "",
                format!("{} {}", below.name_zh, below.name_en),
                below.km,
                passing.crest_m3s,
                passing.crest_h - one.crest.0,
                moment(one, passing.crest_h),
                listed,
                crest_error.map_or_else(String::new, |share| format!("{:+.1} %", 100.0 * share)),
                late_h.map_or_else(String::new, |hours| format!("{hours:+.0} h")),
            );
        }
        for warning in warnings(settings, one) {
            let _ = writeln!(out, "  注意 {warning}");
        }
    }
    out.pop();
    out
}

fn moment(told: &Told, hour: f64) -> String {
    at(told, hour).map_or_else(|| format!("{hour:.0} h"), |at| at.format("%m-%d %H:%M").to_string())
}

fn as_toml(settings: &Downstream) -> String {
    let text = |words: &str| toml::Value::from(words).to_string();
    let mut out = format!("from = {}\nvalidity = {}\n\n", text(&settings.from), text(&settings.validity));
    for one in &settings.below {
        let _ = writeln!(
            out,
            "[[below]]\nstation = \"{}\"\nname_zh = \"{}\"\nname_en = \"{}\"",
            one.station, one.name_zh, one.name_en
        );
        let _ = writeln!(out, "km = {:.1}\nx = {:.2}\nparts = {}\ntravel = [", one.km, one.x, one.parts);
        for travel in &one.travel {
            let _ = writeln!(out, "    {{ q_m3s = {:.0}, k_h = {:.1} }},", travel.q_m3s, travel.k_h);
        }
        let _ = writeln!(out, "]\n");
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twin_downstream_notes_the_floods_that_were_fitted() {
        let settings: Downstream = toml::from_str(&editions::floods::text("downstream.toml").unwrap()).unwrap();
        let (_, flood) = past(&editions::floods::files(), "1977-08", &settings).unwrap();
        let said = note(&settings, &["1977-08"], &[flood]);
        assert!(said.contains("Set on the crests of 1977-08 (--fit)") && !said.contains("1996"), "{said}");
        assert!(said.contains("No crest is listed at Sunkou, Aishan, Luokou: as given"), "{said}");
    }
}

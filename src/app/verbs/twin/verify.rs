//! `anlan twin verify`: the forecast of this edition on floods of the past.
//!
//! In: the floods of the binary that have an upstream companion, and `forecast.toml` of the demo reach or of a file. Out: errors by lead,
//! coverage of the band, hits, misses and false alarms by threshold and lead, the crest; as a table or JSON. It says which series are
//! reconstructions: they flatter.

use super::results::say;
use super::table;
use crate::app::editions;
use crate::app::verbs::Outcome;
use crate::drill::floods::{Flood, FloodFiles};
use crate::forecast::ForecastSettings;
use crate::forecast::verify::{FloodHour, LEADS_H, THRESHOLDS_M3S, Verification, Warnings, verify};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Floods on which the spreads of the ensemble were set; the others only verify.
const SET_ON: [&str; 2] = ["1958-07", "1996-08"];
/// Hours between two forecasts at most: further apart there are too few of a flood to say anything.
const MOST_EVERY_H: i64 = 24;
const NOTE_ZH: &str = "上游过程为重建，由同样的滞时与线性水库反推：短预见期的误差偏小，不代表实况";
const NOTE_EN: &str =
    "upstream series are reconstructions made with the same delays and stores: errors at short leads flatter";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Floods, e.g. 1958-07; all with an upstream companion by default.
    floods: Vec<String>,
    /// A `forecast.toml` in place of the demo reach's.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Hours between two forecasts, 1 to 24.
    #[arg(long, default_value_t = 1)]
    every_h: i64,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    if !(1..=MOST_EVERY_H).contains(&args.every_h) {
        let every_h = args.every_h;
        return Err(format!("--every-h {every_h} 须为 1 至 {MOST_EVERY_H} (must be 1 to {MOST_EVERY_H})").into());
    }
    let text = table::settings(args.settings.as_deref(), "huayuankou/forecast.toml", editions::sensors::text)?;
    let settings: ForecastSettings = toml::from_str(&text)?;
    let files = editions::floods::files();
    let ids = if args.floods.is_empty() { with_companion(&files) } else { args.floods.clone() };
    let mut told = Vec::new();
    for id in ids {
        let hours = hours(&files, &id, &settings)?;
        if hours.iter().all(|hour| hour.upstream_m3s.is_empty()) {
            return Err(format!("{id}: 没有上游过程 (has no upstream companion)").into());
        }
        told.push((id, verify(&settings, &hours, args.every_h)));
    }
    Ok(say(&if args.json { as_json(&settings, &told).to_string() } else { tables(&settings, &told) })?)
}

fn with_companion(files: &FloodFiles) -> Vec<String> {
    let ids = files.keys().filter_map(|name| name.strip_prefix("upstream/")?.strip_suffix(".csv"));
    ids.filter(|id| !id.starts_with("drill")).map(str::to_owned).collect()
}

/// Whole hours of a flood with what its files say.
fn hours(
    files: &FloodFiles,
    id: &str,
    settings: &ForecastSettings,
) -> Result<Vec<FloodHour>, crate::drill::floods::FloodFault> {
    let flood = Flood::load(files, id)?;
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
    Ok(hours)
}

fn role(id: &str) -> (&'static str, &'static str) {
    if SET_ON.contains(&id) { ("率定", "set on") } else { ("检验", "verified on") }
}

fn as_json(settings: &ForecastSettings, told: &[(String, Verification)]) -> Value {
    let band = settings.ensemble.as_ref().map(|ensemble| ensemble.band);
    let warnings = |one: &Warnings| json!({ "hits": one.hits, "misses": one.misses, "false_alarms": one.false_alarms, "quiet": one.quiet });
    let floods: Vec<Value> = told
        .iter()
        .map(|(id, one)| {
            let leads: Vec<Value> = LEADS_H
                .iter()
                .zip(&one.leads)
                .map(|(hours, lead)| {
                    json!({
                        "lead_h": hours,
                        "count": lead.count,
                        "bias_m3s": lead.bias_m3s,
                        "mean_error_m3s": lead.error_m3s,
                        "standing_still_m3s": lead.standing_still_m3s,
                        "crps_m3s": lead.crps_m3s,
                        "coverage": lead.band.coverage(),
                    })
                })
                .collect();
            let mut cells = Vec::new();
            for (threshold, row) in THRESHOLDS_M3S.iter().zip(&one.warnings) {
                for (hours, [plain, members]) in LEADS_H.iter().zip(row) {
                    cells.push(json!({
                        "threshold_m3s": threshold, "lead_h": hours, "plain": warnings(plain), "members": warnings(members),
                    }));
                }
            }
            let crest: Vec<Value> = one
                .crest
                .iter()
                .map(|crest| {
                    json!({
                        "before_h": crest.before_h, "error": crest.error, "late_h": crest.late_h, "inside": crest.inside,
                    })
                })
                .collect();
            json!({ "flood": id, "role": role(id).1, "leads": leads, "warnings": cells, "crest": crest })
        })
        .collect();
    json!({ "band": band, "note": NOTE_EN, "reconstructed": true, "floods": floods })
}

fn tables(settings: &ForecastSettings, told: &[(String, Verification)]) -> String {
    let mut out = String::new();
    let band = settings.ensemble.as_ref().map_or_else(String::new, |one| format!("{:.0} %", one.band * 100.0));
    let _ = writeln!(out, "注意 {NOTE_ZH}\n     {NOTE_EN}\n");
    let _ = writeln!(out, "洪水 flood      预见期  次数  偏差 bias  误差 error  不变 still   CRPS  {band} 带内 inside");
    for (id, one) in told {
        for (hours, lead) in LEADS_H.iter().zip(&one.leads) {
            let _ = writeln!(
                out,
                "{id:<8} {:<4} {hours:>4} h {:>6} {:>9.0} {:>10.0} {:>10.0} {:>8.0} {:>10}",
                role(id).0,
                lead.count,
                lead.bias_m3s,
                lead.error_m3s,
                lead.standing_still_m3s,
                lead.crps_m3s,
                lead.band.coverage().map_or_else(|| "—".to_owned(), |share| format!("{:.0} %", 100.0 * share))
            );
        }
    }
    let _ = writeln!(
        out,
        "\n达到阈值的预见（全部洪水；逐时）: 命中/漏报/误报 hits/misses/false — 单值 plain · 概率 ≥ 50 % members"
    );
    for (at, threshold) in THRESHOLDS_M3S.iter().enumerate() {
        let mut line = format!("{threshold:>6.0} m³/s");
        for (lead, hours) in LEADS_H.iter().enumerate() {
            let mut sums = [Warnings::default(); 2];
            for cell in told.iter().filter_map(|(_, one)| one.warnings.get(at)?.get(lead)) {
                sums[0].join(cell[0]);
                sums[1].join(cell[1]);
            }
            let [plain, members] = sums.map(|one| format!("{}/{}/{}", one.hits, one.misses, one.false_alarms));
            line.push_str(&format!("  {hours} h: {plain} · {members}"));
        }
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "\n洪峰 crest: 提前 before, 误差 error, 晚 late, 带内 inside");
    for (id, one) in told {
        let cells = one.crest.iter().map(|crest| {
            let inside = if crest.inside { "✓" } else { "✗" };
            format!("{} h {:+.1} % {:+} h {inside}", crest.before_h, crest.error * 100.0, crest.late_h)
        });
        let _ = writeln!(out, "{id}: {}", cells.collect::<Vec<_>>().join("; "));
    }
    out.pop();
    out
}

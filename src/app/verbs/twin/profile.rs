//! `anlan twin profile`: stage, freeboard and velocity along a river, steady or as a flood passes.
//!
//! In: a case file; sections from it or from a reach (the demo reach by default). Out: `profile.csv`, `dams.csv` where the reach has
//! dams, `run.json` in a folder.

use super::case_file::{self, CaseFileFault};
use super::{CaseArgs, results, table};
use crate::app::reaches::{self, DamSite, ReachData};
use crate::app::verbs::Outcome;
use crate::hydraulics::Series;
use crate::hydraulics::profile::{Downstream, River, RiverRun, Section, SectionPoint, steady};
use crate::playbook::Words;
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Most outputs of a run.
const MOST_OUTPUTS: f64 = 100_000.0;
const HEAD: &str =
    "time_s,chainage_m,bed_m,discharge_m3s,stage_m,depth_m,velocity_ms,froude,levee_crest_m,freeboard_m\n";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    #[serde(default)]
    river: RiverToml,
    water: WaterToml,
    below: BelowToml,
    #[serde(default)]
    run: RunToml,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RiverToml {
    sections: Option<PathBuf>,
    reach: Option<PathBuf>,
    dx_m: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaterToml {
    discharge_m3s: Option<f64>,
    series: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BelowToml {
    stage_m: Option<f64>,
    slope: Option<f64>,
    series: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunToml {
    end_s: Option<f64>,
    output_every_s: Option<f64>,
    dt_s: Option<f64>,
}

/// The water at a node as it is written.
#[derive(Debug, Clone, Copy)]
struct Row {
    discharge_m3s: f64,
    stage_m: f64,
    velocity_ms: f64,
}

/// A dam in the highest water of the run.
#[derive(Debug, Clone, PartialEq)]
struct DamRow {
    id: String,
    chainage_m: f64,
    crest_m: f64,
    stage_m: f64,
    velocity_ms: f64,
}

impl DamRow {
    fn freeboard_m(&self) -> f64 {
        self.crest_m - self.stage_m
    }
}

/// Where files are and what is said about them.
struct Desk<'a> {
    path: &'a Path,
    folder: &'a Path,
}

impl Desk<'_> {
    fn key(&self, what: impl ToString) -> CaseFileFault {
        CaseFileFault::Key { path: self.path.display().to_string(), what: what.to_string() }
    }
}

pub(super) fn run(args: &CaseArgs) -> Outcome {
    let begun = Instant::now();
    let toml: Toml = case_file::parse(&args.case)?;
    let desk = Desk { path: &args.case, folder: args.case.parent().unwrap_or(Path::new(".")) };
    let (surveyed, dams) = sections(&desk, &toml.river)?;
    let river = River::new(surveyed, toml.river.dx_m.unwrap_or(100.0)).map_err(|fault| desk.key(fault))?;
    std::fs::create_dir_all(&args.out)?;
    let mut csv = String::from(HEAD);
    let mut highest: Vec<Row> = Vec::new();
    let mut told = json!({ "sections": river.sections.len(), "nodes": river.nodes.len() });
    let mut write = |time_s: f64, rows: &[Row]| {
        for (node, row) in rows.iter().enumerate() {
            let _ = writeln!(csv, "{time_s},{}", line(&river, node, row));
        }
        if highest.is_empty() {
            highest = rows.to_vec();
        }
        for (known, row) in highest.iter_mut().zip(rows) {
            if row.stage_m > known.stage_m {
                *known = *row;
            }
        }
    };
    match (toml.water.discharge_m3s, &toml.water.series) {
        (Some(q), None) => {
            let below = stage_below(&desk, &river, &toml.below, q, 0.0)?;
            let waters = steady(&river, &vec![q; river.nodes.len()], below).map_err(|fault| desk.key(fault))?;
            let rows: Vec<Row> = waters
                .iter()
                .map(|one| Row { discharge_m3s: q, stage_m: one.stage_m, velocity_ms: one.velocity_ms })
                .collect();
            write(0.0, &rows);
            told["kind"] = json!("steady");
            told["critical_nodes"] = json!(waters.iter().filter(|one| one.critical).count());
        }
        (None, Some(series)) => {
            let inflow = table::read(&desk.folder.join(series), "discharge_m3s")?;
            unsteady(&desk, &river, &toml, &inflow, &mut told, &mut write)?;
        }
        _ => {
            let en = "[water] needs exactly one of discharge_m3s (steady), series (unsteady)";
            return Err(desk.key(Words::new("[water] 须恰有其一：discharge_m3s（恒定）、series（非恒定）", en)).into());
        }
    }
    results::write_whole(&args.out.join("profile.csv"), csv.as_bytes())?;
    let dams = at_dams(&river, &highest, &dams);
    results::write_whole(&args.out.join("dams.csv"), dams_csv(&dams).as_bytes())?;
    let freeboard = |node: usize| river.top_m(node) - highest[node].stage_m;
    let lowest = (0..river.nodes.len()).min_by(|a, b| freeboard(*a).total_cmp(&freeboard(*b))).unwrap_or(0);
    let over = (0..river.nodes.len()).filter(|node| freeboard(*node) < 0.0).count();
    told["lowest_freeboard_m"] = json!(freeboard(lowest));
    told["lowest_freeboard_chainage_m"] = json!(river.nodes[lowest].chainage_m);
    told["nodes_over_crest"] = json!(over);
    let lowest_dam = dams.iter().min_by(|a, b| a.freeboard_m().total_cmp(&b.freeboard_m()));
    let dams_over = dams.iter().filter(|dam| dam.freeboard_m() < 0.0).count();
    told["dams"] = json!(dams.len());
    told["dams_over_crest"] = json!(dams_over);
    told["lowest_dam"] = json!(lowest_dam.map(|dam| &dam.id));
    told["lowest_dam_freeboard_m"] = json!(lowest_dam.map(DamRow::freeboard_m));
    told["warning"] = json!(warning(over, dams_over, lowest_dam));
    told["wall_s"] = json!(begun.elapsed().as_secs_f64());
    let (gap, at) = (freeboard(lowest), river.nodes[lowest].chainage_m);
    let (out, nodes, [dams_zh, dams_en]) = (args.out.display(), river.nodes.len(), dam_words(dams_over, lowest_dam));
    let words = || {
        format!(
            "{out}：{nodes} 个节点，堤防最小超高 {gap:.2} m（K{:.3}）{dams_zh}\n{nodes} nodes, lowest freeboard of the levee {gap:.2} m at chainage {at:.0} m{dams_en}",
            at / 1000.0
        )
    };
    Ok(results::finish(args, &told, words)?)
}

/// What is said of the dams, Chinese and English; nothing where there are none.
fn dam_words(over: usize, lowest: Option<&DamRow>) -> [String; 2] {
    let Some(dam) = lowest else { return [String::new(), String::new()] };
    let (id, gap) = (&dam.id, dam.freeboard_m());
    [
        format!("；{over} 座坝顶被淹，最低 {id} 超高 {gap:.2} m"),
        format!("; {over} dams over their crest, lowest {id} with a freeboard of {gap:.2} m"),
    ]
}

/// What of the levee and of the dams stands under water.
fn warning(nodes_over: usize, dams_over: usize, lowest: Option<&DamRow>) -> Option<String> {
    let mut said = Vec::new();
    if nodes_over > 0 {
        said.push("水位超过堤顶：断面之外的水不计 (stages pass the crest: water beyond it is not counted)".to_owned());
    }
    if let Some(dam) = lowest.filter(|_| dams_over > 0) {
        let (id, gap) = (&dam.id, dam.freeboard_m());
        said.push(format!(
            "{dams_over} 座坝的水位超过坝顶，最低 {id} 超高 {gap:.2} m ({dams_over} dams stand below the water, lowest {id} with a freeboard of {gap:.2} m)"
        ));
    }
    (!said.is_empty()).then(|| said.join("；"))
}

fn unsteady(
    desk: &Desk,
    river: &River,
    toml: &Toml,
    inflow: &Series,
    told: &mut serde_json::Value,
    write: &mut impl FnMut(f64, &[Row]),
) -> Outcome {
    let end_s = toml.run.end_s.unwrap_or(inflow.ends_s());
    let every_s = toml.run.output_every_s.unwrap_or(3600.0);
    if !(end_s > 0.0 && every_s > 0.0 && end_s / every_s <= MOST_OUTPUTS) {
        let run = format!("[run] end_s = {end_s}, output_every_s = {every_s}");
        return Err(desk
            .key(Words::new(format!("{run} 没有输出或输出过多"), format!("{run} give no outputs or too many")))
            .into());
    }
    ends_late_enough(desk, "[water]", inflow, end_s)?;
    let q = inflow.at(0.0);
    let below = stage_below(desk, river, &toml.below, q, end_s)?;
    let begin = steady(river, &vec![q; river.nodes.len()], below).map_err(|fault| desk.key(fault))?;
    let stages: Vec<f64> = begin.iter().map(|one| one.stage_m).collect();
    let downstream = match (toml.below.slope, &toml.below.series) {
        (Some(slope), _) => Downstream::Normal { slope },
        (None, Some(series)) => Downstream::Stage(table::read(&desk.folder.join(series), "stage_m")?),
        _ => Downstream::Stage(Series::constant(below, end_s).map_err(|fault| desk.key(fault))?),
    };
    let longest_s = toml.run.dt_s.unwrap_or(300.0);
    let computing = Instant::now();
    let mut spent = std::time::Duration::ZERO;
    let mut run = RiverRun::new(river.clone(), &stages, q, downstream, longest_s).map_err(|fault| desk.key(fault))?;
    spent += computing.elapsed();
    for output in 0..=(end_s / every_s).ceil() as usize {
        let time_s = (output as f64 * every_s).min(end_s);
        let computing = Instant::now();
        run.advance(time_s, inflow).map_err(|fault| desk.key(fault))?;
        spent += computing.elapsed();
        let rows: Vec<Row> = run
            .waters()
            .iter()
            .map(|one| Row { discharge_m3s: one.discharge_m3s, stage_m: one.stage_m, velocity_ms: one.velocity_ms })
            .collect();
        write(time_s, &rows);
    }
    let [came, left, kept] = run.volumes_m3();
    told["kind"] = json!("unsteady");
    told["steps"] = json!(run.steps());
    told["end_s"] = json!(end_s);
    told["volume_in_m3"] = json!(came);
    told["volume_out_m3"] = json!(left);
    told["volume_stored_m3"] = json!(kept);
    told["volume_error"] = json!((came - left - kept) / came.max(1e-9));
    told["computed_s"] = json!(spent.as_secs_f64());
    Ok(())
}

/// The stage that holds the water below at the beginning.
fn stage_below(desk: &Desk, river: &River, below: &BelowToml, q: f64, end_s: f64) -> Result<f64, CaseFileFault> {
    let last = river.nodes.len() - 1;
    match (below.stage_m, below.slope, &below.series) {
        (Some(stage), None, None) => Ok(stage),
        (None, Some(slope), None) if slope > 0.0 && slope < 0.1 => {
            river.normal_stage_m(last, q, slope).ok_or_else(|| {
                desk.key(Words::new(
                    format!("末断面在坡降 {slope} 下过不了 {q} m³/s"),
                    format!("the last section cannot carry {q} m³/s on a slope of {slope}"),
                ))
            })
        }
        (None, None, Some(series)) => {
            let series = table::read(&desk.folder.join(series), "stage_m")?;
            ends_late_enough(desk, "[below]", &series, end_s)?;
            Ok(series.at(0.0))
        }
        _ => Err(desk.key(Words::new(
            "[below] 须恰有其一：stage_m、slope（0 至 0.1）、series",
            "[below] needs exactly one of stage_m, slope (0…0.1), series",
        ))),
    }
}

fn ends_late_enough(desk: &Desk, part: &str, series: &Series, end_s: f64) -> Result<(), CaseFileFault> {
    let ends_s = series.ends_s();
    if ends_s >= end_s {
        return Ok(());
    }
    Err(desk.key(Words::new(
        format!("{part} 过程线止于 {ends_s} s，早于 end_s = {end_s}"),
        format!("{part} series ends at {ends_s} s, before end_s = {end_s}"),
    )))
}

fn line(river: &River, node: usize, row: &Row) -> String {
    let (bed, crest) = (river.bed_m(node), river.top_m(node));
    let wet = river.wetted(node, row.stage_m);
    let froude = (wet.alpha * row.velocity_ms * row.velocity_ms * wet.width_m / (9.81 * wet.area_m2)).sqrt();
    format!(
        "{},{bed:.3},{:.3},{:.4},{:.4},{:.4},{froude:.4},{crest:.3},{:.4}",
        river.nodes[node].chainage_m,
        row.discharge_m3s,
        row.stage_m,
        row.stage_m - bed,
        row.velocity_ms,
        crest - row.stage_m
    )
}

/// Highest stage at each dam, and the mean velocity of the section then.
fn at_dams(river: &River, rows: &[Row], dams: &[DamSite]) -> Vec<DamRow> {
    let column = |of: fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let (stages, speeds) = (column(|row| row.stage_m), column(|row| row.velocity_ms));
    let row = |dam: &DamSite| {
        Some(DamRow {
            id: dam.id.to_string(),
            chainage_m: dam.chainage_m,
            crest_m: dam.crest_m,
            stage_m: river.between(&stages, dam.chainage_m)?,
            velocity_ms: river.between(&speeds, dam.chainage_m)?,
        })
    };
    dams.iter().filter_map(row).collect()
}

fn dams_csv(dams: &[DamRow]) -> String {
    let mut csv = String::from("dam,chainage_m,crest_m,stage_m,freeboard_m,section_velocity_ms\n");
    for dam in dams {
        let DamRow { id, chainage_m, crest_m, stage_m, velocity_ms } = dam;
        let gap = dam.freeboard_m();
        let _ = writeln!(csv, "{id},{chainage_m},{crest_m:.2},{stage_m:.3},{gap:.3},{velocity_ms:.3}");
    }
    csv
}

type Surveyed = (Vec<(f64, Section)>, Vec<DamSite>);

fn sections(desk: &Desk, river: &RiverToml) -> Result<Surveyed, CaseFileFault> {
    let folder = river.reach.as_ref().map(|reach| desk.folder.join(reach));
    if let Some(path) = &river.sections {
        if folder.is_some() {
            let en = "[river] takes sections or reach, not both";
            return Err(desk.key(Words::new("[river] sections 与 reach 只取其一", en)));
        }
        return Ok((surveyed_file(desk, &desk.folder.join(path))?, Vec::new()));
    }
    let data = reaches::reach_from(folder.as_deref()).map_err(|fault| desk.key(fault))?;
    Ok((of_reach(desk, &data)?, data.dams))
}

/// Sections of a reach between its levees.
fn of_reach(desk: &Desk, data: &ReachData) -> Result<Vec<(f64, Section)>, CaseFileFault> {
    let mut surveyed = Vec::new();
    for points in data.sections.chunk_by(|a, b| a.section == b.section) {
        let Some(first) = points.first() else { continue };
        let channel = points.iter().position(|point| point.zone == "thalweg");
        let name = &first.section;
        let channel = channel.ok_or_else(|| {
            desk.key(Words::new(format!("断面 {name} 没有深泓点"), format!("section {name} has no thalweg")))
        })?;
        let from = points[..channel].iter().rposition(|point| point.zone == "levee").unwrap_or(0);
        let to = points[channel..].iter().position(|point| point.zone == "levee");
        let to = to.map_or(points.len() - 1, |at| channel + at);
        let inside = &points[from..=to];
        let lip = |point: &reaches::SectionPoint| point.zone == "lip";
        let lips = inside.iter().position(lip).zip(inside.iter().rposition(lip)).filter(|(left, right)| left < right);
        let point = |one: &reaches::SectionPoint| SectionPoint {
            across_m: one.north_m,
            height_m: one.elevation_m,
            manning: one.manning_n,
        };
        let section = Section::new(&first.section, inside.iter().map(point).collect(), lips);
        surveyed.push((first.chainage_m, section.map_err(|fault| desk.key(fault))?));
    }
    Ok(surveyed)
}

/// `section,chainage_m,across_m,height_m,manning_n,lip`, point by point from left to right; lip is 1 at the lips of the channel.
fn surveyed_file(desk: &Desk, path: &Path) -> Result<Vec<(f64, Section)>, CaseFileFault> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|cause| CaseFileFault::Unreadable { path: shown.clone(), cause })?;
    let head = "section,chainage_m,across_m,height_m,manning_n,lip";
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    if lines.next().is_none_or(|(_, line)| line.trim() != head) {
        return Err(desk
            .key(Words::new(format!("{shown} 首行须为 {head}"), format!("{shown}: the first line must be '{head}'"))));
    }
    let mut rows: Vec<(String, [f64; 5])> = Vec::new();
    for (at, line) in lines {
        let fault = || {
            desk.key(Words::new(
                format!("{shown} 第 {} 行须为断面名与五个有限数", at + 1),
                format!("{shown}:{}: '{line}' is not a name and five finite numbers", at + 1),
            ))
        };
        let (name, rest) = line.split_once(',').ok_or_else(fault)?;
        let numbers: Vec<f64> = rest.split(',').filter_map(|cell| cell.trim().parse().ok()).collect();
        let numbers: [f64; 5] = numbers.try_into().map_err(|_| fault())?;
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(fault());
        }
        rows.push((name.trim().to_owned(), numbers));
    }
    let mut surveyed = Vec::new();
    for rows in rows.chunk_by(|a, b| a.0 == b.0) {
        let Some((name, [chainage, ..])) = rows.first() else { continue };
        let lip = |row: &(String, [f64; 5])| row.1[4] == 1.0;
        let lips = rows.iter().position(lip).zip(rows.iter().rposition(lip)).filter(|(left, right)| left < right);
        let point = |(_, [_, across_m, height_m, manning, _]): &(String, [f64; 5])| SectionPoint {
            across_m: *across_m,
            height_m: *height_m,
            manning: *manning,
        };
        let section = Section::new(name, rows.iter().map(point).collect(), lips);
        surveyed.push((*chainage, section.map_err(|fault| desk.key(fault))?));
    }
    Ok(surveyed)
}

//! `anlan twin route`: a flood through a reach, with parameters given or found.
//!
//! In: a case file with series of inflow and, to calibrate, of measured outflow. Out: `outflow.csv` and `run.json` in a folder.

use super::case_file::{self, CaseFileFault};
use super::{CaseArgs, results, table};
use crate::app::verbs::Outcome;
use crate::forecast::route::{
    Best, CREST_FLAT, Cascade, Channel, Linear, Node, Nonlinear, Routed, Router, Search, Skill, crest, is_above,
    is_flat_topped, minimise, volume_m3,
};
use crate::hydraulics::Series;
use crate::playbook::Words;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Fewest points of a measured outflow that parameters are found from.
const LEAST_MEASURED: usize = 3;
/// From fewer measured points for each parameter, a fit is as good as certain and says little.
const POINTS_PER_PARAMETER: usize = 4;
/// Most steps of a run.
const MOST_STEPS: f64 = 5_000_000.0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    reach: ReachToml,
    inflow: Vec<InflowToml>,
    calibrate: Option<CalibrateToml>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Model {
    Muskingum,
    Nonlinear,
    ByDischarge,
    Cunge,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReachToml {
    model: Model,
    dt_s: f64,
    k_h: Option<f64>,
    x: Option<f64>,
    m: Option<f64>,
    parts: Option<usize>,
    #[serde(default)]
    node: Vec<NodeToml>,
    length_m: Option<f64>,
    width_m: Option<f64>,
    slope: Option<f64>,
    manning: Option<f64>,
    dx_m: Option<f64>,
    first_m3s: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeToml {
    q_m3s: f64,
    k_h: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InflowToml {
    series: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalibrateToml {
    outflow: PathBuf,
    #[serde(default = "first_seed")]
    seed: u64,
}

fn first_seed() -> u64 {
    1
}

struct Case {
    reach: ReachToml,
    begins_s: f64,
    inflow: Vec<f64>,
    /// Inflows that go on after the run, with their end in s: the run ends with the first of them.
    cut: Vec<(String, f64)>,
    measured: Option<(Series, u64)>,
}

struct Found {
    router: Router,
    best: Option<Best>,
    wall_ms: f64,
}

pub(super) fn run(args: &CaseArgs) -> Outcome {
    let begun = Instant::now();
    let case = Case::read(&args.case)?;
    let path = args.case.display().to_string();
    let key = |what: String| CaseFileFault::Key { path: path.clone(), what };
    let found = case.router().map_err(key)?;
    let dt_s = case.reach.dt_s;
    let routed = found.router.route(&case.inflow, dt_s, case.first_m3s()).map_err(|fault| key(fault.to_string()))?;
    std::fs::create_dir_all(&args.out)?;
    let mut text = String::from("time_s,discharge_m3s\n");
    for (step, q) in routed.outflow_m3s.iter().enumerate() {
        let _ = writeln!(text, "{},{q:.6}", case.begins_s + step as f64 * dt_s);
    }
    results::write_whole(&args.out.join("outflow.csv"), text.as_bytes())?;
    let mut told = case.tell(&found, &routed);
    told.insert("wall_s".into(), json!(begun.elapsed().as_secs_f64()));
    let told = Value::Object(told);
    Ok(results::finish(args, &told, || summary(&told, &args.out))?)
}

impl Case {
    fn read(path: &Path) -> Result<Self, CaseFileFault> {
        let shown = path.display().to_string();
        let key = |what: String| CaseFileFault::Key { path: shown.clone(), what };
        let toml: Toml = case_file::parse(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut inflows = Vec::new();
        for inflow in &toml.inflow {
            inflows.push((
                inflow.series.display().to_string(),
                table::read(&folder.join(&inflow.series), "discharge_m3s")?,
            ));
        }
        let Some((_, first)) = inflows.first() else {
            return Err(key(Words::new("没有 [[inflow]]", "there is no [[inflow]]").to_string()));
        };
        let (begins_s, ends_s, dt_s) = (first.begins_s(), first.ends_s(), toml.reach.dt_s);
        for (name, series) in &inflows {
            if series.ends_s() < ends_s || series.begins_s() > begins_s {
                let (from, to) = (series.begins_s(), series.ends_s());
                return Err(key(format!(
                    "[[inflow]] {name} 为 {from}…{to} s，未盖住首个的 {begins_s}…{ends_s} s (it covers {from}…{to} s, the first one {begins_s}…{ends_s} s)"
                )));
            }
        }
        if !(dt_s.is_finite() && dt_s > 0.0 && (ends_s - begins_s) / dt_s <= MOST_STEPS) {
            return Err(key(format!(
                "[reach] dt_s = {dt_s} 须大于零，步数不多于 {MOST_STEPS} (dt_s = {dt_s} must be above zero and give at most {MOST_STEPS} steps)"
            )));
        }
        let steps = ((ends_s - begins_s) / dt_s + 1e-9).floor() as usize;
        let at = |step: usize| inflows.iter().map(|(_, series)| series.at(begins_s + step as f64 * dt_s)).sum();
        let inflow = (0..=steps).map(at).collect();
        let longer = inflows.iter().filter(|(_, series)| series.ends_s() > ends_s);
        let cut = longer.map(|(name, series)| (name.clone(), series.ends_s())).collect();
        let measured = match &toml.calibrate {
            Some(asked) => Some((table::read(&folder.join(&asked.outflow), "discharge_m3s")?, asked.seed)),
            None => None,
        };
        let case = Self { reach: toml.reach, begins_s, inflow, cut, measured };
        case.check_measured().map_err(key)?;
        Ok(case)
    }

    /// Parameters cannot be found from a measured outflow that is too short or does not move.
    fn check_measured(&self) -> Result<(), String> {
        let Some(((series, _), (_, values))) = self.measured.as_ref().zip(self.measured()) else { return Ok(()) };
        let points = series.points().count();
        if points < LEAST_MEASURED {
            return Err(format!(
                "[calibrate] 实测出流只有 {points} 点，至少 {LEAST_MEASURED} 点 (outflow has {points} points: give {LEAST_MEASURED} or more)"
            ));
        }
        if values.len() < LEAST_MEASURED {
            return Err(
                "[calibrate] 实测出流与入流重合不足三步 (outflow shares fewer than three steps with the inflow)".into(),
            );
        }
        if values.windows(2).all(|pair| pair[0] == pair[1]) {
            let q = values.first().copied().unwrap_or_default();
            return Err(format!(
                "[calibrate] 实测出流恒为 {q} m³/s，不能率定 (outflow is {q} m³/s throughout: nothing can be found from it)"
            ));
        }
        Ok(())
    }

    /// Steps that have a measured value, and the values.
    fn measured(&self) -> Option<(std::ops::Range<usize>, Vec<f64>)> {
        let (series, _) = self.measured.as_ref()?;
        let time = |step: usize| self.begins_s + step as f64 * self.reach.dt_s;
        let held = |step: &usize| (series.begins_s() - 1e-6..=series.ends_s() + 1e-6).contains(&time(*step));
        let steps: Vec<usize> = (0..self.inflow.len()).filter(held).collect();
        let range = steps.first().copied().unwrap_or(0)..steps.last().map_or(0, |last| last + 1);
        let values = range.clone().map(|step| series.at(time(step))).collect();
        Some((range, values))
    }

    /// What the reach begins with: as given, as measured, or steady.
    fn first_m3s(&self) -> Option<f64> {
        let measured = || self.measured().filter(|(range, _)| range.start == 0)?.1.first().copied();
        self.reach.first_m3s.or_else(measured)
    }

    /// The router as given or as found.
    fn router(&self) -> Result<Found, String> {
        let Some((range, measured)) = self.measured() else {
            return Ok(Found { router: self.given()?, best: None, wall_ms: 0.0 });
        };
        let begun = Instant::now();
        let cost = |router: &Router| {
            let routed = router.route(&self.inflow, self.reach.dt_s, self.first_m3s()).ok();
            let skill = routed.and_then(|routed| Skill::of(routed.outflow_m3s.get(range.clone())?, &measured));
            skill.map_or(f64::MAX, |skill| skill.ssq)
        };
        let bounds = self.bounds()?;
        let seed = self.measured.as_ref().map_or(1, |(_, seed)| *seed);
        let mut failed = None;
        let best = minimise(&Search::new(bounds, seed), |at| match self.at(at) {
            Ok(router) => cost(&router),
            Err(fault) => {
                failed = Some(fault);
                f64::MAX
            }
        });
        if let Some(fault) = failed {
            return Err(fault);
        }
        if best.cost >= f64::MAX {
            return Err("范围内没有参数能稳定演算 (no parameters within the bounds give a stable run)".into());
        }
        let router = self.at(&best.parameters)?;
        Ok(Found { router, best: Some(best), wall_ms: begun.elapsed().as_secs_f64() * 1e3 })
    }

    fn need(&self, name: &str, value: Option<f64>) -> Result<f64, String> {
        let model = self.reach.model;
        value.ok_or_else(|| format!("[reach] 模型 {model:?} 缺 {name} (model {model:?} needs {name})"))
    }

    /// A channel, without its roughness.
    fn channel(&self, manning: f64) -> Result<Channel, String> {
        let reach = &self.reach;
        Ok(Channel {
            length_m: self.need("length_m", reach.length_m)?,
            width_m: self.need("width_m", reach.width_m)?,
            slope: self.need("slope", reach.slope)?,
            manning,
            dx_m: self.need("dx_m", reach.dx_m)?,
        })
    }

    fn given(&self) -> Result<Router, String> {
        let reach = &self.reach;
        Ok(match reach.model {
            Model::Muskingum => {
                Router::Linear(Linear { k_h: self.need("k_h", reach.k_h)?, x: self.need("x", reach.x)? })
            }
            Model::Nonlinear => Router::Nonlinear(Nonlinear {
                k_h: self.need("k_h", reach.k_h)?,
                x: self.need("x", reach.x)?,
                m: self.need("m", reach.m)?,
            }),
            Model::ByDischarge => {
                let node =
                    |one: &NodeToml| Ok(Node { q_m3s: one.q_m3s, k_h: self.need("[[reach.node]] k_h", one.k_h)? });
                let nodes = reach.node.iter().map(node).collect::<Result<_, String>>()?;
                Router::Cascade(Cascade { nodes, x: reach.x.unwrap_or(0.0), parts: reach.parts.unwrap_or(1) })
            }
            Model::Cunge => Router::Cunge(self.channel(self.need("manning", reach.manning)?)?),
        })
    }

    /// Travel times are searched on a logarithmic scale, from a twentieth of a step to half of the flood.
    fn bounds(&self) -> Result<Vec<(f64, f64)>, String> {
        let dt_h = self.reach.dt_s / 3600.0;
        let travel = ((dt_h / 20.0).ln(), (dt_h * self.inflow.len() as f64 / 2.0).ln());
        Ok(match self.reach.model {
            Model::Muskingum => vec![travel, (0.0, 0.5)],
            Model::Nonlinear => vec![travel, (0.0, 0.5), (0.5, 3.0)],
            Model::ByDischarge if self.reach.node.is_empty() => {
                return Err(
                    "[calibrate] by-discharge 须有带 q_m3s 的 [[reach.node]] (it needs [[reach.node]] with q_m3s)"
                        .into(),
                );
            }
            Model::ByDischarge => {
                let mut bounds = vec![travel; self.reach.node.len()];
                bounds.push((0.0, 0.5));
                bounds
            }
            Model::Cunge => vec![(0.006_f64.ln(), 0.2_f64.ln())],
        })
    }

    /// The router at a point of the search.
    fn at(&self, point: &[f64]) -> Result<Router, String> {
        let reach = &self.reach;
        Ok(match (reach.model, point) {
            (Model::Muskingum, [k, x]) => Router::Linear(Linear { k_h: k.exp(), x: *x }),
            (Model::Nonlinear, [k, x, m]) => {
                let mean = self.inflow.iter().sum::<f64>() / self.inflow.len() as f64;
                Router::Nonlinear(Nonlinear::from_travel_time(k.exp(), mean.max(1e-6), *x, *m))
            }
            (Model::ByDischarge, [travel @ .., x]) => {
                let nodes = reach.node.iter().zip(travel).map(|(one, k)| Node { q_m3s: one.q_m3s, k_h: k.exp() });
                Router::Cascade(Cascade { nodes: nodes.collect(), x: *x, parts: reach.parts.unwrap_or(1) })
            }
            (Model::Cunge, [n]) => Router::Cunge(self.channel(n.exp())?),
            _ => return Err("率定参数个数不符 (the search lost its parameters)".into()),
        })
    }

    fn tell(&self, found: &Found, routed: &Routed) -> Map<String, Value> {
        let dt_s = self.reach.dt_s;
        let (into, out) = (volume_m3(&self.inflow, dt_s), volume_m3(&routed.outflow_m3s, dt_s));
        let is_flat = is_flat_topped(&self.inflow, dt_s);
        let crest_in = crest(&self.inflow, f64::INFINITY, is_flat).unwrap_or((0, 0.0));
        let crest_out = crest(&routed.outflow_m3s, crest_in.1, is_flat).unwrap_or((0, 0.0));
        let reached = !rises_at_the_end(&routed.outflow_m3s, crest_in);
        let mut told = Map::new();
        let mut say = |key: &str, value: Value| told.insert(key.into(), value);
        say("model", json!(found.router.name()));
        for (key, value) in parameters(&found.router) {
            say(key, value);
        }
        say("dt_s", json!(dt_s));
        say("steps", json!(self.inflow.len() - 1));
        say("volume_in_m3", json!(into));
        say("volume_out_m3", json!(out));
        say("volume_stored_m3", json!(routed.stored_m3));
        say("volume_error", json!((into - out - routed.stored_m3) / into.max(1e-9)));
        say("peak_in_m3s", json!(crest_in.1));
        say("peak_out_m3s", json!(crest_out.1));
        say("crest_reached", json!(reached));
        say("peak_lag_s", json!(reached.then_some((crest_out.0 as f64 - crest_in.0 as f64) * dt_s)));
        say("below_zero_steps", json!(routed.below_zero));
        say("clipped_steps", json!(routed.clipped));
        say("warning", json!(self.warning(found, routed, crest_in, crest_out)));
        if let Some((range, measured)) = self.measured()
            && let Some(skill) = routed.outflow_m3s.get(range).and_then(|ours| Skill::of(ours, &measured))
        {
            say("ssq", json!(skill.ssq));
            say("nse", json!(skill.nse));
            say("grade", json!(skill.grade()));
            say("bias_m3s", json!(skill.bias));
            say("peak_error", json!(skill.peak_error));
            say("peak_late_s", json!(skill.peak_late_steps as f64 * dt_s));
        }
        if let Some(best) = &found.best {
            say("measured_points", json!(self.measured_points()));
            say("evaluations", json!(best.evaluations));
            say("calibration_ms", json!(found.wall_ms));
        }
        told
    }

    /// Measured points within the run.
    fn measured_points(&self) -> usize {
        let ends_s = self.begins_s + (self.inflow.len() - 1) as f64 * self.reach.dt_s;
        let within = |[time_s, _]: &[f64; 2]| (self.begins_s..=ends_s).contains(time_s);
        self.measured.as_ref().map_or(0, |(series, _)| series.points().filter(within).count())
    }

    /// What is wrong with a run. Crests are step and height, m³/s: at step 0 the outflow was given, not computed.
    fn warning(
        &self,
        found: &Found,
        routed: &Routed,
        crest_in: (usize, f64),
        crest_out: (usize, f64),
    ) -> Option<String> {
        let mut said = Vec::new();
        let ends_s = self.begins_s + (self.inflow.len() - 1) as f64 * self.reach.dt_s;
        if routed.below_zero > 0 || routed.clipped > 0 {
            said.push("出流或蓄量曾低于零：dt_s 或参数不合适 (outflow or storage fell below zero: dt_s or parameters do not suit)".to_owned());
        }
        let ((_, came), (step, out)) = (crest_in, crest_out);
        if step > 0 && is_above(out, came) {
            said.push(format!(
                "出流洪峰 {out:.1} 高于入流洪峰 {came:.1} m³/s，河道不会如此：dt_s、dx_m 或参数不合适 (the crest of the outflow, {out:.1}, is above that of the inflow, {came:.1} m³/s, which no reach does: dt_s, dx_m or parameters do not suit)"
            ));
        }
        if rises_at_the_end(&routed.outflow_m3s, crest_in) {
            let last = routed.outflow_m3s.last().copied().unwrap_or_default();
            said.push(format!(
                "演算止于 {ends_s} s 时出流 {last:.1} m³/s 仍在上涨，洪峰未到：延长 [[inflow]] (outflow still rising at the end, {ends_s} s, with {last:.1} m³/s: crest not reached, extend [[inflow]])"
            ));
        }
        for (name, to) in &self.cut {
            said.push(format!(
                "[[inflow]] {name} 至 {to} s，演算只到首个的末尾 {ends_s} s，其后未计 (it goes on to {to} s, the run ends with the first one at {ends_s} s: what follows is left out)"
            ));
        }
        if let Some(best) = &found.best {
            let (points, parameters) = (self.measured_points(), best.parameters.len());
            if points < POINTS_PER_PARAMETER * parameters {
                said.push(format!(
                    "率定 {parameters} 个参数只有 {points} 个实测点：拟合等级说明不了预报 (only {points} measured points for {parameters} parameters: the grade of the fit says little of a forecast)"
                ));
            }
        }
        (!said.is_empty()).then(|| said.join("；"))
    }
}

/// Whether the outflow still rises at the end of the run towards the crest that went in: its own crest is not known then. `crest_in` is
/// step and height, m³/s.
fn rises_at_the_end(outflow_m3s: &[f64], crest_in: (usize, f64)) -> bool {
    let (from, came) = crest_in;
    let since = outflow_m3s.get(from..).unwrap_or_default();
    let [before @ .., last] = since else { return false };
    let highest_before = before.iter().copied().reduce(f64::max);
    let rises = highest_before.map_or(from > 0, |highest| is_above(*last, highest));
    rises && *last < came * (1.0 - CREST_FLAT)
}

fn parameters(router: &Router) -> Vec<(&'static str, Value)> {
    match router {
        Router::Linear(one) => vec![("k_h", json!(one.k_h)), ("x", json!(one.x))],
        Router::Nonlinear(one) => vec![("k_h", json!(one.k_h)), ("x", json!(one.x)), ("m", json!(one.m))],
        Router::Cascade(one) => {
            let nodes: Vec<Value> =
                one.nodes.iter().map(|node| json!({ "q_m3s": node.q_m3s, "k_h": node.k_h })).collect();
            vec![("nodes", json!(nodes)), ("x", json!(one.x)), ("parts", json!(one.parts))]
        }
        Router::Cunge(one) => vec![
            ("length_m", json!(one.length_m)),
            ("width_m", json!(one.width_m)),
            ("slope", json!(one.slope)),
            ("manning", json!(one.manning)),
            ("cells", json!(one.cells())),
        ],
    }
}

/// A run in two lines, Chinese first, and how well it fits.
fn summary(told: &Value, out: &Path) -> String {
    let number = |key: &str| told[key].as_f64().unwrap_or(f64::NAN);
    let fit = told["ssq"].as_f64().zip(told["nse"].as_f64()).map_or_else(String::new, |(ssq, nse)| {
        format!(
            "\nSSQ {ssq:.4}，确定性系数 NSE {nse:.4}，率定期 {}，实测 {} 点 (grade of the calibration, not of a forecast; measured points)",
            told["grade"].as_str().unwrap_or_default(),
            told["measured_points"]
        )
    });
    let (crest_in, crest_out) = (number("peak_in_m3s"), number("peak_out_m3s"));
    let (passed, passed_en) = match told["peak_lag_s"].as_f64() {
        Some(lag_s) => {
            let lag_h = lag_s / 3600.0;
            (format!("{crest_out:.1} m³/s，传播 {lag_h:.1} h"), format!("{crest_out:.1} m³/s, {lag_h:.1} h later"))
        }
        None => ("未到（出流仍在上涨）".to_owned(), "not reached (outflow still rising at the end)".to_owned()),
    };
    format!(
        "{}：洪峰 {crest_in:.1} → {passed}，水量误差 {:.1e}\n{}: crest {crest_in:.1} → {passed_en}, water balance error {:.1e}{fit}",
        out.display(),
        number("volume_error"),
        told["model"].as_str().unwrap_or_default(),
        number("volume_error"),
    )
}

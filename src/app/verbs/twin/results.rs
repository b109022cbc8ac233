//! What a run writes: rasters, gauges, `run.json`.
//!
//! In: a run. Out: files in one folder; each is written whole under another name and then renamed, so that a full disk never
//! leaves half a raster behind. A new run takes away what an older one left there, and nothing else.

use super::case_file::{CaseFile, Gauge};
use super::geotiff::{self, Projection};
use super::raster;
use crate::hydraulics::{Grid, Inundation, Scheme, WaterBalance};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Why results cannot be written or a checkpoint not be read.
#[derive(Debug, Error)]
pub(super) enum ResultFault {
    #[error("不可写 (cannot write {path})")]
    Unwritable {
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("不可读 (cannot read {path})")]
    Unreadable {
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error(
        "{path} 是本算例的输入，结果会覆盖它：请换 --out (a result would overwrite {path}, which the case reads: choose another --out)"
    )]
    Input { path: String },
}

impl ResultFault {
    pub(super) fn write(path: &Path, cause: std::io::Error) -> Self {
        Self::Unwritable { path: path.display().to_string(), cause }
    }

    pub(super) fn read(path: &Path, cause: std::io::Error) -> Self {
        Self::Unreadable { path: path.display().to_string(), cause }
    }
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ResultFault> {
    let part = path.with_added_extension("part");
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|cause| {
        // What could be written of it helps nobody; the fault that counts is the one above.
        let _ = std::fs::remove_file(&part);
        ResultFault::write(path, cause)
    })
}

/// Says a text and a line break on standard output. A reader that went away is no fault: it had enough.
pub(super) fn say(text: &str) -> Result<(), ResultFault> {
    say_to(std::io::stdout().lock(), text)
}

fn say_to(mut out: impl std::io::Write, text: &str) -> Result<(), ResultFault> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        said => said.map_err(|cause| ResultFault::write(Path::new("stdout"), cause)),
    }
}

/// Writes `run.json` and says it on standard output: as JSON, or in words. Its warning goes to standard error.
pub(super) fn finish(args: &super::CaseArgs, told: &Value, words: impl FnOnce() -> String) -> Result<(), ResultFault> {
    write_whole(&args.out.join("run.json"), format!("{told:#}\n").as_bytes())?;
    if let Some(text) = told["warning"].as_str() {
        // Whoever closed standard error finds it in run.json.
        let _ = writeln!(std::io::stderr(), "注意 {text}");
    }
    say(&if args.json { told.to_string() } else { words() })
}

/// Volume error above which a run is warned of: what rounding makes of long runs lies far below.
const MOST_VOLUME_ERROR: f64 = 1e-5;

fn volume_warning(balance: &WaterBalance) -> Option<String> {
    let (error, clipped_m3) = (balance.error(), balance.clipped_m3);
    (error.abs() > MOST_VOLUME_ERROR || error.is_nan()).then(|| {
        format!(
            "水量误差 {error:.1e}：格式造水或失水，截去负水深 clipped_m3 = {clipped_m3:.1} m³，请减小 cfl 或更换格式 (volume error {error:.1e}: the scheme made or lost water, clipped_m3 = {clipped_m3:.1} m³; lower cfl or choose another scheme)"
        )
    })
}

/// Rasters that a run writes once, at its end.
const RECORDS: [&str; 3] = ["max_depth", "arrival_s", "max_hazard"];

/// Whether a file of this name is a result of a run.
fn is_result(name: &str) -> bool {
    if matches!(name, "gauges.csv" | "run.json") {
        return true;
    }
    let Some(stem) = name.strip_suffix(".asc").or(name.strip_suffix(".tif")) else { return false };
    RECORDS.contains(&stem) || stem.strip_prefix("depth_").is_some_and(is_time)
}

/// A raster of depths at a moment, without its ending.
fn depth_name(time_s: f64) -> String {
    format!("depth_{time_s}")
}

fn is_time(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The folder of one run's results.
pub(super) struct Folder {
    path: PathBuf,
    grid: Grid,
    /// Rasters are GeoTIFF with this projection; without one they are ESRI ASCII grids.
    geotiff: Option<Projection>,
    /// When something is due, s; at any other time the run was interrupted and goes on from its checkpoint.
    due_s: Vec<f64>,
    /// Files that the case itself was read from; a run may begin with the depths that an older one left.
    kept: Vec<PathBuf>,
}

impl Folder {
    /// Makes the folder.
    pub(super) fn open(path: &Path, file: &CaseFile, geotiff: bool) -> Result<Self, ResultFault> {
        std::fs::create_dir_all(path).map_err(|cause| ResultFault::write(path, cause))?;
        let geotiff = geotiff.then(|| file.projection.clone().unwrap_or_else(Projection::unnamed));
        let kept = file.inputs.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let made = Self { path: path.to_owned(), grid: file.case.grid, geotiff, due_s: file.output_times(), kept };
        let mut written = made.names().into_iter().map(|name| path.join(name));
        match written.find(|path| path.canonicalize().is_ok_and(|whole| made.kept.contains(&whole))) {
            Some(path) => Err(ResultFault::Input { path: path.display().to_string() }),
            None => Ok(made),
        }
    }

    /// Names of the files that the run will write.
    fn names(&self) -> Vec<String> {
        let depths = self.due_s.iter().map(|time_s| depth_name(*time_s));
        let rasters = RECORDS.iter().map(|name| (*name).to_owned()).chain(depths);
        let rasters = rasters.map(|name| format!("{name}.{}", self.ending()));
        rasters.chain(["gauges.csv", "run.json", "checkpoint.bin"].map(str::to_owned)).collect()
    }

    /// Of its rasters.
    fn ending(&self) -> &'static str {
        if self.geotiff.is_some() { "tif" } else { "asc" }
    }

    /// Takes away the results of an older run: beside those of a new one they would pass for its own.
    fn clear(&self) -> Result<(), ResultFault> {
        let entries = std::fs::read_dir(&self.path).map_err(|cause| ResultFault::read(&self.path, cause))?;
        for entry in entries {
            let path = entry.map_err(|cause| ResultFault::read(&self.path, cause))?.path();
            let ours = path.file_name().and_then(|name| name.to_str()).is_some_and(is_result) && path.is_file();
            if ours && path.canonicalize().is_ok_and(|whole| !self.kept.contains(&whole)) {
                std::fs::remove_file(&path).map_err(|cause| ResultFault::write(&path, cause))?;
            }
        }
        Ok(())
    }

    /// Writes a raster, holes of the terrain as holes; `name` comes without its ending.
    fn write(&self, run: &Inundation, name: &str, mut values: Vec<f32>) -> Result<(), ResultFault> {
        let holes = values.iter_mut().zip(run.has_ground()).filter(|(_, has_ground)| !has_ground);
        holes.for_each(|(value, _)| *value = f32::NAN);
        let path = self.path.join(format!("{name}.{}", self.ending()));
        let bytes = match &self.geotiff {
            Some(projection) => geotiff::bytes(&self.grid, &values, projection)
                .map_err(|what| ResultFault::write(&path, std::io::Error::other(what.to_string())))?,
            None => raster::text(&self.grid, &values).into_bytes(),
        };
        write_whole(&path, &bytes)
    }

    /// `depth_<seconds>`, if it is due.
    pub(super) fn write_depth(&self, run: &Inundation) -> Result<(), ResultFault> {
        if !self.due_s.contains(&run.time_s()) {
            return Ok(());
        }
        self.write(run, &depth_name(run.time_s()), run.depth_m())
    }

    /// `max_depth`, `arrival_s`, `max_hazard`.
    pub(super) fn write_records(&self, run: &Inundation) -> Result<(), ResultFault> {
        let [depth, arrival, hazard] = RECORDS;
        self.write(run, depth, run.highest_depth_m())?;
        self.write(run, arrival, run.arrival_s())?;
        self.write(run, hazard, run.highest_hazard_m2s())
    }

    /// `gauges.csv`, to be gone on with, or new: then what an older run left in the folder is taken away.
    pub(super) fn gauges(&self, gauges: &[Gauge], go_on: bool) -> Result<GaugeFile, ResultFault> {
        if !go_on {
            self.clear()?;
        }
        let path = self.path.join("gauges.csv");
        let go_on = go_on && path.exists();
        let opened = std::fs::OpenOptions::new().create(true).write(true).append(go_on).truncate(!go_on).open(&path);
        let mut file = opened.map_err(|cause| ResultFault::write(&path, cause))?;
        if !go_on {
            let head = b"time_s,name,depth_m,stage_m,u_ms,v_ms\n";
            file.write_all(head).map_err(|cause| ResultFault::write(&path, cause))?;
        }
        Ok(GaugeFile { path, file, gauges: gauges.to_vec(), due_s: self.due_s.clone(), to_cut: go_on })
    }
}

/// `gauges.csv`.
pub(super) struct GaugeFile {
    path: PathBuf,
    file: std::fs::File,
    gauges: Vec<Gauge>,
    due_s: Vec<f64>,
    /// Whether lines of a run that got further than its checkpoint may still be there.
    to_cut: bool,
}

impl GaugeFile {
    /// One line for each gauge, if they are due.
    pub(super) fn write(&mut self, run: &Inundation) -> Result<(), ResultFault> {
        if !self.due_s.contains(&run.time_s()) {
            return Ok(());
        }
        if std::mem::take(&mut self.to_cut) {
            self.cut(run.time_s())?;
        }
        let mut lines = String::new();
        for gauge in &self.gauges {
            let Some(water) = run.at(gauge.cell) else { continue };
            let _ = writeln!(
                lines,
                "{},{},{:.6},{:.6},{:.6},{:.6}",
                run.time_s(),
                gauge.name,
                water.depth_m,
                water.stage_m,
                water.u_ms,
                water.v_ms
            );
        }
        self.file.write_all(lines.as_bytes()).map_err(|cause| ResultFault::write(&self.path, cause))
    }

    /// Drops the lines from `from_s` on, and one that was not written to its end.
    fn cut(&mut self, from_s: f64) -> Result<(), ResultFault> {
        let text = std::fs::read_to_string(&self.path).map_err(|cause| ResultFault::read(&self.path, cause))?;
        let time = |line: &str| line.split_once(',').and_then(|(time, _)| time.parse::<f64>().ok());
        let stays = |line: &&str| line.ends_with('\n') && time(line).is_none_or(|time_s| time_s < from_s);
        let kept: String = text.split_inclusive('\n').filter(stays).collect();
        write_whole(&self.path, kept.as_bytes())?;
        let opened = std::fs::OpenOptions::new().append(true).open(&self.path);
        self.file = opened.map_err(|cause| ResultFault::write(&self.path, cause))?;
        Ok(())
    }
}

/// What `run.json` says besides the run itself.
pub(super) struct RunStory {
    workers: usize,
    vectors: &'static str,
    scheme_reason: &'static str,
    nodata_cells: usize,
}

impl RunStory {
    pub(super) fn new(file: &CaseFile, workers: usize, vectors: &'static str) -> Self {
        Self { workers, vectors, scheme_reason: file.scheme_reason, nodata_cells: file.nodata_cells }
    }

    pub(super) fn finish(&self, run: &Inundation, wall: Duration) -> Value {
        let (balance, cells, wall_s) = (run.balance(), run.grid().cells(), wall.as_secs_f64());
        let fast = (run.scheme() == Scheme::LocalInertia && run.froude_above_limit_m2() > 0.0).then(|| {
            "弗劳德数超过 0.8，局部惯性格式不适用 (Froude numbers above 0.8: local inertia does not hold there; run scheme = \"full2\")".to_owned()
        });
        let warnings: Vec<String> = fast.into_iter().chain(volume_warning(&balance)).collect();
        let warning = (!warnings.is_empty()).then(|| warnings.join("；"));
        json!({
            "cells": cells,
            "nodata_cells": self.nodata_cells,
            "steps": run.steps(),
            "end_s": run.time_s(),
            "wall_s": wall_s,
            "mcups": cells as f64 * run.steps() as f64 / wall_s.max(1e-9) / 1e6,
            "swept_cells": run.swept_cells(),
            "scheme": run.scheme().name(),
            "scheme_reason": self.scheme_reason,
            "threads": self.workers,
            "cpu": processor(),
            "vectors": self.vectors,
            "volume_initial_m3": balance.initial_m3,
            "volume_in_m3": balance.in_m3,
            "volume_out_m3": balance.out_m3,
            "volume_stored_m3": balance.stored_m3,
            "volume_error": balance.error(),
            "clipped_m3": balance.clipped_m3,
            "max_froude": run.highest_froude(),
            "froude_over_0_8_area_m2": run.froude_above_limit_m2(),
            "warning": warning,
            "breaches_opened_s": run.breaches_opened_s(),
            "state_hash": run.state_hash(),
        })
    }
}

/// Name of the processor as Linux tells it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    line.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// A run in two lines, Chinese first.
pub(super) fn summary(told: &Value, out: &Path) -> String {
    let number = |key: &str| told[key].as_f64().unwrap_or(f64::NAN);
    format!(
        "{}：{} 格，{} 步，{:.1} s，水量误差 {:.1e}，最大弗劳德数 {:.2}\n{} cells, {} steps, {}, water balance error {:.1e}, clipped {:.1} m³",
        out.display(),
        told["cells"],
        told["steps"],
        number("wall_s"),
        number("volume_error"),
        number("max_froude"),
        told["cells"],
        told["steps"],
        told["scheme"].as_str().unwrap_or_default(),
        number("volume_error"),
        number("clipped_m3"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hydraulics::{Case, Cell};

    #[test]
    fn twin_results_warn_of_water_that_a_scheme_made() {
        let of = |stored_m3: f64| {
            volume_warning(&WaterBalance {
                initial_m3: 100.0,
                in_m3: 900.0,
                stored_m3,
                clipped_m3: 0.5,
                ..Default::default()
            })
        };
        assert_eq!((of(1000.0), of(1000.005)), (None, None));
        for (stored_m3, error) in [(1000.5, "5.0e-4"), (999.0, "-1.0e-3"), (f64::NAN, "NaN")] {
            let said = of(stored_m3).unwrap();
            assert!(said.contains(&format!("水量误差 {error}")) && said.contains("clipped_m3 = 0.5 m³"), "{said}");
        }
    }

    #[test]
    fn twin_results_know_their_own_names() {
        let check = |name: &str, expected: bool| assert_eq!(is_result(name), expected, "{name}");
        for name in ["depth_0.asc", "depth_7859.99054813385.tif", "max_depth.asc", "arrival_s.tif", "run.json"] {
            check(name, true);
        }
        for name in [
            "depth_inf.asc",
            "depth_survey.asc",
            "depth_0.asc.aux.xml",
            "dem.asc",
            "checkpoint.bin",
            "max_depth.qgz",
            "q.csv",
        ] {
            check(name, false);
        }
    }

    #[test]
    fn twin_results_of_an_interrupted_moment_are_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let grid = Grid { columns: 3, rows: 2, cell_m: 10.0, west_m: 0.0, south_m: 0.0 };
        let folder =
            Folder { path: dir.path().to_owned(), grid, geotiff: None, due_s: vec![0.0, 20.0], kept: Vec::new() };
        let gauge = Gauge { name: "P1".into(), cell: Cell { column: 0, row: 0 } };
        let mut gauges = folder.gauges(&[gauge], false).unwrap();
        let mut run = Inundation::new(Case::new(grid, vec![1.0; 6], 0.03, Scheme::Full2, 20.0), 1).unwrap();
        for time_s in [0.0, 7.5, 20.0] {
            run.advance(time_s, &|_| true).unwrap();
            folder.write_depth(&run).unwrap();
            gauges.write(&run).unwrap();
        }
        assert!(dir.path().join("depth_0.asc").exists() && dir.path().join("depth_20.asc").exists());
        assert!(!dir.path().join("depth_7.5.asc").exists());
        let text = std::fs::read_to_string(dir.path().join("gauges.csv")).unwrap();
        assert_eq!(text.lines().filter_map(|line| line.split(',').next()).collect::<Vec<_>>(), ["time_s", "0", "20"]);
    }

    #[test]
    fn twin_results_leave_the_holes_of_the_terrain_holes() {
        let grid = Grid { columns: 3, rows: 2, cell_m: 10.0, west_m: 0.0, south_m: 0.0 };
        let mut case = Case::new(grid, vec![1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0], 0.03, Scheme::Full2, 20.0);
        case.depth_m = vec![0.5; 6];
        case.depth_m[2] = 0.0;
        let run = Inundation::new(case, 1).unwrap();
        for geotiff in [None, Some(Projection::unnamed())] {
            let dir = tempfile::tempdir().unwrap();
            let ending = if geotiff.is_some() { "tif" } else { "asc" };
            let path = dir.path().to_owned();
            let folder = Folder { path, grid, geotiff, due_s: vec![0.0], kept: Vec::new() };
            folder.write_depth(&run).unwrap();
            folder.write_records(&run).unwrap();
            for name in ["depth_0", "max_depth", "arrival_s", "max_hazard"] {
                let read = raster::read(&dir.path().join(format!("{name}.{ending}"))).unwrap();
                assert!(read.values[1].is_nan(), "{name}: {:?}", read.values);
                // Where water never came there is no arrival, but a depth.
                assert_eq!(read.values[2].is_nan(), name == "arrival_s", "{name}: {:?}", read.values);
            }
        }
    }

    #[test]
    fn twin_results_warn_of_made_and_lost_water() {
        let balance = |stored_m3| WaterBalance { in_m3: 1000.0, stored_m3, clipped_m3: 2.5, ..WaterBalance::default() };
        assert_eq!(volume_warning(&balance(1000.009)), None);
        for stored_m3 in [1000.02, 999.98] {
            let said = volume_warning(&balance(stored_m3)).unwrap();
            assert!(said.contains("水量误差") && said.contains("clipped_m3 = 2.5 m³; lower cfl"), "{said}");
        }
    }

    #[test]
    fn twin_results_say_to_a_closed_pipe_and_to_a_full_disk() {
        struct Broken(std::io::ErrorKind);
        impl std::io::Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        assert!(say_to(Broken(std::io::ErrorKind::BrokenPipe), "x").is_ok());
        let fault = say_to(Broken(std::io::ErrorKind::StorageFull), "x").unwrap_err();
        assert!(fault.to_string().contains("cannot write stdout"), "{fault}");
    }
}

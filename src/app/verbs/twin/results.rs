//! What a run writes: rasters, gauges, `run.json`.
//!
//! In: a run. Out: files in one folder; each is written whole under another name and then renamed, so that a full disk never
//! leaves half a raster behind.

use super::case_file::{CaseFile, Gauge};
use super::geotiff::{self, Projection};
use super::raster;
use crate::hydraulics::{Grid, Inundation, Scheme};
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

/// Writes `run.json` and says it on standard output: as JSON, or in words.
pub(super) fn finish(args: &super::CaseArgs, told: &Value, words: impl FnOnce() -> String) -> Result<(), ResultFault> {
    write_whole(&args.out.join("run.json"), format!("{told:#}\n").as_bytes())?;
    println!("{}", if args.json { told.to_string() } else { words() });
    Ok(())
}

/// The folder of one run's results.
pub(super) struct Folder {
    path: PathBuf,
    grid: Grid,
    /// Rasters are GeoTIFF with this projection; without one they are ESRI ASCII grids.
    geotiff: Option<Projection>,
}

impl Folder {
    /// Makes the folder.
    pub(super) fn open(path: &Path, file: &CaseFile, geotiff: bool) -> Result<Self, ResultFault> {
        std::fs::create_dir_all(path).map_err(|cause| ResultFault::write(path, cause))?;
        let geotiff = geotiff.then(|| file.projection.clone().unwrap_or_else(Projection::unnamed));
        Ok(Self { path: path.to_owned(), grid: file.case.grid, geotiff })
    }

    /// Writes a raster; `name` comes without its ending.
    fn write(&self, name: &str, values: &[f32]) -> Result<(), ResultFault> {
        let ending = if self.geotiff.is_some() { "tif" } else { "asc" };
        let path = self.path.join(format!("{name}.{ending}"));
        let bytes = match &self.geotiff {
            Some(projection) => geotiff::bytes(&self.grid, values, projection)
                .map_err(|what| ResultFault::write(&path, std::io::Error::other(what)))?,
            None => raster::text(&self.grid, values).into_bytes(),
        };
        write_whole(&path, &bytes)
    }

    /// `depth_<seconds>`.
    pub(super) fn write_depth(&self, run: &Inundation) -> Result<(), ResultFault> {
        self.write(&format!("depth_{}", run.time_s()), &run.depth_m())
    }

    /// `max_depth`, `arrival_s`, `max_hazard`.
    pub(super) fn write_records(&self, run: &Inundation) -> Result<(), ResultFault> {
        self.write("max_depth", &run.highest_depth_m())?;
        self.write("arrival_s", &run.arrival_s())?;
        self.write("max_hazard", &run.highest_hazard_m2s())
    }

    /// `gauges.csv`, new, or to be gone on with.
    pub(super) fn gauges(&self, gauges: &[Gauge], go_on: bool) -> Result<GaugeFile, ResultFault> {
        let path = self.path.join("gauges.csv");
        let go_on = go_on && path.exists();
        let opened = std::fs::OpenOptions::new().create(true).write(true).append(go_on).truncate(!go_on).open(&path);
        let mut file = opened.map_err(|cause| ResultFault::write(&path, cause))?;
        if !go_on {
            let head = b"time_s,name,depth_m,stage_m,u_ms,v_ms\n";
            file.write_all(head).map_err(|cause| ResultFault::write(&path, cause))?;
        }
        Ok(GaugeFile { path, file, gauges: gauges.to_vec() })
    }
}

/// `gauges.csv`.
pub(super) struct GaugeFile {
    path: PathBuf,
    file: std::fs::File,
    gauges: Vec<Gauge>,
}

impl GaugeFile {
    /// One line for each gauge.
    pub(super) fn write(&mut self, run: &Inundation) -> Result<(), ResultFault> {
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
        let warning = (run.scheme() == Scheme::LocalInertia && run.froude_above_limit_m2() > 0.0).then_some(
            "Froude numbers above 0.8: local inertia does not hold there; run scheme = \"full2\" (弗劳德数超过 0.8，局部惯性格式不适用)",
        );
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
    let warning = told["warning"].as_str().map(|text| format!("\n注意 {text}")).unwrap_or_default();
    format!(
        "{}：{} 格，{} 步，{:.1} s，水量误差 {:.1e}，最大弗劳德数 {:.2}\n{} cells, {} steps, {}, water balance error {:.1e}, clipped {:.1} m³{warning}",
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

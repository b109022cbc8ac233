//! Other flood models on the cases of `anlan bench flood2d`, in the same run on the same machine.
//!
//! In: a case, the name of a model that is installed in a Python environment of its own. Out: what `benches/peers/peer.py` measured.
//! The case is written out value for value, so that no two definitions of it can differ.

use crate::hydraulics::{Case, Manning};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Another flood model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Peer {
    /// Itzi 25.8: local inertia.
    Itzi,
    /// landlab, OverlandFlow: local inertia.
    Landlab,
    /// ANUGA 4.1, DE0: full equations, second order.
    Anuga,
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Itzi => "itzi",
            Self::Landlab => "landlab",
            Self::Anuga => "anuga",
        }
    }
}

/// Where the environments and the script are.
pub(super) struct Bench {
    /// A folder with one Python environment a model, named after it.
    pub environments: PathBuf,
    pub script: PathBuf,
    pub threads: usize,
    /// Wall time after which a model is stopped, s.
    pub limit_s: f64,
}

/// What a model did.
pub(super) struct Told {
    pub version: String,
    pub steps: u64,
    pub simulated_s: f64,
    pub wall_s: f64,
    pub volume_m3: f64,
}

impl Bench {
    /// Runs a model on a case.
    pub(super) fn run(&self, peer: Peer, case: &Case) -> Result<Told, Box<dyn Error>> {
        let folder = tempfolder(peer)?;
        let told = write(case, &folder).and_then(|()| self.call(peer, &folder));
        fs::remove_dir_all(&folder)?;
        told
    }

    fn call(&self, peer: Peer, folder: &Path) -> Result<Told, Box<dyn Error>> {
        let python = self.environments.join(peer.name()).join("bin/python");
        let mut command = Command::new(&python);
        command.arg(&self.script).arg(peer.name()).arg(folder);
        command.args(["--threads", &self.threads.to_string(), "--limit-s", &self.limit_s.to_string()]);
        let output = command.stdin(Stdio::null()).output().map_err(|cause| {
            format!("cannot start {}: {cause}; benches/peers/README.md says how to install it", python.display())
        })?;
        if !output.status.success() {
            return Err(format!("{}: {}", peer.name(), String::from_utf8_lossy(&output.stderr)).into());
        }
        let told: Value = serde_json::from_slice(&output.stdout)?;
        let number = |key: &str| told[key].as_f64().ok_or_else(|| format!("{} tells no {key}", peer.name()));
        Ok(Told {
            version: told["version"].as_str().unwrap_or_default().to_owned(),
            steps: number("steps")? as u64,
            simulated_s: number("simulated_s")?,
            wall_s: number("wall_s")?,
            volume_m3: number("volume_m3")?,
        })
    }
}

fn tempfolder(peer: Peer) -> std::io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("anlan-bench-{}-{}", peer.name(), std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes what `peer.py` reads.
fn write(case: &Case, folder: &Path) -> Result<(), Box<dyn Error>> {
    let Manning::Uniform(manning) = case.manning else { return Err("peers take one Manning's n".into()) };
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    fs::write(folder.join("bed.f32"), bytes(&case.bed_m))?;
    let dry = vec![0.0; case.grid.cells()];
    fs::write(folder.join("depth.f32"), bytes(if case.depth_m.is_empty() { &dry } else { &case.depth_m }))?;
    let inflow = case.inflows.first();
    let cells = inflow.map(|inflow| case.grid.cells_along(&inflow.line)).unwrap_or_default();
    let inlet: Vec<Value> = cells.iter().map(|(cell, _)| json!({"row": cell.row, "column": cell.column})).collect();
    let series: Vec<[f64; 2]> = inflow.map(|inflow| inflow.discharge_m3s.points().collect()).unwrap_or_default();
    let told = json!({
        "columns": case.grid.columns, "rows": case.grid.rows, "cell_m": case.grid.cell_m, "manning": manning,
        "end_s": case.end_s, "inlet": inlet, "discharge_m3s": series,
    });
    fs::write(folder.join("case.json"), told.to_string())?;
    Ok(())
}

//! `sensors/` in the binary, and folders of a site that go over it.

use super::EditionError;
use crate::ingest::sensors::SensorFiles;
use rust_embed::Embed;
use std::fs;
use std::path::Path;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/sensors/"]
struct Sensors;

/// Name below `sensors/` → bytes, of those that `wanted` accepts.
fn embedded(wanted: impl Fn(&str) -> bool) -> SensorFiles {
    Sensors::iter()
        .filter(|name| wanted(name))
        .filter_map(|name| Some((format!("sensors/{name}"), Sensors::get(&name)?.data.into_owned())))
        .collect()
}

/// The demo reach: its profiles, stations, gauges and stones.
pub fn demo() -> SensorFiles {
    embedded(|_| true)
}

/// One text of the demo reach, e.g. `huayuankou/forecast.toml`.
pub fn text(name: &str) -> Option<String> {
    Sensors::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// The files of a site's folder, with the profiles beside it (`../profiles`) over those in the binary.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn of_folder(folder: &Path) -> Result<SensorFiles, EditionError> {
    let mut files = profiles_beside(folder)?;
    add_folder(folder, &mut files)?;
    Ok(files)
}

/// One device file with the stations and endpoints that stand beside it.
///
/// # Errors
/// When the file cannot be read.
pub fn of_file(file: &Path) -> Result<SensorFiles, EditionError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut files = profiles_beside(folder)?;
    for beside in ["stations.toml", "endpoints.toml"] {
        let path = folder.join(beside);
        if path.is_file() {
            files.insert(path.display().to_string(), bytes_of(&path)?);
        }
    }
    files.insert(file.display().to_string(), bytes_of(file)?);
    Ok(files)
}

fn profiles_beside(folder: &Path) -> Result<SensorFiles, EditionError> {
    let beside = folder.join("../profiles");
    let mut own = SensorFiles::new();
    if beside.is_dir() {
        add_folder(&beside, &mut own)?;
    }
    let named =
        |files: &SensorFiles, name: &str| files.keys().any(|path| path.rsplit('/').next() == name.rsplit('/').next());
    let mut files = embedded(|name| name.starts_with("profiles/") && !named(&own, name));
    files.append(&mut own);
    Ok(files)
}

fn add_folder(folder: &Path, files: &mut SensorFiles) -> Result<(), EditionError> {
    let unreadable = |cause| EditionError::Unreadable { path: folder.display().to_string(), cause };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.insert(path.display().to_string(), bytes_of(&path)?);
        }
    }
    Ok(())
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, EditionError> {
    fs::read(path).map_err(|cause| EditionError::Unreadable { path: path.display().to_string(), cause })
}

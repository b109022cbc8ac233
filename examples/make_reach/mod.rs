//! All files of the demo reach, as texts by name.

mod dice;
mod geo;
mod ground;
mod river;
mod works;

use geo::collection;
use std::collections::BTreeMap;
use std::path::Path;

/// The label that every file carries.
pub const LABEL: &str = "合成演示数据 synthetic demo data";

/// Draws the reach: file name → text.
pub fn generate(seed: u64) -> BTreeMap<String, String> {
    let ground = ground::Ground::new();
    let dams = works::dams(seed, &ground);
    let mut files = BTreeMap::new();
    let mut layer = |name: &str, features: Vec<geo::Feature>| {
        files.insert(format!("{name}.geojson"), collection(name, &features));
    };
    layer("levee", river::levee_features(&ground));
    layer("river", river::river_features(seed, &ground));
    layer("works", works::work_features(&ground, &dams));
    layer("dams", works::dam_features(&dams));
    layer("stones", works::stone_features(seed, &ground, &dams));
    files
}

/// Writes the files into a folder, which is made if need be.
pub fn write_into(folder: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}

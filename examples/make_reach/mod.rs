//! All files of the demo reach, as texts by name.

mod assets;
mod attention;
mod cells;
mod dice;
mod duty;
mod floodplain;
mod geo;
mod ground;
mod people;
mod places;
mod profile;
mod river;
pub mod scopes;
mod site;
mod terrain;
mod works;

use geo::{Feature, collection};
use std::collections::BTreeMap;
use std::path::Path;

/// The label that every file carries.
pub const LABEL: &str = "合成演示数据 synthetic demo data";

/// Draws the reach: file name → text.
pub fn generate(seed: u64) -> BTreeMap<String, String> {
    let ground = ground::Ground::new();
    let dams = works::dams(seed, &ground);
    let cells = cells::cells(seed, &ground);
    let mut sites = assets::sites(&ground);
    sites.extend(places::levee_sites(&ground, &dams));
    sites.extend(floodplain::sites(&ground));
    sites.extend(cells.iter().map(|cell| cell.site.clone()));
    let people = people::members(seed, &ground, &cells, &sites);
    let stones = works::stone_features(seed, &ground, &dams);
    let (farms, farmers) = floodplain::farms(seed, &ground);

    let mut files = BTreeMap::from([
        ("reach.toml".to_owned(), places::reach_toml(seed, &sites, &cells, &people, stones.len())),
        ("places.toml".to_owned(), places::places_toml(&sites)),
        ("members.toml".to_owned(), places::members_toml(&people)),
        ("duty.toml".to_owned(), duty::toml(&duty::rows(&people, &sites))),
        ("attention.toml".to_owned(), attention::toml(seed, &ground, &cells)),
        ("farmers.csv".to_owned(), farmers),
        ("sections.csv".to_owned(), profile::csv(&ground)),
    ]);
    let layers: [(&str, Vec<Feature>); 22] = [
        ("levee", river::levee_features(&ground)),
        ("river", river::river_features(seed, &ground)),
        ("works", works::work_features(&ground, &dams)),
        ("dams", works::dam_features(&dams)),
        ("stones", stones),
        ("grids", cells::features(&cells)),
        ("villages", floodplain::village_features(&ground)),
        ("village-areas", floodplain::area_features(seed, &ground)),
        ("farms", farms),
        ("shelters", floodplain::shelter_features(&ground)),
        ("routes", floodplain::route_features(&ground)),
        ("centres", assets::centre_features(&ground)),
        ("depots", assets::depot_features(&ground)),
        ("gates", assets::gate_features(&ground)),
        ("bridges", assets::bridge_features(&ground)),
        ("scenic", assets::scenic_features(&ground)),
        ("gauges", assets::gauge_features(&ground)),
        ("cameras", assets::camera_features(&ground)),
        ("loudspeakers", assets::loudspeaker_features(&ground, &sites, &cells)),
        ("defence-points", assets::defence_features(&ground, &dams)),
        ("posts", assets::post_features(&ground)),
        ("roads", assets::road_features(&ground)),
    ];
    files.extend(layers.into_iter().map(|(name, features)| (format!("{name}.geojson"), collection(name, &features))));
    files
}

/// Draws what the twin of the reach stands on, the files of the folder `twin`; the library there is computed from them.
pub fn generate_twin(seed: u64) -> BTreeMap<String, String> {
    let ground = ground::Ground::new();
    let dams = works::dams(seed, &ground);
    terrain::files(&ground, &dams)
}

/// Writes the files into a folder, which is made if need be.
pub fn write_into(folder: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}

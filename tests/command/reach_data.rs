//! The demo reach as committed: counts, geometry, duties, and what the loader says of broken files.

mod counts;
mod duties;
mod faults;
mod geometry;
#[path = "../../examples/make_reach/mod.rs"]
mod make_reach;
mod sections;

use anlan::app::reaches::{ReachData, embedded_files, embedded_reach};
use serde_json::Value;

fn demo() -> ReachData {
    embedded_reach().unwrap()
}

fn features(data: &ReachData, layer: &str) -> Vec<Value> {
    let text = data.layers.get(layer).unwrap_or_else(|| panic!("no layer {layer}"));
    let value: Value = serde_json::from_str(text).unwrap();
    value["features"].as_array().unwrap().clone()
}

#[test]
fn the_generator_makes_the_committed_files_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    make_reach::write_into(folder.path(), &make_reach::generate(7)).unwrap();
    let committed = embedded_files();
    let mut made = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let same = committed.get(&name).is_some_and(|own| *own == text);
        assert!(same, "{name} differs: run `cargo run --example make_reach` and commit");
        made += 1;
    }
    assert_eq!(made, committed.len(), "a committed file that the generator does not make");
}

#[test]
fn the_generator_makes_the_committed_twin_byte_for_byte() {
    for (name, text) in make_reach::generate_twin(7) {
        let path = format!("{}/reaches/huayuankou/twin/{name}", env!("CARGO_MANIFEST_DIR"));
        let same = std::fs::read_to_string(&path).is_ok_and(|committed| committed == text);
        assert!(same, "{name} differs: run `cargo run --example make_reach`, then `anlan twin library`, and commit");
    }
}

#[test]
fn another_seed_makes_other_people_and_the_same_counts() {
    let other = make_reach::generate(8);
    assert_ne!(other["members.toml"], embedded_files()["members.toml"]);
    assert_eq!(anlan::app::reaches::load_reach(&other).unwrap().about.counts, demo().about.counts);
}

#[test]
fn the_same_reach_comes_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    make_reach::write_into(folder.path(), &embedded_files()).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "left alone").unwrap();
    let data = anlan::app::reaches::reach_from(Some(folder.path())).unwrap();
    assert_eq!(data.about, demo().about);
    assert_eq!(data.layers, demo().layers);
}

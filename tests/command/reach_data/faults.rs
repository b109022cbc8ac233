//! What the loader says of broken files: each message names the file, the spot and the field.

use super::embedded_files;
use anlan::app::reaches::{ReachFault, folder_files, load_reach};

fn message(fault: &ReachFault) -> String {
    fault.to_string()
}

/// Replaces the first `from` in a file and expects a refusal that contains all of `parts`.
fn check(file: &str, from: &str, to: &str, parts: &[&str]) {
    let mut files = embedded_files();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} does not contain {from}");
    *text = text.replacen(from, to, 1);
    let said = message(&load_reach(&files).unwrap_err());
    for part in parts {
        assert!(said.contains(part), "{file}: {said:?} should contain {part:?}");
    }
}

#[test]
fn map_layers() {
    let dam = "\"dam\":\"dam-huayuankou-090\"";
    check("stones.geojson", "\"features\":[", "\"features\":[,", &["stones.geojson:1:"]);
    check("stones.geojson", "FeatureCollection", "Feature", &["stones.geojson:1:1", "FeatureCollection"]);
    check("stones.geojson", dam, "\"damm\":\"x\"", &["stones.geojson", "feature 1 (stone-001)", "dam:", "missing"]);
    check("stones.geojson", dam, "\"dam\":\"dam-nowhere\"", &["stone-001", "dam:", "dam-nowhere", "dams.geojson"]);
    check("stones.geojson", dam, "\"dam\":7", &["stone-001", "dam:", "text"]);
    check("stones.geojson", "\"slot\":1,", "\"slot\":0,", &["stone-002", "slot:", "twice"]);
    check("stones.geojson", "\"slot\":0,", "\"slot\":9,", &["stone-001", "slot:", "0 to 6"]);
    check("stones.geojson", "\"unit\":1,", "\"unit\":3,", &["stone-001", "unit:", "differs"]);
    check(
        "stones.geojson",
        "\"id\":\"stone-002\",\"key\"",
        "\"id\":\"stone-001\",\"key\"",
        &["feature 2 (stone-001)", "twice"],
    );
    check("stones.geojson", "\"type\":\"Point\"", "\"type\":\"Dot\"", &["stone-001", "geometry.type", "Dot"]);
    check("dams.geojson", "\"unit\":2,", "\"unit\":1,", &["dams.geojson", "unit:", "twice"]);
    check("dams.geojson", "\"unit\":1,", "\"unit\":248,", &["dams.geojson", "unit:", "247"]);
    check("works.geojson", "\"to_m\":4200.0", "\"to_m\":2200.0", &["dams.geojson", "chainage_m:", "work-huayuankou"]);
    check(
        "grids.geojson",
        "\"id\":\"cell-01\",\"kind\"",
        "\"id\":\"cell-99\",\"kind\"",
        &["grids.geojson", "cell-99", "places.toml"],
    );
}

#[test]
fn coordinates() {
    let point = "\"geometry\":{\"type\":\"Point\",\"coordinates\":[";
    check("villages.geojson", point, &format!("{point}NaN,"), &["villages.geojson:2:"]);
    check(
        "villages.geojson",
        point,
        &format!("{point}null,"),
        &["village-huayuankou", "geometry.coordinates", "not a number"],
    );
    check("villages.geojson", point, &format!("{point}34.9,113.6,"), &["village-huayuankou", "swapped"]);
    check("villages.geojson", point, &format!("{point}2.35,"), &["village-huayuankou", "73", "136"]);
    check("villages.geojson", "113.60", "1e400", &["villages.geojson:2:"]);
    check("places.toml", "lon = 113.", "lon = 13.", &["places.toml", "lon, lat"]);
    check("places.toml", "lon = 113.", "lon = nan #", &["places.toml", "lon, lat"]);
    check("members.toml", "lat = 34.", "lat = 94.", &["members.toml", "mbr-001", "lon, lat"]);
}

#[test]
fn an_open_ring_is_refused() {
    let mut files = embedded_files();
    let text = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":
        {"type":"Polygon","coordinates":[[[113.6,34.9],[113.7,34.9],[113.7,34.95],[113.6,34.95]]]}}]}"#;
    files.insert("ponds.geojson".to_owned(), text.to_owned());
    assert!(
        message(&load_reach(&files).unwrap_err())
            .contains("ponds.geojson: 第1个要素 feature 1 (a): geometry.coordinates")
    );
    files.insert("ponds.geojson".to_owned(), text.replace(",[113.6,34.95]]]", ",[113.6,34.9]]]"));
    assert!(load_reach(&files).unwrap().layers.contains_key("ponds"), "a layer of the site's own is taken as it is");
}

#[test]
fn people_and_duties() {
    check("members.toml", "name = ", "nmae = ", &["members.toml:", "nmae"]);
    check("members.toml", "id = \"mbr-002\"", "id = \"mbr-001\"", &["members", "mbr-001", "twice"]);
    check("members.toml", "phone = \"10000000001\"", "phone = \"call me\"", &["members.toml", "mbr-001", "phone"]);
    check("members.toml", "post = \"", "post = \"no-", &["members", "no-cell", "does not exist"]);
    check("duty.toml", "\"mbr-", "\"nobody-", &["duty", "nobody-", "does not exist"]);
    check("duty.toml", "[duty.agriculture]", "[duty.agricultrue]", &["duty.toml", "agricultrue", "has no role"]);
    check("duty.toml", "\"seg-01\" = ", "\"seg-77\" = ", &["duty", "seg-77", "does not exist"]);
    check("places.toml", "parent = \"", "parent = \"no-", &["places", "no-", "does not exist"]);
    check("places.toml", "chainage_to_m = 948.0", "chainage_to_m = -1.0", &["places.toml", "seg-01", "chainage"]);
    check("places.toml", "kind = \"hq\"", "kind = \"headquarters\"", &["places.toml:", "headquarters"]);
}

#[test]
fn owner_and_deputy_must_differ() {
    let mut files = embedded_files();
    let duty = files.get_mut("duty.toml").unwrap();
    let line = duty.lines().find(|line| line.starts_with("\"seg-01\"")).unwrap().to_owned();
    let owner = line.split('"').nth(3).unwrap();
    *duty = duty.replacen(&line, &format!("\"seg-01\" = [\"{owner}\", \"{owner}\"]"), 1);
    let said = message(&load_reach(&files).unwrap_err());
    assert!(said.contains("duty.toml") && said.contains("seg-01") && said.contains(owner), "{said}");
}

#[test]
fn tables() {
    check("reach.toml", "WGS-84", "GCJ-02", &["reach.toml", "crs", "GCJ-02"]);
    check("reach.toml", "stones = 249", "stones = 250", &["counts.stones", "250", "249"]);
    check("reach.toml", "synthetic = true", "synthetic = false", &["places.toml", "synthetic"]);
    check("reach.toml", "slope = 0", "slope = -0", &["reach.toml", "slope"]);
    check(
        "attention.toml",
        "category = \"mobility\"",
        "category = \"mobilty\"",
        &["attention.toml", "care-001", "mobilty"],
    );
    check("attention.toml", "persons = ", "persons = -", &["attention.toml:"]);
    check("farmers.csv", "grower-002", "grower-001", &["farmers.csv:5", "id", "grower-001", "twice"]);
    check("farmers.csv", ",farm-01,", ",farm-77,", &["farmers.csv:4", "block", "farm-77"]);
    check("sections.csv", "xs-01,0.0,94.740", "xs-01,zero,94.740", &["sections.csv:5", "chainage_m"]);
    check("sections.csv", "xs-01,0.0,94.740", "xs-01,NaN,94.740", &["sections.csv:5", "chainage_m", "finite"]);
    check(
        "sections.csv",
        "xs-01,0.0,94.740,97.740,-150.0",
        "xs-01,0.0,94.740,97.740,-2150.0",
        &["sections.csv:6", "north_m"],
    );
}

#[test]
fn files_that_are_missing_misspelt_or_in_gbk() {
    let mut files = embedded_files();
    files.remove("levee.geojson");
    assert!(message(&load_reach(&files).unwrap_err()).contains("levee.geojson is missing"));
    let mut files = embedded_files();
    files.insert("member.toml".to_owned(), String::new());
    assert!(message(&load_reach(&files).unwrap_err()).contains("member.toml"));

    let folder = tempfile::tempdir().unwrap();
    assert!(message(&folder_files(&folder.path().join("nowhere")).unwrap_err()).contains("nowhere"));
    std::fs::write(folder.path().join("farmers.csv"), b"id,name\n1,\xcd\xf5\n").unwrap();
    let said = message(&folder_files(folder.path()).unwrap_err());
    assert!(said.contains("farmers.csv:2") && said.contains("UTF-8"), "{said}");
}

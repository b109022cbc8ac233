//! How many of everything, and that everything invented says so.

use super::{demo, embedded_files, features};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn the_town_has_its_public_counts() {
    let data = demo();
    let corps = |name: &str| data.reach.members().filter(|member| member.corps == name).count();
    assert_eq!(data.reach.places_of_scope("community").len(), 28);
    assert_eq!(data.reach.places_of_scope("rural").len(), 40);
    assert_eq!(data.reach.places_of_scope("exclusive_grid").len(), 4);
    assert_eq!(data.reach.places_of_scope("all").len(), 72);
    assert_eq!(data.reach.members().count(), 294);
    assert_eq!((corps("community"), corps("rural")), (28, 136));
    assert_eq!((corps("hq"), corps("work"), corps("squad"), corps("department")), (16, 37, 40, 37));
    assert_eq!(data.stones.len(), 249);
    assert_eq!(data.reach.places_of_scope("vulnerable_spot").len(), 3);
    assert_eq!(data.reach.places_of_scope("river_training").len(), 1);
    let fact = |key: &str| data.about.fact.iter().find(|fact| fact.key == key).unwrap().value;
    assert_eq!((fact("area_km2"), fact("channel_km")), (47.56, 14.22));
}

#[test]
fn every_community_cell_has_its_member_and_every_rural_cell_one_or_two() {
    let data = demo();
    for scope in ["community", "rural", "exclusive_grid"] {
        for cell in data.reach.places_of_scope(scope) {
            let there = data.reach.members().filter(|member| member.post == *cell).count();
            assert!((1..=2).contains(&there), "{cell}: {there}");
        }
    }
}

#[test]
fn stones_have_addresses_of_their_own_that_one_read_per_dam_fetches() {
    let data = demo();
    let mut addresses = BTreeSet::new();
    let mut of_dam: BTreeMap<_, Vec<u8>> = BTreeMap::new();
    for stone in &data.stones {
        assert!((1..=4).contains(&stone.work_index), "{}", stone.id);
        assert!(addresses.insert((stone.work_index, stone.unit, stone.slot)), "{}", stone.id);
        of_dam.entry(stone.dam.clone()).or_default().push(stone.slot);
    }
    assert_eq!(of_dam.len(), data.dams.len(), "every dam has a stone");
    for (dam, mut slots) in of_dam {
        slots.sort_unstable();
        assert!((2..=7).contains(&slots.len()), "{dam}");
        assert_eq!(slots, (0..slots.len() as u8).collect::<Vec<_>>(), "{dam}: slots without a hole");
    }
    let order: Vec<_> =
        data.dams.iter().map(|dam| (dam.work_index, dam.work.as_str())).collect::<BTreeSet<_>>().into_iter().collect();
    let works = ["work-huayuankou", "work-shenzhuang", "work-madu", "work-dongdaba"];
    assert_eq!(order, works.into_iter().enumerate().map(|(n, work)| (n as u32 + 1, work)).collect::<Vec<_>>());
}

#[test]
fn growers_and_households_needing_attention_are_as_the_wall_shows_them() {
    let data = demo();
    let crop = |code: &str| data.farmers.iter().filter(|grower| grower.crop == code).count();
    let crops = ["field", "greenhouse", "orchard", "aquaculture", "livestock"].map(crop);
    assert_eq!(crops, [214, 96, 58, 31, 22]);
    let classes: BTreeSet<_> = data.farmers.iter().map(|grower| grower.person_class.as_str()).collect();
    assert_eq!(
        classes.into_iter().collect::<Vec<_>>(),
        ["day-cultivator", "facility-grower", "resident-watcher", "seasonal-picker"]
    );
    assert_eq!((data.attention.category.len(), data.attention.household.len()), (9, 81));
    for block in features(&data, "farms") {
        let id = block["properties"]["id"].as_str().unwrap();
        let listed = data.farmers.iter().filter(|grower| grower.block.as_str() == id).count() as u64;
        assert_eq!(block["properties"]["households"], listed, "{id}");
    }
}

#[test]
fn every_file_says_that_it_is_synthetic() {
    for (name, text) in embedded_files() {
        assert!(text.contains("合成演示数据 synthetic demo data"), "{name}");
        let flag = ["synthetic = true", "\"synthetic\":true"];
        assert!(flag.iter().any(|flag| text.contains(flag)), "{name}");
    }
}

#[test]
fn nobody_can_be_called_by_these_numbers_and_no_number_stands_twice() {
    let data = demo();
    let mut phones = BTreeSet::new();
    let members = data.reach.members().map(|member| member.phone.clone());
    let others = data.attention.household.iter().map(|household| household.phone.clone());
    for phone in members.chain(others).chain(data.farmers.iter().map(|grower| grower.phone.clone())) {
        assert!(phone.len() == 11 && phone.starts_with("1000000"), "{phone}");
        assert!(phones.insert(phone.clone()), "{phone} twice");
    }
    let names: BTreeSet<_> = data.reach.members().map(|member| &member.name).collect();
    assert_eq!(names.len(), 294);
}

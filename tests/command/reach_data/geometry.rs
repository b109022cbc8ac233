//! The map: levee without gaps, cells that tile, river on the right side.

use super::{demo, features};
use anlan::model::PlaceKind;
use serde_json::Value;

type At = (f64, f64);

fn positions(line: &Value) -> Vec<At> {
    line.as_array().unwrap().iter().map(|at| (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())).collect()
}
fn ring(feature: &Value) -> Vec<At> {
    positions(&feature["geometry"]["coordinates"][0])
}
fn find(features: &[Value], id: &str) -> Value {
    features.iter().find(|feature| feature["id"] == id).unwrap_or_else(|| panic!("{id}")).clone()
}

/// Metres east and north of the first stake.
fn metres((lon, lat): At) -> At {
    let (a, e2) = (6_378_137.0_f64, 0.006_694_38_f64);
    let phi = 34.9_f64.to_radians();
    let w = (1.0 - e2 * phi.sin().powi(2)).sqrt();
    ((lon - 113.6).to_radians() * a / w * phi.cos(), (lat - 34.9).to_radians() * a * (1.0 - e2) / w.powi(3))
}
fn length(line: &[At]) -> f64 {
    line.windows(2).map(|leg| (metres(leg[1]).0 - metres(leg[0]).0).hypot(metres(leg[1]).1 - metres(leg[0]).1)).sum()
}
fn area(ring: &[At]) -> f64 {
    ring.windows(2).map(|leg| metres(leg[0]).0 * metres(leg[1]).1 - metres(leg[1]).0 * metres(leg[0]).1).sum::<f64>()
        / 2.0
}
fn turn(a: At, b: At, c: At) -> f64 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}
fn cross(a: At, b: At, c: At, d: At) -> bool {
    turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
}
fn inside(ring: &[At], p: At) -> bool {
    let crossing = |leg: &&[At]| {
        (leg[0].1 > p.1) != (leg[1].1 > p.1)
            && p.0 < (leg[1].0 - leg[0].0) * (p.1 - leg[0].1) / (leg[1].1 - leg[0].1) + leg[0].0
    };
    ring.windows(2).filter(crossing).count() % 2 == 1
}
/// Latitude of a line that runs east, at a longitude.
fn lat_at(line: &[At], lon: f64) -> f64 {
    let leg = line
        .windows(2)
        .find(|leg| (leg[0].0..=leg[1].0).contains(&lon))
        .unwrap_or_else(|| panic!("{lon} beside the line"));
    leg[0].1 + (leg[1].1 - leg[0].1) * (lon - leg[0].0) / (leg[1].0 - leg[0].0)
}

#[test]
fn the_levee_is_as_long_as_its_chainage() {
    let data = demo();
    let levee = positions(&find(&features(&data, "levee"), "levee-south")["geometry"]["coordinates"]);
    assert!((length(&levee) - 14_220.0).abs() < 15.0, "{}", length(&levee));
}

#[test]
fn segments_are_at_most_a_kilometre_and_leave_no_gap() {
    let data = demo();
    let mut segments: Vec<_> = data
        .reach
        .places()
        .filter(|place| place.kind == PlaceKind::Segment)
        .map(|place| (place.chainage_from_m.unwrap(), place.chainage_to_m.unwrap()))
        .collect();
    segments.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!((segments.len(), segments[0].0, segments[14].1), (15, 0.0, 14_220.0));
    assert!(segments.iter().all(|(from, to)| to - from <= 1000.0));
    assert!(segments.windows(2).all(|pair| pair[0].1 == pair[1].0));
    let layer = features(&data, "levee");
    for n in 1..=15 {
        let drawn = length(&positions(&find(&layer, &format!("seg-{n:02}"))["geometry"]["coordinates"]));
        assert!((drawn - 948.0).abs() < 5.0, "seg-{n:02}: {drawn}");
    }
}

#[test]
fn dams_lie_on_the_chainage_of_their_work_and_point_downstream_towards_the_river() {
    let data = demo();
    assert_eq!(data.dams.len(), 86);
    for dam in &data.dams {
        let work = data.reach.place(&dam.work).unwrap();
        assert!(work.spans(dam.chainage_m), "{}", dam.id);
        assert_eq!(data.reach.place(&dam.id).unwrap().parent.as_ref(), Some(&dam.work));
    }
    for dam in features(&data, "dams") {
        let line = positions(&dam["geometry"]["coordinates"]);
        assert!(line[1].0 > line[0].0 && line[1].1 > line[0].1, "{}", dam["id"]);
    }
    for number in data.dams.iter().filter(|dam| dam.work_index == 1) {
        assert!((95.1..=98.75).contains(&number.crest_m), "{}: {}", number.id, number.crest_m);
    }
}

#[test]
fn cells_do_not_cross_themselves_and_tile_the_town() {
    let data = demo();
    let cells = features(&data, "grids");
    assert_eq!(cells.len(), 72);
    let mut total = 0.0;
    for cell in &cells {
        let ring = ring(cell);
        let legs: Vec<_> = ring.windows(2).collect();
        for (n, one) in legs.iter().enumerate() {
            assert!(
                !legs[n + 1..].iter().any(|other| cross(one[0], one[1], other[0], other[1])),
                "{} crosses itself",
                cell["id"]
            );
        }
        assert!(area(&ring) > 0.0, "{}: outer rings run counter-clockwise", cell["id"]);
        total += area(&ring) / 1e6;
        let label =
            (cell["properties"]["label_lon"].as_f64().unwrap(), cell["properties"]["label_lat"].as_f64().unwrap());
        let holders: Vec<_> = cells
            .iter()
            .filter(|other| inside(&super::geometry::ring(other), label))
            .map(|other| &other["id"])
            .collect();
        assert_eq!(holders, [&cell["id"]], "the label lies in its own cell and in no other");
    }
    assert!((total - 47.56).abs() < 0.5, "{total} km²");
}

/// Probed on a lattice of about 70 m: every spot lies in one cell, from the first cell of a column to its last.
#[test]
fn cells_leave_neither_gap_nor_overlap() {
    let rings: Vec<_> = features(&demo(), "grids").iter().map(ring).collect();
    let mut probed = 0;
    for column in 0..200 {
        let lon = 113.6003 + 0.154 * f64::from(column) / 200.0;
        let holders = (0..80).map(|row| {
            let spot = (lon, 34.862 + 0.045 * f64::from(row) / 80.0);
            rings.iter().filter(|ring| inside(ring, spot)).count()
        });
        let column: Vec<_> = holders.skip_while(|count| *count == 0).collect();
        let within = column.iter().rposition(|count| *count > 0).unwrap_or_default() + 1;
        assert!(column[..within].iter().all(|count| *count == 1), "{lon}: {column:?}");
        probed += within;
    }
    assert!(probed > 8_000, "{probed}");
}

#[test]
fn the_river_runs_north_of_the_levee_all_the_way_from_west_to_east() {
    let data = demo();
    let levee = positions(&find(&features(&data, "levee"), "levee-south")["geometry"]["coordinates"]);
    let river = features(&data, "river");
    let channel = ring(&find(&river, "channel"));
    let middle = positions(&find(&river, "centreline")["geometry"]["coordinates"]);
    assert!(middle.windows(2).all(|leg| leg[0].0 < leg[1].0), "flow from west to east");
    let mut s = 0.0;
    for leg in levee.windows(2) {
        let here = ((leg[0].0 + leg[1].0) / 2.0, (leg[0].1 + leg[1].1) / 2.0);
        s += length(leg);
        let gap = (lat_at(&middle, here.0) - here.1) * 110_941.0;
        assert!(gap > 400.0, "K{s:.0}: the middle of the river is {gap:.0} m north");
        assert!(!inside(&channel, here), "K{s:.0}: the levee stands in the channel");
    }
    for flow in river.iter().filter(|feature| feature["properties"]["kind"] == "flow") {
        assert!((20.0..=160.0).contains(&flow["properties"]["bearing_deg"].as_f64().unwrap()), "{flow}");
    }
}

#[test]
fn villages_and_farms_lie_between_levee_and_channel() {
    let data = demo();
    let levee = positions(&find(&features(&data, "levee"), "levee-south")["geometry"]["coordinates"]);
    let channel = ring(&find(&features(&data, "river"), "channel"));
    for layer in ["farms", "village-areas"] {
        for feature in features(&data, layer) {
            for at in ring(&feature) {
                assert!(at.1 > lat_at(&levee, at.0), "{} lies behind the levee", feature["id"]);
                assert!(!inside(&channel, at), "{} lies in the channel", feature["id"]);
            }
        }
    }
    for shelter in features(&data, "shelters") {
        let at = &shelter["geometry"]["coordinates"];
        assert!(
            at[1].as_f64().unwrap() < lat_at(&levee, at[0].as_f64().unwrap()),
            "{} is on the floodplain",
            shelter["id"]
        );
    }
}

#[test]
fn every_village_has_a_way_to_its_shelter_over_the_levee() {
    let data = demo();
    let routes = features(&data, "routes");
    for village in features(&data, "villages") {
        let properties = &village["properties"];
        let own = routes.iter().find(|route| {
            route["properties"]["village"] == properties["id"]
                && route["properties"]["shelter"] == properties["shelter"]
        });
        let line = positions(&own.unwrap_or_else(|| panic!("{}", properties["id"]))["geometry"]["coordinates"]);
        let drawn = length(&line);
        let said = own.unwrap()["properties"]["length_m"].as_f64().unwrap();
        assert!((drawn - said).abs() < 0.01 * said, "{drawn} {said}");
    }
}

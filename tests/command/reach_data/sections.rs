//! The cross sections: slope, freeboard, "channel high, floodplain low, levee foot lowest", and the flood that fits.

use super::demo;
use anlan::app::reaches::SectionPoint;
use std::collections::BTreeMap;

fn sections() -> BTreeMap<String, Vec<SectionPoint>> {
    let mut sections: BTreeMap<String, Vec<SectionPoint>> = BTreeMap::new();
    for point in demo().sections {
        sections.entry(point.section.clone()).or_default().push(point);
    }
    sections
}

#[test]
fn the_river_falls_one_in_six_thousand_and_the_levee_keeps_three_metres() {
    let sections = sections();
    let firsts: Vec<_> = sections.values().map(|points| points[0].clone()).collect();
    assert_eq!((firsts.len(), firsts[0].chainage_m, firsts[30].chainage_m), (31, 0.0, 14_220.0));
    for pair in firsts.windows(2) {
        let slope = (pair[0].design_stage_m - pair[1].design_stage_m) / (pair[1].chainage_m - pair[0].chainage_m);
        assert!((slope * 6000.0 - 1.0).abs() < 0.02, "{slope}");
    }
    for point in &firsts {
        assert!((point.levee_crest_m - point.design_stage_m - 3.0).abs() < 0.002);
    }
    // The bed falls with the water: mean of the lowest points, first third against last third.
    let lowest: Vec<f64> = sections
        .values()
        .map(|points| {
            points
                .iter()
                .filter(|point| point.zone == "thalweg")
                .map(|point| point.elevation_m)
                .fold(f64::INFINITY, f64::min)
        })
        .collect();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    assert!(mean(&lowest[..10]) - mean(&lowest[21..]) > 0.8, "{lowest:?}");
}

#[test]
fn the_channel_is_high_the_floodplain_low_and_the_levee_foot_lowest() {
    for (id, points) in sections() {
        let south = |zone: &str| {
            let bank = points.iter().find(|point| point.zone == "lip").unwrap().north_m;
            let wanted =
                move |point: &&SectionPoint| point.zone == zone && point.north_m > 0.0 && point.north_m <= bank;
            points.iter().filter(wanted).map(|point| point.elevation_m).collect::<Vec<_>>()
        };
        let low = |heights: &[f64]| heights.iter().copied().fold(f64::INFINITY, f64::min);
        let (ditch, floodplain, lip) = (low(&south("ditch")), low(&south("floodplain")), low(&south("lip")));
        assert!(ditch < floodplain && floodplain < lip, "{id}: {ditch} {floodplain} {lip}");
        let land = points
            .iter()
            .filter(|point| point.zone == "land")
            .map(|point| point.elevation_m)
            .fold(f64::NEG_INFINITY, f64::max);
        let bed: Vec<f64> = points
            .iter()
            .filter(|point| ["channel", "bar"].contains(&point.zone.as_str()))
            .map(|point| point.elevation_m)
            .collect();
        let hangs = bed.iter().sum::<f64>() / bed.len() as f64 - land;
        assert!((3.0..=6.0).contains(&hangs), "{id}: the bed lies {hangs} m above the land outside");
    }
}

/// Manning's uniform flow at the design stage, reckoned here on the file's own numbers.
#[test]
fn twenty_two_thousand_just_fits_under_the_design_stage() {
    for (id, points) in sections() {
        let stage = points[0].design_stage_m;
        let strip = |pair: &[SectionPoint]| {
            let depth = stage - (pair[0].elevation_m + pair[1].elevation_m) / 2.0;
            let n = pair[0].manning_n.min(pair[1].manning_n);
            if depth <= 0.0 || pair[1].north_m <= 0.0 {
                0.0
            } else {
                (pair[1].north_m - pair[0].north_m) * depth.powf(5.0 / 3.0) * (1.0_f64 / 6000.0).sqrt() / n
            }
        };
        let flow: f64 = points.windows(2).map(strip).sum();
        assert!((flow / 22_000.0 - 1.0).abs() < 0.01, "{id}: {flow:.0} m³/s");
    }
}

//! Tests of the way down the river: volume, order of the crests, floods that were and were not fitted, bad settings.

use super::*;

fn settings() -> Downstream {
    let path = format!("{}/floods/downstream.toml", env!("CARGO_MANIFEST_DIR"));
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A flood from 2,000 m³/s to a crest after two days and back within ten.
fn flood(crest_m3s: f64) -> Vec<f64> {
    let shape = |hour: f64| if hour < 48.0 { hour / 48.0 } else { (1.0 - (hour - 48.0) / 240.0).max(0.0) };
    (0..1200).map(|hour| 2000.0 + (crest_m3s - 2000.0) * shape(f64::from(hour))).collect()
}

#[test]
fn downstream_a_flood_comes_later_and_flatter_from_station_to_station_and_no_water_is_lost() {
    let settings = settings();
    assert_eq!(settings.below.len(), 6);
    for crest in [4000.0, 8000.0, 15_000.0, 22_000.0] {
        let inflow = flood(crest);
        let passing = settings.route(&inflow).unwrap();
        let came: f64 = inflow.iter().sum();
        let (mut before_h, mut before_m3s) = (48.0, crest);
        for (one, below) in passing.iter().zip(&settings.below) {
            assert!(one.crest_h > before_h && one.crest_m3s < before_m3s, "{} {crest}: {one:?}", below.station);
            let went: f64 = one.q_m3s.iter().sum();
            assert!((went / came - 1.0).abs() < 0.01, "{}: {went} of {came}", below.station);
            (before_h, before_m3s) = (one.crest_h, one.crest_m3s);
        }
        let last = passing.last().unwrap();
        assert!((72.0..480.0).contains(&(last.crest_h - 48.0)), "{crest}: {} h to the last station", last.crest_h);
    }
    // A steady river stays as it is.
    let steady = settings.route(&[3000.0; 400]).unwrap();
    assert!(steady.iter().all(|one| one.q_m3s.iter().all(|q| (q - 3000.0).abs() < 1e-3)));
}

#[test]
fn downstream_travel_times_are_found_again_from_the_crests_that_they_made() {
    let stretch = |k_h: [f64; 2]| {
        let travel = [4000.0, 12_000.0].into_iter().zip(k_h).map(|(q_m3s, k_h)| TravelTime { q_m3s, k_h }).collect();
        let below = Below {
            station: "below".into(),
            name_zh: "下站".into(),
            name_en: "Below".into(),
            km: 100.0,
            x: 0.2,
            parts: 2,
            travel,
        };
        Downstream { from: "above".into(), validity: String::new(), below: vec![below] }
    };
    let truth = stretch([60.0, 16.0]);
    let past = |crest: f64| {
        let inflow_m3s = flood(crest);
        let one = truth.route(&inflow_m3s).unwrap().remove(0);
        let listed = ListedCrest { m3s: one.crest_m3s, at_h: Some((one.crest_h, 0.0)) };
        PastFlood { inflow_m3s, listed: [("below".to_owned(), listed)].into() }
    };
    let floods = [past(4000.0), past(7000.0), past(12_000.0)];
    let found = fit(&stretch([30.0, 30.0]), &floods, 1).unwrap();
    for flood in &floods {
        let one = found.route(&flood.inflow_m3s).unwrap().remove(0);
        let listed = flood.listed["below"];
        assert!((one.crest_m3s / listed.m3s - 1.0).abs() < 0.02, "{one:?} {listed:?}");
        assert!((one.crest_h - listed.at_h.unwrap().0).abs() <= 3.0, "{} {listed:?}", one.crest_h);
    }
    assert_eq!(fit(&stretch([30.0, 30.0]), &floods, 1).unwrap(), found, "the same question, the same answer");
    // A station of which nothing is listed keeps what was given.
    let silent = [PastFlood { listed: BTreeMap::new(), ..floods[0].clone() }];
    assert_eq!(fit(&truth, &silent, 1).unwrap(), truth);
}

#[test]
fn downstream_settings_that_mean_nothing_are_refused_by_station() {
    let path = format!("{}/floods/downstream.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let check = |from: &str, to: &str, expected: &str| {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from}");
        let said = toml::from_str::<Downstream>(&broken).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    };
    check("km = 96.0", "km = 960.0", "按 km 递增");
    check("parts = 3", "parts = 0", "jiahetan: parts = 0");
    check("q_m3s = 2000", "q_m3s = 90000", "jiahetan: 传播时间");
    check("km = 96.0", "km = 96.0\nlength = 3", "unknown field `length`");
    assert!(matches!(settings().route(&[1000.0, f64::NAN]), Err(RouteFault::Inflow(1))));
    assert!(matches!(settings().route(&[]), Err(RouteFault::Inflow(0))));
}

#[test]
fn downstream_counts_crests_that_lie_apart() {
    let check = |q: &[f64], expected: usize| assert_eq!(crests(q), expected, "{q:?}");
    check(&[], 1);
    check(&[3000.0; 5], 1);
    check(&[2000.0, 8000.0, 2000.0], 1);
    check(&[2000.0, 8000.0, 7500.0, 7900.0, 2000.0], 1);
    check(&[2000.0, 8000.0, 6000.0, 7900.0, 2000.0], 2);
    check(&[2000.0, 8000.0, 2000.0, 3500.0, 2000.0], 1);
    check(&[2000.0, 5000.0, 2000.0, 8000.0, 3000.0, 6000.0], 3);
    check(&[8000.0, 2000.0, 7000.0], 2);
    assert_eq!(crests(&flood(8000.0)), 1);
}

#[test]
fn downstream_says_which_discharges_it_covers() {
    assert_eq!(settings().covers_m3s(), (2000.0, 22_000.0));
}

#[test]
fn downstream_takes_the_base_flow_for_no_part_of_the_crest() {
    let check = |q: &[f64], expected: f64| assert_eq!(lowest_about_crest(q), expected, "{q:?}");
    check(&[], f64::INFINITY);
    check(&[1800.0; 5], 1800.0);
    check(&[1500.0, 4000.0, 9000.0, 4500.0, 1700.0], 4500.0);
    check(&[900.0, 1600.0, 3000.0, 1400.0], 1600.0);
}

//! Tests of the live mirror on four cells: thresholds, lags, spells, the gauge.

use super::*;
use crate::hydraulics::{Grid, Library, LibraryPlan, NEVER_MIN, Plane, SiteGround, TwinSite};

const BASE: f64 = 3000.0;

/// Four cells in a row: river, near plain, far plain, high ground that no scenario reaches.
fn model() -> TwinModel {
    let grid = Grid { columns: 4, rows: 1, cell_m: 100.0, west_m: 0.0, south_m: 0.0 };
    let ground =
        SiteGround { grid, bed_m: vec![88.0, 91.0, 92.0, 95.0], manning: vec![0.03; 4], river_side: vec![true; 4] };
    let member = |q: f64, river: u16, near: (u16, u16), far: (u16, u16)| Flooding {
        discharge_m3s: q,
        breach: None,
        depth_cm: vec![vec![300, 0, 0, 0], vec![river, near.0, far.0, 0]],
        arrival_min: vec![0, near.1, far.1, NEVER_MIN],
        highest_cm: vec![river, near.0, far.0, 0],
        speed_cms: vec![0; 4],
        hazard: vec![0; 4],
        highest_froude: 0.3,
        volume_error: 0.0,
    };
    let members = vec![
        member(3000.0, 300, (0, NEVER_MIN), (0, NEVER_MIN)),
        member(6000.0, 400, (50, 300), (0, NEVER_MIN)),
        member(12_000.0, 550, (200, 130), (100, 240)),
    ];
    let site = TwinSite {
        synthetic: true,
        datum: Datum::Dagu,
        plane: Plane { origin_lon: 0.0, origin_lat: 0.0, m_per_degree_lon: 1e5, m_per_degree_lat: 1e5 },
        grid,
        bed_m: ground.bed_m.clone(),
        cover: vec![1; 4],
        manning: BTreeMap::from([(1, 0.03)]),
        land_cover: 4,
        inflow_line: Vec::new(),
        outflow_slope: 1e-4,
        gauge: "huayuankou".into(),
        gauge_at: [50.0, 50.0],
        banks: Vec::new(),
        breaches: Vec::new(),
        levee: Vec::new(),
        marks: Vec::new(),
        plan: LibraryPlan {
            cell_m: 100.0,
            finest_cell_m: 50.0,
            base_m3s: BASE,
            spin_up_h: 24.0,
            rise_h: 2.0,
            discharges_m3s: vec![3000.0, 6000.0, 12_000.0],
            breach_discharges_m3s: Vec::new(),
            hours: vec![0.0, 4.0],
        },
    };
    let library = Library { hours: vec![0.0, 4.0], base_m3s: BASE, base_cm: vec![300, 0, 0, 0], members };
    TwinModel { site, ground, library: Some(library) }
}

fn table() -> Arc<MirrorTable> {
    let point = |id: &str, x: f64| MirrorSpot {
        id: id.into(),
        outline: Outline::Point([x, 50.0]),
        crest_m: None,
        leaves: None,
    };
    let way = |id: &str, to: f64| MirrorSpot {
        id: id.into(),
        outline: Outline::Line(vec![[150.0, 50.0], [to, 50.0]]),
        crest_m: None,
        leaves: Some("far".into()),
    };
    let spots =
        [point("river", 50.0), point("near", 150.0), point("far", 250.0), point("high", 350.0), way("w", 290.0)];
    let guard = MirrorSpot { crest_m: Some(92.5), ..point("guard", 150.0) };
    let spots: Vec<_> = spots.into_iter().chain([guard]).collect();
    Arc::new(MirrorTable::of(&model(), &spots).unwrap())
}

fn t(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

/// A river that stands at the first value and then follows a straight line in steps of ten minutes.
fn memory(from_min: i64, values: &[f64]) -> DischargeMemory {
    let mut memory = DischargeMemory::default();
    for (step, q) in values.iter().enumerate() {
        memory.note(t(from_min + 10 * step as i64), *q);
    }
    memory
}

fn made(now_min: i64, memory: &DischargeMemory, q: f64, ahead: &[(Timestamp, f64)]) -> Mirrored {
    let input = MirrorInput { discharge: Some((t(now_min), q)), stage: None, forecast: Some((t(now_min), ahead)) };
    Mirrored::make(&table(), t(now_min), memory, &input).unwrap()
}

#[test]
fn mirror_a_threshold_lies_where_the_library_first_shows_water() {
    let table = table();
    // Near: 5 cm of the 50 cm that come between 3,000 and 6,000; far: 5 of the 100 between 6,000 and 12,000.
    let threshold = |place: &str| table.places[&PlaceId::new(place)].threshold_m3s;
    assert_eq!(threshold("near"), Some(3300.0));
    assert_eq!(threshold("far"), Some(6300.0));
    assert_eq!(threshold("high"), None);
    // Who stands on a crest 1.5 m above the ground has 0.5 m over it at 12,000, nothing at 6,000; the first 5 cm count.
    assert_eq!(threshold("guard"), Some(6600.0));
    assert!(table.knows(&"high".into()) && !table.knows(&"river".into()) && table.is_in_river(&"river".into()));
    // The way is cut where it is deepest: 30 cm between 0 and 50.
    assert!((table.ways[0].2.threshold_m3s.unwrap() - 4800.0).abs() < 1e-9);
}

#[test]
fn mirror_water_comes_a_lag_after_the_discharge_passes_the_threshold() {
    let ahead = [(t(60), 6000.0), (t(120), 12_000.0)];
    let seen = made(0, &memory(-60, &[3000.0; 7]), 3000.0, &ahead);
    let far = seen.places[&PlaceId::new("far")];
    // 6,300 is passed 3 min after 60; in the scenario of 12,000 it is passed 44 min after the rise begins, water 240 min after.
    assert_eq!(far.crossed_at, Some(t(63)));
    assert!((far.lag_min - 196.0).abs() < 1e-9, "{}", far.lag_min);
    assert_eq!(far.at, Some(t(63 + 196)));
    assert!(!far.is_there(t(258)) && far.is_there(t(259)));
    assert!((far.depth_m - 1.0).abs() < 1e-9);
    assert!(!seen.places.contains_key(&PlaceId::new("high")));
    assert_eq!((seen.peak, seen.present_m3s()), ((t(120), 12_000.0), 3000.0));
    // The only way out of far is cut before the water is there.
    let cut = seen.last_way_cut(&"far".into()).unwrap();
    assert!(cut.at < far.at, "{cut:?}");
    assert!(seen.last_way_cut(&"near".into()).is_none());
}

#[test]
fn mirror_a_spell_lasts_until_the_discharge_is_well_below() {
    let near = |seen: &Mirrored| seen.places.get(&PlaceId::new("near")).copied();
    let rising = [3000.0, 3000.0, 3600.0, 4000.0, 3200.0];
    // It fell below 3,300 but not below nine tenths of it: the spell that began after ten minutes lasts.
    let held = made(40, &memory(0, &rising), 3200.0, &[]);
    assert_eq!(near(&held).unwrap().crossed_at, Some(t(15)));
    // Below nine tenths it is over, and with no higher forecast nothing comes.
    let over = made(50, &memory(0, &[3000.0, 3000.0, 3600.0, 4000.0, 2900.0]), 2900.0, &[(t(110), 2950.0)]);
    assert!(near(&over).is_none());
    // Above from the first value that is remembered: there is water, nobody knows since when.
    let since = near(&made(40, &memory(0, &[5000.0; 5]), 5000.0, &[])).unwrap();
    assert_eq!((since.crossed_at, since.at, since.is_there(t(40))), (None, None, true));
}

#[test]
fn mirror_a_higher_gauge_raises_the_discharge_and_a_lower_one_takes_nothing_away() {
    let at = |stage_m: f64, datum: Datum, age_min: i64| {
        let stage = Some((t(-age_min), stage_m, datum));
        let input = MirrorInput { discharge: Some((t(0), 6000.0)), stage, forecast: None };
        Mirrored::make(&table(), t(0), &DischargeMemory::default(), &input).unwrap()
    };
    // The model has 92.00 m at 6,000 m³/s and 93.50 m at 12,000.
    assert_eq!(at(92.3, Datum::Dagu, 5).present_m3s(), 6000.0);
    assert_eq!(at(90.0, Datum::Dagu, 5).present_m3s(), 6000.0);
    let raised = at(92.6, Datum::Dagu, 5);
    assert!((raised.present_m3s() - 7000.0).abs() < 1e-6, "{}", raised.present_m3s());
    // At most three tenths, and never by a stage of another surface or another hour.
    assert!((at(99.0, Datum::Dagu, 5).present_m3s() - 7800.0).abs() < 1e-9);
    assert_eq!(at(92.6, Datum::National85, 5).gauge, GaugeWord::Silent);
    assert_eq!(at(92.6, Datum::Dagu, 90).gauge, GaugeWord::Silent);
}

#[test]
fn mirror_without_a_discharge_there_is_none() {
    let input = MirrorInput::default();
    assert!(Mirrored::make(&table(), t(0), &DischargeMemory::default(), &input).is_none());
}

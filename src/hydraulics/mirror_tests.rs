//! Tests of the live mirror on four cells: thresholds, lags, spells, the gauge.

use super::*;
use crate::hydraulics::PlaceValues;
use crate::hydraulics::{Grid, LeveeLine, Library, LibraryPlan, NEVER_MIN, Plane, SiteGround, TwinSite};

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

fn point(id: &str, x: f64) -> MirrorSpot {
    MirrorSpot { id: id.into(), kind: None, outline: Outline::Point([x, 50.0]), crest_m: None, leaves: None }
}

fn table() -> Arc<MirrorTable> {
    let way = |id: &str, to: f64| MirrorSpot {
        id: id.into(),
        kind: None,
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

/// The four cells with a levee read at the near plain, a work in front of it, a village on the far plain, and more segments.
fn levee_table(more: &[(&str, f64)]) -> Arc<MirrorTable> {
    let mut model = model();
    let line = |id: &str, x: f64, crest_m: f64| LeveeLine {
        place: id.into(),
        toe: vec![[x, 50.0], [x + 10.0, 50.0]],
        crest_m,
        stage_at: [50.0, 50.0],
    };
    model.site.levee = vec![line("seg-a", 150.0, 95.0), line("work-a", 250.0, 92.2)];
    model.site.levee.extend(more.iter().map(|(id, x)| line(id, *x, 95.0)));
    let spot = |id: &str, x: f64, kind| MirrorSpot {
        id: id.into(),
        kind: Some(kind),
        outline: Outline::Point([x, 50.0]),
        crest_m: None,
        leaves: None,
    };
    let segments = ["seg-a"].into_iter().chain(more.iter().map(|(id, _)| *id));
    let mut spots: Vec<MirrorSpot> = segments.map(|id| spot(id, 150.0, PlaceKind::Segment)).collect();
    spots.push(spot("work-a", 250.0, PlaceKind::TrainingWork));
    spots.push(spot("far", 250.0, PlaceKind::Village));
    Arc::new(MirrorTable::of(&model, &spots).unwrap())
}

fn one(values: &PlaceValues, place: &str) -> Option<f64> {
    values.at.get(&PlaceId::new(place)).map(|value| (value * 1000.0).round() / 1000.0)
}

#[test]
fn mirror_toe_village_and_freeboard_follow_the_course_of_the_discharge() {
    let table = levee_table(&[]);
    let ahead = [(t(60), 6000.0), (t(120), 12_000.0), (t(180), 12_000.0)];
    let input = MirrorInput { discharge: Some((t(0), 3000.0)), stage: None, forecast: Some((t(0), &ahead)) };
    let seen = Mirrored::make(&table, t(0), &memory(-60, &[3000.0; 6]), &input).unwrap();
    // 3,300 is passed after 6 min, 126 min before the water is at the toe in the scenario of 12,000.
    assert_eq!((one(&seen.toe_h(t(0)), "seg-a"), seen.toe_m(t(0)).at.len()), (Some(2.2), 0));
    assert_eq!(one(&seen.toe_h(t(102)), "seg-a"), Some(0.5), "what is old counts on");
    assert!(seen.toe_m(t(131)).at.is_empty());
    assert_eq!((one(&seen.toe_m(t(132)), "seg-a"), one(&seen.toe_h(t(132)), "seg-a")), (Some(2.0), Some(0.0)));
    assert!(seen.toe_m(t(0)).is_whole && !seen.toe_h(t(132)).at.contains_key("work-a"), "a work has no toe");
    assert!(seen.village_m(t(258)).at.is_empty() && seen.village_m(t(0)).is_whole);
    assert_eq!(one(&seen.village_m(t(259)), "far"), Some(1.0));
    // Crest 95 over 91, 92 and 93.5 m at 3,000, 6,000 and 12,000 m³/s; the work's crest lies at 92.2 m.
    let least = |until, works| seen.freeboard_m(t(0), t(until), works);
    assert_eq!(one(&least(30, false).unwrap(), "seg-a"), Some(3.5));
    assert_eq!(one(&least(60, false).unwrap(), "seg-a"), Some(3.0));
    let whole = least(240, true).unwrap();
    assert_eq!((one(&whole, "seg-a"), one(&whole, "work-a"), whole.is_whole), (Some(1.5), Some(-1.3), true));
    assert_eq!(one(&least(60, false).unwrap(), "work-a"), None);
    assert_eq!(least(241, true), None, "the forecast does not reach so far");
    assert_eq!(seen.forecast_until(), Some(t(180)));
}

#[test]
fn mirror_falling_water_lowers_the_toe_and_leaves_it() {
    let seen = |values: &[f64], last: f64| {
        let now = t(10 * values.len() as i64);
        let input = MirrorInput { discharge: Some((now, last)), stage: None, forecast: None };
        let seen = Mirrored::make(&levee_table(&[]), now, &memory(0, values), &input).unwrap();
        (one(&seen.toe_m(now), "seg-a"), one(&seen.toe_h(now), "seg-a"), seen.freeboard_m(now, now, true))
    };
    assert_eq!(seen(&[12_000.0; 5], 6000.0), (Some(0.5), Some(0.0), None), "without a forecast no freeboard");
    assert_eq!(seen(&[12_000.0; 5], 3000.0).0, Some(0.05), "a pond outlasts the crest");
    assert_eq!(seen(&[12_000.0; 5], 2900.0), (None, None, None));
}

#[test]
fn mirror_a_toe_or_a_segment_that_the_model_does_not_know_is_not_called_quiet() {
    let seen = |table: Arc<MirrorTable>| {
        let ahead = [(t(60), 20_000.0)];
        let input = MirrorInput { discharge: Some((t(0), 3000.0)), stage: None, forecast: Some((t(0), &ahead)) };
        Mirrored::make(&table, t(0), &DischargeMemory::default(), &input).unwrap()
    };
    let river = seen(levee_table(&[("seg-r", 50.0)]));
    assert!(!river.toe_m(t(0)).is_whole && !river.toe_h(t(0)).at.contains_key("seg-r"), "river at the base");
    let freeboard = river.freeboard_m(t(0), t(60), false).unwrap();
    assert!(freeboard.is_whole, "the river stands beside its crest");
    assert_eq!(one(&freeboard, "seg-r"), Some(1.5), "beyond the highest scenario the highest counts");
    let mut partly = Arc::into_inner(levee_table(&[])).unwrap();
    partly.levee_is_whole = false;
    let part = seen(Arc::new(partly));
    assert!(!part.toe_m(t(0)).is_whole && !part.freeboard_m(t(0), t(60), true).unwrap().is_whole);
    // Without segments, villages and lines nothing is quiet either.
    let bare = seen(table());
    assert!(!bare.toe_m(t(0)).is_whole && !bare.village_m(t(0)).is_whole);
    assert!(!bare.freeboard_m(t(0), t(60), true).unwrap().is_whole);
}

#[test]
fn mirror_without_a_discharge_there_is_none() {
    let input = MirrorInput::default();
    assert!(Mirrored::make(&table(), t(0), &DischargeMemory::default(), &input).is_none());
}

#[test]
fn mirror_of_a_breach_floods_what_the_sound_levee_kept_dry_and_nothing_later() {
    use crate::hydraulics::{BreachSite, OpenBreach};
    let mut model = model();
    let site = |place: &str, x: f64| BreachSite {
        place: place.into(),
        name_zh: String::new(),
        name_en: String::new(),
        centre: [x, 50.0],
        width_m: 200.0,
        to_crest_m: 90.0,
        start_h: 3.0,
        duration_h: 1.0,
    };
    model.site.breaches = vec![site("work-a", 0.0), site("work-b", 400.0)];
    let library = model.library.as_mut().unwrap();
    // At 6,000 the high ground stays dry, at 12,000 the water comes 200 minutes after the rise, 20 after the breach.
    for (q, high, arrival) in [(6000.0, 0, NEVER_MIN), (12_000.0, 80, 200)] {
        let mut member = library.members[if q < 7000.0 { 1 } else { 2 }].clone();
        member.breach = Some("work-b".into());
        (member.highest_cm[3], member.arrival_min[3], member.depth_cm[1][3]) = (high, arrival, high);
        library.members.push(member);
    }
    let way = MirrorSpot {
        leaves: Some("high".into()),
        outline: Outline::Line(vec![[350.0, 50.0], [390.0, 50.0]]),
        ..point("w", 0.0)
    };
    let spots = [point("near", 150.0), point("far", 250.0), point("high", 350.0), way];
    let table = Arc::new(MirrorTable::of(&model, &spots).unwrap());
    let memory = memory(-600, &[3000.0; 61]);
    let made = |q: f64, peak: f64| {
        let ahead = [(t(60), peak)];
        let input = MirrorInput { discharge: Some((t(0), q)), stage: None, forecast: Some((t(0), &ahead)) };
        Mirrored::make(&table, t(0), &memory, &input).unwrap()
    };
    let reported = |place: &str| vec![OpenBreach { places: vec!["nowhere".into(), place.into()], since: t(0) }];
    let twin = made(9000.0, 12_000.0);
    let high = PlaceId::new("high");
    assert!(!twin.places.contains_key(&high) && twin.last_way_cut(&high).is_none());

    let breached = twin.with_breaches(&reported("far"));
    assert_eq!(breached.breaches[0].site, Some("work-b".into()));
    let coming = breached.places[&high];
    assert_eq!((coming.at, coming.depth_m, coming.threshold_m3s), (Some(t(20)), 0.8, None));
    assert_eq!(breached.last_way_cut(&high).map(|cut| cut.at), Some(Some(t(20))), "the front cuts the way as it comes");
    assert_eq!(
        breached.places[&PlaceId::new("near")],
        twin.places[&PlaceId::new("near")],
        "the river's own water is earlier"
    );
    // The site at the other end of the plan has no scenarios: it brings nothing, but it is said.
    let other = twin.with_breaches(&reported("near"));
    assert_eq!((other.breaches[0].site.clone(), other.places.clone()), (Some("work-a".into()), twin.places.clone()));
    // Nowhere that is known: said, and nothing invented.
    let lost = twin.with_breaches(&[OpenBreach { places: vec!["nowhere".into()], since: t(0) }]);
    assert_eq!((lost.breaches[0].site.clone(), lost.places), (None, twin.places.clone()));
    // Between two scenarios of which one is wet: rather too early than too late; below the lowest it is the lowest.
    assert_eq!(made(7000.0, 7000.0).with_breaches(&reported("far")).places[&high].at, Some(t(20)));
    assert!(!made(3500.0, 3500.0).with_breaches(&reported("far")).places.contains_key(&high));
}

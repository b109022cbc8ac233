//! Tests of the verification: crossings, hours gained, false, early and withdrawn warnings, a flood without upstream series.

use super::*;
use crate::forecast::verify::events::{EventCount, Gained};

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
}

/// 4,000 m³/s within 24 h: borne out within 31 h; over below 3,600.
fn alert() -> Alert {
    Alert {
        name_zh: "蓝色".into(),
        name_en: "blue".into(),
        at_least_m3s: 4000.0,
        foreseen_from_m3s: 4000.0,
        within_h: 24,
        clear_m3s: 3600.0,
    }
}

/// 200 hours at 2,000 m³/s, with other values over some of them.
fn river(spans: &[(std::ops::Range<i64>, f64)]) -> BTreeMap<Timestamp, f64> {
    let q = |hour: i64| spans.iter().find(|(span, _)| span.contains(&hour)).map_or(2000.0, |(_, q)| *q);
    (0..200).map(|hour| (at(hour), q(hour))).collect()
}

/// Hourly forecasts of which the plain line said so over some hours (from, until), the members never.
fn said(spans: &[(i64, i64)]) -> Vec<Said> {
    let says = |hour: i64| spans.iter().any(|(from, until)| (*from..*until).contains(&hour));
    (0..200).map(|hour| Said { at: at(hour), reached: [says(hour), false] }).collect()
}

/// By the plain line: hours gained at each crossing (first, unbroken), beginnings of false warnings, of open ones.
fn check(
    truth: &BTreeMap<Timestamp, f64>,
    said: &[Said],
    crossings: &[(i64, Option<(i64, i64)>)],
    vain: &[i64],
    open: &[i64],
) {
    let told = events(&alert(), truth, said);
    let gained = |gained: Option<Gained>| gained.map(|gained| (gained.first_h, gained.unbroken_h));
    let hours = |times: &[Timestamp]| times.iter().map(|time| time.timestamp() / 3600).collect::<Vec<_>>();
    let crossed: Vec<_> = told.crossings.iter().map(|one| (one.at.timestamp() / 3600, gained(one.gained[0]))).collect();
    assert_eq!(crossed, crossings);
    assert_eq!((hours(&told.false_warnings[0]), hours(&told.open[0])), (vain.to_vec(), open.to_vec()));
    assert!(told.crossings.iter().all(|one| one.gained[1].is_none()), "the members said nothing");
    assert!(told.false_warnings[1].is_empty() && told.open[1].is_empty());
}

#[test]
fn verify_counts_the_hours_gained_before_a_crossing() {
    assert_eq!((alert().tolerance_h(), alert().reach_h()), (7, 31));
    let flood = river(&[(100..120, 5000.0)]);
    check(&flood, &said(&[(80, 100)]), &[(100, Some((20, 20)))], &[], &[]);
    check(&flood, &said(&[]), &[(100, None)], &[], &[]);
    // Said at the hour of the crossing is too late, and while the river stands above it nothing is said in vain.
    check(&flood, &said(&[(100, 120)]), &[(100, None)], &[], &[]);
    // Silent for an hour is flicker; for two, the warning was withdrawn.
    check(&flood, &said(&[(80, 90), (91, 100)]), &[(100, Some((20, 20)))], &[], &[]);
    check(&flood, &said(&[(80, 90), (92, 100)]), &[(100, Some((20, 8)))], &[], &[]);
    check(&flood, &said(&[(80, 90)]), &[(100, Some((20, 0)))], &[], &[]);
}

#[test]
fn verify_calls_a_warning_false_when_the_river_does_not_come_or_comes_too_late() {
    check(&river(&[]), &said(&[(50, 60), (100, 101)]), &[], &[50, 100], &[]);
    // 31 h before is still borne out; an hour earlier is said in vain, though the crossing itself was foreseen in time.
    let flood = river(&[(100..120, 5000.0)]);
    check(&flood, &said(&[(69, 100)]), &[(100, Some((31, 31)))], &[], &[]);
    check(&flood, &said(&[(68, 100)]), &[(100, Some((31, 31)))], &[68], &[]);
    check(&flood, &said(&[(60, 62)]), &[(100, None)], &[60], &[]);
    // The file ends before the time of the last warning has passed.
    check(&river(&[]), &said(&[(168, 200)]), &[], &[168], &[]);
    check(&river(&[]), &said(&[(169, 200)]), &[], &[], &[169]);
}

#[test]
fn verify_takes_a_second_crest_for_another_crossing_only_after_the_river_was_clear() {
    let dip = |q: f64| river(&[(100..110, 5000.0), (110..120, q), (120..130, 5000.0)]);
    check(&dip(3700.0), &said(&[(90, 130)]), &[(100, Some((10, 10)))], &[], &[]);
    check(&dip(3500.0), &said(&[(90, 100), (115, 120)]), &[(100, Some((10, 10))), (120, Some((5, 5)))], &[], &[]);
    // What was said before the first does not count for the second.
    check(&dip(3500.0), &said(&[(90, 100)]), &[(100, Some((10, 10))), (120, None)], &[], &[]);
    // A file that begins above the threshold does not begin with a crossing.
    check(&river(&[(0..20, 5000.0), (100..110, 4000.0)]), &said(&[]), &[(100, None)], &[], &[]);
}

#[test]
fn verify_says_where_more_may_have_been_gained_and_where_nothing_was_forecast() {
    let flood = river(&[(10..20, 5000.0)]);
    let told = events(&alert(), &flood, &said(&[(0, 10)]));
    assert_eq!(told.crossings[0].gained[0], Some(Gained { first_h: 10, unbroken_h: 10, at_least: true }));
    let told = events(&alert(), &flood, &said(&[(1, 10)]));
    assert_eq!(told.crossings[0].gained[0].map(|gained| gained.at_least), Some(false));
    let silent = events(&alert(), &flood, &[]);
    let mut count = EventCount::default();
    count.add(&silent, 0);
    assert_eq!((silent.crossings.len(), silent.crossings[0].forecasts), (1, 0));
    assert_eq!(count, EventCount::default(), "where nothing was forecast nothing was missed");
}

#[test]
fn verify_counts_events_as_parts_of_small_wholes() {
    let mut count = EventCount::default();
    let flood = river(&[(100..110, 5000.0)]);
    count.add(&events(&alert(), &flood, &said(&[(90, 100)])), 0);
    count.add(&events(&alert(), &flood, &said(&[(20, 25)])), 0);
    assert_eq!(count, EventCount { hits: 1, misses: 1, false_warnings: 1 });
    assert_eq!((count.pod(), count.far(), count.csi()), ((1, 2), (1, 2), (1, 3)));
}

fn settings() -> ForecastSettings {
    let file = format!("{}/sensors/huayuankou/forecast.toml", env!("CARGO_MANIFEST_DIR"));
    toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A river that rises from 2,000 to 6,000 m³/s within two days and falls within four; what 小浪底 lets down is the same, 20 h earlier.
fn rise_and_fall(with_upstream: bool) -> Vec<FloodHour> {
    let shape = |hour: i64| ((hour - 100) as f64 / 48.0).min((244 - hour) as f64 / 96.0).max(0.0);
    let q = |hour: i64| 2000.0 + 4000.0 * shape(hour);
    let upstream = |hour: i64| [("xiaolangdi", q(hour + 20)), ("heishiguan", 0.0), ("wuzhi", 0.0)];
    let hour = |hour: i64| FloodHour {
        at: at(hour),
        target_m3s: Some(q(hour)),
        upstream_m3s: upstream(hour).into_iter().filter(|_| with_upstream).map(|(name, q)| (name.into(), q)).collect(),
    };
    (0..240).map(hour).collect()
}

#[test]
fn verify_judges_the_forecast_and_standing_still_by_the_standard() {
    let told = verify(&settings(), &rise_and_fall(true), 6, &[alert()]);
    let twelve = &told.leads[2];
    assert_eq!((twelve.plain.count, twelve.still.count), (told.leads[2].band.count, twelve.plain.count));
    assert!(twelve.plain.rate() > twelve.still.rate() && twelve.plain.dc() > twelve.still.dc(), "{twelve:?}");
    assert!(twelve.plain.rate().is_some_and(|rate| rate >= 0.85), "{twelve:?}");
    let [crossing] = &told.events[0].crossings[..] else { panic!("{:?}", told.events) };
    assert_eq!(crossing.at, at(124));
    assert!(crossing.gained[0].is_some_and(|gained| gained.first_h >= 6), "{crossing:?}");
    assert!(told.crest.iter().all(|crest| crest.height_qualified && crest.hour_qualified), "{:?}", told.crest);
}

#[test]
fn verify_without_upstream_series_judges_standing_still_alone() {
    let told = verify(&settings(), &rise_and_fall(false), 6, &[alert()]);
    assert!(told.leads.iter().all(|lead| lead.plain.count == 0 && lead.crps_m3s().is_none() && lead.still.count > 0));
    assert_eq!(told.events[0].crossings.len(), 1);
    assert_eq!((told.events[0].crossings[0].forecasts, told.crest.len()), (0, 0));
    let quiet: usize = told.warnings.iter().flatten().flatten().map(|cell| cell.misses + cell.quiet).sum();
    assert_eq!(quiet, 0, "no forecast, no miss");
}

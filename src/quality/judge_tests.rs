//! Tests of the checks: a table of cases, and properties.

use super::*;
use crate::model::Timestamp;
use crate::quality::{RatingLine, RatingPair};
use chrono::TimeDelta;
use proptest::prelude::*;

fn limits() -> QualityTable {
    let limits = Limits {
        range: Some([0.0, 40_000.0]),
        rise_per_hour: Some(9000.0),
        jump: Some(500.0),
        jump_share: Some(0.1),
        frozen_after_s: Some(3600.0),
        late_after_s: Some(120.0),
        ..Limits::default()
    };
    [
        ("discharge".to_owned(), limits.clone()),
        ("stage".to_owned(), Limits { frozen_after_s: None, jump: None, jump_share: None, ..limits }),
    ]
    .into()
}

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn reading(second: i64, value: f64) -> Reading {
    Reading { series: "hyk.discharge".into(), observed_at: at(second), received_at: at(second), value }
}

fn words(seen: &Observation) -> String {
    format!("{:?} {}", seen.quality.grade, seen.quality.causes.words().join(",")).trim_end().to_owned()
}

/// The verdict of the last reading, after all before it.
fn check(readings: &[Reading], expected: &str) {
    let mut judge = Judge::new(limits(), BTreeMap::new());
    let last = readings.iter().map(|reading| judge.judge(reading)).last().unwrap();
    assert_eq!(words(last.last().unwrap()), expected, "{readings:?}");
}

#[test]
fn each_check_has_its_word() {
    let delayed = |observed, received, value| Reading { received_at: at(received), ..reading(observed, value) };
    check(&[reading(0, 3000.0)], "Good");
    check(&[reading(0, f64::NAN)], "Bad missing");
    check(&[reading(0, f64::INFINITY)], "Bad range,missing");
    check(&[reading(0, -1.0)], "Bad range");
    check(&[reading(0, 40_000.0)], "Good");
    check(&[reading(0, 3000.0), reading(60, 3951.0)], "Suspect spike");
    check(&[reading(0, 3000.0), reading(60, 3950.0)], "Good");
    check(&[reading(0, 3000.0), delayed(60, 180, 3000.0)], "Good");
    check(&[reading(0, 3000.0), delayed(60, 181, 3000.0)], "Good late");
    check(&[reading(0, 3000.0), delayed(160, 100, 3000.0)], "Suspect clock");
    check(&[reading(100, 3000.0), delayed(40, 160, 3010.0)], "Suspect clock");
    check(&[reading(400, 3000.0), delayed(40, 460, 3010.0)], "Good late");
    check(&[reading(60, 3000.0), reading(60, 3000.0)], "Good");
    check(&[reading(60, 3000.0), reading(60, 3010.0)], "Suspect clock");
    check(&[reading(60, f64::NAN), reading(60, f64::NAN)], "Bad missing");
}

#[test]
fn a_steep_rise_in_small_steps_is_suspect_and_believed_after_the_window() {
    let steps: Vec<Reading> = (0..12).map(|n| reading(n * 60, 3000.0 + 400.0 * n as f64)).collect();
    check(&steps[..4], "Good");
    check(&steps[..5], "Suspect rise");
    let mut judge = Judge::new(limits(), BTreeMap::new());
    let steady = (0..60).map(|n| reading(n * 60, 3000.0 + 160.0 * n as f64));
    let verdicts: Vec<bool> =
        steady.flat_map(|reading| judge.judge(&reading)).map(|seen| seen.quality.is_usable()).collect();
    let longest = verdicts.split(|usable| *usable).map(<[bool]>::len).max().unwrap();
    assert!(longest <= 11, "a true fast rise stays suspect for {longest} minutes");
}

#[test]
fn a_lone_spike_moves_nothing() {
    let mut judge = Judge::new(limits(), BTreeMap::new());
    let seen: Vec<String> = [(0, 3000.0), (60, 23_000.0), (120, 3010.0), (180, 3020.0)]
        .iter()
        .flat_map(|(second, value)| judge.judge(&reading(*second, *value)))
        .map(|seen| words(&seen))
        .collect();
    assert_eq!(seen, ["Good", "Suspect rise,spike", "Good", "Good"]);
}

#[test]
fn a_real_jump_is_believed_after_two_more_values_and_corrected_backwards() {
    let mut judge = Judge::new(limits(), BTreeMap::new());
    let mut play = |second, value| {
        let seen = judge.judge(&reading(second, value));
        seen.iter().map(|one| format!("{} {}", one.at.timestamp(), words(one))).collect::<Vec<_>>()
    };
    assert_eq!(play(0, 3000.0), ["0 Good"]);
    assert_eq!(play(60, 9000.0), ["60 Suspect rise,spike"]);
    assert_eq!(play(120, 9010.0), ["120 Suspect rise,spike"]);
    assert_eq!(play(180, 9050.0), ["60 Good", "120 Good", "180 Good"]);
    assert_eq!(play(240, 9060.0), ["240 Good"]);
}

#[test]
fn a_step_too_small_for_a_jump_is_believed_as_soon_and_a_ramp_is_not() {
    let table = || -> QualityTable {
        let mut table = limits();
        table.values_mut().for_each(|limits| {
            (limits.rise_band, limits.rise_window_s, limits.rise_per_hour) = (Some(150.0), Some(900.0), Some(600.0));
        });
        table
    };
    let grades = |values: &[f64]| {
        let mut judge = Judge::new(table(), BTreeMap::new());
        let readings = values.iter().enumerate().map(|(n, value)| reading(n as i64 * 60, *value));
        readings.flat_map(|reading| judge.judge(&reading)).map(|seen| words(&seen)).collect::<Vec<_>>()
    };
    let rise = "Suspect rise";
    assert_eq!(grades(&[3000.0, 3300.0, 3305.0]), ["Good", rise, rise]);
    // The third value of the plateau frees the two that waited.
    assert_eq!(grades(&[3000.0, 3300.0, 3305.0, 3310.0])[3..], ["Good", "Good", "Good"]);
    assert_eq!(grades(&[3000.0, 3300.0, 3005.0, 3300.0, 3010.0]), ["Good", rise, "Good", rise, "Good"]);
    let ramp: Vec<f64> = (0..6).map(|n| 3000.0 + 200.0 * f64::from(n)).collect();
    assert!(grades(&ramp)[1..].iter().all(|words| words.starts_with("Suspect")), "{:?}", grades(&ramp));
}

#[test]
fn standing_still_is_frozen_only_while_the_witness_moves_or_after_long() {
    let play = |moving: bool, until: i64| {
        let mut judge = Judge::new(limits(), BTreeMap::new());
        let mut last = String::new();
        for minute in 0..=until {
            let stage = 90.0 + if moving { minute as f64 * 0.001 } else { 0.0 };
            judge.judge(&Reading { series: "hyk.stage".into(), ..reading(minute * 60, stage) });
            last = words(judge.judge(&reading(minute * 60, 3000.0)).last().unwrap());
        }
        last
    };
    assert_eq!(play(true, 59), "Good");
    assert_eq!(play(true, 60), "Suspect frozen");
    assert_eq!(play(false, 200), "Good");
    assert_eq!(play(false, 240), "Suspect frozen");
}

#[test]
fn a_gauge_overrides_its_quantity() {
    let own = [("hyk.discharge".into(), Limits { range: Some([0.0, 100.0]), ..Limits::default() })].into();
    let mut judge = Judge::new(limits(), own);
    assert_eq!(words(&judge.judge(&reading(0, 3000.0))[0]), "Bad range");
    assert_eq!(words(&judge.judge(&reading(60, 50.0))[0]), "Good", "other limits are those of the quantity");
}

proptest! {
    /// Nothing is dropped, nothing is replaced, and only a number can be usable.
    #[test]
    fn every_reading_comes_back(values in prop::collection::vec((0i64..5000, -1e5..1e5f64, 0..20u8), 1..200)) {
        let mut judge = Judge::new(limits(), BTreeMap::new());
        for (second, value, odd) in values {
            let value = match odd { 0 => f64::NAN, 1 => f64::INFINITY, _ => value };
            let asked = reading(second, value);
            let out = judge.judge(&asked);
            let own = out.last().unwrap();
            prop_assert_eq!(own.at, asked.observed_at);
            prop_assert!(same(own.value, value) || !value.is_finite() && own.value.is_nan());
            prop_assert!(own.value.is_finite() || own.quality.grade == Grade::Bad);
            prop_assert!(out.iter().all(|seen| seen.value.is_finite() || !seen.quality.is_usable()));
        }
    }

    /// One wild value among steady ones is never usable, wherever it stands.
    #[test]
    fn a_lone_spike_is_never_usable(place in 1usize..40, height in 2000.0..30_000.0f64) {
        let mut judge = Judge::new(limits(), BTreeMap::new());
        for n in 0..42usize {
            let value = if n == place { 3000.0 + height } else { 3000.0 + n as f64 };
            for seen in judge.judge(&reading(n as i64 * 60, value)) {
                prop_assert_eq!(seen.quality.is_usable(), seen.value < 4000.0);
            }
        }
    }
}

#[test]
fn a_backlog_before_live_values_marks_none_of_them_as_after_a_gap() {
    let limits: QualityTable =
        limits().into_iter().map(|(name, limits)| (name, Limits { gap_intervals: Some(3.0), ..limits })).collect();
    let mut judge = Judge::new(limits, BTreeMap::new());
    // An hour of minutes in one push, a millisecond each; then minute by minute.
    for n in 0..60 {
        let received_at = at(3_600) + TimeDelta::milliseconds(n);
        judge.judge(&Reading { received_at, ..reading(n * 60, 3000.0 + n as f64) });
    }
    let live: Vec<String> = (61..90).map(|n| words(judge.judge(&reading(n * 60, 3060.0)).last().unwrap())).collect();
    assert!(live.iter().all(|word| word == "Good"), "{live:?}");
    let hole = judge.judge(&reading(95 * 60, 3070.0));
    assert_eq!(words(hole.last().unwrap()), "Good gap", "and a hole is still a hole");
}

#[test]
fn a_backlog_of_both_is_held_against_the_rating_like_live_values() {
    let pair = |stage: &str| RatingPair {
        stage: stage.into(),
        discharge: "hyk.discharge".into(),
        line: RatingLine { slope_m: 0.8, tolerance_m: 0.25 },
    };
    let relations = ["hyk.stage", "hyk.discharge"]
        .map(|id| (id.into(), Relations { rating: Some(pair("hyk.stage")), ..Relations::default() }));
    let calm: QualityTable =
        limits().into_iter().map(|(name, limits)| (name, Limits { jump: None, ..limits })).collect();
    let mut judge = Judge::new(calm, BTreeMap::new()).with_relations(relations.into());
    let both = |n: i64, received_at, factor: f64| {
        let q = 3000.0 + n as f64;
        let stage = Reading { series: "hyk.stage".into(), received_at, ..reading(n * 60, 86.0 + 0.8 * q.ln()) };
        [Reading { received_at, ..reading(n * 60, q * factor) }, stage]
    };
    for n in 0..30 {
        both(n, at(1_800) + TimeDelta::milliseconds(n), 1.0).iter().for_each(|one| drop(judge.judge(one)));
    }
    let off: Vec<Observation> =
        (31..45).flat_map(|n| both(n, at(n * 60), 1.5)).flat_map(|one| judge.judge(&one)).collect();
    let doubted = off.iter().filter(|one| one.quality.causes.has(Causes::RATING)).count();
    assert!(doubted >= 12, "{doubted} of {}: {:?}", off.len(), off.iter().map(words).collect::<Vec<_>>());
}

#[test]
fn what_was_judged_before_is_what_the_next_value_is_held_against() {
    let mut judge = Judge::new(limits(), BTreeMap::new());
    for n in 0..30 {
        let Reading { series, observed_at, received_at, value } = reading(n * 60, 3000.0);
        judge.remember(&Observation { series, at: observed_at, received_at, value, quality: Quality::GOOD });
    }
    assert_eq!(words(judge.clone().judge(&reading(1_800, 23_000.0)).last().unwrap()), "Suspect rise,spike");
    assert_eq!(words(judge.judge(&reading(1_800, 3_010.0)).last().unwrap()), "Good");
}

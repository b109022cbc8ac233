//! Every function of the trigger language that is sensed, from observations to its value.
#![allow(clippy::unwrap_used)]

use super::board::{BoardSettings, SignalBoard};
use super::history::{History, KEPT_H};
use super::snapshot::Snapshot;
use super::testing::{at, demo};
use super::truth::Truth;
use crate::model::{Causes, Grade};
use crate::model::{Observation, PlaceId, Quality, SeriesId, Timestamp};
use crate::model::{Reach, Standing, StoneState, WarningLevel};

fn key(text: &str) -> super::SignalKey {
    text.parse().unwrap()
}
fn board() -> SignalBoard {
    SignalBoard::new(BoardSettings::default(), at(0.0))
}
fn see(board: &mut SignalBoard, series: &str, hours: f64, value: f64) {
    let (series, at) = (SeriesId::new(series), at(hours));
    board.observe(&Observation { series, at, received_at: at, value, quality: Quality::GOOD });
}
fn flow(board: &mut SignalBoard, from_h: f64, to_h: f64, value: impl Fn(f64) -> f64) {
    let mut hours = from_h;
    while hours <= to_h {
        see(board, "huayuankou.discharge", hours, value(hours));
        hours += 1.0 / 12.0;
    }
}
fn value(board: &SignalBoard, hours: f64, text: &str) -> Option<f64> {
    board.snapshot(at(hours), &[key(text)]).everywhere(&key(text))
}
fn value_at(board: &SignalBoard, hours: f64, text: &str, place: &str) -> Option<f64> {
    board.snapshot(at(hours), &[key(text)]).at_place(&key(text), &PlaceId::new(place))
}

#[test]
fn playbook_board_nothing_is_known_without_a_source() {
    let playbook = demo();
    let snapshot = board().snapshot(at(1.0), &playbook.signals());
    let known: Vec<String> = snapshot.values.keys().map(ToString::to_string).collect();
    assert_eq!(known, ["data_gap(\"hyk\")", "night()", "season(\"flood\")", "season(\"pre_flood\")"]);
}

#[test]
fn playbook_board_q_fades_and_distrusts() {
    let mut board = board();
    see(&mut board, "huayuankou.discharge", 1.0, 4100.0);
    see(&mut board, "jiahetan.discharge", 1.0, 9000.0);
    assert_eq!(value(&board, 1.1, "q"), Some(4100.0));
    assert_eq!(value(&board, 0.9, "q"), None, "the future is not known");
    assert_eq!(value(&board, 2.4, "q"), Some(4100.0));
    assert_eq!(value(&board, 2.6, "q"), None);
    // Bad and suspect values, NaN and late ones do not move it.
    for (grade, value) in [(Grade::Bad, 1.0), (Grade::Suspect, 30000.0), (Grade::Good, f64::NAN)] {
        let quality = Quality { grade, causes: Causes::NONE };
        board.observe(&Observation {
            series: "huayuankou.discharge".into(),
            at: at(1.05),
            received_at: at(1.05),
            value,
            quality,
        });
    }
    see(&mut board, "huayuankou.discharge", 0.5, 3000.0);
    assert_eq!(value(&board, 1.1, "q"), Some(4100.0));
}

#[test]
fn playbook_board_qf_is_the_highest_within_the_hours() {
    let mut board = board();
    assert_eq!(value(&board, 0.0, "qf(24)"), None);
    board.set_forecast(at(0.0), &[(at(0.0), 3000.0), (at(10.0), 9000.0), (at(30.0), 5000.0)]);
    assert_eq!(value(&board, 0.0, "qf(12)"), Some(9000.0));
    assert_eq!(value(&board, 0.0, "qf(5)"), Some(6000.0), "on the line between two points");
    assert_eq!(value(&board, 10.0, "qf(12)"), Some(9000.0));
    // Shorter than asked: only a lower bound.
    let snapshot = board.snapshot(at(0.0), &[key("qf(48)")]);
    assert_eq!((snapshot.everywhere(&key("qf(48)")), snapshot.certain(&key("qf(48)"))), (Some(9000.0), None));
    assert_eq!(value(&board, 12.5, "qf(12)"), None, "issued too long ago");
    board.set_forecast(at(12.0), &[(at(12.0), f64::NAN)]);
    assert_eq!(value(&board, 12.5, "qf(12)"), None);
}

#[test]
fn playbook_board_above_needs_the_whole_time() {
    let mut board = board();
    flow(&mut board, 0.0, 80.0, |_| 4200.0);
    assert_eq!(value(&board, 80.0, "above(4000,72)"), Some(1.0));
    assert_eq!(value(&board, 60.0, "above(4000,72)"), None, "not watched for so long");
    assert_eq!(value(&board, 84.0, "above(4000,72)"), None, "a gap at the end");
    flow(&mut board, 80.0, 81.0, |_| 4000.0);
    assert_eq!(value(&board, 81.0, "above(4000,72)"), Some(0.0), "above means above");
}

#[test]
fn playbook_board_falling_is_robust() {
    let noise = |hours: f64| ((hours * 977.0).sin() * 40.0).round();
    let mut falling = board();
    flow(&mut falling, 0.0, 30.0, |hours| 9000.0 - 60.0 * hours + noise(hours));
    assert_eq!(value(&falling, 30.0, "falling(24)"), Some(1.0));
    assert_eq!(value(&falling, 20.0, "falling(24)"), None, "not watched for so long");
    let mut steady = board();
    flow(&mut steady, 0.0, 30.0, |hours| 5000.0 + noise(hours) / 8.0);
    assert_eq!(value(&steady, 30.0, "falling(24)"), Some(0.0), "standing is not falling");
    let mut second_peak = board();
    flow(&mut second_peak, 0.0, 30.0, |hours| {
        if hours < 26.0 { 9000.0 - 60.0 * hours } else { 7440.0 + 80.0 * (hours - 26.0) }
    });
    assert_eq!(value(&second_peak, 30.0, "falling(24)"), Some(0.0));
    assert_eq!(value(&second_peak, 25.0, "falling(24)"), Some(1.0));
    assert_eq!(value(&second_peak, 25.0, "falling(6)"), Some(1.0));
    // A rise settles it even with holes; holes alone leave it open.
    let mut holes = board();
    flow(&mut holes, 0.0, 6.0, |hours| 9000.0 - 60.0 * hours);
    flow(&mut holes, 20.0, 30.0, |hours| 9000.0 - 60.0 * hours);
    assert_eq!(value(&holes, 30.0, "falling(24)"), None);
    flow(&mut holes, 30.1, 31.0, |_| 9000.0);
    assert_eq!(value(&holes, 31.0, "falling(24)"), Some(0.0));
}

#[test]
fn playbook_board_hourly_reports_are_enough() {
    let mut board = board();
    for hour in 0..90 {
        see(&mut board, "huayuankou.discharge", f64::from(hour), 9000.0 - 40.0 * f64::from(hour));
    }
    assert_eq!(value(&board, 89.2, "falling(24)"), Some(1.0));
    assert_eq!(value(&board, 89.2, "above(4000,72)"), Some(1.0));
    assert_eq!(value(&board, 89.2, "q"), Some(5440.0));
}

#[test]
fn playbook_board_level_rise_is_of_the_window() {
    let mut board = board();
    for minute in 0..120 {
        see(&mut board, "huayuankou.stage", f64::from(minute) / 60.0, 93.0 + f64::from(minute) * 0.004);
    }
    let rise = value(&board, 1.98, "level_rise(60)").unwrap();
    assert!((0.23..0.29).contains(&rise), "{rise}");
    assert_eq!(value(&board, 0.5, "level_rise(60)"), None);
    assert_eq!(value(&board, 9.0, "level_rise(60)"), None);
    // A falling river rises by nothing, and a stage elsewhere is not ours.
    let mut falling = SignalBoard::new(BoardSettings::default(), at(0.0));
    for minute in 0..120 {
        see(&mut falling, "huayuankou.stage", f64::from(minute) / 60.0, 93.0 - f64::from(minute) * 0.004);
        see(&mut falling, "xiaolangdi.stage", f64::from(minute) / 60.0, 130.0 + f64::from(minute));
    }
    assert!(value(&falling, 1.98, "level_rise(60)").unwrap() < 0.05);
}

#[test]
fn playbook_board_rain_counts_up_and_starts_anew() {
    let mut board = board();
    board.set_station_place("rain-madu", PlaceId::new("work-a"));
    for quarter in 0..=100 {
        let hours = f64::from(quarter) / 4.0;
        see(&mut board, "rain-madu.rain", hours, if hours < 20.0 { hours * 10.0 } else { (hours - 20.0) * 10.0 });
        see(&mut board, "rain-shen.rain", hours, hours);
    }
    let near = |text: &str, hours: f64, expected: f64| {
        let found = value(&board, hours, text).unwrap();
        assert!((found - expected).abs() < 3.0, "{text}: {found}, expected {expected}");
    };
    near("rain(1)", 10.0, 10.0);
    near("rain(24)", 24.5, 240.0);
    assert_eq!(value(&board, 10.0, "rain(24)"), None, "not watched for so long");
    assert!((value_at(&board, 10.0, "rain(1)", "work-a").unwrap() - 10.0).abs() < 3.0);
}

#[test]
fn playbook_board_rain_a_counter_that_slips_back_tells_no_rain() {
    let mut board = board();
    for quarter in 0..=40 {
        let hours = f64::from(quarter) / 4.0;
        // Set back by a millimetre at the fifth hour, then it goes on as before.
        let slip = if hours < 5.0 { 0.0 } else { 1.0 };
        see(&mut board, "rain-madu.rain", hours, 60.0 + hours * 0.4 - slip);
    }
    let rain = value(&board, 5.5, "rain(1)").unwrap();
    assert!(rain < 0.5, "{rain} mm within the hour of the slip");
    let rain = value(&board, 10.0, "rain(1)").unwrap();
    assert!((rain - 0.4).abs() < 0.11, "{rain} mm later");
}

#[test]
fn playbook_board_wind_and_waves_fade() {
    let mut board = board();
    see(&mut board, "met-1.wind", 0.0, 6.0);
    see(&mut board, "met-2.wind", 0.0, 11.0);
    see(&mut board, "met-1.wave", 0.0, 0.6);
    assert_eq!(value(&board, 0.5, "wind"), Some(11.0));
    assert_eq!(value(&board, 0.5, "wave"), Some(0.6));
    assert_eq!(value(&board, 1.5, "wind"), None);
}

#[test]
fn playbook_board_day_and_season_by_beijing() {
    let board = board();
    // at(0) is 08:00 on 1 August on the levee.
    for (hours, night) in [(0.0, 0.0), (9.9, 0.0), (10.0, 1.0), (21.9, 1.0), (22.0, 0.0)] {
        assert_eq!(value(&board, hours, "night()"), Some(night), "{hours}");
    }
    let season = |text: &str, moment: &str| {
        let now: Timestamp = moment.parse().unwrap();
        board.snapshot(now, &[key(text)]).everywhere(&key(text)).unwrap() == 1.0
    };
    assert!(!season("season(\"pre_flood\")", "2026-04-30T15:59:59Z"));
    assert!(season("season(\"pre_flood\")", "2026-04-30T16:00:00Z"));
    assert!(season("season(\"flood\")", "2026-06-30T16:00:00Z"));
    assert!(season("season(\"flood\")", "2026-10-31T15:59:59Z"));
    assert!(!season("season(\"flood\")", "2026-10-31T16:00:00Z"));
}

#[test]
fn playbook_board_a_silent_station_is_counted_from_the_start() {
    let mut board = board();
    assert_eq!(value(&board, 0.75, "data_gap(\"hyk\")"), Some(45.0));
    see(&mut board, "huayuankou.stage", 1.0, 93.0);
    assert_eq!(value(&board, 1.5, "data_gap(\"hyk\")"), Some(30.0));
    see(&mut board, "xiaolangdi.discharge", 1.4, 900.0);
    assert_eq!(value(&board, 1.5, "data_gap(\"hyk\")"), Some(30.0));
}

fn stone(hours: f64, shakes: bool, moves: bool, tilt_deg: f64) -> StoneState {
    StoneState { at: at(hours), shakes, moves, tilt_deg: Some(tilt_deg) }
}

#[test]
fn playbook_board_stones_belong_to_their_dam() {
    let mut board = board();
    let dam = PlaceId::new("dam-a1");
    for name in ["s1", "s2", "s3", "s4"] {
        board.set_stone(&dam, name, stone(0.0, false, false, 0.0));
    }
    let known = |board: &SignalBoard, hours: f64, text: &str| value_at(board, hours, text, "dam-a1");
    assert_eq!(known(&board, 0.1, "stone_alarm(\"shake\")"), Some(0.0));
    assert_eq!(
        board.snapshot(at(0.1), &demo().signals()).values[&key("stone_alarm(\"shake\")")].at.len(),
        0,
        "quiet dams take no room"
    );
    board.set_stone(&dam, "s1", stone(0.1, true, false, 2.0));
    board.set_stone(&dam, "s2", stone(0.2, false, true, 17.0));
    assert_eq!(known(&board, 0.2, "stone_alarm(\"shake\")"), Some(1.0));
    assert_eq!(known(&board, 0.2, "stone_alarm(\"move\")"), Some(1.0));
    assert_eq!(known(&board, 0.2, "stone_tilt(10)"), Some(0.0), "one tilt within ten minutes is no change");
    board.set_stone(&dam, "s2", stone(0.3, false, true, 1.0));
    assert_eq!(known(&board, 0.3, "stone_tilt(10)"), Some(16.0));
    assert_eq!(known(&board, 0.3, "stone_count_alarm(30)"), Some(2.0));
    board.set_stone(&dam, "s3", stone(0.35, true, false, 0.0));
    assert_eq!(known(&board, 0.4, "stone_count_alarm(30)"), Some(3.0));
    assert_eq!(known(&board, 0.75, "stone_count_alarm(30)"), Some(2.0));
    assert_eq!(known(&board, 0.4, "stone_offline(24)"), Some(0.0));
    assert_eq!(known(&board, 24.05, "stone_offline(24)"), Some(1.0), "s4 was last heard at the start");
    board.hear_stone(&dam, "s4", at(20.0));
    board.hear_stone(&dam, "s9", at(20.0));
    assert_eq!(known(&board, 24.05, "stone_offline(24)"), Some(0.0), "heard again, though nothing changed");
    let mut turned = board.clone();
    turned.hear_stone(&dam, "s4", at(20.9));
    turned.set_stone(&dam, "s4", stone(21.0, false, false, 16.0));
    assert_eq!(known(&turned, 21.0, "stone_tilt(10)"), Some(16.0), "turned from where it still was a while ago");
    // All silent: nothing is known of alarms, but the silence is.
    assert_eq!(known(&board, 40.0, "stone_alarm(\"shake\")"), None);
    assert_eq!(known(&board, 48.0, "stone_offline(24)"), Some(4.0));
    // An old word does not undo a newer one.
    board.set_stone(&dam, "s1", stone(0.05, false, false, 0.0));
    assert_eq!(known(&board, 0.4, "stone_alarm(\"shake\")"), Some(1.0));
}

#[test]
fn playbook_board_twin_and_counts_hold_at_their_place_and_fade() {
    let mut board = board();
    for (text, place) in [
        ("toe", "seg-1"),
        ("toe_eta()", "seg-1"),
        ("z_crest_gap", "seg-1"),
        ("depth_village", "village-1"),
        ("depth_city", "cell-c1"),
        ("pct_shelter", "shelter-1"),
        ("intrusion(\"river\")", "scenic-1"),
    ] {
        board.set_place_value(key(text), PlaceId::new(place), 0.7, at(0.0));
        assert_eq!(value_at(&board, 1.0, text, place), Some(0.7), "{text}");
        assert_eq!(value_at(&board, 1.0, text, "seg-9"), None, "{text}");
        assert_eq!(value_at(&board, 12.5, text, place), None, "{text}");
    }
    // What the twin says comes all at once and goes all at once; a gauge at the toe goes before it.
    let mut says = Snapshot::new(at(1.0));
    says.set_at_least(key("overtop(6)"), 4.0);
    says.set_at(key("overtop(6)"), PlaceId::new("seg-1"), 0.4);
    says.set_at(key("toe"), PlaceId::new("seg-1"), 0.9);
    says.set_at(key("toe"), PlaceId::new("seg-2"), 0.2);
    board.set_twin(says);
    assert_eq!(value_at(&board, 2.0, "overtop(6)", "seg-1"), Some(0.4));
    assert_eq!(value_at(&board, 2.0, "overtop(6)", "seg-9"), Some(4.0));
    assert_eq!(value_at(&board, 2.0, "toe", "seg-2"), Some(0.2));
    assert_eq!(value_at(&board, 2.0, "toe", "seg-1"), Some(0.7));
    assert_eq!(value_at(&board, 13.5, "toe", "seg-2"), None, "an old twin says nothing");
    board.set_twin(Snapshot::new(at(3.0)));
    assert_eq!(value_at(&board, 3.0, "toe", "seg-2"), None);
}

#[test]
fn playbook_board_memory_is_bounded() {
    let mut history = History::default();
    for second in 0..2_000_000_i64 {
        history.add(at(0.0) + chrono::TimeDelta::seconds(second), 1.0);
    }
    assert!(history.len() <= KEPT_H as usize * 12 + 1, "{}", history.len());
}

#[test]
fn playbook_snapshot_survives_its_json_and_is_compact() {
    let mut snapshot = Snapshot::new(at(0.0));
    snapshot.set(key("q"), 4210.0);
    snapshot.set_at_least(key("qf(24)"), 5000.0);
    snapshot.set_at(key("toe"), PlaceId::new("seg-1"), 0.5);
    snapshot.set(key("wind"), f64::NAN);
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(
        json,
        r#"{"at":"2026-08-01T00:00:00Z","values":{"q":{"all":4210.0},"qf(24)":{"all":5000.0,"at_least":true},"toe":{"at":{"seg-1":0.5}}}}"#
    );
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    assert!(
        serde_json::from_str::<Snapshot>(r#"{"at":"2026-08-01T00:00:00Z","values":{"qqq":{}}}"#)
            .unwrap_err()
            .to_string()
            .contains("no signal qqq")
    );
}

#[test]
fn playbook_board_a_forecast_that_is_too_short_keeps_rows_waiting_and_is_named() {
    let playbook = demo();
    let standing = Standing { in_force: WarningLevel::Blue, event_open: true, lowering: true, ..Standing::default() };
    let verdict = |code: &str, q: f64, forecast_h: i64| {
        let mut board = board();
        flow(&mut board, 0.0, 30.0, |hours| q * (1.3 - hours / 100.0));
        let points: Vec<_> = (0..=forecast_h).map(|hour| (at(30.0) + chrono::TimeDelta::hours(hour), q)).collect();
        board.set_forecast(at(30.0), &points);
        let snapshot = board.snapshot(at(30.0), &playbook.signals());
        let row = playbook.row(&code.into()).unwrap();
        let verdicts = playbook.evaluate(&snapshot, &standing, &Reach::default());
        let verdict = verdicts.into_iter().find(|verdict| verdict.row == row && verdict.place.is_none()).unwrap();
        (verdict.truth, verdict.unknown)
    };
    let waits = |name: &str| (Truth::Unknown, vec![name.to_owned()]);
    assert_eq!(verdict("W-004", 3000.0, 24), waits("qf(72)"), "the end of the response looks three days ahead");
    assert_eq!(verdict("W-004", 3000.0, 48), waits("qf(72)"));
    assert_eq!(verdict("W-004", 3000.0, 72), (Truth::True, vec![]));
    assert_eq!(verdict("B4-022", 4500.0, 24), waits("qf(48)"), "below its own threshold, more may come in two days");
    assert_eq!(verdict("B4-022", 4500.0, 48), (Truth::False, vec![]));
    assert_eq!(verdict("B4-022", 6100.0, 24), (Truth::True, vec![]), "what is reached already needs no more");
}

#[test]
fn playbook_board_gives_the_probability_of_a_discharge_from_the_members() {
    use super::testing::{edition, row};
    let rows = ["pqf(8000,24)>=60", "pqf(8000,24)>=40", "pqf(8000,72)>=60", "pqf(8000,72)>=90"];
    let rows: Vec<String> =
        rows.iter().enumerate().map(|(number, text)| row(&format!("H-00{}", number + 1), "town", text, "")).collect();
    let playbook = edition(&rows);
    let truths = |board: &SignalBoard, hours: f64| {
        let truths = playbook.truths(&board.snapshot(at(hours), &playbook.signals()), &Standing::default());
        truths.into_iter().take(4).collect::<Vec<_>>()
    };
    const UNKNOWN: [Truth; 4] = [Truth::Unknown; 4];
    let mut board = board();
    assert_eq!(truths(&board, 0.0), UNKNOWN, "no members");
    // Ten courses of 48 h: four come to 8,000 in 12 h, three in 30 h, three do not.
    let courses: Vec<Vec<(Timestamp, f64)>> = [12.0, 12.0, 12.0, 12.0, 30.0, 30.0, 30.0, 400.0, 400.0, 400.0]
        .iter()
        .map(|hours| (1..=48).map(|ahead| (at(f64::from(ahead)), 5000.0 + 3000.0 * f64::from(ahead) / hours)).collect())
        .collect();
    board.set_members(at(0.0), &courses);
    assert_eq!(value(&board, 0.0, "pqf(8000,24)"), Some(40.0));
    // Beyond the end of the courses 70 % is a lower bound: reached is reached, but nobody may say that it stays below.
    assert_eq!(truths(&board, 0.0), [Truth::False, Truth::True, Truth::True, Truth::Unknown]);
    assert_eq!(value(&board, 7.0, "pqf(8000,24)"), Some(70.0), "three more lie within 24 h of then");
    assert_eq!(truths(&board, 13.0), UNKNOWN, "issued too long ago");
    board.set_members(at(13.0), &courses);
    board.set_members(at(13.0), &[]);
    assert_eq!(truths(&board, 13.0), UNKNOWN, "a forecast without members forgets the ones before");
}

//! Tests of the stone states.

use super::*;
use crate::model::Quality;
use chrono::TimeDelta;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn array(stones: usize) -> StoneArray {
    let site = |n| StoneSite { id: format!("stone-{n}"), dam: "dam-1".into(), work: "work-1".into(), gateway: None };
    StoneArray::new((0..stones).map(site), StoneSettings::default())
}

/// One poll of a stone: tilt about x, peak, line state.
fn poll(array: &mut StoneArray, stone: usize, second: i64, tilt: f64, peak: f64, line: f64) {
    let values: &[(&str, f64)] = if line > 0.0 {
        &[]
    } else {
        &[("tilt_x", tilt), ("tilt_y", 1.0), ("tilt_z", -30.0), ("acc_rms", peak / 3.0), ("acc_peak", peak)]
    };
    for (quantity, value) in values.iter().chain(&[("line_state", line)]) {
        let series = format!("stone-{stone}.{quantity}").into();
        let seen =
            Observation { series, at: at(second), received_at: at(second), value: *value, quality: Quality::GOOD };
        array.observe(&seen);
    }
}

/// Polls one stone a minute, five times at rest and then with these (tilt, peak, line), and gives the words after each.
fn words(rows: &[(f64, f64, f64)]) -> Vec<&'static str> {
    words_after(5, rows)
}

fn words_after(rests: usize, rows: &[(f64, f64, f64)]) -> Vec<&'static str> {
    let mut array = array(1);
    let mut words = Vec::new();
    for minute in 0..rests {
        poll(&mut array, 0, minute as i64 * 60, REST.0, REST.1, REST.2);
    }
    for (minute, (tilt, peak, line)) in rows.iter().enumerate() {
        let second = (rests + minute) as i64 * 60;
        poll(&mut array, 0, second, *tilt, *peak, *line);
        words.push(array.word("stone-0", at(second)).unwrap().as_str());
    }
    words
}

const REST: (f64, f64, f64) = (2.0, 0.05, 0.0);

#[test]
fn three_bursts_in_a_row_shake_and_three_quiet_windows_end_it() {
    let burst = (2.0, 3.0, 0.0);
    assert_eq!(words(&[REST, burst, burst, REST, burst]), ["still"; 5]);
    let rows = [REST, burst, burst, burst, REST, REST, REST];
    assert_eq!(words(&rows), ["still", "still", "still", "shaking", "shaking", "shaking", "still"]);
}

#[test]
fn a_turn_must_be_seen_twice_and_stays_while_the_stone_is_away() {
    let turned = (20.0, 0.05, 0.0);
    assert_eq!(words(&[REST, turned, REST, REST]), ["still"; 4], "one wild value is no motion");
    assert_eq!(words(&[REST, turned, turned]), ["still", "still", "moved"]);
    let mut rows = vec![REST, turned];
    rows.extend([turned; 40]);
    assert_eq!(words(&rows).last(), Some(&"moved"), "long after the turn it is still not where it was");
    rows.extend([REST; 15]);
    assert_eq!(words(&rows).last(), Some(&"still"), "put back");
}

#[test]
fn a_slow_lasting_offset_is_a_motion_too() {
    let mut rows: Vec<_> = (0..60).map(|minute| (2.0 + f64::from(minute) * 0.2, 0.05, 0.0)).collect();
    assert_eq!(words(&rows).last(), Some(&"still"), "12 degrees in an hour, not yet lasting");
    rows.extend([(14.0, 0.05, 0.0); 20]);
    assert_eq!(words(&rows).last(), Some(&"moved"));
}

#[test]
fn a_cut_line_is_loss_only_after_motion() {
    let (turned, cut) = ((40.0, 0.05, 0.0), (0.0, 0.0, 2.0));
    assert_eq!(words(&[REST, cut]), ["still", "cut-line"]);
    assert_eq!(words(&[REST, turned, turned, cut]), ["still", "still", "moved", "lost"]);
    assert_eq!(words(&[REST, cut, REST]), ["still", "cut-line", "still"]);
}

#[test]
fn a_stone_that_is_not_heard_falls_silent() {
    let mut array = array(2);
    poll(&mut array, 0, 0, 2.0, 0.05, 0.0);
    assert_eq!(array.words(at(300)).into_values().collect::<Vec<_>>(), ["still", "silent"]);
    assert_eq!(array.words(at(301)).into_values().collect::<Vec<_>>(), ["silent", "silent"]);
}

#[test]
fn three_alarmed_stones_within_half_an_hour_put_the_dam_in_doubt() {
    let mut array = array(6);
    for second in (0..600).step_by(60) {
        for stone in 0..6 {
            let peak = if stone < 3 && second >= 120 { 5.0 } else { 0.05 };
            poll(&mut array, stone, second, 2.0, peak, 0.0);
        }
    }
    let dam = array.dams(at(540)).remove("dam-1").unwrap();
    assert_eq!((dam.alarmed, dam.unstable), (3, true));
    assert_eq!(dam.by_word, [(StoneWord::Still, 3), (StoneWord::Shaking, 3)].into());
    assert!(!array.dams(at(540 + 1801)).remove("dam-1").unwrap().unstable);
}

#[test]
fn changes_are_told_once_and_unheard_stones_at_the_start() {
    let mut array = array(3);
    let state = |second, tilt_deg| StoneState { at: at(second), shakes: false, moves: false, tilt_deg };
    let all = array.drain_news(at(0));
    assert_eq!(all.len(), 3);
    let unheard = StoneNews::Changed(state(0, None));
    assert!(all.iter().all(|(dam, _, news)| dam.as_str() == "dam-1" && *news == unheard), "{all:?}");
    let mut news_after = |second| {
        poll(&mut array, 1, second, 2.0, 0.05, 0.0);
        let news = array.drain_news(at(second));
        assert!(array.drain_news(at(second + 1)).is_empty(), "told once");
        assert_eq!((news.len(), &*news[0].1), (1, "stone-1"));
        news[0].2
    };
    assert_eq!(news_after(60), StoneNews::Changed(state(60, Some(0.0))));
    assert_eq!(news_after(120), StoneNews::Same(at(120)));
}

#[test]
fn wrap_of_the_angle_and_bad_values_are_no_motion() {
    assert_eq!(
        words_after(0, &[(179.9, 0.05, 0.0), (-179.9, 0.05, 0.0), (-179.8, 0.05, 0.0), (179.8, 0.05, 0.0)]),
        ["still"; 4]
    );
    let mut array = array(1);
    poll(&mut array, 0, 0, 2.0, 0.05, 0.0);
    let series: crate::model::SeriesId = "stone-0.tilt_x".into();
    let quality = Quality { grade: crate::model::Grade::Bad, ..Quality::GOOD };
    array.observe(&Observation { series, at: at(400), received_at: at(400), value: f64::NAN, quality });
    assert_eq!(array.word("stone-0", at(400)), Some(StoneWord::Silent));
    assert_eq!(array.word("stone-9", at(0)), None);
}

#[test]
fn one_wild_value_at_the_start_is_no_rest() {
    let mut rows = vec![(60.0, 0.05, 0.0)];
    rows.extend([REST; 60]);
    assert_eq!(words_after(0, &rows).last(), Some(&"still"));
}

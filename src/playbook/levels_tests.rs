//! The level proposed along hydrographs: at once up, slowly down, never down in the dark.
#![allow(clippy::unwrap_used)]

use super::levels::{CauseKind, LevelState, Levels};
use super::snapshot::Snapshot;
use super::testing::{at, demo};
use crate::model::WarningLevel::{self, Blue, None as NoLevel, Orange, Red, Yellow};
use proptest::prelude::*;

fn sees(hours: f64, q: Option<f64>, forecast: Option<f64>) -> Snapshot {
    let mut snapshot = Snapshot::new(at(hours));
    if let Some(q) = q {
        snapshot.set(super::SignalKey::discharge(), q);
    }
    if let Some(forecast) = forecast {
        snapshot.set(super::SignalKey::forecast(24), forecast);
    }
    snapshot
}

struct Watch {
    levels: Levels,
    state: LevelState,
}

impl Watch {
    fn new() -> Self {
        Self { levels: demo().levels().clone(), state: LevelState::default() }
    }
    fn see(&mut self, hours: f64, q: Option<f64>, forecast: Option<f64>) -> WarningLevel {
        self.state = self.levels.observe(&self.state, at(hours), &sees(hours, q, forecast));
        self.state.proposed
    }
}

#[test]
fn playbook_observed_discharge_raises_at_once() {
    for (q, level, band) in [
        (0.0, NoLevel, ""),
        (2499.9, NoLevel, ""),
        (2500.0, NoLevel, "P"),
        (3999.9, NoLevel, "P"),
        (4000.0, Blue, "B4"),
        (6000.0, Yellow, "B6"),
        (8000.0, Orange, "B8"),
        (14999.0, Orange, "B10"),
        (15000.0, Red, "B15"),
        (22000.0, Red, "B22"),
    ] {
        let mut watch = Watch::new();
        assert_eq!(watch.see(0.0, Some(q), None), level, "{q}");
        assert_eq!((watch.levels.level_of(q), watch.levels.band_of(q)), (level, band), "{q}");
    }
}

#[test]
fn playbook_forecast_raises_after_its_hold() {
    let mut watch = Watch::new();
    assert_eq!(watch.see(0.0, Some(3000.0), Some(8500.0)), NoLevel);
    assert_eq!(watch.see(0.1, Some(3000.0), Some(8500.0)), NoLevel);
    assert_eq!(watch.see(0.2, Some(3000.0), Some(8500.0)), Orange);
    let cause = watch.state.cause.clone().unwrap();
    assert_eq!((cause.kind, cause.value, cause.threshold), (CauseKind::Forecast, 8500.0, 8000.0));
    let reason = watch.levels.reason(&watch.state);
    assert!(reason.zh.contains("预报流量 8500") && reason.zh.contains("须经区防指确认"), "{}", reason.zh);
    assert!(reason.en.contains("24 h forecast discharge at Huayuankou 8500"), "{}", reason.en);
    // A forecast that comes and goes does not add up its minutes.
    let mut watch = Watch::new();
    for step in 0..10 {
        let forecast = if step % 2 == 0 { 8500.0 } else { 3500.0 };
        assert_eq!(watch.see(f64::from(step) * 0.15, Some(3000.0), Some(forecast)), NoLevel);
    }
    // Its red part must hold by itself.
    let mut watch = Watch::new();
    watch.see(0.0, Some(3000.0), Some(4500.0));
    watch.see(0.15, Some(3000.0), Some(16000.0));
    assert_eq!(watch.see(0.2, Some(3000.0), Some(16000.0)), Blue);
    assert_eq!(watch.see(0.32, Some(3000.0), Some(16000.0)), Red);
}

#[test]
fn playbook_lowering_takes_its_time_one_level_at_a_time() {
    let mut watch = Watch::new();
    assert_eq!(watch.see(0.0, Some(9000.0), Some(9000.0)), Orange);
    assert_eq!(watch.see(1.0, Some(7300.0), Some(5000.0)), Orange); // above the clear threshold
    assert_eq!(watch.see(2.0, Some(3000.0), Some(3000.0)), Orange);
    assert_eq!(watch.see(3.9, Some(3000.0), Some(3000.0)), Orange);
    assert_eq!(watch.see(4.0, Some(3000.0), Some(3000.0)), Yellow);
    assert_eq!(watch.see(4.1, Some(3000.0), Some(3000.0)), Yellow);
    assert_eq!(watch.see(6.1, Some(3000.0), Some(3000.0)), Blue);
    assert_eq!(watch.see(6.2, Some(3000.0), Some(3000.0)), Blue);
    assert_eq!(watch.see(8.21, Some(3000.0), Some(3000.0)), NoLevel);
    assert_eq!(watch.state.cause, None);
}

#[test]
fn playbook_nothing_is_lowered_in_the_dark_or_before_a_second_peak() {
    // Unknown: the level stands however long it lasts, and the hold starts anew after it.
    let mut watch = Watch::new();
    watch.see(0.0, Some(9000.0), None);
    watch.see(1.0, Some(3000.0), Some(3000.0));
    for hours in 2..50 {
        assert_eq!(watch.see(f64::from(hours), None, Some(3000.0)), Orange);
    }
    assert_eq!(watch.see(50.0, Some(3000.0), Some(3000.0)), Orange);
    assert_eq!(watch.see(52.0, Some(3000.0), Some(3000.0)), Yellow);
    // A lower forecast alone never lowers.
    let mut watch = Watch::new();
    watch.see(0.0, Some(9000.0), None);
    for hours in 1..50 {
        assert_eq!(watch.see(f64::from(hours), Some(8500.0), Some(2000.0)), Orange);
    }
    // The second peak that is forecast keeps the level.
    let mut watch = Watch::new();
    watch.see(0.0, Some(9000.0), None);
    for hours in 1..50 {
        assert_eq!(watch.see(f64::from(hours), Some(5000.0), Some(8100.0)), Orange);
    }
    // Without a forecast the hold is longer.
    let mut watch = Watch::new();
    watch.see(0.0, Some(9000.0), None);
    watch.see(1.0, Some(5000.0), None);
    assert_eq!(watch.see(6.9, Some(5000.0), None), Orange);
    assert_eq!(watch.see(7.0, Some(5000.0), None), Yellow);
}

#[test]
fn playbook_a_river_at_the_threshold_does_not_flutter() {
    let mut watch = Watch::new();
    for minute in 0..300 {
        let q = 4000.0 + if minute % 2 == 0 { 50.0 } else { -50.0 };
        assert_eq!(watch.see(f64::from(minute) / 60.0, Some(q), Some(q)), Blue);
    }
    assert!(!watch.state.flapping);
    assert_eq!(watch.state.recent.len(), 1);
}

#[test]
fn playbook_flapping_is_seen_and_slows_the_lowering() {
    let mut watch = Watch::new();
    let mut hours = 0.0;
    for _ in 0..2 {
        watch.see(hours, Some(4100.0), Some(3000.0));
        watch.see(hours + 0.1, Some(3000.0), Some(3000.0));
        watch.see(hours + 2.1, Some(3000.0), Some(3000.0));
        hours += 2.2;
    }
    assert_eq!(watch.state.proposed, NoLevel);
    assert!(watch.state.flapping, "{:?}", watch.state.recent);
    watch.see(hours, Some(4100.0), Some(3000.0));
    watch.see(hours + 0.1, Some(3000.0), Some(3000.0));
    assert_eq!(watch.see(hours + 2.2, Some(3000.0), Some(3000.0)), Blue, "the hold is three times as long");
    assert_eq!(watch.see(hours + 20.0, Some(3000.0), Some(3000.0)), NoLevel);
}

#[test]
fn playbook_level_state_survives_its_json() {
    let mut watch = Watch::new();
    watch.see(0.0, Some(9000.0), Some(16000.0));
    watch.see(0.1, Some(3000.0), Some(16000.0));
    let json = serde_json::to_string(&watch.state).unwrap();
    assert_eq!(serde_json::from_str::<LevelState>(&json).unwrap(), watch.state);
}

proptest! {
    #[test]
    fn playbook_levels_never_lie_below_the_river(steps in prop::collection::vec((1u32..400, prop::option::of(0.0f64..25000.0), prop::option::of(0.0f64..25000.0)), 1..200)) {
        let mut watch = Watch::new();
        let mut hours = 0.0;
        for (minutes, q, forecast) in steps {
            hours += f64::from(minutes) / 60.0;
            let before = watch.state.proposed;
            let after = watch.see(hours, q, forecast);
            if let Some(q) = q {
                prop_assert!(after >= watch.levels.level_of(q));
            }
            if after < before {
                prop_assert!(q.is_some_and(|q| q < watch.levels.rule(before).unwrap().clear.below_m3s));
                prop_assert_eq!(after, before.lower());
            }
            prop_assert!(watch.state.recent.len() <= super::levels::RECENT_MAX);
        }
    }
}

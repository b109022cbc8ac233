//! Tests of the watch of a whole site.

use super::*;
use crate::model::Reading;
use crate::playbook::SignalKey;

/// One reading of the stone's line, an hour after `start` for each of `hours`.
fn line_of(stone: &str, start: Timestamp, hours: i64) -> Reading {
    let at = start + TimeDelta::hours(hours);
    Reading { series: format!("{stone}.line_state").into(), observed_at: at, received_at: at, value: 0.0 }
}

/// The demo reach with its rules, and a moment in the flood season.
fn demo() -> (SiteFiles, Playbook, Timestamp) {
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    let playbook = load_playbook(&files.playbook).unwrap();
    (files, playbook, "2026-08-01T00:00:00Z".parse().unwrap())
}

#[test]
fn a_stone_that_never_speaks_again_goes_offline_by_the_clock() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
    let stones: Vec<String> = watch.water(start).stones.into_keys().collect();
    let (talker, mute) = (&stones[0], &stones[1]);
    let key: SignalKey = "stone_offline(24)".parse().unwrap();
    let mut offline_at = |hours: i64, speak: &[&String]| {
        let readings: Vec<_> = speak.iter().map(|stone| line_of(stone, start, hours)).collect();
        assert_eq!(watch.take(&readings).len(), readings.len());
        let Input::Evaluate { snapshot, .. } = watch.evaluate(start + TimeDelta::hours(hours)) else { panic!() };
        let dams = snapshot.values.get(&key).map(|value| value.at.clone()).unwrap_or_default();
        dams.values().sum::<f64>()
    };
    assert_eq!(offline_at(0, &[talker, mute]), 0.0);
    for hour in 1..=24 {
        // The talker says the same thing every hour; the other one says nothing any more.
        assert_eq!(offline_at(hour, &[talker]), 0.0, "hour {hour}");
    }
    let all = stones.len() as f64;
    assert_eq!(offline_at(25, &[talker]), all - 1.0, "by the clock, though nothing came from them");
    assert_eq!(offline_at(30, &[]), all - 1.0, "the talker was heard five hours ago");
    assert_eq!(offline_at(50, &[]), all, "now it has been silent for a day too");
}

fn told(watch: &mut Watch, now: Timestamp) -> Vec<(String, bool)> {
    let health = |input| match input {
        Input::Health { cause, silent, .. } => Some((cause, silent)),
        _ => None,
    };
    watch.health(now).into_iter().filter_map(health).collect()
}

#[test]
fn a_silent_gateway_is_one_alarm_and_what_speaks_ends_the_alarms_of_the_run_before() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
    let gauges = watch.water(start).gauges;
    let speak = |watch: &mut Watch, at: Timestamp, of: &dyn Fn(&str) -> bool| {
        let value = |series: &str| match series {
            "huayuankou.stage" => 92.0,
            "jiahetan.stage" => 72.0,
            "xiaolangdi.stage" => 138.0,
            "heishiguan.stage" => 108.0,
            "wuzhi.stage" => 103.0,
            _ if series.ends_with("discharge") => 1500.0,
            _ => 0.0,
        };
        let spoken = gauges.iter().filter(|gauge| of(&gauge.station));
        let readings: Vec<_> = spoken
            .map(|gauge| {
                let value = value(gauge.series.as_str());
                Reading { series: gauge.series.clone(), observed_at: at, received_at: at, value }
            })
            .collect();
        let _ = watch.take(&readings);
    };
    assert_eq!(told(&mut watch, start), [], "nothing is known of them yet");
    speak(&mut watch, start, &|_| true);
    let first = told(&mut watch, start);
    assert!(first.iter().all(|(_, silent)| !silent), "{first:?}");
    for cause in ["huayuankou.discharge", "huayuankou", "gateway:gauges"] {
        assert!(first.iter().any(|(told, _)| told == cause), "{cause} of an earlier run would stay open: {first:?}");
    }
    assert_eq!(told(&mut watch, start), [], "once is enough");
    // Nothing comes through any more: one alarm, not one a series.
    let later = start + TimeDelta::hours(12);
    let silent = told(&mut watch, later);
    assert_eq!(silent, [("gateway:gauges".to_owned(), true)]);
    speak(&mut watch, later, &|_| true);
    assert_eq!(told(&mut watch, later), [("gateway:gauges".to_owned(), false)]);
}

#[test]
fn what_is_remembered_from_before_a_start_is_no_silence_until_the_first_polls_are_due() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
    let before = start - TimeDelta::hours(6);
    let reading = Reading { series: "huayuankou.stage".into(), observed_at: before, received_at: before, value: 92.0 };
    let _ = watch.take(&[reading]);
    assert_eq!(told(&mut watch, start), []);
    let later = told(&mut watch, start + TimeDelta::hours(12));
    assert_eq!(later, [("gateway:gauges".to_owned(), true)]);
}

#[test]
fn gauges_that_never_spoke_are_an_alarm_once_their_time_has_passed() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
    assert_eq!(told(&mut watch, start + TimeDelta::seconds(10)), [], "they are not due yet");
    let health = watch.health(start + TimeDelta::hours(12));
    let [Input::Health { cause, title_zh, silent: true, .. }] = &health[..] else { panic!("{health:?}") };
    assert_eq!(cause, "gateway:gauges");
    assert!(title_zh.contains("无数据"), "{title_zh}");
}

#[test]
fn a_dead_line_and_a_sick_instrument_are_called_by_their_names() {
    let (files, playbook, start) = demo();
    let title = |value: &dyn Fn(&str, i64) -> f64| {
        let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
        let series: Vec<_> = watch.water(start).gauges.into_iter().map(|gauge| gauge.series).collect();
        for n in 0..60 {
            let at = start + TimeDelta::seconds(5 * n);
            let reading = |series: &SeriesId| Reading {
                series: series.clone(),
                observed_at: at,
                received_at: at,
                value: value(series.as_str(), n),
            };
            let _ = watch.take(&series.iter().map(reading).collect::<Vec<_>>());
        }
        let named = |input| match input {
            Input::Health { cause, title_zh, silent: true, .. } if cause == "jiahetan" => Some(title_zh),
            _ => None,
        };
        watch.health(start + TimeDelta::seconds(300)).into_iter().find_map(named).unwrap()
    };
    let sound = |series: &str| match series {
        "jiahetan.stage" => 72.0,
        _ if series.ends_with("stage") => f64::NAN,
        _ if series.ends_with("discharge") => 1500.0,
        _ => 0.0,
    };
    // A poll that nobody answers is kept as no value; it must not read as if something came.
    let dead = |series: &str, n: i64| if n >= 20 && series.starts_with("jiahetan") { f64::NAN } else { sound(series) };
    assert!(title(&dead).contains("中断"), "{}", title(&dead));
    let sick = |series: &str, n: i64| if n >= 20 && series.starts_with("jiahetan") { 1e6 } else { sound(series) };
    assert!(title(&sick).contains("质控未通过"), "{}", title(&sick));
}

#[test]
fn a_silent_gauge_is_stood_in_for_by_the_rating_and_everybody_is_told() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
    let reading = |series: &str, at: Timestamp, value: f64| Reading {
        series: series.into(),
        observed_at: at,
        received_at: at,
        value,
    };
    let stage = |q: f64| 93.0 + 1.02 * (q / 4000.0).ln();
    let minute = |n: i64| start + TimeDelta::minutes(n);
    let q = |watch: &mut Watch, at: Timestamp| match watch.evaluate(at) {
        Input::Evaluate { snapshot, readings } => (snapshot.everywhere(&SignalKey::discharge()), readings),
        other => panic!("{other:?}"),
    };
    let gauge = |watch: &Watch, at: Timestamp| {
        watch.water(at).gauges.into_iter().find(|one| one.series.as_str() == "huayuankou.discharge").unwrap()
    };
    for n in 0..60 {
        let flow = 4000.0 + 5.0 * n as f64;
        let pair =
            [reading("huayuankou.stage", minute(n), stage(flow)), reading("huayuankou.discharge", minute(n), flow)];
        let _ = watch.take(&pair);
        q(&mut watch, minute(n));
    }
    assert_eq!((gauge(&watch, minute(59)).stand_in, watch.drain_estimates()), (None, vec![]));
    // The flow meter falls silent, the stage goes on rising.
    for n in 60..80 {
        let _ = watch.take(&[reading("huayuankou.stage", minute(n), stage(4000.0 + 5.0 * n as f64))]);
        q(&mut watch, minute(n));
    }
    let (known, readings) = q(&mut watch, minute(79));
    assert!((known.unwrap() - 4395.0).abs() < 40.0, "{known:?}");
    assert_eq!(readings[0].quality.grade, crate::model::Grade::Estimated);
    let found = gauge(&watch, minute(79));
    let stand_in = found.stand_in.clone().unwrap();
    assert_eq!((found.value, stand_in.at, stand_in.from.as_str()), (Some(4295.0), minute(79), "huayuankou.stage"));
    assert_eq!(stand_in.zh, "按水位流量关系代替");
    let words: Vec<_> = watch
        .health(minute(79))
        .into_iter()
        .filter_map(|input| match input {
            Input::Health { cause, title_zh, silent: true, .. } if cause == "huayuankou.discharge" => Some(title_zh),
            _ => None,
        })
        .collect();
    assert!(matches!(&words[..], [one] if one.contains("中断") && one.contains("按水位流量关系代替")), "{words:?}");
    let kept = watch.drain_estimates();
    assert!(
        kept.len() >= 15 && kept.iter().all(|one| one.series.as_str() == "huayuankou.discharge-estimate"),
        "{kept:?}"
    );
    // Both silent: nothing stands in, and nothing is made up.
    assert_eq!(gauge(&watch, minute(79)).stand_in.map(|one| one.at), Some(minute(79)));
    q(&mut watch, minute(200));
    assert_eq!((gauge(&watch, minute(200)).stand_in, watch.drain_estimates()), (None, vec![]));
    // Back again: the gauge itself counts.
    let _ = watch.take(&[reading("huayuankou.discharge", minute(201), 4300.0)]);
    let (known, readings) = q(&mut watch, minute(201));
    assert_eq!(
        (known, readings[0].quality.is_usable(), gauge(&watch, minute(201)).stand_in),
        (Some(4300.0), true, None)
    );
    // What was estimated is remembered after a restart, as estimated.
    let mut again = super::watch(&files.sensors, &playbook, None, start, 1.0);
    kept.iter().for_each(|one| again.recall(one));
    assert!(q(&mut again, minute(80)).0.is_some_and(|known| (known - 4395.0).abs() < 40.0));
    assert_eq!(gauge(&again, minute(80)).value, None, "the gauge itself said nothing");
}

#[test]
fn the_playbook_is_told_of_levee_and_villages_when_the_water_comes_and_not_before() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, files.reach.twin_slot_read(), start, 1.0);
    let keys = playbook.signals();
    let asked = |name: &str| keys.iter().filter(|key| key.name() == name).cloned().collect::<Vec<_>>();
    let says = |watch: &mut Watch, at| {
        let Input::Evaluate { snapshot, .. } = watch.evaluate(at) else { panic!() };
        snapshot
    };
    let fires = |snapshot: &crate::playbook::Snapshot, code: &str| {
        let verdicts = playbook.evaluate(snapshot, &crate::model::Standing::default(), &files.reach.reach);
        let row = playbook.row(&code.into()).unwrap();
        let true_at = verdicts.iter().filter(|verdict| verdict.row == row && verdict.truth.is_true());
        true_at
            .map(|verdict| verdict.place.as_ref().map_or("everywhere", |place| place.as_str()).to_owned())
            .collect::<Vec<_>>()
    };
    let before = says(&mut watch, start);
    assert!(
        ["toe", "toe_eta", "depth_village", "z_crest_gap", "overtop"]
            .iter()
            .all(|name| { asked(name).iter().all(|key| !before.values.contains_key(key)) }),
        "nothing is known yet, and that is no zero"
    );
    // Two days of steady low water, then one in which the river rises; the gauges upstream say the same.
    let river = |watch: &mut Watch, from_h: i64, to_h: i64, value: &dyn Fn(f64) -> f64| {
        for step in from_h * 6..=to_h * 6 {
            let at = start + TimeDelta::minutes(10 * step);
            let q = value(step as f64 / 6.0);
            hear(watch, "huayuankou", at, q);
            for (station, share) in [("xiaolangdi", 0.8), ("heishiguan", 0.15), ("wuzhi", 0.05)] {
                hear(watch, station, at, q * share);
            }
        }
    };
    river(&mut watch, -48, 0, &|_| 3500.0);
    let dry = says(&mut watch, start);
    let [toe, depth] = ["toe", "depth_village"].map(|name| asked(name).remove(0));
    assert_eq!((dry.certain(&toe), dry.values[&toe].at.len()), (Some(0.0), 0), "known to be dry");
    assert_eq!((dry.certain(&depth), fires(&dry, "B8-024")), (Some(0.0), Vec::new()));
    assert_eq!(fires(&dry, "B8-007"), Vec::<String>::new());
    river(&mut watch, 0, 24, &|hour| 3500.0 + 300.0 * hour);
    let now = start + TimeDelta::hours(24);
    let wet = says(&mut watch, now);
    let (toes, rows) = (&wet.values[&toe].at, fires(&wet, "B8-007"));
    assert!(!toes.is_empty() && toes.values().all(|m| (0.05..6.0).contains(m)), "{toes:?}");
    assert_eq!(rows, toes.keys().map(ToString::to_string).collect::<Vec<_>>(), "each wet segment and no other");
    assert!(fires(&wet, "B8-024").iter().all(|place| wet.values[&depth].at[place.as_str()] > 0.5));
    assert!(!fires(&wet, "B8-024").is_empty());
    // The levee stands metres above it: nobody behind it leaves, no signal to retreat.
    let [gap, overtop] = ["z_crest_gap", "overtop"].map(|name| wet.values[&asked(name)[0]].at.clone());
    assert!(gap.iter().all(|(place, m)| place.as_str().starts_with("seg-") && *m > 1.5), "{gap:?}");
    assert!(
        gap.values().all(|m| overtop["work-dongdaba"] < *m),
        "a training work is lower than the levee: {overtop:?}"
    );
    for code in ["B15-021", "B22-011", "B22-016", "H-048"] {
        assert_eq!(fires(&wet, code), Vec::<String>::new(), "{code}");
    }
    // In silence the last word holds for half a day and then nothing is known.
    let old = says(&mut watch, now + TimeDelta::hours(11));
    assert_eq!(fires(&old, "B8-007"), rows);
    let gone = says(&mut watch, now + TimeDelta::hours(13));
    assert!(!gone.values.contains_key(&toe) && !gone.values.contains_key(&depth));
    assert_eq!(fires(&gone, "B8-007"), Vec::<String>::new());
}

fn hear(watch: &mut Watch, station: &str, at: Timestamp, value: f64) {
    let series = format!("{station}.discharge").into();
    watch.recall(&Observation { series, at, received_at: at, value, quality: Quality::GOOD });
}

/// A day in which the river rises from 3,500 to 6,500 m³/s, as the store remembers it.
fn risen(watch: &mut Watch, start: Timestamp) -> Timestamp {
    let steps = 24 * 6;
    for step in 0..=steps {
        let at = start + TimeDelta::minutes(10 * step);
        let value = 3500.0 + 3000.0 * step as f64 / steps as f64;
        hear(watch, "huayuankou", at, value);
    }
    start + TimeDelta::hours(24)
}

#[test]
fn the_live_twin_goes_with_the_river_and_in_silence_gets_old_then_unknown() {
    use crate::command::TwinStanding;
    let (files, playbook, start) = demo();
    let fresh = |slot| watch(&files.sensors, &playbook, slot, start, 1.0);
    assert_eq!(fresh(None).water(start).twin_standing(start), TwinStanding::NoTerrain);
    assert_eq!(fresh(Some(TwinSlot::default())).water(start).twin_standing(start), TwinStanding::Reading);
    let slot = files.reach.twin_slot_read();
    let mut watch = fresh(slot.clone());
    assert_eq!(watch.water(start).twin_standing(start), TwinStanding::NoDischarge);
    assert!(!watch.health(start).iter().any(|input| matches!(input, Input::WaterComes { .. })), "nothing is known yet");

    let now = risen(&mut watch, start);
    watch.evaluate(now);
    let water = watch.water(now);
    let twin = water.twin.last.clone().unwrap();
    assert_eq!((water.twin_standing(now), twin.made_at, twin.discharge), (TwinStanding::Live, now, (now, 6500.0)));
    let field = twin.places[&crate::model::PlaceId::new("farm-01")];
    assert!(field.crossed_at.unwrap() > start + TimeDelta::hours(12) && field.is_there(now), "{field:?}");
    let told =
        |watch: &mut Watch, at| watch.health(at).into_iter().find(|input| matches!(input, Input::WaterComes { .. }));
    let first = told(&mut watch, now).unwrap();
    let Input::WaterComes { places } = &first else { panic!() };
    assert!(places.iter().any(|water| water.place.as_str() == "farm-01"), "{places:?}");
    // Another watch over the same readings says the same.
    let mut again = fresh(slot);
    let same = risen(&mut again, start);
    again.evaluate(same);
    assert_eq!(told(&mut again, now), Some(first));

    // Nothing is made anew while the discharge is silent: what is shown is called old, then unknown, and told no more.
    let later = now + TimeDelta::hours(1);
    watch.evaluate(later);
    assert_eq!(watch.water(later).twin_standing(later), TwinStanding::Old);
    assert_eq!(watch.water(later).twin.last.unwrap().made_at, now);
    let much_later = now + TimeDelta::hours(13);
    watch.evaluate(much_later);
    assert_eq!(watch.water(much_later).twin_standing(much_later), TwinStanding::NoDischarge);
    assert_eq!(told(&mut watch, much_later), None);
}

#[test]
fn forecast_and_twin_are_made_anew_at_once_when_the_river_has_left_what_they_rest_on() {
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, files.reach.twin_slot_read(), start, 1.0);
    for step in 0..=48 * 6 {
        let at = start + TimeDelta::minutes(10 * (step - 24 * 6));
        for (station, q_m3s) in [("xiaolangdi", 5200.0), ("heishiguan", 900.0), ("wuzhi", 300.0)] {
            hear(&mut watch, station, at, q_m3s);
        }
    }
    let now = risen(&mut watch, start);
    let mut made_after = |minute: i64, q_m3s: f64| {
        let at = now + TimeDelta::minutes(minute);
        hear(&mut watch, "huayuankou", at, q_m3s);
        watch.evaluate(at);
        assert!(watch.water(at).forecast.is_some());
        let twin = watch.water(at).twin.last.unwrap();
        ((twin.made_at - now).num_minutes(), twin.discharge.1)
    };
    assert_eq!(made_after(0, 6500.0), (0, 6500.0));
    assert_eq!(made_after(1, 6600.0), (0, 6500.0), "as a river does");
    assert_eq!(made_after(2, 7100.0), (2, 7100.0));
    assert_eq!(made_after(3, 7150.0), (2, 7100.0));
    assert_eq!(made_after(12, 7150.0), (12, 7150.0), "ten minutes have passed");
}

#[test]
fn a_silent_gateway_of_stones_is_one_alarm_and_so_is_a_dam_whose_stones_are_all_silent() {
    use crate::ingest::sensors::DeviceKind;
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, None, start, 1.0);
    let stones: Vec<_> =
        files.sensors.devices.iter().filter(|one| matches!(one.kind, DeviceKind::Stone { .. })).collect();
    let speak = |watch: &mut Watch, at: Timestamp, dead: &dyn Fn(&str, &str) -> bool| {
        for device in &stones {
            let DeviceKind::Stone { dam, .. } = &device.kind else { continue };
            let speaks = device.series.iter().filter(|_| !dead(&device.endpoint, dam));
            let readings: Vec<_> = speaks
                .map(|one| Reading { series: one.id.clone(), observed_at: at, received_at: at, value: 0.0 })
                .collect();
            let _ = watch.take(&readings);
        }
        let _ = watch.evaluate(at);
    };
    let minute = |minute: i64| start + TimeDelta::minutes(minute);
    let of_stones = |watch: &mut Watch, at| {
        let told = told(watch, at).into_iter();
        told.filter(|(cause, _)| cause.starts_with("gateway:work-") || cause.starts_with("stones-of:"))
            .collect::<Vec<_>>()
    };
    speak(&mut watch, start, &|_, _| false);
    let first = of_stones(&mut watch, start);
    assert!(first.len() > 4 && first.iter().all(|(_, silent)| !silent), "alarms of an earlier run end: {first:?}");
    (1..=6).for_each(|m| speak(&mut watch, minute(m), &|gateway, _| gateway == "work-shenzhuang"));
    assert_eq!(
        of_stones(&mut watch, minute(6)),
        [("gateway:work-shenzhuang".to_owned(), true)],
        "47 stones, one alarm"
    );
    speak(&mut watch, minute(7), &|_, _| false);
    assert_eq!(of_stones(&mut watch, minute(7)), [("gateway:work-shenzhuang".to_owned(), false)]);
    (8..=14).for_each(|m| speak(&mut watch, minute(m), &|_, dam| dam == "dam-madu-080"));
    assert_eq!(of_stones(&mut watch, minute(14)), [("stones-of:dam-madu-080".to_owned(), true)], "the line of one dam");
    speak(&mut watch, minute(15), &|_, _| false);
    assert_eq!(of_stones(&mut watch, minute(15)), [("stones-of:dam-madu-080".to_owned(), false)]);
}

#[tokio::test]
async fn what_is_judged_after_a_restart_is_held_against_what_was_stored_before() {
    let (files, playbook, start) = demo();
    let dir = tempfile::tempdir().unwrap();
    let limits = crate::store::series::SeriesLimits::default();
    let series = crate::store::series::EmbeddedSeries::open(&dir.path().join("series.db"), limits).await.unwrap();
    let ids: Vec<SeriesId> = vec!["huayuankou.discharge".into(), "huayuankou.stage".into()];
    let minute = |minute: i64| start + TimeDelta::minutes(minute);
    let told = |minutes: std::ops::Range<i64>| {
        let both = minutes.flat_map(|m| [(m, 0, 5_960.0), (m, 1, 93.4)]);
        both.map(|(m, which, value)| Observation {
            series: ids[which].clone(),
            at: minute(m),
            received_at: minute(m),
            value,
            quality: Quality::GOOD,
        })
        .collect::<Vec<_>>()
    };
    let _ = series.append(&told(0..240)).await.unwrap();
    let mut again = watch(&files.sensors, &playbook, None, minute(240), 1.0);
    recall(&mut again, &series, &ids, minute(240)).await.unwrap();
    let take = |watch: &mut Watch, which: usize, value: f64| {
        let (observed_at, received_at) = (minute(240), minute(240));
        let seen = watch.take(&[Reading { series: ids[which].clone(), observed_at, received_at, value }]);
        seen.last().unwrap().quality
    };
    assert!(!take(&mut again.clone(), 0, 22_000.0).is_usable(), "one false value right after a restart");
    assert!(!take(&mut again.clone(), 1, 92.3).is_usable(), "a stage that fell by a metre in a minute");
    assert!(take(&mut again, 0, 5_990.0).is_usable() && take(&mut again, 1, 93.41).is_usable());
}

#[test]
fn a_stone_falls_silent_after_the_patience_it_is_given_whatever_the_fastest_clock() {
    let (files, playbook, start) = demo();
    let sensors = patient(files.sensors, 1_080.0);
    let mut watch = watch(&sensors, &playbook, None, start, 3_600.0);
    let stone = watch.water(start).stones.into_keys().next().unwrap();
    let _ = watch.take(&[line_of(&stone, start, 0)]);
    let word = |minute: i64| watch.water(start + TimeDelta::minutes(minute)).stones[&stone];
    assert_eq!([word(17), word(19)], ["still", "silent"]);
}

#[test]
fn a_reported_breach_brings_water_behind_the_levee_to_the_twin_and_to_our_people_there() {
    use crate::command::{Actor, Core, FieldReport, ReportKind, State, WATER_ALARM};
    use crate::model::{PlaceId, PlaceKind, Spot, UserName, UserRole};
    let (files, playbook, start) = demo();
    let mut watch = watch(&files.sensors, &playbook, files.reach.twin_slot_read(), start, 1.0);
    let reach = Arc::new(files.reach.reach.clone());
    let core = Core { playbook: Arc::new(playbook), reach: Arc::clone(&reach) };
    let mut state = State::default();
    let now = risen(&mut watch, start);
    watch.evaluate(now);
    let behind = |water: &[crate::command::PlaceWater]| -> Vec<PlaceId> {
        let is_behind = |place: &&PlaceId| reach.place(place).is_some_and(|place| place.kind == PlaceKind::Cell);
        water.iter().map(|water| &water.place).filter(is_behind).cloned().collect()
    };
    let comes = |watch: &mut Watch, state: &State, at| {
        let found = watch.health(at);
        let found = watch.twin_view().with_breaches(found, state, at);
        let comes = found.into_iter().find(|input| matches!(input, Input::WaterComes { .. }));
        let Some(Input::WaterComes { places }) = comes.clone() else { panic!("{comes:?}") };
        (places, comes.unwrap())
    };
    assert_eq!(behind(&comes(&mut watch, &state, now).0), Vec::<PlaceId>::new(), "the levee holds");

    let by = Actor { user: UserName::new("duty"), role: UserRole::Commander, member: None };
    let place = Spot { place: Some("seg-10".into()), ..Spot::default() };
    let report = FieldReport {
        kind: ReportKind::Hazard,
        type_: "breach".into(),
        grade: 3,
        place,
        observed_at: now,
        text: None,
        photos: Vec::new(),
        task: None,
    };
    core.step(&mut state, &Input::Report { by: by.clone(), report }, now).unwrap();
    let (places, input) = comes(&mut watch, &state, now);
    let wet = behind(&places);
    assert!(!wet.is_empty(), "{places:?}");
    let twin = watch.water(now).twin.last.unwrap().with_breaches(&state.open_breaches());
    let site = twin.breaches[0].site.clone();
    assert!(site.as_ref().is_some_and(|site| site.as_str().starts_with("work-")), "{site:?}");
    for place in &wet {
        let coming = twin.places[place];
        assert!(
            coming.threshold_m3s.is_none() && coming.crossed_at == Some(now) && coming.at >= Some(now),
            "{coming:?}"
        );
        assert!(coming.depth_m >= 0.05, "{coming:?}");
    }
    // Nothing that the river brings by itself is later than before.
    let river = watch.water(now).twin.last.unwrap();
    assert!(river.places.iter().all(|(place, coming)| twin.places[place].at <= coming.at));

    // Our people there are told as soon as the water is half an hour away, and no longer once the breach was none.
    let alarmed = |state: &State| -> Vec<String> {
        state
            .alarms
            .iter()
            .filter(|(key, alarm)| key.starts_with(WATER_ALARM) && !alarm.closed)
            .map(|(key, _)| key.clone())
            .collect()
    };
    let mut at = now;
    let key_of = |place: &PlaceId| format!("{WATER_ALARM}{place}");
    core.step(&mut state, &input, at).unwrap();
    while !wet.iter().any(|place| alarmed(&state).contains(&key_of(place))) {
        at += TimeDelta::minutes(10);
        assert!(at < now + TimeDelta::hours(3), "nobody behind the levee was told: {wet:?}");
        let (_, input) = comes(&mut watch, &state, at);
        core.step(&mut state, &input, at).unwrap();
    }
    let report = *state.reports.keys().next().unwrap();
    let officer = Actor { user: UserName::new("other"), ..by };
    let mut helped = state.clone();
    core.step(&mut helped, &Input::Settle { by: officer.clone(), report, false_alarm: false }, at).unwrap();
    assert_eq!(helped.open_breaches().len(), 1, "help was sent, the water is there");
    let (_, input) = comes(&mut watch.clone(), &helped, at);
    core.step(&mut helped, &input, at).unwrap();
    assert_eq!(alarmed(&helped), alarmed(&state));
    core.step(&mut state, &Input::Settle { by: officer, report, false_alarm: true }, at).unwrap();
    assert_eq!(state.open_breaches(), Vec::new());
    let (_, input) = comes(&mut watch, &state, at);
    core.step(&mut state, &input, at).unwrap();
    assert!(!wet.iter().any(|place| alarmed(&state).contains(&key_of(place))), "{:?}", alarmed(&state));
}

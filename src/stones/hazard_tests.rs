//! Measures the hazards of the stones on a labelled synthetic set: scour, slip, collapse, animals, cut cables, and a month of
//! quiet river with waves, temperature and wild values. Everything here is invented; the checks see readings only.

use super::*;
use crate::model::{Observation, Quality};
use crate::stones::{StoneArray, StoneSite};
use chrono::TimeDelta;

/// As in the demo reach: stones of each of 83 dams of four works, 249 in all.
const DAMS: usize = 83;
const STONES_A_DAM: usize = 3;
const MINUTE: i64 = 60;

/// A small generator of its own: the room knows no crate of chance.
struct Chance(u64);

impl Chance {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + self.share() * (to - from)
    }
    fn bell(&mut self) -> f64 {
        (0..6).map(|_| self.share()).sum::<f64>() * 1.414 - 4.243
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Scour,
    Slip,
    Collapse,
    Animal,
    Cable,
}

/// What befalls one stone: from a minute on it turns, shakes, is torn off.
#[derive(Debug, Clone, Copy, Default)]
struct Fate {
    from: i64,
    /// Degrees turned in the end, and minutes until then.
    turn: f64,
    turns_for: i64,
    shakes_for: i64,
    torn_after: Option<i64>,
}

struct Event {
    kind: Kind,
    dam: usize,
    from: i64,
    fates: Vec<Option<Fate>>,
}

fn event(kind: Kind, dam: usize, from: i64, chance: &mut Chance) -> Event {
    let mut fates = vec![None; STONES_A_DAM];
    let first = (chance.share() * STONES_A_DAM as f64) as usize;
    for (place, fate) in fates.iter_mut().enumerate() {
        let is_first = place == first;
        let turn =
            |low, high, chance: &mut Chance| chance.between(low, high) * if chance.share() < 0.5 { -1.0 } else { 1.0 };
        *fate = match kind {
            // The toe is washed out under one stone, then under its neighbours.
            Kind::Scour if is_first || chance.share() < 0.7 => Some(Fate {
                from: from + if is_first { 0 } else { chance.between(5.0, 60.0) as i64 },
                turn: turn(18.0, 80.0, chance),
                turns_for: chance.between(2.0, 8.0) as i64,
                shakes_for: chance.between(3.0, 20.0) as i64,
                torn_after: (chance.share() < 0.3).then(|| chance.between(5.0, 30.0) as i64),
            }),
            // The whole face goes slowly, without any shaking.
            Kind::Slip => Some(Fate {
                from: from + chance.between(0.0, 15.0) as i64,
                turn: turn(8.0, 20.0, chance),
                turns_for: chance.between(90.0, 300.0) as i64,
                ..Fate::default()
            }),
            Kind::Collapse => Some(Fate {
                from: from + chance.between(0.0, 3.0) as i64,
                turn: turn(30.0, 140.0, chance),
                turns_for: 2,
                shakes_for: 4,
                torn_after: (chance.share() < 0.7).then(|| chance.between(1.0, 5.0) as i64),
            }),
            // One stone is pushed and rubbed against; sometimes it stays turned a little.
            Kind::Animal if is_first => Some(Fate {
                from,
                turn: if chance.share() < 0.5 { turn(3.0, 25.0, chance) } else { 0.0 },
                turns_for: 1,
                shakes_for: chance.between(2.0, 12.0) as i64,
                ..Fate::default()
            }),
            Kind::Cable => Some(Fate { from, torn_after: Some(0), ..Fate::default() }),
            _ => None,
        };
    }
    Event { kind, dam, from, fates }
}

/// One stone in the quiet: its own noise, its own part of the day's warmth.
struct Lies {
    rest: [f64; 3],
    noise: f64,
    warmth: f64,
    peak: f64,
}

fn river_m3s(minute: i64, high: bool) -> f64 {
    if high { 4500.0 + 1500.0 * (minute as f64 / 900.0).sin() } else { 900.0 + 200.0 * (minute as f64 / 2000.0).sin() }
}

/// What came of one run.
#[derive(Debug, Default)]
struct Outcome {
    raised: Vec<(usize, i64, StoneHazard)>,
    marched: Vec<(usize, i64)>,
}

fn play(events: &[Event], minutes: i64, step: i64, high: bool, seed: u64) -> Outcome {
    let mut chance = Chance(seed);
    let name = |dam: usize, place: usize| format!("stone-{dam:02}-{place}");
    let sites = (0..DAMS).flat_map(|dam| (0..STONES_A_DAM).map(move |place| (dam, place)));
    let site = |(dam, place): (usize, usize)| StoneSite {
        id: name(dam, place),
        dam: format!("dam-{dam:02}").into(),
        work: format!("work-{}", dam / 21).into(),
        gateway: None,
    };
    let mut array = StoneArray::new(sites.map(site), StoneSettings::default());
    let lies: Vec<Lies> = (0..DAMS * STONES_A_DAM)
        .map(|_| Lies {
            rest: [chance.between(-5.0, 5.0), chance.between(-5.0, 5.0), chance.between(-30.0, 30.0)],
            noise: chance.between(0.03, 0.12),
            warmth: chance.between(-0.6, 0.6),
            peak: chance.between(0.03, 0.10),
        })
        .collect();
    let at = |minute: i64| Timestamp::UNIX_EPOCH + TimeDelta::seconds(minute * MINUTE);
    let mut outcome = Outcome::default();
    let mut known: std::collections::BTreeMap<String, Standing> = std::collections::BTreeMap::new();
    let mut storm_until = 0;
    for minute in (0..minutes).step_by(step as usize) {
        // Wind now and then: every stone of the reach feels the waves.
        if minute >= storm_until && chance.share() < 0.0005 * step as f64 {
            storm_until = minute + chance.between(60.0, 600.0) as i64;
        }
        let waves = if minute < storm_until { 0.7 } else { 0.0 };
        for dam in 0..DAMS {
            for place in 0..STONES_A_DAM {
                let Lies { rest, noise, warmth, peak } = &lies[dam * STONES_A_DAM + place];
                let fate = events.iter().filter(|event| event.dam == dam && event.from <= minute);
                let fate = fate.filter_map(|event| event.fates[place]).rfind(|fate| fate.from <= minute);
                let fate = fate.unwrap_or_default();
                let since = minute - fate.from;
                let torn = fate.torn_after.is_some_and(|after| since >= after);
                let send = |array: &mut StoneArray, quantity: &str, value: f64| {
                    let series = format!("{}.{quantity}", name(dam, place)).into();
                    let (at, quality) = (at(minute), Quality::GOOD);
                    array.observe(&Observation { series, at, received_at: at, value, quality });
                };
                if torn || chance.share() < 0.01 {
                    if torn {
                        send(&mut array, "line_state", 2.0);
                    }
                    continue; // One poll of a hundred is lost on the way.
                }
                let part =
                    if fate.turn == 0.0 { 0.0 } else { ((since + 1) as f64 / fate.turns_for.max(1) as f64).min(1.0) };
                let day = warmth * (minute as f64 / 1440.0 * std::f64::consts::TAU).sin();
                let wild = if chance.share() < 0.0002 { chance.between(-90.0, 90.0) } else { 0.0 };
                let shakes = fate.shakes_for > 0 && since < fate.shakes_for;
                let burst = if shakes { chance.between(1.0, 8.0) } else { 0.0 };
                for (axis, (quantity, share)) in
                    [("tilt_x", 1.0), ("tilt_y", 0.4), ("tilt_z", 0.2)].into_iter().enumerate()
                {
                    let value = rest[axis] + day + noise * chance.bell() + share * (fate.turn * part + wild);
                    send(&mut array, quantity, value);
                }
                let lone = if chance.share() < 0.001 { chance.between(0.5, 4.0) } else { 0.0 };
                send(
                    &mut array,
                    "acc_peak",
                    peak + 0.02 * chance.share() + waves * chance.between(0.6, 1.6) + burst + lone,
                );
                send(&mut array, "line_state", 0.0);
            }
        }
        array.judge(at(minute), Some(river_m3s(minute, high)));
        known.retain(|dam, _| array.hazards().contains_key(dam.as_str()));
        for (dam, hazard) in array.hazards() {
            let number = dam.as_str().trim_start_matches("dam-").parse().unwrap();
            let before = known.insert(dam.to_string(), hazard.standing);
            if before.is_none() {
                outcome.raised.push((number, minute, hazard.clone()));
            }
            if before != Some(hazard.standing) && hazard.standing == Standing::SecondStone {
                outcome.marched.push((number, minute));
            }
        }
    }
    outcome
}

/// Hazards of every kind at high water, animals and cut cables at low water, in three seeds each.
#[test]
fn true_events_are_found_once_and_animals_and_cables_send_nobody() {
    let (mut trues, mut found, mut raised, mut marched_wrongly, mut first_right) = (0, 0, 0, 0, 0);
    for seed in 1..=3u64 {
        for high in [true, false] {
            let mut chance = Chance(seed * 77 + u64::from(high));
            let kinds: &[Kind] = if high {
                &[Kind::Scour, Kind::Slip, Kind::Collapse, Kind::Scour, Kind::Cable]
            } else {
                &[Kind::Animal, Kind::Cable, Kind::Animal, Kind::Slip]
            };
            let events: Vec<Event> = (0..16)
                .map(|number| {
                    event(
                        kinds[number % kinds.len()],
                        number * 5 + 1,
                        120 + (chance.share() * 400.0) as i64,
                        &mut chance,
                    )
                })
                .collect();
            let outcome = play(&events, 960, 1, high, seed);
            for event in &events {
                let is_true = !matches!(event.kind, Kind::Animal | Kind::Cable);
                let of_dam: Vec<_> = outcome.raised.iter().filter(|(dam, ..)| *dam == event.dam).collect();
                raised += of_dam.len();
                trues += usize::from(is_true);
                found += usize::from(is_true && of_dam.iter().any(|(_, at, _)| *at >= event.from));
                if !is_true && outcome.marched.iter().any(|(dam, _)| *dam == event.dam) {
                    marched_wrongly += 1;
                }
                if let (true, Some((.., hazard))) = (matches!(event.kind, Kind::Scour), of_dam.first()) {
                    let first = event
                        .fates
                        .iter()
                        .enumerate()
                        .filter_map(|(place, fate)| Some((fate.as_ref()?.from, place)))
                        .min();
                    first_right += usize::from(hazard.first == format!("stone-{:02}-{}", event.dam, first.unwrap().1));
                }
            }
            let dams: Vec<usize> = events.iter().map(|event| event.dam).collect();
            let elsewhere = outcome.raised.iter().filter(|(dam, ..)| !dams.contains(dam)).count();
            raised += elsewhere;
        }
    }
    let (recall, ratio) = (found as f64 / trues as f64, raised as f64 / trues as f64);
    println!(
        "true {trues} found {found} recall {recall:.3}; hazards told {raised} = {ratio:.3} a true event; marches on nothing {marched_wrongly}; first stone of scours named {first_right}"
    );
    assert!(recall >= 0.95, "recall {recall:.3}");
    assert!(ratio <= 1.1, "{ratio:.3} hazards a true event");
    assert_eq!(marched_wrongly, 0, "somebody marched for an animal or a cable");
}

/// A month of quiet river with 249 stones, polled every five minutes.
#[test]
fn a_quiet_month_sends_nobody() {
    let mut told = 0;
    for (seed, high) in [(11, true), (12, false)] {
        let outcome = play(&[], 30 * 1440, 5, high, seed);
        told += outcome.raised.len();
        assert!(outcome.marched.len() <= 1, "{:?}", outcome.marched);
    }
    println!("hazards told in two quiet months of 249 stones: {told}");
    assert!(told <= 2, "{told} hazards in two quiet months");
}

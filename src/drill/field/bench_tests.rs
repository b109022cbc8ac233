//! Tests of the registers of the virtual devices.

use super::*;
use crate::drill::field::read_injects;
use crate::drill::floods::FloodFiles;
use crate::ingest::sensors::SensorFiles;
use chrono::TimeDelta;

fn folder(name: &str) -> Vec<(String, Vec<u8>)> {
    let read = std::fs::read_dir(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let paths = read.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    paths.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())).collect()
}

fn start() -> Timestamp {
    "1958-07-17T10:00:00Z".parse().unwrap()
}

fn bench(faults: &str) -> Bench {
    let sensors: SensorFiles = folder("sensors/profiles").into_iter().chain(folder("sensors/huayuankou")).collect();
    let sensors = Sensors::load(&sensors).unwrap();
    let floods: FloodFiles = folder("floods").into_iter().collect();
    let flood = Flood::load(&floods, "1958-07").unwrap();
    let injects = read_injects("faults.toml", faults, |target| Bench::knows_target(&sensors, target)).unwrap();
    Bench::new(BenchPart { sensors, flood, injects, seed: 7, start: start() })
}

fn fault(target: &str, kind: &str, more: &str) -> String {
    format!("[[inject]]\nat_s = 600\ntarget = \"{target}\"\nkind = \"{kind}\"\n{more}\n")
}

fn at(second: i64) -> Timestamp {
    start() + TimeDelta::seconds(second)
}

/// Stage in mm and discharge in L/s of Huayuankou; `None` for silence.
fn gauge(bench: &Bench, second: i64) -> Option<(i64, i64)> {
    match bench.read("gauges", 4, (Function::Holding, 2, 4), at(second)) {
        Answer::Words(words) => {
            let number = |n: usize| i64::from(words[n]) << 16 | i64::from(words[n + 1]);
            Some((number(0), number(2)))
        }
        Answer::Silence => None,
        other => panic!("{other:?}"),
    }
}

/// The ten quantities of a stone of dam 90, as signed words; `None` for silence.
fn stone(bench: &Bench, slot: u16, second: i64) -> Option<Vec<i16>> {
    match bench.read("work-huayuankou", 1, (Function::Holding, slot * 16, 10), at(second)) {
        Answer::Words(words) => Some(words.iter().map(|word| word.cast_signed()).collect()),
        Answer::Silence => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_moment_gives_the_same_registers() {
    let (one, two) = (bench(""), bench(""));
    for second in [0, 1, 3600] {
        assert_eq!(gauge(&one, second), gauge(&two, second));
        assert_eq!(stone(&one, 3, second), stone(&two, 3, second));
    }
    assert_ne!(gauge(&one, 0), gauge(&one, 1), "an instrument is never quite still");
}

#[test]
fn gauge_faults_begin_and_end_at_their_time() {
    let none = 0xFFFF_FFFF;
    let dead = bench(&fault("huayuankou.stage", "dead", "for_s = 60"));
    assert!(gauge(&dead, 599).unwrap().0 != none && gauge(&dead, 660).unwrap().0 != none);
    assert!(matches!(gauge(&dead, 600), Some((stage, discharge)) if stage == none && discharge != none));

    let frozen = bench(&fault("huayuankou", "frozen", ""));
    assert_eq!(gauge(&frozen, 600), gauge(&frozen, 9000));
    assert_ne!(gauge(&frozen, 599), gauge(&frozen, 600));

    let sound = bench("");
    let spike = bench(&fault("huayuankou.discharge", "spike", "value = 5000"));
    let jump = |second| gauge(&spike, second).unwrap().1 - gauge(&sound, second).unwrap().1;
    assert_eq!([jump(599), jump(600), jump(609), jump(610)], [0, 5_000_000, 5_000_000, 0]);

    let drift = bench(&fault("huayuankou.stage", "drift", "value = 0.2"));
    let away = gauge(&drift, 600 + 7200).unwrap().0 - gauge(&sound, 600 + 7200).unwrap().0;
    assert!((399..=401).contains(&away), "{away} mm after two hours at 0.2 m/h");

    for (target, kind) in [("huayuankou.stage", "comms"), ("huayuankou", "dead"), ("gauge-huayuankou", "power")] {
        let silent = bench(&fault(target, kind, "for_s = 60"));
        assert!(gauge(&silent, 599).is_some() && gauge(&silent, 600).is_none() && gauge(&silent, 660).is_some());
    }
}

#[test]
fn stone_faults_show_in_their_registers() {
    let rest = stone(&bench(""), 0, 700).unwrap();
    let of = |kind: &str, more: &str, second| stone(&bench(&fault("stone-001", kind, more)), 0, second);
    assert_eq!(rest[5..9], [0, rest[6], rest[7], 0]);
    let shaken = of("shake", "value = 6", 700).unwrap();
    assert!(shaken[4] >= 6000 && shaken[3] >= 2400 && rest[4] < 200, "{shaken:?}");
    let rolled = of("drift", "value = 60", 600 + 1800).unwrap();
    assert!((rolled[0] - rest[0] - 3000).abs() < 20 && rolled[5] == 2, "{rolled:?}");
    let cut = of("comms", "", 700).unwrap();
    assert!(cut[8] == 2 && cut[0] == i16::MIN && cut[3] == -1, "{cut:?}");
    assert_eq!(of("dead", "", 700).unwrap()[8], 1);
    assert!((8900..9100).contains(&of("power", "value = 9", 700).unwrap()[6]));
    let (rolling, torn) = (of("breach", "", 700).unwrap(), of("breach", "", 720).unwrap());
    assert!(rolling[5] == 3 && rolling[8] == 0 && torn[8] == 2, "{rolling:?} {torn:?}");
    let frozen = bench(&fault("stone-001", "frozen", ""));
    assert_eq!(stone(&frozen, 0, 700), stone(&frozen, 0, 7000));
}

#[test]
fn a_fault_of_a_dam_or_work_reaches_its_stones_and_no_other() {
    let shaken = bench(&fault("dam:dam-huayuankou-090", "shake", ""));
    let peak = |bench: &Bench, slot| stone(bench, slot, 700).unwrap()[4];
    assert!((0..6).all(|slot| peak(&shaken, slot) >= 6000));
    let other = |unit| shaken.read("work-huayuankou", unit, (Function::Holding, 4, 1), at(700));
    assert!(matches!(other(2), Answer::Words(words) if words[0] < 200));
    let cut = bench(&fault("work:work-huayuankou", "comms", ""));
    assert_eq!(stone(&cut, 0, 700), None);
    assert!(matches!(cut.read("work-madu", 1, (Function::Holding, 0, 1), at(700)), Answer::Words(_)));
    assert!(stone(&bench(&fault("stone-001", "comms", "")), 1, 700).is_some(), "one stone never silences its terminal");
}

#[test]
fn reads_beyond_the_map_are_refused() {
    let bench = bench("");
    let read = |unit, first, count| bench.read("gauges", unit, (Function::Holding, first, count), at(0));
    assert_eq!(read(99, 0, 1), Answer::Refused(ExceptionCode::GatewayTargetDevice));
    assert_eq!(read(4, 6, 1), Answer::Refused(ExceptionCode::IllegalDataAddress));
    assert_eq!(read(4, 65_535, 2), Answer::Refused(ExceptionCode::IllegalDataAddress));
    assert_eq!(read(4, 0, 0), Answer::Refused(ExceptionCode::IllegalDataValue));
    assert_eq!(read(4, 0, 126), Answer::Refused(ExceptionCode::IllegalDataValue));
    assert_eq!(
        bench.read("gauges", 4, (Function::Input, 0, 1), at(0)),
        Answer::Refused(ExceptionCode::IllegalFunction)
    );
}

#[test]
fn single_and_multiple_writes_override_and_release() {
    let bench = bench("");
    let write = |first, words: &[u16]| bench.write("gauges", 4, first, words, at(0));
    assert_eq!(write(4, &[0x0089, 0x5440]), Answer::Written);
    assert_eq!(gauge(&bench, 0).unwrap().1, 9_000_000);
    assert_eq!(write(5, &[0x5441]), Answer::Written, "function 06 changes one word");
    assert_eq!(gauge(&bench, 0).unwrap().1, 9_000_001);
    assert_eq!(write(4, &[0xFFFF, 0xFFFF]), Answer::Written);
    assert!(gauge(&bench, 0).unwrap().1 > 15_000_000, "back on the flood");
    let before = gauge(&bench, 0);
    assert_eq!(write(5, &[1, 2]), Answer::Refused(ExceptionCode::IllegalDataAddress));
    assert_eq!(gauge(&bench, 0), before, "a refused write changes nothing");
    assert_eq!(bench.write("work-huayuankou", 1, 0, &[1], at(0)), Answer::Refused(ExceptionCode::IllegalFunction));
}

#[test]
fn rain_counts_up_and_starts_anew_at_its_end() {
    let bench = bench("");
    let rain = |second| match bench.read("gauges", 6, (Function::Holding, 0, 1), at(second)) {
        Answer::Words(words) => words[0],
        other => panic!("{other:?}"),
    };
    let counts: Vec<u16> = (-40..1).map(|hour| rain(hour * 3600)).collect();
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]) && counts[0] < counts[40], "{counts:?}");
}

#[test]
fn the_faults_of_the_docs_page_are_known() {
    let page = std::fs::read_to_string(format!("{}/docs/ingest/modbus.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sample = page.split("# faults.toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(bench(sample).parts.injects.len(), 2);
}

//! No decoder may panic or take memory out of proportion, whatever comes in. One test a decoder; to add one: a folder
//! `fuzz/corpus/<name>/` with some inputs that are right, and a test of three lines here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unsafe_code)]

#[path = "support/fuzz.rs"]
mod fuzz;

use anlan::ingest::sensors::{SensorFiles, Sensors};
use anlan::ingest::sl651::codec::{Assembly, Frame, Framer, Line, Query, Report};
use fuzz::target;

#[test]
fn fuzz_harness_sees_panics_and_greed() {
    fuzz::check_the_harness();
}

#[test]
fn fuzz_sl651() {
    let now = chrono::DateTime::from_timestamp(1_760_000_000, 0).unwrap();
    let read = |frame: &Frame| {
        let _ = Query::decode(frame, now);
        let _ = Line::of(frame);
        if let Ok(report) = Report::decode(frame.coding, &frame.body) {
            let _ = report.measured(frame.station, now);
            let _ = (report.texts().count(), report.pictures().count(), report.elements().count());
        }
        if let Some(packet) = frame.packet
            && let Ok(mut message) = Assembly::new(packet.total, 1 << 16)
            && message.take(packet, &frame.body).is_ok()
        {
            let _ = (message.missing().count(), message.whole());
        }
    };
    target("sl651", |input| {
        if let Ok(received) = Frame::decode(input) {
            read(&received.frame);
        }
        // As a connection gives it: in pieces, and most of it without a right checksum.
        let mut framer = Framer::default();
        for piece in input.chunks(97) {
            framer.push(piece);
            while let Some(received) = framer.next_frame() {
                read(&received.frame);
            }
        }
        framer.give_up();
        // The body by itself, past the checksum that noise never has.
        for coding in [anlan::ingest::sl651::codec::Coding::Hex, anlan::ingest::sl651::codec::Coding::Ascii] {
            if let Ok(report) = Report::decode(coding, input) {
                let _ = report.measured(anlan::ingest::sl651::codec::StationAddress([0; 5]), now);
            }
        }
    });
}

const STATION: &str = "[[station]]\nid='rain-madu'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='x'\n";

#[test]
fn fuzz_sensors_toml() {
    let level = include_str!("../sensors/profiles/generic-level-16.toml");
    target("sensors-toml", |input| {
        for name in ["x.toml", "quality.toml", "forecast.toml", "stone-limits.toml"] {
            let mut files = SensorFiles::new();
            files.insert("a/stations.toml".into(), STATION.into());
            files.insert("a/generic-level-16.toml".into(), level.into());
            files.insert(format!("b/{name}"), input.to_vec());
            if let Err(fault) = Sensors::load(&files) {
                let _ = fault.to_string();
            }
        }
    });
}

/// A profile, a line of dashes, and what the device answers: whatever a site writes, any words give a number or none.
#[test]
fn fuzz_modbus_profile() {
    target("modbus-profile", |input| {
        let cut = input.windows(4).position(|part| part == b"----").unwrap_or(input.len());
        let (profile, answer) = input.split_at(cut);
        let words: Vec<u16> = answer.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        let mut files = SensorFiles::new();
        files.insert("p.toml".into(), profile.to_vec());
        let Ok(sensors) = Sensors::load(&files) else { return };
        for point in sensors.profiles.values().flat_map(|profile| &profile.points) {
            for words in words.windows(usize::from(point.number.width())) {
                let Some(raw) = point.raw(words) else { continue };
                let value = point.scaled(raw);
                assert!(point.words_of(value).len() == words.len());
                let _ = raw.to_string();
            }
        }
    });
}

#[test]
fn fuzz_annotated_csv() {
    target("annotated-csv", |input| {
        if let Ok(text) = std::str::from_utf8(input)
            && let Ok(rows) = anlan::store::series::annotated_csv_rows(text)
        {
            // A lone carriage return ends a row too.
            assert!(rows <= text.matches(['\r', '\n']).count() + 1);
        }
    });
}

#[test]
fn fuzz_playbook_trigger() {
    target("playbook-trigger", |input| {
        if let Ok(text) = std::str::from_utf8(input)
            && let Err(fault) = anlan::playbook::parse_condition(text)
        {
            let _ = fault.to_string();
        }
    });
}

#[test]
fn fuzz_modbus_rtu() {
    use anlan::ingest::modbus::rtu::{Found, Listener};
    use anlan::ingest::sensors::{Block, Function};
    target("modbus-rtu", |input| {
        let [unit, count, pieces, line @ ..] = input else { return };
        for function in [Function::Coil, Function::Holding] {
            let block = Block { function, first: 0, count: u16::from(*count).clamp(1, 125) };
            let mut listener = Listener::new(*unit, &block);
            for piece in line.chunks(usize::from(*pieces).max(1)) {
                if let Some(Found::Words(words)) = listener.hear(piece) {
                    assert_eq!(words.len(), usize::from(block.count));
                }
            }
        }
    });
}

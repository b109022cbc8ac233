//! Published frames of real stations and of implementation rules, bit by bit: in both directions where we can send them.

use super::*;
use chrono::{DateTime, Utc};

const HEARTBEAT: &str = "7E7E01001234567812342F0008020003591011155111036BCA";
const TIMED: &str = "7E7E010010100001A00032002B02000C200724172349F1F1001010000148F0F020072417232019000130221900004039230000055038121268038397";
const TIMED_ACK: &str = "7E7E001010000101A00032800802000C20072417234906DB17";
const TEST: &str = "7E7E010012345678123430002B020003591011154947F1F1001234567848F0F0591011154920190000052619000005392300000127381211150320FA";
const TEST_ACK: &str = "7E7E00123456780112343080080200035910111549471B75D4";
const ADDED: &str = "7E7E05001122334403E833002B020026170718102202F1F1001122334448F0F01707181022201900004026190000403923000104903812110203F511";
const PERIOD: &str = "7E7E05001122334403E838002A020035170718110128F1F1001122334448F0F017071810050418000005F4600500000014FFFFFFFFFF000003E8AB";
const STATUS: &str = "7E7E0500112233441234460015020023170718102008F1F100112233444520000004000315C1";
const MANUAL: &str = "7E7E0100123456781234390011020014170718100630F2F25120312E3233340346AA";
const ASK_NOW: &str = "7E7E112233445501AAAA37800802000124010916012805CD00";
const ASK_ELEMENTS: &str = "7E7E112233445501AAAA3A800A020006240110150230F46005AAC9";
const HOURLY: &str = "7E7EFF8004040135123434005702070B220926093001F1F1800404013548F0F02209260930F460000000000000FFFFFFFFFFFFF5C0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF261900234520190000001A19000000391AFFFFFF381213380334E6";
const SENTINEL: &str = "7E7E000010000000C95932002B02230D200314120000F1F1001000000050F0F02003141200392309999999201900000026190000003812240003DB78";
const WRONG_CRC: &str = "7E7E010011111112000032002B02002B200321153057F1F1001111111248F0F020032115303922000098362019000000261900000038122400037B54";
const ASCII_HEARTBEAT: &str =
    "013031303031323334353637383132333432463030313002303030353137303731383131303033350345353933";
const ACK_EOT: &str = "7E7E001230567810123433800802000C14061202001504A2DF";
const TEXT: &str =
    "7E7E100012345678123435002102000F130325095804F2F279616E7975313938383A59435A2D32412D31303121212103B698";
const ALL_GOOD: [&str; 15] = [
    HEARTBEAT,
    TIMED,
    TIMED_ACK,
    TEST,
    TEST_ACK,
    ADDED,
    PERIOD,
    STATUS,
    MANUAL,
    ASK_NOW,
    ASK_ELEMENTS,
    HOURLY,
    SENTINEL,
    ACK_EOT,
    TEXT,
];

fn bytes(hex: &str) -> Vec<u8> {
    hex_bytes(hex.as_bytes()).unwrap()
}

fn frame(hex: &str) -> Frame {
    let received = Frame::decode(&bytes(hex)).unwrap();
    assert_eq!(received.length * 2, hex.len());
    received.frame
}

fn now() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Mnemonic, time on the line's clock, value.
fn values(hex: &str) -> Vec<(String, String, Option<f64>)> {
    let frame = frame(hex);
    let report = Report::decode(frame.coding, &frame.body).unwrap();
    assert_eq!(report.faults, []);
    let beijing = |at: DateTime<Utc>| (at + chrono::TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S").to_string();
    let row = |one: Measured| (name_of(one.id), one.observed_at.map_or(String::new(), beijing), one.value);
    report.measured(frame.station, now()).into_iter().map(row).collect()
}

fn check(hex: &str, time: &str, expected: &[(&str, Option<f64>)]) {
    let expected: Vec<_> = expected.iter().map(|(id, value)| ((*id).to_owned(), time.to_owned(), *value)).collect();
    assert_eq!(values(hex), expected);
}

#[test]
fn sl651_golden_frames_come_back_byte_for_byte() {
    for hex in ALL_GOOD.into_iter().chain([ASCII_HEARTBEAT]) {
        assert_eq!(frame(hex).encode().unwrap(), bytes(hex), "{hex}");
    }
}

#[test]
fn sl651_golden_bodies_come_back_byte_for_byte() {
    for hex in [HEARTBEAT, TIMED, TEST, ADDED, PERIOD, STATUS, MANUAL, HOURLY, TEXT, ASCII_HEARTBEAT] {
        let frame = frame(hex);
        let report = Report::decode(frame.coding, &frame.body).unwrap();
        assert_eq!(report.encode(frame.coding), frame.body, "{hex}");
    }
}

#[test]
fn sl651_golden_heads() {
    let head = frame(HEARTBEAT);
    assert_eq!((head.direction, head.centre, head.station.to_string().as_str()), (Direction::Up, 1, "0012345678"));
    assert_eq!((head.password, head.function, head.end), (0x1234, 0x2f, End::Etx));
    let head = frame(TIMED_ACK);
    assert_eq!((head.direction, head.centre, head.station.to_string().as_str()), (Direction::Down, 1, "0010100001"));
    assert_eq!((head.function, head.end), (0x32, End::Ack));
    assert_eq!((frame(TEST_ACK).end, frame(ACK_EOT).end), (End::Esc, End::Eot));
    assert_eq!(frame(ACK_EOT).centre, 0x10);
    let ascii = frame(ASCII_HEARTBEAT);
    assert_eq!((ascii.coding, ascii.function, ascii.password), (Coding::Ascii, 0x2f, 0x1234));
    assert_eq!(Report::decode(ascii.coding, &ascii.body).unwrap().serial, 5);
}

#[test]
fn sl651_golden_values() {
    check(
        TIMED,
        "2020-07-24 17:23:00",
        &[("PJ", Some(13.0)), ("PN05", Some(4.0)), ("Z", Some(0.55)), ("VT", Some(12.68))],
    );
    check(
        TEST,
        "2059-10-11 15:49:00",
        &[("PJ", Some(0.5)), ("PT", Some(0.5)), ("Z", Some(0.127)), ("VT", Some(11.15))],
    );
    check(
        ADDED,
        "2017-07-18 10:22:00",
        &[("PJ", Some(4.0)), ("PT", Some(4.0)), ("Z", Some(10.49)), ("VT", Some(11.02))],
    );
    check(SENTINEL, "2020-03-14 12:00:00", &[("Z", None), ("PJ", Some(0.0)), ("PT", Some(0.0)), ("VT", Some(24.0))]);
    check(STATUS, "2017-07-18 10:20:08", &[("ZT", Some(1024.0))]);
}

#[test]
fn sl651_golden_period_begins_at_its_time() {
    let found = values(PERIOD);
    let rain: Vec<_> = found.iter().map(|(.., value)| *value).collect();
    let dry = Some(0.0);
    assert_eq!(rain, [Some(0.5), dry, dry, dry, Some(2.0), None, None, None, None, None, dry, dry]);
    assert_eq!((found[0].1.as_str(), found[11].1.as_str()), ("2017-07-18 10:05:00", "2017-07-18 11:00:00"));
}

#[test]
fn sl651_golden_hour_has_its_twelve_cells() {
    let found = values(HOURLY);
    assert_eq!(found.len(), 12 + 12 + 5);
    // Sent at half past nine: six cells are past, the six to come are missing.
    assert_eq!(found[5], ("DRP".into(), "2022-09-26 09:30:00".into(), Some(0.0)));
    assert_eq!(found[6], ("DRP".into(), "2022-09-26 09:35:00".into(), None));
    assert!(found[12..24].iter().all(|(id, _, value)| id == "DRZ1" && value.is_none()));
    let rest: Vec<_> = found[24..].iter().map(|(id, _, value)| (id.as_str(), *value)).collect();
    assert_eq!(rest, [("PT", Some(234.5)), ("PJ", Some(0.0)), ("P1", Some(0.0)), ("Z", None), ("VT", Some(13.38))]);
}

#[test]
fn sl651_golden_texts() {
    let text = |hex: &str| {
        let frame = frame(hex);
        let report = Report::decode(frame.coding, &frame.body).unwrap();
        String::from_utf8(report.texts().next().unwrap().to_vec()).unwrap()
    };
    assert_eq!(text(MANUAL), "Q 1.234");
    assert_eq!(text(TEXT), "yanyu1988:YCZ-2A-101!!!");
}

#[test]
fn sl651_golden_wrong_crc_is_refused() {
    assert!(matches!(Frame::decode(&bytes(WRONG_CRC)), Err(Refusal::Crc { said: 0x7b54, .. })));
    // Repaired, it shows that the definition byte rules: 22 is two decimals.
    let mut repaired = bytes(WRONG_CRC);
    repaired.truncate(repaired.len() - 2);
    repaired.extend(crc16(&repaired).to_be_bytes());
    let frame = Frame::decode(&repaired).unwrap().frame;
    let report = Report::decode(Coding::Hex, &frame.body).unwrap();
    assert_eq!(report.measured(frame.station, now())[0].value, Some(98.36));
}

#[test]
fn sl651_golden_questions() {
    assert_eq!(Query::decode(&frame(ASK_NOW), now()), Some(Query::Now));
    let elements = Query::Elements(vec![(ElementId::Standard(0xf4), 0x60)]);
    assert_eq!(Query::decode(&frame(ASK_ELEMENTS), now()), Some(elements.clone()));
    // Our own question differs in serial number and time only: a question of the centre carries 0.
    let asked = frame(ASK_ELEMENTS);
    let at = Moment([0x24, 0x01, 0x10, 0x15, 0x02, 0x30]).utc(now()).unwrap();
    let ours = Line::of(&asked).ask(&elements, at);
    assert_eq!((&ours.body[2..], ours.end, ours.function), (&asked.body[2..], asked.end, asked.function));
    assert_eq!(ours.body[..2], [0, 0]);
    let from = "2024-01-10T00:00:00Z".parse().unwrap();
    let period = Query::Period {
        from,
        to: from + chrono::TimeDelta::hours(5),
        step: chrono::TimeDelta::minutes(5),
        element: (ElementId::Standard(0xf4), 0x60),
    };
    let sent = Line::of(&asked).ask(&period, at);
    assert_eq!(sent.body[8..], bytes("240110082401101304180000 05F460".replace(' ', "").as_str()));
    assert_eq!(Query::decode(&sent, now()), Some(period));
}

#[test]
fn sl651_golden_acknowledgements_are_ours() {
    let at = Moment([0x20, 0x07, 0x24, 0x17, 0x23, 0x49]).utc(now()).unwrap();
    let ours = Line::of(&frame(TIMED)).acknowledge(0x32, 12, None, End::Ack, at);
    assert_eq!(ours.encode().unwrap(), bytes(TIMED_ACK));
    let at = Moment([0x14, 0x06, 0x12, 0x02, 0x00, 0x15]).utc(now()).unwrap();
    let ours = Line::of(&frame(ACK_EOT)).acknowledge(0x33, 12, None, End::Eot, at);
    assert_eq!(ours.encode().unwrap(), bytes(ACK_EOT));
}

#[test]
fn sl651_marks_signs_and_unreadable_digits() {
    let element = |id: u8, definition: u8, data: &[u8]| {
        let body = [&[0, 1, 0x24, 1, 1, 8, 0, 0, id, definition], data].concat();
        let report = Report::decode(Coding::Hex, &body).unwrap();
        let again = report.encode(Coding::Hex);
        assert_eq!(again, body, "{id:02x} {definition:02x} {data:02x?} does not come back");
        report.measured(StationAddress([0; 5]), now())[0].value
    };
    assert_eq!(element(0x39, 0x23, &[0xff, 0x00, 0x12, 0x50]), Some(-1.25));
    assert_eq!(element(0x39, 0x23, &[0xff; 4]), None);
    assert_eq!(element(0x39, 0x23, &[0xaa; 4]), None);
    assert_eq!(element(0x39, 0x22, &[0x00, 0x00, 0x99, 0x99]), Some(99.99), "a stage of 99.99 m is one");
    assert_eq!(element(0x39, 0x23, &[0x09, 0x99, 0x99, 0x99]), None);
    assert_eq!(element(0x1a, 0x19, &[0x00, 0x99, 0x99]), None, "999.9 mm in an hour");
    assert_eq!(element(0x26, 0x19, &[0x00, 0x99, 0x99]), Some(999.9), "999.9 mm in a year");
    assert_eq!(element(0x39, 0x23, &[0x00, 0x0a, 0x00, 0x00]), None);
    assert_eq!(element(0x39, 0x00, &[]), None, "no data");
    assert_eq!(element(0x27, 0x63, &[0, 0, 0, 0, 0, 0, 0, 0x22, 0x30, 0x00, 0x00, 0x00]), Some(2_230_000.0));
}

#[test]
fn sl651_bodies_that_end_too_early_keep_what_came_before() {
    let whole = frame(TIMED).body;
    for cut in 8..whole.len() {
        let report = Report::decode(Coding::Hex, &whole[..cut]).unwrap();
        let read = report.measured(StationAddress([0; 5]), now()).len();
        assert!(read <= 3, "cut at {cut}");
        let clean = report.faults.is_empty();
        // Only a cut between two elements goes unseen; nothing is invented for any other.
        assert_eq!(clean, [8, 15, 16, 23, 28, 33, 39].contains(&cut), "cut at {cut}: {:?}", report.faults);
    }
    assert_eq!(Report::decode(Coding::Hex, &[0; 7]), Err(BodyFault::NoHead { bytes: 7 }));
    // FF as the last byte of a body: an identifier of a user that is not there.
    let report = Report::decode(Coding::Hex, &[0, 1, 0, 0, 0, 0, 0, 0, 0xff]).unwrap();
    assert!(matches!(report.faults[..], [BodyFault::Cut { .. }]));
}

#[test]
fn sl651_several_stations_and_times_open_scopes_of_their_own() {
    let body = bytes(concat!(
        "0001240101080000",
        "F1F1001010000148F0F024010107003922",
        "00009000",
        "F0F024010108003922",
        "00009100",
        "F1F1001010000248",
        "3922",
        "00009200"
    ));
    let report = Report::decode(Coding::Hex, &body).unwrap();
    let found: Vec<_> = report
        .measured(StationAddress([0; 5]), now())
        .into_iter()
        .map(|one| (one.station.to_string(), one.observed_at.unwrap().to_rfc3339(), one.value.unwrap()))
        .collect();
    let row = |station: &str, at: &str, value: f64| (station.to_owned(), format!("{at}+00:00"), value);
    assert_eq!(
        found,
        [
            row("0010100001", "2023-12-31T23:00:00", 90.0),
            row("0010100001", "2024-01-01T00:00:00", 91.0),
            row("0010100002", "2024-01-01T00:00:00", 92.0),
        ]
    );
    assert_eq!(report.encode(Coding::Hex), body);
}

#[test]
fn sl651_uniform_series_name_their_element_once() {
    let head = "0001240101080000F1F1001010000148F0F024010108000418000100";
    let check = |rest: &str, expected: &[(u32, Option<f64>)]| {
        let body = bytes(&format!("{head}{}", rest.replace(' ', "")));
        let report = Report::decode(Coding::Hex, &body).unwrap();
        assert_eq!(report.faults, [], "{rest}");
        let at = |hour: u32| format!("2024-01-01T{hour:02}:00:00+00:00");
        let found: Vec<_> = report
            .measured(StationAddress([0; 5]), now())
            .into_iter()
            .map(|one| (one.observed_at.unwrap().to_rfc3339(), one.value))
            .collect();
        let expected: Vec<_> = expected.iter().map(|(hour, value)| (at(*hour), *value)).collect();
        assert_eq!(found, expected, "{rest}");
    };
    // Bare data, one of them missing and one below zero.
    check(
        "3923 00094500 00094510 FFFFFFFF FF000120 00094520",
        &[(0, Some(94.5)), (1, Some(94.51)), (2, None), (3, Some(-0.12)), (4, Some(94.52))],
    );
    check("3923 FFFFFFFF 00094510", &[(0, None), (1, Some(94.51))]);
    // Named each time, and another element behind the only value.
    check("3923 00094500 3923 00094510", &[(0, Some(94.5)), (1, Some(94.51))]);
    check("3923 00094500 38121268", &[(0, Some(94.5)), (1, Some(12.68))]);
}

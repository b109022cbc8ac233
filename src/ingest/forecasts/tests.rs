//! Files of forecasts: good ones, and every fault at its place.

use super::*;
use crate::ingest::sheet::Place;

const NOW: &str = "2026-07-15T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn places() -> Places {
    let place =
        |id: &str, name: &str| Place { id: id.into(), name_zh: name.into(), name_en: id.into(), code: String::new() };
    Places { stations: vec![place("xiaolangdi", "小浪底")], ..Places::default() }
}

fn read_text(text: &str, ask: &ForecastAsk) -> ForecastFile {
    read(text.as_bytes(), ask, &places(), now()).unwrap()
}

/// The samples of the page, by the language of their fence.
fn sample(fence: &str) -> &'static str {
    let page = include_str!("../../../docs/ingest/forecasts.md");
    let (_, sample) = page.split_once(&format!("```{fence}\n")).unwrap();
    sample.split_once("```").unwrap().0
}

#[test]
fn the_samples_of_the_page_are_read() {
    let file = read_text(sample("csv"), &ForecastAsk::default());
    assert_eq!(file.faults, []);
    let [plan] = &file.forecasts[..] else { panic!("{file:?}") };
    assert_eq!((plan.area.as_str(), plan.variable), ("xiaolangdi", ForecastVariable::Release));
    assert_eq!(plan.issued_at, "2026-07-14T23:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(plan.members[0].points.len(), 3);
    let file = read_text(sample("json"), &ForecastAsk::default());
    assert_eq!(file.faults, []);
    assert_eq!(file.forecasts.iter().map(|one| one.members.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(file.forecasts[0].variable, ForecastVariable::Rain);
}

#[test]
fn a_short_table_is_enough_when_the_sender_says_the_rest() {
    let ask = ForecastAsk {
        source: Some("黄委水调局".into()),
        issued_at: Some(now()),
        area: Some("小浪底站".into()),
        ..ForecastAsk::default()
    };
    let text =
        "小浪底水库调度计划\n时间,计划出库(m3/s),备注\n2026-07-15 09:00,\"3,500\",\n2026-07-15 24:00,2600,压减\n";
    let (gbk, ..) = encoding_rs::GBK.encode(text);
    let file = read(&gbk, &ask, &places(), now()).unwrap();
    assert_eq!((file.faults.as_slice(), file.kind.as_str()), ([].as_slice(), "CSV, GBK"));
    assert!(file.notes[0].contains("C 备注"), "{:?}", file.notes);
    let points = &file.forecasts[0].members[0].points;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(points[..], [(at("2026-07-15T01:00:00Z"), 3500.0), (at("2026-07-15T16:00:00Z"), 2600.0)]);
}

#[test]
fn every_fault_of_a_table_is_told_by_row_column_and_field() {
    let head = "source,issued_at,variable,area,datum,member,time,value,unit\n";
    let check = |rows: &str, row: usize, column: &str, field: &str, word: &str| {
        let column = Some(column).filter(|column| !column.is_empty());
        let file = read_text(&format!("{head}{rows}"), &ForecastAsk::default());
        let [fault] = &file.faults[..] else { panic!("{rows}: {:?}", file.faults) };
        assert_eq!((fault.row, fault.column.as_deref(), fault.field), (Some(row), column, field), "{fault:?}");
        assert!(fault.reason.contains(word) && fault.reason.contains('('), "{fault:?}");
    };
    let good = "w,2026-07-15T07:00:00+08:00,rain,三花间,,01,2026-07-15T08:00:00+08:00,5,mm\n";
    assert_eq!(read_text(&format!("{head}{good}"), &ForecastAsk::default()).faults, []);
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    check(&with("w,", ","), 2, "A", "source", "缺少");
    check(&with("2026-07-15T07:00:00+08:00", "昨天"), 2, "B", "issued_at", "昨天");
    check(&with("2026-07-15T07:00:00+08:00", "2026-07-15"), 2, "B", "issued_at", "没有时分");
    check(&with("rain", "snow"), 2, "C", "variable", "snow");
    check(&with("三花间", ""), 2, "D", "area", "缺少");
    check(&with(",,01", ",吴淞,01"), 2, "E", "datum", "吴淞");
    check(&with(",5,", ",,"), 2, "H", "value", "缺少");
    check(&with(",5,", ",五,"), 2, "H", "value", "五");
    check(&with("mm", "m3/s"), 2, "H", "unit", "m3/s");
    check(&with(",5,", ",-5,"), 2, "H", "value", "-5");
    check(&format!("{good}{good}"), 3, "H", "time", "没有递增");
    check(&with("2026-07-15T08:00", "2027-07-15T08:00"), 2, "H", "time", "发布时间");
    check(&with("2026-07-15T07:00:00", "2026-07-16T07:00:00"), 2, "", "issued_at", "晚于现在");
    check(&with(",,01", ",大沽,01"), 2, "", "datum", "基面");
    // Every bad row is told, and a table without its columns, and an empty one.
    let two = read_text(&format!("{head}{}{good}{}", with("rain", "x"), with("5", "x")), &ForecastAsk::default());
    assert_eq!(two.faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [Some(2), Some(4)]);
    assert!(read_text("a,b\n1,2\n", &ForecastAsk::default()).faults[0].reason.contains("没有表头"));
    assert!(read_text(head, &ForecastAsk::default()).faults[0].reason.contains("没有预报"));
    assert!(read_text("time,value,值\n", &ForecastAsk::default()).faults[0].reason.contains("两次"));
    let many = format!("{head}{}", with("rain", "snow").repeat(FAULTS_MAX + 50));
    assert_eq!(read_text(&many, &ForecastAsk::default()).faults.len(), FAULTS_MAX);
}

#[test]
fn every_fault_of_json_is_told_by_path_and_field() {
    let good = r#"{"source":"w","issued_at":"2026-07-15T07:00:00+08:00","variable":"stage","area":"小浪底","datum":"大沽","unit":"cm",
        "members":[{"points":[["2026-07-15T08:00:00+08:00",9120],["2026-07-15T09:00:00+08:00",9130]]}]}"#;
    let file = read_text(good, &ForecastAsk::default());
    assert_eq!((file.faults.as_slice(), file.forecasts[0].members[0].points[1].1), ([].as_slice(), 91.3));
    let check = |text: String, path: &str, field: &str, word: &str| {
        let file = read_text(&text, &ForecastAsk::default());
        let [fault] = &file.faults[..] else { panic!("{text}: {:?}", file.faults) };
        assert_eq!((fault.path.as_deref(), fault.field), (Some(path), field), "{fault:?}");
        assert!(fault.reason.contains(word) && fault.reason.contains('('), "{fault:?}");
    };
    let other = good.replace(r#""w""#, r#""v""#);
    let with = |from: &str, to: &str| format!("[{good},{}]", other.replacen(from, to, 1));
    check(with(r#""v""#, "null"), "[1]", "source", "缺少");
    check(with("stage", "snow"), "[1]", "variable", "snow");
    check(with("大沽", "吴淞"), "[1]", "datum", "吴淞");
    check(with("cm", "mm/h"), "[1]", "unit", "mm/h");
    check(with("T09", "T08"), "[1].members[0].points[1]", "time", "没有递增");
    check(with(r#""v""#, r#""w""#), "[1]", "area", "两次");
    check(with(r#"{"points""#, r#"{"id":"","points""#), "[1].members[0]", "members", "成员名");
    let broken = read_text("{\n\"source\": 1}", &ForecastAsk::default());
    assert_eq!((broken.faults[0].row, broken.faults[0].field), (Some(2), "file"));
    let begins = |text: &str, zh: &str| {
        let fault = read_text(text, &ForecastAsk::default()).faults.remove(0);
        assert!(fault.reason.starts_with(zh), "{fault:?}");
    };
    begins("{\n\"source\": 1}", "类型不对");
    begins("{\"source\": \"w\",}", "不是有效的 JSON");
    begins("{\"source\": \"w\"}", "缺少字段 members");
    begins("{\"members\": [], \"colour\": 1}", "没有这个字段 colour");
    let naive = good.replace("T08:00:00+08:00", "T08:00:00");
    assert_eq!(read_text(&naive, &ForecastAsk::default()).faults[0].field, "file", "a time without its zone");
    assert!(matches!(read(b"\x89PNG\0", &ForecastAsk::default(), &places(), now()), Err(SheetError::NoTable)));
}

//! Tables as duty offices write them, and everything that is wrong with some of them.

use super::*;
use crate::ingest::offer::Target;
use crate::model::{Datum, Observation, Quality};
use crate::store::series::{EmbeddedSeries, SeriesLimits};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

/// Two stations and a rain gauge.
pub(in crate::ingest::sheet) fn places() -> Places {
    let place = |id: &str, zh: &str, en: &str, code: &str| Place {
        id: id.into(),
        name_zh: zh.into(),
        name_en: en.into(),
        code: code.into(),
    };
    let target = |id: &str, unit: &str, datum| (SeriesId::new(id), Target { unit: unit.into(), datum });
    Places {
        stations: vec![
            place("huayuankou", "花园口", "Huayuankou", "40105150"),
            place("jiahetan", "夹河滩", "Jiahetan", "40105400"),
            place("rain-madu", "马渡雨量站", "Madu rain gauge", ""),
        ],
        targets: [
            target("huayuankou.stage", "m", Some(Datum::Dagu)),
            target("huayuankou.discharge", "m3/s", None),
            target("jiahetan.stage", "m", Some(Datum::National85)),
            target("jiahetan.discharge", "m3/s", None),
            target("rain-madu.rain", "mm", None),
        ]
        .into_iter()
        .collect(),
    }
}

fn now() -> Timestamp {
    "2026-08-01T00:00:00Z".parse().unwrap()
}

async fn store(folder: &tempfile::TempDir, known: &[(&str, &str, f64)]) -> EmbeddedSeries {
    let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
    let known = known.iter().map(|(series, at, value)| {
        let at = at.parse().unwrap();
        Observation { series: (*series).into(), at, received_at: at, value: *value, quality: Quality::GOOD }
    });
    let _ = store.append(&known.collect::<Vec<_>>()).await.unwrap();
    store
}

async fn look_with(bytes: &[u8], ask: &Ask, known: &[(&str, &str, f64)]) -> Preview {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, known).await;
    let book = Book::read(bytes, ask.sheet.as_deref()).unwrap();
    let found = preview(&book, &places(), ask, &store, now()).await.unwrap();
    store.close().await;
    let counted = found.rows_header + found.rows_ok + found.rows_bad + found.rows_without_value;
    assert_eq!(counted, found.rows, "every row is counted once: {found:?}");
    assert!(found.header_row == 0 || found.faults.len() == found.rows_bad, "every bad row is named: {found:?}");
    found
}

async fn look(text: &str) -> Preview {
    look_with(text.as_bytes(), &Ask::default(), &[]).await
}

fn brief(preview: &Preview) -> Vec<String> {
    let line = |r: &Reading| format!("{} {} {}", r.series, r.observed_at.format("%m-%dT%H:%M"), r.value);
    preview.readings.iter().map(line).collect()
}

fn faults(preview: &Preview) -> Vec<(usize, &str)> {
    preview.faults.iter().map(|fault| (fault.row, fault.column.as_str())).collect()
}

#[tokio::test]
async fn a_wide_table_in_gbk_with_a_title_and_units_below() {
    let text = "花园口站水情表,,,\r\n时间,水位,流量,备注\r\n,(m),(m3/s),\r\n2026-07-18 08:00,91.24,\"22,300\",洪峰\r\n\
                2026-07-18 09:00,缺测,22100,\r\n2026-07-18 10:00,—,,\r\n\r\n2026-07-18 11:00,９１．１０,２１０００,\r\n昨天,91,20000,\r\n";
    let (gbk, _, broken) = encoding_rs::GBK.encode(text);
    assert!(!broken);
    let found = look_with(&gbk, &Ask::default(), &[]).await;
    assert_eq!(found.kind, "CSV, GBK");
    assert_eq!(
        brief(&found),
        [
            "huayuankou.discharge 07-18T00:00 22300",
            "huayuankou.discharge 07-18T01:00 22100",
            "huayuankou.discharge 07-18T03:00 21000",
            "huayuankou.stage 07-18T00:00 91.24",
            "huayuankou.stage 07-18T03:00 91.1",
        ]
    );
    assert_eq!((found.header_row, found.rows_without_value, found.cells_without_value), (2, 1, 1));
    assert!(
        found.notes.iter().any(|note| note.contains("1 行没有值") && note.contains("第 6 行")),
        "{:?}",
        found.notes
    );
    assert_eq!(faults(&found), [(9, "A")], "rows are counted as people count them, with CRLF and empty lines");
    assert!(found.notes.iter().any(|note| note.contains("未注明基面") && note.contains("dagu")), "{:?}", found.notes);
}

#[tokio::test]
async fn a_long_table_names_station_quantity_unit_and_datum_in_each_row() {
    let found = look(
        "测站,时间,要素,数值,单位,基面\n花园口,2026-07-18 08:00,水位,9124,cm,大沽高程\n40105150,2026-07-18 08:00,流量,22300,,\n\
         夹河滩站,2026-07-18 08:00,水位,75.2,m,大沽高程\n夹河滩,2026-07-18 08:00,含沙量,30,,\n利津,2026-07-18 08:00,流量,1,,\n",
    )
    .await;
    assert_eq!(brief(&found), ["huayuankou.discharge 07-18T00:00 22300", "huayuankou.stage 07-18T00:00 91.24"]);
    assert_eq!(faults(&found), [(4, "D"), (5, "C"), (6, "A")]);
    assert!(found.faults[0].reason.contains("不混用"), "{}", found.faults[0].reason);
    assert!(found.faults[2].reason.contains("利津"), "{}", found.faults[2].reason);
}

#[tokio::test]
async fn what_is_wrong_is_named_by_row_and_column_and_a_row_is_whole() {
    let text = "时间,花园口水位,花园口流量\n2026-07-18 08:00,91.24,22300\n昨天,91.2,22000\n2026-07-18,91.2,22000\n\
                2026-07-18 10:00,91.2*,22000\n2026-07-18 11:00,91.2,22,000\n2026-07-18 12:00,#REF!,22000\n\
                2026-09-18 12:00,91.2,22000\n时间,花园口水位,花园口流量\n2026-07-18 13:00,91.2,20000\n2026-07-18 13:00,91.3,20000\n合计,,\n";
    let found = look(text).await;
    assert_eq!(
        faults(&found),
        [(3, "A"), (4, "A"), (5, "B"), (6, "D"), (7, "B"), (8, "A"), (11, "B")],
        "{:#?}",
        found.faults
    );
    assert_eq!((found.rows_ok, found.rows_header, found.rows_without_value, found.known), (2, 2, 1, 1));
    assert_eq!(found.readings.len(), 4);
    assert!(look("a,b\n1,2\n").await.faults[0].reason.contains("表头"));
}

#[tokio::test]
async fn what_is_stored_already_is_known_and_another_value_is_refused() {
    let known =
        [("huayuankou.stage", "2026-07-18T00:00:00Z", 91.24), ("huayuankou.stage", "2026-07-18T01:00:00Z", 91.0)];
    let text = "时间,花园口水位,花园口流量\n2026-07-18 08:00,91.24,22300\n2026-07-18 09:00,91.5,22000\n";
    let found = look_with(text.as_bytes(), &Ask::default(), &known).await;
    assert_eq!(brief(&found), ["huayuankou.discharge 07-18T00:00 22300"]);
    assert_eq!((found.known, faults(&found)), (1, vec![(3, "B")]));
    assert!(found.faults[0].reason.contains("91"), "{:?}", found.faults);
}

#[tokio::test]
async fn rain_of_periods_becomes_the_counter_and_is_never_added_twice() {
    let text = "马渡雨量站\n时间,雨量(mm)\n2026-07-18 09:00,1.5\n2026-07-18 08:00,2\n2026-07-18 10:00,0\n2026-07-18 11:00,0.7\n";
    let known = [("rain-madu.rain", "2026-07-17T00:00:00Z", 100.0)];
    let found = look_with(text.as_bytes(), &Ask::default(), &known).await;
    assert_eq!(
        brief(&found),
        [
            "rain-madu.rain 07-18T00:00 102",
            "rain-madu.rain 07-18T01:00 103.5",
            "rain-madu.rain 07-18T02:00 103.5",
            "rain-madu.rain 07-18T03:00 104.2",
        ]
    );
    let later = [("rain-madu.rain", "2026-07-18T03:00:00Z", 104.2)];
    let again = look_with(text.as_bytes(), &Ask::default(), &later).await;
    assert_eq!((again.readings.len(), again.rows_bad), (0, 4));
    let counter = look("时间,马渡雨量站累计雨量\n2026-07-18 08:00,100\n2026-07-18 09:00,101\n").await;
    assert_eq!(counter.readings.len(), 2);
}

#[tokio::test]
async fn tables_of_the_real_time_database_need_their_datum() {
    let text = "STCD,TM,Z,Q,XSA,WPTN\n40105150          ,2026-07-18 08:00:00,91.24,22300,,4\n";
    let bare = look(text).await;
    assert_eq!(faults(&bare), [(2, "C")]);
    assert!(bare.faults[0].reason.contains("ST_STBPRP_B"), "{:?}", bare.faults);
    let stated =
        Ask { datums: [("huayuankou".to_owned(), Ok("大沽".to_owned()))].into_iter().collect(), ..Ask::default() };
    let found = look_with(text.as_bytes(), &stated, &[]).await;
    assert_eq!(brief(&found), ["huayuankou.discharge 07-18T00:00 22300", "huayuankou.stage 07-18T00:00 91.24"]);
    assert!(found.notes.iter().any(|note| note.contains("XSA")), "{:?}", found.notes);
    let other = Ask {
        datums: [("huayuankou".to_owned(), Ok("1985国家高程基准".to_owned()))].into_iter().collect(),
        ..Ask::default()
    };
    assert!(look_with(text.as_bytes(), &other, &[]).await.faults[0].reason.contains("national85"));
}

/// Two stations side by side below merged names, dates as serial numbers, a formula, a merged date, a hidden sheet.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("水情").unwrap();
    let plain = Format::new();
    let stamp = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    sheet.merge_range(0, 0, 0, 4, "实时水情（花园口、夹河滩）", &plain).unwrap();
    sheet.merge_range(1, 0, 2, 0, "时间", &plain).unwrap();
    sheet.merge_range(1, 1, 1, 2, "花园口", &plain).unwrap();
    sheet.merge_range(1, 3, 1, 4, "夹河滩", &plain).unwrap();
    for (column, word) in [(1, "水位(m)"), (2, "流量(m³/s)"), (3, "水位(1985国家高程基准,m)"), (4, "流量")]
    {
        sheet.write_string(2, column, word).unwrap();
    }
    let at = |hour| ExcelDateTime::from_ymd(2026, 7, 18).unwrap().and_hms(hour, 0, 0).unwrap();
    sheet.write_datetime_with_format(3, 0, at(8), &stamp).unwrap();
    sheet.write_number(3, 1, 91.24).unwrap().write_string(3, 2, "22,300").unwrap();
    sheet.write_formula(3, 3, Formula::new("=70+5.2").set_result("75.2")).unwrap().write_number(3, 4, 21_000).unwrap();
    sheet.write_number(4, 0, 46_221.375).unwrap().write_number(4, 1, 91.1).unwrap();
    sheet.merge_range(4, 4, 5, 4, "", &plain).unwrap();
    sheet.write_number(4, 4, 20_900).unwrap();
    sheet.write_string(5, 0, "2026年7月18日10时").unwrap().write_number(5, 1, 91.0).unwrap();
    book.add_worksheet().set_name("说明").unwrap().write_string(0, 0, "x").unwrap();
    book.add_worksheet().set_name("hidden").unwrap().set_hidden(true);
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_workbook_with_merged_names_serial_dates_and_formulas() {
    let found = look_with(&workbook(), &Ask::default(), &[]).await;
    assert_eq!(
        brief(&found),
        [
            "huayuankou.discharge 07-18T00:00 22300",
            "huayuankou.stage 07-18T00:00 91.24",
            "huayuankou.stage 07-18T01:00 91.1",
            "jiahetan.discharge 07-18T00:00 21000",
            "jiahetan.discharge 07-18T01:00 20900",
            "jiahetan.stage 07-18T00:00 75.2",
        ],
        "{:#?}",
        found.faults
    );
    assert_eq!(faults(&found), [(6, "E")], "a merged number is nobody's");
    assert_eq!((found.kind.as_str(), found.other_sheets.as_slice()), ("XLSX, 水情", ["说明".to_owned()].as_slice()));
}

#[test]
fn files_that_are_no_tables_or_too_large_are_refused() {
    use super::super::{FILE_MAX, SheetError};
    assert!(matches!(Book::read(&vec![b'a'; FILE_MAX + 1], None), Err(SheetError::TooLarge)));
    assert!(matches!(Book::read(&[0xd0, 0xcf, 0x11, 0xe0, 1], None), Err(SheetError::OldExcel)));
    assert!(matches!(Book::read(b"PK\x03\x04rubbish", None), Err(SheetError::Workbook(_))));
    assert!(matches!(Book::read(b"\x89PNG\0", None), Err(SheetError::NoTable)));
    assert!(matches!(Book::read(",".repeat(300).as_bytes(), None), Err(SheetError::Columns { row: 1 })));
    assert!(matches!(Book::read("a\n".repeat(100_001).as_bytes(), None), Err(SheetError::Rows)));
    assert!(matches!(Book::read(&workbook(), Some("nowhere")), Err(SheetError::NoSheet(_))));
    // Two cells at opposite corners are two cells; beyond the last column they are refused.
    let far = |column| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_number(0, 0, 1).unwrap().write_number(1_048_575, column, 1).unwrap();
        Book::read(&book.save_to_buffer().unwrap(), None)
    };
    assert_eq!(far(199).unwrap().empty_rows, 1_048_574);
    assert!(matches!(far(16_383), Err(SheetError::Columns { row: 1_048_576 })));
    // A part that unfolds to more than the bound.
    let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    bomb.start_file("xl/worksheets/sheet1.xml", deflated).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b' '), 140 << 20), &mut bomb).unwrap();
    assert!(matches!(Book::read(&bomb.finish().unwrap().into_inner(), None), Err(SheetError::Unpacked)));
}

/// A store in which nothing is.
struct Nothing;

#[async_trait::async_trait]
impl SeriesStore for Nothing {
    async fn append(&self, _: &[Observation]) -> Result<crate::store::series::Durable, SeriesError> {
        unreachable!("a preview keeps nothing")
    }
    async fn append_columns(
        &self,
        _: &[crate::store::series::SeriesBatch],
    ) -> Result<crate::store::series::Durable, SeriesError> {
        unreachable!("a preview keeps nothing")
    }
    async fn correct(
        &self,
        _: &[crate::store::series::Correction],
    ) -> Result<crate::store::series::Durable, SeriesError> {
        unreachable!("a preview keeps nothing")
    }
    async fn range(
        &self,
        _: &SeriesId,
        _: Timestamp,
        _: Timestamp,
        _: Option<crate::store::series::Step>,
    ) -> Result<Vec<crate::store::series::Sample>, SeriesError> {
        Ok(Vec::new())
    }
    async fn latest(&self) -> Result<BTreeMap<SeriesId, crate::store::series::Sample>, SeriesError> {
        Ok(BTreeMap::new())
    }
    async fn list(&self) -> Result<Vec<crate::store::series::SeriesFacts>, SeriesError> {
        Ok(Vec::new())
    }
    async fn stats(&self) -> Result<crate::store::series::SeriesStats, SeriesError> {
        Ok(crate::store::series::SeriesStats::default())
    }
}

proptest::proptest! {
    /// Any bytes give a preview or a refusal, and every row of a preview is counted.
    #[test]
    fn any_bytes_are_a_preview_or_a_refusal(bytes: Vec<u8>, text in "(时间|水位|流量|花园口|[0-9:,.\"\n \t;年月日-]){0,60}") {
        for bytes in [bytes.as_slice(), text.as_bytes(), &[b"PK\x03\x04".as_slice(), &bytes].concat()] {
            if let Ok(book) = Book::read(bytes, None) {
                let found = futures::executor::block_on(preview(&book, &places(), &Ask::default(), &Nothing, now())).unwrap();
                let counted = found.rows_header + found.rows_ok + found.rows_bad + found.rows_without_value;
                proptest::prop_assert_eq!(counted, found.rows);
            }
        }
    }
}

//! What is exported is what was stored, in both formats; a file is whole or not there.

use super::*;
use crate::model::{Causes, Grade, Observation, Quality};
use parquet::file::reader::{FileReader, SerializedFileReader};

const START: i64 = 1_784_073_600_000;

fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp_millis(START + second * 1000).unwrap()
}

fn seen(series: &str, second: i64, value: f64, quality: Quality) -> Observation {
    Observation { series: series.into(), at: at(second), received_at: at(second), value, quality }
}

async fn store(folder: &Path) -> EmbeddedSeries {
    let store = EmbeddedSeries::open(&folder.join("series.db"), SeriesLimits::default()).await.unwrap();
    let suspect = Quality { grade: Grade::Suspect, causes: Causes::SPIKE.with(Causes::LATE) };
    let points = [
        seen("花园口.stage", 0, 93.82, Quality::GOOD),
        seen("花园口.stage", 60, f64::NAN, Quality::GOOD),
        seen("花园口.rain", 0, 1.5, suspect),
        seen("jiahetan.stage", 7, 70.0, Quality::GOOD),
    ];
    let _ = store.append(&points).await.unwrap();
    store
}

fn all() -> Selection {
    Selection { masks: vec![], from: Timestamp::MIN_UTC, to: Timestamp::MAX_UTC }
}

#[tokio::test]
async fn export_csv_of_a_running_store_with_masks_and_a_span() {
    let folder = tempfile::tempdir().unwrap();
    let _running = store(folder.path()).await;
    let (data, out) = (folder.path().join("series.db"), folder.path().join("out"));
    let done = export(&data, &out, ExportFormat::Csv, &all()).await.unwrap();
    assert_eq!((done.series, done.rows), (3, 4));
    let text = std::fs::read_to_string(&done.file).unwrap();
    assert_eq!(
        text,
        "series,time,value,quality,causes,by_hand,min,max,readings\n\
         jiahetan.stage,2026-07-15T00:00:07.000Z,70,good,,false,70,70,1\n\
         花园口.rain,2026-07-15T00:00:00.000Z,1.5,suspect,spike|late,false,,,1\n\
         花园口.stage,2026-07-15T00:00:00.000Z,93.82,good,,false,93.82,93.82,1\n\
         花园口.stage,2026-07-15T00:01:00.000Z,,bad,missing,false,,,1\n"
    );
    let words = export(&data, &out, ExportFormat::Csv, &all()).await.unwrap_err().to_string();
    assert!(words.contains("observations.csv") && words.contains("not overwritten"), "{words}");
    let some = Selection { masks: vec!["花*.stage".into(), "*.flow".into()], from: at(0), to: at(60) };
    let done = export(&data, &folder.path().join("some"), ExportFormat::Csv, &some).await.unwrap();
    assert_eq!((done.series, done.rows), (1, 1));
    let names: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["observations.csv"], "no copy is left behind");
    assert!(export(&folder.path().join("no.db"), &out, ExportFormat::Csv, &all()).await.is_err());
}

#[tokio::test]
async fn export_parquet_holds_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let _running = store(folder.path()).await;
    let done = export(&folder.path().join("series.db"), &folder.path().join("out"), ExportFormat::Parquet, &all())
        .await
        .unwrap();
    assert_eq!((done.series, done.rows), (3, 4));
    let reader = SerializedFileReader::new(File::open(&done.file).unwrap()).unwrap();
    let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[1].contains("rain") && rows[1].contains("spike|late") && rows[1].contains("min: null"), "{}", rows[1]);
    assert!(rows[2].contains("93.82") && rows[3].contains("value: null"), "{rows:#?}");
}

#[test]
fn export_masks() {
    for (mask, text, expected) in [
        ("*", "", true),
        ("*.stage", "a.stage", true),
        ("*.stage", "a.stages", false),
        ("h?a*n.*", "huayuan.stage", true),
        ("a*b*c", "aXbXbXc", true),
        ("a*b*c", "aXbX", false),
        ("", "a", false),
        ("花?口*", "花园口.rain", true),
    ] {
        assert_eq!(fits(mask, text), expected, "{mask} {text}");
    }
}

#[tokio::test]
async fn export_goes_on_past_damage_and_names_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let running = store(folder.path()).await;
    running.seal().await.unwrap();
    running.close().await;
    let (data, out) = (folder.path().join("series.db"), folder.path().join("out"));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&data);
    let mut conn = <sqlx::sqlite::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    let flip = "UPDATE chunk SET body = zeroblob(length(body)) WHERE series = (SELECT number FROM series WHERE id = '花园口.stage')";
    sqlx::query(flip).execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let done = export(&data, &out, ExportFormat::Csv, &all()).await.unwrap();
    assert_eq!((done.series, done.rows, done.left_out.len()), (2, 2, 1));
    assert!(done.left_out[0].contains("花园口.stage from 2026-07-15 00:00:00 UTC"), "{:?}", done.left_out);
    let names: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["observations.csv"]);
}

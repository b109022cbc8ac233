//! A backup under load comes back whole; a damaged one, a busy or a filled directory is refused and left alone.

use super::schedule::backup_if_due;
use super::*;
use crate::app::config::BackupSection;
use crate::model::UserRole;
use crate::store::users::{NewUser, USERS_SCHEMA, Users};
use crate::store::{StoreDirectory, series_file};
use chrono::TimeDelta;

fn at(h: i64) -> Timestamp {
    Timestamp::from_timestamp(1_780_000_000 + h * 3600, 0).unwrap()
}

async fn filled(data: &Path, users: usize) -> Users {
    crate::store::make_private(data).unwrap();
    let store = Users::new(Database::open(&state_file(data), &[USERS_SCHEMA]).await.unwrap());
    for n in 0..users {
        add(&store, n).await;
    }
    Database::open(&series_file(data), &[]).await.unwrap().close().await;
    fs::create_dir_all(blobs_folder(data).join("ab")).unwrap();
    fs::write(blobs_folder(data).join("ab/photo"), "a photo").unwrap();
    store
}

async fn add(store: &Users, n: usize) {
    let user = NewUser { name: format!("u{n}"), role: UserRole::Viewer, member: None, password: None };
    store.add(user, at(0)).await.unwrap();
}

async fn count(data: &Path) -> usize {
    let database = Database::open(&state_file(data), &[USERS_SCHEMA]).await.unwrap();
    let listed = Users::new(database.clone()).list().await.unwrap().len();
    database.close().await;
    listed
}

#[tokio::test]
async fn backup_while_others_write_comes_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to, back) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("back"));
    let _server = StoreDirectory::claim(&data).unwrap();
    let store = filled(&data, 20).await;
    let writing = async {
        for n in 20..60 {
            add(&store, n).await;
        }
    };
    let (made, ()) = tokio::join!(backup(&data, &to, at(0)), writing);
    let names: Vec<_> = made.unwrap().files.into_iter().map(|file| file.path).collect();
    assert_eq!(names, ["anlan.db", "blobs/ab/photo", "series.db"]);
    let (_, aside) = restore(&to, &back, false).unwrap();
    assert_eq!(aside, None);
    assert!((20..=60).contains(&count(&back).await));
    assert_eq!(fs::read_to_string(back.join("blobs/ab/photo")).unwrap(), "a photo");
    assert!(!back.join("restore.partial").exists() && !dir.path().join("backup.partial").exists());
    assert_eq!(count(&data).await, 60);
}

#[tokio::test]
async fn backup_refusals_name_the_place_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to) = (dir.path().join("data"), dir.path().join("backup"));
    fs::create_dir(&data).unwrap();
    let refusal = backup(&data, &to, at(0)).await.unwrap_err().to_string();
    assert!(refusal.contains("data") && refusal.contains("--data"), "{refusal}");
    filled(&data, 2).await;
    backup(&data, &to, at(0)).await.unwrap();
    let refusal = backup(&data, &to, at(1)).await.unwrap_err();
    assert!(matches!(refusal, BackupError::Exists { .. }), "{refusal}");

    let refusal = restore(&to, &data, false).unwrap_err();
    assert!(matches!(refusal, BackupError::NotEmpty { .. }), "{refusal}");
    let server = StoreDirectory::claim(&data).unwrap();
    let refusal = restore(&to, &data, true).unwrap_err().to_string();
    assert!(refusal.contains("in use by process"), "{refusal}");
    drop(server);
    assert_eq!(count(&data).await, 2);

    let (_, aside) = restore(&to, &data, true).unwrap();
    assert_eq!(count(&aside.unwrap()).await, 2, "what was there is kept");
    assert_eq!(count(&data).await, 2);
}

#[tokio::test]
async fn backup_that_was_altered_is_refused_before_anything_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to, back) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("back"));
    filled(&data, 1).await;
    backup(&data, &to, at(0)).await.unwrap();
    let manifest = fs::read_to_string(to.join(MANIFEST)).unwrap();
    let check = |word: &str| {
        let refusal = restore(&to, &back, true).unwrap_err().to_string();
        assert!(refusal.contains(word), "{refusal}");
        assert!(!back.exists());
    };
    fs::write(to.join("blobs/ab/photo"), "b photo").unwrap();
    check("SHA-256");
    fs::write(to.join("blobs/ab/photo"), "longer photo").unwrap();
    check("size");
    fs::remove_file(to.join("blobs/ab/photo")).unwrap();
    check("blobs/ab/photo");
    for (wrong, word) in [
        ("{".to_owned(), "manifest.json"),
        (manifest.replace("\"format\": 1", "\"format\": 9"), "format 9"),
        (manifest.replace("blobs/ab/photo", "../../etc/passwd"), "not a path below"),
        (manifest.replace("anlan.db", "other.db"), "no anlan.db"),
    ] {
        fs::write(to.join(MANIFEST), wrong).unwrap();
        check(word);
    }
    fs::remove_file(to.join(MANIFEST)).unwrap();
    check("manifest.json");
}

#[tokio::test]
async fn backup_schedule_makes_one_a_period_and_keeps_so_many() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    filled(&data, 1).await;
    let settings = BackupSection { folder: dir.path().join("backups"), every_h: 24, keep: 2 };
    for (hour, made) in [(0, true), (1, false), (23, false), (24, true), (49, true)] {
        let path = backup_if_due(&data, &settings, at(hour)).await.unwrap();
        assert_eq!(path.is_some(), made, "hour {hour}");
    }
    let mut left = entries(&settings.folder).unwrap();
    left.sort();
    let names: Vec<_> = left.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    let name = |hour: i64| format!("anlan-{}", (at(0) + TimeDelta::hours(hour)).format("%Y%m%dT%H%M%SZ"));
    assert_eq!(names, [name(24), name(49)]);
}

/// Observations with one chunk that does not decode.
async fn damaged_series(data: &Path) {
    use crate::model::{Observation, Quality};
    use crate::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
    let path = series_file(data);
    fs::remove_file(&path).unwrap();
    let series = EmbeddedSeries::open(&path, SeriesLimits::default()).await.unwrap();
    let seen =
        |h| Observation { series: "a.stage".into(), at: at(h), received_at: at(h), value: 1.0, quality: Quality::GOOD };
    let _ = series.append(&[seen(0), seen(1)]).await.unwrap();
    series.seal().await.unwrap();
    series.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut conn = <sqlx::sqlite::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE chunk SET body = zeroblob(length(body))").execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
}

#[tokio::test]
async fn backup_of_damaged_observations_says_so_and_drives_out_no_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let (data, folder) = (dir.path().join("data"), dir.path().join("backups"));
    filled(&data, 1).await;
    let settings = BackupSection { folder: folder.clone(), every_h: 1, keep: 1 };
    let whole = backup_if_due(&data, &settings, at(0)).await.unwrap().unwrap();
    damaged_series(&data).await;
    for h in [2, 4] {
        assert!(backup_if_due(&data, &settings, at(h)).await.unwrap().is_some());
    }
    let mut kept: Vec<_> = entries(&folder).unwrap();
    kept.sort();
    assert_eq!((kept.len(), &kept[0]), (2, &whole), "the last whole one and the newest");
    let manifest = Manifest::verify(&kept[1]).unwrap();
    assert!(manifest.damaged[0].contains("a.stage from"), "{:?}", manifest.damaged);
    assert!(!manifest.files.iter().any(|file| file.path.ends_with("-wal")), "nothing is made beside the copy");
}

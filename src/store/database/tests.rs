//! Versions, backups before upgrades, and errors that name the file.

use super::*;

const V1: SchemaPart = SchemaPart {
    name: "notes",
    migrations: &[Migration { version: 1, sql: "CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL)" }],
};
const V2: SchemaPart = SchemaPart {
    name: "notes",
    migrations: &[
        Migration { version: 1, sql: "CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL)" },
        Migration { version: 2, sql: "ALTER TABLE note ADD COLUMN author TEXT; CREATE TABLE extra (id BIGINT)" },
    ],
};
const BROKEN: SchemaPart = SchemaPart {
    name: "notes",
    migrations: &[
        Migration { version: 1, sql: "CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL)" },
        Migration { version: 2, sql: "CREATE TABLE extra (id BIGINT); ALTER TABLE nowhere ADD COLUMN x TEXT" },
    ],
};
const OTHER: SchemaPart =
    SchemaPart { name: "other", migrations: &[Migration { version: 1, sql: "CREATE TABLE other (id BIGINT)" }] };

async fn note(database: &Database, id: i64) -> Result<(), StoreError> {
    let mut transaction = database.write("store a note").await?;
    sqlx::query("INSERT INTO note (id, body) VALUES ($1, $2)")
        .bind(id)
        .bind("x".repeat(2000))
        .execute(&mut *transaction)
        .await
        .map_err(database.fault("store a note"))?;
    transaction.commit().await.map_err(database.fault("store a note"))
}

async fn count(database: &Database) -> i64 {
    sqlx::query("SELECT COUNT(*) FROM note").fetch_one(database.read()).await.unwrap().get(0)
}

#[tokio::test]
async fn database_writes_are_there_after_reopening_and_readers_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let database = Database::open(&path, &[V1]).await.unwrap();
    note(&database, 1).await.unwrap();
    drop(database.write("leave no trace").await.unwrap());
    let refused = sqlx::query("INSERT INTO note (id, body) VALUES (9, 'x')").execute(database.read()).await;
    assert!(matches!(database.fault("x")(refused.unwrap_err()), StoreError::ReadOnly { .. }));
    for (pragma, expected) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
        let value: i64 = sqlx::query(pragma).fetch_one(&database.writer).await.unwrap().get(0);
        assert_eq!(value, expected, "{pragma}");
    }
    database.close().await;
    assert_eq!(count(&Database::open(&path, &[V1]).await.unwrap()).await, 1);
}

#[tokio::test]
async fn database_upgrade_keeps_a_backup_of_the_old_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let old = Database::open(&path, &[V1]).await.unwrap();
    note(&old, 1).await.unwrap();
    old.close().await;
    let new = Database::open(&path, &[V2, OTHER]).await.unwrap();
    sqlx::query("SELECT author FROM note").fetch_one(new.read()).await.unwrap();
    let backup = dir.path().join("a.db.before-notes-2");
    assert_eq!(count(&Database::open(&backup, &[V1]).await.unwrap()).await, 1);
    assert!(!dir.path().join("a.db.before-other-1").exists(), "a part that is new needs no backup of its own");
}

#[tokio::test]
async fn database_failed_upgrade_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    Database::open(&path, &[V1]).await.unwrap().close().await;
    let refusal = Database::open(&path, &[BROKEN]).await.unwrap_err();
    assert!(refusal.to_string().contains("upgrade the schema"), "{refusal}");
    let same = Database::open(&path, &[V1]).await.unwrap();
    note(&same, 1).await.unwrap();
    assert!(sqlx::query("SELECT * FROM extra").fetch_all(same.read()).await.is_err());
}

#[tokio::test]
async fn database_of_a_newer_program_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    Database::open(&path, &[V2, OTHER]).await.unwrap().close().await;
    let refusal = Database::open(&path, &[V1]).await.unwrap_err().to_string();
    assert!(refusal.contains("a.db") && refusal.contains("schema 2") && refusal.contains("newer program"), "{refusal}");
    Database::open(&path, &[OTHER]).await.expect("a tool that knows one part may open it");
}

#[tokio::test]
async fn database_that_is_something_else_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    std::fs::write(&path, "station,value\nhuayuankou,93.8\n".repeat(400)).unwrap();
    let refusal = Database::open(&path, &[V1]).await.unwrap_err();
    assert!(matches!(refusal, StoreError::NotADatabase { .. }), "{refusal:?}");
    let refusal = Database::open(&dir.path().join("no/such/a.db"), &[V1]).await.unwrap_err().to_string();
    assert!(refusal.contains("no/such/a.db"), "{refusal}");
}

#[tokio::test]
async fn database_on_a_full_disk_says_so_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&dir.path().join("a.db"), &[V1]).await.unwrap();
    sqlx::query("PRAGMA max_page_count = 20").fetch_one(&database.writer).await.unwrap();
    let mut stored = 0;
    let refusal = loop {
        match note(&database, stored + 1).await {
            Ok(()) => stored += 1,
            Err(refusal) => break refusal,
        }
        assert!(stored < 1000, "the disk never filled");
    };
    assert!(matches!(refusal, StoreError::DiskFull { .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("a.db"));
    assert_eq!(count(&database).await, stored);
    // A new connection has no such limit: the disk has space again.
    note(&database, 5000).await.expect("goes on once there is space");
    assert_eq!(count(&database).await, stored + 1);
}

#[tokio::test]
async fn database_copy_is_consistent_while_a_writer_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&dir.path().join("a.db"), &[V1]).await.unwrap();
    for id in 0..50 {
        note(&database, id).await.unwrap();
    }
    let copy = dir.path().join("copy.db");
    let (copied, written) = tokio::join!(database.copy_to(&copy), note(&database, 50));
    copied.unwrap();
    written.unwrap();
    assert!(count(&Database::open(&copy, &[V1]).await.unwrap()).await >= 50);
    let refusal = database.copy_to(&copy).await.unwrap_err().to_string();
    assert!(refusal.contains("copy.db"), "{refusal}");
}

#[tokio::test]
async fn database_journal_probe_leaves_no_trace_and_needs_room_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&dir.path().join("a.db"), &[crate::store::JOURNAL_SCHEMA]).await.unwrap();
    let journal = crate::store::Journal::new(database.clone());
    assert!(journal.room().unwrap() > 0);
    journal.probe().await.unwrap();
    journal.probe().await.unwrap();
    let left: i64 = sqlx::query("SELECT COUNT(*) FROM answer").fetch_one(database.read()).await.unwrap().get(0);
    assert_eq!(left, 0);
    sqlx::query("PRAGMA query_only = ON").execute(&database.writer).await.unwrap();
    let refusal = journal.probe().await.unwrap_err();
    assert!(matches!(refusal, StoreError::ReadOnly { .. }), "{refusal:?}");
}

#[tokio::test]
async fn database_probe_says_that_a_disk_is_full_before_an_order_meets_it() {
    let Some(disk) = crate::store::tiny_disk::TinyDisk::mount(48) else {
        println!("no right to mount: not tested with a disk that is full in earnest");
        return;
    };
    let database = Database::open(&disk.path().join("a.db"), &[crate::store::JOURNAL_SCHEMA]).await.unwrap();
    let journal = crate::store::Journal::new(database);
    journal.probe().await.unwrap();
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 30 << 20]).unwrap();
    let full = journal.probe().await;
    std::fs::remove_file(&ballast).unwrap();
    assert!(matches!(full, Err(StoreError::DiskFull { .. })), "{full:?}");
    journal.probe().await.unwrap();
}

//! Tests of the queue of calculations: killed servers, leases, bounds, what is taken back.

use super::*;
use crate::store::Database;
use serde_json::json;
use std::path::Path;

const KINDS: [&str; 1] = ["twin-run"];

async fn open(folder: &Path) -> Jobs {
    let database = Database::open(&folder.join("anlan.db"), &[JOBS_SCHEMA]).await.unwrap();
    Jobs::new(database, folder.to_owned())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::days(100) + TimeDelta::seconds(seconds)
}

async fn asked(jobs: &Jobs, q: f64) -> i64 {
    jobs.ask("twin-run", &json!({ "discharge_m3s": q }), "li", at(0)).await.unwrap().0.number
}

#[tokio::test]
async fn a_job_of_a_server_that_was_killed_is_taken_up_again_and_its_result_outlives_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await;
    let number = asked(&first, 9000.0).await;
    let taken = first.take("here", &KINDS, at(1)).await.unwrap().unwrap();
    assert_eq!((taken.number, taken.state), (number, JobState::Running));
    assert!(first.keep(number, "here", 0.25, at(20)).await.unwrap());
    // Killed: nothing is closed, nothing is given back.
    drop(first);
    let second = open(folder.path()).await;
    let known = second.job(number).await.unwrap().unwrap();
    assert_eq!((known.state, known.progress), (JobState::Running, 0.25));
    // Another machine waits for the lease; this one knows that its own worker is gone.
    assert_eq!(second.take("there", &KINDS, at(30)).await.unwrap(), None);
    assert_eq!(second.release("here").await.unwrap(), 1);
    let again = second.take("here", &KINDS, at(30)).await.unwrap().unwrap();
    assert_eq!((again.number, again.progress), (number, 0.0));
    assert!(second.end(number, "here", Ended::Done(vec![1, 2, 3]), at(40)).await.unwrap());
    drop(second);
    let third = open(folder.path()).await;
    assert_eq!(third.job(number).await.unwrap().unwrap().state, JobState::Done);
    assert_eq!(third.result(number).await.unwrap(), Some(vec![1, 2, 3]));
    // The same wish is the same job.
    assert_eq!(asked(&third, 9000.0).await, number);
}

#[tokio::test]
async fn a_lease_that_ran_out_is_anybodys_and_the_late_worker_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let number = asked(&jobs, 9000.0).await;
    jobs.take("slow", &KINDS, at(0)).await.unwrap().unwrap();
    assert_eq!(jobs.take("quick", &KINDS, at(59)).await.unwrap(), None);
    assert_eq!(jobs.take("quick", &KINDS, at(61)).await.unwrap().unwrap().number, number);
    assert!(!jobs.keep(number, "slow", 0.9, at(62)).await.unwrap());
    assert!(!jobs.end(number, "slow", Ended::Failed("late".into()), at(62)).await.unwrap());
    assert_eq!(jobs.job(number).await.unwrap().unwrap().state, JobState::Running);
    assert!(jobs.end(number, "quick", Ended::Done(vec![7]), at(63)).await.unwrap());
    assert_eq!(jobs.result(number).await.unwrap(), Some(vec![7]));
}

#[tokio::test]
async fn a_job_that_never_ends_is_given_up_and_one_that_is_given_back_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let number = asked(&jobs, 9000.0).await;
    for turn in 0..5 {
        jobs.take("here", &KINDS, at(turn)).await.unwrap().unwrap();
        assert!(jobs.end(number, "here", Ended::GivenBack, at(turn)).await.unwrap());
    }
    for turn in 1..=3 {
        assert!(jobs.take("here", &KINDS, at(100 * turn)).await.unwrap().is_some(), "try {turn}");
    }
    assert_eq!(jobs.take("here", &KINDS, at(400)).await.unwrap(), None);
    let known = jobs.job(number).await.unwrap().unwrap();
    assert!(known.state == JobState::Failed && known.why.unwrap().contains("3"));
    // A failed wish may be asked for again.
    assert_eq!(asked(&jobs, 9000.0).await, number + 1);
}

#[tokio::test]
async fn the_queue_is_bounded_in_order_by_kind_and_forgets_the_oldest_results() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let foreign = jobs.ask("other", &json!({}), "li", at(0)).await.unwrap().0.number;
    let mut numbers = Vec::new();
    for n in 1..WAITING_MAX {
        numbers.push(asked(&jobs, 1000.0 * n as f64).await);
    }
    let full = jobs.ask("twin-run", &json!({ "discharge_m3s": 1.0 }), "li", at(0)).await.unwrap_err();
    assert!(matches!(full, JobError::Full));
    // One that waits is taken back: it is never begun, and its worker would hear of it.
    assert!(jobs.cancel(numbers[0], "不再需要", at(1)).await.unwrap());
    assert!(!jobs.cancel(numbers[0], "不再需要", at(1)).await.unwrap());
    for number in &numbers[1..] {
        let taken = jobs.take("here", &KINDS, at(2)).await.unwrap().unwrap();
        assert_eq!(taken.number, *number);
        assert!(jobs.end(*number, "here", Ended::Done(vec![0; 9]), at(3)).await.unwrap());
    }
    assert_eq!(jobs.take("here", &KINDS, at(4)).await.unwrap(), None, "{foreign} is not of that kind");
    asked(&jobs, 50_000.0).await;
    let kept: Vec<i64> = jobs.jobs().await.unwrap().iter().map(|job| job.number).collect();
    // Eight that are done, one that was taken back, two that wait.
    assert_eq!(kept.len(), ENDED_KEPT + 3, "{kept:?}");
    assert!(jobs.job(numbers[1]).await.unwrap().is_none() && jobs.result(numbers[1]).await.unwrap().is_none());
    let files = std::fs::read_dir(folder.path()).unwrap().flatten();
    assert_eq!(files.filter(|file| file.file_name().to_string_lossy().starts_with("job-")).count(), ENDED_KEPT);
}

#[tokio::test]
async fn a_running_job_that_is_taken_back_tells_its_worker() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let number = asked(&jobs, 9000.0).await;
    jobs.take("here", &KINDS, at(0)).await.unwrap().unwrap();
    assert!(jobs.cancel(number, "不再需要", at(1)).await.unwrap());
    assert!(!jobs.keep(number, "here", 0.5, at(2)).await.unwrap());
    assert!(!jobs.end(number, "here", Ended::Done(vec![1]), at(3)).await.unwrap());
    assert_eq!(jobs.result(number).await.unwrap(), None);
    assert!(!folder.path().join(format!("job-{number}.bin")).exists(), "nobody would ever ask for it");
}

#[tokio::test]
async fn what_was_taken_back_pushes_no_result_out_and_quick_kinds_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let done = asked(&jobs, 5000.0).await;
    jobs.take("here", &KINDS, at(0)).await.unwrap().unwrap();
    assert!(jobs.end(done, "here", Ended::Done(vec![7]), at(1)).await.unwrap());
    for index in 0..3 * ENDED_KEPT {
        let number = asked(&jobs, 6000.0 + index as f64).await;
        assert!(jobs.cancel(number, "不再需要", at(2)).await.unwrap());
    }
    assert_eq!(jobs.result(done).await.unwrap(), Some(vec![7]));
    assert!(jobs.jobs().await.unwrap().len() <= 2 + ENDED_KEPT, "the last one is tidied with the next wish");
    let (slow, _) = jobs.ask("slow", &serde_json::json!({}), "a", at(3)).await.unwrap();
    let (quick, _) = jobs.ask("quick", &serde_json::json!({}), "a", at(3)).await.unwrap();
    let kinds = ["quick", "slow"];
    let mut order = Vec::new();
    while let Some(job) = jobs.take("here", &kinds, at(4)).await.unwrap() {
        order.push(job.number);
    }
    assert_eq!(order, [quick.number, slow.number]);
}

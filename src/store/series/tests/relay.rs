//! The remote store goes away, comes back, is full, refuses; the embedded store in front of it goes on.

use super::*;
use crate::store::series::influx::double;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A relayed store of tiny chunks with pauses of milliseconds.
pub(super) async fn open(folder: &Path, url: &str, spool_bytes: u64, now: Timestamp) -> Arc<RelayedSeries> {
    let influx = InfluxSettings { patience: Duration::ZERO, ..double::settings(url, folder) };
    let settings = RelaySettings { spool_bytes, pause: Duration::from_millis(2), pause_max: Duration::from_millis(9) };
    Arc::new(RelayedSeries::open(&folder.join("series.db"), tiny(), influx, settings, now).await.unwrap())
}

/// A relay at work; it stops when dropped.
struct Working {
    store: Arc<RelayedSeries>,
    stop: CancellationToken,
    worker: tokio::task::JoinHandle<()>,
}

impl Working {
    fn start(store: Arc<RelayedSeries>) -> Self {
        let stop = CancellationToken::new();
        let worker = tokio::spawn(Arc::clone(&store).relay(stop.clone()));
        Self { store, stop, worker }
    }
    async fn wait_until(&self, fits: impl FnMut(&RelayState) -> bool) -> RelayState {
        self.store.state().wait_for(fits).await.unwrap().clone()
    }
    /// Until everything that was acknowledged is at the remote store.
    async fn wait_until_sent(&self) {
        let spool = self.store.local().spool();
        while spool.bytes() > 0 || spool.gap().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    async fn end(self) {
        self.stop.cancel();
        self.worker.await.unwrap();
    }
}

fn arrived(remote: &double::Shared) -> Vec<i64> {
    let times = remote.lock().unwrap().arrivals.clone();
    times.into_iter().map(|at| (at - START) / 1000).collect()
}

/// Moments and values that the remote store has of a series.
fn kept(remote: &double::Shared, station: &str) -> Vec<(i64, f64)> {
    let remote = remote.lock().unwrap();
    let of = remote.kept.iter().filter(|((_, of, ..), _)| of == station);
    of.map(|((.., at), fields)| ((at - START) / 1000, fields["value"].parse().unwrap())).collect()
}

#[tokio::test]
async fn series_relay_hours_away_then_everything_in_order_over_restarts() {
    let (remote, url) = double::serve().await;
    remote.lock().unwrap().away = true;
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(-60)).await);
    for i in 0..200 {
        let _ = working.store.append(&[seen("a.stage", i, i as f64)]).await.unwrap();
    }
    let state = working.wait_until(|state| state.away.is_some() && state.waiting_bytes > 1_000).await;
    assert!(state.away.unwrap().contains("503"), "why it is away");
    assert_eq!(values(working.store.local(), "a.stage").await.len(), 200, "this machine answers meanwhile");
    // Chunks are sealed and the journal is replayed only from its needed part on; what waits survives the restart.
    working.store.local().seal().await.unwrap();
    working.end().await;
    let store = open(folder.path(), &url, 1 << 20, at(0)).await;
    assert_eq!(store.local().stats().await.unwrap().journal_bytes, 0, "nothing to replay");
    assert_eq!(values(store.local(), "a.stage").await.len(), 200);
    assert!(arrived(&remote).is_empty());
    let working = Working::start(store);
    let _ = working.store.append(&[seen("a.stage", 200, 200.0)]).await.unwrap();
    remote.lock().unwrap().away = false;
    working.wait_until_sent().await;
    working.wait_until(|state| state.away.is_none()).await;
    assert_eq!(arrived(&remote), (0..=200).collect::<Vec<_>>(), "oldest first, in order of arrival, each once");
    working.end().await;
    let store = open(folder.path(), &url, 1 << 20, at(0)).await;
    assert_eq!(store.local().unsent(1 << 20).await.unwrap().map(|unsent| unsent.through), None);
}

#[tokio::test]
async fn series_relay_sent_twice_is_there_once() {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &url, 1 << 20, at(-60)).await;
    let _ = store.append(&[seen("a.stage", 0, 1.0), seen("a.stage", 1, 2.0)]).await.unwrap();
    let _ = store.correct(&[corrected("a.stage", 1, 3.0)]).await.unwrap();
    // A crash between the server's answer and the note of it.
    let unsent = store.local().unsent(1 << 20).await.unwrap().unwrap();
    let influx = InfluxSeries::new(double::settings(&url, folder.path())).unwrap();
    influx.write_points(&unsent.points).await.unwrap();
    drop(store);
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(0)).await);
    working.wait_until_sent().await;
    assert_eq!(arrived(&remote), [0, 1, 1, 0, 1, 1]);
    let found = influx.range(&"a.stage".into(), at(0), at(9), None).await.unwrap();
    assert_eq!(found.iter().map(|s| s.value).collect::<Vec<_>>(), [1.0, 3.0]);
    working.end().await;
}

#[tokio::test]
async fn series_relay_a_full_spool_loses_nothing_and_says_so() {
    let (remote, url) = double::serve().await;
    remote.lock().unwrap().away = true;
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(open(folder.path(), &url, 2_000, at(-60)).await);
    for i in 0..600 {
        let _ = working.store.append(&[seen("a.stage", i, i as f64), seen("b.stage", i, 0.5)]).await.unwrap();
    }
    let state = working.wait_until(|state| state.gap && state.away.is_some()).await;
    assert!(state.waiting_bytes < 3_000, "{state:?}");
    working.end().await;
    let working = Working::start(open(folder.path(), &url, 2_000, at(0)).await);
    working.wait_until(|state| state.gap).await;
    remote.lock().unwrap().away = false;
    working.wait_until_sent().await;
    working.wait_until(|state| !state.gap && state.away.is_none() && state.waiting_bytes == 0).await;
    assert_eq!(kept(&remote, "a"), (0..600).map(|i| (i, i as f64)).collect::<Vec<_>>());
    assert_eq!(kept(&remote, "b").len(), 600);
    working.end().await;
}

#[tokio::test]
async fn series_relay_after_a_time_without_it_the_remote_store_gets_everything_again() {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(-60)).await);
    let _ = working.store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    working.wait_until_sent().await;
    working.end().await;
    let alone = EmbeddedSeries::open(&folder.path().join("series.db"), tiny()).await.unwrap();
    for i in 1..40 {
        let _ = alone.append(&[seen("a.stage", i, i as f64)]).await.unwrap();
    }
    alone.seal().await.unwrap();
    drop(alone);
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(0)).await);
    working.wait_until_sent().await;
    assert_eq!(kept(&remote, "a").len(), 40);
    working.end().await;
}

#[tokio::test]
async fn series_relay_a_closed_door_is_said_and_opens_with_a_new_token() {
    let (remote, url) = double::serve().await;
    remote.lock().unwrap().token = "newer".into();
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(-60)).await);
    let _ = working.store.append(&[seen("a.stage", 0, 1.0)]).await.unwrap();
    let state = working.wait_until(|state| state.away.is_some()).await;
    assert!(state.away.unwrap().contains("check token"), "says what to do");
    std::fs::write(folder.path().join("token"), "newer").unwrap();
    working.wait_until_sent().await;
    assert_eq!(kept(&remote, "a"), [(0, 1.0)]);
    working.end().await;
}

#[tokio::test]
async fn series_relay_refused_points_do_not_hold_up_the_others_and_are_counted() {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(-60)).await);
    // One that the server refuses, one whose id cannot travel.
    let odd = [seen("a.poison", 0, 1.0), seen("a b.stage", 1, 1.0), seen("a.stage", 2, 1.0)];
    let _ = working.store.append(&odd).await.unwrap();
    working.wait_until_sent().await;
    working.wait_until(|state| state.refused == 2).await;
    assert_eq!(kept(&remote, "a"), [(2, 1.0)]);
    working.end().await;
}

#[tokio::test]
async fn series_relay_what_is_older_than_this_machine_is_asked_of_the_remote_store() {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let influx = InfluxSeries::new(double::settings(&url, folder.path())).unwrap();
    let _ = influx.append(&[seen("a.stage", -500, 7.0), seen("a.stage", -400, 8.0)]).await.unwrap();
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(-60)).await);
    // One of the old ones corrected here and not sent yet, and a new one.
    remote.lock().unwrap().away = true;
    let _ = working.store.correct(&[corrected("a.stage", -400, 9.0)]).await.unwrap();
    let _ = working.store.append(&[seen("a.stage", 5, 1.0)]).await.unwrap();
    let ask = async |from| working.store.range(&"a.stage".into(), at(from), at(99), None).await;
    assert_eq!(ask(-60).await.unwrap().len(), 1, "recent spans are answered here");
    let fault = ask(-900).await.unwrap_err();
    assert!(
        fault.may_pass() && fault.to_string().contains("cannot be read now"),
        "older ones are not guessed: {fault}"
    );
    let at_hand = working.store.range_at_hand(&"a.stage".into(), at(-900), at(99), None).await.unwrap();
    assert_eq!(at_hand.iter().map(|s| s.value).collect::<Vec<_>>(), [9.0, 1.0], "an intake is not held up");
    working.wait_until(|state| state.away.is_some()).await;
    remote.lock().unwrap().away = false;
    let found: Vec<f64> = ask(-900).await.unwrap().iter().map(|s| s.value).collect();
    assert_eq!(found, [7.0, 9.0, 1.0]);
    working.end().await;
}

/// A remote store that is written to and never read (VictoriaMetrics): readings of any age come in, charts of the past say why not.
#[tokio::test]
async fn series_relay_a_remote_store_that_cannot_be_read_holds_up_no_reading() {
    let (remote, url) = double::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(open(folder.path(), &url, 1 << 20, at(-60)).await);
    remote.lock().unwrap().shapes.extend([double::Shape::WriteOnly; 2]);
    let old = working.store.range_at_hand(&"a.stage".into(), at(-900), at(-800), None).await.unwrap();
    assert!(old.is_empty(), "nothing is known of it");
    let _ = working.store.append(&[seen("a.stage", -850, 7.0)]).await.unwrap();
    working.wait_until_sent().await;
    assert_eq!(kept(&remote, "a"), [(-850, 7.0)], "it goes the way of all others");
    let fault = working.store.range(&"a.stage".into(), at(-900), at(-800), None).await.unwrap_err();
    assert!(fault.is_remote() && fault.to_string().contains("unsupported path"), "{fault}");
    // Asked once, then left alone for a while: a batch of old readings must not wait for each of its days.
    remote.lock().unwrap().shapes.push_back(double::Shape::WriteOnly);
    let known = working.store.range_at_hand(&"a.stage".into(), at(-900), at(-800), None).await.unwrap();
    assert_eq!((known.len(), remote.lock().unwrap().shapes.len()), (1, 1));
    working.end().await;
}

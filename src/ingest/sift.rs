//! One moment of a series has one value, whichever door it comes through: what is new, what is known, what contradicts.
//!
//! In: readings of any door, observations that still wait for the store, the store. Out: the readings that are new, how many
//! were known already, and those that bring another value for a moment that has one: they are set aside with both values and
//! never stored over the first. A moment that is known to have had no number takes the first number that comes.

use super::offer::{alike, stored_values};
use crate::model::{Observation, Reading, SeriesId, Timestamp};
use crate::store::series::{SeriesError, SeriesStore};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// A value that is not stored, for its moment has another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetAside {
    /// When it came, on the clock of the reach.
    pub received_at: Timestamp,
    /// How it came in: `http`, `sl651`, `mqtt`, `modbus`, `import`.
    pub door: &'static str,
    /// The series.
    pub series: SeriesId,
    /// The moment.
    pub time: Timestamp,
    /// What came, in the unit of the series; absent: 缺测.
    pub given: Option<f64>,
    /// What the series has, in its unit.
    pub stored: f64,
    /// Why, in both languages.
    pub reason: &'static str,
}

const REASON: &str = "该时刻已存有另一值，不覆盖 (another value is stored for this moment)";

/// Readings after the look.
#[derive(Debug, Default)]
pub struct Sifted {
    /// New ones.
    pub fresh: Vec<Reading>,
    /// The series has the same value at that moment already.
    pub known: usize,
    /// Those that contradict.
    pub set_aside: Vec<SetAside>,
    /// Readings that the store could not be asked about, and why.
    pub unread: Option<(Vec<Reading>, SeriesError)>,
}

/// Looks at readings in their order. The usual case, all newer than what is there, costs no look into the store.
pub(crate) async fn sift(
    readings: Vec<Reading>,
    door: &'static str,
    waiting: &[Observation],
    store: &dyn SeriesStore,
) -> Sifted {
    let asked = not_newest(&readings, waiting, store);
    if asked.is_empty() {
        return Sifted { fresh: readings, ..Sifted::default() };
    }
    let (mut held, unread) = match stored_values(&asked, store).await {
        Ok(held) => (held, None),
        Err(fault) => (BTreeMap::new(), Some(fault)),
    };
    for one in waiting {
        let key = (one.series.clone(), whole_ms(one.at));
        if asked.contains_key(&key) {
            held.insert(key, one.value);
        }
    }
    let mut sifted = Sifted::default();
    let mut left = Vec::new();
    for reading in readings {
        let key = (reading.series.clone(), whole_ms(reading.observed_at));
        if !asked.contains_key(&key) {
            sifted.fresh.push(reading);
            continue;
        }
        match held.get(&key) {
            Some(stored) if alike(*stored, reading.value) => sifted.known += 1,
            Some(stored) if stored.is_finite() => sifted.set_aside.push(set_aside(&reading, door, *stored)),
            None if unread.is_some() => left.push(reading),
            // Nothing, or no number, was known of that moment.
            _ => {
                held.insert(key, reading.value);
                sifted.fresh.push(reading);
            }
        }
    }
    sifted.unread = unread.filter(|_| !left.is_empty()).map(|fault| (left, fault));
    sifted
}

fn set_aside(reading: &Reading, door: &'static str, stored: f64) -> SetAside {
    SetAside {
        received_at: reading.received_at,
        door,
        series: reading.series.clone(),
        time: reading.observed_at,
        given: Some(reading.value).filter(|value| value.is_finite()),
        stored,
        reason: REASON,
    }
}

/// The moments that are not newer than all that their series has in the store, among what waits, and earlier in the batch.
fn not_newest(
    readings: &[Reading],
    waiting: &[Observation],
    store: &dyn SeriesStore,
) -> BTreeMap<(SeriesId, Timestamp), f64> {
    /// Of one series: from when on the store has nothing, and the newest moment seen before it.
    struct Edge {
        clear_from: Timestamp,
        newest: Timestamp,
    }
    let mut edges: HashMap<&SeriesId, Edge> = HashMap::new();
    for one in waiting {
        let at = whole_ms(one.at);
        let edge = edges.entry(&one.series).or_insert(Edge { clear_from: Timestamp::MAX_UTC, newest: at });
        edge.newest = edge.newest.max(at);
    }
    let mut asked = BTreeMap::new();
    for reading in readings {
        let at = whole_ms(reading.observed_at);
        let edge =
            edges.entry(&reading.series).or_insert(Edge { clear_from: Timestamp::MAX_UTC, newest: Timestamp::MIN_UTC });
        if at < edge.clear_from && store.ends_before(&reading.series, at) {
            edge.clear_from = at;
        }
        if at < edge.clear_from || at <= edge.newest {
            asked.insert((reading.series.clone(), at), reading.value);
        }
        edge.newest = edge.newest.max(at);
    }
    asked
}

/// As the store keeps it.
fn whole_ms(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Quality;
    use crate::store::series::{
        Correction, Durable, EmbeddedSeries, Sample, SeriesBatch, SeriesFacts, SeriesLimits, SeriesStats, Step,
    };
    use chrono::TimeDelta;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::minutes(minute)
    }
    fn reading(series: &str, minute: i64, value: f64) -> Reading {
        Reading { series: series.into(), observed_at: at(minute), received_at: at(99), value }
    }
    fn observation(series: &str, minute: i64, value: f64) -> Observation {
        let quality = Quality::GOOD;
        Observation { series: series.into(), at: at(minute), received_at: at(minute), value, quality }
    }

    #[tokio::test]
    async fn a_moment_keeps_its_first_value_whoever_brings_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
        let stored = [observation("a", 1, 88.5), observation("a", 2, f64::NAN), observation("a", 3, 88.6)];
        let _ = store.append(&stored).await.unwrap();
        let waiting = [observation("a", 4, 88.7), observation("b", 1, 5.0)];
        let brought = [
            reading("a", 1, 88.9),     // Another value is stored.
            reading("a", 1, 88.5),     // Known.
            reading("a", 2, 88.55),    // Was without a number.
            reading("a", 2, 88.56),    // Has one since a moment ago.
            reading("a", 3, f64::NAN), // No number is another value, too.
            reading("a", 4, 88.8),     // Another one waits for the store.
            reading("b", 1, 5.0),      // The same waits for the store.
            reading("a", 5, 88.9),     // New.
            reading("a", 5, 89.0),     // Not any more.
            reading("a", 6, f64::NAN), // New, without a number.
            reading("a", 6, 89.1),     // The number.
            reading("c", 0, 1.0),      // A series that the store has never heard of.
        ];
        let sifted = sift(brought.to_vec(), "sl651", &waiting, &store).await;
        let fresh: Vec<_> = sifted.fresh.iter().map(|one| (one.series.as_str(), one.observed_at, one.value)).collect();
        assert_eq!(fresh.len(), 5, "{fresh:?}");
        assert_eq!(fresh[0], ("a", at(2), 88.55));
        assert_eq!(fresh[1], ("a", at(5), 88.9));
        assert!(fresh[2].1 == at(6) && fresh[2].2.is_nan());
        assert_eq!((fresh[3], fresh[4]), (("a", at(6), 89.1), ("c", at(0), 1.0)));
        assert_eq!(sifted.known, 2);
        let aside: Vec<_> = sifted.set_aside.iter().map(|one| (one.time, one.given, one.stored)).collect();
        assert_eq!(
            aside,
            [
                (at(1), Some(88.9), 88.5),
                (at(2), Some(88.56), 88.55),
                (at(3), None, 88.6),
                (at(4), Some(88.8), 88.7),
                (at(5), Some(89.0), 88.9),
            ]
        );
        assert!(sifted.unread.is_none() && sifted.set_aside.iter().all(|one| one.door == "sl651"));
        store.close().await;
    }

    /// A store that knows its newest moment and cannot be read.
    struct Unreadable(Timestamp);

    #[async_trait::async_trait]
    impl SeriesStore for Unreadable {
        fn ends_before(&self, _: &SeriesId, at: Timestamp) -> bool {
            self.0 < at
        }
        async fn range(
            &self,
            _: &SeriesId,
            _: Timestamp,
            _: Timestamp,
            _: Option<Step>,
        ) -> Result<Vec<Sample>, SeriesError> {
            Err(refusal())
        }
        async fn append(&self, _: &[Observation]) -> Result<Durable, SeriesError> {
            Err(refusal())
        }
        async fn append_columns(&self, _: &[SeriesBatch]) -> Result<Durable, SeriesError> {
            Err(refusal())
        }
        async fn correct(&self, _: &[Correction]) -> Result<Durable, SeriesError> {
            Err(refusal())
        }
        async fn latest(&self) -> Result<BTreeMap<SeriesId, Sample>, SeriesError> {
            Err(refusal())
        }
        async fn list(&self) -> Result<Vec<SeriesFacts>, SeriesError> {
            Err(refusal())
        }
        async fn stats(&self) -> Result<SeriesStats, SeriesError> {
            Err(refusal())
        }
    }

    fn refusal() -> SeriesError {
        SeriesError::Closed { path: "series.db".into() }
    }

    #[tokio::test]
    async fn what_is_newer_than_all_is_not_looked_up_and_what_cannot_be_looked_up_is_given_back() {
        let store = Unreadable(at(10));
        let sifted = sift(vec![reading("a", 11, 2.0), reading("a", 12, 3.0)], "mqtt", &[], &store).await;
        assert!(sifted.fresh.len() == 2 && sifted.unread.is_none());
        let sifted = sift(vec![reading("a", 9, 2.0), reading("a", 12, 3.0)], "mqtt", &[], &store).await;
        assert_eq!((sifted.fresh.len(), sifted.unread.map(|(left, _)| left.len())), (1, Some(1)));
    }
}

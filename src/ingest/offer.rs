//! What somebody offers as a reading: checked against the series it names, before anything is kept.
//!
//! In: series, moment, value, unit, datum as they were sent or stood in a file. Out: a [`Reading`] in the unit of the series,
//! or why not, in words that the sender can act upon. Datums are never mixed, units never guessed.

use super::units::{UnitFault, convert, datum_of};
use crate::model::{Datum, Reading, SeriesId, Timestamp};
use crate::store::series::{SeriesError, SeriesStore};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// Before this nobody read a gauge on this river, milliseconds since 1970: 1800-01-01.
const OLDEST_MS: i64 = -5_364_662_400_000;
/// A stamp that lies further ahead than this is a mistake, not a clock that runs fast.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(24);
/// Moments closer than this are looked up together.
const TOGETHER: TimeDelta = TimeDelta::hours(24);

/// A reading as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// `<station>.<quantity>`.
    pub series: String,
    /// When the water was like this.
    pub at: Timestamp,
    /// The number; `None` when the sender says that there was none.
    pub value: Option<f64>,
    /// Its unit; `None`: that of the series.
    pub unit: Option<String>,
    /// What a stage counts from; `None`: that of the series.
    pub datum: Option<String>,
}

/// What is known of a series that may be written to.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Unit of its values.
    pub unit: String,
    /// Reference surface of a stage.
    pub datum: Option<Datum>,
}

/// The series that may be written to.
pub type Targets = BTreeMap<SeriesId, Target>;

/// Why an offer is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OfferFault {
    /// It is no reading: a field is missing, or of another kind.
    #[error("{words}")]
    Malformed {
        /// The field; empty where it is the whole.
        field: &'static str,
        /// Why, in both languages.
        words: &'static str,
    },
    /// The site has no such series.
    #[error("未知序列 {0} (unknown series)")]
    UnknownSeries(String),
    /// The device may not write to it.
    #[error("该设备无权写入 {0} (the device may not write to this series)")]
    NotYours(String),
    /// Unknown unit or another kind of quantity.
    #[error(transparent)]
    Unit(#[from] UnitFault),
    /// A datum that nobody knows here.
    #[error("不认识基面 {0:?} (unknown datum)")]
    UnknownDatum(String),
    /// The series counts from elsewhere; nobody adds an offset in passing.
    #[error(
        "基面为 {given}，序列 {series} 的基面为 {}，不混用 (datums are never mixed)",
        wanted.map_or("无 none", Datum::as_str)
    )]
    OtherDatum {
        /// The series.
        series: String,
        /// As it came.
        given: Datum,
        /// Of the series.
        wanted: Option<Datum>,
    },
    /// Long before any gauge, or a day ahead of the clock.
    #[error(
        "时间 {} 不可能：须不早于 1800 年，不超前 24 小时 (the time cannot be: not before 1800, at most 24 h ahead)",
        beijing(*.0)
    )]
    Time(Timestamp),
    /// Twice in what was sent, with two values.
    #[error("同一时刻给了两个不同的值 {first} 与 {second} (two values for one moment)")]
    TwoValues {
        /// That came first.
        first: f64,
        /// That came after.
        second: f64,
    },
    /// The store takes no further series.
    #[error(
        "序列数已达上限 {limit}，{series} 无处可存：请运维调大 [series] series_max 后重启，再发 (the store holds its limit of {limit} series and has no room for {series}: have series_max raised and the server restarted, then send again)"
    )]
    NoRoom {
        /// The series.
        series: SeriesId,
        /// Most that the store takes.
        limit: usize,
    },
    /// The store has another value for that moment; a correction is made by a person.
    #[error(
        "该时刻已存有 {stored}，不覆盖；更正请走人工订正 (another value is stored for this moment; correct it by hand)"
    )]
    Stored {
        /// What the store has.
        stored: f64,
    },
}

/// As people here read a clock: `2026-07-18 14:05:00 北京时间`.
fn beijing(at: Timestamp) -> String {
    (at.naive_utc() + TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S 北京时间").to_string()
}

impl OfferFault {
    /// The field that is at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Malformed { field, .. } => field,
            Self::UnknownSeries(_) | Self::NotYours(_) | Self::NoRoom { .. } => "series",
            Self::Unit(_) => "unit",
            Self::UnknownDatum(_) | Self::OtherDatum { .. } => "datum",
            Self::Time(_) => "time",
            Self::TwoValues { .. } | Self::Stored { .. } => "value",
        }
    }
}

/// Offers after the check; indices count what was sent, from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// New ones, each with its index.
    pub fresh: Vec<(usize, Reading)>,
    /// Already stored with the same value, or twice in what was sent.
    pub known: usize,
    /// Refused, by rising index.
    pub refused: Vec<(usize, OfferFault)>,
}

/// Checks one offer by itself.
///
/// # Errors
/// See [`OfferFault`]; nothing about the store is asked here.
pub fn reading_of(offer: &Offer, targets: &Targets, now: Timestamp) -> Result<Reading, OfferFault> {
    let unknown = || OfferFault::UnknownSeries(offer.series.chars().take(80).collect());
    let (series, target) = targets.get_key_value(offer.series.as_str()).ok_or_else(unknown)?;
    if offer.at.timestamp_millis() < OLDEST_MS || offer.at > now + AHEAD_MAX {
        return Err(OfferFault::Time(offer.at));
    }
    if let Some(word) = &offer.datum {
        let given = datum_of(word).ok_or_else(|| OfferFault::UnknownDatum(word.chars().take(40).collect()))?;
        if target.datum != Some(given) {
            return Err(OfferFault::OtherDatum { series: offer.series.clone(), given, wanted: target.datum });
        }
    }
    let value = match (offer.value, &offer.unit) {
        (None, Some(unit)) => convert(f64::NAN, unit, &target.unit)?,
        (None, None) => f64::NAN,
        (Some(value), Some(unit)) => convert(value, unit, &target.unit)?,
        (Some(value), None) => value,
    };
    // In the moments of the store: only then is the same moment seen to be the same.
    Ok(Reading { series: series.clone(), observed_at: offer.at, received_at: now, value }.in_whole_ms())
}

/// Checks offers against their series, each other and the store.
///
/// # Errors
/// When the store cannot be read.
pub async fn check(
    offers: &[Offer],
    targets: &Targets,
    store: &dyn SeriesStore,
    now: Timestamp,
) -> Result<Checked, SeriesError> {
    let mut checked = Checked::default();
    let mut seen: BTreeMap<(SeriesId, Timestamp), f64> = BTreeMap::new();
    for (index, offer) in offers.iter().enumerate() {
        match reading_of(offer, targets, now) {
            Err(fault) => checked.refused.push((index, fault)),
            Ok(reading) => match seen.get(&(reading.series.clone(), reading.observed_at)) {
                Some(first) if alike(*first, reading.value) => checked.known += 1,
                Some(first) => {
                    let fault = OfferFault::TwoValues { first: *first, second: reading.value };
                    checked.refused.push((index, fault));
                }
                None => {
                    seen.insert((reading.series.clone(), reading.observed_at), reading.value);
                    checked.fresh.push((index, reading));
                }
            },
        }
    }
    refuse_without_room(&mut checked, store);
    let stored = stored_values(&seen, store).await?;
    let mut fresh = Vec::with_capacity(checked.fresh.len());
    for (index, reading) in checked.fresh.drain(..) {
        match stored.get(&(reading.series.clone(), reading.observed_at)) {
            Some(stored) if alike(*stored, reading.value) => checked.known += 1,
            // Nothing was known at that moment: a value that comes after all is welcome.
            Some(stored) if !stored.is_finite() => fresh.push((index, reading)),
            Some(stored) => checked.refused.push((index, OfferFault::Stored { stored: *stored })),
            None => fresh.push((index, reading)),
        }
    }
    checked.fresh = fresh;
    checked.refused.sort_by_key(|(index, _)| *index);
    Ok(checked)
}

/// Refuses offers of series that the store has no room for: to be told so now is better than to be put off for ever.
fn refuse_without_room(checked: &mut Checked, store: &dyn SeriesStore) {
    let named: BTreeSet<SeriesId> = checked.fresh.iter().map(|(_, reading)| reading.series.clone()).collect();
    let Some(SeriesError::TooManySeries { surplus, limit, .. }) = store.no_room_for(&named) else { return };
    let (without, fresh) = checked.fresh.drain(..).partition(|(_, reading)| surplus.contains(&reading.series));
    checked.fresh = fresh;
    let no_room = |(index, reading): (usize, Reading)| (index, OfferFault::NoRoom { series: reading.series, limit });
    let without: Vec<_> = without;
    checked.refused.extend(without.into_iter().map(no_room));
}

/// What the store has at these moments; moments that lie together are read together.
pub(super) async fn stored_values(
    wanted: &BTreeMap<(SeriesId, Timestamp), f64>,
    store: &dyn SeriesStore,
) -> Result<BTreeMap<(SeriesId, Timestamp), f64>, SeriesError> {
    let mut found = BTreeMap::new();
    let mut keys = wanted.keys().peekable();
    while let Some((series, first)) = keys.next() {
        let mut last = *first;
        while let Some((_, at)) = keys.next_if(|(next, at)| next == series && *at - last <= TOGETHER) {
            last = *at;
        }
        // The usual case: what is newer than all that is stored is not looked for.
        if store.ends_before(series, *first) {
            continue;
        }
        for sample in store.range_at_hand(series, *first, last + TimeDelta::milliseconds(1), None).await? {
            let key = (series.clone(), sample.at);
            if wanted.contains_key(&key) {
                found.insert(key, sample.value);
            }
        }
    }
    Ok(found)
}

/// The same value, or both without a number.
pub(super) fn alike(left: f64, right: f64) -> bool {
    left == right || (!left.is_finite() && !right.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Observation, Quality};
    use crate::store::series::{EmbeddedSeries, SeriesLimits};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn targets() -> Targets {
        let target = |unit: &str, datum| Target { unit: unit.into(), datum };
        [("a.stage", target("m", Some(Datum::Dagu))), ("a.discharge", target("m3/s", None))]
            .into_iter()
            .map(|(id, target)| (SeriesId::new(id), target))
            .collect()
    }

    fn offer(series: &str, minute: i64, value: f64) -> Offer {
        Offer { series: series.into(), at: at(minute), value: Some(value), unit: None, datum: None }
    }

    #[test]
    fn an_offer_that_does_not_fit_says_which_field_and_why() {
        let check = |change: &dyn Fn(&mut Offer), field: &str, word: &str| {
            let mut one = offer("a.stage", 0, 91.0);
            change(&mut one);
            let fault = reading_of(&one, &targets(), at(0)).unwrap_err();
            assert_eq!(fault.field(), field, "{fault}");
            assert!(fault.to_string().contains(word), "{fault}");
        };
        check(&|o| o.series = "b.stage".into(), "series", "b.stage");
        check(&|o| o.unit = Some("m3/s".into()), "unit", "m3/s");
        check(&|o| o.unit = Some("ell".into()), "unit", "ell");
        check(&|o| o.datum = Some("1985国家高程基准".into()), "datum", "national85");
        check(&|o| o.datum = Some("吴淞".into()), "datum", "吴淞");
        check(&|o| o.at = at(24 * 60 + 1), "time", "1970-01-02");
        check(&|o| o.at = "1799-12-31T23:00:00Z".parse().unwrap(), "time", "1800-01-01 07:00:00 北京时间");
        let mut discharge = offer("a.discharge", 0, 1.0);
        discharge.datum = Some("dagu".into());
        assert_eq!(reading_of(&discharge, &targets(), at(0)).unwrap_err().field(), "datum");
        let mut fits = offer("a.stage", 0, 9124.0);
        (fits.unit, fits.datum) = (Some("cm".into()), Some("大沽".into()));
        assert_eq!(reading_of(&fits, &targets(), at(0)).unwrap().value, 91.24);
    }

    #[tokio::test]
    async fn a_moment_finer_than_the_store_is_the_moment_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
        let fine = |value| Offer { at: at(1) + TimeDelta::microseconds(456), ..offer("a.stage", 1, value) };
        let first = check(&[fine(91.0), fine(91.0), fine(91.4)], &targets(), &store, at(9)).await.unwrap();
        assert_eq!((first.fresh.len(), first.known, first.fresh[0].1.observed_at), (1, 1, at(1)));
        assert_eq!(first.refused, [(2, OfferFault::TwoValues { first: 91.0, second: 91.4 })]);
        let kept = Observation {
            series: "a.stage".into(),
            at: at(1),
            received_at: at(1),
            value: 91.0,
            quality: Quality::GOOD,
        };
        let _ = store.append(&[kept]).await.unwrap();
        let again = check(&[fine(91.0)], &targets(), &store, at(9)).await.unwrap();
        assert_eq!((again.fresh.len(), again.known), (0, 1));
        let other = check(&[fine(92.0)], &targets(), &store, at(9)).await.unwrap();
        assert_eq!(other.refused, [(0, OfferFault::Stored { stored: 91.0 })]);
        store.close().await;
    }

    #[tokio::test]
    async fn a_series_that_the_store_has_no_room_for_is_refused_by_name_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let limits = SeriesLimits { series_max: 1, ..SeriesLimits::default() };
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), limits).await.unwrap();
        let known = Observation {
            series: "a.stage".into(),
            at: at(0),
            received_at: at(0),
            value: 91.0,
            quality: Quality::GOOD,
        };
        let _ = store.append(&[known]).await.unwrap();
        let offers = [offer("a.discharge", 1, 4.0), offer("a.stage", 1, 91.1)];
        let checked = check(&offers, &targets(), &store, at(9)).await.unwrap();
        assert_eq!(checked.fresh.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1]);
        let (index, fault) = &checked.refused[0];
        assert_eq!((*index, fault.field()), (0, "series"));
        let words = fault.to_string();
        assert!(words.contains("a.discharge") && words.contains("上限 1") && words.contains("series_max"), "{words}");
        store.close().await;
    }

    #[tokio::test]
    async fn the_same_moment_is_one_value_here_and_in_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
        let stored = |minute, value| Observation {
            series: "a.stage".into(),
            at: at(minute),
            received_at: at(minute),
            value,
            quality: Quality::GOOD,
        };
        let _ = store.append(&[stored(1, 91.0), stored(2, f64::NAN), stored(3, 92.0)]).await.unwrap();
        let offers = [
            offer("a.stage", 1, 91.0),    // 0: stored
            offer("a.stage", 2, 91.5),    // 1: missing in the store
            offer("a.stage", 3, 95.0),    // 2: another value is stored
            offer("a.stage", 4, 91.6),    // 3: new
            offer("a.stage", 4, 91.6),    // 4: sent twice
            offer("a.stage", 4, 91.7),    // 5: sent twice, two values
            offer("a.stage", 9000, 91.8), // 6: new, six days on
            offer("b.stage", 1, 91.0),    // 7: unknown
            offer("a.discharge", 1, 4.0), // 8: new
        ];
        let checked = check(&offers, &targets(), &store, at(10_000)).await.unwrap();
        let fresh: Vec<_> = checked.fresh.iter().map(|(index, _)| *index).collect();
        assert_eq!((fresh, checked.known), (vec![1, 3, 6, 8], 2));
        let refused: Vec<_> = checked.refused.iter().map(|(index, fault)| (*index, fault.field())).collect();
        assert_eq!(refused, [(2, "value"), (5, "value"), (7, "series")]);
        assert_eq!(checked.refused[0].1, OfferFault::Stored { stored: 92.0 });
        store.close().await;
    }
}

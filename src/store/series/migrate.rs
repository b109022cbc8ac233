//! Points of a series carried from one store to another, and compared afterwards.
//!
//! In: two stores and what the first knows of a series. Out: how many points both have now, and their common checksum. It can be
//! broken off and begun again: what is there already is not written a second time. A point that is there with
//! another value is never overwritten unless that was asked for.

use super::{Correction, Sample, SeriesBatch, SeriesError, SeriesFacts, SeriesStore};
use crate::model::{SeriesId, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Span that is carried at once; halved where it holds too much.
const WINDOW_MS: i64 = 30 * 86_400_000;
/// Shortest span.
const WINDOW_MIN_MS: i64 = 60_000;
/// Points of one write.
const WRITE_POINTS: usize = 50_000;

/// Why a series was not carried.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// One of the two stores failed.
    #[error("{series} 迁移失败 (cannot carry {series})")]
    Store {
        /// The series.
        series: SeriesId,
        /// What the store said.
        #[source]
        cause: SeriesError,
    },
    /// The target has another value for a moment.
    #[error(
        "{series} at {at}: the target has {there}, the source {here}; nothing is overwritten without --replace (目标库已有不同的值)"
    )]
    Conflict {
        /// The series.
        series: SeriesId,
        /// The moment.
        at: Timestamp,
        /// The value in the source.
        here: f64,
        /// The value in the target.
        there: f64,
    },
    /// What was read back is not what was written.
    #[error(
        "{series} 迁移后核对不符 ({series} from {from} to {to}: {expected} points with checksum {checksum:016x} were written, {found} with {other:016x} were read back)"
    )]
    Differs {
        /// The series.
        series: SeriesId,
        /// First moment of the span.
        from: Timestamp,
        /// End of the span.
        to: Timestamp,
        /// Points of the source.
        expected: u64,
        /// Their checksum.
        checksum: u64,
        /// Points read back.
        found: u64,
        /// Their checksum.
        other: u64,
    },
}

/// What was carried of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Carried {
    /// Points that both stores have now.
    pub points: u64,
    /// Over time, value, verdict and author of each of them, in order.
    pub checksum: u64,
    /// Points written this time.
    pub written: u64,
    /// Down-sampled steps that stay where they are: they are no points.
    pub steps_left: u64,
}

/// Carries all points of a series from one store to the other and reads them back.
///
/// # Errors
/// When a store fails, the target has other values, or what is read back differs.
pub async fn carry(
    from: &dyn SeriesStore,
    to: &dyn SeriesStore,
    facts: &SeriesFacts,
    replace: bool,
) -> Result<Carried, MigrateError> {
    let series = &facts.series;
    let fail = |cause| MigrateError::Store { series: series.clone(), cause };
    let mut carried = Carried { checksum: BASIS, ..Carried::default() };
    let (Some(mut at), Some(newest)) = (facts.oldest, facts.newest) else { return Ok(carried) };
    let mut window = WINDOW_MS;
    while at <= newest {
        let end = at.checked_add_signed(TimeDelta::milliseconds(window)).unwrap_or(Timestamp::MAX_UTC);
        let here = match from.range(series, at, end, None).await {
            Err(SeriesError::AnswerTooLarge { .. }) if window > WINDOW_MIN_MS => {
                window /= 2;
                continue;
            }
            other => other.map_err(fail)?,
        };
        // A copy with a hole in it is no copy.
        if let Some(span) = from.damage(Some(series), at, end).into_iter().next() {
            return Err(fail(span.into()));
        }
        let (here, steps): (Vec<Sample>, Vec<Sample>) = here.into_iter().partition(is_point);
        carried.steps_left += steps.len() as u64;
        carried.written += write(to, series, (at, end), &here, replace).await?;
        let there = points_at(to.range(series, at, end, None).await.map_err(fail)?, &here);
        let (checksum, other) = (checksum(carried.checksum, &here), checksum(carried.checksum, &there));
        if checksum != other || here.len() != there.len() {
            return Err(MigrateError::Differs {
                series: series.clone(),
                from: at,
                to: end,
                expected: here.len() as u64,
                checksum,
                found: there.len() as u64,
                other,
            });
        }
        carried.checksum = checksum;
        carried.points += here.len() as u64;
        at = end;
    }
    Ok(carried)
}

/// Writes what the target lacks in a span; gives how many points.
async fn write(
    to: &dyn SeriesStore,
    series: &SeriesId,
    (at, end): (Timestamp, Timestamp),
    here: &[Sample],
    replace: bool,
) -> Result<u64, MigrateError> {
    let fail = |cause| MigrateError::Store { series: series.clone(), cause };
    let there = to.range(series, at, end, None).await.map_err(fail)?;
    let there: BTreeMap<Timestamp, Sample> = there.into_iter().map(|sample| (sample.at, sample)).collect();
    let mut lacking = Vec::new();
    for sample in here {
        match there.get(&sample.at) {
            Some(known) if mark(known) == mark(sample) => {}
            Some(known) if !replace => {
                let (here, there) = (sample.value, known.value);
                return Err(MigrateError::Conflict { series: series.clone(), at: sample.at, here, there });
            }
            _ => lacking.push(*sample),
        }
    }
    for part in lacking.chunks(WRITE_POINTS) {
        let (hand, device): (Vec<&Sample>, Vec<&Sample>) = part.iter().partition(|sample| sample.by_hand);
        if !device.is_empty() {
            let batch = SeriesBatch {
                series: series.clone(),
                at_ms: device.iter().map(|s| s.at.timestamp_millis()).collect(),
                values: device.iter().map(|s| s.value).collect(),
                quality: device.iter().map(|s| s.quality).collect(),
            };
            let _ = to.append_columns(&[batch]).await.map_err(fail)?;
        }
        let set = |s: &&Sample| Correction { series: series.clone(), at: s.at, value: s.value, quality: s.quality };
        let hand: Vec<_> = hand.iter().map(set).collect();
        if !hand.is_empty() {
            let _ = to.correct(&hand).await.map_err(fail)?;
        }
    }
    Ok(lacking.len() as u64)
}

/// Whether a sample is one point and not a step of down-sampled history.
fn is_point(sample: &Sample) -> bool {
    sample.usable.saturating_add(sample.unusable) == 1
}

/// Those samples of the target whose moments the source has.
fn points_at(there: Vec<Sample>, here: &[Sample]) -> Vec<Sample> {
    let wanted: std::collections::BTreeSet<Timestamp> = here.iter().map(|sample| sample.at).collect();
    there.into_iter().filter(|sample| wanted.contains(&sample.at)).collect()
}

/// What makes two points the same. A value that is no number is the same in every store, whatever its bits.
fn mark(sample: &Sample) -> (i64, u64, u16, bool) {
    let bits = if sample.value.is_finite() { sample.value.to_bits() } else { f64::NAN.to_bits() };
    (sample.at.timestamp_millis(), bits, sample.quality.to_code(), sample.by_hand)
}

/// FNV-1a, 64 bit: its beginning and its factor.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

fn checksum(sum: u64, samples: &[Sample]) -> u64 {
    samples.iter().map(mark).fold(sum, |sum, (at, bits, code, by_hand)| {
        let bytes = at.to_le_bytes().into_iter().chain(bits.to_le_bytes()).chain(code.to_le_bytes());
        bytes.chain([u8::from(by_hand)]).fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(PRIME))
    })
}

//! Rain of periods becomes the counter that the series is: each amount is added to what fell before.

use super::preview::Found;
use crate::model::{SeriesId, Timestamp};
use std::collections::BTreeMap;

/// Newest value of a series in the store.
pub(super) type Newest = BTreeMap<SeriesId, (Timestamp, f64)>;

/// Turns amounts into counters. The reason for those that cannot be, by their position among `found`.
pub(super) fn accumulate(found: &mut [Found], newest: &Newest) -> Vec<(usize, String)> {
    let mut by_series: BTreeMap<SeriesId, Vec<usize>> = BTreeMap::new();
    for (index, one) in found.iter().enumerate().filter(|(_, one)| one.of_period) {
        by_series.entry(SeriesId::new(&one.offer.series)).or_default().push(index);
    }
    let mut refused = Vec::new();
    for (series, mut rows) in by_series {
        rows.sort_by_key(|index| found.get(*index).map(|one| one.offer.at));
        let first = rows.first().and_then(|index| found.get(*index)).map(|one| one.offer.at);
        let stored = newest.get(&series);
        if let (Some(first), Some((newest, _))) = (first, stored)
            && first <= *newest
        {
            let words = format!(
                "{series} 已有 {newest} 的累计雨量，更早的时段雨量不能再累加 (later values are stored: earlier amounts cannot be added to the counter)"
            );
            refused.extend(rows.into_iter().map(|index| (index, words.clone())));
            continue;
        }
        let mut sum = stored.map_or(0.0, |(_, value)| if value.is_finite() { *value } else { 0.0 });
        let mut before = None;
        for index in rows {
            let Some(one) = found.get_mut(index) else { continue };
            let amount = one.offer.value.unwrap_or(0.0);
            if before == Some(one.offer.at) {
                refused.push((index, "同一时段出现两次 (the period is there twice)".into()));
                continue;
            }
            if amount < 0.0 {
                refused.push((index, "雨量为负 (rain below zero)".into()));
                continue;
            }
            before = Some(one.offer.at);
            sum = ((sum + amount) * 1000.0).round() / 1000.0;
            one.offer.value = Some(sum);
        }
    }
    refused
}

//! How the points of a head are divided into chunks.
//!
//! A chunk that lies between existing ones stands alone; points that fall inside an existing chunk's span
//! become a late chunk of their own, so that merging them later touches that one span only. A wide hole in time ends a
//! chunk: one device with its clock in 2099 must not make a chunk that overlaps everything to come.

use super::points::Points;

/// A hole of more than this ends a chunk: 7 days.
const HOLE_MS: i64 = 7 * 86_400_000;

/// A chunk to be written.
#[derive(Debug, PartialEq)]
pub(super) struct Draft {
    /// In order of time.
    pub(super) points: Points,
    /// Whether it overlaps an existing chunk.
    pub(super) late: bool,
}

/// Existing spans put together where they touch; `spans` are (first, last) in any order.
pub(super) fn unions(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut out: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
    for (first, last) in spans {
        match out.last_mut() {
            Some(open) if first <= open.1 => open.1 = open.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

/// Divides points in order of time; `taken` are the unions of existing chunks.
pub(super) fn drafts(points: &Points, taken: &[(i64, i64)], chunk_points: usize) -> Vec<Draft> {
    let mut out: Vec<Draft> = Vec::new();
    let mut cell = 0;
    let mut before = None;
    for (at, value, code) in points.iter() {
        // Spans that end before this point, and whether the next one holds it: together the place between chunks.
        let passed = taken.partition_point(|(_, last)| *last < at);
        let late = taken.get(passed).is_some_and(|(first, _)| *first <= at);
        let here = passed * 2 + usize::from(late);
        let hole = before.is_some_and(|before| at.saturating_sub(before) > HOLE_MS);
        match out.last_mut() {
            Some(open) if here == cell && !hole && open.points.len() < chunk_points => {
                open.points.push(at, value, code);
            }
            _ => {
                let mut fresh = Draft { points: Points::default(), late };
                fresh.points.push(at, value, code);
                out.push(fresh);
            }
        }
        (cell, before) = (here, Some(at));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(times: &[i64], taken: &[(i64, i64)], expected: &[(&[i64], bool)]) {
        let mut points = Points::default();
        times.iter().for_each(|at| points.push(*at, 0.0, 0));
        let found = drafts(&points, taken, 3);
        let found: Vec<_> = found.iter().map(|d| (d.points.times.as_slice(), d.late)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn series_seal_divides_at_existing_chunks_holes_and_size() {
        check(&[], &[], &[]);
        check(&[1, 2, 3, 4], &[], &[(&[1, 2, 3], false), (&[4], false)]);
        check(&[1, 5, 6, 20], &[(4, 10)], &[(&[1], false), (&[5, 6], true), (&[20], false)]);
        check(&[4, 10, 11], &[(4, 10)], &[(&[4, 10], true), (&[11], false)]);
        check(&[5, 12, 15], &[(4, 10), (15, 16)], &[(&[5], true), (&[12], false), (&[15], true)]);
        check(&[0, HOLE_MS + 1], &[], &[(&[0], false), (&[HOLE_MS + 1], false)]);
        check(&[i64::MIN, i64::MAX], &[], &[(&[i64::MIN], false), (&[i64::MAX], false)]);
    }

    #[test]
    fn series_seal_unions_of_spans() {
        assert_eq!(unions(vec![(5, 9), (0, 2), (8, 12), (2, 3), (20, 20)]), [(0, 3), (5, 12), (20, 20)]);
    }
}

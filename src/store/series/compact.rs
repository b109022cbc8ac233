//! Which chunks of one series to write anew: those that overlap, and neighbours that are too small.

/// A chunk as the plan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkSpan {
    /// Its row.
    pub(super) row: i64,
    /// First and last moment, Unix ms.
    pub(super) t0: i64,
    pub(super) t1: i64,
    /// Points in it.
    pub(super) n: usize,
}

/// Fewest small neighbours worth putting together.
const NEIGHBOURS: usize = 4;

/// Chunks that share moments, directly or through others.
#[derive(Debug, Default)]
struct Knot {
    rows: Vec<i64>,
    points: usize,
    t1: i64,
}

/// The rows to be replaced together, one list for each rewrite; `spans` in any order.
pub(super) fn plan(mut spans: Vec<ChunkSpan>, chunk_points: usize) -> Vec<Vec<i64>> {
    spans.sort_by_key(|s| (s.t0, s.t1, s.row));
    let mut knots: Vec<Knot> = Vec::new();
    for span in spans {
        match knots.last_mut() {
            Some(open) if span.t0 <= open.t1 => {
                open.rows.push(span.row);
                open.points += span.n;
                open.t1 = open.t1.max(span.t1);
            }
            _ => knots.push(Knot { rows: vec![span.row], points: span.n, t1: span.t1 }),
        }
    }
    let mut plan = Vec::new();
    let mut run: Vec<Knot> = Vec::new();
    for knot in knots {
        let small = knot.rows.len() == 1 && knot.points <= chunk_points / 4;
        if !small {
            close(&mut run, &mut plan);
            if knot.rows.len() > 1 {
                plan.push(knot.rows);
            }
        } else if run.iter().map(|k| k.points).sum::<usize>() + knot.points > chunk_points {
            close(&mut run, &mut plan);
            run.push(knot);
        } else {
            run.push(knot);
        }
    }
    close(&mut run, &mut plan);
    plan
}

fn close(run: &mut Vec<Knot>, plan: &mut Vec<Vec<i64>>) {
    let knots = std::mem::take(run);
    if knots.len() >= NEIGHBOURS {
        plan.push(knots.into_iter().flat_map(|knot| knot.rows).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spans: &[(i64, i64, usize)], expected: &[&[i64]]) {
        let spans = spans.iter().zip(0..).map(|(&(t0, t1, n), row)| ChunkSpan { row, t0, t1, n }).collect();
        assert_eq!(plan(spans, 100), expected);
    }

    #[test]
    fn series_compact_joins_what_overlaps_and_what_is_small() {
        check(&[], &[]);
        check(&[(0, 9, 90), (10, 19, 90)], &[]);
        check(&[(0, 9, 90), (3, 4, 2), (10, 19, 90)], &[&[0, 1]]);
        check(&[(0, 9, 9), (10, 19, 9), (20, 29, 9)], &[]);
        check(&[(0, 9, 9), (10, 19, 9), (20, 29, 9), (30, 39, 9)], &[&[0, 1, 2, 3]]);
        check(&[(0, 9, 25), (10, 19, 25), (20, 29, 25), (30, 39, 25), (40, 49, 25)], &[&[0, 1, 2, 3]]);
        check(&[(0, 9, 9), (10, 19, 9), (20, 29, 90), (30, 39, 9), (40, 49, 9)], &[]);
    }
}

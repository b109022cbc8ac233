//! Search for the parameters with the least error: differential evolution (Storn & Price 1997), then a simplex (Nelder & Mead 1965).
//!
//! Seeded, without a clock: the same question gives the same answer on every machine.

/// What is searched, and how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Lowest and highest value of each parameter.
    pub bounds: Vec<(f64, f64)>,
    /// Seed of the draws.
    pub seed: u64,
    /// Members of the population.
    pub members: usize,
    /// Generations at most.
    pub generations: usize,
}

impl Search {
    /// Usual effort for so many parameters.
    pub fn new(bounds: Vec<(f64, f64)>, seed: u64) -> Self {
        let members = 10 * bounds.len().max(1);
        Self { bounds, seed, members, generations: 120 }
    }
}

/// The best that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Within the bounds.
    pub parameters: Vec<f64>,
    /// Its cost.
    pub cost: f64,
    /// How often the cost was asked for.
    pub evaluations: usize,
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
pub(in crate::forecast) struct Draws(u64);

impl Draws {
    pub(in crate::forecast) fn new(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// 0 ≤ u < 1.
    pub(in crate::forecast) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }
}

/// The parameters with the least `cost`; a cost that is no number counts as the worst.
pub fn minimise(search: &Search, mut cost: impl FnMut(&[f64]) -> f64) -> Best {
    let mut evaluations = 0;
    let bounds = &search.bounds;
    let mut ask = |at: &[f64]| {
        evaluations += 1;
        let inside: Vec<f64> = at.iter().zip(bounds).map(|(value, (low, high))| value.clamp(*low, *high)).collect();
        let asked = cost(&inside);
        (if asked.is_finite() { asked } else { f64::MAX }, inside)
    };
    let mut best = evolve(search, &mut ask);
    // A simplex may shrink onto a slope; from its end a new, smaller one goes on.
    for size in [0.05, 0.01, 0.002] {
        best = simplex(best, bounds, size, &mut ask);
    }
    Best { parameters: best.1, cost: best.0, evaluations }
}

type Point = (f64, Vec<f64>);

fn evolve(search: &Search, ask: &mut impl FnMut(&[f64]) -> Point) -> Point {
    let (mut draws, size) = (Draws::new(search.seed), search.bounds.len());
    let mut members: Vec<Point> = (0..search.members.max(4))
        .map(|_| {
            let at: Vec<f64> = search.bounds.iter().map(|(low, high)| low + (high - low) * draws.unit()).collect();
            ask(&at)
        })
        .collect();
    for _ in 0..search.generations {
        let best = members.iter().min_by(|a, b| a.0.total_cmp(&b.0)).cloned().unwrap_or_default();
        let worst = members.iter().map(|member| member.0).fold(f64::MIN, f64::max);
        if worst - best.0 <= 1e-7 * best.0.abs() {
            break;
        }
        for at in 0..members.len() {
            let [one, two] = [draws.below(members.len()), draws.below(members.len())];
            let (weight, forced) = (0.5 + 0.4 * draws.unit(), draws.below(size.max(1)));
            let trial: Vec<f64> = (0..size)
                .map(|axis| {
                    let own = members[at].1[axis];
                    if axis != forced && draws.unit() > 0.9 {
                        return own;
                    }
                    let moved =
                        own + weight * (best.1[axis] - own) + weight * (members[one].1[axis] - members[two].1[axis]);
                    // Back inside, but not onto the rim: half way between the member and the bound it ran over.
                    let (low, high) = search.bounds[axis];
                    if moved < low {
                        0.5 * (own + low)
                    } else if moved > high {
                        0.5 * (own + high)
                    } else {
                        moved
                    }
                })
                .collect();
            let asked = ask(&trial);
            if asked.0 <= members[at].0 {
                members[at] = asked;
            }
        }
    }
    members.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
}

fn simplex(from: Point, bounds: &[(f64, f64)], size: f64, ask: &mut impl FnMut(&[f64]) -> Point) -> Point {
    let count = bounds.len();
    let mut corners = vec![from.clone()];
    for (axis, (low, high)) in bounds.iter().enumerate() {
        let mut at = from.1.clone();
        let step = size * (high - low);
        at[axis] += if at[axis] + step > *high { -step } else { step };
        corners.push(ask(&at));
    }
    for _ in 0..200 * count {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (best, worst) = (corners[0].0, corners[count].clone());
        if worst.0 - best <= 1e-12 * (1e-9 + best.abs()) {
            break;
        }
        let middle: Vec<f64> = (0..count)
            .map(|axis| corners[..count].iter().map(|corner| corner.1[axis]).sum::<f64>() / count as f64)
            .collect();
        let along = |share: f64| -> Vec<f64> {
            middle.iter().zip(&worst.1).map(|(mid, bad)| mid + share * (mid - bad)).collect()
        };
        let reflected = ask(&along(1.0));
        let next = if reflected.0 < best {
            let expanded = ask(&along(2.0));
            if expanded.0 < reflected.0 { expanded } else { reflected }
        } else if reflected.0 < corners[count - 1].0 {
            reflected
        } else {
            let inward = ask(&along(if reflected.0 < worst.0 { 0.5 } else { -0.5 }));
            if inward.0 >= worst.0.min(reflected.0) {
                let anchor = corners[0].1.clone();
                for corner in corners.iter_mut().skip(1) {
                    let half: Vec<f64> = corner.1.iter().zip(&anchor).map(|(a, b)| 0.5 * (a + b)).collect();
                    *corner = ask(&half);
                }
                continue;
            }
            inward
        };
        corners[count] = next;
    }
    corners.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or(from)
}

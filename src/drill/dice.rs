//! Chance that is the same on every machine: a generator for each person and matter, and spreads without any logarithm.

use chrono::TimeDelta;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How long something takes among many people: four quantiles, straight lines between them, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Nobody is faster.
    pub least_s: f64,
    /// Half of them.
    pub median_s: f64,
    /// Nine of ten.
    pub p90_s: f64,
    /// Nobody is slower.
    pub most_s: f64,
}

impl Spread {
    /// From the four quantiles, in seconds.
    pub const fn of(least_s: f64, median_s: f64, p90_s: f64, most_s: f64) -> Self {
        Self { least_s, median_s, p90_s, most_s }
    }
    /// The quantile of a share within 0…1, in seconds.
    pub fn at(&self, share: f64) -> f64 {
        let between = |from: f64, to: f64, part: f64| from + (to - from) * part.clamp(0.0, 1.0);
        if share < 0.5 {
            between(self.least_s, self.median_s, share / 0.5)
        } else if share < 0.9 {
            between(self.median_s, self.p90_s, (share - 0.5) / 0.4)
        } else {
            between(self.p90_s, self.most_s, (share - 0.9) / 0.1)
        }
    }
}

/// The dice of one person in one matter: they do not depend on what anybody else throws.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn of(seed: u64, who: &str, matter: &str, number: u64) -> Self {
        let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
        let parts = who.bytes().chain([0]).chain(matter.bytes()).chain([0]).chain(number.to_be_bytes());
        for byte in parts {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(ChaCha8Rng::seed_from_u64(hash))
    }
    /// 0…1.
    pub(super) fn share(&mut self) -> f64 {
        self.0.random_range(0.0..1.0)
    }
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }
    /// A time of the spread, `factor` times as long.
    pub(super) fn wait(&mut self, spread: &Spread, factor: f64) -> TimeDelta {
        TimeDelta::milliseconds((spread.at(self.share()) * factor * 1000.0) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drill_dice_keep_to_the_quantiles_and_to_the_person() {
        let spread = Spread::of(10.0, 40.0, 100.0, 600.0);
        let check = |share: f64, expected: f64| assert!((spread.at(share) - expected).abs() < 1e-9, "{share}");
        check(0.0, 10.0);
        check(0.5, 40.0);
        check(0.9, 100.0);
        check(1.0, 600.0);
        let throws = |who: &str, number| Dice::of(7, who, "answer", number).wait(&spread, 1.0);
        assert_eq!(throws("mbr-001", 1), throws("mbr-001", 1));
        assert_ne!(throws("mbr-001", 1), throws("mbr-002", 1));
        assert_ne!(throws("mbr-001", 1), throws("mbr-001", 2));
        let slow = (0..1000).filter(|number| throws("mbr-003", *number) > TimeDelta::seconds(100)).count();
        assert!((60..140).contains(&slow), "{slow} of 1000 are slower than the 90 % quantile");
    }
}

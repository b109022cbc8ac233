//! Chance with a seed: one stream per file, so that a change in one file leaves the others as they were.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded stream of numbers.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one subject (`"stones"`, `"members"`, …) under a seed.
    pub fn of(seed: u64, subject: &str) -> Self {
        // FNV-1a: stable over versions, unlike the standard hasher.
        let label = subject
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(ChaCha8Rng::seed_from_u64(seed ^ label))
    }
    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (f64::from(self.0.random::<u32>()) / (f64::from(u32::MAX) + 1.0))
    }
    /// Uniform in `-half..half`.
    pub fn around(&mut self, half: f64) -> f64 {
        self.between(-half, half)
    }
    /// Uniform in `0..count`.
    pub fn index(&mut self, count: usize) -> usize {
        (self.0.random::<u32>() as usize) % count.max(1)
    }
    /// True once in `n` times.
    pub fn one_in(&mut self, n: u32) -> bool {
        self.0.random::<u32>().is_multiple_of(n)
    }
    /// Uniform in `low..=high`.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.random::<u32>() % (high - low + 1)
    }
    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.index(from.len());
        &from[at]
    }
}

//! Noise that is the same on every machine: a draw for each name and second.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A number in -1…1 that depends on nothing but its arguments; the parts of the name are read as one word.
pub(super) fn noise(seed: u64, name: &[&str], second: i64) -> f64 {
    let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
    let mut mix = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    name.iter().for_each(|part| mix(part.as_bytes()));
    mix(&second.to_be_bytes());
    ChaCha8Rng::seed_from_u64(hash).random_range(-1.0..=1.0)
}

#[cfg(test)]
mod tests {
    use super::noise;

    #[test]
    fn noise_is_bounded_even_and_repeatable() {
        let draws: Vec<f64> = (0..2000).map(|second| noise(7, &["huayuankou.stage"], second)).collect();
        assert!(draws.iter().all(|draw| (-1.0..=1.0).contains(draw)));
        assert!((draws.iter().sum::<f64>() / 2000.0).abs() < 0.05);
        assert_eq!(noise(7, &["x.", "y"], 1), noise(7, &["x.y"], 1));
        assert_ne!(noise(7, &["x"], 1), noise(8, &["x"], 1));
    }
}

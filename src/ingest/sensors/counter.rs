//! A counter that starts anew at its end (rain): the sum goes on, and a reset of the device is not taken for a wrap.

/// Carries the sum of one counter from poll to poll.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counter {
    last: Option<i64>,
    carried: i64,
}

impl Counter {
    /// The sum of counts since the device first started, given its present count.
    ///
    /// A fall is a wrap when the way round is at most `max_step` counts, else a reset to zero.
    pub fn unwrap_count(&mut self, count: i64, wraps_at: i64, max_step: i64) -> i64 {
        if let Some(last) = self.last.filter(|last| count < *last) {
            let round = count + wraps_at - last;
            self.carried += if round <= max_step { wraps_at } else { last };
        }
        self.last = Some(count);
        self.carried + count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sums(counts: &[i64]) -> Vec<i64> {
        let mut counter = Counter::default();
        counts.iter().map(|count| counter.unwrap_count(*count, 65536, 1000)).collect()
    }

    #[test]
    fn a_wrap_goes_on_and_a_reset_starts_from_what_was_reached() {
        assert_eq!(sums(&[65530, 65535, 4]), [65530, 65535, 65540]);
        assert_eq!(sums(&[300, 310, 2, 5]), [300, 310, 312, 315]);
        assert_eq!(sums(&[7, 7]), [7, 7]);
    }

    proptest! {
        #[test]
        fn the_sum_never_falls_and_follows_true_rain(steps in prop::collection::vec(0i64..1000, 1..300)) {
            let mut truth = 0;
            let mut counter = Counter::default();
            for step in steps {
                truth += step;
                prop_assert_eq!(counter.unwrap_count(truth % 65536, 65536, 1000), truth);
            }
        }
    }
}

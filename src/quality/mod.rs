//! Checks that judge a reading: range, rise, spike, frozen, late. In: readings. Out: observations. No I/O, no clock.

//! How far a long run is: one line on the terminal that is written over.
//!
//! In: a count from its beginning to its end, seconds of the flood or hours of a library. Out: bar, share done, time left, on standard
//! error; nothing where standard error is no terminal.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time from one line to the next.
const EVERY: Duration = Duration::from_millis(500);

/// A run under way.
pub(super) struct Progress {
    begun: Instant,
    from: f64,
    end: f64,
    told: Mutex<Instant>,
    shown: bool,
}

impl Progress {
    /// At its beginning; `from` is above zero where an older run is gone on with.
    pub(super) fn new(from: f64, end: f64) -> Self {
        let begun = Instant::now();
        Self { begun, from, end, told: Mutex::new(begun), shown: std::io::stderr().is_terminal() }
    }

    pub(super) fn wall(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Tells where the run is, now and then. Always true: the run goes on.
    pub(super) fn tell(&self, now: f64, what: impl FnOnce() -> String) -> bool {
        let Ok(mut told) = self.told.try_lock() else { return true };
        if self.shown && told.elapsed() > EVERY {
            *told = Instant::now();
            let mut out = std::io::stderr();
            // Whoever closed standard error does not look.
            let _ = write!(out, "\r{}   ", self.line(now, self.wall(), &what())).and_then(|()| out.flush());
        }
        true
    }

    fn line(&self, now: f64, wall: Duration, what: &str) -> String {
        let share = ((now - self.from) / (self.end - self.from)).clamp(1e-6, 1.0);
        let left_s = wall.as_secs_f64() * (1.0 - share) / share;
        let bar = "#".repeat((share * 30.0) as usize);
        format!("[{bar:<30}] {:5.1} %  {what}  剩余 {left_s:.0} s left", share * 100.0)
    }

    /// Leaves the line standing.
    pub(super) fn finish(&self) {
        if self.shown {
            let _ = writeln!(std::io::stderr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twin_progress_tells_share_and_time_left() {
        let line = |from, now| Progress::new(from, 200.0).line(now, Duration::from_secs(30), "t = 1 s");
        assert_eq!(line(0.0, 50.0), "[#######                       ]  25.0 %  t = 1 s  剩余 90 s left");
        assert!(line(100.0, 150.0).contains(" 50.0 %") && line(100.0, 150.0).contains("剩余 30 s"));
        assert!(line(0.0, 900.0).contains("100.0 %"));
    }
}

//! Processor time and memory of a process, as Linux counts them.

use std::fs;

/// Clock ticks in a second, as in /proc; fixed in the kernel's interface.
const TICKS_A_SECOND: f64 = 100.0;

/// User and system time of a process, s; 0 if the system does not say.
pub(super) fn cpu_s(pid: &str) -> f64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    // The name in brackets may hold blanks; fields are counted after it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let field = |n: usize| after.split_whitespace().nth(n).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (field(11) + field(12)) / TICKS_A_SECOND
}

/// Highest resident memory of a process, MB; 0 if the system does not say.
pub(super) fn peak_rss_mb(pid: &str) -> f64 {
    memory_mb(pid, "VmHWM:")
}

/// Resident memory of a process at this moment, MB; 0 if the system does not say.
pub(super) fn rss_mb(pid: &str) -> f64 {
    memory_mb(pid, "VmRSS:")
}

fn memory_mb(pid: &str, name: &str) -> f64 {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return 0.0 };
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib * 1024.0 / 1e6)
}

/// The middle of some measurements.
pub(super) fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_meter_reads_this_process() {
        assert!(peak_rss_mb("self") > 1.0);
        let before = cpu_s("self");
        let mut x = 1u64;
        while cpu_s("self") < before + 0.02 {
            x = std::hint::black_box(x.wrapping_mul(31));
        }
        assert_eq!(cpu_s("no such process"), 0.0);
    }

    #[test]
    fn bench_meter_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert!(median(vec![]).is_nan());
    }
}

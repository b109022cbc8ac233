//! What `/metrics` tells: one registry, one handle for each number, names with units.
//!
//! In: the rooms' wiring in `app` raises the handles. Out: OpenMetrics text. No label ever holds a person, a member or
//! a free text, so that the number of series stays bounded.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A label that names a kind out of a small fixed set: a source, a quality, a status, a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// The kind.
    pub kind: &'static str,
}

/// A label that names a series of observations; there are as many as the sensor files list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Series {
    /// `<station>.<quantity>`.
    pub series: String,
}

/// A gauge of a real number.
pub type Real = Gauge<f64, AtomicU64>;

/// All numbers of a server. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Readings taken in, by source protocol.
    pub readings: Family<Kind, Counter>,
    /// Observations whose quality is not good, by quality.
    pub flagged: Family<Kind, Counter>,
    /// Polls that brought nothing, by reason.
    pub poll_failures: Family<Kind, Counter>,
    /// Age of the last good value of each gauge.
    pub gauge_age_seconds: Family<Series, Real>,
    /// From the call to durable, for a batch of points.
    pub append_seconds: Histogram,
    /// Facts in the journal since the start.
    pub facts: Counter,
    /// From the call to durable, for a batch of facts.
    pub commit_seconds: Histogram,
    /// Tasks now, by status.
    pub tasks: Family<Kind, Gauge>,
    /// Answered / should have been called, 0 to 1.
    pub answer_ratio: Real,
    /// From the release to the first byte on a phone's stream.
    pub delivery_seconds: Histogram,
    /// Deliveries that ended, by outcome.
    pub deliveries: Family<Kind, Counter>,
    /// Rows in the outbox that are not delivered yet.
    pub outbox_pending: Gauge,
    /// Open event streams, by page.
    pub streams: Family<Kind, Gauge>,
    /// Streams that were told to fetch everything anew because they fell behind.
    pub stream_resyncs: Counter,
    /// Logins that were refused, by reason.
    pub logins_refused: Family<Kind, Counter>,
    /// Age of the last complete backup.
    pub backup_age_seconds: Real,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All numbers at zero.
    pub fn new() -> Self {
        // 1 ms to 16 s.
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        let mut metrics = Self {
            registry: Arc::default(),
            readings: Family::default(),
            flagged: Family::default(),
            poll_failures: Family::default(),
            gauge_age_seconds: Family::default(),
            append_seconds: seconds(),
            facts: Counter::default(),
            commit_seconds: seconds(),
            tasks: Family::default(),
            answer_ratio: Real::default(),
            delivery_seconds: seconds(),
            deliveries: Family::default(),
            outbox_pending: Gauge::default(),
            streams: Family::default(),
            stream_resyncs: Counter::default(),
            logins_refused: Family::default(),
            backup_age_seconds: Real::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics
    }

    /// The text for `/metrics`.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn register(&self) -> Registry {
        let mut r = Registry::with_prefix("anlan");
        r.register("build", "Version of the program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        r.register("readings", "Readings taken in, by source", self.readings.clone());
        r.register("observations_flagged", "Observations that are not good, by quality", self.flagged.clone());
        r.register("poll_failures", "Polls that brought nothing, by reason", self.poll_failures.clone());
        let age = "Age of the last good value";
        r.register_with_unit("gauge_age", age, Unit::Seconds, self.gauge_age_seconds.clone());
        let append = "Time until a batch of points is durable";
        r.register_with_unit("series_append", append, Unit::Seconds, self.append_seconds.clone());
        r.register("journal_facts", "Facts written to the journal", self.facts.clone());
        let commit = "Time until a batch of facts is durable";
        r.register_with_unit("journal_commit", commit, Unit::Seconds, self.commit_seconds.clone());
        r.register("tasks", "Tasks now, by status", self.tasks.clone());
        r.register("answer_ratio", "Answered / should have been called, 0 to 1", self.answer_ratio.clone());
        let delivery = "Time from the release to the first byte on a phone's stream";
        r.register_with_unit("delivery", delivery, Unit::Seconds, self.delivery_seconds.clone());
        r.register("deliveries", "Deliveries that ended, by outcome", self.deliveries.clone());
        r.register("outbox_pending", "Outbox rows not delivered yet", self.outbox_pending.clone());
        r.register("streams", "Open event streams, by page", self.streams.clone());
        r.register("stream_resyncs", "Streams that had to fetch everything anew", self.stream_resyncs.clone());
        r.register("logins_refused", "Refused logins, by reason", self.logins_refused.clone());
        let backup = "Age of the last complete backup";
        r.register_with_unit("backup_age", backup, Unit::Seconds, self.backup_age_seconds.clone());
        r
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_text_carries_names_units_and_values() {
        let metrics = Metrics::new();
        metrics.readings.get_or_create(&Kind { kind: "modbus" }).inc_by(3);
        metrics.gauge_age_seconds.get_or_create(&Series { series: "huayuankou.stage".into() }).set(12.5);
        metrics.clone().commit_seconds.observe(0.004);
        let text = metrics.render();
        for line in [
            "anlan_readings_total{kind=\"modbus\"} 3",
            "# UNIT anlan_gauge_age_seconds seconds",
            "anlan_gauge_age_seconds{series=\"huayuankou.stage\"} 12.5",
            "anlan_journal_commit_seconds_count 1",
            "anlan_journal_facts_total 0",
            concat!("anlan_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}

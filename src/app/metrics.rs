//! What `/metrics` tells: numbers read from the state, the water and the links at each scrape, names with units.
//!
//! In: the live post, its pollers, its callers, its open streams. Out: OpenMetrics text. No label ever holds a person or free text,
//! so that the number of series stays bounded.

use super::backup::NewestBackup;
use super::clock::wall_now;
use crate::ingest::modbus::Poller;
use crate::ingest::mqtt::MqttCounted;
use crate::model::TaskStatus;
use crate::web::{Callers, Post};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

/// A label out of a small fixed set: a status, a reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// A series of observations, or an endpoint; as many as the sensor files list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    of: String,
}

type Real = Gauge<f64, AtomicU64>;

/// All numbers of a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    gauge_age: Family<Of, Real>,
    polls: Family<Of, Gauge>,
    answers: Family<Of, Gauge>,
    failures: Family<Kind, Gauge>,
    late_polls: Gauge,
    mqtt: Family<Kind, Gauge>,
    sl651: Family<Kind, Gauge>,
    queue_full: Gauge,
    facts: Gauge,
    tasks: Family<Kind, Gauge>,
    alarms_open: Gauge,
    answer_ratio: Real,
    streams: Gauge,
    level: Gauge,
    disk_free: Gauge,
    newest_backup: NewestBackup,
    /// Without a series until the first backup of the server.
    backup_age: Family<Kind, Gauge>,
}

impl Metrics {
    /// Registered, not yet read.
    pub fn new(newest_backup: NewestBackup) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("anlan"),
            gauge_age: Family::default(),
            polls: Family::default(),
            answers: Family::default(),
            failures: Family::default(),
            late_polls: Gauge::default(),
            mqtt: Family::default(),
            sl651: Family::default(),
            queue_full: Gauge::default(),
            facts: Gauge::default(),
            tasks: Family::default(),
            alarms_open: Gauge::default(),
            answer_ratio: Real::default(),
            streams: Gauge::default(),
            level: Gauge::default(),
            disk_free: Gauge::default(),
            newest_backup,
            backup_age: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("build", "Version of the program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let age =
            "Age of the last usable value of a series, or of the watch where none ever came, on the clock of the reach";
        r.register_with_unit("gauge_age", age, Unit::Seconds, self.gauge_age.clone());
        r.register("polls", "Polls due since the start, by endpoint", self.polls.clone());
        r.register("poll_answers", "Polls answered in full since the start, by endpoint", self.answers.clone());
        r.register("poll_failures", "Requests that failed since the start, by reason", self.failures.clone());
        r.register("polls_late", "Polls that began more than a period late", self.late_polls.clone());
        r.register("readings_queue_full", "Batches that found the queue full and waited", self.queue_full.clone());
        r.register("mqtt_messages", "Messages of brokers since the start, by what became of them", self.mqtt.clone());
        r.register(
            "sl651_messages",
            "Messages of SL 651 stations since the start, by what became of them",
            self.sl651.clone(),
        );
        r.register("journal_facts", "Facts in the journal", self.facts.clone());
        r.register("tasks", "Tasks now, by status", self.tasks.clone());
        r.register("alarms_open", "Alarms that are not closed", self.alarms_open.clone());
        r.register("answer_ratio", "Answered / should have been called, 0 to 1", self.answer_ratio.clone());
        r.register("streams", "Open event streams", self.streams.clone());
        let age = "Age of the newest backup that the server made";
        r.register_with_unit("backup_age", age, Unit::Seconds, self.backup_age.clone());
        let free = "Bytes that may still be written on the disk of the data directory";
        r.register_with_unit("disk_free", free, Unit::Bytes, self.disk_free.clone());
        r.register("level", "Level in force, 0 none to 4 red", self.level.clone());
    }

    /// Reads everything now and gives the text.
    pub fn scrape(&self, post: &Post, poller: &Poller, callers: &Callers, streams: usize) -> String {
        self.read_links(poller);
        self.read_callers(callers);
        self.read_post(post);
        if let Some(age_s) = self.newest_backup.age_s(wall_now()) {
            self.backup_age.get_or_create(&Kind { kind: "scheduled" }).set(age_s);
        }
        self.streams.set(i64::try_from(streams).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn read_links(&self, poller: &Poller) {
        let (mut timeouts, mut exceptions, mut bad, mut late, mut full) = (0, 0, 0, 0, 0);
        for link in poller.links() {
            let of = Of { of: link.endpoint.clone() };
            let polls: u64 = link.units.values().map(|unit| unit.polls).sum();
            let answers: u64 = link.units.values().map(|unit| unit.answers).sum();
            self.polls.get_or_create(&of).set(polls.cast_signed());
            self.answers.get_or_create(&of).set(answers.cast_signed());
            timeouts += link.units.values().map(|unit| unit.timeouts).sum::<u64>();
            exceptions += link.units.values().map(|unit| unit.exceptions).sum::<u64>();
            bad += link.units.values().map(|unit| unit.bad_answers).sum::<u64>();
            late += link.late_polls;
            full += link.queue_full;
        }
        for (kind, count) in [("timeout", timeouts), ("exception", exceptions), ("bad-answer", bad)] {
            self.failures.get_or_create(&Kind { kind }).set(count.cast_signed());
        }
        self.late_polls.set(late.cast_signed());
        self.queue_full.set(full.cast_signed());
    }

    fn read_callers(&self, callers: &Callers) {
        let set = |family: &Family<Kind, Gauge>, counts: &[(&'static str, u64)]| {
            for (kind, count) in counts {
                family.get_or_create(&Kind { kind }).set(count.cast_signed());
            }
        };
        if let Some(mqtt) = &callers.mqtt {
            let all: Vec<_> = mqtt.links().into_iter().map(|link| link.counted).collect();
            let sum = |of: fn(&MqttCounted) -> u64| all.iter().map(of).sum::<u64>();
            let counts = [
                ("taken", sum(|counted| counted.messages)),
                ("settled", sum(|counted| counted.settled)),
                ("dead", sum(|counted| counted.dead)),
                ("unknown", sum(|counted| counted.unknown)),
                ("dropped", sum(|counted| counted.dropped)),
            ];
            set(&self.mqtt, &counts);
        }
        if let Some(sl651) = &callers.sl651 {
            let counted = sl651.counted();
            let counts = [
                ("kept", counted.kept),
                ("repeated", counted.repeated),
                ("not-kept", counted.not_kept),
                ("set-aside", counted.set_aside),
                ("bad-crc", counted.bad_crc),
            ];
            set(&self.sl651, &counts);
        }
    }

    fn read_post(&self, post: &Post) {
        let now = post.engine.now();
        for gauge in &post.water().gauges {
            let since = gauge.time.unwrap_or(gauge.watched_since);
            let age_s = (now - since).num_milliseconds() as f64 / 1000.0;
            self.gauge_age.get_or_create(&Of { of: gauge.series.to_string() }).set(age_s);
        }
        self.disk_free.set(post.engine.journal().room().map_or(0, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)));
        let state = post.engine.state();
        self.facts.set(state.last.0.cast_signed());
        self.level.set(i64::try_from(state.in_force.rank()).unwrap_or_default());
        for status in TaskStatus::ALL {
            let count = state.tasks.values().filter(|task| task.status == status).count();
            self.tasks.get_or_create(&Kind { kind: status.as_str() }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let open = state.alarms.values().filter(|alarm| !alarm.closed).count();
        self.alarms_open.set(i64::try_from(open).unwrap_or(i64::MAX));
        let called = state.called();
        if !called.is_empty() {
            let answered = called.values().filter(|answered| **answered).count();
            self.answer_ratio.set(answered as f64 / called.len() as f64);
        }
    }
}

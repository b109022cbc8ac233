//! Typed ids, so that a member's id can never be passed where a task's is meant.
//!
//! Ids of facts, tasks, reports and activations come from the journal's sequence, never from clock or chance.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);
        impl $name {
            /// Wraps the text as it is; whether it exists is asked of the registry that owns it.
            pub fn new(text: impl AsRef<str>) -> Self { Self(Arc::from(text.as_ref())) }
            /// The id as written in files and on the wire.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:?}", &*self.0) }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self { Self::new(text) }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self { Self(Arc::from(text)) }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }
    };
}

text_id!(/// A hydrometric station (水文站), e.g. `huayuankou`.
    StationId);
text_id!(/// A series of observations, `<station>.<quantity>`, e.g. `huayuankou.discharge`.
    SeriesId);
text_id!(/// A place that can carry a task: `cell-…`, `seg-…`, `work-…`, `dam-…`, `village-…`, `depot-…`, `hq`.
    PlaceId);
text_id!(/// A member of the grid (网格员), `mbr-…`.
    MemberId);
text_id!(/// The code of a preset instruction (任务指令), e.g. `B8-010`; kept for life.
    InstructionCode);
text_id!(/// The login name of a user of the system.
    UserName);

/// The name of the sensor that is none: what was computed in place of a measurement.
pub const ESTIMATE: &str = "estimate";

impl SeriesId {
    /// The station before the first dot.
    pub fn station(&self) -> &str {
        self.as_str().split_once('.').map_or(self.as_str(), |(station, _)| station)
    }
    /// The quantity after the first dot, empty if there is none; another sensor of the same water has its name behind a
    /// hyphen: `stage-b`.
    pub fn quantity(&self) -> &str {
        self.as_str().split_once('.').map_or("", |(_, quantity)| quantity)
    }
    /// The quantity without the sensor: `stage` of `huayuankou.stage-b`.
    pub fn measure(&self) -> &str {
        let quantity = self.quantity();
        quantity.split_once('-').map_or(quantity, |(measure, _)| measure)
    }
    /// The sensor, where the series is not the main one of its water: `b` of `huayuankou.stage-b`.
    pub fn sensor(&self) -> Option<&str> {
        self.quantity().split_once('-').map(|(_, sensor)| sensor)
    }
    /// The main series of the same water.
    #[must_use]
    pub fn main(&self) -> Self {
        Self::new(format!("{}.{}", self.station(), self.measure()))
    }
    /// The series that keeps what was computed in place of this one's measurements.
    #[must_use]
    pub fn estimate(&self) -> Self {
        Self::new(format!("{}.{}-{ESTIMATE}", self.station(), self.measure()))
    }
}

/// Position of a fact in the journal of its reach, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct FactSeq(pub u64);

macro_rules! sequence_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!($prefix, "{}"), self.0) }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                text.strip_prefix($prefix).and_then(|digits| digits.parse().ok()).map(Self)
                    .ok_or_else(|| format!(concat!("{:?} 不是 ", $prefix, "<数字> 形式的编号 (not an id of the form ", $prefix, "<number>)"), text))
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> { to.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

sequence_id!(/// A task (任务): an instruction issued for one place.
    TaskId, "tsk-");
sequence_id!(/// A flood event (汛情过程), from the first fired row to all-clear.
    EventId, "evt-");
sequence_id!(/// A request to put a level in force.
    ActivationId, "act-");
sequence_id!(/// A report from the field (回传).
    ReportId, "rpt-");

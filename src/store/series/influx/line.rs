//! Points as lines of the line protocol, built by the `influxdb2` crate, which does not check them: that is done here.

use super::SeriesError;
use crate::model::SeriesId;
use influxdb2::models::{DataPoint, WriteDataPoint};

/// Who gave a value: the tag that keeps a person's value apart from the device's of the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Device,
    Person,
}

impl By {
    /// As the stored code says.
    pub(super) fn of(code: u16) -> Self {
        if super::super::points::is_by_hand(code) { Self::Person } else { Self::Device }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Person => "person",
        }
    }
}

/// One point; times in ms. A value that is not finite is left out: its code says that it is missing.
///
/// # Errors
/// When the id could not be read back as it was.
pub(super) fn of(series: &SeriesId, by: By, at_ms: i64, value: f64, code: u16) -> Result<String, SeriesError> {
    check(series)?;
    let bad = |reason| SeriesError::BadSeriesId { series: series.clone(), reason };
    guarded(|| {
        let point = DataPoint::builder(series.quantity())
            .tag("station", series.station())
            .tag("by", by.as_str())
            .field("quality", i64::from(code))
            .timestamp(at_ms);
        let point = if value.is_finite() { point.field("value", value) } else { point };
        let mut text = Vec::new();
        point.build().map_err(|_| "no field")?.write_data_point_to(&mut text).map_err(|_| "not writable")?;
        String::from_utf8(text).map_err(|_| "not UTF-8")
    })
    .map_err(bad)
}

/// Foreign code whose panics are known: one costs the line it was for and never the process.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, &'static str>) -> Result<T, &'static str> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Err("building its line broke down"))
}

/// Ids whose escaping differs between servers never leave the house.
fn check(series: &SeriesId) -> Result<(), SeriesError> {
    let bad = |reason| Err(SeriesError::BadSeriesId { series: series.clone(), reason });
    if series.station().is_empty() || series.quantity().is_empty() {
        return bad("it must be <station>.<quantity>");
    }
    if series.as_str().chars().any(|c| c.is_control() || c.is_whitespace() || "\\,=\"'".contains(c)) {
        return bad("it holds a blank, a quote, a backslash, a comma, an equals sign or a control character");
    }
    Ok(())
}

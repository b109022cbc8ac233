//! The few questions that are asked in Flux.

use crate::model::{SeriesId, Timestamp};
use chrono::SecondsFormat;

/// Text inside a Flux string literal.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            // `${` would begin an expression.
            '$' => out.push_str("\\x24"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn instant(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Fields beside each other in one row.
const SIDE_BY_SIDE: &str = r#"|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#;

/// Value and quality of a series, device and person apart, from `from` (inclusive) to `to` (exclusive).
pub(super) fn range(bucket: &str, series: &SeriesId, from: Timestamp, to: Timestamp) -> String {
    format!(
        "from(bucket: {}) |> range(start: {}, stop: {}) |> filter(fn: (r) => r._measurement == {} and r.station == {}) {SIDE_BY_SIDE}",
        quoted(bucket),
        instant(from),
        instant(to),
        quoted(series.quantity()),
        quoted(series.station()),
    )
}

/// The newest point of every series, device and person apart. The last of each field is cheap for the server; a value that
/// is older than the last verdict lands in a row of its own, without a verdict.
pub(super) fn newest(bucket: &str) -> String {
    format!(
        "from(bucket: {}) |> range(start: 0) |> filter(fn: (r) => r._field == \"quality\" or r._field == \"value\") |> last() {SIDE_BY_SIDE}",
        quoted(bucket)
    )
}

/// The oldest point of every series, device and person apart.
pub(super) fn oldest(bucket: &str) -> String {
    format!(
        "from(bucket: {}) |> range(start: 0) |> filter(fn: (r) => r._field == \"quality\") |> first() {SIDE_BY_SIDE}",
        quoted(bucket)
    )
}

/// How many points every series has, device and person apart.
pub(super) fn counts(bucket: &str) -> String {
    format!(
        "from(bucket: {}) |> range(start: 0) |> filter(fn: (r) => r._field == \"quality\") |> count()",
        quoted(bucket)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn influx_flux_strings_cannot_be_left() {
        assert_eq!(quoted(r#"a") |> drop(${x}) \"#), r#""a\") |> drop(\x24{x}) \\""#);
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
    }

    #[test]
    fn influx_flux_range_names_series_and_span() {
        let at = |ms| chrono::DateTime::from_timestamp_millis(ms).unwrap();
        let asked = range("levee", &"huayuankou.stage".into(), at(0), at(1_500));
        assert_eq!(
            asked,
            "from(bucket: \"levee\") |> range(start: 1970-01-01T00:00:00.000Z, stop: 1970-01-01T00:00:01.500Z) \
             |> filter(fn: (r) => r._measurement == \"stage\" and r.station == \"huayuankou\") \
             |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")"
        );
    }
}

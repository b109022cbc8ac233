//! Series of a case: CSV with a header line and two columns of numbers.

use crate::hydraulics::{Series, SeriesFault};
use std::path::Path;
use thiserror::Error;

/// Why a series cannot be read.
#[derive(Debug, Error)]
pub(super) enum TableFault {
    #[error("过程线不可读 (cannot read series {path})")]
    Unreadable {
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error(
        "{path}：首行须为 {expected}，实为“{found}” ({path}: the first line must be '{expected}', it is '{found}')"
    )]
    Header { path: String, expected: String, found: String },
    #[error(
        "第 {line} 行须为两个有限数，小数点用“.” ({path}:{line}: '{text}' is not two finite numbers; decimals are written with a point)"
    )]
    Row { path: String, line: usize, text: String },
    #[error("{path}:{line}: 不是过程线 (this is no series)")]
    Series {
        path: String,
        /// Line of the point that is at fault, from 1.
        line: usize,
        #[source]
        cause: SeriesFault,
    },
}

/// A text of settings: of the file that was asked for, else the one in the binary.
pub(super) fn settings(
    file: Option<&Path>,
    name: &str,
    own: fn(&str) -> Option<String>,
) -> Result<String, Box<dyn std::error::Error>> {
    match file {
        Some(path) => Ok(std::fs::read_to_string(path).map_err(|cause| format!("{}: {cause}", path.display()))?),
        None => Ok(own(name).ok_or_else(|| format!("no {name} in the binary"))?),
    }
}

/// Reads a series whose columns are `time_s` and `value`.
pub(super) fn read(path: &Path, value: &str) -> Result<Series, TableFault> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| TableFault::Unreadable { path: shown.clone(), cause })?;
    parse(&shown, &text, value)
}

fn parse(path: &str, text: &str, value: &str) -> Result<Series, TableFault> {
    let expected = format!("time_s,{value}");
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let found: String = lines.next().map_or("", |(_, line)| line).chars().filter(|c| !c.is_whitespace()).collect();
    if found != expected {
        return Err(TableFault::Header { path: path.into(), expected, found });
    }
    let (mut points, mut at_lines) = (Vec::new(), Vec::new());
    for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let row = || TableFault::Row { path: path.into(), line: at + 1, text: line.into() };
        let (time, value) = line.split_once(',').ok_or_else(row)?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(row);
        points.push((number(time)?, number(value)?));
        at_lines.push(at + 1);
    }
    Series::new(points).map_err(|cause| {
        let line = match cause {
            SeriesFault::Empty => 1,
            SeriesFault::NotFinite(point) | SeriesFault::NotRising(point) => {
                at_lines.get(point - 1).copied().unwrap_or(1)
            }
        };
        TableFault::Series { path: path.into(), line, cause }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twin_table_reads_and_names_what_is_wrong() {
        let series = parse("q.csv", "time_s,discharge_m3s\n0,1\n\n10, 3\n", "discharge_m3s").unwrap();
        assert_eq!(series.at(5.0), 2.0);
        let check = |text: &str, expected: &str| {
            let fault = parse("q.csv", text, "discharge_m3s").unwrap_err();
            let cause = std::error::Error::source(&fault).map(ToString::to_string).unwrap_or_default();
            let said = format!("{fault} {cause}");
            assert!(said.contains(expected), "{said}");
        };
        check("time,q\n0,1\n", "first line must be 'time_s,discharge_m3s'");
        check("time_s,discharge_m3s\n0,1\n5,x\n", "q.csv:3: '5,x'");
        check("time_s,discharge_m3s\n0,1\n5,nan\n", "q.csv:3");
        check("time_s,discharge_m3s\n0,1\n0,2\n", "point 2 does not come after");
        check("time_s,discharge_m3s\r\n\r\n600,1\r\n\r\n0,2\r\n", "q.csv:5: 不是过程线 (this is no series) 第 2 点");
        check("time_s,discharge_m3s\n0,0,5\n", "q.csv:2: '0,0,5' is not two finite numbers; decimals");
        check("time_s,discharge_m3s\n", "empty");
        check("", "it is ''");
        let text = "\u{feff}time_s,discharge_m3s\r\n0,1\r\n10,3\r\n";
        assert_eq!(parse("q.csv", text, "discharge_m3s").unwrap().at(5.0), 2.0);
    }
}

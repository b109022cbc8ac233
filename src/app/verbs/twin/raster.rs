//! Rasters in and out: ESRI ASCII grids here, GeoTIFF in [`super::geotiff`].
//!
//! In: a GeoTIFF, or text with a header (ncols, nrows, xllcorner or xllcenter, yllcorner or yllcenter, cellsize, optional NODATA_value) and
//! rows from north to south, with its `.prj` file where there is one. Out: values with row 0 at the south, not a number where the file has
//! no value.

use super::geotiff::{self, Projection};
use super::prj::{self, Prj};
use crate::hydraulics::{Cell, Grid, Spot};
use crate::playbook::Words;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Most cells that a raster may have: 20 × 20 km at 2 m.
pub(super) const MOST_CELLS: usize = 200_000_000;

/// Lowest and highest height that ground has, m.
const LOWEST_M: f32 = -500.0;
const HIGHEST_M: f32 = 9_000.0;

/// Why a raster cannot be read.
#[derive(Debug, Error)]
pub(in crate::app) enum RasterFault {
    #[error("栅格不可读 (cannot read raster {path})")]
    Unreadable {
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("{path}: {what}")]
    Unusable { path: String, what: Words },
    #[error("{path}:{line}: {what}")]
    Header { path: String, line: usize, what: Words },
    #[error(
        "第 {line} 行第 {column} 列“{text}”不是有限数，位于{}；空洞以 NODATA_value 表示，小数点用“.” ({path}:{line}: '{text}' in column {column} is not a finite number, at {}; holes are written as NODATA_value, decimals with a point)",
        spot.zh(),
        spot.en()
    )]
    Value { path: String, line: usize, column: usize, text: String, spot: Spot },
    #[error(
        "栅格数值个数与文件头不符{} ({path} has {found} values, its header says {columns} x {rows} = {expected}{})",
        odd.map(|(line, count)| format!("，第 {line} 行有 {count} 个")).unwrap_or_default(),
        odd.map(|(line, count)| format!("; line {line} has {count}")).unwrap_or_default()
    )]
    Count {
        path: String,
        found: usize,
        columns: usize,
        rows: usize,
        expected: usize,
        /// The first line with another number of values than there are columns, and that number.
        odd: Option<(usize, usize)>,
    },
    #[error(
        "{}高程 {value} m 不是地面高程（{LOWEST_M} 至 {HIGHEST_M} m）：空洞请声明为 NODATA，其他单位请换算为 m ({path}: the height {value} m at {} is none that ground has ({LOWEST_M} to {HIGHEST_M} m): declare it as NODATA, or convert the heights to m)",
        spot.zh(),
        spot.en()
    )]
    Height { path: String, spot: Spot, value: f32 },
    #[error(
        "{path} 与 {other} 不一致：{}；同一算例的栅格须在同一网格与坐标系上 ({path} does not match {other}: {}; rasters of a case share one grid and coordinate system)",
        what.zh,
        what.en
    )]
    Mismatch { path: String, other: String, what: Words },
}

/// A raster on its grid, rows from the south.
#[derive(Debug, Clone)]
pub(super) struct Raster {
    pub path: PathBuf,
    pub grid: Grid,
    pub values: Vec<f32>,
    /// Where on Earth, if the file or its `.prj` says so.
    pub projection: Option<Projection>,
    /// The file that says it.
    pub placed_by: PathBuf,
}

/// Whether a value stands for a hole: numbers of other digits and widths than the NODATA itself mean the same.
pub(super) fn is_hole(value: f64, nothing: f64) -> bool {
    let far = |number: f64| number.abs() > 1e30;
    value == nothing
        || (value.is_nan() && nothing.is_nan())
        || value as f32 == nothing as f32
        || (far(value) && far(nothing) && value.signum() == nothing.signum())
}

/// Whether a name is that of a GeoTIFF.
fn is_tiff(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tif") || e.eq_ignore_ascii_case("tiff"))
}

/// Reads a raster: GeoTIFF by its name, else an ESRI ASCII grid.
pub(super) fn read(path: &Path) -> Result<Raster, RasterFault> {
    let shown = path.display().to_string();
    if is_tiff(path) {
        let file = File::open(path).map_err(|cause| RasterFault::Unreadable { path: shown.clone(), cause })?;
        let read = geotiff::read(BufReader::new(file));
        let (grid, values, projection) = read.map_err(|what| RasterFault::Unusable { path: shown, what })?;
        let (path, placed_by) = (path.to_owned(), path.to_owned());
        return Ok(Raster { path, grid, values, projection: Some(projection), placed_by });
    }
    let text = std::fs::read_to_string(path).map_err(|cause| RasterFault::Unreadable { path: shown.clone(), cause })?;
    let prj = prj::beside(path);
    let projection = prj.as_deref().map(placed).transpose()?.map(|prj| Projection::of_prj(&prj));
    let (grid, values) = parse(&shown, &text)?;
    let placed_by = prj.unwrap_or_else(|| path.to_owned());
    Ok(Raster { path: path.to_owned(), grid, values, projection, placed_by })
}

fn placed(path: &Path) -> Result<Prj, RasterFault> {
    let shown = || path.display().to_string();
    let read = prj::read(path).map_err(|what| RasterFault::Unusable { path: shown(), what })?;
    read.map_err(|cause| RasterFault::Unreadable { path: shown(), cause })
}

#[derive(Default)]
struct Header {
    columns: Option<f64>,
    rows: Option<f64>,
    west: Option<(f64, bool)>,
    south: Option<(f64, bool)>,
    cell: Option<f64>,
    nothing: Option<f64>,
    /// Keys in lower case with the line each stands in, counted from 1.
    lines: Vec<(String, usize)>,
}

impl Header {
    /// Takes a header line; false if it is none, a fault if its number is none or another line gave one.
    fn take(&mut self, key: &str, value: &str, line: usize) -> Result<bool, Words> {
        let key = key.to_ascii_lowercase();
        let known = ["ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize", "nodata_value"];
        if !known.contains(&key.as_str()) {
            return Ok(false);
        }
        let number: f64 = value.parse().map_err(|_| {
            Words::new(
                format!("{key}“{value}”不是数，小数点用“.”"),
                format!("{key} '{value}' is no number; decimals are written with a point"),
            )
        })?;
        if !number.is_finite() && key != "nodata_value" {
            return Err(Words::new(
                format!("{key} {value} 不是有限数"),
                format!("{key} {value} is not a finite number"),
            ));
        }
        // A corner and a centre are two ways to say one thing.
        let of = |key: &str| key.replace("center", "corner");
        if let Some((_, before)) = self.lines.iter().find(|(known, _)| of(known) == of(&key)) {
            let twice = format!("{key} was given in line {before} already");
            return Err(Words::new(format!("{key} 重复，第 {before} 行已给出"), twice));
        }
        match key.as_str() {
            "ncols" => self.columns = Some(number),
            "nrows" => self.rows = Some(number),
            "xllcorner" => self.west = Some((number, false)),
            "yllcorner" => self.south = Some((number, false)),
            "xllcenter" => self.west = Some((number, true)),
            "yllcenter" => self.south = Some((number, true)),
            "cellsize" => self.cell = Some(number),
            _ => self.nothing = Some(number),
        }
        self.lines.push((key, line));
        Ok(true)
    }

    /// Whether every key that must be there is.
    fn is_whole(&self) -> bool {
        [self.columns, self.rows, self.cell].iter().all(Option::is_some) && self.west.is_some() && self.south.is_some()
    }

    /// Where a key stands; where the header ends if it is not there.
    fn line_of(&self, key: &str) -> usize {
        let at = self.lines.iter().rfind(|(known, _)| known == key).or(self.lines.last());
        at.map_or(1, |(_, line)| *line)
    }

    /// The grid, or the key that is wrong and what is.
    fn grid(&self) -> Result<Grid, (&'static str, Words)> {
        let wrong = |name, zh: String, en: String| (name, Words::new(zh, en));
        let lacks = |name| wrong(name, format!("文件头缺 {name}"), format!("the header has no {name}"));
        let count = |value: Option<f64>, name| {
            let value = value.ok_or_else(|| lacks(name))?;
            let whole = value >= 1.0 && value.fract() == 0.0 && value <= MOST_CELLS as f64;
            let (zh, en) = (format!("{name} {value} 不是格数"), format!("{name} {value} is no number of cells"));
            if whole { Ok(value as usize) } else { Err(wrong(name, zh, en)) }
        };
        let (columns, rows) = (count(self.columns, "ncols")?, count(self.rows, "nrows")?);
        if columns.saturating_mul(rows) > MOST_CELLS {
            let size = format!("{columns} x {rows}");
            let (zh, en) = (format!("{size} 格多于 {MOST_CELLS}"), format!("{size} cells are more than {MOST_CELLS}"));
            return Err(wrong("nrows", zh, en));
        }
        let cell_m = self.cell.ok_or_else(|| lacks("cellsize"))?;
        if cell_m <= 0.0 {
            let (zh, en) = (format!("cellsize {cell_m} 须大于零"), format!("cellsize {cell_m} is not above zero"));
            return Err(wrong("cellsize", zh, en));
        }
        if cell_m < 0.01 {
            let en = format!("cellsize {cell_m} looks like degrees: project the raster to metres first");
            return Err(wrong("cellsize", format!("cellsize {cell_m} 似为度：请先投影到以米为单位的平面"), en));
        }
        let corner = |at: Option<(f64, bool)>, name: &'static str| {
            let (value, centre) = at.ok_or_else(|| lacks(name))?;
            Ok(if centre { value - 0.5 * cell_m } else { value })
        };
        let (west_m, south_m) = (corner(self.west, "xllcorner")?, corner(self.south, "yllcorner")?);
        Ok(Grid { columns, rows, cell_m, west_m, south_m })
    }
}

/// Reads the text of an ESRI ASCII grid: rows from the south. Without a NODATA_value holes are −9999, as the format has it.
pub(in crate::app) fn parse(path: &str, text: &str) -> Result<(Grid, Vec<f32>), RasterFault> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(RasterFault::Unusable { path: path.into(), what: Words::new("空文件", "the file is empty") });
    }
    let at_line = |line, what| RasterFault::Header { path: path.into(), line, what };
    let mut header = Header::default();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.peek() {
        let mut words = line.split_whitespace();
        let (Some(key), value) = (words.next(), words.next()) else {
            lines.next();
            continue;
        };
        if !key.starts_with(|c: char| c.is_ascii_alphabetic()) || key.eq_ignore_ascii_case("nan") {
            break;
        }
        if !header.take(key, value.unwrap_or_default(), at + 1).map_err(|what| at_line(at + 1, what))? {
            if header.is_whole() {
                break; // The first row of values, with a fault in its first cell.
            }
            let shown: String = line.chars().take(60).collect();
            let en = format!("'{shown}' is no line of an ESRI ASCII header");
            return Err(at_line(at + 1, Words::new(format!("“{shown}”不是 ESRI ASCII 文件头"), en)));
        }
        lines.next();
    }
    let grid = header.grid().map_err(|(key, what)| at_line(header.line_of(key), what))?;
    let values = rows(path, &grid, header.nothing.unwrap_or(-9999.0), text.len(), lines)?;
    Ok((grid, values))
}

/// The rows of values below the header.
fn rows<'a>(
    path: &str,
    grid: &Grid,
    nothing: f64,
    bytes: usize,
    lines: impl Iterator<Item = (usize, &'a str)>,
) -> Result<Vec<f32>, RasterFault> {
    // A value takes two bytes or more: a header alone must not claim the memory of a country.
    let mut north_first: Vec<f32> = Vec::with_capacity(grid.cells().min(bytes / 2 + 1));
    let (mut odd, mut full) = (None, 0);
    for (at, line) in lines {
        let before = north_first.len();
        for (column, word) in line.split_ascii_whitespace().enumerate() {
            let value = word.parse::<f64>().ok().filter(|value| value.is_finite() || is_hole(*value, nothing));
            let value = value.ok_or_else(|| {
                let cell = north_first.len().min(grid.cells() - 1);
                let spot = spot(grid, (grid.rows - 1 - cell / grid.columns) * grid.columns + cell % grid.columns);
                RasterFault::Value { path: path.into(), line: at + 1, column: column + 1, text: word.into(), spot }
            })?;
            north_first.push(if is_hole(value, nothing) { f32::NAN } else { value as f32 });
        }
        let count = north_first.len() - before;
        full += usize::from(count > 0);
        if odd.is_none() && count != grid.columns && count > 0 {
            odd = Some((at + 1, count));
        }
    }
    // Rows may be broken into lines at will; but where lines are as many as rows, one too short beside one too long is a shift.
    let shifted = full == grid.rows && odd.is_some();
    if north_first.len() != grid.cells() || shifted {
        let (columns, rows, expected) = (grid.columns, grid.rows, grid.cells());
        return Err(RasterFault::Count { path: path.into(), found: north_first.len(), columns, rows, expected, odd });
    }
    Ok(north_first.chunks_exact(grid.columns).rev().flatten().copied().collect())
}

/// Where the value of an index lies, rows from the south.
fn spot(grid: &Grid, at: usize) -> Spot {
    Spot::of(grid, Cell { column: at % grid.columns, row: at / grid.columns })
}

impl Raster {
    /// Whether every value is a height that ground can have: a hole that nobody declared, or another unit, is none.
    pub(super) fn must_be_heights(&self) -> Result<(), RasterFault> {
        let possible = |z: &f32| z.is_nan() || (LOWEST_M..=HIGHEST_M).contains(z);
        let Some(at) = self.values.iter().position(|z| !possible(z)) else { return Ok(()) };
        let (path, spot) = (self.path.display().to_string(), spot(&self.grid, at));
        Err(RasterFault::Height { path, spot, value: self.values[at] })
    }

    /// Whether the raster lies on the grid of another.
    pub(super) fn must_match(&self, other: &Raster) -> Result<(), RasterFault> {
        let (a, b) = (&self.grid, &other.grid);
        let near = |x: f64, y: f64, cells: f64| (x - y).abs() <= cells * b.cell_m;
        let end = |grid: &Grid| {
            let far = |from: f64, cells: usize| from + cells as f64 * grid.cell_m;
            (far(grid.west_m, grid.columns), far(grid.south_m, grid.rows))
        };
        let ((a_east_m, a_north_m), (b_east_m, b_north_m)) = (end(a), end(b));
        let apart = |zh: &str, en: &str, of: String, others: String| {
            Words::new(format!("{zh} {of} 与 {others}"), format!("{en} {of} against {others}"))
        };
        let size = |grid: &Grid| format!("{} x {}", grid.columns, grid.rows);
        let what = if (a.columns, a.rows) != (b.columns, b.rows) {
            Words::new(format!("格数 {} 与 {}", size(a), size(b)), format!("{} cells against {}", size(a), size(b)))
        } else if !near(a.cell_m, b.cell_m, 1e-3) {
            Words::new(
                format!("格子 {} m 与 {} m", a.cell_m, b.cell_m),
                format!("cells of {} m against {} m", a.cell_m, b.cell_m),
            )
        } else if !near(a.west_m, b.west_m, 1e-3) || !near(a.south_m, b.south_m, 1e-3) {
            let corner = |grid: &Grid| format!("{}, {}", grid.west_m, grid.south_m);
            apart("西南角", "corner", corner(a), corner(b))
        } else if !near(a_east_m, b_east_m, 0.1) || !near(a_north_m, b_north_m, 0.1) {
            let (of, others) = (format!("{a_east_m:.3}, {a_north_m:.3}"), format!("{b_east_m:.3}, {b_north_m:.3}"));
            apart("格子略有出入，东北角", "cells drift apart: north-east corner", of, others)
        } else {
            return self.must_lie_with(other);
        };
        Err(self.mismatch((&self.path, &other.path), what))
    }

    /// Whether the coordinate system is that of another raster, where both say.
    fn must_lie_with(&self, other: &Raster) -> Result<(), RasterFault> {
        let what = self.projection.as_ref().zip(other.projection.as_ref()).and_then(|(a, b)| a.differs(b));
        what.map_or(Ok(()), |what| Err(self.mismatch((&self.placed_by, &other.placed_by), what)))
    }

    fn mismatch(&self, (path, other): (&Path, &Path), what: Words) -> RasterFault {
        RasterFault::Mismatch { path: path.display().to_string(), other: other.display().to_string(), what }
    }
}

/// An ESRI ASCII grid as text, nine significant digits; not a number is written as −9999.
pub(super) fn text(grid: &Grid, values: &[f32]) -> String {
    let mut out = String::with_capacity(values.len() * 8 + 200);
    let _ = writeln!(out, "ncols {}\nnrows {}", grid.columns, grid.rows);
    let _ = writeln!(
        out,
        "xllcorner {}\nyllcorner {}\ncellsize {}\nNODATA_value -9999",
        grid.west_m, grid.south_m, grid.cell_m
    );
    for row in values.chunks_exact(grid.columns).rev() {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            push_number(&mut out, *value);
        }
        out.push('\n');
    }
    out
}

/// The shortest text that reads back as the same single-precision number: never more than nine significant digits.
fn push_number(out: &mut String, value: f32) {
    let size = value.abs();
    let _ = if value.is_nan() {
        write!(out, "-9999")
    } else if size != 0.0 && !(1e-4..1e7).contains(&size) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "ncols 3\nnrows 2\nxllcorner 100\nyllcorner 200\ncellsize 10\nNODATA_value -1\n1 2 3\n4 -1 6\n";

    #[test]
    fn twin_raster_puts_the_south_first() {
        let (grid, values) = parse("a.asc", SMALL).unwrap();
        assert_eq!((grid.columns, grid.rows, grid.west_m, grid.south_m), (3, 2, 100.0, 200.0));
        assert!(values[1].is_nan());
        assert_eq!((values[0], values[2], values[3..].to_vec()), (4.0, 6.0, vec![1.0, 2.0, 3.0]));
        let (again, back) = parse("b.asc", &text(&grid, &values)).unwrap();
        assert_eq!(again, grid);
        assert!(back.iter().zip(&values).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
    }

    #[test]
    fn twin_raster_corner_from_centre() {
        let (grid, _) = parse("a.asc", &SMALL.replace("xllcorner 100", "XLLCENTER 105")).unwrap();
        assert_eq!(grid.west_m, 100.0);
    }

    #[test]
    fn twin_raster_reads_what_editors_and_other_programs_make_of_it() {
        let known = parse("a.asc", SMALL).unwrap();
        let check = |text: String| {
            let (grid, values) = parse("a.asc", &text).unwrap();
            let same = values.iter().zip(&known.1).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
            assert!(grid == known.0 && same, "{text}: {values:?}");
        };
        check(format!("\u{feff}{SMALL}"));
        check(SMALL.replace('\n', "\r\n"));
        check(SMALL.replace("1 2 3\n4 -1 6", "1\n2 3 4\n-1 6"));
        for (header, cell) in [
            ("-3.402823e+38", "-3.4028234663852886e+38"),
            ("-3.40282346638529e+38", "-340282346638528859811704183484516925440"),
            ("nan", "NaN"),
            ("-1.79769313486232e+308", "-1.7976931348623157e308"),
            ("-9999.9", "-9999.90039063"),
        ] {
            check(
                SMALL
                    .replace("NODATA_value -1", &format!("NODATA_value {header}"))
                    .replace("4 -1", &format!("4 {cell}")),
            );
        }
        // The largest number of one sign is no hole of the other.
        assert!(
            parse("a.asc", &SMALL.replace("value -1", "value -3.4e38").replace("4 -1", "4 3.4e38")).unwrap().1[1]
                > 1e38
        );
    }

    #[test]
    fn twin_raster_grids_that_drift_apart_do_not_match() {
        let raster = |cell_m| {
            let grid = Grid { columns: 3000, rows: 1, cell_m, west_m: 0.0, south_m: 0.0 };
            Raster { path: "n.asc".into(), grid, values: Vec::new(), projection: None, placed_by: "n.asc".into() }
        };
        assert!(raster(10.0001).must_match(&raster(10.0)).is_ok());
        let said = raster(10.005).must_match(&raster(10.0)).unwrap_err().to_string();
        assert!(
            said.contains("cells drift apart: north-east corner 30015.000, 10.005 against 30000.000, 10.000"),
            "{said}"
        );
    }

    #[test]
    fn twin_raster_names_what_is_wrong() {
        let check = |from: &str, to: &str, expected: &str| {
            let said = parse("dem.asc", &SMALL.replace(from, to)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        check("4 -1 6", "4 nan 6", "dem.asc:8: 'nan' in column 2");
        check("4 -1 6", "4 nan 6", "北起第 2 行第 2 列（x 115.00，y 205.00）");
        check(
            "4 -1 6",
            "4 2,5 6",
            "'2,5' in column 2 is not a finite number, at row 2 from the north, column 2 (x 115",
        );
        check("1 2 3\n4 -1 6", "1 2\n3 4 -1 6", "has 6 values, its header says 3 x 2 = 6; line 7 has 2");
        check("4 -1 6", "4 6", "has 5 values, its header says 3 x 2 = 6; line 8 has 2");
        check("cellsize 10", "cellsize -10", "dem.asc:5: cellsize -10 须大于零 (cellsize -10 is not above zero)");
        check("cellsize 10", "cellsize 0", "dem.asc:5: cellsize 0");
        check("cellsize 10", "cellsize 0.0002", "degrees");
        check("ncols 3", "ncols 2.5", "dem.asc:1: ncols 2.5 不是格数 (ncols 2.5 is no number of cells)");
        check("nrows 2", "nrows 0", "dem.asc:2: nrows 0 不是格数 (nrows 0 is no number of cells)");
        check("xllcorner 100\n", "", "dem.asc:5: 文件头缺 xllcorner (the header has no xllcorner)");
        check("1 2 3", "inf 2 3", "dem.asc:7: 'inf' in column 1");
        check("1 2 3", "abc 2 3", "dem.asc:7: 'abc' in column 1");
        check("ncols 3", "columns 3", "dem.asc:1: “columns 3”不是 ESRI ASCII 文件头 ('columns 3' is no line");
        check("cellsize 10", "cellsize 10,0", "dem.asc:5: cellsize“10,0”不是数");
        check("cellsize 10", "cellsize", "cellsize '' is no number");
        check("xllcorner 100", "xllcorner nan", "dem.asc:3: xllcorner nan 不是有限数");
        check(
            "nrows 2",
            "nrows 2\nNCOLS 4",
            "dem.asc:3: ncols 重复，第 1 行已给出 (ncols was given in line 1 already)",
        );
        check("yllcorner 200", "yllcorner 200\nyllcenter 205", "yllcenter was given in line 4 already");
        check("ncols 3", "ncols 1000000000", "dem.asc:1: ncols 1000000000 不是格数");
        check("ncols 3\nnrows 2", "ncols 100000000\nnrows 2", "has 6 values, its header says 100000000 x 2");
        check(SMALL, " \r\n", "dem.asc: 空文件 (the file is empty)");
    }

    #[test]
    fn twin_raster_refuses_heights_that_no_ground_has() {
        let check = |height: &str, expected: Option<&str>| {
            let (grid, values) = parse("dem.asc", &SMALL.replace("1 2 3", &format!("1 {height} 3"))).unwrap();
            let said = Raster { path: "dem.asc".into(), grid, values, projection: None, placed_by: "dem.asc".into() };
            let said = said.must_be_heights();
            let said = said.err().map(|fault| fault.to_string());
            assert_eq!(said.is_some(), expected.is_some(), "{height}: {said:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{height}");
        };
        check("-1", None);
        check("-430.5", None);
        check("8848", None);
        check("-32768", Some("dem.asc: the height -32768 m at row 1 from the north, column 2 (x 115.00, y 215.00)"));
        check("-3.4e38", Some("row 1 from the north, column 2"));
        check("-9999", Some("declare it as NODATA"));
        check("1e30", Some("convert the heights to m"));
        check("9000.5", Some("9000.5 m"));
        // Where the header names none, -9999 is a hole, as the format has it.
        let text = SMALL.replace("NODATA_value -1\n", "").replace("4 -1 6", "4 -9999 6");
        assert!(parse("dem.asc", &text).unwrap().1.iter().any(|z| z.is_nan()));
    }

    #[test]
    fn twin_raster_numbers_read_back() {
        for value in [0.0f32, 1.0 / 3.0, 1e-30, 123_456.79, 9.9e7, -9999.0] {
            let mut out = String::new();
            push_number(&mut out, value);
            assert_eq!(out.parse::<f32>().unwrap(), value, "{out}");
        }
    }
}

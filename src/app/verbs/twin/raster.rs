//! Rasters in and out: ESRI ASCII grids here, GeoTIFF in [`super::geotiff`].
//!
//! In: a GeoTIFF, or text with a header (ncols, nrows, xllcorner or xllcenter, yllcorner or yllcenter, cellsize, optional NODATA_value) and
//! rows from north to south. Out: values with row 0 at the south, not a number where the file has no value.

use super::geotiff::{self, Projection};
use crate::hydraulics::Grid;
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
    #[error("栅格不可用 ({path} cannot be used: {what})")]
    GeoTiff { path: String, what: String },
    #[error("{path}:{line}: {what}")]
    Header { path: String, line: usize, what: String },
    #[error(
        "第 {line} 行第 {column} 列“{text}”不是有限数；空洞以 NODATA_value 表示 ({path}:{line}: '{text}' in column {column} is not a finite number; holes are written as NODATA_value)"
    )]
    Value { path: String, line: usize, column: usize, text: String },
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
        "第 {row} 行第 {column} 列高程 {value} m 不是地面高程（{LOWEST_M} 至 {HIGHEST_M} m）：空洞请声明为 NODATA，其他单位请换算为 m ({path}: the height {value} m at row {row} from the north, column {column} is none that ground has ({LOWEST_M} to {HIGHEST_M} m): declare it as NODATA, or convert the heights to m)"
    )]
    Height { path: String, row: usize, column: usize, value: f32 },
    #[error("栅格网格不一致 ({path} does not match {other}: {what}; rasters of a case share one grid)")]
    Mismatch { path: String, other: String, what: String },
}

/// A raster on its grid, rows from the south.
#[derive(Debug, Clone)]
pub(super) struct Raster {
    pub path: PathBuf,
    pub grid: Grid,
    pub values: Vec<f32>,
    /// Where on Earth, if the file says so.
    pub projection: Option<Projection>,
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
        let (grid, values, projection) = read.map_err(|what| RasterFault::GeoTiff { path: shown, what })?;
        return Ok(Raster { path: path.to_owned(), grid, values, projection: Some(projection) });
    }
    let text = std::fs::read_to_string(path).map_err(|cause| RasterFault::Unreadable { path: shown.clone(), cause })?;
    parse(&shown, &text).map(|(grid, values)| Raster { path: path.to_owned(), grid, values, projection: None })
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
    /// Takes a header line; false if it is none.
    fn take(&mut self, key: &str, value: f64, line: usize) -> bool {
        let key = key.to_ascii_lowercase();
        match key.as_str() {
            "ncols" => self.columns = Some(value),
            "nrows" => self.rows = Some(value),
            "xllcorner" => self.west = Some((value, false)),
            "yllcorner" => self.south = Some((value, false)),
            "xllcenter" => self.west = Some((value, true)),
            "yllcenter" => self.south = Some((value, true)),
            "cellsize" => self.cell = Some(value),
            "nodata_value" => self.nothing = Some(value),
            _ => return false,
        }
        self.lines.push((key, line));
        true
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
    fn grid(&self) -> Result<Grid, (&'static str, String)> {
        let need = |value: Option<f64>, name| value.ok_or_else(|| (name, format!("the header has no {name}")));
        let count = |value: f64, name| {
            let whole = value >= 1.0 && value.fract() == 0.0 && value <= MOST_CELLS as f64;
            if whole { Ok(value as usize) } else { Err((name, format!("{name} {value} is no number of cells"))) }
        };
        let columns = count(need(self.columns, "ncols")?, "ncols")?;
        let rows = count(need(self.rows, "nrows")?, "nrows")?;
        if columns.saturating_mul(rows) > MOST_CELLS {
            return Err(("nrows", format!("{columns} x {rows} cells are more than {MOST_CELLS}")));
        }
        let cell_m = need(self.cell, "cellsize")?;
        if !(cell_m > 0.0 && cell_m.is_finite()) {
            return Err(("cellsize", format!("cellsize {cell_m} is not above zero")));
        }
        if cell_m < 0.01 {
            return Err((
                "cellsize",
                format!("cellsize {cell_m} looks like degrees: project the raster to metres first"),
            ));
        }
        let corner = |at: Option<(f64, bool)>, name: &'static str| {
            let (value, centre) = at.ok_or_else(|| (name, format!("the header has no {name}")))?;
            Ok::<f64, (&'static str, String)>(if centre { value - 0.5 * cell_m } else { value })
        };
        let (west_m, south_m) = (corner(self.west, "xllcorner")?, corner(self.south, "yllcorner")?);
        Ok(Grid { columns, rows, cell_m, west_m, south_m })
    }
}

/// Reads the text of an ESRI ASCII grid: rows from the south. Without a NODATA_value holes are −9999, as the format has it.
pub(in crate::app) fn parse(path: &str, text: &str) -> Result<(Grid, Vec<f32>), RasterFault> {
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
        let number = value.and_then(|text| text.parse::<f64>().ok());
        if !number.is_some_and(|number| header.take(key, number, at + 1)) {
            if header.is_whole() {
                break; // The first row of values, with a fault in its first cell.
            }
            let what = format!("'{line}' is no line of an ESRI ASCII header");
            return Err(RasterFault::Header { path: path.into(), line: at + 1, what });
        }
        lines.next();
    }
    let grid = header.grid().map_err(|(key, what)| RasterFault::Header {
        path: path.into(),
        line: header.line_of(key),
        what,
    })?;
    let nothing = header.nothing.unwrap_or(-9999.0);
    let mut north_first: Vec<f32> = Vec::with_capacity(grid.cells());
    let mut odd = None;
    for (at, line) in lines {
        let before = north_first.len();
        for (column, word) in line.split_ascii_whitespace().enumerate() {
            let value = word.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| {
                RasterFault::Value { path: path.into(), line: at + 1, column: column + 1, text: word.into() }
            })?;
            north_first.push(if value == nothing { f32::NAN } else { value as f32 });
        }
        let count = north_first.len() - before;
        if odd.is_none() && count != grid.columns && count > 0 {
            odd = Some((at + 1, count));
        }
    }
    if north_first.len() != grid.cells() {
        let (columns, rows, expected) = (grid.columns, grid.rows, grid.cells());
        return Err(RasterFault::Count { path: path.into(), found: north_first.len(), columns, rows, expected, odd });
    }
    let values = north_first.chunks_exact(grid.columns).rev().flatten().copied().collect();
    Ok((grid, values))
}

impl Raster {
    /// Whether every value is a height that ground can have: a hole that nobody declared, or another unit, is none.
    pub(super) fn must_be_heights(&self) -> Result<(), RasterFault> {
        let possible = |z: &f32| z.is_nan() || (LOWEST_M..=HIGHEST_M).contains(z);
        let Some(at) = self.values.iter().position(|z| !possible(z)) else { return Ok(()) };
        let (row, column) = (self.grid.rows - at / self.grid.columns, at % self.grid.columns + 1);
        Err(RasterFault::Height { path: self.path.display().to_string(), row, column, value: self.values[at] })
    }

    /// Whether the raster lies on the grid of another.
    pub(super) fn must_match(&self, other: &Raster) -> Result<(), RasterFault> {
        let (a, b) = (&self.grid, &other.grid);
        let near = |x: f64, y: f64| (x - y).abs() <= 1e-3 * b.cell_m;
        let what = if (a.columns, a.rows) != (b.columns, b.rows) {
            format!("{} x {} cells against {} x {}", a.columns, a.rows, b.columns, b.rows)
        } else if !near(a.cell_m, b.cell_m) {
            format!("cells of {} m against {} m", a.cell_m, b.cell_m)
        } else if !near(a.west_m, b.west_m) || !near(a.south_m, b.south_m) {
            format!("corner {}, {} against {}, {}", a.west_m, a.south_m, b.west_m, b.south_m)
        } else if let Some(what) =
            self.projection.as_ref().zip(other.projection.as_ref()).and_then(|(a, b)| a.differs(b))
        {
            what
        } else {
            return Ok(());
        };
        Err(RasterFault::Mismatch {
            path: self.path.display().to_string(),
            other: other.path.display().to_string(),
            what,
        })
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
    fn twin_raster_names_what_is_wrong() {
        let check = |from: &str, to: &str, expected: &str| {
            let said = parse("dem.asc", &SMALL.replace(from, to)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        check("4 -1 6", "4 nan 6", "dem.asc:8: 'nan' in column 2");
        check("4 -1 6", "4 6", "has 5 values, its header says 3 x 2 = 6; line 8 has 2");
        check("cellsize 10", "cellsize -10", "dem.asc:5: cellsize -10 is not above zero");
        check("cellsize 10", "cellsize 0", "dem.asc:5: cellsize 0");
        check("cellsize 10", "cellsize 0.0002", "degrees");
        check("ncols 3", "ncols 2.5", "dem.asc:1: ncols 2.5 is no number of cells");
        check("nrows 2", "nrows 0", "dem.asc:2: nrows 0 is no number of cells");
        check("xllcorner 100\n", "", "dem.asc:5: the header has no xllcorner");
        check("1 2 3", "inf 2 3", "dem.asc:7: 'inf' in column 1");
        check("1 2 3", "abc 2 3", "dem.asc:7: 'abc' in column 1");
        check("ncols 3", "columns 3", "dem.asc:1: 'columns 3' is no line");
    }

    #[test]
    fn twin_raster_refuses_heights_that_no_ground_has() {
        let check = |height: &str, expected: Option<&str>| {
            let (grid, values) = parse("dem.asc", &SMALL.replace("1 2 3", &format!("1 {height} 3"))).unwrap();
            let said = Raster { path: "dem.asc".into(), grid, values, projection: None }.must_be_heights();
            let said = said.err().map(|fault| fault.to_string());
            assert_eq!(said.is_some(), expected.is_some(), "{height}: {said:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{height}");
        };
        check("-1", None);
        check("-430.5", None);
        check("8848", None);
        check("-32768", Some("dem.asc: the height -32768 m at row 1 from the north, column 2"));
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

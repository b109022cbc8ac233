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
    #[error("栅格数值个数与文件头不符 ({path} has {found} values, its header says {columns} x {rows} = {expected})")]
    Count { path: String, found: usize, columns: usize, rows: usize, expected: usize },
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
}

impl Header {
    /// Takes a header line; false if it is none.
    fn take(&mut self, key: &str, value: f64) -> bool {
        match key.to_ascii_lowercase().as_str() {
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
        true
    }

    fn grid(&self) -> Result<Grid, String> {
        let need = |value: Option<f64>, name: &str| value.ok_or_else(|| format!("the header has no {name}"));
        let count = |value: f64, name: &str| {
            let whole = value >= 1.0 && value.fract() == 0.0 && value <= MOST_CELLS as f64;
            if whole { Ok(value as usize) } else { Err(format!("{name} {value} is no number of cells")) }
        };
        let columns = count(need(self.columns, "ncols")?, "ncols")?;
        let rows = count(need(self.rows, "nrows")?, "nrows")?;
        if columns.saturating_mul(rows) > MOST_CELLS {
            return Err(format!("{columns} x {rows} cells are more than {MOST_CELLS}"));
        }
        let cell_m = need(self.cell, "cellsize")?;
        if !(cell_m > 0.0 && cell_m.is_finite()) {
            return Err(format!("cellsize {cell_m} is not above zero"));
        }
        if cell_m < 0.01 {
            return Err(format!("cellsize {cell_m} looks like degrees: project the raster to metres first"));
        }
        let corner = |at: Option<(f64, bool)>, name: &str| {
            let (value, centre) = at.ok_or_else(|| format!("the header has no {name}"))?;
            Ok::<f64, String>(if centre { value - 0.5 * cell_m } else { value })
        };
        let (west_m, south_m) = (corner(self.west, "xllcorner")?, corner(self.south, "yllcorner")?);
        Ok(Grid { columns, rows, cell_m, west_m, south_m })
    }
}

/// Reads the text of an ESRI ASCII grid: rows from the south.
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
        if !number.is_some_and(|number| header.take(key, number)) {
            let what = format!("'{line}' is no line of an ESRI ASCII header");
            return Err(RasterFault::Header { path: path.into(), line: at + 1, what });
        }
        lines.next();
    }
    let grid = header.grid().map_err(|what| RasterFault::Header { path: path.into(), line: 1, what })?;
    let nothing = header.nothing.unwrap_or(-9999.0);
    let mut north_first: Vec<f32> = Vec::with_capacity(grid.cells());
    for (at, line) in lines {
        for (column, word) in line.split_ascii_whitespace().enumerate() {
            let value = word.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| {
                RasterFault::Value { path: path.into(), line: at + 1, column: column + 1, text: word.into() }
            })?;
            north_first.push(if value == nothing { f32::NAN } else { value as f32 });
        }
    }
    if north_first.len() != grid.cells() {
        let (columns, rows, expected) = (grid.columns, grid.rows, grid.cells());
        return Err(RasterFault::Count { path: path.into(), found: north_first.len(), columns, rows, expected });
    }
    let values = north_first.chunks_exact(grid.columns).rev().flatten().copied().collect();
    Ok((grid, values))
}

impl Raster {
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
        check("4 -1 6", "4 6", "has 5 values, its header says 3 x 2 = 6");
        check("cellsize 10", "cellsize -10", "not above zero");
        check("cellsize 10", "cellsize 0.0002", "degrees");
        check("ncols 3", "ncols 2.5", "no number of cells");
        check("xllcorner 100\n", "", "no xllcorner");
        check("ncols 3", "columns 3", "dem.asc:1: 'columns 3' is no line");
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

//! The regular grid of the inundation model and the arrays on it.
//!
//! In: numbers of columns and rows, cell side, south-west corner. Out: positions of cells and of lines on the grid.
//! Row 0 is the south edge, column 0 the west edge. Every array carries two ghost cells on each side.

use super::field::Field;
use std::collections::HashMap;

/// Ghost cells on each side of the grid: a second-order face looks two cells away.
pub(super) const HALO: usize = 2;

/// A regular grid of square cells (规则网格).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Cells from west to east, at least 1.
    pub columns: usize,
    /// Cells from south to north, at least 1.
    pub rows: usize,
    /// Side of a cell, m, above 0.
    pub cell_m: f64,
    /// Easting of the west edge, m.
    pub west_m: f64,
    /// Northing of the south edge, m.
    pub south_m: f64,
}

/// A cell by its column and row, both from 0 at the south-west.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Column from the west edge.
    pub column: usize,
    /// Row from the south edge.
    pub row: usize,
}

impl Grid {
    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// Area of a cell, m².
    pub fn cell_area_m2(&self) -> f64 {
        self.cell_m * self.cell_m
    }

    /// Index of a cell in an array without ghost cells, rows from the south.
    pub fn index(&self, cell: Cell) -> usize {
        cell.row * self.columns + cell.column
    }

    /// The cell that holds a place, `None` outside; the east and north edges belong to the last cells.
    pub fn cell_at(&self, at: [f64; 2]) -> Option<Cell> {
        let [x, y] = self.in_cells(at);
        let inside = x >= 0.0 && y >= 0.0 && x <= self.columns as f64 && y <= self.rows as f64;
        inside.then(|| Cell { column: (x as usize).min(self.columns - 1), row: (y as usize).min(self.rows - 1) })
    }

    /// A place counted in cells from the south-west corner.
    pub(super) fn in_cells(&self, at: [f64; 2]) -> [f64; 2] {
        [(at[0] - self.west_m) / self.cell_m, (at[1] - self.south_m) / self.cell_m]
    }

    /// The cells that a polyline crosses, each with the length of line in it, m. A single point gives its cell with length 0.
    ///
    /// Parts outside the grid are left out; a line that runs along a cell side counts for the cell north or east of it.
    pub fn cells_along(&self, line: &[[f64; 2]]) -> Vec<(Cell, f64)> {
        let mut lengths = std::collections::BTreeMap::new();
        for pair in line.windows(2) {
            let (from, to) = (self.in_cells(pair[0]), self.in_cells(pair[1]));
            let length_m = (from[0] - to[0]).hypot(from[1] - to[1]) * self.cell_m;
            for (start, end) in crossings(from, to) {
                let middle = 0.5 * (start + end);
                let at = [from[0] + middle * (to[0] - from[0]), from[1] + middle * (to[1] - from[1])];
                if let Some(cell) = self.cell_of(at) {
                    *lengths.entry(cell).or_insert(0.0) += (end - start) * length_m;
                }
            }
        }
        if lengths.is_empty() {
            let cell = line.first().and_then(|at| self.cell_at(*at));
            return cell.map(|cell| (cell, 0.0)).into_iter().collect();
        }
        lengths.into_iter().collect()
    }

    fn cell_of(&self, at: [f64; 2]) -> Option<Cell> {
        self.cell_at([self.west_m + at[0] * self.cell_m, self.south_m + at[1] * self.cell_m])
    }
}

/// The parts of a straight line, as fractions of its length, between two crossings of grid lines.
fn crossings(from: [f64; 2], to: [f64; 2]) -> Vec<(f64, f64)> {
    let mut cuts = vec![0.0, 1.0];
    for axis in 0..2 {
        let (a, b) = (from[axis], to[axis]);
        let (low, high) = (a.min(b), a.max(b));
        let mut line = low.ceil();
        while line <= high && a != b {
            cuts.push(((line - a) / (b - a)).clamp(0.0, 1.0));
            line += 1.0;
        }
    }
    cuts.sort_by(f64::total_cmp);
    cuts.windows(2).filter(|pair| pair[1] - pair[0] > 1e-12).map(|pair| (pair[0], pair[1])).collect()
}

/// A field of which equal rows are kept once: roughness is often one number, or one of a few land covers for miles, and what is not
/// read again from memory costs nothing.
#[derive(Debug)]
pub(super) struct EqualRows {
    stride: usize,
    values: Vec<f32>,
    /// Where each padded row begins in the values.
    begins: Vec<usize>,
}

impl EqualRows {
    pub(super) fn new(field: &[f32], stride: usize) -> Self {
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let (mut values, mut begins) = (Vec::new(), Vec::new());
        for row in field.chunks_exact(stride) {
            let begin = *known.entry(row.iter().map(|value| value.to_bits()).collect()).or_insert(values.len());
            if begin == values.len() {
                values.extend_from_slice(row);
            }
            begins.push(begin);
        }
        Self { stride, values, begins }
    }

    /// `n` values of a padded row from padded column `from`.
    pub(super) fn part(&self, row: usize, from: usize, n: usize) -> &[f32] {
        let start = self.begins[row] + from;
        &self.values[start..start + n]
    }

    /// The value of a cell by its place in a whole field.
    pub(super) fn at(&self, cell: usize) -> f32 {
        self.values[self.begins[cell / self.stride] + cell % self.stride]
    }

    /// Every value of the whole field, in its order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &f32> {
        self.begins.iter().flat_map(|begin| &self.values[*begin..*begin + self.stride])
    }
}

/// Shape of the arrays: the grid with its ghost cells, rows one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Cells from west to east, without ghosts.
    pub columns: usize,
    /// Cells from south to north, without ghosts.
    pub rows: usize,
    /// Values from one row to the next.
    pub stride: usize,
}

impl Layout {
    pub(super) fn of(grid: &Grid) -> Self {
        let width = grid.columns + 2 * HALO;
        Self { columns: grid.columns, rows: grid.rows, stride: width.next_multiple_of(16) }
    }

    /// Values in one array.
    pub(super) fn len(&self) -> usize {
        self.stride * (self.rows + 2 * HALO)
    }

    /// Index of a cell.
    pub(super) fn at(&self, cell: Cell) -> usize {
        (cell.row + HALO) * self.stride + cell.column + HALO
    }

    /// Indices of a row's cells, `row` from 0 without ghosts.
    pub(super) fn row(&self, row: usize) -> std::ops::Range<usize> {
        let start = (row + HALO) * self.stride + HALO;
        start..start + self.columns
    }
}

/// What moves: depth and two unit discharges, as separate arrays.
///
/// Local inertia keeps `qx` on the east face and `qy` on the north face of each cell, the full equations keep both at the
/// cell's middle. Depth, never stage: a small depth on a high bed keeps its digits in single precision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Water {
    /// Depth h (水深), m, never negative.
    pub h: Field,
    /// Unit discharge to the east (单宽流量), m²/s.
    pub qx: Field,
    /// Unit discharge to the north, m²/s.
    pub qy: Field,
}

impl Water {
    /// No arrays at all.
    pub(super) fn none() -> Self {
        Self { h: Field::zeros(0), qx: Field::zeros(0), qy: Field::zeros(0) }
    }

    pub(super) fn dry(layout: &Layout) -> Self {
        let zeros = || Field::zeros(layout.len());
        Self { h: zeros(), qx: zeros(), qy: zeros() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { columns: 4, rows: 3, cell_m: 10.0, west_m: 100.0, south_m: 200.0 };

    #[test]
    fn grid_finds_the_cell_of_a_place() {
        let check = |at, expected: Option<(usize, usize)>| {
            assert_eq!(GRID.cell_at(at), expected.map(|(column, row)| Cell { column, row }), "{at:?}");
        };
        check([100.0, 200.0], Some((0, 0)));
        check([119.9, 229.0], Some((1, 2)));
        check([140.0, 230.0], Some((3, 2)));
        check([99.9, 210.0], None);
        check([f64::NAN, 210.0], None);
    }

    #[test]
    fn grid_line_shares_its_length_among_cells() {
        let along = GRID.cells_along(&[[105.0, 205.0], [125.0, 205.0]]);
        let lengths: Vec<(usize, f64)> = along.iter().map(|(cell, length)| (cell.column, *length)).collect();
        assert_eq!(lengths, [(0, 5.0), (1, 10.0), (2, 5.0)]);
        assert_eq!(GRID.cells_along(&[[105.0, 205.0]]), [(Cell { column: 0, row: 0 }, 0.0)]);
        assert!(GRID.cells_along(&[[0.0, 0.0], [50.0, 50.0]]).is_empty());
        let diagonal: f64 = GRID.cells_along(&[[100.0, 200.0], [130.0, 230.0]]).iter().map(|(_, length)| length).sum();
        assert!((diagonal - 30.0 * 2f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn equal_rows_are_kept_once_and_read_as_the_field() {
        let field = [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0];
        let rows = EqualRows::new(&field, 2);
        assert_eq!(rows.values.len(), 4);
        assert!(rows.iter().eq(field.iter()));
        assert!((0..8).all(|cell| rows.at(cell) == field[cell]));
        assert_eq!((rows.part(2, 0, 2), rows.part(3, 1, 1)), (&[3.0, 4.0][..], &[2.0][..]));
    }
}

//! Thin weirs on cell faces and the breaches that open in them.
//!
//! In: edges and breaches of a case, the stages beside them. Out: unit discharge across every weir face. Momentum is lost at
//! a weir; the water beside it feels a wall.
//! Free flow Q = C L H^1.5; drowned flow times (1 − (H2/H1)^1.5)^0.385 (Villemonte 1947, Eng. News-Record 139, 866).

use super::case::{Breach, BreachStart, Case};
use super::grid::{Grid, HALO, Layout, Water};

/// A face between two cells. `east`: between a cell and its eastern neighbour, else its northern one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Face {
    /// Column of the western or southern cell.
    pub column: usize,
    /// Row of the western or southern cell.
    pub row: usize,
    /// Whether the face looks east.
    pub east: bool,
    /// Length of the true line over the length of the staircase that stands for it, at most 1.
    pub share: f64,
}

/// The staircase of faces that stands for a polyline, without gaps; faces on the rim of the grid are left out.
pub(super) fn faces_along(grid: &Grid, line: &[[f64; 2]]) -> Vec<Face> {
    let mut faces = Vec::new();
    for pair in line.windows(2) {
        let [from, to] = [grid.in_cells(pair[0]), grid.in_cells(pair[1])];
        let (mut x, mut y) = (from[0].round() as i64, from[1].round() as i64);
        let (end_x, end_y) = (to[0].round() as i64, to[1].round() as i64);
        let steps = (end_x - x).abs() + (end_y - y).abs();
        let share = (from[0] - to[0]).hypot(from[1] - to[1]) / (steps.max(1) as f64);
        for _ in 0..steps {
            let (dx, dy) = ((end_x - x).signum(), (end_y - y).signum());
            // Of the two possible moves the one whose end lies closer to the line.
            let off = |x: i64, y: i64| {
                ((to[0] - from[0]) * (y as f64 - from[1]) - (to[1] - from[1]) * (x as f64 - from[0])).abs()
            };
            let eastward = dy == 0 || (dx != 0 && off(x + dx, y) <= off(x, y + dy));
            let (column, row, east) =
                if eastward { (x.min(x + dx), y - 1, false) } else { (x - 1, y.min(y + dy), true) };
            if eastward {
                x += dx
            } else {
                y += dy
            }
            faces.extend(inner_face(grid, column, row, east, share.min(1.0)));
        }
    }
    faces
}

/// The face, if it lies between two cells of the grid.
fn inner_face(grid: &Grid, column: i64, row: i64, east: bool, share: f64) -> Option<Face> {
    let (column, row) = (usize::try_from(column).ok()?, usize::try_from(row).ok()?);
    let (last_column, last_row) = (grid.columns - usize::from(east), grid.rows - usize::from(!east));
    (column < last_column && row < last_row).then_some(Face { column, row, east, share })
}

/// Share of a face, 0 to 1, that lies inside a breach: within half its width of its centre.
pub(super) fn share_in_breach(grid: &Grid, face: &Face, breach: &Breach) -> f64 {
    let cell = grid.cell_m;
    let corner = [grid.west_m + face.column as f64 * cell, grid.south_m + face.row as f64 * cell];
    let (across, along) = if face.east { (0, 1) } else { (1, 0) };
    let off = corner[across] + cell - breach.centre[across];
    let half = 0.5 * breach.width_m;
    // The staircase may lie up to a cell beside the true line.
    if off.abs() > half.max(cell) {
        return 0.0;
    }
    let low = (breach.centre[along] - half).max(corner[along]);
    let high = (breach.centre[along] + half).min(corner[along] + cell);
    ((high - low) / cell).clamp(0.0, 1.0)
}

/// Unit discharge over a weir, m²/s, for heads above the crest upstream and downstream, m (`upstream` ≥ `downstream`).
pub(super) fn weir_discharge(coefficient: f64, upstream: f64, downstream: f64) -> f64 {
    if upstream <= 0.0 {
        return 0.0;
    }
    let free = coefficient * upstream * upstream.sqrt();
    let drowning = (downstream.max(0.0) / upstream).min(1.0);
    free * (1.0 - drowning * drowning.sqrt()).powf(0.385)
}

/// One weir face during a run.
#[derive(Debug, Clone)]
pub(super) struct WeirFace {
    /// Padded column of the western or southern cell.
    pub column: usize,
    /// Index of the western or southern cell in the arrays.
    low: usize,
    /// Index of the other cell.
    high: usize,
    crest_m: f64,
    coefficient: f64,
    share: f64,
    /// Breach that opens here and the share of the face it takes.
    breach: Option<(usize, f64)>,
    /// Unit discharge now, m²/s, positive to the east or north.
    pub q: f32,
}

/// All weirs of a run, sorted by row, and the state of the breaches.
#[derive(Debug, Clone)]
pub(super) struct Weirs {
    east: RowFaces,
    north: RowFaces,
    breaches: Vec<OpeningBreach>,
}

/// Faces by padded row of their southern or western cell.
#[derive(Debug, Clone, Default)]
struct RowFaces {
    faces: Vec<WeirFace>,
    first_of_row: Vec<usize>,
}

/// A breach with its clock.
#[derive(Debug, Clone, PartialEq)]
struct OpeningBreach {
    breach: Breach,
    from_crest_m: f64,
    /// Since when water stands above the crest, s.
    overtopped_since_s: Option<f64>,
    /// When it began to open, s.
    opened_s: Option<f64>,
}

impl RowFaces {
    fn new(mut rows: Vec<(usize, WeirFace)>, row_count: usize) -> Self {
        rows.sort_by_key(|(row, face)| (*row, face.column));
        // Two edges on one face: the higher crest holds.
        rows.dedup_by(|next, kept| {
            let same = next.0 == kept.0 && next.1.column == kept.1.column;
            if same && next.1.crest_m > kept.1.crest_m {
                std::mem::swap(next, kept);
            }
            same
        });
        let first_of_row = (0..=row_count).map(|row| rows.partition_point(|(at, _)| *at < row)).collect();
        Self { faces: rows.into_iter().map(|(_, face)| face).collect(), first_of_row }
    }

    fn of_row(&self, row: usize) -> &[WeirFace] {
        match (self.first_of_row.get(row), self.first_of_row.get(row + 1)) {
            (Some(&from), Some(&to)) => &self.faces[from..to],
            _ => &[],
        }
    }
}

impl Weirs {
    pub(super) fn new(case: &Case, layout: &Layout, datum_m: f64) -> Self {
        let (mut east, mut north) = (Vec::new(), Vec::new());
        for (index, edge) in case.edges.iter().enumerate() {
            for face in faces_along(&case.grid, &edge.line) {
                let breach = case.breaches.iter().enumerate().find_map(|(at, breach)| {
                    let share = share_in_breach(&case.grid, &face, breach);
                    (breach.edge == index && share > 0.0).then_some((at, share))
                });
                let (row, column) = (face.row + HALO, face.column + HALO);
                let low = row * layout.stride + column;
                let weir = WeirFace {
                    column,
                    low,
                    high: low + if face.east { 1 } else { layout.stride },
                    crest_m: edge.crest_m - datum_m,
                    coefficient: edge.coefficient,
                    share: face.share,
                    breach,
                    q: 0.0,
                };
                if face.east { east.push((row, weir)) } else { north.push((row, weir)) }
            }
        }
        let rows = layout.rows + 2 * HALO;
        let breaches = case.breaches.iter().map(|breach| OpeningBreach::new(case, breach, datum_m)).collect();
        Self { east: RowFaces::new(east, rows), north: RowFaces::new(north, rows), breaches }
    }

    /// Weir faces to the east of the cells of a padded row.
    pub(super) fn east_of(&self, row: usize) -> &[WeirFace] {
        self.east.of_row(row)
    }

    /// Weir faces to the north of the cells of a padded row.
    pub(super) fn north_of(&self, row: usize) -> &[WeirFace] {
        self.north.of_row(row)
    }

    /// Moves the breaches on and sets the discharge over every face for the step that begins at `time_s`.
    pub(super) fn flow(&mut self, water: &Water, bed: &[f32], time_s: f64, dt_over_dx: f64) {
        for (at, breach) in self.breaches.iter_mut().enumerate() {
            let faces = self.east.faces.iter().chain(&self.north.faces);
            let highest = faces
                .filter(|face| face.breach.is_some_and(|(of, _)| of == at))
                .map(|face| stage(water, bed, face.low).max(stage(water, bed, face.high)))
                .fold(f64::NEG_INFINITY, f64::max);
            breach.observe(highest, time_s);
        }
        let crests: Vec<f64> = self.breaches.iter().map(|breach| breach.crest_m(time_s)).collect();
        for face in self.east.faces.iter_mut().chain(&mut self.north.faces) {
            face.flow(water, bed, &crests, dt_over_dx);
        }
    }

    /// Discharges and clocks, for a checkpoint.
    pub(super) fn state(&self) -> Vec<f64> {
        let faces = self.east.faces.iter().chain(&self.north.faces).map(|face| f64::from(face.q));
        let clock = |since: Option<f64>| since.unwrap_or(f64::NAN);
        let clocks = self.breaches.iter().flat_map(|b| [clock(b.overtopped_since_s), clock(b.opened_s)]);
        faces.chain(clocks).collect()
    }

    /// Takes back what [`Self::state`] gave; `None` if it is of another case.
    pub(super) fn restore(&mut self, state: &[f64]) -> Option<()> {
        let faces = self.east.faces.len() + self.north.faces.len();
        if state.len() != faces + 2 * self.breaches.len() {
            return None;
        }
        let (discharges, clocks) = state.split_at(faces);
        for (face, q) in self.east.faces.iter_mut().chain(&mut self.north.faces).zip(discharges) {
            face.q = *q as f32;
        }
        let clock = |value: f64| (!value.is_nan()).then_some(value);
        for (breach, pair) in self.breaches.iter_mut().zip(clocks.chunks_exact(2)) {
            (breach.overtopped_since_s, breach.opened_s) = (clock(pair[0]), clock(pair[1]));
        }
        Some(())
    }

    /// When each breach began to open, s.
    pub(super) fn opened_s(&self) -> Vec<Option<f64>> {
        self.breaches.iter().map(|breach| breach.opened_s).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.east.faces.is_empty() && self.north.faces.is_empty()
    }
}

fn stage(water: &Water, bed: &[f32], at: usize) -> f64 {
    if water.h[at] > 0.0 { f64::from(water.h[at]) + f64::from(bed[at]) } else { f64::NEG_INFINITY }
}

impl WeirFace {
    fn flow(&mut self, water: &Water, bed: &[f32], crests: &[f64], dt_over_dx: f64) {
        let (low, high) = (stage(water, bed, self.low), stage(water, bed, self.high));
        let sign = if low >= high { 1.0 } else { -1.0 };
        let floor = f64::from(bed[self.low].max(bed[self.high]));
        let (up, down) = (low.max(high), low.min(high));
        let over = |crest_m: f64, up: f64| {
            let crest = crest_m.max(floor);
            weir_discharge(self.coefficient, up - crest, down - crest)
        };
        let formula = |up: f64| {
            let whole = over(self.crest_m, up);
            let (breach, share) = self.breach.unwrap_or((0, 0.0));
            let gap = crests.get(breach).map_or(whole, |crest| over(*crest, up));
            self.share * (whole * (1.0 - share) + gap * share)
        };
        let aim = formula(up);
        // The discharge approaches the formula the slower the steeper it is: stable at a drowned crest, and a steady flow
        // obeys the formula exactly.
        let steepness = (formula(up + 1e-4) - aim) / 1e-4;
        let hold = 2.0 * steepness.max(0.0) * dt_over_dx;
        let q = if aim > 0.0 { (sign * aim + hold * f64::from(self.q)) / (1.0 + hold) } else { 0.0 };
        let source = if q >= 0.0 { self.low } else { self.high };
        let most = 0.25 * f64::from(water.h[source]) / dt_over_dx.max(1e-12);
        self.q = q.clamp(-most, most) as f32;
    }
}

impl OpeningBreach {
    fn new(case: &Case, breach: &Breach, datum_m: f64) -> Self {
        let from_crest_m = case.edges.get(breach.edge).map_or(breach.to_crest_m, |edge| edge.crest_m) - datum_m;
        let breach = Breach { to_crest_m: breach.to_crest_m - datum_m, ..breach.clone() };
        Self { breach, from_crest_m, overtopped_since_s: None, opened_s: None }
    }

    fn observe(&mut self, highest_stage_m: f64, time_s: f64) {
        if self.opened_s.is_some() {
            return;
        }
        let due = match self.breach.start {
            BreachStart::Time(start_s) => (time_s >= start_s).then_some(start_s),
            BreachStart::OvertoppedFor(hold_s) if highest_stage_m > self.from_crest_m => {
                let since = *self.overtopped_since_s.get_or_insert(time_s);
                (time_s - since >= hold_s).then_some(time_s)
            }
            BreachStart::OvertoppedFor(_) => {
                self.overtopped_since_s = None;
                None
            }
        };
        self.opened_s = due;
    }

    fn crest_m(&self, time_s: f64) -> f64 {
        let Some(opened_s) = self.opened_s else { return self.from_crest_m };
        let share = if self.breach.duration_s > 0.0 { (time_s - opened_s) / self.breach.duration_s } else { 1.0 };
        self.from_crest_m + (self.breach.to_crest_m - self.from_crest_m) * share.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { columns: 10, rows: 10, cell_m: 10.0, west_m: 0.0, south_m: 0.0 };

    #[test]
    fn weir_formula_free_and_drowned() {
        assert!((weir_discharge(1.705, 1.0, -1.0) - 1.705).abs() < 1e-12);
        assert!((weir_discharge(1.705, 4.0, 0.0) - 1.705 * 8.0).abs() < 1e-12);
        let half = weir_discharge(1.705, 1.0, 0.5);
        assert!((half - 1.705 * (1.0 - 0.5f64.powf(1.5)).powf(0.385)).abs() < 1e-12);
        assert_eq!(weir_discharge(1.705, 1.0, 1.0), 0.0);
        assert_eq!(weir_discharge(1.705, -0.1, -1.0), 0.0);
    }

    #[test]
    fn weir_staircase_has_no_gap_and_keeps_the_true_length() {
        let faces = faces_along(&GRID, &[[50.0, 0.0], [50.0, 100.0]]);
        assert_eq!(faces.len(), 10);
        assert!(faces.iter().all(|face| face.east && face.column == 4 && face.share == 1.0));
        let diagonal = faces_along(&GRID, &[[0.0, 0.0], [100.0, 100.0]]);
        let length: f64 = diagonal.iter().map(|face| face.share * GRID.cell_m).sum();
        // Two of the twenty steps may run on the rim, where no water passes anyway.
        assert!((18..=20).contains(&diagonal.len()), "{}", diagonal.len());
        assert!((length / diagonal.len() as f64 * 20.0 - 100.0 * 2f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn weir_breach_takes_its_width_of_the_faces() {
        let breach = Breach {
            edge: 0,
            centre: [50.0, 47.0],
            width_m: 25.0,
            start: BreachStart::Time(0.0),
            to_crest_m: 0.0,
            duration_s: 0.0,
        };
        let faces = faces_along(&GRID, &[[50.0, 0.0], [50.0, 100.0]]);
        let width: f64 = faces.iter().map(|face| share_in_breach(&GRID, face, &breach) * GRID.cell_m).sum();
        assert!((width - 25.0).abs() < 1e-9);
    }
}

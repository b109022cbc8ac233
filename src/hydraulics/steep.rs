//! How much of a terrain is too steep for local inertia, before a run.
//!
//! In: bed heights and roughness. Out: the share of the ground on which a flood of 1 m would flow uniformly at a Froude number
//! above the limit of that scheme. Slopes are those between means over blocks of cells, so that a levee, a road or the noise
//! of a survey is no hillside.

use super::case::Manning;
use super::grid::Grid;
use super::record::FROUDE_LIMIT;

/// Cells of a block along each side.
const BLOCK: usize = 16;
/// Least valid cells of a block that has a mean.
const BLOCK_CELLS_MIN: usize = BLOCK * BLOCK / 4;
/// Roughness that no ground is below, s/m^⅓: glass.
const SMOOTHEST: f64 = 0.009;
/// Depth of the flood that is thought of, m.
const DEPTH_M: f64 = 1.0;

/// Share of the terrain, 0 to 1, on which uniform flow of 1 m has a Froude number above 0.8 (Manning: Fr = √S h^(1/6) / (n √g)).
///
/// `bed_m`: heights of the cells, rows from the south, not a number where there is no ground. 0 for a terrain smaller than two
/// blocks.
pub fn steep_share(grid: &Grid, bed_m: &[f32], manning: &Manning) -> f64 {
    let heights = block_means(grid, |at| bed_m.get(at).map_or(f64::NAN, |z| f64::from(*z)));
    let roughness = match manning {
        Manning::Uniform(n) => vec![Some(*n); heights.len()],
        Manning::Field(values) => block_means(grid, |at| values.get(at).map_or(f64::NAN, |n| f64::from(*n))),
    };
    let (columns, apart_m) = (grid.columns / BLOCK, grid.cell_m * BLOCK as f64);
    let (mut steep, mut known) = (0usize, 0usize);
    for (at, (here, n)) in heights.iter().zip(&roughness).enumerate() {
        let (Some(here), Some(n)) = (here, n) else { continue };
        let step = |there: Option<f64>| there.map_or(0.0, |z| (z - here) / apart_m);
        let east = if (at + 1) % columns == 0 { None } else { heights[at + 1] };
        let north = heights.get(at + columns).copied().flatten();
        let slope = step(east).hypot(step(north));
        let froude = slope.sqrt() * DEPTH_M.powf(1.0 / 6.0) / (n.max(SMOOTHEST) * 9.81f64.sqrt());
        known += 1;
        steep += usize::from(froude > f64::from(FROUDE_LIMIT));
    }
    if known == 0 { 0.0 } else { steep as f64 / known as f64 }
}

/// Mean over each whole block, rows from the south; `None` where few of its cells have a value.
fn block_means(grid: &Grid, of: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
    let (columns, rows) = (grid.columns / BLOCK, grid.rows / BLOCK);
    let mean = |block: usize| {
        let first = block / columns * BLOCK * grid.columns + block % columns * BLOCK;
        let cells = (0..BLOCK * BLOCK).map(|at| of(first + at / BLOCK * grid.columns + at % BLOCK));
        let (mut sum, mut count) = (0.0, 0usize);
        for value in cells.filter(|value| value.is_finite()) {
            sum += value;
            count += 1;
        }
        (count >= BLOCK_CELLS_MIN).then(|| sum / count as f64)
    };
    (0..columns * rows).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(of: impl Fn(usize, usize) -> f32, n: f64) -> f64 {
        let grid = Grid { columns: 160, rows: 96, cell_m: 20.0, west_m: 0.0, south_m: 0.0 };
        let bed: Vec<f32> = (0..grid.cells()).map(|at| of(at % 160, at / 160)).collect();
        steep_share(&grid, &bed, &Manning::Uniform(n))
    }

    #[test]
    fn hydraulics_steep_ground_is_a_hillside_not_a_levee_nor_noise() {
        // n = 0.03: Fr 0.8 at a slope of 0.0056.
        assert_eq!(share(|x, _| x as f32 * 20.0 * 2e-4, 0.03), 0.0, "a flood plain");
        assert!(share(|x, _| x as f32 * 20.0 * 0.007, 0.03) > 0.85, "a hillside");
        assert_eq!(share(|x, _| x as f32 * 20.0 * 0.007, 0.06), 0.0, "in a wood water is slow");
        assert!(share(|x, _| if x % 80 == 40 { 10.0 } else { 0.0 }, 0.03) < 0.1, "a levee of 10 m");
        assert_eq!(share(|x, y| ((x * 7 + y * 13) % 10) as f32 * 0.05, 0.03), 0.0, "noise of half a metre");
        assert_eq!(share(|_, _| f32::NAN, 0.03), 0.0, "no ground");
        assert!(share(|x, _| x as f32 * 20.0 * 0.5, 0.0) > 0.85, "without friction");
    }
}

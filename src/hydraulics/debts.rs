//! Water that a cell of the full equations gave away without holding it, taken back from the neighbours that got it.
//!
//! In: a cell that fell below zero and the masses over its faces. Out: what each neighbour owes; paid when all rows are written,
//! from south to north, so that the bits do not depend on who swept what. Second order pushes more than there is out of a
//! cell at a front; to set it to zero and keep the neighbours' part would make water.

use super::grid::Water;
use super::sweep::{Step, Tally};

/// Depth that a neighbour got and has to give back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Debt {
    /// The neighbour's place in padded arrays.
    at: usize,
    /// m.
    owed_m: f32,
}

/// Shares what a cell lacks among the faces it flowed out of; beyond the rim it did not flow out.
///
/// `at`: padded row and column of the cell; `lacks_m`: depth below zero, m, above zero; `out`: unit discharges out of it to the
/// west, east, south and north, m²/s, negative where water comes in.
pub(super) fn share(step: &Step, at: (usize, usize), lacks_m: f32, out: [f32; 4], tally: &mut Tally) {
    let (row, column) = at;
    let total: f32 = out.iter().map(|q| q.max(0.0)).sum();
    if total <= 0.0 {
        tally.clipped_m += f64::from(lacks_m);
        return;
    }
    let here = row * step.layout.stride + column;
    let stride = step.layout.stride;
    let beyond = [step.at_west(column), step.at_east(column + 1), step.at_south(row), step.at_north(row)];
    let neighbours = [here - 1, here + 1, here - stride, here + stride];
    // Of the rim's sums those to the east and north are positive.
    let signs = [1.0, -1.0, 1.0, -1.0];
    for side in (0..4).filter(|side| out[*side] > 0.0) {
        let owed_m = lacks_m * (out[side] / total);
        if beyond[side] {
            tally.rim[side] += signs[side] * f64::from(owed_m) / f64::from(step.k);
        } else {
            tally.debts.push(Debt { at: neighbours[side], owed_m });
        }
    }
}

/// Takes what is owed out of the water, at the velocity it has. Returns the depth that nobody holds any more, m.
pub(super) fn pay(debts: &[Debt], water: &mut Water) -> f64 {
    let mut unpaid_m = 0.0;
    for Debt { at, owed_m } in debts {
        let held = water.h[*at];
        let left = (held - owed_m).max(0.0);
        let kept = if held > 0.0 { left / held } else { 0.0 };
        unpaid_m += f64::from(*owed_m) - f64::from(held - left);
        water.h[*at] = left;
        water.qx[*at] *= kept;
        water.qy[*at] *= kept;
    }
    unpaid_m
}

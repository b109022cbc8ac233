//! 越限: outside what the instrument or the river can be.

use super::{Case, bad};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some([lowest, highest]) = case.limits.range else { return Quality::GOOD };
    let value = case.reading.value;
    if value < lowest || value > highest { bad(Causes::RANGE) } else { Quality::GOOD }
}

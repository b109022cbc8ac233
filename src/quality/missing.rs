//! 缺测: the device gave no number.

use super::{Case, bad};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    if case.reading.value.is_finite() { Quality::GOOD } else { bad(Causes::MISSING) }
}

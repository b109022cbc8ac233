//! Joins the points of a unit into as few requests as its profile allows.

use super::{Device, Function};
use std::ops::Range;

/// One request: registers `first .. first + count` of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which table.
    pub function: Function,
    /// Protocol address of the first register.
    pub first: u16,
    /// 1 to 125.
    pub count: u16,
}

impl Block {
    /// The words of `width` registers from `first`, out of an answer to this block; `None` if it does not cover them.
    pub fn slice<'a>(&self, words: &'a [u16], first: u16, width: u16) -> Option<&'a [u16]> {
        let start = usize::from(first.checked_sub(self.first)?);
        words.get(start..start + usize::from(width))
    }
    /// Whether it covers all these registers.
    pub fn covers(&self, function: Function, first: u16, width: u16) -> bool {
        let own = u32::from(self.first)..u32::from(self.first) + u32::from(self.count);
        function == self.function && own.start <= u32::from(first) && u32::from(first) + u32::from(width) <= own.end
    }
}

/// The requests that read every point (and status register) of these devices of one unit, in rising order.
pub fn blocks<'a>(devices: impl Iterator<Item = &'a Device>) -> Vec<Block> {
    let mut wanted: Vec<(Function, Range<u32>, u16, u16)> = Vec::new();
    for device in devices {
        let (profile, base) = (&device.profile, u32::from(device.first_register));
        for series in &device.series {
            let own = base + u32::from(series.point.first());
            let mut add = |at: u32, width: u16| {
                wanted.push((profile.function, at..at + u32::from(width), profile.max_block, profile.max_gap));
            };
            add(own, series.point.number.width());
            if let Some(status) = series.point.status {
                add(base + u32::from(status.register), 1);
            }
        }
    }
    wanted.sort_by_key(|(function, range, ..)| (*function, range.start, range.end));
    let mut out: Vec<(Function, Range<u32>)> = Vec::new();
    for (function, range, max_block, max_gap) in wanted {
        if let Some((last_function, last)) = out.last_mut()
            && *last_function == function
            && range.start <= last.end + u32::from(max_gap)
            && range.end.max(last.end) - last.start <= u32::from(max_block)
        {
            last.end = last.end.max(range.end);
        } else {
            out.push((function, range));
        }
    }
    out.into_iter().filter_map(|(function, range)| block(function, &range)).collect()
}

fn block(function: Function, range: &Range<u32>) -> Option<Block> {
    Some(Block {
        function,
        first: u16::try_from(range.start).ok()?,
        count: u16::try_from(range.end - range.start).ok()?,
    })
}

//! Joins the points of a unit into as few requests as its profile allows.

use super::{Device, Function};
use std::ops::Range;

/// One request: registers (or bits) `first .. first + count` of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which table.
    pub function: Function,
    /// Protocol address of the first register.
    pub first: u16,
    /// 1 to 125, of bits to 2000.
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
    /// Its last register.
    pub fn last(&self) -> u32 {
        (u32::from(self.first) + u32::from(self.count)).saturating_sub(1)
    }
}

/// What must come in one answer, and how far it may be joined with others.
struct Wanted {
    function: Function,
    range: Range<u32>,
    most: u16,
    gap: u16,
    alone: bool,
}

/// The requests that read every point and every register beside it, of these devices of one unit, in rising order.
pub fn blocks<'a>(devices: impl Iterator<Item = &'a Device>) -> Vec<Block> {
    join(wanted(devices))
}

/// The same with nothing joined: for a device that refuses what lies between its points.
pub fn single_blocks<'a>(devices: impl Iterator<Item = &'a Device>) -> Vec<Block> {
    let alone = wanted(devices).into_iter().map(|want| Wanted { alone: true, ..want });
    join(alone.collect())
}

fn wanted<'a>(devices: impl Iterator<Item = &'a Device>) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for device in devices {
        let (profile, base) = (&device.profile, u32::from(device.first_register));
        let mut add = |function: Function, register: u16, width: u16| {
            let first = base + u32::from(register);
            let most = if function.is_bits() { function.block_max() } else { profile.max_block };
            let range = first..first + u32::from(width);
            wanted.push(Wanted { function, range, most, gap: profile.max_gap, alone: profile.single_reads });
        };
        for point in device.series.iter().map(|series| &series.point) {
            add(point.table(), point.first(), point.number.width());
            point.beside().for_each(|(function, register)| add(function, register, 1));
        }
    }
    wanted.sort_by_key(|want| (want.function, want.range.start, want.range.end));
    wanted
}

fn join(wanted: Vec<Wanted>) -> Vec<Block> {
    let mut out: Vec<(Function, Range<u32>)> = Vec::new();
    for want in wanted {
        let known = |(function, range): &(Function, Range<u32>)| {
            *function == want.function && range.start <= want.range.start && want.range.end <= range.end
        };
        if out.iter().any(known) {
            continue;
        }
        if let Some((function, last)) = out.last_mut()
            && *function == want.function
            && !want.alone
            && want.range.start <= last.end + u32::from(want.gap)
            && want.range.end.max(last.end) - last.start <= u32::from(want.most)
        {
            last.end = last.end.max(want.range.end);
        } else {
            out.push((want.function, want.range));
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

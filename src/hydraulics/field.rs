//! One number for every cell, in memory of large pages where the system has them.
//!
//! In: a number of cells. Out: a slice that starts at zero. A sweep walks through seven such fields at once; with pages of 4 KiB the
//! processor spends much of its time on finding where they lie. Small fields, and all where the system refuses, are plain memory.

use memmap2::MmapMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// From this size on large pages pay, bytes: the size of one.
const LARGE_PAGE: usize = 2 << 20;

/// Values of all cells with their ghosts.
pub(super) struct Field(Memory);

enum Memory {
    Plain(Vec<f32>),
    Pages(MmapMut),
}

impl Field {
    /// `n` zeros.
    pub(super) fn zeros(n: usize) -> Self {
        let bytes = n * size_of::<f32>();
        let pages = if bytes < LARGE_PAGE { None } else { large_pages(bytes) };
        Self(pages.map_or_else(|| Memory::Plain(vec![0.0; n]), Memory::Pages))
    }

    /// `n` times the same.
    pub(super) fn filled(n: usize, value: f32) -> Self {
        let mut field = Self::zeros(n);
        field.fill(value);
        field
    }
}

/// Memory that the system may back with large pages; it starts as zeros, and is touched only when written.
fn large_pages(bytes: usize) -> Option<MmapMut> {
    let pages = MmapMut::map_anon(bytes).ok()?;
    #[cfg(target_os = "linux")]
    let _ = pages.advise(memmap2::Advice::HugePage); // a wish: without it the pages are small ones
    Some(pages)
}

impl Deref for Field {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Memory::Plain(values) => values,
            Memory::Pages(pages) => bytemuck::cast_slice(pages),
        }
    }
}

impl DerefMut for Field {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            Memory::Plain(values) => values,
            Memory::Pages(pages) => bytemuck::cast_slice_mut(pages),
        }
    }
}

impl Clone for Field {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field of {}", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_is_the_same_in_plain_memory_and_in_large_pages() {
        for n in [0, 5, LARGE_PAGE / 4, 3 * LARGE_PAGE / 4 + 7] {
            let mut field = Field::zeros(n);
            assert!(field.len() == n && field.iter().all(|value| *value == 0.0), "{n}");
            field.iter_mut().enumerate().for_each(|(at, value)| *value = at as f32);
            let copy = field.clone();
            assert_eq!(copy, field);
            assert!(copy.iter().enumerate().all(|(at, value)| *value == at as f32), "{n}");
            assert!(Field::filled(n, -9999.0).iter().all(|value| *value == -9999.0), "{n}");
        }
    }
}

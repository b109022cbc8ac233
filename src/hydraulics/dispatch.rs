//! The row loops of [`super::kernels`], compiled for several vector widths; the widest that this processor has is called.
//!
//! In: rows. Out: the same bits whatever the width. The only file of the project with unsafe code: calling a function compiled
//! for AVX2 or AVX-512 is sound only after asking the processor, which [`VectorWidth::of_this_machine`] does.
#![allow(unsafe_code, clippy::too_many_arguments)]

use super::kernels;

/// Vector instructions that the loops use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorWidth(Width);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// What every machine of this kind has.
    Base,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl VectorWidth {
    /// The widest that this machine has.
    pub fn of_this_machine() -> Self {
        Self::offered().pop().unwrap_or(Self(Width::Base))
    }

    /// All that this machine has, narrowest first; tests compare their results.
    pub fn offered() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut offered = vec![Self(Width::Base)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                offered.push(Self(Width::Avx2));
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
            {
                offered.push(Self(Width::Avx512));
            }
        }
        offered
    }

    /// Name for the report of a run.
    pub fn name(self) -> &'static str {
        match self.0 {
            Width::Base => "base",
            #[cfg(target_arch = "x86_64")]
            Width::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => "avx512",
        }
    }
}

/// Makes a function that calls the kernel of the same name, compiled for the width asked.
macro_rules! dispatched {
    ($($name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $back:ty)?;)*) => {$(
        #[doc = concat!("[`kernels::", stringify!($name), "`] in the given width.")]
        pub(super) fn $name(width: VectorWidth, $($arg: $kind),*) $(-> $back)? {
            #[inline(never)]
            fn base($($arg: $kind),*) $(-> $back)? {
                kernels::$name($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(never)]
            #[target_feature(enable = "avx2")]
            fn avx2($($arg: $kind),*) $(-> $back)? {
                kernels::$name($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(never)]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq")]
            fn avx512($($arg: $kind),*) $(-> $back)? {
                kernels::$name($($arg),*)
            }
            match width.0 {
                Width::Base => base($($arg),*),
                // SAFETY: the width exists only after the processor said that it has AVX2.
                #[cfg(target_arch = "x86_64")]
                Width::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: the width exists only after the processor said that it has these parts of AVX-512.
                #[cfg(target_arch = "x86_64")]
                Width::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    )*};
}

dispatched! {
    inertia_east(
        h: &[f32], z: &[f32], n2: &[f32], q: &[f32], out: &mut [f32], slope: f32, half: f32, dry: f32,
    );
    inertia_north(
        h0: &[f32], h1: &[f32], z0: &[f32], z1: &[f32], n0: &[f32], n1: &[f32], qm: &[f32], q: &mut [f32], qp: &[f32],
        kept: &mut [f32], slope: f32, half: f32, dry: f32,
    );
    inertia_settle(
        h: &mut [f32], west: &[f32], east: &[f32], south: &[f32], north: &[f32], kept: &mut [f32], k: f32,
    ) -> bool;
    inertia_shares(
        h: &[f32], west: &[f32], east: &[f32], south: &[f32], north: &[f32], share: &mut [f32], k: f32,
    ) -> bool;
    inertia_limit(q: &mut [f32], before: &[f32], behind: &[f32]);
    inertia_depths(
        h: &[f32], west: &[f32], east: &[f32], south: &[f32], north: &[f32], out: &mut [f32], k: f32,
    ) -> bool;
    raise_tops(values: &[f32], tops: &mut [u32]);
    largest(values: &[f32]) -> f32;
    full_primitives(
        h: &[f32], qx: &[f32], qy: &[f32], z: &[f32], stage: &mut [f32], u: &mut [f32], v: &mut [f32], eps: f32,
    );
    full_slopes(
        h: &[f32], stage: &[f32], u: &[f32], v: &[f32],
        hs: &[f32], stage_s: &[f32], us: &[f32], vs: &[f32],
        hn: &[f32], stage_n: &[f32], un: &[f32], vn: &[f32],
        ch: &mut [f32], cs: &mut [f32], cu: &mut [f32], cv: &mut [f32],
        xh: &mut [f32], xs: &mut [f32], xu: &mut [f32], xv: &mut [f32],
        yh: &mut [f32], ys: &mut [f32], yu: &mut [f32], yv: &mut [f32],
        n2: &[f32],
        k: f32, gk: f32,
        half_gdt: f32, dry: f32,
    );
    full_fluxes(
        ah: &[f32], az: &[f32], au: &[f32], av: &[f32], dah: &[f32], daz: &[f32], dau: &[f32], dav: &[f32],
        bh: &[f32], bz: &[f32], bu: &[f32], bv: &[f32], dbh: &[f32], dbz: &[f32], dbu: &[f32], dbv: &[f32],
        mass: &mut [f32], before: &mut [f32], behind: &mut [f32], across: &mut [f32],
    );
    full_update(
        h: &[f32], qx: &[f32], qy: &[f32], n2: &[f32],
        mw: &[f32], me: &[f32], pw: &[f32], pe: &[f32], tw: &[f32], te: &[f32],
        ms: &[f32], mn: &[f32], ps: &[f32], pn: &[f32], ts: &[f32], tn: &[f32],
        depth: &[f32], slope_x: &[f32], slope_y: &[f32],
        oh: &mut [f32], ox: &mut [f32], oy: &mut [f32], speed: &mut [f32], clipped: &mut [f32],
        k: f32, gdt: f32, eps: f32,
    ) -> bool;
    flow_row(
        h: &[f32], west: &[f32], east: &[f32], south: &[f32], north: &[f32], q: &mut [f32], froude2: &mut [f32], least: f32,
    );
    arrives(h: &[f32], depth: &[f32], arrives_m: f32) -> bool;
    note_arrivals(h: &[f32], depth: &[f32], arrival: &mut [f32], time_s: f32, arrives_m: f32);
    record_row(h: &[f32], q: &[f32], depth: &mut [f32], hazard: &mut [f32]);
}

//! Row loops of the solver: arithmetic on slices, nothing else. All values single precision, SI units.
//!
//! In: rows of cells or faces. Out: rows of fluxes, reconstructed states, new depths and discharges. Every loop does the same
//! operations in the same order whatever the vector width, and nothing is contracted, so all widths give the same bits.
//!
//! Slices come as single parameters, not in a struct: only so does the compiler know that they do not overlap, which it
//! needs to use vector registers.
#![allow(clippy::too_many_arguments, clippy::needless_range_loop)]

/// Acceleration of gravity g, m/s².
pub(super) const GRAVITY: f32 = 9.81;
/// Depth below which a cell holds no flow of the full equations, m.
pub(super) const FILM_M: f32 = 1e-5;

/// One or the other without a branch.
#[inline(always)]
fn pick(condition: bool, yes: f32, no: f32) -> f32 {
    if condition { yes } else { no }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    pick(a > b, a, b)
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    pick(a < b, a, b)
}

/// x^(−7/3) for x of 1e-6 to 1e4, relative error below 8e-6; no division, no branch.
///
/// x^(−⅓) to 4 % comes from the exponent bits as a number, times −⅓; the error of its cube against 1/x then enters a polynomial
/// of degree four for c^(−7/3) about c = 1, the best one over the range of that error.
#[inline(always)]
pub(super) fn power_minus_seven_thirds(x: f32) -> f32 {
    // The sum lies between 2^23 and 2^24, so its bits end in a whole number: the bits of y in multiples of 128.
    let sum = (x.to_bits() as i32) as f32 * (-1.0 / 384.0) + 15_287_461.0;
    let y = f32::from_bits((sum.to_bits() << 7).wrapping_sub(0x6000_0000));
    let y2 = y * y;
    let y3 = y2 * y;
    let off = x * y3 - 1.0;
    let mut fit = 7.334_420_7 * off - 5.739_698;
    fit = fit * off + 3.891_060_4;
    fit = fit * off - 2.333_019;
    fit = fit * off + 0.999_997_5;
    (y2 * y2) * y3 * fit
}

// ---- Local inertia ----

/// Unit discharge through one face: de Almeida, Bates, Freer & Souvignet 2012, Water Resour. Res. 48, W05528, eq. 7 (θ = 0.8)
/// with the semi-implicit friction of Bates, Horritt & Fewtrell 2010, J. Hydrol. 387, eq. 11.
///
/// `h`, `z`, `n2`: depth m, bed m and n² of the cells before and behind the face; `q`: discharges m²/s of the face before, of this
/// one and of the one behind in line; `slope` = g Δt/Δx, `half` = g Δt/2, `dry`: least flow depth m.
#[inline(always)]
fn inertia_face(h: [f32; 2], z: [f32; 2], n2: [f32; 2], q: [f32; 3], slope: f32, half: f32, dry: f32) -> f32 {
    let (stage0, stage1) = (h[0] + z[0], h[1] + z[1]);
    let flow_depth = larger(stage0, stage1) - larger(z[0], z[1]);
    let flows = flow_depth > dry;
    let deep = pick(flows, flow_depth, 1.0);
    let smooth = 0.8 * q[1] + 0.1 * (q[0] + q[2]);
    let pushed = smooth - (slope * deep) * (stage1 - stage0);
    let drag = half * (n2[0] + n2[1]) * q[1].abs() * power_minus_seven_thirds(deep);
    pick(flows, pushed / (1.0 + drag), 0.0)
}

/// Unit discharges through the eastern faces of a row of cells, see [`inertia_face`]. `h`, `z`, `n2` have one value more than
/// `out`, `q` begins one face west and ends one face east of it.
#[inline(always)]
pub(super) fn inertia_east(
    h: &[f32],
    z: &[f32],
    n2: &[f32],
    q: &[f32],
    out: &mut [f32],
    slope: f32,
    half: f32,
    dry: f32,
) {
    let n = out.len();
    let (h, z, n2, q) = (&h[..n + 1], &z[..n + 1], &n2[..n + 1], &q[..n + 2]);
    for i in 0..n {
        let line = [q[i], q[i + 1], q[i + 2]];
        out[i] = inertia_face([h[i], h[i + 1]], [z[i], z[i + 1]], [n2[i], n2[i + 1]], line, slope, half, dry);
    }
}

/// The same through the northern faces, in place: `q` is this row's, `qm` and `qp` those of the rows before and behind; `kept` gets
/// what `q` was.
#[inline(always)]
pub(super) fn inertia_north(
    h0: &[f32],
    h1: &[f32],
    z0: &[f32],
    z1: &[f32],
    n0: &[f32],
    n1: &[f32],
    qm: &[f32],
    q: &mut [f32],
    qp: &[f32],
    kept: &mut [f32],
    slope: f32,
    half: f32,
    dry: f32,
) {
    let n = q.len();
    let (h0, h1, z0, z1, n0, n1) = (&h0[..n], &h1[..n], &z0[..n], &z1[..n], &n0[..n], &n1[..n]);
    let (qm, qp, kept) = (&qm[..n], &qp[..n], &mut kept[..n]);
    for i in 0..n {
        let old = q[i];
        let line = [qm[i], old, qp[i]];
        q[i] = inertia_face([h0[i], h1[i]], [z0[i], z1[i]], [n0[i], n1[i]], line, slope, half, dry);
        kept[i] = old;
    }
}

/// New depth in place, h + Δt/Δx (q_W − q_E + q_S − q_N), m, while `kept` gets the old one. True if some cell gives more than it
/// holds, or would fall below zero: then the row must be cut and done again.
#[inline(always)]
pub(super) fn inertia_settle(
    h: &mut [f32],
    west: &[f32],
    east: &[f32],
    south: &[f32],
    north: &[f32],
    kept: &mut [f32],
    k: f32,
) -> bool {
    let n = h.len();
    let (west, east, south, north, kept) = (&west[..n], &east[..n], &south[..n], &north[..n], &mut kept[..n]);
    let mut signs = 0u32;
    for i in 0..n {
        let (old, w, e, s, n) = (h[i], west[i], east[i], south[i], north[i]);
        let out = k * ((larger(e, 0.0) - smaller(w, 0.0)) + (larger(n, 0.0) - smaller(s, 0.0)));
        let new = old + k * ((w - e) + (s - n));
        signs |= (old - out).to_bits() | new.to_bits();
        kept[i] = old;
        h[i] = new;
    }
    signs >> 31 != 0
}

/// Share of its wanted outflow that each cell can give: min(1, h / (Δt/Δx ΣQ_out)). True if some cell cannot give all.
#[inline(always)]
pub(super) fn inertia_shares(
    h: &[f32],
    west: &[f32],
    east: &[f32],
    south: &[f32],
    north: &[f32],
    share: &mut [f32],
    k: f32,
) -> bool {
    let n = share.len();
    let (h, west, east, south, north) = (&h[..n], &west[..n], &east[..n], &south[..n], &north[..n]);
    let mut signs = 0u32;
    for i in 0..n {
        let out =
            k * ((larger(east[i], 0.0) - smaller(west[i], 0.0)) + (larger(north[i], 0.0) - smaller(south[i], 0.0)));
        let short = out > h[i];
        signs |= (h[i] - out).to_bits();
        // A trace less than all, so that rounding does not take more than there is.
        share[i] = pick(short, h[i] / pick(short, out, 1.0) * 0.999_999, 1.0);
    }
    signs >> 31 != 0
}

/// Cuts a row of face discharges to what the cell they come from can give; `before`, `behind`: shares of the two cells.
#[inline(always)]
pub(super) fn inertia_limit(q: &mut [f32], before: &[f32], behind: &[f32]) {
    let n = q.len();
    let (before, behind) = (&before[..n], &behind[..n]);
    for i in 0..n {
        q[i] *= pick(q[i] > 0.0, before[i], behind[i]);
    }
}

/// New depth from the old one and the faces after the cut, m. True if some fell below zero.
#[inline(always)]
pub(super) fn inertia_depths(
    h: &[f32],
    west: &[f32],
    east: &[f32],
    south: &[f32],
    north: &[f32],
    out: &mut [f32],
    k: f32,
) -> bool {
    let n = out.len();
    let (h, west, east, south, north) = (&h[..n], &west[..n], &east[..n], &south[..n], &north[..n]);
    let mut signs = 0u32;
    for i in 0..n {
        let new = h[i] + k * ((west[i] - east[i]) + (south[i] - north[i]));
        signs |= new.to_bits();
        out[i] = new;
    }
    signs >> 31 != 0
}

// ---- Both ----

/// Raises each of `tops` to the bits of the value beside it. Bits of values from zero up are in the order of the values, and above
/// them all is what is not a number, whatever its sign: it stays.
#[inline(always)]
pub(super) fn raise_tops(values: &[f32], tops: &mut [u32]) {
    let n = tops.len();
    let values = &values[..n];
    for i in 0..n {
        tops[i] = tops[i].max(values[i].to_bits());
    }
}

/// Largest value of a row, at least 0; not a number if one is.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    let mut top = 0u32;
    for value in values {
        top = top.max(larger_or_nothing(*value).to_bits());
    }
    f32::from_bits(top)
}

/// The value if it is above zero or no number, else zero.
#[inline(always)]
fn larger_or_nothing(value: f32) -> f32 {
    pick(value <= 0.0, 0.0, value)
}

// ---- Full shallow water ----

/// Stage and velocities of a row of cells; velocity of a film thinner than `eps` m is damped as in Kurganov & Petrova 2007,
/// Commun. Math. Sci. 5, eq. 2.17.
#[inline(always)]
pub(super) fn full_primitives(
    h: &[f32],
    qx: &[f32],
    qy: &[f32],
    z: &[f32],
    stage: &mut [f32],
    u: &mut [f32],
    v: &mut [f32],
    eps: f32,
) {
    let n = stage.len();
    let (h, qx, qy, z, u, v) = (&h[..n], &qx[..n], &qy[..n], &z[..n], &mut u[..n], &mut v[..n]);
    for i in 0..n {
        let deep = larger(h[i], eps);
        let over = pick(h[i] > FILM_M, 2.0 * h[i] / (h[i] * h[i] + deep * deep), 0.0);
        stage[i] = h[i] + z[i];
        u[i] = qx[i] * over;
        v[i] = qy[i] * over;
    }
}

/// Half the limited difference across a cell, monotonised central (van Leer 1977, J. Comput. Phys. 23, eq. 66).
#[inline(always)]
fn half_slope(before: f32, here: f32, behind: f32) -> f32 {
    let (back, ahead) = (here - before, behind - here);
    let bound = smaller(back.abs(), ahead.abs());
    let middle = 0.25 * (back + ahead);
    let size = smaller(bound, middle.abs());
    pick(back * ahead > 0.0, pick(middle > 0.0, size, -size), 0.0)
}

/// Share of a step of the bed that a film must be deeper than to have slopes. Measured: at 0.05 to 0.4 rain on hills of 2 to 60 m
/// makes as little water as in first order, and the bowl of Thacker has its least error at 0.1.
const FILM_OF_STEP: f32 = 0.1;

/// Whether three cells in line may share a slope: each is deeper than `dry` and than a share of the steps of the bed z = η − h
/// between them, m. In a thinner film a slope of the stage is one of the bed: the half step would push the water as if it were
/// deep, and the faces let more out than a cell holds.
#[inline(always)]
fn deep_enough(h: [f32; 3], stage: [f32; 3], dry: f32) -> bool {
    let z = [stage[0] - h[0], stage[1] - h[1], stage[2] - h[2]];
    let step = larger((z[1] - z[0]).abs(), (z[2] - z[1]).abs());
    smaller(smaller(h[0], h[1]), h[2]) > larger(dry, FILM_OF_STEP * step)
}

/// A row of rising values: stage, depth, velocity along and across, each as its own slice.
pub(super) struct Row {
    /// Stage η, m.
    pub stage: Vec<f32>,
    /// Depth h, m.
    pub h: Vec<f32>,
    /// Velocity to the east u, m/s.
    pub u: Vec<f32>,
    /// Velocity to the north v, m/s.
    pub v: Vec<f32>,
}

impl Row {
    pub(super) fn new(width: usize) -> Self {
        let zeros = || vec![0.0; width];
        Self { stage: zeros(), h: zeros(), u: zeros(), v: zeros() }
    }
}

/// Half differences in both directions and the state half a time step on (MUSCL–Hancock: van Leer 1984, SIAM J. Sci. Stat.
/// Comput. 5; Toro 2001, Shock-Capturing Methods for Free-Surface Shallow Flows, section 11.5), in the variables (η, h, u, v).
///
/// Slopes are taken where all three cells are deeper than `dry` and than a tenth of the bed's steps between them, see [`deep_enough`]:
/// a shore and a film on a hillside are first order. `k` = Δt/Δx, `gk` = g Δt/Δx, `half_gdt` = g Δt/2, `n2` = n² of the output's
/// cells.
/// Slices begin one cell west of the output: `w`, `c`, `e` of a row are its parts from 0, 1 and 2.
#[inline(always)]
pub(super) fn full_slopes(
    h: &[f32],
    stage: &[f32],
    u: &[f32],
    v: &[f32],
    hs: &[f32],
    stage_s: &[f32],
    us: &[f32],
    vs: &[f32],
    hn: &[f32],
    stage_n: &[f32],
    un: &[f32],
    vn: &[f32],
    ch: &mut [f32],
    cs: &mut [f32],
    cu: &mut [f32],
    cv: &mut [f32],
    xh: &mut [f32],
    xs: &mut [f32],
    xu: &mut [f32],
    xv: &mut [f32],
    yh: &mut [f32],
    ys: &mut [f32],
    yu: &mut [f32],
    yv: &mut [f32],
    n2: &[f32],
    k: f32,
    gk: f32,
    half_gdt: f32,
    dry: f32,
) {
    let n = ch.len();
    let (h, stage, u, v) = (&h[..n + 2], &stage[..n + 2], &u[..n + 2], &v[..n + 2]);
    let (hs, stage_s, us, vs) = (&hs[1..n + 1], &stage_s[1..n + 1], &us[1..n + 1], &vs[1..n + 1]);
    let (hn, stage_n, un, vn) = (&hn[1..n + 1], &stage_n[1..n + 1], &un[1..n + 1], &vn[1..n + 1]);
    let (cs, cu, cv) = (&mut cs[..n], &mut cu[..n], &mut cv[..n]);
    let (xh, xs, xu, xv) = (&mut xh[..n], &mut xs[..n], &mut xu[..n], &mut xv[..n]);
    let (yh, ys, yu, yv) = (&mut yh[..n], &mut ys[..n], &mut yu[..n], &mut yv[..n]);
    let n2 = &n2[..n];
    for i in 0..n {
        let (h1, s1, u1, v1) = (h[i + 1], stage[i + 1], u[i + 1], v[i + 1]);
        let along = deep_enough([h[i], h1, h[i + 2]], [stage[i], s1, stage[i + 2]], dry);
        let across = deep_enough([hs[i], h1, hn[i]], [stage_s[i], s1, stage_n[i]], dry);
        let dxh = pick(along, half_slope(h[i], h1, h[i + 2]), 0.0);
        let dxs = pick(along, half_slope(stage[i], s1, stage[i + 2]), 0.0);
        let dxu = pick(along, half_slope(u[i], u1, u[i + 2]), 0.0);
        let dxv = pick(along, half_slope(v[i], v1, v[i + 2]), 0.0);
        let dyh = pick(across, half_slope(hs[i], h1, hn[i]), 0.0);
        let dys = pick(across, half_slope(stage_s[i], s1, stage_n[i]), 0.0);
        let dyu = pick(across, half_slope(us[i], u1, un[i]), 0.0);
        let dyv = pick(across, half_slope(vs[i], v1, vn[i]), 0.0);
        let rise = -k * ((u1 * dxh + h1 * dxu) + (v1 * dyh + h1 * dyv));
        // A predicted depth below half or above twice the present one is a shore's, not a wave's.
        let rise = larger(smaller(rise, h1), -0.5 * h1);
        ch[i] = h1 + rise;
        cs[i] = s1 + rise;
        // Half a step of friction, so that a uniform flow is in balance at the faces, too.
        let deep = h1 > dry;
        let depth = pick(deep, h1, 1.0);
        let drag = half_gdt * n2[i] * (u1 * u1 + v1 * v1).sqrt() * depth * power_minus_seven_thirds(depth);
        let kept = pick(deep, 1.0 / (1.0 + drag), 1.0);
        cu[i] = kept * (u1 - k * (u1 * dxu + v1 * dyu) - gk * dxs);
        cv[i] = kept * (v1 - k * (u1 * dxv + v1 * dyv) - gk * dys);
        (xh[i], xs[i], xu[i], xv[i]) = (dxh, dxs, dxu, dxv);
        (yh[i], ys[i], yu[i], yv[i]) = (dyh, dys, dyu, dyv);
    }
}

/// Fluxes over a row of faces: HLLC (Toro 2001, chapter 10) on the hydrostatic reconstruction of Audusse et al. 2004, SIAM J.
/// Sci. Comput. 25, eq. 2.9–2.11. The state before a face is centre + half difference, behind it centre − half difference.
///
/// Out: mass m²/s; momentum along for the cell before and behind, m³/s², each without its own ½ g h², so that a lake at rest
/// gives exactly zero; momentum across m³/s². `u` is the velocity along the face's normal, `v` the other.
#[inline(always)]
pub(super) fn full_fluxes(
    ah: &[f32],
    az: &[f32],
    au: &[f32],
    av: &[f32],
    dah: &[f32],
    daz: &[f32],
    dau: &[f32],
    dav: &[f32],
    bh: &[f32],
    bz: &[f32],
    bu: &[f32],
    bv: &[f32],
    dbh: &[f32],
    dbz: &[f32],
    dbu: &[f32],
    dbv: &[f32],
    mass: &mut [f32],
    before: &mut [f32],
    behind: &mut [f32],
    across: &mut [f32],
) {
    let n = mass.len();
    let (ah, az, au, av, dah, daz, dau, dav) =
        (&ah[..n], &az[..n], &au[..n], &av[..n], &dah[..n], &daz[..n], &dau[..n], &dav[..n]);
    let (bh, bz, bu, bv, dbh, dbz, dbu, dbv) =
        (&bh[..n], &bz[..n], &bu[..n], &bv[..n], &dbh[..n], &dbz[..n], &dbu[..n], &dbv[..n]);
    let (before, behind, across) = (&mut before[..n], &mut behind[..n], &mut across[..n]);
    for i in 0..n {
        let (hl, sl, ul, vl) = (larger(ah[i] + dah[i], 0.0), az[i] + daz[i], au[i] + dau[i], av[i] + dav[i]);
        let (hr, sr, ur, vr) = (larger(bh[i] - dbh[i], 0.0), bz[i] - dbz[i], bu[i] - dbu[i], bv[i] - dbv[i]);
        let sill = larger(sl - hl, sr - hr);
        let a = smaller(hl, larger(sl - sill, 0.0));
        let b = smaller(hr, larger(sr - sill, 0.0));
        let (ca, cb) = ((GRAVITY * a).sqrt(), (GRAVITY * b).sqrt());
        // Two-rarefaction estimate of the state between the waves (Toro 2001, eq. 10.18).
        let u_star = 0.5 * (ul + ur) + ca - cb;
        let c_star = larger(0.5 * (ca + cb) + 0.25 * (ul - ur), 0.0);
        let wave_a = pick(a > FILM_M, smaller(ul - ca, u_star - c_star), ur - 2.0 * cb);
        let wave_b = pick(b > FILM_M, larger(ur + cb, u_star + c_star), ul + 2.0 * ca);
        let (wave_a, wave_b) = (smaller(wave_a, 0.0), larger(wave_b, 0.0));
        let span = wave_b - wave_a;
        let weight = wave_a / pick(span > 1e-12, span, 1.0);
        let (qa, qb) = (a * ul, b * ur);
        let step = 0.5 * GRAVITY * (a + b) * (a - b);
        let m = qa + weight * (qa - qb + wave_b * (b - a));
        let carried = qa * ul;
        let p = carried + weight * (carried - qb * ur + step + wave_b * (qb - qa));
        let wet = (a > FILM_M) | (b > FILM_M);
        let m = pick(wet, m, 0.0);
        mass[i] = m;
        before[i] = pick(wet, p, 0.0);
        behind[i] = pick(wet, p + step, 0.0);
        across[i] = m * pick(m > 0.0, vl, vr);
    }
}

/// New depth and discharges of a row from the fluxes around it, with bed slope and Manning friction; `speed` gets the
/// characteristic speed max(|u|, |v|) + √(gh), m/s, `clipped` the depth below zero, m (0 or positive). True if some is.
///
/// Friction is implicit: |q'| solves |q'| + g Δt n² |q'|² h^(−7/3) = |q*|, so a uniform steady flow obeys Manning exactly.
#[inline(always)]
pub(super) fn full_update(
    h: &[f32],
    qx: &[f32],
    qy: &[f32],
    n2: &[f32],
    mw: &[f32],
    me: &[f32],
    pw: &[f32],
    pe: &[f32],
    tw: &[f32],
    te: &[f32],
    ms: &[f32],
    mn: &[f32],
    ps: &[f32],
    pn: &[f32],
    ts: &[f32],
    tn: &[f32],
    depth: &[f32],
    slope_x: &[f32],
    slope_y: &[f32],
    oh: &mut [f32],
    ox: &mut [f32],
    oy: &mut [f32],
    speed: &mut [f32],
    clipped: &mut [f32],
    k: f32,
    gdt: f32,
    eps: f32,
) -> bool {
    let n = oh.len();
    let (h, qx, qy, n2) = (&h[..n], &qx[..n], &qy[..n], &n2[..n]);
    let (mw, me, pw, pe, tw, te) = (&mw[..n], &me[..n], &pw[..n], &pe[..n], &tw[..n], &te[..n]);
    let (ms, mn, ps, pn, ts, tn) = (&ms[..n], &mn[..n], &ps[..n], &pn[..n], &ts[..n], &tn[..n]);
    let (depth, slope_x, slope_y) = (&depth[..n], &slope_x[..n], &slope_y[..n]);
    let (ox, oy, speed, clipped) = (&mut ox[..n], &mut oy[..n], &mut speed[..n], &mut clipped[..n]);
    let mut signs = 0u32;
    for i in 0..n {
        let raw = h[i] + k * ((mw[i] - me[i]) + (ms[i] - mn[i]));
        let push = 2.0 * GRAVITY * depth[i];
        let x = qx[i] + k * ((pw[i] - pe[i]) + (ts[i] - tn[i]) - push * slope_x[i]);
        let y = qy[i] + k * ((ps[i] - pn[i]) + (tw[i] - te[i]) - push * slope_y[i]);
        let wet = raw > FILM_M;
        let deep = pick(wet, raw, 1.0);
        let size = (x * x + y * y).sqrt();
        let drag = gdt * n2[i] * power_minus_seven_thirds(deep) * size;
        let kept = pick(wet, 2.0 / (1.0 + (1.0 + 4.0 * drag).sqrt()), 0.0);
        let (x, y) = (x * kept, y * kept);
        let bound = larger(deep, eps);
        let over = 2.0 * deep / (deep * deep + bound * bound);
        oh[i] = larger(raw, 0.0);
        ox[i] = x;
        oy[i] = y;
        clipped[i] = larger(-raw, 0.0);
        speed[i] = pick(
            wet,
            larger(x.abs(), y.abs()) * over + (GRAVITY * deep).sqrt(),
            pick(raw > 0.0, 1e-6, raw.abs() * 0.0),
        );
        signs |= raw.to_bits();
    }
    signs >> 31 != 0
}

// ---- Records ----

/// Unit discharge |q|, m²/s, and square of the Froude number of a row of cells from the discharges on their faces (or twice the
/// cell's own); the Froude number is 0 where it is shallower than `least` m.
#[inline(always)]
pub(super) fn flow_row(
    h: &[f32],
    west: &[f32],
    east: &[f32],
    south: &[f32],
    north: &[f32],
    q: &mut [f32],
    froude2: &mut [f32],
    least: f32,
) {
    let n = q.len();
    let (h, west, east, south, north, froude2) =
        (&h[..n], &west[..n], &east[..n], &south[..n], &north[..n], &mut froude2[..n]);
    for i in 0..n {
        let (x, y) = (0.5 * (west[i] + east[i]), 0.5 * (south[i] + north[i]));
        let size2 = x * x + y * y;
        let deep = h[i] >= least;
        let depth = pick(deep, h[i], 1.0);
        q[i] = size2.sqrt();
        froude2[i] = pick(deep, size2 / (GRAVITY * depth * depth * depth), 0.0);
    }
}

/// Whether water has come to a cell of a row: it is `arrives_m` deep, and was never before by the record of highest depths.
#[inline(always)]
pub(super) fn arrives(h: &[f32], depth: &[f32], arrives_m: f32) -> bool {
    let n = depth.len();
    let h = &h[..n];
    let mut any = false;
    for i in 0..n {
        any |= (h[i] >= arrives_m) & (depth[i] < arrives_m);
    }
    any
}

/// Sets the time of arrival where water has come, see [`arrives`].
#[inline(always)]
pub(super) fn note_arrivals(h: &[f32], depth: &[f32], arrival: &mut [f32], time_s: f32, arrives_m: f32) {
    let n = arrival.len();
    let (h, depth) = (&h[..n], &depth[..n]);
    for i in 0..n {
        arrival[i] = pick((h[i] >= arrives_m) & (depth[i] < arrives_m), time_s, arrival[i]);
    }
}

/// Brings highest depth and highest unit discharge (hazard) of a row up to date. `q` is |q|, m²/s.
#[inline(always)]
pub(super) fn record_row(h: &[f32], q: &[f32], depth: &mut [f32], hazard: &mut [f32]) {
    let n = depth.len();
    let (h, q, hazard) = (&h[..n], &q[..n], &mut hazard[..n]);
    for i in 0..n {
        depth[i] = larger(h[i], depth[i]);
        hazard[i] = larger(q[i], hazard[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_power_is_exact_enough() {
        let mut x = 1e-6f32;
        while x < 1e4 {
            let exact = f64::from(x).powf(-7.0 / 3.0);
            let error = (f64::from(power_minus_seven_thirds(x)) - exact).abs() / exact;
            assert!(error < 1e-5, "{x}: {error}");
            x *= 1.013;
        }
    }

    #[test]
    fn kernels_largest_keeps_a_value_that_is_no_number() {
        assert_eq!(largest(&[1.0; 40]), 1.0);
        let mut row = vec![1.0; 40];
        row[3] = f32::NAN;
        assert!(largest(&row).is_nan());
        row[3] = 5.0;
        row[39] = 7.0;
        assert_eq!(largest(&row), 7.0);
    }

    #[test]
    fn kernels_slope_is_limited() {
        assert_eq!(half_slope(0.0, 1.0, 2.0), 0.5);
        assert_eq!(half_slope(0.0, 1.0, 0.0), 0.0);
        assert_eq!(half_slope(0.0, 1.0, 101.0), 1.0);
        assert_eq!(half_slope(2.0, 1.0, 0.0), -0.5);
    }
}

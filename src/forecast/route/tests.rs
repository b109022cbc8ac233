//! Routing beside published and exact solutions.

use super::*;

/// Wilson 1974, Engineering Hydrology: 22 six-hourly values of inflow and outflow.
const WILSON_IN: [f64; 22] = [
    22.0, 23.0, 35.0, 71.0, 103.0, 111.0, 109.0, 100.0, 86.0, 71.0, 59.0, 47.0, 39.0, 32.0, 28.0, 24.0, 22.0, 21.0,
    20.0, 19.0, 19.0, 18.0,
];
const WILSON_OUT: [f64; 22] = [
    22.0, 21.0, 21.0, 26.0, 34.0, 44.0, 55.0, 66.0, 75.0, 82.0, 85.0, 84.0, 80.0, 73.0, 64.0, 54.0, 44.0, 36.0, 30.0,
    25.0, 22.0, 19.0,
];
const SIX_HOURS: f64 = 21_600.0;

fn ssq(router: &Router) -> f64 {
    let routed = router.route(&WILSON_IN, SIX_HOURS, Some(WILSON_OUT[0]));
    routed.map_or(f64::MAX, |routed| Skill::of(&routed.outflow_m3s, &WILSON_OUT).unwrap().ssq)
}

#[test]
fn wilsons_flood_is_fitted_as_well_as_published() {
    let nonlinear = |at: &[f64]| Router::Nonlinear(Nonlinear::from_travel_time(at[0].exp(), 50.0, at[1], at[2]));
    for seed in [1, 2, 3] {
        let search = Search::new(vec![(1.0, 6.0), (0.0, 0.5), (0.5, 3.0)], seed);
        let best = minimise(&search, |at| ssq(&nonlinear(at)));
        let Router::Nonlinear(found) = nonlinear(&best.parameters) else { unreachable!() };
        println!("seed {seed}: SSQ {:.4}, {found:?}, {} evaluations", best.cost, best.evaluations);
        assert!(best.cost <= 36.77, "{best:?}");
        assert!((found.x - 0.2869).abs() < 2e-3 && (found.m - 1.868).abs() < 5e-3 && (found.k_h - 0.5175).abs() < 0.01);
        let linear = |at: &[f64]| Router::Linear(Linear { k_h: at[0], x: at[1] });
        let best = minimise(&Search::new(vec![(1.0, 80.0), (0.0, 0.5)], seed), |at| ssq(&linear(at)));
        println!("linear: SSQ {:.3} at {:?}", best.cost, best.parameters);
        assert!(best.cost <= 605.7, "{best:?}");
        assert_eq!(best, minimise(&Search::new(vec![(1.0, 80.0), (0.0, 0.5)], seed), |at| ssq(&linear(at))));
    }
}

#[test]
fn a_linear_reach_follows_its_recursion_and_keeps_its_water() {
    let linear = Linear { k_h: 2.0, x: 0.2 };
    assert!((linear.weights(3600.0).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    // Chow, Maidment & Mays 1988, example 8.4.1: K 2.3 h, x 0.15, 1 h gives 0.0631, 0.3442, 0.5927.
    let weights = Linear { k_h: 2.3, x: 0.15 }.weights(3600.0);
    assert!(weights.iter().zip([0.0631, 0.3442, 0.5927]).all(|(is, should)| (is - should).abs() < 5e-5), "{weights:?}");
    let routed = Router::Linear(linear).route(&WILSON_IN, SIX_HOURS, None).unwrap();
    let kept = volume_m3(&WILSON_IN, SIX_HOURS) - volume_m3(&routed.outflow_m3s, SIX_HOURS);
    assert!((kept - routed.stored_m3).abs() < 1e-6 * kept.abs().max(1e6));
}

/// A flood as it comes: base, rise, long tail, m³/s, hourly.
fn flood(peak: f64) -> Vec<f64> {
    (0..400)
        .map(|hour| 1500.0 + (peak - 1500.0) * (hour as f64 / 60.0 * (1.0 - hour as f64 / 60.0).exp()).powi(4))
        .collect()
}

#[test]
fn a_cascade_keeps_every_drop_while_its_travel_time_changes() {
    let nodes = [(0.0, 30.0), (5000.0, 14.0), (8000.0, 60.0), (20_000.0, 20.0)];
    let nodes = nodes.map(|(q_m3s, k_h)| Node { q_m3s, k_h }).to_vec();
    for (parts, x) in [(1, 0.0), (8, 0.0), (6, 0.2)] {
        let cascade = Cascade { nodes: nodes.clone(), x, parts };
        let inflow = flood(12_000.0);
        let routed = Router::Cascade(cascade).route(&inflow, 3600.0, None).unwrap();
        let whole = volume_m3(&inflow, 3600.0);
        let error = whole - volume_m3(&routed.outflow_m3s, 3600.0) - routed.stored_m3;
        assert!(error.abs() < 1e-9 * whole, "{parts} parts: {error} m³");
        let crest = routed.outflow_m3s.iter().copied().fold(0.0, f64::max);
        assert!(crest < 11_900.0 && routed.below_zero == 0, "{crest}");
    }
}

#[test]
fn a_cascade_of_one_travel_time_is_linear_muskingum() {
    let cascade = Cascade { nodes: vec![Node { q_m3s: 0.0, k_h: 9.0 }], x: 0.2, parts: 1 };
    let linear = Router::Linear(Linear { k_h: 9.0, x: 0.2 }).route(&WILSON_IN, SIX_HOURS, None).unwrap();
    let ours = Router::Cascade(cascade).route(&WILSON_IN, SIX_HOURS, None).unwrap();
    assert!(ours.outflow_m3s.iter().zip(&linear.outflow_m3s).all(|(a, b)| (a - b).abs() < 1e-6));
}

/// Hayami 1951: the response of a diffusive wave to an inflow, by the integral over its kernel.
fn hayami(pulse: &dyn Fn(f64) -> f64, x: f64, c: f64, d: f64, at_s: f64) -> f64 {
    let steps = 20_000;
    let dt = at_s / steps as f64;
    (0..steps)
        .map(|step| {
            let t = (step as f64 + 0.5) * dt;
            let kernel = x / (2.0 * (std::f64::consts::PI * d).sqrt() * t.powf(1.5))
                * (-(x - c * t).powi(2) / (4.0 * d * t)).exp();
            kernel * pulse(at_s - t) * dt
        })
        .sum()
}

#[test]
fn muskingum_cunge_draws_a_wave_out_as_hayami_says() {
    let (base, width, slope, manning) = (3000.0, 800.0, 1.7e-4, 0.02);
    for reynolds in [0.2, 0.5, 1.0, 2.0, 5.0] {
        let probe = Channel { length_m: 1.0, width_m: width, slope, manning, dx_m: 1.0 };
        let (c, d) = (probe.celerity_ms(base), probe.diffusivity_m2s(base));
        let dx = 2.0 * d / (c * reynolds);
        let cells = (120_000.0 / dx).round().max(3.0);
        let channel = Channel { length_m: cells * dx, dx_m: dx, ..probe };
        let dt = dx / c;
        // Small, so that the exact solution with fixed parameters holds; two days wide at half its height, as floods here are.
        // (A pulse of few cells also feels the third moment, which the scheme only has right for Courant² + Reynolds² = 1.)
        let (height, spread) = (3.0, 20.0 * 3600.0_f64);
        let middle = 5.0 * spread;
        let pulse = |t: f64| height * (-0.5 * ((t - middle) / spread).powi(2)).exp();
        let steps = ((middle + channel.length_m / c + 8.0 * spread) / dt) as usize;
        let inflow: Vec<f64> = (0..steps).map(|step| base + pulse(step as f64 * dt)).collect();
        let routed = Router::Cunge(channel).route(&inflow, dt, None).unwrap();
        let crest = routed.outflow_m3s.iter().copied().fold(0.0, f64::max) - base;
        // The exact crest among the same moments: a coarse step may miss the top of both.
        let around = (middle + channel.length_m / c - 0.5 * spread) / dt;
        let moments = around as usize..(around + spread / dt).ceil() as usize + 1;
        let exact = moments.map(|step| hayami(&pulse, channel.length_m, c, d, step as f64 * dt)).fold(0.0, f64::max);
        println!("cell Reynolds {reynolds}: crest {crest:.4} of {height}, Hayami {exact:.4}");
        assert!((crest / exact - 1.0).abs() < 0.02, "{reynolds}: {crest} against {exact}");
        let (attenuated, should) = (height - crest, height - exact);
        println!("    loses {attenuated:.4}, should lose {should:.4}");
        assert!((attenuated / should - 1.0).abs() < 0.02, "{reynolds}: loses {attenuated}, should lose {should}");
    }
}

#[test]
fn muskingum_cunge_keeps_the_volume_of_a_great_flood() {
    let channel = Channel { length_m: 100_000.0, width_m: 1500.0, slope: 1.7e-4, manning: 0.02, dx_m: 5000.0 };
    let inflow = flood(22_000.0);
    let routed = Router::Cunge(channel).route(&inflow, 1800.0, None).unwrap();
    let whole = volume_m3(&inflow, 1800.0);
    let error = (whole - volume_m3(&routed.outflow_m3s, 1800.0) - routed.stored_m3) / whole;
    println!("volume error {error:.1e}");
    assert!(error.abs() < 1e-3, "{error}");
    assert_eq!(routed.below_zero, 0);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let check = |router: Router, inflow: &[f64], dt: f64, expected: &str| {
        let fault = router.route(inflow, dt, None).unwrap_err().to_string();
        assert!(fault.contains(expected), "{fault}");
    };
    let linear = Router::Linear(Linear { k_h: 5.0, x: 0.2 });
    check(linear.clone(), &[], 60.0, "inflow 0");
    check(linear.clone(), &[1.0, f64::NAN], 60.0, "inflow 1");
    check(linear.clone(), &[1.0, -1.0], 60.0, "inflow 1");
    check(linear, &[1.0], 0.0, "dt_s = 0");
    check(Router::Linear(Linear { k_h: -1.0, x: 0.2 }), &[1.0], 60.0, "k_h = -1");
    check(Router::Linear(Linear { k_h: 1.0, x: f64::NAN }), &[1.0], 60.0, "x = NaN");
    check(Router::Nonlinear(Nonlinear { k_h: 1.0, x: 0.2, m: 0.0 }), &[1.0], 60.0, "m = 0");
    check(Router::Cascade(Cascade { nodes: vec![], x: 0.2, parts: 1 }), &[1.0], 60.0, "rising by q_m3s");
    let channel = Channel { length_m: 1e4, width_m: 500.0, slope: -1e-4, manning: 0.02, dx_m: 1e3 };
    check(Router::Cunge(channel), &[1.0], 60.0, "slope = -0.0001");
}

#[test]
fn the_score_of_an_ensemble_is_that_of_its_definition() {
    assert!((crps(&[3.0], 5.0) - 2.0).abs() < 1e-12);
    let (members, came) = ([1.0, 4.0, 6.0, 6.5], 5.0);
    let mut apart = 0.0;
    for a in members {
        apart += members.iter().map(|b: &f64| (a - b).abs()).sum::<f64>();
    }
    let should = members.iter().map(|m| (m - came).abs()).sum::<f64>() / 4.0 - 0.5 * apart / 16.0;
    assert!((crps(&members, came) - should).abs() < 1e-12);
    let mut spread = Spread::default();
    spread.add(1.0, 3.0, 2.0);
    spread.add(1.0, 3.0, 4.0);
    assert_eq!(spread.coverage(), Some(0.5));
}

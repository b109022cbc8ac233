//! Profiles beside integrals and exact solutions.

use super::*;
use crate::hydraulics::Series;

fn prism(width: f64, slope: f64, manning: f64, length: f64, dx: f64) -> River {
    let section = |at: f64| Section::rectangle("r", width, 100.0 - slope * at, 30.0, manning).unwrap();
    River::new(vec![(0.0, section(0.0)), (length, section(length))], dx).unwrap()
}

/// dh/dx = (S0 − Sf)/(1 − Fr²) of a rectangle, integrated upstream by RK4 in steps of 1 m.
fn backwater(width: f64, slope: f64, n: f64, q: f64, below: f64, length: f64) -> f64 {
    let change = |h: f64| {
        let (area, radius) = (width * h, width * h / (width + 2.0 * h));
        let v = q / area;
        let friction = n * n * v * v / radius.powf(4.0 / 3.0);
        -(slope - friction) / (1.0 - v * v / (GRAVITY * h))
    };
    let mut h = below;
    for _ in 0..length as usize {
        let a = change(h);
        let b = change(h + 0.5 * a);
        let c = change(h + 0.5 * b);
        let d = change(h + c);
        h += (a + 2.0 * b + 2.0 * c + d) / 6.0;
    }
    h
}

#[test]
fn profile_steady_backwater_and_drawdown_follow_the_integral_to_a_millimetre() {
    let (width, slope, n, q, length) = (800.0, 2e-4, 0.02, 5000.0, 20_000.0);
    let river = prism(width, slope, n, length, 25.0);
    let last = river.nodes.len() - 1;
    let normal = river.normal_stage_m(last, q, slope).unwrap() - river.bed_m(last);
    for (kind, below) in [("M1", normal + 2.0), ("M2", normal - 1.0)] {
        let waters = steady(&river, &vec![q; last + 1], river.bed_m(last) + below).unwrap();
        for back in [500.0, 2000.0, 5000.0, 20_000.0] {
            let node = last - (back / 25.0) as usize;
            let (ours, should) = (waters[node].stage_m - river.bed_m(node), backwater(width, slope, n, q, below, back));
            println!("{kind} {back:>6} m upstream: {ours:.4} m, integral {should:.4} m");
            assert!((ours - should).abs() < 1e-3, "{kind} {back}: {ours} against {should}");
        }
        assert!(waters.iter().all(|water| !water.critical && water.froude < 1.0));
    }
}

#[test]
fn profile_unsteady_settles_on_the_steady_one() {
    let (width, slope, n, q) = (800.0, 2e-4, 0.02, 5000.0);
    let river = prism(width, slope, n, 20_000.0, 100.0);
    let last = river.nodes.len() - 1;
    let below = river.normal_stage_m(last, q, slope).unwrap() + 1.0;
    let should = steady(&river, &vec![q; last + 1], below).unwrap();
    let level: Vec<f64> = should.iter().map(|water| water.stage_m + 0.5).collect();
    let held = Downstream::Stage(Series::constant(below, 1e6).unwrap());
    let mut run = RiverRun::new(river, &level, 3000.0, held, 60.0).unwrap();
    run.advance(200_000.0, &Series::constant(q, 1e6).unwrap()).unwrap();
    let worst = run.waters().iter().zip(&should).map(|(a, b)| (a.stage_m - b.stage_m).abs()).fold(0.0, f64::max);
    println!("largest difference to the steady profile {worst:.4} m");
    assert!(worst < 0.01, "{worst}");
    assert!(run.waters().iter().all(|water| (water.discharge_m3s - q).abs() < 0.5));
}

#[test]
fn profile_lake_over_a_bump_stays_at_rest() {
    let sections = (0..=40).map(|at| {
        let x = f64::from(at) * 50.0;
        let bump = (0.2 * (1.0 - ((x - 1000.0) / 300.0).powi(2))).max(0.0) * 5.0;
        (x, Section::rectangle("b", 300.0 + 40.0 * f64::from(at % 3), bump, 20.0, 0.03).unwrap())
    });
    let river = River::new(sections.collect(), 25.0).unwrap();
    let stages = vec![3.0; river.nodes.len()];
    let mut run = RiverRun::new(river, &stages, 0.0, Downstream::Wall, 30.0).unwrap();
    run.advance(86_400.0, &Series::constant(0.0, 1e6).unwrap()).unwrap();
    let moved =
        run.waters().iter().map(|water| (water.stage_m - 3.0).abs().max(water.velocity_ms.abs())).fold(0.0, f64::max);
    println!("moved by {moved:.1e}");
    assert!(moved < 1e-9, "{moved}");
}

/// Stoker 1957: depth at x/t of a dam break from `high` to `low`, dam at 0.
fn stoker(high: f64, low: f64, x: f64, t: f64) -> f64 {
    let c1 = (GRAVITY * high).sqrt();
    // The middle state: rarefaction on the left, bore on the right.
    let bore = |h: f64| (h - low) * (0.5 * GRAVITY * (h + low) / (h * low)).sqrt();
    let (mut from, mut to) = (low, high);
    for _ in 0..100 {
        let h = 0.5 * (from + to);
        if bore(h) < 2.0 * (c1 - (GRAVITY * h).sqrt()) { from = h } else { to = h }
    }
    let (h, u) = (from, bore(from));
    let speed = h * u / (h - low);
    match x / t {
        v if v < -c1 => high,
        v if v < u - (GRAVITY * h).sqrt() => (2.0 * c1 - v).powi(2) / (9.0 * GRAVITY),
        v if v < speed => h,
        _ => low,
    }
}

#[test]
fn profile_dam_break_runs_as_stoker_says() {
    let error = |dx: f64| {
        let section = Section::rectangle("s", 100.0, 0.0, 30.0, 0.003).unwrap();
        let river = River::new(vec![(0.0, section.clone()), (2000.0, section)], dx).unwrap();
        let depth = |x: f64| if x < 1000.0 { 10.0 } else { 2.0 };
        let stages: Vec<f64> = river.nodes.iter().map(|node| depth(node.chainage_m)).collect();
        let mut run = RiverRun::new(river, &stages, 0.0, Downstream::Wall, 0.2 * dx / 10.0).unwrap();
        run.advance(60.0, &Series::constant(0.0, 1e3).unwrap()).unwrap();
        let exact = |x: f64| stoker(10.0, 2.0, x - 1000.0, 60.0);
        let nodes = run.river().nodes.clone();
        let off: f64 =
            run.waters().iter().zip(&nodes).map(|(water, node)| (water.stage_m - exact(node.chainage_m)).abs()).sum();
        let whole: f64 = nodes.iter().map(|node| exact(node.chainage_m)).sum();
        let [_, _, stored] = run.volumes_m3();
        assert!(stored.abs() < 1e-3, "volume moves by {stored} m³");
        off / whole
    };
    let (coarse, fine) = (error(8.0), error(4.0));
    println!("relative L1 at 8 m {coarse:.4}, at 4 m {fine:.4}");
    assert!(fine < 0.012 && fine < 0.75 * coarse, "{coarse} {fine}");
}

/// Channel between lips of 12 m, ground behind them falling to 9 m at the levee foot, levees of 16 m.
fn perched() -> Section {
    let points = [
        (0.0, 16.0, 0.035),
        (20.0, 9.0, 0.035),
        (1000.0, 12.0, 0.02),
        (1010.0, 8.0, 0.02),
        (1600.0, 8.0, 0.02),
        (1610.0, 12.0, 0.035),
        (4000.0, 9.0, 0.035),
        (4020.0, 16.0, 0.035),
    ];
    let point = |(across_m, height_m, manning)| SectionPoint { across_m, height_m, manning };
    Section::new("perched", points.map(point).to_vec(), Some((2, 5))).unwrap()
}

#[test]
fn profile_ground_behind_the_lip_is_dry_until_the_lip_is_overtopped() {
    let section = perched();
    let full = section.wetted(11.99);
    assert!((full.width_m - 610.0).abs() < 1.0, "only the channel: {full:?}");
    assert_eq!((section.bed_m(), section.top_m()), (8.0, 16.0));
    let over = section.wetted(12.3);
    assert!((over.width_m - 4000.0).abs() < 40.0 && over.area_m2 > 2.0 * full.area_m2, "{over:?}");
    let stages: Vec<Wetted> = (0..160).map(|step| section.wetted(8.05 + 0.05 * f64::from(step))).collect();
    assert!(
        stages
            .windows(2)
            .all(|pair| pair[0].area_m2 < pair[1].area_m2 && pair[0].conveyance_m3s < pair[1].conveyance_m3s)
    );
    assert!(over.alpha > 1.2 && (full.alpha - 1.0).abs() < 0.05, "{} {}", over.alpha, full.alpha);
}

#[test]
fn profile_flood_in_a_perched_river_keeps_its_water() {
    let sections = (0..=10).map(|at| {
        let mut section = perched();
        section = section.lowered(2.0 * f64::from(at));
        (10_000.0 * f64::from(at), section)
    });
    let river = River::new(sections.collect(), 1000.0).unwrap();
    let last = river.nodes.len() - 1;
    let below = river.normal_stage_m(last, 2000.0, 2e-4).unwrap();
    let begin: Vec<f64> = steady(&river, &vec![2000.0; last + 1], below).unwrap().iter().map(|w| w.stage_m).collect();
    let mut run = RiverRun::new(river, &begin, 2000.0, Downstream::Normal { slope: 2e-4 }, 600.0).unwrap();
    let day = 86_400.0;
    let inflow =
        Series::new([(0.0, 2000.0), (2.0 * day, 12_000.0), (5.0 * day, 2000.0), (20.0 * day, 2000.0)]).unwrap();
    let (mut crest, mut at) = (0.0, 0.0);
    for hour in 1..=360 {
        run.advance(f64::from(hour) * 3600.0, &inflow).unwrap();
        if run.leaves_m3s() > crest {
            (crest, at) = (run.leaves_m3s(), f64::from(hour));
        }
    }
    let [came, left, kept] = run.volumes_m3();
    println!(
        "crest 12000 → {crest:.0} m³/s at {at} h, {} steps, balance {:.1e}",
        run.steps(),
        (came - left - kept) / came
    );
    assert!(((came - left - kept) / came).abs() < 1e-12);
    assert!(crest > 6000.0 && crest < 11_500.0 && at > 52.0, "{crest} {at}");
}

#[test]
fn profile_refuses_what_is_no_river() {
    let good = || Section::rectangle("ok", 10.0, 0.0, 5.0, 0.03).unwrap();
    let said = |fault: Result<River, ProfileFault>| fault.unwrap_err().to_string();
    assert!(said(River::new(vec![(0.0, good())], 10.0)).contains("two sections"));
    assert!(said(River::new(vec![(5.0, good()), (5.0, good())], 10.0)).contains("rising by chainage"));
    assert!(said(River::new(vec![(0.0, good()), (5.0, good())], f64::NAN)).contains("dx_m"));
    let section = |manning, z| Section::rectangle("bad", 10.0, z, 5.0, manning).map_err(|fault| fault.to_string());
    assert!(section(-0.03, 0.0).unwrap_err().contains("Manning"));
    assert!(section(0.03, f64::NAN).unwrap_err().contains("finite"));
    let river = River::new(vec![(0.0, good()), (100.0, good())], 10.0).unwrap();
    assert!(steady(&river, &[1.0; 11], -1.0).unwrap_err().to_string().contains("not above the bed"));
    assert!(steady(&river, &[0.0; 11], 1.0).unwrap_err().to_string().contains("above zero"));
    assert!(RiverRun::new(river, &[-1.0; 11], 0.0, Downstream::Wall, 10.0).is_err());
}

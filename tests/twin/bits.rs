//! The inundation model gives the same bits for any number of workers, any vector width, and after a restart.

use anlan::hydraulics::{
    Boundary, Breach, BreachStart, Case, Edge, Grid, Inflow, Inundation, InundationFault, Scheme, Series, VectorWidth,
};

/// A valley with an inflow, rain, a levee that breaches, and all kinds of sides; large enough for several workers.
fn valley(scheme: Scheme) -> Case {
    let grid = Grid { columns: 150, rows: 100, cell_m: 10.0, west_m: 500_000.0, south_m: 3_800_000.0 };
    let bed = (0..grid.cells())
        .map(|at| {
            let (x, y) = ((at % 150) as f32, (at / 150) as f32);
            if (at % 150, at / 150) == (60, 40) {
                f32::NAN
            } else {
                90.0 - 0.01 * x + 0.2 * (x / 7.0).sin() * (y / 5.0).cos()
            }
        })
        .collect();
    let mut case = Case::new(grid, bed, 0.03, scheme, 30.0);
    case.depth_m = (0..grid.cells()).map(|at| if at % 150 < 40 { 1.5 } else { 0.0 }).collect();
    let series = |points: &[(f64, f64)]| Series::new(points.iter().copied()).unwrap();
    case.inflows.push(Inflow {
        line: vec![[500_020.0, 3_800_300.0], [500_020.0, 3_800_700.0]],
        discharge_m3s: series(&[(0.0, 50.0), (60.0, 300.0), (200.0, 300.0)]),
    });
    case.rain_mm_h = Some(series(&[(0.0, 20.0), (200.0, 80.0)]));
    case.sides.east = Boundary::NormalDepth { slope: 1e-3 };
    case.sides.north = Boundary::Free;
    case.sides.west = Boundary::Stage(series(&[(0.0, 91.4), (200.0, 92.0)]));
    case.sides.south = Boundary::Discharge(series(&[(0.0, 0.0), (200.0, 40.0)]));
    case.edges.push(Edge {
        line: vec![[500_800.0, 3_800_000.0], [500_800.0, 3_801_000.0]],
        crest_m: 91.0,
        coefficient: 1.705,
    });
    case.breaches.push(Breach {
        edge: 0,
        centre: [500_800.0, 3_800_500.0],
        width_m: 60.0,
        start: BreachStart::Time(10.0),
        to_crest_m: 89.5,
        duration_s: 10.0,
    });
    case
}

const SCHEMES: [Scheme; 3] = [Scheme::LocalInertia, Scheme::Full1, Scheme::Full2];

fn hash_of(mut run: Inundation) -> (String, u64, Vec<u8>) {
    run.advance(15.0, &|_| true).unwrap();
    run.advance(30.0, &|_| true).unwrap();
    (run.state_hash(), run.steps(), run.checkpoint())
}

#[test]
fn hydraulics_a10_same_bits_for_any_number_of_workers() {
    for scheme in SCHEMES {
        let one = hash_of(Inundation::new(valley(scheme), 1).unwrap());
        for workers in [2, 3] {
            let many = hash_of(Inundation::new(valley(scheme), workers).unwrap());
            assert!(one == many, "{} with {workers} workers: {} against {}", scheme.name(), one.0, many.0);
        }
    }
}

/// Water that swings over dry shores all around: cells run dry in every strip, in every direction.
fn bowl(scheme: Scheme) -> Case {
    let grid = Grid { columns: 150, rows: 150, cell_m: 40.0, west_m: 0.0, south_m: 0.0 };
    let off = |at: usize| {
        let (x, y) = ((at % 150) as f32 * 40.0 - 3000.0, (at / 150) as f32 * 40.0 - 2990.0);
        (x * x + y * y) / 9e6
    };
    let bed = (0..grid.cells()).map(|at| 10.0 * off(at)).collect();
    let mut case = Case::new(grid, bed, 0.0, scheme, 900.0);
    case.depth_m = (0..grid.cells()).map(|at| (18.0 - 38.0 * off(at)).max(0.0)).collect();
    case
}

#[test]
fn hydraulics_a10_same_bits_where_cells_run_dry() {
    for scheme in [Scheme::LocalInertia, Scheme::Full2] {
        let hash = |workers| {
            let mut run = Inundation::new(bowl(scheme), workers).unwrap();
            run.advance(900.0, &|_| true).unwrap();
            // A violent shore: what the full equations clip at fronts is counted, but some.
            assert!(run.balance().error().abs() < 1e-5, "{} {:?}", scheme.name(), run.balance());
            (run.state_hash(), run.checkpoint())
        };
        let one = hash(1);
        assert!(one == hash(2) && one == hash(4), "{}", scheme.name());
    }
}

#[test]
fn hydraulics_a10_same_bits_for_any_vector_width() {
    for scheme in SCHEMES {
        let widths = VectorWidth::offered();
        let runs: Vec<_> =
            widths.iter().map(|width| hash_of(Inundation::with_width(valley(scheme), 1, *width).unwrap())).collect();
        for (run, width) in runs.iter().zip(&widths) {
            assert!(*run == runs[0], "{} with {}", scheme.name(), width.name());
        }
    }
}

#[test]
fn hydraulics_a10_same_bits_after_a_restart() {
    for scheme in SCHEMES {
        let whole = hash_of(Inundation::new(valley(scheme), 1).unwrap());
        let mut half = Inundation::new(valley(scheme), 2).unwrap();
        half.advance(15.0, &|_| true).unwrap();
        let bytes = half.checkpoint();
        let mut resumed = Inundation::resume(valley(scheme), 3, &bytes).unwrap();
        assert_eq!(resumed.time_s(), 15.0);
        resumed.advance(30.0, &|_| true).unwrap();
        assert!(whole == (resumed.state_hash(), resumed.steps(), resumed.checkpoint()), "{}", scheme.name());
    }
}

#[test]
fn hydraulics_checkpoint_of_another_case_is_refused() {
    let mut run = Inundation::new(valley(Scheme::Full2), 1).unwrap();
    run.advance(2.0, &|_| true).unwrap();
    let bytes = run.checkpoint();
    let refused = |case: Case, bytes: &[u8]| match Inundation::resume(case, 1, bytes) {
        Err(InundationFault::Checkpoint(why)) => why,
        Err(other) => panic!("another fault: {other}"),
        Ok(_) => panic!("was taken"),
    };
    let mut other = valley(Scheme::Full2);
    other.bed_m[5] += 0.5;
    assert!(refused(other, &bytes).contains("changed"));
    let changed = |change: fn(&mut Case)| {
        let mut other = valley(Scheme::Full2);
        change(&mut other);
        refused(other, &bytes)
    };
    let flat = |value: f64| Series::constant(value, 200.0).unwrap();
    assert!(changed(|case| case.sides.north = Boundary::Wall).contains("sides"));
    let others: [fn(&mut Case, Series); 3] = [
        |case, series| case.inflows[0].discharge_m3s = series,
        |case, series| case.rain_mm_h = Some(series),
        |case, series| case.sides.west = Boundary::Stage(series),
    ];
    for change in others {
        let mut other = valley(Scheme::Full2);
        change(&mut other, flat(91.0));
        assert!(refused(other, &bytes).contains("changed since"));
    }
    assert!(changed(|case| case.inflows[0].line[0][1] += 50.0).contains("inflows"));
    assert!(changed(|case| case.depth_m[0] += 0.1).contains("water at the start"));
    assert!(refused(valley(Scheme::Full2), &bytes[..bytes.len() - 1]).contains("damaged"));
    // One flipped bit anywhere.
    for part in 0..16 {
        let mut spoilt = bytes.clone();
        let at = 12 + part * (bytes.len() - 13) / 15;
        spoilt[at] ^= 1 << (part % 8);
        assert!(refused(valley(Scheme::Full2), &spoilt).contains("damaged"), "byte {at}");
    }
    assert!(refused(valley(Scheme::Full2), b"something else").contains("no checkpoint"));
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(refused(valley(Scheme::Full2), &longer).contains("damaged"));
}

#[test]
fn hydraulics_volume_is_kept_with_every_kind_of_side() {
    for scheme in SCHEMES {
        let mut run = Inundation::new(valley(scheme), 2).unwrap();
        run.advance(30.0, &|_| true).unwrap();
        let balance = run.balance();
        println!("{}: {balance:?} {:.1e} Fr {}", scheme.name(), balance.error(), run.highest_froude());
        assert!(balance.in_m3 > 3_000.0 && balance.out_m3 > 10.0, "{balance:?}");
        assert!(balance.error().abs() < 1e-6, "{}: {:e}", scheme.name(), balance.error());
        assert_eq!(run.breaches_opened_s(), [Some(10.0)]);
    }
}

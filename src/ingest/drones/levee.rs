//! A mission along a levee: both sides, photos that overlap, split into sorties that one battery flies, and the metres
//! that its photos really cover, computed from the photos' positions alone.
//!
//! A photo is taken to cover a disc on the ground: the largest one inside its footprint, whichever way the aircraft
//! points. Ground is taken as flat at take-off height. Plane geometry about the line's first point; over the 30 km of a
//! reach its error stays below 0.1 %.

use super::{Mission, Position};
use serde::{Deserialize, Serialize};

/// m of a degree of latitude.
const DEGREE_M: f64 = 111_320.0;
/// Share of a battery that stays for the way home and the wind.
const RESERVE: f64 = 0.3;
/// Seconds that a stop for a photo takes.
const PHOTO_S: f64 = 3.0;
/// Most photos of one mission.
const PHOTOS_MAX: f64 = 50_000.0;

/// How a levee is flown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeveeFlight {
    /// m above take-off, 20 to 120 (above, flights need a permission in China).
    pub height_m: f64,
    /// m between the crest and the line flown on either side, 0 to 200.
    pub offset_m: f64,
    /// Smaller angle of view of the camera, degrees, 10 to 120.
    pub view_deg: f64,
    /// Share of a photo that the next one shows again, 0 to 0.9.
    pub overlap: f64,
    /// m/s between the photos, 1 to 20.
    pub speed_m_s: f64,
    /// Minutes that a battery flies, 5 to 120.
    pub battery_min: f64,
}

impl Default for LeveeFlight {
    fn default() -> Self {
        Self { height_m: 80.0, offset_m: 25.0, view_deg: 50.0, overlap: 0.6, speed_m_s: 8.0, battery_min: 30.0 }
    }
}

/// Metres of one line and how many of them the photos cover.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coverage {
    /// `left`, `crest`, `right`, seen along the line.
    pub line: &'static str,
    /// Length, m.
    pub length_m: f64,
    /// Covered, m.
    pub covered_m: f64,
}

/// Sorties and their coverage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeveeMission {
    /// One battery each; each ends where it began.
    pub sorties: Vec<Mission>,
    /// Left, crest, right.
    pub coverage: Vec<Coverage>,
}

type Point = [f64; 2];

/// Plane metres about a first position.
struct Plane {
    lon: f64,
    lat: f64,
    east_m: f64,
}

impl Plane {
    fn about(first: [f64; 2]) -> Self {
        let [lon, lat] = first;
        Self { lon, lat, east_m: DEGREE_M * lat.to_radians().cos() }
    }
    fn metres(&self, [lon, lat]: [f64; 2]) -> Point {
        [(lon - self.lon) * self.east_m, (lat - self.lat) * DEGREE_M]
    }
    fn position(&self, [x, y]: Point, height_m: f64) -> Position {
        Position { lon: self.lon + x / self.east_m, lat: self.lat + y / DEGREE_M, height_m: Some(height_m) }
    }
}

fn length(a: Point, b: Point) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

fn line_m(line: &[Point]) -> f64 {
    line.windows(2).map(|pair| if let [a, b] = pair { length(*a, *b) } else { 0.0 }).sum()
}

/// The line beside a line, `offset` m to its left (negative: right).
fn beside(line: &[Point], offset: f64) -> Vec<Point> {
    let normal = |a: Point, b: Point| {
        let far = length(a, b).max(f64::MIN_POSITIVE);
        [-(b[1] - a[1]) / far, (b[0] - a[0]) / far]
    };
    let along: Vec<Point> =
        line.windows(2).filter_map(|pair| if let [a, b] = pair { Some(normal(*a, *b)) } else { None }).collect();
    let at = |index: usize, point: &Point| {
        let before = index.checked_sub(1).and_then(|before| along.get(before)).or(along.first());
        let after = along.get(index).or(along.last());
        let (Some(before), Some(after)) = (before, after) else { return *point };
        let sum = [before[0] + after[0], before[1] + after[1]];
        let far = sum[0].hypot(sum[1]);
        // A line that turns back upon itself has no side there.
        let way = if far < 1e-6 { *before } else { [sum[0] / far, sum[1] / far] };
        [point[0] + way[0] * offset, point[1] + way[1] * offset]
    };
    line.iter().enumerate().map(|(index, point)| at(index, point)).collect()
}

/// Points every so many m along a line, both ends included.
fn every(line: &[Point], step: f64) -> Vec<Point> {
    let whole = line_m(line);
    let count = (whole / step).ceil().max(1.0);
    let mut points = Vec::new();
    let (mut passed, mut wanted) = (0.0, 0.0_f64);
    for pair in line.windows(2) {
        let [a, b] = pair else { continue };
        let far = length(*a, *b);
        while far > 0.0 && wanted <= passed + far && points.len() as f64 <= count {
            let share = (wanted - passed) / far;
            points.push([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]);
            wanted = whole * points.len() as f64 / count;
        }
        passed += far;
    }
    if let Some(end) = line.last()
        && points.last().is_none_or(|last| length(*last, *end) > 1e-6)
    {
        points.push(*end);
    }
    points
}

/// Metres of a line (degrees) that photos cover, each as a disc of `radius_m` about its position.
pub fn covered_m(line: &[[f64; 2]], photos: &[Position], radius_m: f64) -> f64 {
    let Some(first) = line.first() else { return 0.0 };
    let plane = Plane::about(*first);
    let line: Vec<Point> = line.iter().map(|point| plane.metres(*point)).collect();
    let photos: Vec<Point> = photos.iter().map(|photo| plane.metres([photo.lon, photo.lat])).collect();
    covered(&line, &photos, radius_m)
}

fn covered(line: &[Point], photos: &[Point], radius: f64) -> f64 {
    let mut sum = 0.0;
    for pair in line.windows(2) {
        let [a, b] = pair else { continue };
        let far = length(*a, *b);
        if far == 0.0 {
            continue;
        }
        let way = [(b[0] - a[0]) / far, (b[1] - a[1]) / far];
        // Where each disc meets the segment, as a stretch of it.
        let mut stretches: Vec<(f64, f64)> = photos
            .iter()
            .filter_map(|photo| {
                let to = [photo[0] - a[0], photo[1] - a[1]];
                let (along, across) = (to[0] * way[0] + to[1] * way[1], to[0] * way[1] - to[1] * way[0]);
                let half = (radius * radius - across * across).max(0.0).sqrt();
                let (from, to) = ((along - half).max(0.0), (along + half).min(far));
                (half > 0.0 && from < to).then_some((from, to))
            })
            .collect();
        stretches.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut end = 0.0_f64;
        for (from, to) in stretches {
            sum += (to - from.max(end)).max(0.0);
            end = end.max(to);
        }
    }
    sum
}

/// Sorties along a levee line (degrees): out on one side, back on the other, so that each lands where it took off.
///
/// # Errors
/// The field that cannot be, and why.
pub fn fly_along(name: &str, levee: &[[f64; 2]], flight: &LeveeFlight) -> Result<LeveeMission, (&'static str, String)> {
    check(flight)?;
    let Some(first) = levee.first().filter(|_| levee.len() > 1) else {
        return Err(("levee", "堤线至少两点 (a levee line has at least two positions)".into()));
    };
    let plane = Plane::about(*first);
    let line: Vec<Point> = levee.iter().map(|point| plane.metres(*point)).collect();
    let radius = flight.height_m * (flight.view_deg / 2.0).to_radians().tan();
    let step = 2.0 * radius * (1.0 - flight.overlap);
    let whole = line_m(&line);
    if 2.0 * whole / step > PHOTOS_MAX {
        return Err(("overlap", format!("超过 {PHOTOS_MAX} 张照片 (too many photos)")));
    }
    // A metre of levee is flown twice, with its photos; the ends are crossed once.
    let usable_s = flight.battery_min * 60.0 * (1.0 - RESERVE);
    let second_per_m = 2.0 / flight.speed_m_s + 2.0 * PHOTO_S / step;
    let ends_s = 2.0 * (2.0 * flight.offset_m / flight.speed_m_s + 2.0 * PHOTO_S + flight.height_m / 3.0);
    let most_m = (usable_s - ends_s) / second_per_m;
    if most_m < step {
        return Err(("battery_min", "电池飞不完一段 (a battery is too short for one stretch)".into()));
    }
    let count = (whole / most_m).ceil().max(1.0);
    let cuts: Vec<Point> = every(&line, whole / count);
    let mut sorties = Vec::new();
    for (number, stretch) in stretches(&line, &cuts).iter().enumerate() {
        let out = every(&beside(stretch, flight.offset_m), step);
        let mut back = every(&beside(stretch, -flight.offset_m), step);
        back.reverse();
        let points = out.into_iter().chain(back).map(|point| plane.position(point, flight.height_m)).collect();
        let name = format!("{name} {}/{count}", number + 1);
        sorties.push(Mission { name, speed_m_s: flight.speed_m_s, points });
    }
    let photos: Vec<Point> =
        sorties.iter().flat_map(|sortie| &sortie.points).map(|photo| plane.metres([photo.lon, photo.lat])).collect();
    let coverage = [("left", flight.offset_m), ("crest", 0.0), ("right", -flight.offset_m)]
        .map(|(name, offset)| {
            let line = beside(&line, offset);
            Coverage { line: name, length_m: line_m(&line), covered_m: covered(&line, &photos, radius) }
        })
        .to_vec();
    Ok(LeveeMission { sorties, coverage })
}

/// A line cut at points that lie on it, in their order.
fn stretches(line: &[Point], cuts: &[Point]) -> Vec<Vec<Point>> {
    let whole = line_m(line);
    let count = cuts.len().saturating_sub(1).max(1);
    (0..count)
        .map(|number| {
            let (from, to) = (whole * number as f64 / count as f64, whole * (number + 1) as f64 / count as f64);
            let (mut part, mut passed) = (Vec::new(), 0.0);
            part.extend(cuts.get(number));
            for pair in line.windows(2) {
                let [a, b] = pair else { continue };
                passed += length(*a, *b);
                if passed > from + 1e-6 && passed < to - 1e-6 {
                    part.push(*b);
                }
            }
            part.extend(cuts.get(number + 1));
            part
        })
        .collect()
}

fn check(flight: &LeveeFlight) -> Result<(), (&'static str, String)> {
    let fields = [
        ("height_m", flight.height_m, 20.0, 120.0),
        ("offset_m", flight.offset_m, 0.0, 200.0),
        ("view_deg", flight.view_deg, 10.0, 120.0),
        ("overlap", flight.overlap, 0.0, 0.9),
        ("speed_m_s", flight.speed_m_s, 1.0, 20.0),
        ("battery_min", flight.battery_min, 5.0, 120.0),
    ];
    match fields.into_iter().find(|(_, value, least, most)| !(*least..=*most).contains(value)) {
        None => Ok(()),
        Some((field, _, least, most)) => Err((field, format!("须在 {least} 至 {most} 之间 (from {least} to {most})"))),
    }
}

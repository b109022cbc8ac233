//! A compound cross section: points across the river, a roughness for each, and a channel between two lips.
//!
//! Conveyance is the sum over strips between points of equal roughness and side of the lip (divided channel method; Chow 1959,
//! section 6-5), without friction between strips. Ground outside the lips is lower than the lips at many places of the lower Yellow
//! River: it is dry until the stage passes the lower lip of its side, and joins over [`JOIN_M`] above that.

use super::ProfileFault;

/// Height over a lip within which the ground behind it joins the flow, m: lips are never level.
pub const JOIN_M: f64 = 0.3;

/// One point across.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SectionPoint {
    /// Across the river, m, rising.
    pub across_m: f64,
    /// Height, m.
    pub height_m: f64,
    /// Manning's n from this point to the next, s/m^⅓.
    pub manning: f64,
}

/// What is wet at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wetted {
    /// m².
    pub area_m2: f64,
    /// Width of the surface, m.
    pub width_m: f64,
    /// Conveyance K, m³/s at a slope of 1.
    pub conveyance_m3s: f64,
    /// Energy coefficient α.
    pub alpha: f64,
}

/// See the module's page.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    name: String,
    points: Vec<SectionPoint>,
    /// Indexes of the points that are the lips.
    lips: Option<(usize, usize)>,
    bed_m: f64,
    top_m: f64,
}

#[derive(Default)]
struct Strip {
    area: f64,
    width: f64,
    perimeter: f64,
    manning: f64,
}

impl Section {
    /// A section from its points. `lips` are the indexes of the lips of the main channel, where it has any.
    ///
    /// # Errors
    /// Fewer than three points, points that do not rise across, heights that are no numbers, a roughness that is not above zero.
    pub fn new(name: &str, points: Vec<SectionPoint>, lips: Option<(usize, usize)>) -> Result<Self, ProfileFault> {
        let fault = |what| Err(ProfileFault::Section { name: name.to_owned(), what });
        if points.len() < 3 {
            return fault("needs three points or more");
        }
        if points.iter().any(|point| !point.across_m.is_finite() || !point.height_m.is_finite()) {
            return fault("a point is no finite number");
        }
        if points.iter().any(|point| !(0.003..=1.0).contains(&point.manning)) {
            return fault("Manning's n is not within 0.003…1");
        }
        if points.windows(2).any(|pair| pair[0].across_m > pair[1].across_m) {
            return fault("points do not rise across the river");
        }
        if lips.is_some_and(|(left, right)| left >= right || right >= points.len()) {
            return fault("the lips are not two of its points, left before right");
        }
        let bed_m = points.iter().map(|point| point.height_m).fold(f64::INFINITY, f64::min);
        let ends = [points[0].height_m, points[points.len() - 1].height_m];
        let top_m = ends[0].min(ends[1]);
        // The lowest ground may lie behind a lip; the bed is that of the channel.
        let channel = lips.map_or(&points[..], |(left, right)| &points[left..=right]);
        let bed_of_channel = channel.iter().map(|point| point.height_m).fold(f64::INFINITY, f64::min);
        if top_m <= bed_m {
            return fault("its ends are not higher than its bed");
        }
        Ok(Self { name: name.to_owned(), points, lips, bed_m: bed_of_channel, top_m })
    }

    /// A rectangle with walls of `height_m`: for tests and channels without a survey.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn rectangle(name: &str, width_m: f64, bed_m: f64, height_m: f64, manning: f64) -> Result<Self, ProfileFault> {
        let point = |across_m, height_m| SectionPoint { across_m, height_m, manning };
        let top = bed_m + height_m;
        Self::new(name, vec![point(0.0, top), point(0.0, bed_m), point(width_m, bed_m), point(width_m, top)], None)
    }

    /// The same section, lower by so many metres.
    #[must_use]
    pub fn lowered(mut self, by_m: f64) -> Self {
        self.points.iter_mut().for_each(|point| point.height_m -= by_m);
        (self.bed_m, self.top_m) = (self.bed_m - by_m, self.top_m - by_m);
        self
    }
    /// As surveyed.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Lowest ground of the channel, m.
    pub fn bed_m(&self) -> f64 {
        self.bed_m
    }
    /// The lower of its two ends, m: above it the section does not hold the water.
    pub fn top_m(&self) -> f64 {
        self.top_m
    }

    /// What is wet at a stage in m.
    pub fn wetted(&self, stage_m: f64) -> Wetted {
        let (first, last) = self.lips.unwrap_or((0, self.points.len() - 1));
        let mut sum = Wetted::default();
        let mut cubes = 0.0;
        let lip = |at: usize| self.points[at].height_m;
        let sides = [
            (0, first, ((stage_m - lip(first)) / JOIN_M).clamp(0.0, 1.0)),
            (first, last, 1.0),
            (last, self.points.len() - 1, ((stage_m - lip(last)) / JOIN_M).clamp(0.0, 1.0)),
        ];
        for (from, to, joined) in sides {
            if joined <= 0.0 {
                continue;
            }
            let mut strip = Strip::default();
            for at in from..to {
                let (a, b) = (self.points[at], self.points[at + 1]);
                if a.manning != strip.manning {
                    close(&mut strip, joined, &mut sum, &mut cubes);
                    strip.manning = a.manning;
                }
                let (da, db) = (stage_m - a.height_m, stage_m - b.height_m);
                if da <= 0.0 && db <= 0.0 {
                    continue;
                }
                let (run, rise) = (b.across_m - a.across_m, (a.height_m - b.height_m).abs());
                // Where the surface meets the ground between the two points, only the wet share counts.
                let (wet, deep, shallow) =
                    if da > 0.0 && db > 0.0 { (1.0, da, db) } else { (da.max(db) / rise, da.max(db), 0.0) };
                strip.area += 0.5 * (deep + shallow) * run * wet;
                strip.width += run * wet;
                strip.perimeter += run.hypot(rise) * wet;
            }
            close(&mut strip, joined, &mut sum, &mut cubes);
        }
        sum.alpha = if sum.conveyance_m3s > 0.0 {
            cubes * sum.area_m2 * sum.area_m2 / (sum.conveyance_m3s * sum.conveyance_m3s * sum.conveyance_m3s)
        } else {
            1.0
        };
        sum
    }
}

/// Adds a strip to the whole and begins the next.
fn close(strip: &mut Strip, joined: f64, sum: &mut Wetted, cubes: &mut f64) {
    if strip.area > 0.0 && strip.perimeter > 0.0 {
        let radius = strip.area / strip.perimeter;
        let conveyance = joined * strip.area * radius.cbrt() * radius.cbrt() / strip.manning;
        let area = joined * strip.area;
        sum.area_m2 += area;
        sum.width_m += joined * strip.width;
        sum.conveyance_m3s += conveyance;
        *cubes += conveyance * conveyance * conveyance / (area * area);
    }
    *strip = Strip { manning: strip.manning, ..Strip::default() };
}

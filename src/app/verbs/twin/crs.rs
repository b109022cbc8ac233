//! Which coordinate systems the model can count in, and how two of them differ.
//!
//! In: EPSG codes, units, parameters, as keys of a GeoTIFF or a `.prj` file give them. Out: why they are no plane of true metres, in the
//! same words for both; where two planes part. It converts nothing.

use crate::playbook::Words;
use std::ops::RangeInclusive;

/// Codes of planes in feet, without one in metres among them (EPSG v11: US state planes and their kin).
const FEET: [RangeInclusive<u16>; 20] = [
    2222..=2289,
    2867..=2930,
    3417..=3438,
    3441..=3446,
    3451..=3459,
    3560..=3570,
    3728..=3739,
    3753..=3760,
    4399..=4413,
    4418..=4433,
    7057..=7070,
    7119..=7128,
    7587..=7645,
    23301..=23333,
    26729..=26813,
    26847..=26870,
    32001..=32058,
    32064..=32077,
    32164..=32167,
    32664..=32667,
];
/// Blocks in which planes in feet and in metres alternate: the code alone does not tell.
const FEET_OR_METRES: [RangeInclusive<u16>; 5] = [3479..=3553, 3582..=3700, 6391..=6887, 7258..=7370, 8065..=8348];
/// Codes of height datums that count in feet.
const HEIGHTS_IN_FEET: [RangeInclusive<u16>; 7] =
    [5614..=5614, 5702..=5702, 5754..=5754, 6130..=6132, 6358..=6360, 8050..=8053, 8228..=8228];

/// What a unit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Plane,
    Heights,
}

/// Why a code that some files give as their projection is no plane of true metres, whatever else they say.
pub(super) fn no_plane_of_metres(epsg: u16) -> Option<Words> {
    match epsg {
        4214 | 4258 | 4269 | 4326 | 4490 | 4555 | 4610 => Some(in_degrees()),
        3395 | 3785 | 3857 => Some(mercator()),
        _ if holds(&FEET, epsg) => Some(Words::new("以英尺为单位", "is in feet")),
        _ => None,
    }
}

/// Whether a code alone leaves open if the plane is in metres.
pub(super) fn may_be_in_feet(epsg: u16) -> bool {
    holds(&FEET_OR_METRES, epsg)
}

/// Whether a height datum counts in feet.
pub(super) fn heights_in_feet(epsg: u16) -> bool {
    holds(&HEIGHTS_IN_FEET, epsg)
}

fn holds(ranges: &[RangeInclusive<u16>], code: u16) -> bool {
    ranges.iter().any(|range| range.contains(&code))
}

pub(super) fn in_degrees() -> Words {
    Words::new("是地理坐标，以度为单位", "is in degrees (geographic)")
}

pub(super) fn mercator() -> Words {
    Words::new(
        "是墨卡托地图，在北纬 35° 处的米长出五分之一",
        "is a Mercator map whose metres are a fifth too long at 35° north",
    )
}

/// A projection, its name in both languages, that is not one of metres, and what to do about it.
pub(super) fn project_first(name: &Words, why: &Words) -> Words {
    Words::new(
        format!("{}{}：请先投影到以米为单位的平面，花园口一带例如 gdalwarp -t_srs EPSG:4547", name.zh, why.zh),
        format!("{} {}: project it to metres first, about Huayuankou e.g. gdalwarp -t_srs EPSG:4547", name.en, why.en),
    )
}

/// A unit that is not the metre.
pub(super) fn not_metres(of: Of, unit: &str) -> Words {
    let (zh, en) = match of {
        Of::Plane => ("平面坐标", "plane"),
        Of::Heights => ("高程", "heights"),
    };
    Words::new(
        format!("{zh}的单位是 {unit}，不是米：请先换算"),
        format!("the unit of its {en} is {unit}, not the metre (EPSG:9001): convert it first"),
    )
}

/// A transverse Mercator plane (高斯-克吕格), by the numbers that tell two of them apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    /// Central meridian, degrees.
    pub meridian_deg: f64,
    /// Latitude of the origin, degrees.
    pub latitude_deg: f64,
    pub false_easting_m: f64,
    pub false_northing_m: f64,
    /// Scale on the central meridian.
    pub scale: f64,
    /// Half of the ellipsoid's long axis: CGCS2000 and WGS 84 6,378,137 m, Xian 1980 6,378,140 m, Beijing 1954 6,378,245 m.
    pub semi_major_m: f64,
}

/// Gauss-Krüger planes of China, each from 75° E: first code, codes, degrees from one to the next, whether the false easting begins with
/// the number of the zone, half of the long axis in m.
const GAUSS_KRUGER: [(u16, u16, f64, bool, f64); 12] = [
    (4491, 11, 6.0, true, 6_378_137.0),
    (4502, 11, 6.0, false, 6_378_137.0),
    (4513, 21, 3.0, true, 6_378_137.0),
    (4534, 21, 3.0, false, 6_378_137.0),
    (2327, 11, 6.0, true, 6_378_140.0),
    (2338, 11, 6.0, false, 6_378_140.0),
    (2349, 21, 3.0, true, 6_378_140.0),
    (2370, 21, 3.0, false, 6_378_140.0),
    (21_413, 11, 6.0, true, 6_378_245.0),
    (21_453, 11, 6.0, false, 6_378_245.0),
    (2401, 21, 3.0, true, 6_378_245.0),
    (2422, 21, 3.0, false, 6_378_245.0),
];

impl Plane {
    /// The plane of a code: Gauss-Krüger of China, or UTM of the northern half on WGS 84.
    pub(super) fn of_code(epsg: u16) -> Option<Self> {
        if let 32_601..=32_660 = epsg {
            return Some(Self {
                scale: 0.9996,
                ..Self::gauss_kruger(f64::from(epsg - 32_600) * 6.0 - 183.0, 0.0, 6_378_137.0)
            });
        }
        let of = |first: &u16, count: &u16| (*first..first + count).contains(&epsg);
        let (first, _, step, zoned, semi_major_m) = GAUSS_KRUGER.iter().find(|(first, count, ..)| of(first, count))?;
        let place = f64::from(epsg - first);
        // The zones of six degrees are counted from 13 at 75° E, those of three from 25.
        let zone = if *step == 6.0 { 13.0 } else { 25.0 } + place;
        Some(Self::gauss_kruger(75.0 + step * place, if *zoned { zone * 1e6 } else { 0.0 }, *semi_major_m))
    }

    fn gauss_kruger(meridian_deg: f64, zone_m: f64, semi_major_m: f64) -> Self {
        let false_easting_m = zone_m + 500_000.0;
        Self { meridian_deg, latitude_deg: 0.0, false_easting_m, false_northing_m: 0.0, scale: 1.0, semi_major_m }
    }

    /// The first number that is another one in the other plane.
    pub(super) fn differs(&self, other: &Self) -> Option<Words> {
        let numbers = [
            ("中央子午线", "central meridian", self.meridian_deg, other.meridian_deg, 1e-6),
            ("原点纬度", "latitude of origin", self.latitude_deg, other.latitude_deg, 1e-6),
            ("东偏", "false easting", self.false_easting_m, other.false_easting_m, 1e-3),
            ("北偏", "false northing", self.false_northing_m, other.false_northing_m, 1e-3),
            ("比例", "scale", self.scale, other.scale, 1e-7),
            ("椭球长半轴", "semi-major axis", self.semi_major_m, other.semi_major_m, 0.5),
        ];
        let (zh, en, own, others, _) = numbers
            .into_iter()
            .find(|(.., own, others, within)| (own - others).abs() > *within || (own - others).is_nan())?;
        Some(Words::new(
            format!("坐标系{zh} {own} 与 {others}"),
            format!("projection with {en} {own} against {others}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twin_crs_codes_in_feet_are_known() {
        // New York, HARN, NAD 27, Iowa, WISCRS, BLM; metres: CGCS2000, UTM, Belgium, Beijing 1954.
        for code in [2222, 2263, 2289, 2868, 3418, 3455, 7600, 23_301, 26_741, 26_852, 32_001, 32_040, 32_666] {
            assert!(no_plane_of_metres(code).is_some_and(|why| why.en == "is in feet"), "{code}");
        }
        for code in [4546, 2437, 21_457, 3447, 26_915, 32_650, 32_060, 2290, 2866] {
            assert!(no_plane_of_metres(code).is_none() && !may_be_in_feet(code), "{code}");
        }
        // New York Long Island of NAD83(2011) is 6538 in metres and 6539 in feet.
        assert!(may_be_in_feet(6538) && may_be_in_feet(6539));
        assert!(heights_in_feet(6360) && !heights_in_feet(5737));
    }

    #[test]
    fn twin_crs_planes_of_codes() {
        let plane = |code| Plane::of_code(code).unwrap();
        let numbers = |code| {
            let Plane { meridian_deg, false_easting_m, scale, semi_major_m, .. } = plane(code);
            (meridian_deg, false_easting_m, scale, semi_major_m)
        };
        assert_eq!(numbers(4546), (111.0, 500_000.0, 1.0, 6_378_137.0));
        assert_eq!(numbers(4526), (114.0, 38_500_000.0, 1.0, 6_378_137.0));
        assert_eq!(numbers(4498), (117.0, 20_500_000.0, 1.0, 6_378_137.0));
        assert_eq!(numbers(2383), (114.0, 500_000.0, 1.0, 6_378_140.0));
        assert_eq!(numbers(21_419), (111.0, 19_500_000.0, 1.0, 6_378_245.0));
        assert_eq!(numbers(32_650), (117.0, 500_000.0, 0.9996, 6_378_137.0));
        assert_eq!((Plane::of_code(4555), Plane::of_code(27_700), Plane::of_code(2348).is_some()), (None, None, true));
        assert_eq!(plane(4547).differs(&plane(4547)), None);
        let said = |a, b| plane(a).differs(&plane(b)).unwrap().to_string();
        assert!(said(4546, 4547).contains("central meridian 111 against 114"), "{}", said(4546, 4547));
        assert!(said(4547, 4526).contains("false easting"));
        assert!(said(4547, 2383).contains("semi-major axis"));
        assert!(said(4509, 32_650).contains("scale"));
    }
}

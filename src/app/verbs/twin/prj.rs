//! The `.prj` file beside an ESRI ASCII grid: where on Earth the grid lies.
//!
//! In: WKT of any kind (ESRI, OGC 1, ISO 19162), or the keys that ArcInfo wrote. Out: EPSG codes, name and plane, if it is one of true
//! metres. Degrees, feet, Mercator and what cannot be understood are refused: a grid beside such a file is not what it seems.

use super::crs::{self, Of, Plane};
use crate::playbook::Words;
use std::path::{Path, PathBuf};

/// Largest `.prj` file, bytes: real ones have below 10,000.
const MOST_BYTES: u64 = 65_536;
/// Deepest nesting; WKT has about eight.
const DEEPEST: usize = 32;

/// What a `.prj` file says of a plane in metres.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prj {
    pub name: String,
    pub epsg: Option<u16>,
    pub vertical_epsg: Option<u16>,
    /// Its numbers, if it is transverse Mercator.
    pub plane: Option<Plane>,
}

/// The `.prj` file of a raster, if there is one.
pub(super) fn beside(raster: &Path) -> Option<PathBuf> {
    let named = ["prj", "PRJ"].map(|ending| raster.with_extension(ending));
    named.into_iter().find(|path| path != raster && path.is_file())
}

/// Reads a `.prj` file.
pub(super) fn read(path: &Path) -> Result<std::io::Result<Prj>, Words> {
    let bytes = std::fs::metadata(path).and_then(|about| {
        if about.len() <= MOST_BYTES { std::fs::read(path) } else { Err(std::io::Error::other("above 64 KiB")) }
    });
    match bytes {
        // Names may be in another encoding, numbers are not.
        Ok(bytes) => parse(&String::from_utf8_lossy(&bytes)).map(Ok),
        Err(cause) => Ok(Err(cause)),
    }
}

/// The words of a file.
fn parse(text: &str) -> Result<Prj, Words> {
    let text = text.trim_start_matches('\u{feff}').trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let first = text.split_whitespace().next().unwrap_or_default();
    if first.eq_ignore_ascii_case("projection") {
        return arc_info(text);
    }
    let unknown = || {
        let shown: String = text.chars().take(40).collect();
        Words::new(
            format!("不是坐标系说明“{shown}”：请改用 WKT，例如 gdalsrsinfo -o wkt_esri，或删去此文件"),
            format!(
                "'{shown}' is no coordinate system: write WKT, e.g. gdalsrsinfo -o wkt_esri, or take the file away"
            ),
        )
    };
    let nodes = Parser { rest: text }.all().filter(|nodes| !nodes.is_empty()).ok_or_else(unknown)?;
    let parts: Vec<&Node> = nodes.iter().flat_map(Node::parts).collect();
    let any = |keys: &[&str]| parts.iter().find(|node| node.is(keys)).copied();
    let vertical = any(&["VERT_CS", "VERTCS", "VERTCRS", "VERTICALCRS"]);
    let plane = any(&["PROJCS", "PROJCRS", "PROJECTEDCRS"]).or_else(|| any(&["LOCAL_CS", "ENGCRS", "ENGINEERINGCRS"]));
    let Some(plane) = plane else {
        let degrees = any(&["GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "GEODCRS", "GEODETICCRS"]).ok_or_else(unknown)?;
        return Err(crs::project_first(&degrees.titled(), &crs::in_degrees()));
    };
    plane.must_be_metres(Of::Plane)?;
    if plane.is_mercator() {
        return Err(crs::project_first(&plane.titled(), &crs::mercator()));
    }
    if let Some(why) = plane.epsg().and_then(crs::no_plane_of_metres) {
        return Err(crs::project_first(&plane.titled(), &why));
    }
    vertical.map_or(Ok(()), |heights| heights.must_be_metres(Of::Heights))?;
    let vertical_epsg = vertical.and_then(Node::height_datum);
    Ok(Prj { name: plane.name().to_owned(), epsg: plane.epsg(), vertical_epsg, plane: plane.transverse_mercator() })
}

/// The keys that ArcInfo wrote: `Projection`, `Units`, `Zunits`, one a line.
fn arc_info(text: &str) -> Result<Prj, Words> {
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim().to_ascii_uppercase())
    };
    let (name, units) = (value("projection").unwrap_or_default(), value("units").unwrap_or_default());
    let titled = Words::new(format!("坐标系 {name} "), format!("its projection {name}"));
    if name == "GEOGRAPHIC" || ["DD", "DS", "DMS", "DECIMALDEGREES"].contains(&units.as_str()) {
        return Err(crs::project_first(&titled, &crs::in_degrees()));
    }
    if name == "MERCATOR" {
        return Err(crs::project_first(&titled, &crs::mercator()));
    }
    let metres = |unit: &str| ["METERS", "METRES", "METER", "METRE", "1", "1.0"].contains(&unit);
    if !metres(&units) {
        return Err(crs::not_metres(Of::Plane, &format!("“{units}”")));
    }
    if let Some(unit) = value("zunits").filter(|unit| unit != "NO" && !metres(unit)) {
        return Err(crs::not_metres(Of::Heights, &format!("“{unit}”")));
    }
    Ok(Prj { name, epsg: None, vertical_epsg: None, plane: None })
}

/// A keyword of WKT with what stands in its brackets.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    key: String,
    args: Vec<Arg>,
}

#[derive(Debug, Clone, PartialEq)]
enum Arg {
    Text(String),
    Number(f64),
    Node(Node),
}

/// Small letters and digits alone: what is left of a name where dialects agree.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

impl Node {
    fn is(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.key.eq_ignore_ascii_case(key))
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.args.iter().filter_map(|arg| if let Arg::Node(node) = arg { Some(node) } else { None })
    }

    fn child(&self, keys: &[&str]) -> Option<&Node> {
        self.nodes().find(|node| node.is(keys))
    }

    fn number(&self, at: usize) -> Option<f64> {
        match self.args.get(at)? {
            Arg::Number(number) => Some(*number),
            Arg::Text(text) => text.parse().ok(),
            Arg::Node(_) => None,
        }
    }

    fn name(&self) -> &str {
        if let Some(Arg::Text(name)) = self.args.first() { name } else { "" }
    }

    fn titled(&self) -> Words {
        Words::new(format!("坐标系“{}”", self.name()), format!("its projection '{}'", self.name()))
    }

    /// The systems that this one is made of; itself, if it is made of none.
    fn parts(&self) -> Vec<&Node> {
        let is_made = self.is(&["COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS"]);
        if is_made {
            self.nodes().filter(|node| !node.is(&["TARGETCRS"])).flat_map(Node::parts).collect()
        } else {
            vec![self]
        }
    }

    fn epsg(&self) -> Option<u16> {
        let named =
            self.nodes().find(|node| node.is(&["AUTHORITY", "ID"]) && node.name().eq_ignore_ascii_case("EPSG"))?;
        let code = named.number(1).filter(|code| (1.0..32_767.0).contains(code) && code.fract() == 0.0)?;
        Some(code as u16)
    }

    /// The unit must be there, and the metre.
    fn must_be_metres(&self, of: Of) -> Result<(), Words> {
        let units = ["UNIT", "LENGTHUNIT"];
        let unit = self.child(&units).or_else(|| {
            let mut axes = self.nodes().filter(|node| node.is(&["AXIS"]));
            axes.find_map(|axis| axis.child(&units))
        });
        let Some(unit) = unit else {
            return Err(Words::new(
                format!("坐标系“{}”未写明单位", self.name()),
                format!("'{}' names no unit", self.name()),
            ));
        };
        let is_metre = match unit.number(1) {
            Some(size_m) => (size_m - 1.0).abs() < 1e-9,
            None => ["metre", "meter", "m"].contains(&plain(unit.name()).as_str()),
        };
        let size = unit.number(1).map_or_else(String::new, |size_m| format!(" = {size_m} m"));
        if is_metre { Ok(()) } else { Err(crs::not_metres(of, &format!("“{}”{size}", unit.name()))) }
    }

    /// Name of the method, in small letters and digits.
    fn method(&self) -> String {
        let method = self.child(&["PROJECTION"]);
        let method = method.or_else(|| self.child(&["CONVERSION"])?.child(&["METHOD", "PROJECTION"]));
        method.map_or_else(String::new, |method| plain(method.name()))
    }

    fn is_mercator(&self) -> bool {
        let method = self.method();
        method.starts_with("mercator") || method.contains("pseudomercator")
    }

    fn transverse_mercator(&self) -> Option<Plane> {
        if !["transversemercator", "gausskruger"].contains(&self.method().as_str()) {
            return None;
        }
        let conversion = self.child(&["CONVERSION"]).unwrap_or(self);
        let number = |names: [&str; 2]| {
            let mut known = conversion.nodes().filter(|node| node.is(&["PARAMETER"]));
            known.find(|node| names.contains(&plain(node.name()).as_str()))?.number(1)
        };
        Some(Plane {
            meridian_deg: number(["centralmeridian", "longitudeofnaturalorigin"])?,
            latitude_deg: number(["latitudeoforigin", "latitudeofnaturalorigin"]).unwrap_or(0.0),
            false_easting_m: number(["falseeasting", "falseeasting"]).unwrap_or(0.0),
            false_northing_m: number(["falsenorthing", "falsenorthing"]).unwrap_or(0.0),
            scale: number(["scalefactor", "scalefactoratnaturalorigin"]).unwrap_or(1.0),
            semi_major_m: self.find(&["SPHEROID", "ELLIPSOID"])?.number(1)?,
        })
    }

    /// The first node of these keywords inside, at any depth.
    fn find(&self, keys: &[&str]) -> Option<&Node> {
        self.nodes().find_map(|node| if node.is(keys) { Some(node) } else { node.find(keys) })
    }

    /// The code of a height datum; of the two Chinese ones also by their names.
    fn height_datum(&self) -> Option<u16> {
        let name = plain(self.name());
        self.epsg().or(match name.as_str() {
            _ if name.starts_with("yellowsea1985") => Some(5737),
            _ if name.starts_with("yellowsea1956") => Some(5736),
            _ => None,
        })
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    /// Every node of the text; none if it is no WKT.
    fn all(mut self) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        while !self.rest.is_empty() {
            let Arg::Node(node) = self.value(0)? else { return None };
            nodes.push(node);
            self.skip(',');
        }
        Some(nodes)
    }

    /// Passes over a sign, if it comes next, and blanks around it.
    fn skip(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        let after = rest.strip_prefix(sign);
        self.rest = after.unwrap_or(rest).trim_start();
        after.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Arg> {
        if depth > DEEPEST {
            return None;
        }
        if self.skip('"') {
            return self.quoted();
        }
        let end = self.rest.find(|c: char| ",[]()\"".contains(c) || c.is_whitespace()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        if word.is_empty() {
            return None;
        }
        self.rest = rest;
        if !(self.skip('[') || self.skip('(')) {
            return Some(word.parse().map_or_else(|_| Arg::Text(word.to_owned()), Arg::Number));
        }
        let mut args = Vec::new();
        loop {
            args.push(self.value(depth + 1)?);
            if self.skip(']') || self.skip(')') {
                return Some(Arg::Node(Node { key: word.to_owned(), args }));
            }
            if !self.skip(',') {
                return None;
            }
        }
    }

    /// A text whose first quotation mark is passed; two of them stand for one.
    fn quoted(&mut self) -> Option<Arg> {
        let mut text = String::new();
        loop {
            let (part, rest) = self.rest.split_once('"')?;
            text.push_str(part);
            self.rest = rest;
            if !self.rest.starts_with('"') {
                return Some(Arg::Text(text));
            }
            text.push('"');
            self.rest = self.rest.get(1..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESRI: &str = r#"PROJCS["CGCS2000_3_Degree_GK_CM_111E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",111.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]],VERTCS["Yellow_Sea_1985",VDATUM["Yellow_Sea_1985"],PARAMETER["Vertical_Shift",0.0],PARAMETER["Direction",1.0],UNIT["Meter",1.0]]"#;
    const OGC: &str = r#"COMPD_CS["CGCS2000 / CM 111E + Yellow Sea 1985 height",
        PROJCS["CGCS2000 / 3-degree ""Gauss-Kruger"" CM 111E",
            GEOGCS["China Geodetic Coordinate System 2000",
                DATUM["China_2000",SPHEROID["CGCS2000",6378137,298.257222101,AUTHORITY["EPSG","1024"]],AUTHORITY["EPSG","1043"]],
                PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4490"]],
            PROJECTION["Transverse_Mercator"],
            PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",111],PARAMETER["scale_factor",1],
            PARAMETER["false_easting",500000],PARAMETER["false_northing",0],
            UNIT["metre",1,AUTHORITY["EPSG","9001"]],AUTHORITY["EPSG","4546"]],
        VERT_CS["Yellow Sea 1985 height",VERT_DATUM["Yellow Sea 1985",2005],UNIT["metre",1],AXIS["Up",UP],AUTHORITY["EPSG","5737"]]]"#;
    const ISO: &str = r#"PROJCRS["CGCS2000 / 3-degree Gauss-Kruger CM 111E",BASEGEOGCRS["China Geodetic Coordinate System 2000",DATUM["China 2000",ELLIPSOID["CGCS2000",6378137,298.257222101,LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4490]],CONVERSION["Gauss-Kruger CM 111E",METHOD["Transverse Mercator",ID["EPSG",9807]],PARAMETER["Latitude of natural origin",0],PARAMETER["Longitude of natural origin",111],PARAMETER["Scale factor at natural origin",1],PARAMETER["False easting",500000],PARAMETER["False northing",0]],CS[Cartesian,2],AXIS["northing (X)",north,ORDER[1],LENGTHUNIT["metre",1]],AXIS["easting (Y)",east,ORDER[2],LENGTHUNIT["metre",1]],ID["EPSG",4546]]"#;

    #[test]
    fn twin_prj_reads_one_plane_in_three_dialects() {
        let [esri, ogc, iso] = [ESRI, OGC, ISO].map(|text| parse(text).unwrap());
        assert_eq!([esri.plane, ogc.plane, iso.plane], [Plane::of_code(4546); 3]);
        assert_eq!([esri.epsg, ogc.epsg, iso.epsg], [None, Some(4546), Some(4546)]);
        assert_eq!([esri.vertical_epsg, ogc.vertical_epsg, iso.vertical_epsg], [Some(5737), Some(5737), None]);
        assert_eq!(ogc.name, "CGCS2000 / 3-degree \"Gauss-Kruger\" CM 111E");
        let arc =
            parse("Projection    TRANSVERSE\r\nZunits        NO\r\nUnits         METERS\r\nParameters\r\n").unwrap();
        assert_eq!((arc.name.as_str(), arc.plane), ("TRANSVERSE", None));
        let local = parse(r#"LOCAL_CS["施工坐标系",UNIT["Meter",1.0]]"#).unwrap();
        assert_eq!((local.name.as_str(), local.epsg), ("施工坐标系", None));
    }

    #[test]
    fn twin_prj_names_what_is_no_plane_of_metres() {
        let check = |text: &str, zh: &str, en: &str| {
            let said = parse(text).unwrap_err();
            assert!(said.zh.contains(zh) && said.en.contains(en), "{said}");
        };
        let geographic = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],UNIT["Degree",0.017]]"#;
        check(geographic, "“GCS_WGS_1984”是地理坐标，以度为单位", "'GCS_WGS_1984' is in degrees (geographic)");
        check(r#"GEOGCRS["WGS 84",CS[ellipsoidal,2]]"#, "以度为单位", "in degrees");
        let metre = r#"UNIT["Meter",1.0]],VERT"#;
        check(
            &ESRI.replace(metre, r#"UNIT["Foot_US",0.3048006096]],VERT"#),
            "“Foot_US” = 0.3048006096 m",
            "unit of its plane",
        );
        check(&ESRI.replace(metre, r#"UNIT["Kilometer",1000.0]],VERT"#), "平面坐标的单位", "= 1000 m, not the metre");
        check(
            &ESRI.replace(r#"1.0],UNIT["Meter",1.0]]"#, r#"1.0],UNIT["Foot",0.3048]]"#),
            "高程的单位",
            "unit of its heights",
        );
        check(&ESRI.replace(r#",UNIT["Meter",1.0]],VERT"#, "],VERT"), "未写明单位", "names no unit");
        check(&ISO.replace("metre\",1]],AXIS", "US survey foot\",0.3048006096]],AXIS"), "单位", "not the metre");
        check(&ESRI.replace("Gauss_Kruger", "Mercator_Auxiliary_Sphere"), "墨卡托", "a Mercator map");
        let web = r#"PROJCRS["x",CONVERSION["c",METHOD["Popular Visualisation Pseudo Mercator"]],CS[Cartesian,2],LENGTHUNIT["metre",1]]"#;
        check(web, "墨卡托", "a Mercator map");
        check(&OGC.replace("\"4546\"", "\"2263\""), "以英尺为单位", "is in feet");
        check("Projection GEOGRAPHIC\nUnits DD\n", "以度为单位", "its projection GEOGRAPHIC is in degrees");
        check("Projection STATEPLANE\nUnits FEET\n", "“FEET”", "unit of its plane");
        check("Projection UTM\nUnits METERS\nZunits FEET\n", "高程的单位", "unit of its heights");
        for text in ["", "Meter", "EPSG:4546", "PROJCS[\"a\"", "PROJCS[\"a", "TIN[\"a\"]", &"A[".repeat(10_000), "A[,]"]
        {
            check(text, "不是坐标系说明", "is no coordinate system");
        }
    }
}

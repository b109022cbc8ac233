//! The tables of a reach: `reach.toml`, `places.toml`, `members.toml`, `duty.toml`, `attention.toml`, `farmers.csv`,
//! `sections.csv`, as they stand in the files.

use super::ReachFault;
use crate::model::{Datum, Member, Place, PlaceId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `reach.toml`: what the reach is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Whether the data are invented; then every screen says so.
    pub synthetic: bool,
    /// The label on screens, Chinese.
    pub label_zh: String,
    /// The label on screens, English.
    pub label_en: String,
    /// Id of the reach.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Seed of the generator, where there was one.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Datum of every height in the files.
    pub datum: Datum,
    /// Always `WGS-84`.
    pub crs: String,
    /// Length of the levee, m.
    pub levee_length_m: f64,
    /// Slope of the river, m per m.
    pub slope: f64,
    /// `west-to-east` and the like.
    pub flow: String,
    /// Bank that the levee stands on, seen downstream on a map: `south`.
    pub levee_bank: String,
    /// Discharge that the levee must hold, m³/s.
    pub design_discharge_m3s: f64,
    /// Levee crest above the design stage, m.
    pub freeboard_m: f64,
    /// Station whose discharge governs the reach.
    pub gauge_station: String,
    /// Where that station lies along the levee, m.
    pub gauge_chainage_m: f64,
    /// Public figures with their source.
    #[serde(default)]
    pub fact: Vec<Fact>,
    /// How many of everything there must be.
    pub counts: Counts,
}

/// A public figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Code.
    pub key: String,
    /// In `unit`.
    pub value: f64,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Unit of the value.
    pub unit: String,
    /// Where it was published.
    pub source: String,
}

/// How many of everything the files must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the number of what it is named after")]
pub struct Counts {
    pub cells: usize,
    pub exclusive_cells: usize,
    pub members: usize,
    pub community: usize,
    pub rural: usize,
    pub others: usize,
    pub stones: usize,
    pub dams: usize,
    pub segments: usize,
    pub villages: usize,
    pub farms: usize,
    pub depots: usize,
    pub shelters: usize,
    pub vulnerable_works: usize,
    pub training_works: usize,
}

/// `places.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlacesFile {
    pub synthetic: bool,
    #[serde(default)]
    pub place: Vec<Place>,
}

/// `members.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MembersFile {
    pub synthetic: bool,
    #[serde(default)]
    pub member: Vec<Member>,
}

/// `duty.toml`: role → place → (owner, deputy).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DutyFile {
    pub synthetic: bool,
    #[serde(default)]
    pub duty: BTreeMap<String, BTreeMap<String, (String, String)>>,
}

/// `attention.toml`: who needs attention in an evacuation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// Whether the households are invented.
    pub synthetic: bool,
    /// The site's own categories.
    #[serde(default)]
    pub category: Vec<Category>,
    /// The households.
    #[serde(default)]
    pub household: Vec<Household>,
}

/// Why a household needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Code.
    pub code: String,
    /// One Han character for lists.
    pub mark: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// A household that needs attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Household {
    /// Unique in the reach.
    pub id: String,
    /// Name, masked on screens.
    pub name: String,
    /// Number, masked on screens.
    pub phone: String,
    /// Code of a category.
    pub category: String,
    /// Village or cell.
    pub place: PlaceId,
    /// Heads.
    pub persons: u32,
    /// `car`, `escort`, `ambulance`, `medicine`, `visit`.
    pub need: String,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
}

/// A household that grows on the floodplain (滩区种植户).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grower {
    /// Unique in the reach.
    pub id: String,
    /// Name, masked on screens.
    pub name: String,
    /// Number, masked on screens.
    pub phone: String,
    /// The farm block.
    pub block: PlaceId,
    /// `field`, `greenhouse`, `orchard`, `aquaculture`, `livestock`.
    pub crop: String,
    /// `resident-watcher`, `day-cultivator`, `facility-grower`, `seasonal-picker`.
    pub person_class: String,
    /// Heads at work there.
    pub persons: u32,
    /// Village they belong to.
    pub village: PlaceId,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
}

/// A point of a cross section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionPoint {
    /// Id of the section.
    pub section: String,
    /// Where the section lies along the levee, m.
    pub chainage_m: f64,
    /// Stage of the design discharge there, m above the datum of the reach.
    pub design_stage_m: f64,
    /// Crest of the levee there, m above the datum of the reach.
    pub levee_crest_m: f64,
    /// Distance north of the levee axis, m.
    pub north_m: f64,
    /// Height of the ground, m above the datum of the reach.
    pub elevation_m: f64,
    /// `land`, `levee`, `ditch`, `floodplain`, `lip`, `channel`, `thalweg`, `bar`.
    pub zone: String,
    /// Manning's n, s/m^(1/3).
    pub manning_n: f64,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
}

/// Reads a TOML file, or says in which line it fails.
pub(super) fn toml_of<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ReachFault> {
    toml::from_str(text).map_err(|fault| {
        let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ReachFault::Syntax { file: file.to_owned(), line, column, what: fault.message().to_owned() }
    })
}

/// Reads a CSV file with `#` comments, or says in which line it fails.
pub(super) fn csv_of<T: DeserializeOwned>(file: &str, text: &str) -> Result<Vec<(u64, T)>, ReachFault> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let headers = reader.headers().map_err(|fault| row_fault(file, 0, &fault, None))?.clone();
    for record in reader.records() {
        let record = record.map_err(|fault| row_fault(file, 0, &fault, None))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((
            line,
            record.deserialize(Some(&headers)).map_err(|fault| row_fault(file, line, &fault, Some(&headers)))?,
        ));
    }
    Ok(rows)
}

fn row_fault(file: &str, line: u64, fault: &csv::Error, headers: Option<&csv::StringRecord>) -> ReachFault {
    let (field, what) = match fault.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let at = err.field().and_then(|at| usize::try_from(at).ok());
            let name = at.and_then(|at| headers.and_then(|headers| headers.get(at)));
            (name.unwrap_or("row").to_owned(), err.kind().to_string())
        }
        _ => ("row".to_owned(), fault.to_string()),
    };
    let line = fault.position().map_or(line, csv::Position::line);
    ReachFault::Row { file: file.to_owned(), line, field, what }
}

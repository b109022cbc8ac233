//! What the director breaks: the script's injects, split into what devices play, what people do not hear, and what is reported.
//!
//! In: the text of a script, the sensors, the reach. Out: injects with targets that exist. No I/O.

use super::field::{Bench, FaultKind, Inject, read_script};
use super::players::Silence;
use super::text::DrillText;
use crate::command::{Actor, FieldReport, Input, ReportKind};
use crate::ingest::FileFault;
use crate::ingest::sensors::Sensors;
use crate::model::{Member, MemberId, PlaceId, PlaceKind, Reach, Side, Spot, Timestamp, UserName, UserRole};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// People see a dam roll away this long after its stones do.
const SEEN_AFTER: TimeDelta = TimeDelta::minutes(10);

const REMEDY: &str = "name a series, station, gauge, stone, dam:… or work:… of `anlan field --json`; for comms also \
                      corps:…, role:…, post:… or member:…; for breach and rumour also chainage:METRES or a place of the reach";

/// Reads a script.
///
/// # Errors
/// By line and column: a kind that does not exist, a target that this kind cannot have, a time that is no number.
pub fn read(file: &str, text: &str, sensors: &Sensors, reach: &Reach) -> Result<Vec<Inject>, FileFault> {
    read_script(file, text, REMEDY, |kind, target| knows(kind, target, sensors, reach))
}

/// Whether that kind can have that target.
pub fn knows(kind: FaultKind, target: &str, sensors: &Sensors, reach: &Reach) -> bool {
    let device = Bench::knows_target(sensors, target);
    match kind {
        FaultKind::Comms => device || !group(reach, target).is_empty(),
        FaultKind::Breach => device || spot(reach, target).is_some(),
        FaultKind::Rumour => spot(reach, target).is_some(),
        _ => device,
    }
}

/// Groups of people that `comms` cuts off.
pub fn silences(injects: &[Inject], reach: &Reach, start: Timestamp) -> Vec<Silence> {
    injects.iter().filter_map(|inject| silence(inject, reach, start)).collect()
}

/// The group that one inject cuts off, if it is of that kind.
pub fn silence(inject: &Inject, reach: &Reach, start: Timestamp) -> Option<Silence> {
    let members = if inject.kind == FaultKind::Comms { group(reach, &inject.target) } else { BTreeSet::new() };
    let from = start + seconds(inject.at_s);
    (!members.is_empty()).then(|| Silence { members, from, until: inject.for_s.map(|for_s| from + seconds(for_s)) })
}

/// A report that the script lets somebody make.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Number of the inject, from 0.
    pub inject: usize,
    /// When.
    pub at: Timestamp,
    /// The words, unique to the inject.
    pub text: String,
    /// It is nothing.
    pub is_false: bool,
    /// For the core.
    pub input: Input,
}

/// Reports of breaches and rumours.
pub fn told(injects: &[Inject], reach: &Reach, start: Timestamp) -> Vec<Told> {
    injects.iter().enumerate().filter_map(|(number, inject)| tell(number, inject, reach, start)).collect()
}

/// What one inject lets somebody report, if it is of that kind.
pub fn tell(number: usize, inject: &Inject, reach: &Reach, start: Timestamp) -> Option<Told> {
    let is_false = match inject.kind {
        FaultKind::Breach => false,
        FaultKind::Rumour => true,
        _ => return None,
    };
    let begins = start + seconds(inject.at_s);
    let bare = inject.target.split_once(':').map_or(inject.target.as_str(), |(_, bare)| bare);
    let (spot, at) = match spot(reach, &inject.target) {
        Some(spot) => (spot, begins),
        None => (spot(reach, bare)?, begins + SEEN_AFTER),
    };
    let of_dam = spot.place.as_ref().and_then(|place| reach.place(place)).is_some_and(|place| {
        matches!(place.kind, PlaceKind::Dam | PlaceKind::VulnerableWork | PlaceKind::TrainingWork)
    });
    let (type_, grade, words) = match (is_false, of_dam) {
        (true, _) => ("piping", 2, "有人说背河冒浑水（导调注入第"),
        (false, true) => ("dam_collapse", 3, "坝头坍塌（导调注入第"),
        (false, false) => ("breach", 3, "堤身决口（导调注入第"),
    };
    let text = DrillText::new(format!("{words} {} 条）", number + 1)).into_input();
    let report = FieldReport {
        kind: ReportKind::Hazard,
        type_: type_.into(),
        grade,
        place: spot.clone(),
        observed_at: at,
        text: Some(text.clone()),
        photos: Vec::new(),
        task: None,
    };
    let by = witness(reach, &spot)?;
    let by = Actor { user: UserName::new(by.as_str()), role: UserRole::Member, member: Some(by) };
    Some(Told { inject: number, at, text, is_false, input: Input::Report { by, report } })
}

/// Who is on patrol there; else the first of all members.
fn witness(reach: &Reach, spot: &Spot) -> Option<MemberId> {
    let mut places = reach.places_at(spot).into_iter();
    let on_duty = places.find_map(|place| reach.on_duty("patrol_team", &place).map(|(owner, _)| owner.clone()));
    on_duty.or_else(|| reach.members().next().map(|member| member.id.clone()))
}

/// A place of the reach, or a chainage within the levee.
fn spot(reach: &Reach, target: &str) -> Option<Spot> {
    let side = Some(Side::Land);
    if let Some(metres) = target.strip_prefix("chainage:") {
        let chainage = metres.parse::<f64>().ok().filter(|metres| metres.is_finite())?;
        let spot = Spot { chainage: Some(chainage), side, ..Spot::default() };
        return (!reach.places_at(&spot).is_empty()).then_some(spot);
    }
    let place = reach.place(&PlaceId::new(target))?;
    Some(Spot { place: Some(place.id.clone()), side, lon: Some(place.lon), lat: Some(place.lat), chainage: None })
}

fn group(reach: &Reach, target: &str) -> BTreeSet<MemberId> {
    let Some((kind, name)) = target.split_once(':') else { return BTreeSet::new() };
    let belongs = |member: &&Member| match kind {
        "corps" => member.corps == name,
        "role" => member.roles.iter().any(|role| role == name),
        "member" => member.id.as_str() == name,
        "post" => {
            let post = Spot { place: Some(member.post.clone()), ..Spot::default() };
            reach.places_at(&post).iter().any(|place| place.as_str() == name)
        }
        _ => false,
    };
    reach.members().filter(belongs).map(|member| member.id.clone()).collect()
}

fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

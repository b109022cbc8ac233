//! From texts to a checked reach.

use super::layers::{self, Checked, LAYERS, Spot, off_the_map};
use super::tables::{About, Attention, DutyFile, Grower, MembersFile, PlacesFile, SectionPoint, csv_of, toml_of};
use super::{ReachData, ReachFault, sites};
use crate::model::{DutyRow, Member, MemberId, Place, PlaceId, PlaceKind, Reach};
use std::collections::{BTreeMap, BTreeSet};

const TABLES: [&str; 7] =
    ["attention.toml", "duty.toml", "farmers.csv", "members.toml", "places.toml", "reach.toml", "sections.csv"];

/// Reads the files of a reach, by name, and checks all of them against each other.
///
/// # Errors
/// The first fault, with file, line or feature, and field.
pub fn load_reach(files: &BTreeMap<String, String>) -> Result<ReachData, ReachFault> {
    refuse_unknown(files)?;
    let about: About = toml_of("reach.toml", text(files, "reach.toml")?)?;
    check_about(&about)?;
    let reach = people_and_places(files, &about)?;
    let checked = check_layers(files, &reach)?;
    let of = |name: &str| checked.get(name).map(Vec::as_slice).unwrap_or_default();
    let dams = sites::dams(of("dams"), &sites::ranges(of("works")))?;
    let data = ReachData {
        stones: sites::stones(of("stones"), &dams)?,
        attention: attention(files, &about, &reach)?,
        farmers: farmers(files, &reach)?,
        sections: sections(files)?,
        layers: layer_texts(files),
        twin: None,
        dams,
        reach,
        about,
    };
    check_counts(&data)?;
    Ok(data)
}

fn text<'a>(files: &'a BTreeMap<String, String>, file: &str) -> Result<&'a str, ReachFault> {
    files.get(file).map(String::as_str).ok_or_else(|| ReachFault::Missing { file: file.to_owned() })
}

fn refuse_unknown(files: &BTreeMap<String, String>) -> Result<(), ReachFault> {
    let unknown = |file: &&String| !file.ends_with(".geojson") && !TABLES.contains(&file.as_str());
    files.keys().find(unknown).map_or(Ok(()), |file| Err(ReachFault::Unknown { file: file.clone() }))
}

fn entry(file: &str, owner: impl ToString, field: &str, what: impl Into<String>) -> ReachFault {
    ReachFault::Entry { file: file.to_owned(), owner: owner.to_string(), field: field.to_owned(), what: what.into() }
}

fn check_about(about: &About) -> Result<(), ReachFault> {
    if about.crs != "WGS-84" {
        let what =
            format!("应为 WGS-84 / must be WGS-84, 实为 found {}: GCJ-02 最多偏 700 m, convert first", about.crs);
        return Err(entry("reach.toml", &about.id, "crs", what));
    }
    let lengths = [
        ("levee_length_m", about.levee_length_m),
        ("slope", about.slope),
        ("design_discharge_m3s", about.design_discharge_m3s),
    ];
    match lengths.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
        Some((field, value)) => {
            Err(entry("reach.toml", &about.id, field, format!("应为正数 / must be above zero, 实为 found {value}")))
        }
        None => Ok(()),
    }
}

fn people_and_places(files: &BTreeMap<String, String>, about: &About) -> Result<Reach, ReachFault> {
    let places: PlacesFile = toml_of("places.toml", text(files, "places.toml")?)?;
    let members: MembersFile = toml_of("members.toml", text(files, "members.toml")?)?;
    let duty: DutyFile = toml_of("duty.toml", text(files, "duty.toml")?)?;
    let flags = [("places.toml", places.synthetic), ("members.toml", members.synthetic), ("duty.toml", duty.synthetic)];
    refuse_invented(about, &flags)?;
    places.place.iter().try_for_each(check_place)?;
    members.member.iter().try_for_each(check_member)?;
    let rows = duty_rows(duty, &members.member)?;
    Ok(Reach::new(places.place, members.member, rows)?)
}

/// Invented data must not slip into a real reach.
fn refuse_invented(about: &About, flags: &[(&str, bool)]) -> Result<(), ReachFault> {
    match flags.iter().find(|(_, synthetic)| *synthetic && !about.synthetic) {
        Some((file, _)) => {
            let what = "该文件为合成数据，而 reach.toml 不是 / this file is invented, reach.toml says the reach is not";
            Err(entry(file, &about.id, "synthetic", what))
        }
        None => Ok(()),
    }
}

fn check_place(place: &Place) -> Result<(), ReachFault> {
    if let Some(what) = off_the_map(place.lon, place.lat) {
        return Err(entry("places.toml", &place.id, "lon, lat", what));
    }
    match (place.chainage_from_m, place.chainage_to_m) {
        (None, None) => Ok(()),
        (Some(from), Some(to)) if from.is_finite() && to.is_finite() && from <= to => Ok(()),
        (from, to) => {
            let what = format!("起止桩号不成对或颠倒 / both are needed, in rising order: {from:?}, {to:?}");
            Err(entry("places.toml", &place.id, "chainage_from_m, chainage_to_m", what))
        }
    }
}

fn check_member(member: &Member) -> Result<(), ReachFault> {
    if let Some(what) = off_the_map(member.lon, member.lat) {
        return Err(entry("members.toml", &member.id, "lon, lat", what));
    }
    if !member.phone.chars().all(|c| c.is_ascii_digit() || c == '+' || c == '-') {
        return Err(entry("members.toml", &member.id, "phone", "只能有数字、+ 和 - / digits, + and - only"));
    }
    Ok(())
}

fn duty_rows(file: DutyFile, members: &[Member]) -> Result<Vec<DutyRow>, ReachFault> {
    let roles: BTreeMap<&str, &[String]> =
        members.iter().map(|member| (member.id.as_str(), member.roles.as_slice())).collect();
    let mut rows = Vec::new();
    for (role, places) in file.duty {
        for (place, (owner, deputy)) in places {
            let at = format!("{role} @ {place}");
            if owner == deputy {
                return Err(entry(
                    "duty.toml",
                    at,
                    "deputy",
                    format!("A、B 角同为 {owner} / owner and deputy are both {owner}"),
                ));
            }
            for id in [&owner, &deputy] {
                // Somebody who does not exist at all is named by the reach itself.
                if roles.get(id.as_str()).is_some_and(|own| !own.contains(&role)) {
                    let what =
                        format!("{id} 在 members.toml 中没有角色 {role} / {id} has no role {role} in members.toml");
                    return Err(entry("duty.toml", at, "role", what));
                }
            }
            let (owner, deputy) = (MemberId::new(owner), MemberId::new(deputy));
            rows.push(DutyRow { role: role.clone(), place: PlaceId::new(place), owner, deputy });
        }
    }
    Ok(rows)
}

fn check_layers(files: &BTreeMap<String, String>, reach: &Reach) -> Result<BTreeMap<String, Vec<Checked>>, ReachFault> {
    let mut checked = BTreeMap::new();
    for layer in LAYERS.iter().filter(|layer| !layer.optional) {
        text(files, &format!("{}.geojson", layer.name))?;
    }
    for (file, text) in files {
        let Some(name) = file.strip_suffix(".geojson") else { continue };
        let known = LAYERS.iter().find(|layer| layer.name == name);
        let features = layers::check(file, text, known.map(|layer| layer.properties).unwrap_or_default())?;
        if known.is_some_and(|layer| layer.places) {
            refuse_strangers(file, &features, reach)?;
        }
        checked.insert(name.to_owned(), features);
    }
    Ok(checked)
}

fn refuse_strangers(file: &str, features: &[Checked], reach: &Reach) -> Result<(), ReachFault> {
    match features.iter().find(|feature| reach.place(&PlaceId::new(&feature.id)).is_none()) {
        Some(feature) => {
            let spot = Spot { file, number: feature.number, id: &feature.id };
            Err(spot.fault("id", "不在 places.toml 中 / is not in places.toml"))
        }
        None => Ok(()),
    }
}

fn layer_texts(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let layer = |(file, text): (&String, &String)| Some((file.strip_suffix(".geojson")?.to_owned(), text.clone()));
    files.iter().filter_map(layer).collect()
}

fn attention(files: &BTreeMap<String, String>, about: &About, reach: &Reach) -> Result<Attention, ReachFault> {
    let file = "attention.toml";
    let attention: Attention = toml_of(file, text(files, file)?)?;
    refuse_invented(about, &[(file, attention.synthetic)])?;
    let codes: BTreeSet<&str> = attention.category.iter().map(|category| category.code.as_str()).collect();
    let mut ids = BTreeSet::new();
    for household in &attention.household {
        let fault = |field, what: String| Err(entry(file, &household.id, field, what));
        if !ids.insert(household.id.as_str()) {
            return fault("id", "编号重复 / this id appears twice".to_owned());
        }
        if !codes.contains(household.category.as_str()) {
            return fault("category", format!("未定义的类别 / no [[category]] has the code {}", household.category));
        }
        if reach.place(&household.place).is_none() {
            return fault("place", format!("{} 不在 places.toml 中 / is not in places.toml", household.place));
        }
        if let Some(what) = off_the_map(household.lon, household.lat) {
            return fault("lon, lat", what);
        }
    }
    Ok(attention)
}

fn farmers(files: &BTreeMap<String, String>, reach: &Reach) -> Result<Vec<Grower>, ReachFault> {
    let file = "farmers.csv";
    let mut ids = BTreeSet::new();
    let mut growers = Vec::new();
    for (line, grower) in csv_of::<Grower>(file, text(files, file)?)? {
        let fault = |field: &str, what: String| {
            Err(ReachFault::Row { file: file.to_owned(), line, field: field.to_owned(), what })
        };
        if !ids.insert(grower.id.clone()) {
            return fault("id", format!("{} 重复 / appears twice", grower.id));
        }
        for (field, place) in [("block", &grower.block), ("village", &grower.village)] {
            if reach.place(place).is_none() {
                return fault(field, format!("{place} 不在 places.toml 中 / is not in places.toml"));
            }
        }
        if let Some(what) = off_the_map(grower.lon, grower.lat) {
            return fault("lon, lat", what);
        }
        growers.push(grower);
    }
    Ok(growers)
}

fn sections(files: &BTreeMap<String, String>) -> Result<Vec<SectionPoint>, ReachFault> {
    let file = "sections.csv";
    let mut points: Vec<SectionPoint> = Vec::new();
    for (line, point) in csv_of::<SectionPoint>(file, text(files, file)?)? {
        let fault = |field: &str, what: &str| {
            Err(ReachFault::Row { file: file.to_owned(), line, field: field.to_owned(), what: what.to_owned() })
        };
        let numbers = [
            ("chainage_m", point.chainage_m),
            ("design_stage_m", point.design_stage_m),
            ("levee_crest_m", point.levee_crest_m),
            ("north_m", point.north_m),
            ("elevation_m", point.elevation_m),
            ("manning_n", point.manning_n),
        ];
        if let Some((field, _)) = numbers.into_iter().find(|(_, value)| !value.is_finite()) {
            return fault(field, "不是有限数值 / not a finite number");
        }
        if point.manning_n <= 0.0 {
            return fault("manning_n", "应大于零 / must be above zero");
        }
        if points.last().is_some_and(|last| last.section == point.section && last.north_m >= point.north_m) {
            return fault("north_m", "应自南向北递增 / must rise from south to north");
        }
        points.push(point);
    }
    Ok(points)
}

fn check_counts(data: &ReachData) -> Result<(), ReachFault> {
    let kind = |kind: PlaceKind| data.reach.places().filter(|place| place.kind == kind).count();
    let corps = |name: &str| data.reach.members().filter(|member| member.corps == name).count();
    let exclusive = data.reach.places_of_scope("exclusive_grid").len();
    let (members, community, rural) = (data.reach.members().count(), corps("community"), corps("rural"));
    let declared = &data.about.counts;
    let pairs = [
        ("cells", declared.cells, kind(PlaceKind::Cell).saturating_sub(exclusive)),
        ("exclusive_cells", declared.exclusive_cells, exclusive),
        ("members", declared.members, members),
        ("community", declared.community, community),
        ("rural", declared.rural, rural),
        ("others", declared.others, members.saturating_sub(community + rural)),
        ("stones", declared.stones, data.stones.len()),
        ("dams", declared.dams, data.dams.len()),
        ("segments", declared.segments, kind(PlaceKind::Segment)),
        ("villages", declared.villages, kind(PlaceKind::Village)),
        ("farms", declared.farms, kind(PlaceKind::Farm)),
        ("depots", declared.depots, kind(PlaceKind::Depot)),
        ("shelters", declared.shelters, kind(PlaceKind::Shelter)),
        ("vulnerable_works", declared.vulnerable_works, kind(PlaceKind::VulnerableWork)),
        ("training_works", declared.training_works, kind(PlaceKind::TrainingWork)),
    ];
    match pairs.into_iter().find(|(_, declared, found)| declared != found) {
        Some((what, declared, found)) => Err(ReachFault::Count { what, declared, found }),
        None => Ok(()),
    }
}

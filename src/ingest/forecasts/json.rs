//! JSON: one forecast, or a list of them. A member is `{id, points: [[time, value], …]}`, a time has its offset.

use super::{ALONE, Draft, DraftMember, FAULTS_MAX, FORECASTS_MAX, ForecastAsk, ForecastFault, Found, Spot};
use crate::ingest::reader_says;
use crate::ingest::units::datum_of;
use crate::model::Timestamp;
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::error::Category;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForecastBody {
    source: Option<String>,
    issued_at: Option<DateTime<FixedOffset>>,
    variable: Option<String>,
    area: Option<String>,
    datum: Option<String>,
    unit: Option<String>,
    members: Vec<MemberBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberBody {
    id: Option<String>,
    points: Vec<(DateTime<FixedOffset>, f64)>,
}

pub(super) fn drafts(bytes: &[u8], ask: &ForecastAsk) -> Found {
    let is_list = bytes.trim_ascii_start().first() == Some(&b'[');
    let read: Result<Vec<ForecastBody>, _> =
        if is_list { serde_json::from_slice(bytes) } else { serde_json::from_slice(bytes).map(|one| vec![one]) };
    let mut found = Found::default();
    let bodies = match read {
        Ok(bodies) => bodies,
        Err(cause) => {
            let why = cause.to_string();
            let (zh, named) = match cause.classify() {
                Category::Syntax => ("不是有效的 JSON", None),
                _ => reader_says(&why),
            };
            let named = named.map_or(String::new(), |field| format!(" {field}"));
            let reason = format!("{zh}{named} ({why})");
            let spot = Spot::Cell { row: cause.line(), column: Some(cause.column().to_string()) };
            found.faults.push(spot.fault("file", reason));
            return found;
        }
    };
    if bodies.len() > FORECASTS_MAX {
        let reason = format!("一个文件最多 {FORECASTS_MAX} 份预报 (at most {FORECASTS_MAX} forecasts a file)");
        found.faults.push(Spot::Path("[]".into()).fault("file", reason));
        return found;
    }
    let mut seen = BTreeSet::new();
    for (index, body) in bodies.into_iter().enumerate() {
        let path = if is_list { format!("[{index}]") } else { String::new() };
        match body.draft(&path, ask) {
            Ok(draft) => {
                let key = (draft.source.clone(), draft.issued_at, draft.variable, draft.area.clone());
                if seen.insert(key) {
                    found.drafts.push(draft);
                } else {
                    let reason = "同一来源、发布时间、要素、区域出现两次 (the same forecast is there twice)";
                    found.faults.push(Spot::Path(path).fault("area", reason));
                }
            }
            Err(faults) => found.faults.extend(faults),
        }
        if found.faults.len() >= FAULTS_MAX {
            break;
        }
    }
    found
}

impl ForecastBody {
    fn draft(self, path: &str, ask: &ForecastAsk) -> Result<Draft, Vec<ForecastFault>> {
        let here = Spot::Path(path.to_owned());
        let missing = |field| here.fault(field, format!("缺少 {field} (`{field}` is missing)"));
        let source = self.source.or_else(|| ask.source.clone()).ok_or_else(|| missing("source"));
        let issued = self.issued_at.map(|at| at.to_utc()).or(ask.issued_at).ok_or_else(|| missing("issued_at"));
        let area = self.area.or_else(|| ask.area.clone()).ok_or_else(|| missing("area"));
        let variable = match &self.variable {
            Some(word) => super::variable_of(word)
                .ok_or_else(|| here.fault("variable", format!("不认识要素 {:?} (unknown variable)", short(word)))),
            None => ask.variable.ok_or_else(|| missing("variable")),
        };
        let datum = match &self.datum {
            Some(word) => datum_of(word)
                .map(Some)
                .ok_or_else(|| here.fault("datum", format!("不认识基面 {:?} (unknown datum)", short(word)))),
            None => Ok(ask.datum.filter(|_| variable == Ok(crate::forecast::ForecastVariable::Stage))),
        };
        let (source, issued_at, area, variable, datum) = match (source, issued, area, variable, datum) {
            (Ok(source), Ok(issued), Ok(area), Ok(variable), Ok(datum)) => (source, issued, area, variable, datum),
            (source, issued, area, variable, datum) => {
                let faults = [source.err(), issued.err(), area.err(), variable.err(), datum.err()];
                return Err(faults.into_iter().flatten().collect());
            }
        };
        let mut members = Vec::with_capacity(self.members.len());
        let mut faults = Vec::new();
        for (number, member) in self.members.into_iter().enumerate() {
            let path = format!("{path}.members[{number}]");
            let mut points: Vec<(Timestamp, f64)> = Vec::with_capacity(member.points.len());
            let mut spots = Vec::with_capacity(member.points.len());
            for (index, (at, value)) in member.points.into_iter().enumerate() {
                let spot = Spot::Path(format!("{path}.points[{index}]"));
                match super::in_unit(value, self.unit.as_deref(), variable) {
                    Ok(value) => points.push((at.to_utc(), value)),
                    // The same for every point: said once.
                    Err(reason) => return Err(vec![here.fault("unit", reason)]),
                }
                spots.push(spot);
            }
            let id = member.id.unwrap_or_else(|| ALONE.to_owned());
            if id.is_empty() {
                faults.push(Spot::Path(path.clone()).fault("members", "成员名为空 (a member without a name)"));
            }
            members.push(DraftMember { id, spot: Spot::Path(path), points, spots });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Draft { source, issued_at, variable, area, datum, spot: here, members })
    }
}

fn short(word: &str) -> String {
    word.chars().take(40).collect()
}

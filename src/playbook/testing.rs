//! What the tests of this room share: a small reach and small editions.

use super::edition::Playbook;
use super::fault::Fault;
use crate::model::{Place, PlaceId, PlaceKind, Reach, Timestamp};
use std::collections::BTreeMap;

pub(super) fn at(hours: f64) -> Timestamp {
    // 2026-08-01T00:00:00Z, eight in the morning on the levee.
    chrono::DateTime::from_timestamp_millis(1_785_542_400_000 + (hours * 3_600_000.0) as i64).unwrap()
}

/// One row: code, scope, trigger, and further lines of TOML.
pub(super) fn row(code: &str, scope: &str, trigger: &str, more: &str) -> String {
    let supersedes = if more.contains("phase") { "" } else { "phase = \"respond\"\n" };
    format!(
        "[[instruction]]\ncode = \"{code}\"\nband = \"H\"\nq_min = 0\ncolour = \"any\"\n{supersedes}category = \"patrol\"\n\
         role = \"patrol_team\"\nscope = \"{scope}\"\ntrigger = '{trigger}'\ndeadline_min = 30\nevidence = [\"photo\"]\n\
         title_zh = \"题\"\ntext_zh = \"文\"\ntitle_en = \"Title\"\nbasis = \"default\"\nnumbers_basis = \"default\"\n\
         authority = \"none\"\nreport_to = \"commander\"\nsms_zh = \"{{place}}{{by}}{{call}}\"\n{more}\n"
    )
}

pub(super) fn files(rows: &str) -> BTreeMap<String, String> {
    let files = [
        ("levels.toml", include_str!("../../playbooks/huayuankou/levels.toml")),
        ("roles.toml", include_str!("../../playbooks/huayuankou/roles.toml")),
        ("scopes.toml", include_str!("../../playbooks/huayuankou/scopes.toml")),
        ("instructions/h.toml", rows),
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

pub(super) fn edition(rows: &[String]) -> Playbook {
    try_edition(&rows.join("\n")).unwrap()
}

pub(super) fn try_edition(rows: &str) -> Result<Playbook, Vec<Fault>> {
    Playbook::load("test", &files(rows))
}

/// The demo edition.
pub(super) fn demo() -> Playbook {
    let mut all = files("");
    all.remove("instructions/h.toml");
    for (name, text) in [
        ("b04", include_str!("../../playbooks/huayuankou/instructions/b04.toml")),
        ("b06", include_str!("../../playbooks/huayuankou/instructions/b06.toml")),
        ("b08", include_str!("../../playbooks/huayuankou/instructions/b08.toml")),
        ("b10", include_str!("../../playbooks/huayuankou/instructions/b10.toml")),
        ("b15", include_str!("../../playbooks/huayuankou/instructions/b15.toml")),
        ("b22", include_str!("../../playbooks/huayuankou/instructions/b22.toml")),
        ("d", include_str!("../../playbooks/huayuankou/instructions/d.toml")),
        ("h", include_str!("../../playbooks/huayuankou/instructions/h.toml")),
        ("p", include_str!("../../playbooks/huayuankou/instructions/p.toml")),
        ("w", include_str!("../../playbooks/huayuankou/instructions/w.toml")),
    ] {
        all.insert(format!("instructions/{name}.toml"), text.to_owned());
    }
    for (name, text) in [
        ("messages.toml", include_str!("../../playbooks/huayuankou/messages.toml")),
        ("expectations.toml", include_str!("../../playbooks/huayuankou/expectations.toml")),
    ] {
        all.insert(name.to_owned(), text.to_owned());
    }
    Playbook::load("", &all).unwrap()
}

fn place(id: &str, kind: PlaceKind, scope: &str, chainage: Option<(f64, f64)>, parent: Option<&str>) -> Place {
    Place {
        id: PlaceId::new(id),
        kind,
        name_zh: id.into(),
        name_en: id.into(),
        scopes: if scope.is_empty() { Vec::new() } else { vec![scope.into()] },
        lon: 113.6 + chainage.map_or(0.0, |(from, _)| from / 100_000.0),
        lat: 34.9,
        chainage_from_m: chainage.map(|(from, _)| from),
        chainage_to_m: chainage.map(|(_, to)| to),
        parent: parent.map(PlaceId::new),
    }
}

/// Three segments of 1 km, two works of two dams, two villages, a community, a shelter, a town, the headquarters.
pub(super) fn reach() -> Reach {
    let km = |from: f64, to: f64| Some((from * 1000.0, to * 1000.0));
    let places = vec![
        place("hq", PlaceKind::Hq, "hq", None, None),
        place("town-1", PlaceKind::Town, "town", None, None),
        place("seg-1", PlaceKind::Segment, "levee_segment", km(0.0, 1.0), Some("town-1")),
        place("seg-2", PlaceKind::Segment, "levee_segment", km(1.0, 2.0), Some("town-1")),
        place("seg-3", PlaceKind::Segment, "levee_segment", km(2.0, 3.0), Some("town-1")),
        place("work-a", PlaceKind::VulnerableWork, "vulnerable_spot", km(0.2, 0.8), None),
        place("dam-a1", PlaceKind::Dam, "", None, Some("work-a")),
        place("dam-a2", PlaceKind::Dam, "", None, Some("work-a")),
        place("work-b", PlaceKind::VulnerableWork, "vulnerable_spot", km(2.2, 2.8), None),
        place("dam-b1", PlaceKind::Dam, "", None, Some("work-b")),
        place("village-1", PlaceKind::Village, "floodplain_village", None, None),
        place("village-2", PlaceKind::Village, "floodplain_village", None, None),
        place("cell-c1", PlaceKind::Cell, "community", None, None),
        place("shelter-1", PlaceKind::Shelter, "shelter", None, None),
    ];
    Reach::new(places, Vec::new(), Vec::new()).unwrap()
}

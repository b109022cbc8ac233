//! 294 invented members. Counts are the town's: 28 community, 136 rural; how the other 130 are spread over squads,
//! works, departments and headquarters is ours, no source says it.

use super::cells::{Cell, CellKind, VILLAGES};
use super::dice::Dice;
use super::geo::rounded;
use super::ground::Ground;
use super::river::{SEGMENTS, segment};
use super::site::Site;
use anlan::model::{Member, MemberId, PlaceId};
use std::collections::BTreeSet;

const SURNAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾",
    "彭", "吕",
];
const FIRST: [&str; 24] = [
    "安", "平", "和", "宁", "清", "明", "文", "志", "春", "秋", "晓", "永", "长", "景", "思", "云", "海", "林", "新",
    "嘉", "立", "书", "远", "正",
];
const SECOND: [&str; 20] = [
    "宁", "平", "川", "河", "源", "泽", "润", "畅", "波", "舟", "帆", "渡", "堤", "桥", "石", "原", "野", "禾", "麦",
    "柳",
];

/// A stream of invented names without doubles.
pub struct Names {
    dice: Dice,
    given: BTreeSet<String>,
}

impl Names {
    /// The stream of one file.
    pub fn new(seed: u64, subject: &str) -> Self {
        Self { dice: Dice::of(seed, &format!("names of {subject}")), given: BTreeSet::new() }
    }
    /// The next name.
    pub fn next(&mut self) -> String {
        loop {
            let mut name = format!("{}{}", self.dice.pick(&SURNAMES), self.dice.pick(&FIRST));
            if !self.dice.one_in(3) {
                let second = *self.dice.pick(&SECOND);
                name.push_str(second);
            }
            if self.given.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A number of eleven digits that no network assigns: mobiles in China begin with 13 to 19.
pub fn phone(n: u32) -> String {
    format!("1000000{n:04}")
}

/// A member with the levee coordinates of the post.
pub struct Posted {
    pub member: Member,
    pub chainage_m: f64,
}

/// Teams of the 130 others: corps, roles, and the places their people stand at in turn.
type Team = (&'static str, u32, &'static [&'static str], &'static [&'static str]);

const WORKS: &[&str] = &["work-huayuankou", "work-shenzhuang", "work-madu", "work-dongdaba"];
const DEPOTS: &[&str] = &["depot-1", "depot-2", "depot-3", "depot-4"];
const CENTRES: &[&str] = &["hq", "town"];

const TEAMS: [Team; 34] = [
    // Headquarters: 16.
    ("hq", 2, &["commander"], &["hq"]),
    ("hq", 3, &["commander"], &["seg-03", "seg-08", "seg-13"]),
    ("hq", 6, &["hq_duty_office"], &["hq"]),
    ("hq", 2, &["it_support"], &["hq"]),
    ("hq", 3, &["expert_group"], &["hq", "work-huayuankou", "work-madu"]),
    // River works: 37.
    ("work", 5, &["river_bureau"], &["hq", "work-huayuankou", "work-shenzhuang", "work-madu", "work-dongdaba"]),
    ("work", 12, &["river_bureau_section"], WORKS),
    ("work", 4, &["gate_station"], &["gate-huayuankou", "gate-madu"]),
    ("work", 2, &["hydrology_station"], &["hq"]),
    ("work", 4, &["bridge_operator", "sand_supervisor"], &["bridge-huayuankou", "bridge-madu"]),
    ("work", 4, &["uav_team"], WORKS),
    ("work", 6, &["warehouse_keeper"], DEPOTS),
    // Squads: 40.
    (
        "squad",
        10,
        &["professional_rescue_team"],
        &["work-huayuankou", "work-madu", "depot-1", "work-shenzhuang", "depot-3"],
    ),
    ("squad", 5, &["public_team_1st"], &["seg-02", "seg-05", "seg-08", "seg-11", "seg-14"]),
    ("squad", 5, &["public_team_2nd"], &["town", "seg-04", "seg-07", "seg-10", "seg-13"]),
    ("squad", 4, &["public_team_3rd"], &["town", "seg-04", "seg-09", "seg-12"]),
    ("squad", 4, &["veteran_assault_team"], &["work-huayuankou", "work-shenzhuang", "work-madu", "town"]),
    (
        "squad",
        6,
        &["boat_rescue_team"],
        &["depot-1", "depot-3", "village-huayuankou", "village-babao", "village-shenzhuang", "village-madu"],
    ),
    ("squad", 2, &["militia"], &["town"]),
    ("squad", 4, &["armed_forces"], &["hq", "seg-03", "seg-07", "seg-11"]),
    // Departments: 37.
    (
        "department",
        5,
        &["town"],
        &["town", "village-huayuankou", "village-babao", "village-shenzhuang", "village-madu"],
    ),
    ("department", 6, &["police"], &["town", "seg-02", "seg-05", "seg-08", "seg-11", "seg-14"]),
    ("department", 3, &["publicity"], &["town", "scenic-huayuankou", "scenic-madu"]),
    ("department", 2, &["telecom"], &["town"]),
    ("department", 2, &["power"], &["work-huayuankou", "work-madu"]),
    ("department", 3, &["transport"], &["town", "bridge-huayuankou", "bridge-madu"]),
    ("department", 4, &["health"], &["shelter-1", "shelter-2", "shelter-3", "shelter-4"]),
    ("department", 2, &["civil_affairs", "commerce"], CENTRES),
    (
        "department",
        2,
        &["culture_tourism", "education", "grid_leader", "grid_member", "publicity"],
        &["cell-x1", "cell-x2"],
    ),
    (
        "department",
        2,
        &["agriculture", "environment", "grid_leader", "grid_member", "publicity"],
        &["cell-x3", "cell-x4"],
    ),
    ("department", 2, &["utilities"], CENTRES),
    ("department", 2, &["finance", "natural_resources"], CENTRES),
    ("department", 1, &["discipline_inspection"], &["hq"]),
    ("department", 1, &["discipline_inspection"], &["town"]),
];

/// Everybody, numbered community first, then rural, then the others.
pub fn members(seed: u64, ground: &Ground, cells: &[Cell], sites: &[Site]) -> Vec<Posted> {
    let mut roll = Roll { dice: Dice::of(seed, "members"), names: Names::new(seed, "members"), posted: Vec::new() };
    for cell in cells.iter().filter(|cell| cell.kind == CellKind::Community) {
        roll.enlist(ground, "community", &["grid_leader", "grid_member", "publicity"], &cell.site);
    }
    let rural: Vec<&Cell> = cells.iter().filter(|cell| cell.kind == CellKind::Rural).collect();
    for cell in &rural {
        roll.enlist(ground, "rural", &rural_leader_roles(cell, &rural), &cell.site);
    }
    for cell in rural.iter().take(36) {
        roll.enlist(ground, "rural", &rural_second_roles(cell, &rural), &cell.site);
    }
    for n in 1..=SEGMENTS {
        let (from, to) = segment(n);
        for k in 0..4 {
            let s = from + (to - from) * (f64::from(k) + 0.5) / 4.0;
            roll.stand(ground, "rural", &["grid_member", "patrol_team"], &format!("seg-{n:02}"), (s, 0.0));
        }
    }
    for (corps, count, roles, posts) in TEAMS {
        for k in 0..count as usize {
            let post = posts[k % posts.len()];
            if let Some(site) = sites.iter().find(|site| site.id() == post) {
                roll.enlist(ground, corps, roles, site);
            }
        }
    }
    roll.posted
}

/// The first three cells of a village have its cadres: they speak for the village and run its shelter.
fn village_rank(cell: &Cell, rural: &[&Cell]) -> usize {
    rural.iter().filter(|other| other.of_zh == cell.of_zh && other.number < cell.number).count()
}
fn rural_leader_roles(cell: &Cell, rural: &[&Cell]) -> Vec<&'static str> {
    let mut roles = vec!["grid_leader", "grid_member"];
    if village_rank(cell, rural) < 3 && VILLAGES.iter().any(|village| village.1 == cell.of_zh) {
        roles.extend(["shelter_manager", "village"]);
    }
    if village_rank(cell, rural) >= 6 || rural.iter().skip(36).any(|last| last.number == cell.number) {
        roles.push("publicity");
    }
    roles
}
fn rural_second_roles(cell: &Cell, rural: &[&Cell]) -> Vec<&'static str> {
    let mut roles = vec!["grid_member", "publicity"];
    if village_rank(cell, rural) < 2 {
        roles.push("village");
    }
    roles
}

struct Roll {
    dice: Dice,
    names: Names,
    posted: Vec<Posted>,
}

impl Roll {
    /// Posts somebody near the representative point of a place.
    fn enlist(&mut self, ground: &Ground, corps: &str, roles: &[&str], site: &Site) {
        let spread = if site.id().starts_with("cell-") { 110.0 } else { 45.0 };
        let north_m = match site.id() {
            id if id.starts_with("seg-") => self.dice.around(4.0),
            id if id.starts_with("work-") => self.dice.between(2.0, 30.0),
            _ => site.north_m + self.dice.around(spread),
        };
        let along = match (site.place.chainage_from_m, site.place.chainage_to_m) {
            (Some(from), Some(to)) if to - from > 200.0 => self.dice.between(from + 60.0, to - 60.0),
            _ => site.chainage_m + self.dice.around(spread),
        };
        let post = site.id().to_owned();
        self.stand(ground, corps, roles, &post, (along, north_m));
    }

    fn stand(&mut self, ground: &Ground, corps: &str, roles: &[&str], post: &str, at: (f64, f64)) {
        let n = self.posted.len() as u32 + 1;
        let (lon, lat) = ground.at(at.0, at.1);
        let member = Member {
            id: MemberId::new(format!("mbr-{n:03}")),
            name: self.names.next(),
            phone: phone(n),
            corps: corps.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            post: PlaceId::new(post),
            lon: rounded(lon, 6),
            lat: rounded(lat, 6),
            has_app: !self.dice.one_in(24),
        };
        self.posted.push(Posted { member, chainage_m: at.0 });
    }
}

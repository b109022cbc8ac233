//! The files of places and people: `places.toml`, `members.toml`, `reach.toml`.

use super::cells::Cell;
use super::ground::{self, Ground, LENGTH_M};
use super::people::Posted;
use super::river::{SEGMENTS, segment};
use super::site::Site;
use super::works::{Dam, WORKS};
use anlan::model::PlaceKind;
use std::fmt::Write as _;

/// Segments, works and dams as places.
pub fn levee_sites(ground: &Ground, dams: &[Dam]) -> Vec<Site> {
    let segments = (1..=SEGMENTS).map(|n| {
        let (from, to) = segment(n);
        let id = format!("seg-{n:02}");
        Site::new(ground, &id, PlaceKind::Segment, "levee_segment", (f64::midpoint(from, to), 0.0))
            .named(
                format!("{n}号责任堤段（{}～{}）", ground::stake(from), ground::stake(to)),
                format!("Levee segment {n}"),
            )
            .along(from, to)
    });
    let works = WORKS.iter().map(|work| {
        let (kind, scope) = match work.on_levee {
            true => (PlaceKind::VulnerableWork, "vulnerable_spot"),
            false => (PlaceKind::TrainingWork, "river_training"),
        };
        let middle = f64::midpoint(work.from_m, work.to_m);
        let north = if work.on_levee { 60.0 } else { super::works::training_line(middle) };
        Site::new(ground, work.id, kind, scope, (middle, north)).named(work.zh, work.en).along(work.from_m, work.to_m)
    });
    let dams = dams.iter().map(|dam| {
        let north = if dam.work.on_levee { 40.0 } else { super::works::training_line(dam.chainage_m) + 40.0 };
        let mut site = Site::new(ground, &dam.id, PlaceKind::Dam, "", (dam.chainage_m, north))
            .named(dam.name_zh(), dam.name_en())
            .along(dam.chainage_m, dam.chainage_m)
            .within(dam.work.id);
        (site.place.lon, site.place.lat) = (super::geo::rounded(dam.head.0, 6), super::geo::rounded(dam.head.1, 6));
        site
    });
    segments.chain(works).chain(dams).collect()
}

/// The file `places.toml`.
pub fn places_toml(sites: &[Site]) -> String {
    let mut text = format!(
        "# {}\n# Every place that can carry a task. Scopes are those of the playbook.\nsynthetic = true\n",
        super::LABEL
    );
    for site in sites {
        let place = &site.place;
        let kind = serde_json::to_string(&place.kind).unwrap_or_default();
        let _ = writeln!(
            text,
            "\n[[place]]\nid = \"{}\"\nkind = {kind}\nname_zh = \"{}\"\nname_en = \"{}\"\nscopes = {:?}\nlon = {:.6}\nlat = {:.6}",
            place.id, place.name_zh, place.name_en, place.scopes, place.lon, place.lat
        );
        if let (Some(from), Some(to)) = (place.chainage_from_m, place.chainage_to_m) {
            let _ = writeln!(text, "chainage_from_m = {from:.1}\nchainage_to_m = {to:.1}");
        }
        if let Some(parent) = &place.parent {
            let _ = writeln!(text, "parent = \"{parent}\"");
        }
    }
    text
}

/// The file `members.toml`.
pub fn members_toml(people: &[Posted]) -> String {
    let mut text = format!(
        "# {}\n# Names are invented; the numbers (1000000xxxx) belong to no network and cannot be called.\n\
         # 294 members, 28 community and 136 rural, are the town's public figures. What the other 130 are is not explained\n\
         # in any source: the split over headquarters (16), works (37), squads (40) and departments (37) is ours.\n\
         synthetic = true\n",
        super::LABEL
    );
    for Posted { member, .. } in people {
        let _ = writeln!(
            text,
            "\n[[member]]\nid = \"{}\"\nname = \"{}\"\nphone = \"{}\"\ncorps = \"{}\"\nroles = {:?}\npost = \"{}\"\nlon = {:.6}\n\
             lat = {:.6}\nhas_app = {}",
            member.id,
            member.name,
            member.phone,
            member.corps,
            member.roles,
            member.post,
            member.lon,
            member.lat,
            member.has_app
        );
    }
    text
}

/// The file `reach.toml`: what the reach is, and how many of everything there must be.
pub fn reach_toml(seed: u64, sites: &[Site], cells: &[Cell], people: &[Posted], stones: usize) -> String {
    let kind = |kind: PlaceKind| sites.iter().filter(|site| site.place.kind == kind).count();
    let corps = |name: &str| people.iter().filter(|posted| posted.member.corps == name).count();
    let exclusive = cells.iter().filter(|cell| cell.site.answers("exclusive_grid")).count();
    format!(
        "# {label}\n# Geometry, heights, villages, people and stocks are invented. The facts below are public figures of the town.\n\
         synthetic = true\nlabel_zh = \"合成演示数据\"\nlabel_en = \"synthetic demo data\"\n\
         id = \"huayuankou\"\nname_zh = \"花园口镇段\"\nname_en = \"Huayuankou Town reach\"\nseed = {seed}\n\
         datum = \"dagu\"\ncrs = \"WGS-84\"\nlevee_length_m = {LENGTH_M:.1}\nslope = {slope:.9}\n\
         flow = \"west-to-east\"\nlevee_bank = \"south\"\ndesign_discharge_m3s = 22000.0\nfreeboard_m = 3.0\n\
         gauge_station = \"huayuankou\"\ngauge_chainage_m = {gauge:.1}\n\n\
         [[fact]]\nkey = \"area_km2\"\nvalue = 47.56\nname_zh = \"镇域面积\"\nname_en = \"Area of the town\"\nunit = \"km²\"\n\
         source = \"公开报道（花园口镇防汛网格）\"\n\n\
         [[fact]]\nkey = \"channel_km\"\nvalue = 14.22\nname_zh = \"辖区河道长度\"\nname_en = \"Channel in the town\"\nunit = \"km\"\n\
         source = \"公开报道（花园口镇防汛网格）\"\n\n\
         [[fact]]\nkey = \"dam_crest_min_m\"\nvalue = 95.1\nname_zh = \"花园口险工坝顶最低高程\"\n\
         name_en = \"Lowest dam crest, Huayuankou works\"\nunit = \"m\"\nsource = \"m.fx361.cc/news/2021/0922/8867830.html\"\n\n\
         [[fact]]\nkey = \"dam_crest_max_m\"\nvalue = 98.75\nname_zh = \"花园口险工坝顶最高高程\"\n\
         name_en = \"Highest dam crest, Huayuankou works\"\nunit = \"m\"\nsource = \"m.fx361.cc/news/2021/0922/8867830.html\"\n\n\
         [[fact]]\nkey = \"toe_stone_deepest_m\"\nvalue = 23.5\nname_zh = \"将军坝根石深\"\nname_en = \"Toe stone of the General's dam\"\n\
         unit = \"m\"\nsource = \"m.fx361.cc/news/2021/0922/8867830.html\"\n\n\
         [counts]\ncells = {cells}\nexclusive_cells = {exclusive}\nmembers = {members}\ncommunity = {community}\nrural = {rural}\n\
         others = {others}\nstones = {stones}\ndams = {dams}\nsegments = {segments}\nvillages = {villages}\nfarms = {farms}\n\
         depots = {depots}\nshelters = {shelters}\nvulnerable_works = {works}\ntraining_works = {training}\n",
        label = super::LABEL,
        slope = ground::SLOPE,
        gauge = ground::GAUGE_CHAINAGE_M,
        cells = cells.len() - exclusive,
        members = people.len(),
        community = corps("community"),
        rural = corps("rural"),
        others = people.len() - corps("community") - corps("rural"),
        dams = kind(PlaceKind::Dam),
        segments = kind(PlaceKind::Segment),
        villages = kind(PlaceKind::Village),
        farms = kind(PlaceKind::Farm),
        depots = kind(PlaceKind::Depot),
        shelters = kind(PlaceKind::Shelter),
        works = kind(PlaceKind::VulnerableWork),
        training = kind(PlaceKind::TrainingWork),
    )
}

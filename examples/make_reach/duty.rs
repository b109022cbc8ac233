//! The duty table (A/B 角): for every role at every place where the playbook uses it, an owner and a deputy.
//!
//! Near people come first, those with little to do before those with much; who stands at the place itself comes first
//! of all. A row `*` per role catches places that a site adds later.

use super::people::Posted;
use super::scopes::SCOPES;
use super::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// A share of duty: role, place, owner, deputy.
pub type Row = (String, String, String, String);

/// Shares out all duties.
pub fn rows(people: &[Posted], sites: &[Site]) -> Vec<Row> {
    let mut desk = Desk { people, load: BTreeMap::new() };
    let mut rows = Vec::new();
    for (role, places) in &wanted(sites) {
        for (site, weight) in places {
            let owner = desk.choose(role, site, None);
            let deputy = desk.choose(role, site, owner);
            if let (Some(owner), Some(deputy)) = (owner, deputy) {
                *desk.load.entry(owner).or_default() += f64::from(*weight) + 0.2;
                *desk.load.entry(deputy).or_default() += 0.1;
                rows.push(row(people, role, site.id(), owner, deputy));
            }
        }
        let mut holders = (0..people.len()).filter(|at| people[*at].member.roles.contains(role));
        if let (Some(owner), Some(deputy)) = (holders.next(), holders.next()) {
            rows.push(row(people, role, "*", owner, deputy));
        }
    }
    rows
}

fn row(people: &[Posted], role: &str, place: &str, owner: usize, deputy: usize) -> Row {
    let id = |at: usize| people[at].member.id.as_str().to_owned();
    (role.to_owned(), place.to_owned(), id(owner), id(deputy))
}

/// Role → places with the number of rows that fall due there.
fn wanted(sites: &[Site]) -> BTreeMap<String, Vec<(&Site, u32)>> {
    let mut wanted: BTreeMap<String, BTreeMap<&str, (&Site, u32)>> = BTreeMap::new();
    for (scope, roles) in SCOPES {
        for (role, weight) in roles {
            for site in sites.iter().filter(|site| site.answers(scope)) {
                wanted.entry((*role).to_owned()).or_default().entry(site.id()).or_insert((site, 0)).1 += weight;
            }
        }
    }
    wanted.into_iter().map(|(role, places)| (role, places.into_values().collect())).collect()
}

struct Desk<'a> {
    people: &'a [Posted],
    load: BTreeMap<usize, f64>,
}

impl Desk<'_> {
    /// Least cost: a kilometre away weighs as much as a task and a half in hand.
    fn choose(&self, role: &str, site: &Site, other_than: Option<usize>) -> Option<usize> {
        let cost = |at: &usize| {
            let posted = &self.people[*at];
            let here = if posted.member.post.as_str() == site.id() { -1000.0 } else { 0.0 };
            let load = self.load.get(at).copied().unwrap_or_default();
            here + (posted.chainage_m - site.chainage_m).abs() / 1000.0 + load / 1.5
        };
        (0..self.people.len())
            .filter(|at| Some(*at) != other_than && self.people[*at].member.roles.iter().any(|own| own == role))
            .min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }
}

/// The file `duty.toml`: a table a role, a line a place: `place = [owner, deputy]`.
pub fn toml(rows: &[Row]) -> String {
    let mut text = format!(
        "# {}\n# Duty table (A/B 角): [duty.<role>] <place> = [owner, deputy]; \"*\" stands for every place without a line.\n\
         synthetic = true\n",
        super::LABEL
    );
    for role in rows.iter().map(|row| row.0.as_str()).collect::<BTreeSet<_>>() {
        text.push_str(&format!("\n[duty.{role}]\n"));
        for (_, place, owner, deputy) in rows.iter().filter(|row| row.0 == role) {
            text.push_str(&format!("\"{place}\" = [\"{owner}\", \"{deputy}\"]\n"));
        }
    }
    text
}

//! A breach that people report (决口) in the live twin: the water behind the levee from the report on.
//!
//! In: the scenarios with a breach at a site of the plan, against those without; then the open reports of a breach. Out: a
//! [`Mirrored`] with that water, too. A report is laid to the nearest site of the plan, whose gap is as wide and as quick as the
//! plan has it. It says nothing of a breach that nobody reports, and the water stays where it came until the report is called a
//! false alarm or the event ends.

use super::mirror::{Coming, Ladder, MirrorTable, Mirrored, WayCut};
use super::site::BreachSite;
use crate::model::{PlaceId, Timestamp};
use chrono::TimeDelta;

/// A breach that was reported and was no false alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBreach {
    /// Places of the report; the first that is known says where.
    pub places: Vec<PlaceId>,
    /// When it was seen.
    pub since: Timestamp,
}

/// A breach as the twin has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breached {
    /// The site of the plan that stands for it; `None`: no place of the report is known, so it brings no water here.
    pub site: Option<PlaceId>,
    /// When it was seen.
    pub since: Timestamp,
}

/// What a breach at one site brings beyond the same flood without it.
#[derive(Debug)]
pub(super) struct BreachRow {
    pub(super) site: PlaceId,
    places: Vec<(PlaceId, Ladder)>,
    ways: Vec<(PlaceId, PlaceId, Ladder)>,
}

impl BreachRow {
    /// Nothing behind the levee yet.
    pub(super) fn at(site: &BreachSite) -> Self {
        Self { site: site.place.clone(), places: Vec::new(), ways: Vec::new() }
    }

    /// Keeps a spot to which the breach brings water that the sound levee holds back.
    pub(super) fn keep(&mut self, id: &PlaceId, leaves: Option<&PlaceId>, ladder: Ladder, sound: &Ladder) {
        if !ladder.brings_more_than(sound) {
            return;
        }
        match leaves {
            None => self.places.push((id.clone(), ladder)),
            Some(leaves) => self.ways.push((id.clone(), leaves.clone(), ladder)),
        }
    }
}

impl Mirrored {
    /// The site of the plan that stands for the first reported breach that has one.
    pub fn breach_site(&self) -> Option<&PlaceId> {
        self.breaches.iter().find_map(|breach| breach.site.as_ref())
    }

    /// The same with the water of open breaches, at the highest discharge that is still to come; each place and way has the
    /// earlier of both.
    #[must_use]
    pub fn with_breaches(&self, breaches: &[OpenBreach]) -> Self {
        let mut own = self.clone();
        for breach in breaches {
            let row = breach.places.iter().find_map(|place| self.table.breach_row(place));
            own.breaches.push(Breached { site: row.map(|row| row.site.clone()), since: breach.since });
            let Some(row) = row else { continue };
            let coming = |ladder: &Ladder| after_breach(ladder, self.peak.1, breach.since);
            for (place, ladder) in &row.places {
                let Some(coming) = coming(ladder) else { continue };
                if own.places.get(place).is_none_or(|known| coming.at < known.at) {
                    own.places.insert(place.clone(), coming);
                }
            }
            for (id, leaves, ladder) in &row.ways {
                let Some(cut) = coming(ladder) else { continue };
                match own.ways.iter_mut().find(|way| way.id == *id) {
                    Some(way) if cut.at < way.cut.at => way.cut = cut,
                    Some(_) => {}
                    None => own.ways.push(WayCut { id: id.clone(), leaves: leaves.clone(), cut }),
                }
            }
        }
        own
    }
}

impl MirrorTable {
    /// What the breach site nearest to a place brings.
    fn breach_row(&self, place: &PlaceId) -> Option<&BreachRow> {
        self.breaches.get(*self.nearest_breach.get(place)?)
    }
}

/// When a breach brings water to a spot; `None` where it brings none at that discharge.
fn after_breach(ladder: &Ladder, q_m3s: f64, since: Timestamp) -> Option<Coming> {
    let lag_min = ladder.arrival_min(q_m3s)?;
    Some(Coming {
        threshold_m3s: None,
        crossed_at: Some(since),
        lag_min,
        at: Some(since + TimeDelta::seconds((lag_min * 60.0) as i64)),
        depth_m: ladder.depth_m(q_m3s).max(ladder.bound_m),
    })
}

/// Which of the sites is nearest, by straight distance.
pub(super) fn nearest(sites: &[BreachSite], to: [f64; 2]) -> Option<usize> {
    let far = |site: &BreachSite| (site.centre[0] - to[0]).hypot(site.centre[1] - to[1]);
    (0..sites.len()).min_by(|a, b| far(&sites[*a]).total_cmp(&far(&sites[*b])))
}

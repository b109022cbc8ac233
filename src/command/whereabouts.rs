//! Where a report from the field belongs.
//!
//! In: the spot as the reporter could say it, his post, and what the state knows of him. Out: places of the reach, and
//! how they were found. A hazard whose place nobody can tell is refused, because it would call every segment; a call
//! for help is never refused.

use super::core::Desk;
use super::{Actor, FieldReport, Refused, ReportKind};
use crate::model::{MemberId, PlaceId, PlaceKind, ReportId, Side, Spot, Timestamp};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// How long a position counts as the last known one.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(6);

/// How the places of a report were found, where the reporter did not name them himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceFrom {
    /// His own post: the home grid or the stretch that he is on duty for.
    Duty,
    /// Where he was last: the task that he has reached, or an earlier report.
    LastKnown,
    /// Nobody knows: headquarters must ask.
    Hq,
}

impl Desk<'_> {
    /// Where it is, as people on the levee say it: the stake and the side, else the place.
    pub(super) fn spot_words(&self, report: ReportId) -> (String, String) {
        let Some(report) = self.state.reports.get(&report) else { return Default::default() };
        let spot = &report.content.place;
        let (side_zh, side_en) = match spot.side {
            Some(Side::Water) => ("临河", " river side"),
            Some(Side::Crest) => ("堤顶", " crest"),
            Some(Side::Land) => ("背河", " land side"),
            None => ("", ""),
        };
        if let Some(chainage_m) = spot.chainage {
            let whole = chainage_m.round() as i64;
            let stake = format!("K{}+{:03}", whole / 1000, whole % 1000);
            return (format!("{stake}{side_zh}"), format!("{stake}{side_en}"));
        }
        let place = report.places.first().and_then(|id| self.core.reach.place(id));
        place.map_or_else(Default::default, |place| {
            (format!("{}{side_zh}", place.name_zh), format!("{}{side_en}", place.name_en))
        })
    }

    /// The places of a report, and how they were found unless the reporter named them.
    pub(super) fn whereabouts(
        &self,
        by: &Actor,
        content: &FieldReport,
    ) -> Result<(Vec<PlaceId>, Option<PlaceFrom>), Refused> {
        let places = self.core.reach.places_at(&content.place);
        if !places.is_empty() {
            return Ok((places, None));
        }
        match content.kind {
            ReportKind::Patrol | ReportKind::Task | ReportKind::Tip => Ok((places, None)),
            ReportKind::Hazard if is_located(&content.place) => Err(self.outside(&content.place)),
            ReportKind::Hazard => {
                let own = by.member.as_ref().and_then(|member| self.post_in_the_field(member));
                own.map(|places| (places, Some(PlaceFrom::Duty))).ok_or_else(nowhere)
            }
            ReportKind::Sos => Ok(self.last_seen(by)),
        }
    }

    /// Where to look for somebody who calls for help and cannot say where he is.
    fn last_seen(&self, by: &Actor) -> (Vec<PlaceId>, Option<PlaceFrom>) {
        let Some(member) = &by.member else { return (self.headquarters(), Some(PlaceFrom::Hq)) };
        if let Some(places) = self.last_known(member) {
            return (places, Some(PlaceFrom::LastKnown));
        }
        match self.post_in_the_field(member) {
            Some(places) => (places, Some(PlaceFrom::Duty)),
            None => (self.headquarters(), Some(PlaceFrom::Hq)),
        }
    }

    /// The place that he reached for a task or reported from, whichever is later, if that is not long ago.
    fn last_known(&self, member: &MemberId) -> Option<Vec<PlaceId>> {
        let is_his = |by: &Actor| by.member.as_ref() == Some(member);
        let since = self.now - KNOWN_FOR;
        let reached = self.state.tasks.values().filter_map(|task| {
            let (at, _) = task.arrived.as_ref().filter(|(at, by)| *at >= since && is_his(by))?;
            Some((*at, self.around(&task.place)))
        });
        let told = self.state.reports.values().filter(|report| {
            is_his(&report.by)
                && report.place_from.is_none()
                && report.received_at >= since
                && !report.places.is_empty()
        });
        let told = told.map(|report| (report.received_at, report.places.clone()));
        let latest: Option<(Timestamp, Vec<PlaceId>)> = reached.chain(told).max_by_key(|(at, _)| *at);
        latest.map(|(_, places)| places)
    }

    /// His post with what it is part of, unless he sits behind a desk or in a store.
    fn post_in_the_field(&self, member: &MemberId) -> Option<Vec<PlaceId>> {
        let post = self.core.reach.place(&self.core.reach.member(member)?.post)?;
        let indoors = matches!(post.kind, PlaceKind::Hq | PlaceKind::Town | PlaceKind::Depot | PlaceKind::Shelter);
        (!indoors).then(|| self.around(&post.id))
    }

    fn around(&self, place: &PlaceId) -> Vec<PlaceId> {
        self.core.reach.places_at(&Spot { place: Some(place.clone()), ..Spot::default() })
    }

    fn headquarters(&self) -> Vec<PlaceId> {
        self.core.reach.places_of_scope("hq").to_vec()
    }

    fn outside(&self, spot: &Spot) -> Refused {
        let problem = match (spot.chainage, self.core.reach.levee_ends()) {
            (Some(chainage_m), Some((from_m, to_m))) => format!(
                "桩号 {chainage_m:.0} m 不在本堤段内，请填 {from_m:.0} 至 {to_m:.0} m \
                 (chainage {chainage_m:.0} m is outside this reach: give {from_m:.0} to {to_m:.0} m)"
            ),
            _ => "位置不在本河段内，请核对定位，或改填桩号和临河、堤顶、背河 \
                  (the position is outside this reach: check the fix, or give chainage and side)"
                .to_owned(),
        };
        Refused::BadField { field: "place", problem }
    }
}

/// Whether the reporter has said anything about the place.
fn is_located(spot: &Spot) -> bool {
    spot.chainage.is_some() || spot.lon.is_some() || spot.lat.is_some() || spot.place.is_some()
}

fn nowhere() -> Refused {
    let problem = "险情必须有位置：请填桩号和临河、堤顶、背河，或打开定位后再报 \
                   (a hazard needs a place: give chainage and side, or lon and lat)";
    Refused::BadField { field: "place", problem: problem.to_owned() }
}

//! Cameras as the site has them: who is asked for a picture of an alarm, and what becomes of the answer.
//!
//! In: the state of the command, a camera's answer. Out: pictures in the blob store and a record of each try, the failed ones too.
//! No alarm waits for a camera, and a camera that does not answer is said.

use crate::command::{Alarm, ReportKind, State};
use crate::ingest::cameras::{Camera, CameraFault, CameraMap, Eye, Position};
use crate::model::{PlaceId, Reach, Timestamp};
use crate::store::arrivals::{Arrivals, NewShot, Shot};
use crate::store::{PhotoError, Photos, StoreError};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Cameras that are asked for one alarm, at most.
const ASKED_MAX: usize = 2;
/// Who asks when nobody pressed a button.
pub const SYSTEM: &str = "system";

/// An alarm that wants a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its key, and since when it is open.
    pub alarm: (String, Timestamp),
    /// What it says.
    pub title: String,
    /// Where it is.
    pub position: Position,
}

/// Why a try could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum ShotError {
    /// The disk.
    #[error("画面无法保存 (the picture cannot be kept)")]
    Photo(#[source] PhotoError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The cameras with what is needed to ask them.
#[derive(Debug)]
pub struct Cameras {
    /// Where they are and how they are reached.
    pub map: CameraMap,
    eye: Option<Eye>,
    photos: Photos,
    arrivals: Arrivals,
    /// Alarms that had their try.
    done: Mutex<BTreeSet<(String, Timestamp)>>,
}

impl Cameras {
    /// Ready to look.
    ///
    /// # Errors
    /// When the authority's certificates cannot be read.
    pub fn new(map: CameraMap, photos: Photos, arrivals: Arrivals) -> Result<Self, reqwest::Error> {
        let able = map.cameras.iter().any(Camera::has_snapshot);
        let eye = able.then(|| Eye::new(&map)).transpose()?;
        Ok(Self { map, eye, photos, arrivals, done: Mutex::default() })
    }

    /// Whether any camera can be asked.
    pub fn can_look(&self) -> bool {
        self.eye.is_some()
    }

    /// Alarms that were open at `since` or later and had their try before a restart are not tried again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember(&self, since: Timestamp) -> Result<(), StoreError> {
        let known = self.arrivals.alarms_with_shots(since).await?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).extend(known);
        Ok(())
    }

    /// Open alarms of hazards, calls for help and stones that had no try yet, oldest first; each is given out once.
    pub fn due(&self, state: &State, reach: &Reach) -> Vec<Wanted> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<_> = state.alarms.values().filter(|alarm| !alarm.closed).collect();
        done.retain(|(key, since)| open.iter().any(|alarm| alarm.key == *key && alarm.since == *since));
        let mut wanted: Vec<_> = open.into_iter().filter_map(|alarm| wanted(alarm, state, reach)).collect();
        wanted.retain(|one| !done.contains(&one.alarm));
        wanted.sort_by_key(|one| one.alarm.1);
        done.extend(wanted.iter().map(|one| one.alarm.clone()));
        wanted
    }

    /// Asks the nearest camera, and the next one when it has no picture. What came, or why nothing came, is on record.
    ///
    /// # Errors
    /// When the record or the picture cannot be kept.
    pub async fn shoot_for(&self, wanted: &Wanted, now: impl Fn() -> Timestamp) -> Result<(), ShotError> {
        let near = self.map.near(wanted.position);
        let new = |camera: Option<&Camera>, metres, outcome| NewShot {
            camera: camera.map(|camera| camera.id.clone()),
            alarm: Some(wanted.alarm.clone()),
            who: SYSTEM.into(),
            reason: wanted.title.clone(),
            metres,
            outcome,
        };
        if near.is_empty() {
            let metres = self.map.within_m;
            let words = format!("{metres:.0} 米内没有可抓拍的摄像机 (no camera within {metres:.0} m)");
            self.arrivals.add_shot(&new(None, None, Err(words)), now()).await?;
        }
        for (camera, metres) in near.into_iter().take(ASKED_MAX) {
            let outcome = self.look(camera).await?;
            let came = outcome.is_ok();
            if let Err(fault) = &outcome {
                tracing::warn!(camera = camera.id, alarm = wanted.alarm.0, %fault, "摄像机没有画面 (a camera has no picture)");
            }
            self.arrivals.add_shot(&new(Some(camera), Some(metres.round()), outcome), now()).await?;
            if came {
                break;
            }
        }
        Ok(())
    }

    /// A picture because somebody wants one.
    ///
    /// # Errors
    /// When the record or the picture cannot be kept.
    pub async fn shoot_by_hand(
        &self,
        camera: &Camera,
        who: String,
        reason: String,
        now: impl Fn() -> Timestamp,
    ) -> Result<Shot, ShotError> {
        let outcome = self.look(camera).await?;
        let new = NewShot { camera: Some(camera.id.clone()), alarm: None, who, reason, metres: None, outcome };
        Ok(self.arrivals.add_shot(&new, now()).await?)
    }

    /// The id of the kept picture, or why there is none.
    async fn look(&self, camera: &Camera) -> Result<Result<String, String>, ShotError> {
        let Some(eye) = &self.eye else { return Ok(Err(CameraFault::NoAddress.to_string())) };
        let bytes = match eye.look(camera).await {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        match self.photos.keep(&bytes).await {
            Ok(id) => Ok(Ok(id)),
            Err(PhotoError::NotAPicture) => Ok(Err(CameraFault::NoPicture.to_string())),
            Err(fault) => Err(ShotError::Photo(fault)),
        }
    }
}

fn wanted(alarm: &Alarm, state: &State, reach: &Reach) -> Option<Wanted> {
    let position = match alarm.key.split_once(':')? {
        ("report", id) => {
            let report = state.reports.values().find(|report| report.id.to_string() == id)?;
            let sought = matches!(report.content.kind, ReportKind::Hazard | ReportKind::Sos);
            sought.then_some(())?;
            let spot = &report.content.place;
            let point = spot.lon.zip(spot.lat).map(|(lon, lat)| Position::Point { lon, lat });
            let named = || spot.place.iter().chain(&report.places).find_map(|id| point_of(id, reach));
            point.or(spot.chainage.map(Position::Chainage)).or_else(named)?
        }
        ("stones", dam) => point_of(&PlaceId::new(dam), reach)?,
        _ => return None,
    };
    Some(Wanted { alarm: (alarm.key.clone(), alarm.since), title: alarm.title.zh.clone(), position })
}

fn point_of(id: &PlaceId, reach: &Reach) -> Option<Position> {
    reach.place(id).map(|place| Position::Point { lon: place.lon, lat: place.lat })
}

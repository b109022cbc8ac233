//! Drones: tracks and missions in, missions along the levee made, missions out to the aircraft.

use crate::ingest::drones::{self, DroneFault, FILE_MAX, Flown, LeveeFlight, Mission, Position, Track};
use crate::store::FlightError;
use crate::web::{At, Body, Post, Problem, Query, Session, Site};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Largest body of an upload.
pub const UPLOAD_MAX: usize = FILE_MAX + 1024;
/// Longest name.
const NAME_MAX: usize = 200;

/// A flight as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: String,
    name: String,
    by: String,
    at: crate::model::Timestamp,
    tracks: Vec<Track>,
    missions: Vec<Mission>,
    /// What a generated mission covers.
    coverage: Value,
}

impl Kept {
    /// The list shows how much there is, not every position.
    fn line(&self) -> Value {
        let points = |missions: &[Mission]| missions.iter().map(|mission| mission.points.len()).collect::<Vec<_>>();
        json!({
            "id": self.id, "name": self.name, "by": self.by, "at": self.at, "tracks": self.tracks.len(),
            "sorties": points(&self.missions), "coverage": self.coverage,
        })
    }
}

impl From<FlightError> for Problem {
    fn from(fault: FlightError) -> Self {
        match &fault {
            FlightError::Full => Self::new(StatusCode::CONFLICT, "full", fault.to_string()),
            FlightError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not-found", fault.to_string()),
            FlightError::Store(_) => Self::internal(&fault),
        }
    }
}

fn refused(fault: &DroneFault) -> Problem {
    Problem::bad_field("file", fault.to_string())
}

/// All flights, without their positions.
///
/// # Errors
/// For members.
pub async fn list(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let kept = all(&site).await?;
    Ok(Json(json!({ "items": kept.iter().map(Kept::line).collect::<Vec<_>>() })))
}

async fn all(site: &Site) -> Result<Vec<Kept>, Problem> {
    let mut kept = Vec::new();
    for id in site.flights.ids().await? {
        kept.push(one(site, &id).await?);
    }
    kept.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Ok(kept)
}

async fn one(site: &Site, id: &str) -> Result<Kept, Problem> {
    serde_json::from_str(&site.flights.get(id).await?).map_err(|fault| Problem::internal(&fault))
}

/// The file's name: its ending says what it is.
#[derive(Debug, Deserialize)]
pub struct UploadQuery {
    name: String,
}

/// Takes a file in: the body is the file itself. The same file again is the same flight.
///
/// # Errors
/// Without the right, or 422 naming file and element.
pub async fn upload(
    At(post): At,
    State(site): State<Arc<Site>>,
    session: Session,
    Query(query): Query<UploadQuery>,
    body: Bytes,
) -> Result<Response, Problem> {
    session.may("preview")?;
    if query.name.is_empty() || query.name.len() > NAME_MAX {
        return Err(Problem::bad_field("name", "须为 1 至 200 字节的文件名 (a file name of 1 to 200 bytes)"));
    }
    let name = query.name.clone();
    let id = id_of(&name, &body);
    // Unpacking and reading 8 MiB takes a while: not on the threads that answer everybody.
    let read = tokio::task::spawn_blocking(move || drones::read(&query.name, &body)).await;
    let flown = read.map_err(|fault| Problem::internal(&fault))?.map_err(|fault| refused(&fault))?;
    let (tracks, missions) = match flown {
        Flown::Tracks(tracks) => (tracks, Vec::new()),
        Flown::Missions(missions) => (Vec::new(), missions),
    };
    let by = session.actor.user.to_string();
    keep(&site, Kept { id, name, by, at: post.engine.now(), tracks, missions, coverage: Value::Null }).await
}

async fn keep(site: &Site, kept: Kept) -> Result<Response, Problem> {
    let text = serde_json::to_string(&kept).map_err(|fault| Problem::internal(&fault))?;
    site.flights.keep(&kept.id, &text).await?;
    Ok((StatusCode::CREATED, Json(kept.line())).into_response())
}

fn id_of(name: &str, bytes: &[u8]) -> String {
    let digest = Sha256::new().chain_update(name.as_bytes()).chain_update([0]).chain_update(bytes).finalize();
    hex::encode(digest).chars().take(16).collect()
}

/// What is to be flown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissionBody {
    /// Its name.
    name: String,
    /// A line of the layer `levee`; absent: its first.
    levee: Option<String>,
    /// How.
    #[serde(default)]
    flight: LeveeFlight,
}

/// Makes a mission along a levee line of the reach and says how many metres its photos cover.
///
/// # Errors
/// Without the right, an unknown line, or a flight that cannot be, by field.
pub async fn generate(
    At(post): At,
    State(site): State<Arc<Site>>,
    session: Session,
    Body(body): Body<MissionBody>,
) -> Result<Response, Problem> {
    session.may("preview")?;
    if body.name.is_empty() || body.name.len() > NAME_MAX {
        return Err(Problem::bad_field("name", "须为 1 至 200 字节 (1 to 200 bytes)"));
    }
    let (levee, line) = levee_line(&post, body.levee.as_deref())?;
    // A long levee with close lines is work: not on a thread that serves others.
    let (name, flight) = (body.name.clone(), body.flight);
    let made = tokio::task::spawn_blocking(move || drones::fly_along(&name, &line, &flight));
    let made = made
        .await
        .map_err(|fault| Problem::internal(&fault))?
        .map_err(|(field, what)| Problem::bad_field(field, what))?;
    let asked = json!({ "levee": levee, "flight": body.flight }).to_string();
    let id = id_of(&body.name, asked.as_bytes());
    let coverage = json!({ "levee": levee, "lines": made.coverage });
    let (by, at) = (session.actor.user.to_string(), post.engine.now());
    keep(&site, Kept { id, name: body.name, by, at, tracks: Vec::new(), missions: made.sorties, coverage }).await
}

fn levee_line(post: &Post, wanted: Option<&str>) -> Result<(String, Vec<[f64; 2]>), Problem> {
    let text = post.layers.get("levee").ok_or_else(|| Problem::not_found("图层 levee"))?;
    let layer: Value = serde_json::from_str(text).map_err(|fault| Problem::internal(&fault))?;
    let features = layer.get("features").and_then(Value::as_array);
    let is_line = |feature: &&Value| feature.pointer("/geometry/type").and_then(Value::as_str) == Some("LineString");
    let id = |feature: &Value| feature.pointer("/properties/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found =
        features.into_iter().flatten().filter(is_line).find(|feature| wanted.is_none_or(|name| id(feature) == name));
    let found = found.ok_or_else(|| Problem::bad_field("levee", "堤防图层没有这条线 (the layer has no such line)"))?;
    let part = |one: &Value| Some([one.get(0)?.as_f64()?, one.get(1)?.as_f64()?]);
    let line = found.pointer("/geometry/coordinates").and_then(Value::as_array);
    Ok((id(found), line.into_iter().flatten().filter_map(part).collect()))
}

/// How a flight is wanted.
#[derive(Debug, Deserialize)]
pub struct DownloadQuery {
    /// `geojson` (default), `plan`, `kmz`.
    format: Option<String>,
    /// Which sortie, from 1; only for `plan` and `kmz`.
    sortie: Option<usize>,
}

/// A flight: GeoJSON for maps, or one sortie for the aircraft (`kmz` for DJI, `plan` for QGroundControl).
///
/// # Errors
/// An unknown flight, sortie or format.
pub async fn download(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Query(query): Query<DownloadQuery>,
) -> Result<Response, Problem> {
    session.at_headquarters()?;
    let kept = one(&site, &id).await?;
    let number = query.sortie.unwrap_or(1);
    let sortie = || {
        let found = number.checked_sub(1).and_then(|at| kept.missions.get(at));
        found.ok_or_else(|| {
            let what = format!("共 {} 个架次 (it has {} sorties)", kept.missions.len(), kept.missions.len());
            Problem::bad_field("sortie", what)
        })
    };
    let (kind, ending, bytes) = match query.format.as_deref() {
        None | Some("geojson") => {
            ("application/geo+json", "geojson", collection(&features(&kept)).to_string().into_bytes())
        }
        Some("plan") => ("application/json", "plan", drones::write_plan(sortie()?).to_string().into_bytes()),
        Some("kmz") => {
            let archive = drones::write_kmz(sortie()?).map_err(|fault| Problem::internal(&fault))?;
            ("application/vnd.google-earth.kmz", "kmz", archive)
        }
        Some(other) => {
            return Err(Problem::bad_field("format", format!("{other:?}: geojson, plan, kmz")));
        }
    };
    let name = format!("attachment; filename=\"{id}-{number}.{ending}\"");
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// Removes a flight.
///
/// # Errors
/// Without the right, or when there is none.
pub async fn remove(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    session.may("preview")?;
    site.flights.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The layer `drones`: every track and every sortie as a line.
///
/// # Errors
/// When the folder cannot be read.
pub async fn layer(site: &Site) -> Result<Value, Problem> {
    Ok(collection(&all(site).await?.iter().flat_map(features).collect::<Vec<_>>()))
}

fn collection(features: &[Value]) -> Value {
    json!({ "type": "FeatureCollection", "features": features })
}

fn features(kept: &Kept) -> Vec<Value> {
    let line = |name: &str, kind: &str, number: usize, positions: &[Position]| {
        let at = |one: &Position| match one.height_m {
            Some(height) => json!([one.lon, one.lat, height]),
            None => json!([one.lon, one.lat]),
        };
        let coordinates: Vec<Value> = positions.iter().map(at).collect();
        // A single way point is no line.
        let geometry = match coordinates.as_slice() {
            [point] => json!({ "type": "Point", "coordinates": point }),
            _ => json!({ "type": "LineString", "coordinates": coordinates }),
        };
        json!({
            "type": "Feature", "geometry": geometry,
            "properties": { "id": format!("{}-{number}", kept.id), "flight": kept.id, "name": name, "kind": kind, "at": kept.at },
        })
    };
    let tracks = kept.tracks.iter().enumerate();
    let missions = kept.missions.iter().enumerate();
    tracks
        .map(|(number, track)| line(&track.name, "track", number + 1, &track.positions))
        .chain(missions.map(|(number, mission)| line(&mission.name, "mission", number + 1, &mission.points)))
        .collect()
}

//! `cameras.toml` beside the map: which camera is reached how.

use crate::ingest::FileFault;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Metres in a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_195.0;
/// Seconds that a camera may take, at most.
const TIMEOUT_MAX_S: u64 = 30;
/// Largest picture that may be allowed, bytes.
const BYTES_MAX: usize = 16 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBody {
    hosts: Vec<String>,
    #[serde(default = "five")]
    timeout_s: u64,
    #[serde(default = "four_megabytes")]
    bytes_max: usize,
    #[serde(default = "eight_hundred")]
    within_m: f64,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    camera: Vec<CameraBody>,
}

fn five() -> u64 {
    5
}
fn four_megabytes() -> usize {
    4 << 20
}
fn eight_hundred() -> f64 {
    800.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraBody {
    id: String,
    snapshot: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    whep: Option<String>,
    hls: Option<String>,
}

/// Where something is: on the map, or along the levee.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    /// WGS-84 degrees.
    Point {
        /// East.
        lon: f64,
        /// North.
        lat: f64,
    },
    /// Levee chainage, m.
    Chainage(f64),
}

/// A camera of the map.
#[derive(Clone, PartialEq)]
pub struct Camera {
    /// As in the map layer.
    pub id: String,
    /// Its name.
    pub name_zh: String,
    /// Its name.
    pub name_en: String,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
    /// Levee chainage, m, where the map says it.
    pub chainage_m: Option<f64>,
    /// Live picture by WebRTC, for players at headquarters.
    pub whep: Option<String>,
    /// Live picture by HLS.
    pub hls: Option<String>,
    /// Where a snapshot is fetched; may hold a secret.
    pub(super) snapshot: Option<Url>,
    /// Account and password.
    pub(super) account: Option<(String, String)>,
}

impl std::fmt::Debug for Camera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Camera").field("id", &self.id).field("host", &self.host()).finish_non_exhaustive()
    }
}

impl Camera {
    /// Whether the server can fetch a picture.
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }
    /// The machine that answers, without the rest of the address.
    pub fn host(&self) -> Option<String> {
        self.snapshot.as_ref().map(host_of)
    }
    /// Metres to a position; `None` for a chainage where the camera has none.
    pub fn metres_to(&self, from: Position) -> Option<f64> {
        match from {
            Position::Point { lon, lat } => {
                let east = (self.lon - lon) * lat.to_radians().cos();
                Some(east.hypot(self.lat - lat) * METRES_PER_DEGREE).filter(|metres| metres.is_finite())
            }
            Position::Chainage(metres) => self.chainage_m.map(|own| (own - metres).abs()),
        }
    }
}

/// All cameras of a site.
#[derive(Debug, Clone, Default)]
pub struct CameraMap {
    /// In the order of the map.
    pub cameras: Vec<Camera>,
    /// Seconds that one may take for a picture.
    pub timeout_s: u64,
    /// Largest picture, bytes.
    pub bytes_max: usize,
    /// A camera that is farther from an alarm, m, is not asked.
    pub within_m: f64,
    /// The site's own authority, PEM.
    pub(super) authority: Option<Vec<u8>>,
}

impl CameraMap {
    /// The cameras of the map layer alone: nothing can be fetched.
    pub fn of_layer(layer: &str) -> Self {
        let cameras = positions(layer).into_values().collect();
        Self { cameras, ..Self::default() }
    }

    /// Reads the file and checks it against the map layer (GeoJSON). Files that it names lie beside it.
    ///
    /// # Errors
    /// The first fault, by file and line where the reader knows it.
    pub fn load(file: &Path, text: &str, layer: &str) -> Result<Self, FileFault> {
        let shown = file.display().to_string();
        let body: FileBody = toml::from_str(text).map_err(|cause| FileFault::toml(&shown, text, &cause))?;
        let wrong = |what: String| FileFault::at(&shown, 1, 1, what, "mend the file (修改此文件)");
        if !(1..=TIMEOUT_MAX_S).contains(&body.timeout_s) {
            return Err(wrong(format!("timeout_s must be 1 to {TIMEOUT_MAX_S}")));
        }
        if !(1024..=BYTES_MAX).contains(&body.bytes_max) {
            return Err(wrong(format!("bytes_max must be 1024 to {BYTES_MAX}")));
        }
        if !(1.0..=20_000.0).contains(&body.within_m) {
            return Err(wrong("within_m must be 1 to 20000".into()));
        }
        let beside = |path: &PathBuf| file.parent().unwrap_or(Path::new(".")).join(path);
        let read = |path: &PathBuf| {
            let path = beside(path);
            std::fs::read(&path).map_err(|cause| wrong(format!("无法读取 (cannot read) {}: {cause}", path.display())))
        };
        let mut cameras = positions(layer);
        let mut seen = BTreeSet::new();
        for one in &body.camera {
            let of_camera = |what: String| wrong(format!("camera {}: {what}", one.id));
            if !seen.insert(&one.id) {
                return Err(of_camera("is there twice".into()));
            }
            let camera = cameras.get_mut(&one.id).ok_or_else(|| of_camera("no such point in the map layer".into()))?;
            let address = |text: &Option<String>, key: &str| {
                let url = text.as_ref().map(|text| address(text, &body.hosts)).transpose();
                url.map_err(|fault| of_camera(format!("{key} {fault}")))
            };
            camera.snapshot = address(&one.snapshot, "snapshot")?;
            camera.whep = address(&one.whep, "whep")?.map(|url| url.to_string());
            camera.hls = address(&one.hls, "hls")?.map(|url| url.to_string());
            camera.account = match (&one.user, &one.password_file) {
                (Some(user), Some(path)) => {
                    let password = String::from_utf8(read(path)?);
                    let password = password.map_err(|_| of_camera("the password is no text".into()))?;
                    Some((user.clone(), password.trim_end_matches(['\r', '\n']).to_owned()))
                }
                (None, None) => None,
                _ => return Err(of_camera("user and password_file go together".into())),
            };
        }
        Ok(Self {
            cameras: cameras.into_values().collect(),
            timeout_s: body.timeout_s,
            bytes_max: body.bytes_max,
            within_m: body.within_m,
            authority: body.ca_file.as_ref().map(read).transpose()?,
        })
    }

    /// The camera of that id.
    pub fn camera(&self, id: &str) -> Option<&Camera> {
        self.cameras.iter().find(|camera| camera.id == id)
    }

    /// Cameras that can be asked for a picture of a position, the nearest first, with their distance in m.
    pub fn near(&self, position: Position) -> Vec<(&Camera, f64)> {
        let able = self.cameras.iter().filter(|camera| camera.has_snapshot());
        let mut near: Vec<_> = able
            .filter_map(|camera| Some((camera, camera.metres_to(position)?)))
            .filter(|(_, metres)| *metres <= self.within_m)
            .collect();
        near.sort_by(|a, b| a.1.total_cmp(&b.1));
        near
    }
}

/// `http` or `https`, of a listed machine, without an account in it.
fn address(text: &str, hosts: &[String]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|fault| format!("is no address: {fault}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be http or https".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has an account in it: use user and password_file".into());
    }
    let (host, name) = (host_of(&url), url.host_str().unwrap_or_default());
    if hosts.iter().any(|listed| *listed == host || listed == name) {
        return Ok(url);
    }
    Err(format!("is at {host}, which `hosts` does not list"))
}

/// `host` or `host:port`.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The points of the layer; it was checked when the reach was read.
fn positions(layer: &str) -> BTreeMap<String, Camera> {
    let layer: Value = serde_json::from_str(layer).unwrap_or_default();
    let features = layer["features"].as_array().map(Vec::as_slice).unwrap_or_default();
    let camera = |feature: &Value| {
        let own = &feature["properties"];
        let id = own["id"].as_str().or(feature["id"].as_str())?.to_owned();
        let text = |key: &str| own[key].as_str().unwrap_or(&id).to_owned();
        Some(Camera {
            name_zh: text("name_zh"),
            name_en: text("name_en"),
            lon: feature["geometry"]["coordinates"][0].as_f64()?,
            lat: feature["geometry"]["coordinates"][1].as_f64()?,
            chainage_m: own["chainage_m"].as_f64(),
            whep: None,
            hls: None,
            snapshot: None,
            account: None,
            id,
        })
    };
    features.iter().filter_map(camera).map(|camera| (camera.id.clone(), camera)).collect()
}

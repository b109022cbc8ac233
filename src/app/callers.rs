//! Devices that call us: SL 651 stations and MQTT brokers, started from the configuration and the sensor files.

use super::config::Sl651Section;
use crate::ingest::mqtt::{Broker, Mqtt, MqttLimits, MqttParts};
use crate::ingest::sensors::Sensors;
use crate::ingest::sl651::{Sl651, Sl651Limits, Sl651Parts};
use crate::ingest::{Clock, Intake};
use crate::store::{Photos, blobs_folder};
use crate::web::Callers;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What they are started with.
pub(super) struct CallersParts<'a> {
    pub(super) sl651: Option<Sl651Section>,
    pub(super) brokers: Vec<Broker>,
    pub(super) sensors: &'a Sensors,
    pub(super) data: PathBuf,
    pub(super) clock: Clock,
    pub(super) intake: Intake,
    pub(super) stop: CancellationToken,
}

/// Listens and connects.
pub(super) async fn start(parts: CallersParts<'_>) -> Result<Callers, Box<dyn Error>> {
    Ok(Callers { sl651: stations(&parts).await?, mqtt: brokers(&parts)? })
}

async fn stations(parts: &CallersParts<'_>) -> Result<Option<Arc<Sl651>>, Box<dyn Error>> {
    let Some(section) = parts.sl651 else { return Ok(None) };
    let folder = blobs_folder(&parts.data).join("sl651");
    crate::store::make_private(&folder)?;
    let sl651 = Sl651::start(Sl651Parts {
        listen: section.listen,
        stations: parts.sensors.telemetry.clone(),
        clock: Arc::clone(&parts.clock),
        sink: Arc::new(parts.intake.at("sl651")),
        photos: Photos::new(blobs_folder(&parts.data)),
        folder,
        limits: Sl651Limits::default(),
        stop: parts.stop.clone(),
    })
    .await?;
    tracing::info!(address = %sl651.address, stations = parts.sensors.telemetry.len(), "遥测站接入 (SL 651 stations may connect)");
    Ok(Some(Arc::new(sl651)))
}

/// Sources without any broker belong to a site that has none yet, as in the demo.
fn brokers(parts: &CallersParts<'_>) -> Result<Option<Arc<Mqtt>>, Box<dyn Error>> {
    if parts.brokers.is_empty() {
        return Ok(None);
    }
    let folder = blobs_folder(&parts.data).join("mqtt");
    crate::store::make_private(&folder)?;
    let (brokers, sources) = (parts.brokers.clone(), parts.sensors.mqtt.clone());
    tracing::info!(brokers = brokers.len(), topics = sources.len(), "MQTT 接入 (devices report through brokers)");
    let mqtt = Mqtt::start(MqttParts {
        brokers,
        sources,
        clock: Arc::clone(&parts.clock),
        sink: Arc::new(parts.intake.at("mqtt")),
        folder,
        limits: MqttLimits::default(),
        stop: parts.stop.clone(),
    })?;
    Ok(Some(Arc::new(mqtt)))
}

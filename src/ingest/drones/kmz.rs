//! WPML missions in a KMZ: `wpmz/waylines.wpml` with way points, as DJI aircraft read them; in and out.
//!
//! An archive is looked at, never unpacked to disk; what it unpacks to is bounded while it is read, whatever it claims.

use super::{DroneFault, FILE_MAX, Mission, bounded, position};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
use zip::write::SimpleFileOptions;

/// Most files of an archive.
const FILES_MAX: usize = 64;
/// Where the executable mission lies.
const WAYLINES: &str = "wpmz/waylines.wpml";
const TEMPLATE: &str = "wpmz/template.kml";

/// Reads the missions of a KMZ: one for each wayline.
///
/// # Errors
/// What is no archive, has no mission, unpacks to more than 8 MiB, or holds a point that is none.
pub fn read_kmz(file: &str, bytes: &[u8]) -> Result<Vec<Mission>, DroneFault> {
    let fault = |what: String| DroneFault::new(file, "archive", what);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|cause| fault(cause.to_string()))?;
    if archive.len() > FILES_MAX {
        return Err(fault(format!("more than {FILES_MAX} files (文件过多)")));
    }
    let name = [WAYLINES, TEMPLATE].into_iter().find(|name| archive.index_for_name(name).is_some());
    let name = name.ok_or_else(|| fault(format!("no {WAYLINES} (不是航线文件)")))?;
    let entry = archive.by_name(name).map_err(|cause| fault(cause.to_string()))?;
    let mut text = Vec::new();
    let limit = u64::try_from(FILE_MAX).unwrap_or(u64::MAX) + 1;
    entry.take(limit).read_to_end(&mut text).map_err(|cause| fault(cause.to_string()))?;
    if text.len() > FILE_MAX {
        return Err(fault(format!("{name} unpacks to more than {FILE_MAX} bytes (压缩炸弹，拒收)")));
    }
    read_wpml(&format!("{file}/{name}"), &text)
}

#[derive(Default)]
struct Mark {
    coordinates: Option<String>,
    height: Option<String>,
}

fn read_wpml(file: &str, text: &[u8]) -> Result<Vec<Mission>, DroneFault> {
    let mut reader = Reader::from_reader(text);
    reader.config_mut().trim_text(true);
    let fault = |at: u64, what: String| DroneFault::new(file, format!("byte {at}"), what);
    let (mut missions, mut path, mut buffer) = (Vec::new(), Vec::<String>::new(), Vec::new());
    let (mut points, mut mark, mut speed, mut count) = (Vec::new(), Mark::default(), None, 0);
    loop {
        let at = reader.buffer_position();
        match reader.read_event_into(&mut buffer).map_err(|cause| fault(at, cause.to_string()))? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                if path.len() > 64 {
                    return Err(fault(at, "nested too deep (嵌套过深)".into()));
                }
            }
            Event::Text(text) => {
                let text = text.as_ref().to_owned();
                let inside = path.iter().any(|name| name == "Placemark");
                match path.last().map(String::as_str) {
                    Some("coordinates") if inside => mark.coordinates = Some(text),
                    Some("executeHeight") if inside => mark.height = Some(text),
                    Some("height") if inside && mark.height.is_none() => mark.height = Some(text),
                    Some("autoFlightSpeed") => speed = text.trim().parse::<f64>().ok(),
                    _ => {}
                }
            }
            Event::End(end) => {
                path.pop();
                match end.local_name().as_ref() {
                    "Placemark" => {
                        count += 1;
                        bounded(file, count)?;
                        let element = format!("Placemark {count}");
                        let Mark { coordinates, height } = std::mem::take(&mut mark);
                        let coordinates =
                            coordinates.ok_or_else(|| DroneFault::new(file, &element, "no coordinates (缺少坐标)"))?;
                        let parts: Vec<Option<f64>> =
                            coordinates.split(',').map(|part| part.trim().parse().ok()).collect();
                        let (Some(Some(lon)), Some(Some(lat))) = (parts.first().copied(), parts.get(1).copied()) else {
                            return Err(DroneFault::new(
                                file,
                                &element,
                                format!("{coordinates:?} is no position (坐标有误)"),
                            ));
                        };
                        let height =
                            height.and_then(|text| text.trim().parse().ok()).or(parts.get(2).copied().flatten());
                        points.push(position(file, &element, lon, lat, height)?);
                    }
                    "Folder" if !points.is_empty() => {
                        let name = format!("{file} #{}", missions.len() + 1);
                        let speed_m_s = speed.filter(|speed: &f64| speed.is_finite() && *speed > 0.0).unwrap_or(10.0);
                        missions.push(Mission { name, speed_m_s, points: std::mem::take(&mut points) });
                    }
                    _ => {}
                }
            }
            Event::Eof if !path.is_empty() => return Err(fault(at, "the file is cut off (文件不完整)".into())),
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    if missions.is_empty() {
        return Err(DroneFault::new(file, "Folder", "no way points (没有航点)"));
    }
    Ok(missions)
}

/// Writes a mission as a KMZ: both files that the aircraft's app wants. Heights are above take-off; the aircraft goes home
/// at the end and when it loses its remote control.
///
/// # Errors
/// When the archive cannot be written, which memory alone decides.
pub fn write_kmz(mission: &Mission) -> Result<Vec<u8>, DroneFault> {
    let fault = |what: String| DroneFault::new(&mission.name, "archive", what);
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (name, executed) in [(TEMPLATE, false), (WAYLINES, true)] {
        archive.start_file(name, options).map_err(|cause| fault(cause.to_string()))?;
        archive.write_all(wpml(mission, executed).as_bytes()).map_err(|cause| fault(cause.to_string()))?;
    }
    archive.finish().map(Cursor::into_inner).map_err(|cause| fault(cause.to_string()))
}

fn wpml(mission: &Mission, executed: bool) -> String {
    let mut out = String::new();
    let speed = mission.speed_m_s;
    let highest = mission.points.iter().filter_map(|point| point.height_m).fold(20.0_f64, f64::max);
    let folder = if executed {
        "<wpml:templateId>0</wpml:templateId><wpml:executeHeightMode>relativeToStartPoint</wpml:executeHeightMode><wpml:waylineId>0</wpml:waylineId>".to_owned()
    } else {
        format!(
            "<wpml:templateType>waypoint</wpml:templateType><wpml:templateId>0</wpml:templateId>\
             <wpml:waylineCoordinateSysParam><wpml:coordinateMode>WGS84</wpml:coordinateMode>\
             <wpml:heightMode>relativeToStartPoint</wpml:heightMode></wpml:waylineCoordinateSysParam>\
             <wpml:globalHeight>{highest}</wpml:globalHeight>"
        )
    };
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\" xmlns:wpml=\"http://www.dji.com/wpmz/1.0.2\">\n<Document>\n\
         <name>{}</name>\n<wpml:missionConfig><wpml:flyToWaylineMode>safely</wpml:flyToWaylineMode><wpml:finishAction>goHome</wpml:finishAction>\
         <wpml:exitOnRCLost>executeLostAction</wpml:exitOnRCLost><wpml:executeRCLostAction>goBack</wpml:executeRCLostAction>\
         <wpml:takeOffSecurityHeight>{highest}</wpml:takeOffSecurityHeight><wpml:globalTransitionalSpeed>{speed}</wpml:globalTransitionalSpeed>\
         </wpml:missionConfig>\n<Folder>{folder}<wpml:autoFlightSpeed>{speed}</wpml:autoFlightSpeed>\n",
        escape(&mission.name)
    );
    for (index, point) in mission.points.iter().enumerate() {
        let height = point.height_m.unwrap_or(highest);
        let name = if executed { "executeHeight" } else { "height" };
        let _ = writeln!(
            out,
            "<Placemark><Point><coordinates>{},{}</coordinates></Point><wpml:index>{index}</wpml:index>\
             <wpml:{name}>{height}</wpml:{name}><wpml:waypointSpeed>{speed}</wpml:waypointSpeed>\
             <wpml:waypointHeadingParam><wpml:waypointHeadingMode>followWayline</wpml:waypointHeadingMode></wpml:waypointHeadingParam>\
             <wpml:waypointTurnParam><wpml:waypointTurnMode>toPointAndStopWithDiscontinuityCurvature</wpml:waypointTurnMode>\
             <wpml:waypointTurnDampingDist>0</wpml:waypointTurnDampingDist></wpml:waypointTurnParam>\
             <wpml:actionGroup><wpml:actionGroupId>{index}</wpml:actionGroupId><wpml:actionGroupStartIndex>{index}</wpml:actionGroupStartIndex>\
             <wpml:actionGroupEndIndex>{index}</wpml:actionGroupEndIndex><wpml:actionGroupMode>sequence</wpml:actionGroupMode>\
             <wpml:actionTrigger><wpml:actionTriggerType>reachPoint</wpml:actionTriggerType></wpml:actionTrigger>\
             <wpml:action><wpml:actionId>0</wpml:actionId><wpml:actionActuatorFunc>takePhoto</wpml:actionActuatorFunc>\
             <wpml:actionActuatorFuncParam><wpml:payloadPositionIndex>0</wpml:payloadPositionIndex></wpml:actionActuatorFuncParam>\
             </wpml:action></wpml:actionGroup></Placemark>",
            point.lon, point.lat
        );
    }
    out.push_str("</Folder>\n</Document>\n</kml>\n");
    out
}

//! Stations that report by SL 651 (遥测站): rows `[[sl651]]` of any file in `sensors/`.

use super::load::Source;
use super::{Sensors, SeriesFacts};
use crate::ingest::FileFault;
use crate::ingest::sl651::codec::{ElementId, End, StationAddress};
use crate::model::{Datum, SeriesId};
use crate::quality::Limits;
use serde::Deserialize;
use std::net::IpAddr;
use toml::Spanned;

/// A station that reports by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryStation {
    /// Ten hexadecimal digits, the key on the line.
    pub address: StationAddress,
    /// The station of `stations.toml`.
    pub station: String,
    /// Two bytes in clear; frames with another one are set aside.
    pub password: u16,
    /// End character of the acknowledgement; `None` for mode M1, where nobody answers.
    pub acknowledge: Option<End>,
    /// Seconds between two regular reports.
    pub report_every_s: f64,
    /// Whether its clock is set when it is more than five minutes off.
    pub set_clock: bool,
    /// Networks that it may speak from; empty: any.
    pub from: Vec<Network>,
    /// Elements that are recorded.
    pub series: Vec<TelemetrySeries>,
}

/// An element of a station that is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetrySeries {
    /// Element on the line.
    pub element: ElementId,
    /// `<station>.<quantity>`.
    pub id: SeriesId,
    /// Added to the value, in its unit: gauge zero, or the base of five-minute stages.
    pub zero: f64,
}

/// A network by address and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// From `10.8.0.0/16` or a single address.
    pub fn of_text(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(most), |prefix| prefix.parse().ok())?;
        (prefix <= most).then_some(Self { address, prefix })
    }
    /// Whether an address lies in it.
    pub fn holds(self, address: IpAddr) -> bool {
        let same = |own: u128, other: u128, bits: u32| {
            let unlike = (own ^ other).checked_shr(bits - self.prefix.min(bits)).unwrap_or(0);
            unlike == 0
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(u32::from(own).into(), u32::from(other).into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.into(), other.into(), 128),
            _ => false,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TelemetryRow {
    address: Spanned<String>,
    station: Spanned<String>,
    password: Spanned<String>,
    #[serde(default)]
    acknowledge: Acknowledge,
    #[serde(default = "hourly")]
    report_every_s: Spanned<f64>,
    #[serde(default)]
    set_clock: bool,
    #[serde(default)]
    from: Vec<Spanned<String>>,
    series: Vec<Spanned<TelemetrySeriesRow>>,
}

fn hourly() -> Spanned<f64> {
    Spanned::new(0..0, 3600.0)
}

/// How the station wants to be answered.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Acknowledge {
    #[default]
    Eot,
    Esc,
    Ack,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TelemetrySeriesRow {
    element: Spanned<String>,
    quantity: Option<String>,
    datum: Option<Datum>,
    #[serde(default)]
    zero: f64,
    #[serde(default)]
    quality: Limits,
}

impl Sensors {
    /// The series of a station in the order of the files: of its devices first, then those that only its reports give.
    pub fn series_of<'a>(&'a self, station: &str) -> Vec<&'a SeriesId> {
        let mut found: Vec<&SeriesId> = Vec::new();
        let polled = self.devices.iter().filter(|device| match &device.kind {
            super::DeviceKind::Gauge { station: own } => own == station,
            super::DeviceKind::Stone { .. } => false,
        });
        let polled = polled.flat_map(|device| &device.series).map(|series| &series.id);
        let told = self.telemetry.values().filter(|told| told.station == station);
        let told = told.flat_map(|told| &told.series).map(|series| &series.id);
        let through = self.mqtt.iter().flat_map(|source| source.devices.values()).filter(|device| device.of == station);
        let through = through.flat_map(|device| &device.series).map(|series| &series.id);
        for id in polled.chain(told).chain(through) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }

    pub(super) fn add_telemetry(&mut self, source: &Source, spanned: &Spanned<TelemetryRow>) -> Result<(), FileFault> {
        let row = spanned.get_ref();
        let address: StationAddress = row.address.get_ref().parse().map_err(|fault| {
            source.fault(row.address.span(), format!("{fault}"), "write for example \"0040105150\"")
        })?;
        if self.telemetry.contains_key(&address) {
            let what = format!("station address {address} appears twice (测站地址重复)");
            return Err(source.fault(row.address.span(), what, "drop one of them"));
        }
        let password = row.password.get_ref();
        let password = u16::from_str_radix(password, 16).ok().filter(|_| password.len() == 4).ok_or_else(|| {
            let what = format!("password {password:?} is not four hexadecimal digits");
            source.fault(row.password.span(), what, "write for example \"1234\"")
        })?;
        let station = row.station.get_ref();
        let name_zh = self.name_of_station(source, &row.station)?;
        let report_every_s = super::load::period(source, "report_every_s", &row.report_every_s)?;
        if row.series.is_empty() {
            return Err(source.fault(spanned.span(), "the station has no series", "name at least one element"));
        }
        let mut from = Vec::new();
        for network in &row.from {
            let what = || format!("{:?} is no network", network.get_ref());
            let fault = || source.fault(network.span(), what(), "write for example \"10.8.0.0/16\"");
            from.push(Network::of_text(network.get_ref()).ok_or_else(fault)?);
        }
        let mut series: Vec<TelemetrySeries> = Vec::new();
        for one in &row.series {
            let facts = |unit: &str| SeriesFacts {
                unit: unit.to_owned(),
                datum: one.get_ref().datum,
                interval_s: report_every_s,
                name_zh: name_zh.clone(),
                limits: one.get_ref().quality.clone(),
            };
            let told = self.told_series(source, one, station, facts)?;
            if series.iter().any(|other| other.element == told.element) {
                let what = format!("element {} appears twice", one.get_ref().element.get_ref());
                return Err(source.fault(one.span(), what, "an element gives one series"));
            }
            series.push(told);
        }
        let acknowledge = match row.acknowledge {
            Acknowledge::Eot => Some(End::Eot),
            Acknowledge::Esc => Some(End::Esc),
            Acknowledge::Ack => Some(End::Ack),
            Acknowledge::None => None,
        };
        let told = TelemetryStation {
            address,
            station: station.clone(),
            password,
            acknowledge,
            report_every_s,
            set_clock: row.set_clock,
            from,
            series,
        };
        self.telemetry.insert(address, told);
        Ok(())
    }

    pub(super) fn name_of_station(&self, source: &Source, station: &Spanned<String>) -> Result<String, FileFault> {
        let found = self.stations.iter().find(|known| &known.id == station.get_ref());
        found.map(|known| known.name_zh.clone()).ok_or_else(|| {
            let known: Vec<&str> = self.stations.iter().map(|known| known.id.as_str()).collect();
            let remedy = format!("add it to stations.toml or use one of {}", known.join(", "));
            source.fault(
                station.span(),
                format!("没有测站 {0:?} (there is no station {0:?})", station.get_ref()),
                remedy,
            )
        })
    }

    /// A series of its own, or a second way for one that a device or another element gives in the same unit and datum.
    fn told_series(
        &mut self,
        source: &Source,
        spanned: &Spanned<TelemetrySeriesRow>,
        station: &str,
        facts: impl Fn(&str) -> SeriesFacts,
    ) -> Result<TelemetrySeries, FileFault> {
        let row = spanned.get_ref();
        let text = row.element.get_ref();
        let wrong = |what: String, remedy: &str| source.fault(row.element.span(), what, remedy);
        let element = ElementId::of_text(text).ok_or_else(|| {
            wrong(format!("there is no element {text:?} (未知要素)"), "write for example \"Z\" or \"39\"")
        })?;
        let known = element.known();
        let quantity =
            row.quantity.clone().or_else(|| Some(known?.quantity.to_owned())).filter(|name| !name.is_empty());
        let quantity = quantity
            .ok_or_else(|| wrong(format!("element {text} has no quantity of its own"), "add quantity = \"…\""))?;
        if !row.zero.is_finite() {
            return Err(wrong(format!("zero {} cannot be", row.zero), "write a number in the unit of the element"));
        }
        let id = SeriesId::new(format!("{station}.{quantity}"));
        let own = facts(known.map_or("", |known| known.unit));
        match self.series.get(&id) {
            None => {
                self.series.insert(id.clone(), own);
            }
            Some(there) if there.unit != own.unit || own.datum.is_some() && there.datum != own.datum => {
                let datum = |facts: &SeriesFacts| facts.datum.map_or("no datum", Datum::as_str);
                let what = format!(
                    "series {id} has {} and {} already, element {text} has {} and {}",
                    there.unit,
                    datum(there),
                    own.unit,
                    datum(&own)
                );
                return Err(wrong(what, "give it a quantity of its own, or the datum of the other"));
            }
            Some(_) => {}
        }
        Ok(TelemetrySeries { element, id, zero: row.zero })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sensors::SensorFiles;

    const STATIONS: &str = "[[station]]\nid = 'a'\nname_zh = '甲'\nname_en = 'A'\nlon = 113\nlat = 34\nsource = 'x'\n";

    fn load(rows: &str) -> Result<Sensors, FileFault> {
        let mut files = SensorFiles::new();
        files.insert("stations.toml".into(), STATIONS.into());
        files.insert("t.toml".into(), rows.as_bytes().to_vec());
        Sensors::load(&files)
    }

    #[test]
    fn sl651_station_is_one_row() {
        let rows = "[[sl651]]\naddress = '0010000001'\nstation = 'a'\npassword = 'A000'\nacknowledge = 'esc'\n\
                    from = ['10.8.0.0/16']\n\
                    series = [{ element = 'Z', datum = 'dagu' }, { element = 'F5', zero = 86.0 }, { element = '38' }]\n";
        let sensors = load(rows).unwrap();
        let told = &sensors.telemetry[&StationAddress([0, 0x10, 0, 0, 1])];
        assert_eq!((told.password, told.acknowledge, told.report_every_s), (0xa000, Some(End::Esc), 3600.0));
        let ids: Vec<&str> = sensors.series_of("a").into_iter().map(SeriesId::as_str).collect();
        assert_eq!(ids, ["a.stage", "a.battery"]);
        assert_eq!(sensors.series["a.stage"].datum, Some(Datum::Dagu));
        assert!(told.from[0].holds("10.8.255.1".parse().unwrap()));
        assert!(!told.from[0].holds("10.9.0.1".parse().unwrap()));
    }

    #[test]
    fn sl651_wrong_rows_are_pointed_at() {
        let check = |line: &str, word: &str| {
            let whole = "address = '0010000001'\nstation = 'a'\npassword = '1234'\nseries = [{ element = 'Z' }]\n";
            let key = line.split('=').next().unwrap();
            let rest: String =
                whole.lines().filter(|other| !other.starts_with(key)).map(|other| format!("{other}\n")).collect();
            let fault = load(&format!("[[sl651]]\n{line}\n{rest}")).unwrap_err();
            let text = fault.to_string();
            assert!(text.starts_with("t.toml:") && text.contains(word), "{text}");
            assert!(fault.line <= 2, "{text}");
        };
        check("address = '00100'", "ten hexadecimal digits");
        check("station = 'b'", "no station");
        check("password = '12345'", "four hexadecimal digits");
        check("series = []", "no series");
        check("series = [{ element = 'XX' }]", "no element");
        check("series = [{ element = 'Q1' }]", "quantity");
        check("series = [{ element = 'Z' }, { element = '39' }]", "twice");
        check("series = [{ element = 'Z', datum = 'dagu' }, { element = 'F5', datum = 'national85' }]", "already");
        check("from = ['10.8.0.0/33']", "no network");
        check("report_every_s = 0.0", "0.1");
        check("passwort = '1'", "unknown field");
        let twice =
            "[[sl651]]\naddress = '0010000001'\nstation = 'a'\npassword = '1234'\nseries = [{ element = 'Z' }]\n";
        assert!(load(&twice.repeat(2)).unwrap_err().to_string().contains("appears twice"));
    }

    #[test]
    fn sl651_sample_of_the_docs_page_and_the_demo_reach_load() {
        let root = env!("CARGO_MANIFEST_DIR");
        let page = std::fs::read_to_string(format!("{root}/docs/ingest/sl651.md")).unwrap();
        let block = page.split("```toml\n# ").nth(1).unwrap().split("```").next().unwrap();
        let (name, text) = block.split_once('\n').unwrap();
        let mut files = SensorFiles::new();
        for folder in ["profiles", "huayuankou"] {
            for entry in std::fs::read_dir(format!("{root}/sensors/{folder}")).unwrap() {
                let path = entry.unwrap().path();
                files.insert(path.display().to_string(), std::fs::read(path).unwrap());
            }
        }
        let demo = Sensors::load(&files).unwrap();
        assert_eq!(demo.telemetry.len(), 9);
        // In the demo every station reports what a device gives too: no series is new.
        let ids = |sensors: &Sensors| sensors.series.keys().cloned().collect::<Vec<_>>();
        files.retain(|name, _| !name.ends_with("sl651.toml"));
        assert_eq!(ids(&demo), ids(&Sensors::load(&files).unwrap()));
        files.insert(name.to_owned(), text.as_bytes().to_vec());
        let sensors = Sensors::load(&files).unwrap();
        let told = sensors.telemetry.values().next().unwrap();
        assert_eq!((told.series.len(), told.series[1].zero, told.password), (3, 80.0, 0xa000));
        assert_eq!(told.series[2].id.as_str(), "rain-madu.battery");
    }

    #[test]
    fn networks_hold_their_addresses_only() {
        let check = |network: &str, address: &str, held: bool| {
            assert_eq!(Network::of_text(network).unwrap().holds(address.parse().unwrap()), held, "{network} {address}");
        };
        check("0.0.0.0/0", "1.2.3.4", true);
        check("10.0.0.1", "10.0.0.1", true);
        check("10.0.0.1", "10.0.0.2", false);
        check("10.0.0.0/8", "::ffff:10.1.1.1", true);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "10.0.0.1", false);
        assert_eq!(Network::of_text("10.0.0.0/x"), None);
    }
}

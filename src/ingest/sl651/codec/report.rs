//! What a station says (自报、查询应答): serial number, time, and elements in groups of station and observation time.

use super::address::StationAddress;
use super::ascii;
use super::bcd::{self, Moment};
use super::element::{self, ElementId};
use super::frame::Coding;
use super::value::{self, BodyFault, Content, ELEMENTS_MAX, Element};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// The body of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// 1 to 65535, cyclic; 0 where the centre began.
    pub serial: u16,
    /// When it was sent, by the station's clock.
    pub sent: Moment,
    /// Elements in their scopes.
    pub groups: Vec<Group>,
    /// What could not be read.
    pub faults: Vec<BodyFault>,
}

/// Elements that share a station and an observation time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Station, and its class where it is told, if the group begins with F1F1.
    pub station: Option<(StationAddress, Option<u8>)>,
    /// Observation time, where F0F0 stands here.
    pub observed: Option<Moment>,
    /// In the order sent.
    pub elements: Vec<Element>,
}

/// One value of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The station it belongs to: that of the last F1F1, else that of the frame.
    pub station: StationAddress,
    /// When the water was so; `None` where the digits are no time.
    pub observed_at: Option<DateTime<Utc>>,
    /// Element.
    pub id: ElementId,
    /// In [`Self::unit`]; `None` for missing or unreadable.
    pub value: Option<f64>,
    /// Unit of the dictionary.
    pub unit: &'static str,
}

impl Report {
    /// Reads a body. Whatever can be read is kept; the rest is told in [`Self::faults`].
    ///
    /// # Errors
    /// When not even serial number and time are there.
    pub fn decode(coding: Coding, body: &[u8]) -> Result<Self, BodyFault> {
        match coding {
            Coding::Hex => decode_hex(body),
            Coding::Ascii => ascii::decode(body),
        }
    }

    /// The body for a frame.
    pub fn encode(&self, coding: Coding) -> Vec<u8> {
        match coding {
            Coding::Hex => self.encode_hex(),
            Coding::Ascii => ascii::encode(self),
        }
    }

    fn encode_hex(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend(self.serial.to_be_bytes());
        out.extend(self.sent.0);
        for group in &self.groups {
            if let Some((station, class)) = group.station {
                out.extend([0xf1, 0xf1]);
                out.extend(station.0);
                out.extend(class);
            }
            if let Some(observed) = group.observed {
                out.extend([0xf0, 0xf0]);
                out.extend(observed.minute());
            }
            for element in &group.elements {
                element.write(&mut out);
            }
        }
        out
    }

    /// Every value with its station and time; a series of cells gives one value a cell. `now` settles the century.
    pub fn measured(&self, sender: StationAddress, now: DateTime<Utc>) -> Vec<Measured> {
        let mut scope = Scope { station: sender, at: self.sent.utc(now), step: None };
        let mut out = Vec::new();
        for group in &self.groups {
            if let Some((station, _)) = group.station {
                scope = Scope { station, at: self.sent.utc(now), step: None };
            }
            if let Some(observed) = group.observed {
                scope.at = observed.utc(now);
                scope.step = None;
            }
            for element in &group.elements {
                scope.measure(element, &mut out);
            }
        }
        out
    }

    /// Texts entered by hand, in the order sent.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.elements().filter_map(|element| match &element.content {
            Content::Text(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// Pictures, in the order sent.
    pub fn pictures(&self) -> impl Iterator<Item = &[u8]> {
        self.elements().filter_map(|element| match &element.content {
            Content::Picture(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// All elements, in the order sent.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.groups.iter().flat_map(|group| &group.elements)
    }
}

/// What the elements that follow belong to.
struct Scope {
    station: StationAddress,
    at: Option<DateTime<Utc>>,
    /// Time between two values of a uniform series, once its step code was read.
    step: Option<TimeDelta>,
}

/// Cells of the five-minute groups are this far apart unless a step says otherwise.
const FIVE_MINUTES: TimeDelta = TimeDelta::minutes(5);

impl Scope {
    fn measure(&mut self, element: &Element, out: &mut Vec<Measured>) {
        let id = element.id;
        let unit = id.known().map_or("", |known| known.unit);
        let station = self.station;
        let one = |observed_at, value| Measured { station, observed_at, id, value, unit };
        match &element.content {
            Content::Number(number) => out.push(one(self.series_time(), Some(number.value()))),
            Content::Void(_) => out.push(one(self.series_time(), None)),
            Content::Rain(cells) => {
                let values = cells.iter().map(|cell| cell.map(|tenths| f64::from(tenths) / 10.0));
                out.extend(self.cell_times(cells.len()).zip(values).map(|(at, value)| one(at, value)));
            }
            Content::Stages(cells) => {
                let values = cells.iter().map(|cell| cell.map(|cm| f64::from(cm) / 100.0));
                out.extend(self.cell_times(cells.len()).zip(values).map(|(at, value)| one(at, value)));
            }
            Content::Status(bits) => out.push(one(self.at, Some(f64::from(*bits)))),
            Content::Step(step) => self.step = Some(span(*step)),
            Content::Text(_) | Content::Picture(_) | Content::Bulk(_) => {}
        }
    }

    /// The time of a single value; after a step code each further one lies a step later.
    fn series_time(&mut self) -> Option<DateTime<Utc>> {
        let at = self.at;
        if let Some(step) = self.step.filter(|step| !step.is_zero()) {
            self.at = at.and_then(|at| at.checked_add_signed(step));
        }
        at
    }

    /// Cells after a step code begin at the observation time. Without one they are the twelve of the clock hour that
    /// the observation time ends or lies in, the first at five past.
    fn cell_times(&self, cells: usize) -> impl Iterator<Item = Option<DateTime<Utc>>> + use<> {
        let step = self.step.filter(|step| !step.is_zero()).unwrap_or(FIVE_MINUTES);
        let first = match (self.step, self.at) {
            (_, None) => None,
            (Some(_), Some(at)) => Some(at),
            (None, Some(at)) => at
                .checked_sub_signed(TimeDelta::nanoseconds(1))
                .and_then(|before| before.duration_trunc(TimeDelta::hours(1)).ok())
                .map(|hour| hour + FIVE_MINUTES),
        };
        (0..cells).map(move |cell| {
            let ahead = step.checked_mul(i32::try_from(cell).ok()?)?;
            first?.checked_add_signed(ahead)
        })
    }
}

/// Length of a step code; digits that are none count as zero.
fn span([days, hours, minutes]: [u8; 3]) -> TimeDelta {
    let part = |byte| i64::from(bcd::pair(byte).unwrap_or(0));
    TimeDelta::days(part(days)) + TimeDelta::hours(part(hours)) + TimeDelta::minutes(part(minutes))
}

fn decode_hex(body: &[u8]) -> Result<Report, BodyFault> {
    let (head, mut rest) = body.split_first_chunk::<8>().ok_or(BodyFault::NoHead { bytes: body.len() })?;
    let [a, b, sent @ ..] = *head;
    let mut report =
        Report { serial: u16::from_be_bytes([a, b]), sent: Moment(sent), groups: Vec::new(), faults: Vec::new() };
    let mut group = Group::default();
    let mut elements = 0;
    while !rest.is_empty() {
        match rest {
            [0xf1, 0xf1, a, b, c, d, e, after @ ..] => {
                close(&mut report, &mut group);
                let (class, after) = class(after);
                group.station = Some((StationAddress([*a, *b, *c, *d, *e]), class));
                rest = after;
            }
            [0xf0, 0xf0, a, b, c, d, e, after @ ..] => {
                if group.observed.is_some() || !group.elements.is_empty() {
                    close(&mut report, &mut group);
                }
                group.observed = Some(Moment::of_minute([*a, *b, *c, *d, *e]));
                rest = after;
            }
            [pair @ (0xf0 | 0xf1), second, after @ ..] if pair == second => {
                let id = format!("{pair:02X}{pair:02X}");
                report.faults.push(BodyFault::Cut { id, wanted: 5, left: after.len() });
                break;
            }
            _ if elements == ELEMENTS_MAX => {
                report.faults.push(BodyFault::TooMany);
                break;
            }
            _ => match value::read(&mut rest) {
                Ok(element) => {
                    let further = further_values(&group, &element, &mut rest);
                    elements += 1 + further.len();
                    group.elements.push(element);
                    group.elements.extend(further);
                }
                Err(fault) => {
                    report.faults.push(fault);
                    break;
                }
            },
        }
    }
    close(&mut report, &mut group);
    Ok(report)
}

/// A uniform series (31, 38) names its element once; behind the first value the others follow as bare data to the end.
///
/// Some stations repeat identifier and definition instead, or add other elements. Bare data are told from those by what
/// no identifier is: 00 in front, as all numbers of a river have, or all bits set; or by not being elements to the end.
fn further_values(group: &Group, first: &Element, rest: &mut &[u8]) -> Vec<Element> {
    let in_series = matches!(group.elements.last(), Some(Element { content: Content::Step(_), .. }));
    let (width, decimals) = match &first.content {
        Content::Number(number) => (usize::from(number.bytes), number.decimals),
        Content::Void(void) => (void.bytes.len(), void.decimals),
        _ => return Vec::new(),
    };
    let bare = match rest {
        _ if !in_series || width == 0 || !rest.len().is_multiple_of(width) => false,
        [0x00, ..] | [0xff, 0xff, ..] => true,
        [0xf0, 0xf0, ..] | [0xf1, 0xf1, ..] => false,
        _ => !are_elements(rest),
    };
    if !bare {
        return Vec::new();
    }
    let data = std::mem::take(rest);
    let element = |data| Element { id: first.id, content: value::number(first.id, data, decimals) };
    data.chunks_exact(width).take(ELEMENTS_MAX).map(element).collect()
}

fn are_elements(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        rest = match rest {
            [0xf1, 0xf1, _, _, _, _, _, after @ ..] => class(after).1,
            [0xf0, 0xf0, _, _, _, _, _, after @ ..] => after,
            _ => match value::read(&mut rest) {
                Ok(_) => rest,
                Err(_) => return false,
            },
        };
    }
    true
}

/// The class behind a station address. Status replies have none: there the status element or nothing follows at once.
fn class(rest: &[u8]) -> (Option<u8>, &[u8]) {
    match rest {
        [] | [0x45, 0x20, ..] | [0xf0, 0xf0, ..] => (None, rest),
        [class, after @ ..] => (Some(*class), after),
    }
}

/// Puts a group that says anything into the report.
pub(super) fn close(report: &mut Report, group: &mut Group) {
    let group = std::mem::take(group);
    if group != Group::default() {
        report.groups.push(group);
    }
}

/// Name of an element for people: the mnemonic, or the identifier where the standard has none.
pub fn name_of(id: ElementId) -> String {
    match id {
        ElementId::Standard(byte) => {
            element::of_id(byte).map_or_else(|| id.to_string(), |known| known.mnemonic.to_owned())
        }
        ElementId::User(_) => id.to_string(),
    }
}

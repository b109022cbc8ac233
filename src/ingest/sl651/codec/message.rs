//! What a centre sends down (下行): acknowledgements, re-requests, queries and the clock.

use super::address::StationAddress;
use super::bcd::{Moment, byte_of};
use super::element::ElementId;
use super::frame::{Coding, Direction, End, Frame, Packet};
use super::report::name_of;
use chrono::{DateTime, TimeDelta, Timelike, Utc};

/// Function codes (功能码) by name.
pub mod function {
    /// 链路维持报; never answered.
    pub const KEEP_LINK: u8 = 0x2f;
    /// 测试报: its values never reach live views.
    pub const TEST: u8 = 0x30;
    /// 均匀时段水文信息报.
    pub const UNIFORM: u8 = 0x31;
    /// 定时报.
    pub const TIMED: u8 = 0x32;
    /// 加报.
    pub const ADDED: u8 = 0x33;
    /// 小时报.
    pub const HOURLY: u8 = 0x34;
    /// 人工置数报.
    pub const MANUAL: u8 = 0x35;
    /// 图片报.
    pub const PICTURE: u8 = 0x36;
    /// 查询实时数据.
    pub const QUERY_NOW: u8 = 0x37;
    /// 查询时段数据.
    pub const QUERY_PERIOD: u8 = 0x38;
    /// 查询人工置数.
    pub const QUERY_MANUAL: u8 = 0x39;
    /// 查询指定要素.
    pub const QUERY_ELEMENTS: u8 = 0x3a;
    /// 查询软件版本.
    pub const VERSION: u8 = 0x45;
    /// 查询状态和报警.
    pub const STATUS: u8 = 0x46;
    /// 设置时钟.
    pub const SET_CLOCK: u8 = 0x4a;
    /// 查询时钟.
    pub const CLOCK: u8 = 0x51;
}

/// Chinese name of a function.
pub fn function_name(code: u8) -> Option<&'static str> {
    Some(match code {
        0x2f => "链路维持报",
        0x30 => "测试报",
        0x31 => "均匀时段水文信息报",
        0x32 => "定时报",
        0x33 => "加报",
        0x34 => "小时报",
        0x35 => "人工置数报",
        0x36 => "图片报",
        0x37 => "查询实时数据",
        0x38 => "查询时段数据",
        0x39 => "查询人工置数",
        0x3a => "查询指定要素",
        0x40 => "修改基本配置",
        0x41 => "读取基本配置",
        0x42 => "修改运行参数",
        0x43 => "读取运行参数",
        0x44 => "查询水泵电机",
        0x45 => "查询软件版本",
        0x46 => "查询状态和报警",
        0x47 => "初始化存储",
        0x48 => "恢复出厂设置",
        0x49 => "修改密码",
        0x4a => "设置时钟",
        0x4b => "设置 IC 卡状态",
        0x4c => "控制水泵",
        0x4d => "控制阀门",
        0x4e => "控制闸门",
        0x4f => "水量定值控制",
        0x50 => "查询事件记录",
        0x51 => "查询时钟",
        0xe0..=0xff => "用户自定义",
        _ => return None,
    })
}

/// Whether bodies from stations with this function are made of elements.
pub fn is_report(code: u8) -> bool {
    matches!(code, 0x2f..=0x3a | 0x46 | 0x4a | 0x51)
}

/// Whom the centre writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Coding that the station uses.
    pub coding: Coding,
    /// Centre address.
    pub centre: u8,
    /// Station.
    pub station: StationAddress,
    /// The station's password.
    pub password: u16,
}

impl Line {
    /// The line on which a frame came.
    pub fn of(frame: &Frame) -> Self {
        Self { coding: frame.coding, centre: frame.centre, station: frame.station, password: frame.password }
    }

    fn down(self, function: u8, body: Vec<u8>, end: End, packet: Option<Packet>) -> Frame {
        let Self { coding, centre, station, password } = self;
        Frame { coding, direction: Direction::Down, centre, station, password, function, packet, body, end }
    }

    /// Serial number and time in the coding of the line.
    fn head(self, serial: u16, at: DateTime<Utc>) -> Vec<u8> {
        match self.coding {
            Coding::Hex => [&serial.to_be_bytes()[..], &Moment::of(at).0].concat(),
            Coding::Ascii => format!("{serial:04X}{}", Moment::of(at).text()).into_bytes(),
        }
    }

    /// The answer to a message that is safe: its serial number, our time, the station's agreed end character.
    /// `packets` is the total of a message of several.
    pub fn acknowledge(self, function: u8, serial: u16, packets: Option<u16>, end: End, at: DateTime<Utc>) -> Frame {
        let packet = packets.map(|total| Packet { total, sequence: total });
        self.down(function, self.head(serial, at), end, packet)
    }

    /// Asks for one packet again.
    pub fn ask_again(self, function: u8, serial: u16, packet: Packet, at: DateTime<Utc>) -> Frame {
        self.down(function, self.head(serial, at), End::Nak, Some(packet))
    }

    /// A question of the centre, or its clock.
    pub fn ask(self, query: &Query, at: DateTime<Utc>) -> Frame {
        let mut body = self.head(0, at);
        query.write(self.coding, &mut body);
        self.down(query.function(), body, End::Enq, None)
    }
}

/// What a centre can ask of a station (M4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// 37: all values of now.
    Now,
    /// 38: values of one element between two full hours.
    Period {
        /// From, cut to the hour.
        from: DateTime<Utc>,
        /// To, cut to the hour.
        to: DateTime<Utc>,
        /// Between two values, whole minutes below 100 days.
        step: TimeDelta,
        /// Which element, with its definition byte.
        element: (ElementId, u8),
    },
    /// 39: text entered by hand.
    Manual,
    /// 3A: some elements, with their definition bytes.
    Elements(Vec<(ElementId, u8)>),
    /// 46: status and alarms.
    Status,
    /// 4A: the sending time is the time to set.
    SetClock,
    /// 51: the station's clock.
    Clock,
}

impl Query {
    /// Its function code.
    pub fn function(&self) -> u8 {
        match self {
            Self::Now => function::QUERY_NOW,
            Self::Period { .. } => function::QUERY_PERIOD,
            Self::Manual => function::QUERY_MANUAL,
            Self::Elements(_) => function::QUERY_ELEMENTS,
            Self::Status => function::STATUS,
            Self::SetClock => function::SET_CLOCK,
            Self::Clock => function::CLOCK,
        }
    }

    fn write(&self, coding: Coding, body: &mut Vec<u8>) {
        match self {
            Self::Period { from, to, step, element } => {
                let hour = |at: &DateTime<Utc>| Moment::of(*at).minute().into_iter().take(4).collect::<Vec<u8>>();
                let minutes = u32::try_from(step.num_minutes()).unwrap_or(0);
                let step = [minutes / 1440, minutes / 60 % 24, minutes % 60].map(byte_of);
                match coding {
                    Coding::Hex => {
                        body.extend([hour(from), hour(to)].concat());
                        body.extend([0x04, 0x18]);
                        body.extend(step);
                        name(*element, body);
                    }
                    Coding::Ascii => {
                        let text = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
                        let (unit, count) = match step {
                            [0, 0, minutes] => ('N', minutes),
                            [0, hours, _] => ('H', hours),
                            [days, ..] => ('D', days),
                        };
                        let (from, to) = (text(&hour(from)), text(&hour(to)));
                        let words = format!("{from} {to} DR{unit}{count:02X} {} ", name_of(element.0));
                        body.extend_from_slice(words.as_bytes());
                    }
                }
            }
            Self::Elements(elements) => {
                for element in elements {
                    match coding {
                        Coding::Hex => name(*element, body),
                        Coding::Ascii => body.extend_from_slice(format!("{} ", name_of(element.0)).as_bytes()),
                    }
                }
            }
            Self::Now | Self::Manual | Self::Status | Self::SetClock | Self::Clock => {}
        }
    }

    /// Reads a HEX/BCD question, as a station does; `None` for a function or body that is none. `now` settles the century.
    pub fn decode(frame: &Frame, now: DateTime<Utc>) -> Option<Self> {
        if frame.direction != Direction::Down || frame.end != End::Enq {
            return None;
        }
        let rest = frame.body.get(8..)?;
        Some(match frame.function {
            function::QUERY_NOW => Self::Now,
            function::QUERY_MANUAL => Self::Manual,
            function::STATUS => Self::Status,
            function::SET_CLOCK => Self::SetClock,
            function::CLOCK => Self::Clock,
            function::QUERY_PERIOD => {
                let (hours, rest) = rest.split_first_chunk::<8>()?;
                let [a, b, c, d, e, f, g, h] = *hours;
                let at = |hour: [u8; 4]| {
                    let [year, month, day, hour] = hour;
                    Moment([year, month, day, hour, 0, 0]).utc(now)
                };
                let [0x04, 0x18, days, hours, minutes, named @ ..] = rest else { return None };
                let part = |byte: &u8| super::bcd::pair(*byte).map(i64::from);
                let step = TimeDelta::days(part(days)?) + TimeDelta::hours(part(hours)?);
                let step = step + TimeDelta::minutes(part(minutes)?);
                let element = names(named)?.first().copied()?;
                Self::Period { from: at([a, b, c, d])?, to: at([e, f, g, h])?, step, element }
            }
            function::QUERY_ELEMENTS => Self::Elements(names(rest)?),
            _ => return None,
        })
    }

    /// An element with the definition byte of the standard, as questions name it; 0 where the standard fixes none.
    pub fn named(id: ElementId) -> (ElementId, u8) {
        let definition = match id {
            ElementId::Standard(0xf4) => 0x60,
            ElementId::Standard(0xf5..=0xfc) => 0xc0,
            _ => id.known().map_or(0, |known| {
                let (whole, decimals) = known.form;
                ((whole + decimals).div_ceil(2) << 3) | decimals.min(7)
            }),
        };
        (id, definition)
    }

    /// The moment cut to the hour, as a question about a period carries it.
    pub fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
        let inside = TimeDelta::seconds(i64::from(at.minute() * 60 + at.second()));
        at - inside - TimeDelta::nanoseconds(i64::from(at.nanosecond()))
    }
}

fn name((id, definition): (ElementId, u8), body: &mut Vec<u8>) {
    match id {
        ElementId::Standard(id) => body.extend([id, definition]),
        ElementId::User(id) => body.extend([0xff, id, definition]),
    }
}

fn names(mut rest: &[u8]) -> Option<Vec<(ElementId, u8)>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (element, after) = match rest {
            [0xff, id, definition, after @ ..] => ((ElementId::User(*id), *definition), after),
            [id, definition, after @ ..] => ((ElementId::Standard(*id), *definition), after),
            _ => return None,
        };
        found.push(element);
        rest = after;
    }
    Some(found)
}

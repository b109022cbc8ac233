//! `anlan decode`: what a frame of a field protocol says, for people with a hex dump before them.

use super::Outcome;
use crate::app::clock::wall_now;
use crate::ingest::sl651::codec::{
    Coding, Content, Direction, End, Frame, Query, Refusal, Report, class_name, element::status_events, function_name,
    hex_bytes, is_report, name_of,
};
use crate::model::Timestamp;
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use std::io::Read;

/// Beijing time, as on the line.
const EAST_S: i32 = 8 * 3600;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Debug, clap::Subcommand)]
enum Protocol {
    /// SL 651-2014 水文监测数据通信规约报文 (a frame of a hydrological station).
    Sl651 {
        /// 十六进制报文，可含空格；“-”从标准输入读取。The frame in hexadecimal, blanks allowed; "-": from standard input.
        hex: String,
        /// 输出 JSON。One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    let Protocol::Sl651 { hex, json } = args.protocol;
    let text = if hex == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        hex
    };
    let bytes = bytes_of(&text)?;
    let (frame, refusal) = read(&bytes)?;
    let told = tell(&frame, refusal.is_none(), wall_now());
    if json {
        println!("{told}");
    } else {
        print(&frame, &told);
    }
    refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
}

fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    if let Some((at, wrong)) = digits.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(format!(
            "character {} is {wrong:?}, no hexadecimal digit (第 {} 个字符不是十六进制)",
            at + 1,
            at + 1
        ));
    }
    hex_bytes(digits.as_bytes())
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| format!("{} hexadecimal digits are no whole bytes (十六进制位数应为偶数)", digits.len()))
}

/// The frame; with a wrong checksum it is read all the same, and told so.
fn read(bytes: &[u8]) -> Result<(Frame, Option<Refusal>), Box<dyn std::error::Error>> {
    match Frame::decode(bytes) {
        Ok(received) if received.length == bytes.len() => Ok((received.frame, None)),
        Ok(received) => {
            let (took, given) = (received.length, bytes.len());
            Err(format!("the frame ends after {took} of {given} bytes; give one frame at a time (一次只解一帧)").into())
        }
        Err(refusal @ Refusal::Crc { computed, .. }) => {
            let mended = match bytes.split_last_chunk::<2>() {
                Some((summed, _)) if bytes.first() == Some(&0x7e) => [summed, &computed.to_be_bytes()].concat(),
                _ => [
                    bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default(),
                    format!("{computed:04X}").as_bytes(),
                ]
                .concat(),
            };
            Ok((Frame::decode(&mended).map_err(|_| refusal.clone())?.frame, Some(refusal)))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn local(at: Option<Timestamp>) -> Option<DateTime<FixedOffset>> {
    Some(at?.with_timezone(&FixedOffset::east_opt(EAST_S)?))
}

fn tell(frame: &Frame, crc_ok: bool, now: Timestamp) -> Value {
    // Downlinks have the same head; what follows it there is a question, not elements.
    let head = frame.body.get(..frame.body.len().min(if frame.coding == Coding::Hex { 8 } else { 16 }));
    let report = match frame.direction {
        Direction::Up if is_report(frame.function) => Report::decode(frame.coding, &frame.body).ok(),
        _ => head.and_then(|head| Report::decode(frame.coding, head).ok()),
    };
    let inside = frame.packet.is_none_or(|packet| packet.sequence == 1);
    let report = report.filter(|_| inside);
    let elements = match (&report, frame.direction) {
        (Some(report), Direction::Up) => elements(frame, report, now),
        _ => Vec::new(),
    };
    let texts: Vec<String> =
        report.iter().flat_map(Report::texts).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let faults: Vec<String> = report.iter().flat_map(|report| &report.faults).map(ToString::to_string).collect();
    let asked = match Query::decode(frame, now) {
        Some(Query::Elements(asked)) => asked.into_iter().map(|(id, _)| name_of(id)).collect(),
        Some(Query::Period { element, .. }) => vec![name_of(element.0)],
        _ => Vec::new(),
    };
    json!({
        "direction": if frame.direction == Direction::Up { "up" } else { "down" },
        "coding": if frame.coding == Coding::Hex { "hex" } else { "ascii" },
        "centre": frame.centre,
        "station": frame.station.to_string(),
        "station_code": frame.station.code(),
        "password": format!("{:04X}", frame.password),
        "function": format!("{:02X}", frame.function),
        "function_name": function_name(frame.function),
        "packet": frame.packet.map(|packet| json!({ "total": packet.total, "sequence": packet.sequence })),
        "end": end_name(frame.end),
        "serial": report.as_ref().map(|report| report.serial),
        "sent_at": local(report.as_ref().and_then(|report| report.sent.utc(now))),
        "class": report.as_ref().and_then(|report| report.groups.iter().find_map(|group| class_name(group.station?.1?)))
            .map(|(letter, zh)| json!({ "letter": letter, "name_zh": zh })),
        "elements": elements,
        "asked": asked,
        "texts": texts,
        "faults": faults,
        "crc_ok": crc_ok,
    })
}

fn elements(frame: &Frame, report: &Report, now: Timestamp) -> Vec<Value> {
    let status = report.elements().find_map(|element| match element.content {
        Content::Status(bits) => Some(bits),
        _ => None,
    });
    let tell = |one: crate::ingest::sl651::codec::Measured| {
        let known = one.id.known();
        let mut told = json!({
            "id": one.id.to_string(), "name": name_of(one.id), "name_zh": known.map(|known| known.name_zh),
            "name_en": known.map(|known| known.name_en), "value": one.value, "unit": one.unit,
            "observed_at": local(one.observed_at), "station": one.station.to_string(),
        });
        if let (Some(bits), Some(told), "45") = (status, told.as_object_mut(), one.id.to_string().as_str()) {
            let events: Vec<_> = status_events(bits)
                .into_iter()
                .map(|(bit, zh, en)| json!({ "bit": bit, "zh": zh, "en": en }))
                .collect();
            told.insert("events".into(), Value::Array(events));
        }
        told
    };
    report.measured(frame.station, now).into_iter().map(tell).collect()
}

fn end_name(end: End) -> &'static str {
    match end {
        End::Etx => "ETX",
        End::Etb => "ETB",
        End::Enq => "ENQ",
        End::Eot => "EOT",
        End::Ack => "ACK",
        End::Nak => "NAK",
        End::Esc => "ESC",
    }
}

fn print(frame: &Frame, told: &Value) {
    let word = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    let way = if frame.direction == Direction::Up { "上行 up" } else { "下行 down" };
    println!("{way}  测站 {}  中心站 {}  密码 {}", frame.station, frame.centre, word("password"));
    println!("功能码 {} {}  结束符 {}", word("function"), word("function_name"), word("end"));
    if let Some(packet) = frame.packet {
        println!("第 {} 包，共 {} 包 (packet of several)", packet.sequence, packet.total);
    }
    let serial = told.get("serial").and_then(Value::as_u64).map_or("-".to_owned(), |serial| serial.to_string());
    println!("流水号 {serial}  发报时间 {}", word("sent_at"));
    for element in told.get("elements").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| element.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let value =
            element.get("value").and_then(Value::as_f64).map_or("缺测 no value".to_owned(), |v| v.to_string());
        println!(
            "  {}  {:<2} {:<5} {value} {}  {}",
            part("observed_at"),
            part("id"),
            part("name"),
            part("unit"),
            part("name_zh")
        );
    }
    for key in ["texts", "asked", "faults"] {
        for line in told.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            println!("  {key}: {line}");
        }
    }
}

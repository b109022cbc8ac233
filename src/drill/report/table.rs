//! One row a task, for a spreadsheet.

use super::super::text::DrillText;
use super::blocks::{place, title};
use super::names::{ended, level};
use super::{Report, beijing_full};
use crate::model::Timestamp;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const HEAD: [&str; 19] = [
    "【演练】任务 task",
    "指令 instruction",
    "地点 place",
    "责任人 owner",
    "级别 level",
    "拟定 drafted",
    "下发 issued",
    "送达 delivered",
    "签收 answered",
    "签收人 answered by",
    "到达 arrived",
    "完成 done",
    "核查 verified",
    "时限 due",
    "升级 escalated",
    "拒绝 declined",
    "轮次 rounds",
    "漏巡 missed",
    "撤销 withdrawn",
];

pub(super) fn csv(report: &Report<'_>) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(BYTE_ORDER_MARK.to_vec());
    out.write_record(HEAD)?;
    let time = |at: Option<Timestamp>| at.map_or(String::new(), beijing_full);
    for (id, line) in &report.tally.tasks {
        out.write_record([
            DrillText::new(id.to_string()).to_string(),
            title(report, line),
            place(report, line),
            line.owner.as_ref().map_or(String::new(), |owner| report.person(owner)),
            level(line.level),
            beijing_full(line.drafted),
            time(line.issued),
            time(line.delivered),
            time(line.answered.as_ref().map(|(at, _)| *at)),
            line.answered.as_ref().map_or(String::new(), |(_, by)| report.person(by)),
            time(line.arrived),
            time(line.done),
            time(line.verified),
            time(line.due),
            line.escalations.to_string(),
            line.declined.to_string(),
            line.rounds.to_string(),
            line.missed.to_string(),
            line.withdrawn.map_or(String::new(), |(_, why)| ended(why).to_owned()),
        ])?;
    }
    out.into_inner().map_err(|fault| fault.into_error().into())
}

//! Words for the life of a task.

use serde::{Deserialize, Serialize};

/// Where a task stands; the words on the wire and in `data-status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// 待下发: fired, waits for a signature.
    Draft,
    /// 已下发.
    Issued,
    /// 已送达.
    Delivered,
    /// 已签收.
    Acknowledged,
    /// 到达.
    OnSite,
    /// 已完成, to be checked by another.
    Done,
    /// 已核查.
    Verified,
    /// 去不了.
    Declined,
    /// 超时.
    Overdue,
    /// 已升级.
    Escalated,
    /// 撤销.
    Withdrawn,
}

impl TaskStatus {
    /// All, in the order of a task's life.
    pub const ALL: [Self; 11] = [
        Self::Draft,
        Self::Issued,
        Self::Delivered,
        Self::Acknowledged,
        Self::OnSite,
        Self::Done,
        Self::Verified,
        Self::Declined,
        Self::Overdue,
        Self::Escalated,
        Self::Withdrawn,
    ];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Issued => "issued",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::OnSite => "on-site",
            Self::Done => "done",
            Self::Verified => "verified",
            Self::Declined => "declined",
            Self::Overdue => "overdue",
            Self::Escalated => "escalated",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why someone cannot go; one tap on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclineReason {
    /// 道路中断.
    RoadCut,
    /// 受伤或患病.
    Injured,
    /// 正在处理别的任务.
    Busy,
    /// 其他.
    Other,
}

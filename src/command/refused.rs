//! What the core does not do, by name. A refusal leaves no trace in the state.

use crate::model::{
    ActivationId, Authority, InstructionCode, MemberId, ReportId, TaskId, TaskStatus, UserRole, WarningLevel,
};

/// Why an input was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The account has no right to it.
    #[error("角色 {} 无权{what} (role {} may not do this)", role.as_str(), role.as_str())]
    NoRight {
        /// Role of the account.
        role: UserRole,
        /// What was asked, in Chinese.
        what: &'static str,
    },
    /// The asker cannot be his own second person.
    #[error("同一人不能确认自己的申请：须由另一名值班员或指挥长确认 (a second person must confirm)")]
    SamePerson,
    /// Another request is waiting.
    #[error("已有待确认的申请 {0}，先确认或退回它 (request {0} is waiting: settle it first)")]
    AlreadyAsked(ActivationId),
    /// No such request, or no longer waiting.
    #[error("申请 {0} 不存在或已处理 (request {0} does not exist or is settled)")]
    NotWaiting(ActivationId),
    /// Break-glass is offered only after a wait, and only to the asker.
    #[error("破窗启动尚不可用：须等待第二人无人应答，且只限申请人 (break-glass is not offered yet, or not to you)")]
    GlassNotOffered,
    /// Break-glass raises, it never lowers.
    #[error(
        "降级、解除、调低设定流量须两人确认，不能破窗 (a lowering of level or discharge takes two persons, break-glass only raises)"
    )]
    GlassOnlyUp,
    /// A reason is required.
    #[error("须填写理由 (a reason is required)")]
    NoReason,
    /// Nothing would change.
    #[error("{}已生效且没有待签发的任务 (level {level} is in force and nothing waits for a signature)", .level.name_zh())]
    NothingToDo {
        /// The level that was asked for.
        level: WarningLevel,
    },
    /// No such task.
    #[error("任务 {0} 不存在 (no task {0})")]
    NoTask(TaskId),
    /// The task is somebody else's.
    #[error("任务 {task} 不是您的任务 (task {task} is not yours)")]
    NotYours {
        /// Task.
        task: TaskId,
        /// Who tried.
        member: Option<MemberId>,
    },
    /// The task cannot make that move.
    #[error("任务 {task} 当前为 {0}，不能{what} (task {task} is {0})", status.as_str())]
    IllegalMove {
        /// Task.
        task: TaskId,
        /// Where it stands.
        status: TaskStatus,
        /// The move, in Chinese.
        what: &'static str,
    },
    /// Nobody verifies his own work.
    #[error("不能核查自己完成的任务 {0} (you did task {0} yourself)")]
    OwnWork(TaskId),
    /// No draft of that row, or no such row.
    #[error("指令 {0} 没有待签发的任务 (nothing of row {0} waits for a signature)")]
    NothingToSign(InstructionCode),
    /// The signature does not reach.
    #[error("指令 {code} 须由 {authority:?} 签发 (row {code} needs {authority:?})")]
    NotSignable {
        /// Row.
        code: InstructionCode,
        /// Who may sign.
        authority: Authority,
    },
    /// No such report.
    #[error("报告 {0} 不存在或已处理 (no open report {0})")]
    NoReport(ReportId),
    /// No such person.
    #[error("网格员 {0} 不存在 (no member {0})")]
    NoMember(MemberId),
    /// No such alarm is open.
    #[error("告警 {0} 不存在或已关闭 (no open alarm {0})")]
    NoAlarm(String),
    /// A field is out of its range.
    #[error("{field}: {problem}")]
    BadField {
        /// Which.
        field: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl Refused {
    /// Whether the refusal is about rights (403), absence (404) or the state of things (409); else the content (422).
    pub fn status(&self) -> u16 {
        match self {
            Self::NoRight { .. }
            | Self::SamePerson
            | Self::NotYours { .. }
            | Self::OwnWork(_)
            | Self::NotSignable { .. } => 403,
            Self::NoTask(_) | Self::NoReport(_) | Self::NoMember(_) | Self::NoAlarm(_) => 404,
            Self::AlreadyAsked(_)
            | Self::NotWaiting(_)
            | Self::GlassNotOffered
            | Self::GlassOnlyUp
            | Self::NothingToDo { .. }
            | Self::IllegalMove { .. }
            | Self::NothingToSign(_) => 409,
            Self::NoReason | Self::BadField { .. } => 422,
        }
    }
}

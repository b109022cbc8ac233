//! Why a user, a login or a token was refused.

use crate::model::{MemberId, UserName};
use crate::store::StoreError;
use chrono::TimeDelta;

/// A refusal about users and sessions. The texts never contain a password or a token.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name cannot be a login name.
    #[error(
        "用户名只能用文字、数字和 . _ - ({name:?} cannot be a user name: use 1 to 64 letters, digits, '.', '_' or '-')"
    )]
    BadName {
        /// What was asked for.
        name: String,
    },
    /// The name is taken.
    #[error("用户已存在 (user {name} exists already)")]
    Exists {
        /// The name.
        name: UserName,
    },
    /// Another user is that member already.
    #[error("该网格员已有账号 (member {member} has a user already)")]
    MemberTaken {
        /// The member.
        member: MemberId,
    },
    /// A grid member's account without the member.
    #[error("网格员账号须指明网格员编号 (role member needs the member's id: --member mbr-…)")]
    MemberMissing,
    /// No such user.
    #[error("没有该用户 (there is no user {name})")]
    Unknown {
        /// The name.
        name: UserName,
    },
    /// The password cannot be used.
    #[error("密码不合要求 (the password {why})")]
    WeakPassword {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Name or password is wrong, or the user is disabled; which of them is not said.
    #[error("用户名或密码错误 (name or password is wrong)")]
    Refused,
    /// Too many failures.
    #[error("失败次数过多，请稍后再试 (too many failed logins: try again in {} s)", wait.num_seconds() + 1)]
    Locked {
        /// How long to wait.
        wait: TimeDelta,
    },
    /// The token is unknown, used or too old.
    #[error("链接已使用或已过期 (this link was used already or is too old: ask for a new one)")]
    StaleLink,
    /// Set-up after an administrator exists.
    #[error("已有管理员，请登录 (an administrator exists already: log in)")]
    AlreadySetUp,
    /// The last administrator cannot go.
    #[error("不能停用最后一个管理员 ({name} is the last administrator: make another operator first)")]
    LastAdministrator {
        /// The name.
        name: UserName,
    },
    /// Too many logins at once.
    #[error("登录人数过多，请重试 (too many logins at this moment: try again)")]
    Crowded,
    /// The system gave no random bytes.
    #[error("系统不能给出随机数 (the system gives no random numbers)")]
    NoRandomness,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

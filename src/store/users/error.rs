//! Why a user, a login or a token was refused.

use crate::model::{MemberId, UserName};
use crate::store::StoreError;
use chrono::TimeDelta;

/// A refusal about users and sessions. The texts never contain a password or a token.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name cannot be a login name.
    #[error(
        "{name:?} cannot be a user name: use 1 to 64 letters, digits, '.', '_' or '-' (用户名只能用文字、数字和 . _ -)"
    )]
    BadName {
        /// What was asked for.
        name: String,
    },
    /// The name is taken.
    #[error("user {name} exists already (用户已存在)")]
    Exists {
        /// The name.
        name: UserName,
    },
    /// Another user is that member already.
    #[error("member {member} has a user already (该网格员已有账号)")]
    MemberTaken {
        /// The member.
        member: MemberId,
    },
    /// A grid member's account without the member.
    #[error("role member needs the member's id: --member mbr-… (网格员账号须指明网格员编号)")]
    MemberMissing,
    /// No such user.
    #[error("there is no user {name} (没有该用户)")]
    Unknown {
        /// The name.
        name: UserName,
    },
    /// The password cannot be used.
    #[error("the password {why} (密码不合要求)")]
    WeakPassword {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Name or password is wrong, or the user is disabled; which of them is not said.
    #[error("name or password is wrong (用户名或密码错误)")]
    Refused,
    /// Too many failures.
    #[error("too many failed logins: try again in {} s (失败次数过多，请稍后再试)", wait.num_seconds() + 1)]
    Locked {
        /// How long to wait.
        wait: TimeDelta,
    },
    /// The token is unknown, used or too old.
    #[error("this link was used already or is too old: ask for a new one (链接已使用或已过期)")]
    StaleLink,
    /// Set-up after an administrator exists.
    #[error("an administrator exists already: log in (已有管理员，请登录)")]
    AlreadySetUp,
    /// The last administrator cannot go.
    #[error("{name} is the last administrator: make another operator first (不能停用最后一个管理员)")]
    LastAdministrator {
        /// The name.
        name: UserName,
    },
    /// Too many logins at once.
    #[error("too many logins at this moment: try again (登录人数过多，请重试)")]
    Crowded,
    /// The system gave no random bytes.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

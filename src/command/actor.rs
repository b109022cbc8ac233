//! Who speaks to the core, and what each may do.

use crate::model::{Authority, MemberId, UserName, UserRole};
use serde::{Deserialize, Serialize};

/// A person in front of a screen or phone, as the session knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Login name.
    pub user: UserName,
    /// Role of the account.
    pub role: UserRole,
    /// The grid member behind the account, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
}

impl Actor {
    /// Whether the account may ask that a level be put in force.
    pub fn may_ask(&self) -> bool {
        matches!(self.role, UserRole::Duty | UserRole::Commander | UserRole::Deputy)
    }
    /// Whether the account may be the second person; deputies only once a request has waited.
    pub fn may_confirm(&self, deputies_may: bool) -> bool {
        match self.role {
            UserRole::Duty | UserRole::Commander => true,
            UserRole::Deputy => deputies_may,
            _ => false,
        }
    }
    /// Whether the account may give and lift orders, verify tasks and settle hazards.
    pub fn is_headquarters(&self) -> bool {
        matches!(self.role, UserRole::Duty | UserRole::Commander | UserRole::Deputy)
    }
    /// Whether the account may break things in a drill.
    pub fn may_direct(&self) -> bool {
        self.role == UserRole::Director
    }
    /// Whether this account alone may sign a row of that authority.
    pub fn may_sign(&self, authority: Authority) -> bool {
        match authority {
            Authority::None => true,
            Authority::HqDuty => self.is_headquarters(),
            Authority::TownCommander | Authority::CountyHqCommander => self.role == UserRole::Commander,
            Authority::AuthorisedPublisher => false,
        }
    }
}

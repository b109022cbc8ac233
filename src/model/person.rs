//! People: grid members, their roles and duties; users of the system and what they may sign.

use super::{MemberId, PlaceId, UnknownWord};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Role of an instruction as the playbook writes it: `patrol_team`, `hq_duty_office`, …
pub type RoleCode = String;

/// Someone who can be called. Demo people are invented and flagged so in their file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Unique in the reach.
    pub id: MemberId,
    /// Full name; masked wherever the reader has no right to it.
    pub name: String,
    /// Mobile number, masked likewise; empty when there is none.
    pub phone: String,
    /// `community`, `rural`, `squad`, `work`, `department`, `hq`.
    pub corps: String,
    /// Roles of the playbook that this person can fill.
    pub roles: Vec<RoleCode>,
    /// Home cell or post.
    pub post: PlaceId,
    /// WGS-84 degrees of the post.
    pub lon: f64,
    /// WGS-84 degrees of the post.
    pub lat: f64,
    /// Whether the person has a phone with the app.
    pub has_app: bool,
}

/// First character and 某某; an empty name stays empty.
pub fn mask_name(name: &str) -> String {
    name.chars().next().map_or_else(String::new, |first| format!("{first}某某"))
}

/// One row of the duty table (A/B 角): who owns a role at a place, and who stands in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyRow {
    /// Role of the playbook.
    pub role: RoleCode,
    /// The place, or `*` for every place without a row of its own.
    pub place: PlaceId,
    /// A 角.
    pub owner: MemberId,
    /// B 角.
    pub deputy: MemberId,
}

/// Who may sign an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// No signature: routine observation, first action on a hazard, or carrying out a signed order.
    None,
    /// 值班员.
    HqDuty,
    /// 镇指挥长.
    TownCommander,
    /// 区防指指挥长.
    CountyHqCommander,
    /// 授权发布单位; the headquarters only relays.
    AuthorisedPublisher,
}

/// Role of a user of the system (least right first is not an order).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserRole {
    /// Sees the masked wall.
    Viewer,
    /// 值班员: previews, asks for a level, confirms another's request.
    Duty,
    /// Enters and corrects readings.
    Hydrologist,
    /// 指挥长.
    Commander,
    /// Commander's deputy: may confirm once a request has waited.
    Deputy,
    /// Grid member with a phone.
    Member,
    /// 导调.
    Director,
    /// Operates the system: users, backup, configuration.
    Operator,
    /// Reads journal and audit.
    Auditor,
}

impl UserRole {
    /// All roles.
    pub const ALL: [Self; 9] = [
        Self::Viewer,
        Self::Duty,
        Self::Hydrologist,
        Self::Commander,
        Self::Deputy,
        Self::Member,
        Self::Director,
        Self::Operator,
        Self::Auditor,
    ];

    /// `viewer`, `duty`, … as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Duty => "duty",
            Self::Hydrologist => "hydrologist",
            Self::Commander => "commander",
            Self::Deputy => "deputy",
            Self::Member => "member",
            Self::Director => "director",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UserRole {
    type Err = UnknownWord;
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = "viewer, duty, hydrologist, commander, deputy, member, director, operator, auditor";
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| UnknownWord { word: word.to_owned(), known })
    }
}

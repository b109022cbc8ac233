//! Places that can carry a task, and spots on the levee.

use serde::{Deserialize, Serialize};

use super::PlaceId;

/// What a place is. One kind may answer several scopes of the playbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    /// 防汛指挥部.
    Hq,
    /// 网格 (community, rural, or exclusive: see `tags`).
    Cell,
    /// 责任堤段, at most about 1 km.
    Segment,
    /// 险工.
    VulnerableWork,
    /// 控导工程.
    TrainingWork,
    /// 坝、垛.
    Dam,
    /// 滩区村.
    Village,
    /// 滩区种植户 (one farm block).
    Farm,
    /// 安置点.
    Shelter,
    /// 仓库、料场.
    Depot,
    /// 浮桥.
    Bridge,
    /// 涵闸.
    Gate,
    /// 沿河景区.
    Scenic,
    /// 镇.
    Town,
}

/// Scope of an instruction as the playbook writes it: `levee_segment`, `hq`, `all`, …
pub type ScopeCode = String;

/// Which side of the levee (临河 / 堤顶 / 背河).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// 临河.
    Water,
    /// 堤顶.
    Crest,
    /// 背河.
    Land,
}

/// A place of the reach that can carry a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Unique in the reach.
    pub id: PlaceId,
    /// What it is.
    pub kind: PlaceKind,
    /// Name as people say it.
    pub name_zh: String,
    /// Name for English screens.
    pub name_en: String,
    /// Scopes of the playbook that this place answers.
    pub scopes: Vec<ScopeCode>,
    /// WGS-84 degrees, a representative point.
    pub lon: f64,
    /// WGS-84 degrees, a representative point.
    pub lat: f64,
    /// Levee chainage from, in m; absent where the place does not lie along the levee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chainage_from_m: Option<f64>,
    /// Levee chainage to, in m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chainage_to_m: Option<f64>,
    /// The place this one is part of (dam → work, village → cell …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<PlaceId>,
}

impl Place {
    /// Whether a levee chainage in m lies in this place, ends included.
    pub fn spans(&self, chainage_m: f64) -> bool {
        matches!((self.chainage_from_m, self.chainage_to_m), (Some(from), Some(to)) if (from..=to).contains(&chainage_m))
    }
}

/// Where something was seen, as well as the reporter could say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// Levee chainage in m (桩号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chainage: Option<f64>,
    /// Side of the levee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// WGS-84 degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// WGS-84 degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// A named place of the reach, if known (a dam, a village).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceId>,
}

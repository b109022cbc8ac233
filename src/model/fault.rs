//! What a director of a drill, or a faults file of the field devices, can break.

use serde::{Deserialize, Serialize};

/// What goes wrong (注入类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// The sensor gives no value.
    Dead,
    /// The value of the moment stays.
    Frozen,
    /// The value jumps by `value` (a third of itself where absent) for `for_s` (10 s where absent).
    Spike,
    /// The value moves away by `value` per hour.
    Drift,
    /// A stone shakes with a peak of `value` m/s².
    Shake,
    /// Stones roll away: tilt, then a cut line.
    Breach,
    /// The line is cut: no answer (gauge, dam, work) or line state 2 (stone).
    Comms,
    /// No power: no answer, or a stone's supply at `value` V.
    Power,
    /// A false report from people; no device plays it.
    Rumour,
}

impl FaultKind {
    /// All kinds, in the order in which a form lists them.
    pub const ALL: [Self; 9] = [
        Self::Dead,
        Self::Frozen,
        Self::Spike,
        Self::Drift,
        Self::Shake,
        Self::Comms,
        Self::Power,
        Self::Breach,
        Self::Rumour,
    ];

    /// The word of scripts and of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Frozen => "frozen",
            Self::Spike => "spike",
            Self::Drift => "drift",
            Self::Shake => "shake",
            Self::Breach => "breach",
            Self::Comms => "comms",
            Self::Power => "power",
            Self::Rumour => "rumour",
        }
    }

    /// 传感器无值、数值冻结….
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Dead => "传感器无值",
            Self::Frozen => "数值冻结",
            Self::Spike => "数值突跳",
            Self::Drift => "数值漂移",
            Self::Shake => "石头震动",
            Self::Breach => "溃塌或决口",
            Self::Comms => "通信中断",
            Self::Power => "断电或欠压",
            Self::Rumour => "误报",
        }
    }

    /// The same in English.
    pub fn name_en(self) -> &'static str {
        match self {
            Self::Dead => "sensor gives no value",
            Self::Frozen => "value frozen",
            Self::Spike => "value jumps",
            Self::Drift => "value drifts",
            Self::Shake => "stone shakes",
            Self::Breach => "collapse or breach",
            Self::Comms => "communication cut",
            Self::Power => "power lost or low",
            Self::Rumour => "false report",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_words_are_those_of_the_wire_and_come_back() {
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(FaultKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(FaultKind::from_word("Dead"), None);
    }
}

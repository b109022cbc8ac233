//! Warning colours and working modes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A word that is not in the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} 不在可选之列 ({word:?} is not one of {known})")]
pub struct UnknownWord {
    /// What was written.
    pub word: String,
    /// The words that would have been understood.
    pub known: &'static str,
}

/// Warning colour (预警等级) and, by the basin plan, the response of the same rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum WarningLevel {
    /// No level.
    #[default]
    None,
    /// 蓝色 Ⅳ.
    Blue,
    /// 黄色 Ⅲ.
    Yellow,
    /// 橙色 Ⅱ.
    Orange,
    /// 红色 Ⅰ.
    Red,
}

impl WarningLevel {
    /// All levels, rising.
    pub const ALL: [Self; 5] = [Self::None, Self::Blue, Self::Yellow, Self::Orange, Self::Red];

    /// `none|blue|yellow|orange|red`, as on the wire.
    pub fn as_str(self) -> &'static str {
        ["none", "blue", "yellow", "orange", "red"][self.rank()]
    }
    /// 0 for none to 4 for red.
    pub fn rank(self) -> usize {
        self as usize
    }
    /// `IV|III|II|I`, empty for none.
    pub fn roman(self) -> &'static str {
        ["", "IV", "III", "II", "I"][self.rank()]
    }
    /// 无、蓝色、黄色、橙色、红色.
    pub fn name_zh(self) -> &'static str {
        ["无", "蓝色", "黄色", "橙色", "红色"][self.rank()]
    }
    /// The level whose response is called `roman`.
    pub fn from_roman(roman: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| !roman.is_empty() && level.roman() == roman)
    }
    /// The next lower level; none stays none.
    pub fn lower(self) -> Self {
        Self::ALL[self.rank().saturating_sub(1)]
    }
}

impl fmt::Display for WarningLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WarningLevel {
    type Err = UnknownWord;
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.to_owned(), known: "none, blue, yellow, orange, red" })
    }
}

/// Working mode (平时 / 节假日 / 重大活动 / 应急战时).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum WorkingMode {
    /// 平时.
    #[default]
    Normal,
    /// 节假日.
    Holiday,
    /// 重大活动.
    Event,
    /// 应急战时.
    Emergency,
}

impl WorkingMode {
    /// 平时、节假日、重大活动、应急战时.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Normal => "平时",
            Self::Holiday => "节假日",
            Self::Event => "重大活动",
            Self::Emergency => "应急战时",
        }
    }
}

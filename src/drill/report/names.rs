//! Names instead of ids: people (masked), places, orders, officers, levels, reasons; Chinese first.

use super::super::targets::target_names;
use super::Report;
use crate::model::{MemberId, PlaceId, WarningLevel, mask_name};
use crate::playbook::ORDER_NAMES;

const OFFICERS: [(&str, &str, &str); 3] = [
    ("drill-duty-a", "值班员甲（虚拟）", "duty officer A (virtual)"),
    ("drill-duty-b", "值班员乙（虚拟）", "duty officer B (virtual)"),
    ("drill-commander", "指挥长（虚拟）", "commander (virtual)"),
];
const ENDS: [(&str, &str); 6] = [
    ("superseded", "被更强指令取代 superseded"),
    ("stood-down", "降级撤回 stood down"),
    ("stopped", "事由已过 no longer needed"),
    ("recalled", "指挥部撤回 recalled"),
    ("settled", "险情已处置 hazard settled"),
    ("raised-again", "响应再次升级 level raised again"),
];

/// Which of the two languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    Zh,
    En,
}

impl Report<'_> {
    /// A text of the timeline with every id that has a name replaced by it; `*` is everywhere.
    pub(super) fn spoken(&self, text: &str, tongue: Tongue) -> String {
        let everywhere = if tongue == Tongue::Zh { ("（*）", "（全域）") } else { (" at *", " everywhere") };
        let text = text.replace(everywhere.0, everywhere.1);
        let is_id = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
        let (mut out, mut id) = (String::with_capacity(text.len()), String::new());
        for character in text.chars() {
            if is_id(character) {
                id.push(character);
                continue;
            }
            out.push_str(&self.name_of(&id, tongue));
            id.clear();
            out.push(character);
        }
        out.push_str(&self.name_of(&id, tongue));
        out
    }

    fn name_of(&self, id: &str, tongue: Tongue) -> String {
        let pick = |zh: &str, en: &str| if tongue == Tongue::Zh { zh.to_owned() } else { en.to_owned() };
        if let Some((_, zh, en)) = ORDER_NAMES.iter().chain(&OFFICERS).find(|(word, ..)| *word == id) {
            // "return" and the like are also English words; in English text the word itself will do.
            return if tongue == Tongue::En && !id.contains(['_', '-']) { id.to_owned() } else { pick(zh, en) };
        }
        match (self.core.reach.place(&PlaceId::new(id)), self.core.reach.member(&MemberId::new(id))) {
            (Some(place), _) => pick(&place.name_zh, &place.name_en),
            (None, Some(member)) => mask_name(&member.name),
            (None, None) => id.to_owned(),
        }
    }

    /// 李某某（mbr-105）: enough to find the person, masked as everywhere.
    pub(super) fn person(&self, id: &MemberId) -> String {
        let member = self.core.reach.member(id);
        member.map_or_else(|| id.to_string(), |member| format!("{}（{id}）", mask_name(&member.name)))
    }

    /// What an inject was aimed at, with the word of the script.
    pub(super) fn target_name(&self, id: &str) -> String {
        let (zh, _) = target_names(id, self.sensors, &self.core.reach);
        if zh == id { zh } else { format!("{zh}（{id}）") }
    }

    /// The name of a place.
    pub(super) fn place_name(&self, id: &PlaceId) -> String {
        self.core.reach.place(id).map_or_else(|| id.to_string(), |place| place.name_zh.clone())
    }
}

/// 蓝色（Ⅳ级）.
pub(super) fn level(level: WarningLevel) -> String {
    let numeral = ["", "（Ⅳ级）", "（Ⅲ级）", "（Ⅱ级）", "（Ⅰ级）"];
    format!("{}{}", level.name_zh(), numeral.get(level.rank()).copied().unwrap_or_default())
}

/// How a task came to its end without being done.
pub(super) fn ended(why: &str) -> &str {
    ENDS.iter().find(|(word, _)| *word == why).map_or(why, |(_, words)| words)
}

/// 队伍 as people say it; an unknown word stays as it is.
pub(in crate::drill) fn corps_zh(corps: &str) -> &str {
    match corps {
        "community" => "社区网格队",
        "rural" => "农村网格队",
        "squad" => "抢险队",
        "work" => "工程班组",
        "department" => "职能部门",
        "hq" => "指挥部",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drill_report_names_levels_and_ends() {
        assert_eq!(level(WarningLevel::Yellow), "黄色（Ⅲ级）");
        assert_eq!(level(WarningLevel::None), "无");
        assert_eq!(ended("stopped"), "事由已过 no longer needed");
        assert_eq!(ended("else"), "else");
    }
}

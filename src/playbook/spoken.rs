//! Signals and conditions in words, for people who do not read the trigger language.

use super::condition::{Comparison, Condition};
use super::fault::Words;
use super::signal::SignalKey;

/// Orders and notices of the trigger language: word, 中文, English.
pub const ORDER_NAMES: [(&str, &str, &str); 25] = [
    ("air_rescue", "空中救援", "air rescue"),
    ("army", "部队增援", "army support"),
    ("bridge_closed", "浮桥封闭", "bridge closed"),
    ("correct", "更正通报", "correction"),
    ("downgrade", "降级通报", "downgrade"),
    ("evac", "迁安命令", "evacuation"),
    ("evac_city", "城区转移命令", "evacuation of the city"),
    ("evac_city_done", "城区转移完成", "city evacuated"),
    ("evac_done", "迁安完成", "evacuation done"),
    ("evac_now", "立即撤离命令", "immediate evacuation"),
    ("open_farm_dike", "破除生产堤命令", "farm dike opened"),
    ("propose_emergency_period", "提请宣布紧急防汛期", "emergency period proposed"),
    ("raise_crest", "抢修子堤命令", "crest raised"),
    ("release_notice", "水库下泄通报", "release notice"),
    ("reservoir_distress", "水库险情通报", "reservoir in distress"),
    ("response_ended", "应急响应终止", "response ended"),
    ("retreat", "人员后撤命令", "crews retreat"),
    ("return", "群众返迁命令", "return home"),
    ("sediment_notice", "排沙通报", "sediment notice"),
    ("thunder", "雷电通报", "thunder notice"),
    ("thunder_over", "雷电解除", "thunder over"),
    ("underground_cleared", "地下空间清空", "underground cleared"),
    ("upper", "上级命令", "order from above"),
    ("upper_level", "上级响应级别", "level from above"),
    ("water_gone", "退水通报", "water gone"),
];

/// Hazards of the trigger language: word, 中文, English.
const HAZARD_NAMES: [(&str, &str, &str); 26] = [
    ("any", "任何工程险情", "any hazard of the works"),
    ("seepage", "渗水", "seepage"),
    ("piping", "管涌", "sand boil"),
    ("leak_tunnel", "漏洞", "leak tunnel"),
    ("slide", "滑坡", "slope slide"),
    ("crack", "裂缝", "crack"),
    ("bank_cave", "坍塌", "bank caving"),
    ("sinkhole", "陷坑", "sinkhole"),
    ("wave_scour", "风浪淘刷", "wave scour"),
    ("overtopping", "漫溢", "overtopping"),
    ("breach", "决口", "breach"),
    ("cross_flow", "横河顶冲", "cross current"),
    ("toe_stone_loss", "根石走失", "loss of toe stone"),
    ("stone_fall", "坠石", "falling stone"),
    ("face_stone_collapse", "坦石坍塌", "collapse of face stone"),
    ("dam_subsidence", "墩蛰", "sinking dam"),
    ("dam_collapse", "垮坝", "collapse of a dam"),
    ("back_scour", "溃膛", "cavity behind the face"),
    ("dam_back_erosion", "坝裆后溃", "erosion between dams"),
    ("dam_overflow", "坝顶漫水", "overflow of a dam"),
    ("gate_seepage", "涵闸渗水", "seepage at a gate"),
    ("gate_slip", "闸门失控", "gate failure"),
    ("sos", "SOS 求救", "SOS"),
    ("team_lost", "队伍失联", "crew out of contact"),
    ("rooftop", "群众被困", "people on roofs"),
    ("comms_down", "通信中断", "communications down"),
];

/// Where a tip is from, which is all that is known of its kind.
const TIP_NAMES: [(&str, &str, &str); 2] =
    [("public", "公众", "from the public"), ("event", "视频事件", "event of a camera")];

/// What the kind of a report is called: a hazard's, or where a tip is from.
pub fn report_name(word: &str) -> Words {
    let is_tip = TIP_NAMES.iter().any(|(known, ..)| *known == word);
    named(if is_tip { &TIP_NAMES } else { &HAZARD_NAMES }, word)
}

fn named(table: &[(&str, &str, &str)], word: &str) -> Words {
    table
        .iter()
        .find(|(known, ..)| *known == word)
        .map_or_else(|| Words::new(word, word), |(_, zh, en)| Words::new(*zh, *en))
}

impl SignalKey {
    /// What it stands for: `qf(24)` is 花园口 24 小时内最大预报流量.
    pub fn words(&self) -> Words {
        let first = self.number(0).map(|number| number.to_string()).unwrap_or_default();
        let word = self.word().unwrap_or_default();
        match self.name() {
            "order" => {
                let name = named(&ORDER_NAMES, word);
                Words::new(format!("已有{}", name.zh), format!("order or notice: {}", name.en))
            }
            "hazard" => {
                let name = named(&HAZARD_NAMES, word);
                Words::new(format!("有未销号险情（{}）", name.zh), format!("open hazard: {}", name.en))
            }
            "level" => Words::new(format!("{word} 级响应生效"), format!("response level {word} in force")),
            "season" if word == "pre_flood" => Words::new("汛前（5—6 月）", "before the flood season (May, June)"),
            "season" => Words::new("汛期（7—10 月）", "flood season (July to October)"),
            "qf" => Words::new(
                format!("花园口 {first} 小时内最大预报流量"),
                format!("highest forecast discharge at Huayuankou within {first} h"),
            ),
            "pqf" => {
                let hours = self.number(1).unwrap_or_default();
                Words::new(
                    format!("花园口 {hours} 小时内达到 {first} m³/s 的概率"),
                    format!("probability that Huayuankou comes to {first} m³/s within {hours} h"),
                )
            }
            "above" => {
                let hours = self.number(1).unwrap_or_default();
                Words::new(
                    format!("过去 {hours} 小时花园口流量一直大于 {first} m³/s"),
                    format!("the discharge at Huayuankou was above {first} m³/s through the last {hours} h"),
                )
            }
            "level_rise" => Words::new(format!("{first} 分钟水位涨幅"), format!("rise of the stage in {first} min")),
            "toe_eta" => Words::new(
                "预计偎堤还有几小时（已偎堤计 0）",
                "modelled hours until water reaches the toe (0 when there):",
            ),
            "stone_count_alarm" => Words::new(
                format!("{first} 分钟内同一坝报警石头数"),
                format!("stones of one dam in alarm within {first} min"),
            ),
            "stone_tilt" => {
                Words::new(format!("{first} 分钟内最大倾角变化"), format!("greatest change of tilt within {first} min"))
            }
            "stone_alarm" if word == "shake" => Words::new("智能石头抖动报警", "a smart stone reports shaking"),
            "stone_alarm" => Words::new("智能石头移位报警", "a smart stone reports displacement"),
            _ => self.spec().map_or_else(Words::default, |spec| {
                let zh = spec.meaning_zh.replace(" h ", &format!(" {first} "));
                Words::new(zh, spec.meaning_en.replace(" h hours", &format!(" {first} hours")))
            }),
        }
    }

    fn unit(&self) -> &'static str {
        self.spec().map_or("", |spec| spec.unit)
    }
}

impl Comparison {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AtLeast => ("达到", "reaches"),
            Self::Above => ("超过", "exceeds"),
            Self::AtMost => ("不高于", "is at most"),
            Self::Below => ("低于", "is below"),
            Self::Equal => ("等于", "is"),
            Self::Unequal => ("不等于", "is not"),
        }
    }
}

impl Condition {
    /// The condition as a sentence: 花园口流量达到 4000 m³/s 或 花园口 12 小时内最大预报流量达到 4000 m³/s.
    pub fn words(&self) -> Words {
        match self {
            Self::All(parts) => joined(parts, (" 且 ", " and ")),
            Self::Any(parts) => joined(parts, (" 或 ", " or ")),
            Self::Holds { signal, .. } => signal.words(),
            Self::Compare { signal, comparison, threshold, .. } => {
                let (name, unit, (zh, en)) = (signal.words(), signal.unit(), comparison.words());
                let value = format!("{threshold} {unit}");
                let value = value.trim_end();
                Words::new(format!("{}{zh} {value}", name.zh), format!("{} {en} {value}", name.en))
            }
        }
    }
}

fn joined(parts: &[Condition], (zh, en): (&str, &str)) -> Words {
    let (mut all_zh, mut all_en) = (Vec::new(), Vec::new());
    for part in parts {
        let words = part.words();
        let is_nested = matches!(part, Condition::All(_) | Condition::Any(_));
        all_zh.push(if is_nested { format!("（{}）", words.zh) } else { words.zh });
        all_en.push(if is_nested { format!("({})", words.en) } else { words.en });
    }
    Words::new(all_zh.join(zh), all_en.join(en))
}

#[cfg(test)]
mod tests {
    use super::super::signal::{HAZARD_WORDS, ORDERS, SPECS};
    use super::*;

    #[test]
    fn conditions_are_said_in_words() {
        let words = crate::playbook::parse_condition("q>=4000 or qf(12)>=4000").unwrap().words();
        assert_eq!(words.zh, "花园口流量达到 4000 m³/s 或 花园口 12 小时内最大预报流量达到 4000 m³/s");
        assert_eq!(
            words.en,
            "discharge at Huayuankou reaches 4000 m³/s or highest forecast discharge at Huayuankou within 12 h reaches 4000 m³/s"
        );
        let words = crate::playbook::parse_condition("order(\"evac\") and (rain(6)>50 or night())").unwrap().words();
        assert_eq!(words.zh, "已有迁安命令 且 （过去 6 小时雨量超过 50 mm 或 北京时间 18 时至次日 6 时）");
    }

    #[test]
    fn every_order_and_hazard_has_a_name() {
        assert_eq!(ORDER_NAMES.map(|(word, ..)| word), ORDERS);
        assert_eq!(HAZARD_NAMES.map(|(word, ..)| word), HAZARD_WORDS);
        assert!(SPECS.iter().all(|spec| !spec.meaning_zh.is_empty()));
    }
}

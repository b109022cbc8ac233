//! The vocabulary of the trigger language: every function, what it means, and who answers it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What an argument of a function may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// A whole number from 1 to 100000; the text says of what.
    Number(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// Whether a function gives a number to compare or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// A number, to be compared.
    Number,
    /// Yes or no; stored as 1 or 0.
    Answer,
}

/// Who answers a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A sensor, the forecast or the twin, once for the whole reach.
    Reach,
    /// A sensor or the twin, for each place.
    Place,
    /// The command: levels, orders, hazards.
    Standing,
}

/// Which end of a range of local values is the dangerous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worst {
    /// The greatest.
    Max,
    /// The least.
    Min,
}

/// One function of the trigger language.
#[derive(Debug)]
pub struct SignalSpec {
    /// As written.
    pub name: &'static str,
    /// Its arguments, all required.
    pub args: &'static [ArgKind],
    /// What comes out.
    pub yields: Yields,
    /// Who answers.
    pub answered: Answered,
    /// Which of several local values counts where one is needed.
    pub worst: Worst,
    /// Unit of the number, empty for an answer.
    pub unit: &'static str,
    /// 含义.
    pub meaning_zh: &'static str,
    /// Meaning.
    pub meaning_en: &'static str,
}

/// Every word that `hazard()` takes: `any`, then the kinds of the works, then people and communications.
pub const HAZARD_WORDS: &[&str] = &[
    "any",
    "seepage",
    "piping",
    "leak_tunnel",
    "slide",
    "crack",
    "bank_cave",
    "sinkhole",
    "wave_scour",
    "overtopping",
    "breach",
    "cross_flow",
    "toe_stone_loss",
    "stone_fall",
    "face_stone_collapse",
    "dam_subsidence",
    "dam_collapse",
    "back_scour",
    "dam_back_erosion",
    "dam_overflow",
    "gate_seepage",
    "gate_slip",
    "sos",
    "team_lost",
    "rooftop",
    "comms_down",
];
/// Where the kinds of the works begin among the words, and how many there are.
const WORKS: (usize, usize) = (1, 21);

/// Hazard kinds of the levee, the dams and the gates: what `hazard("any")` means.
pub const WORKS_HAZARDS: &[&str] = HAZARD_WORDS.split_at(WORKS.0).1.split_at(WORKS.1).0;

/// Orders and registered notices that `order()` may ask for.
pub const ORDERS: &[&str] = &[
    "air_rescue",
    "army",
    "bridge_closed",
    "correct",
    "downgrade",
    "evac",
    "evac_city",
    "evac_city_done",
    "evac_done",
    "evac_now",
    "open_farm_dike",
    "propose_emergency_period",
    "raise_crest",
    "release_notice",
    "reservoir_distress",
    "response_ended",
    "retreat",
    "return",
    "sediment_notice",
    "thunder",
    "thunder_over",
    "underground_cleared",
    "upper",
    "upper_level",
    "water_gone",
];

/// Name of the registered notice that also answers `intrusion("river")`.
pub const INTRUSION_NOTICE: &str = "intrusion_river";

const HOURS: ArgKind = ArgKind::Number("h");
const MINUTES: ArgKind = ArgKind::Number("min");

macro_rules! specs {
    ($($name:literal [$($arg:expr),*] $yields:ident $answered:ident $worst:ident $unit:literal $zh:literal $en:literal;)*) => {
        &[$(SignalSpec {
            name: $name, args: &[$($arg),*], yields: Yields::$yields, answered: Answered::$answered,
            worst: Worst::$worst, unit: $unit, meaning_zh: $zh, meaning_en: $en,
        }),*]
    };
}

/// All functions, by name.
pub static SPECS: &[SignalSpec] = specs! {
    "above" [ArgKind::Number("m³/s"), HOURS] Answer Reach Max "" "过去 h 小时花园口流量一直大于 q" "the discharge at Huayuankou was above q through the last h hours";
    "data_gap" [ArgKind::Word(&["hyk"])] Number Reach Max "min" "花园口站断数分钟数" "minutes without a usable value of Huayuankou";
    "depth_city" [] Number Place Max "m" "模型计算的堤背街区水深" "modelled depth behind the levee";
    "depth_village" [] Number Place Max "m" "模型计算的村庄水深" "modelled depth in the village";
    "falling" [HOURS] Answer Reach Max "" "过去 h 小时流量持续回落" "the discharge has been falling through h hours";
    "false_alarm" [] Answer Standing Max "" "险情已核实为误报" "the hazard was found to be nothing";
    "grade" [] Number Standing Max "" "险情级别：1 一般，2 较大，3 重大" "grade of the hazard, 1 to 3";
    "hazard" [ArgKind::Word(HAZARD_WORDS)] Answer Standing Max "" "该处有此类未销号险情" "an open hazard of this kind touches the place";
    "intrusion" [ArgKind::Word(&["river"])] Answer Place Max "" "有人闯入涉水区" "someone has entered the water's edge";
    "level" [ArgKind::Word(&["I", "II", "III", "IV"])] Answer Standing Max "" "正在生效的响应级别" "the response level in force";
    "level_rise" [MINUTES] Number Place Max "m" "窗口内水位涨幅" "rise of the stage within the window";
    "night" [] Answer Reach Max "" "北京时间 18 时至次日 6 时" "between 18:00 and 06:00 Beijing time";
    "order" [ArgKind::Word(ORDERS)] Answer Standing Max "" "已签发的命令或已登记的通知" "an order issued or a notice registered";
    "overtop" [HOURS] Number Place Min "m" "h 小时内最小预报超高" "smallest forecast freeboard within h hours";
    "pct_shelter" [] Number Place Max "%" "安置点已用比例" "share of the shelter in use";
    "pqf" [ArgKind::Number("m³/s"), HOURS] Number Reach Max "%" "预报流量在 h 小时内达到 q 的概率" "probability that the forecast discharge reaches q within h hours";
    "q" [] Number Reach Max "m³/s" "花园口流量" "discharge at Huayuankou";
    "qf" [HOURS] Number Reach Max "m³/s" "h 小时内最大预报流量" "highest forecast discharge within h hours";
    "rain" [HOURS] Number Place Max "mm" "过去 h 小时雨量" "rain of the last h hours";
    "resolved" [] Answer Standing Max "" "险情已处置并确认" "the hazard is dealt with and confirmed";
    "season" [ArgKind::Word(&["pre_flood", "flood"])] Answer Reach Max "" "汛前（5—6 月）或汛期（7—10 月）" "pre-flood (May, June) or flood season (July to October)";
    "stone_alarm" [ArgKind::Word(&["shake", "move"])] Answer Place Max "" "智能石头抖动或移位报警" "a smart stone reports shaking or displacement";
    "stone_count_alarm" [MINUTES] Number Place Max "" "窗口内同一坝报警石头数" "stones of one dam in alarm within the window";
    "stone_offline" [HOURS] Number Place Max "" "离线超过 h 小时的石头数" "stones without data for h hours";
    "stone_tilt" [MINUTES] Number Place Max "°" "窗口内最大倾角变化" "greatest change of tilt within the window";
    "toe" [] Number Place Max "m" "责任堤段堤脚最大水深" "deepest water at the toe of the segment";
    "toe_eta" [] Number Place Min "h" "预计偎堤还有多少小时，已偎堤为 0" "modelled hours until water reaches the toe, 0 when there";
    "wave" [] Number Place Max "m" "波高" "wave height";
    "wind" [] Number Place Max "m/s" "风速" "wind speed";
    "z_crest_gap" [] Number Place Min "m" "预报堤顶超高" "forecast crest height minus stage";
};

/// The function of that name.
pub fn spec(name: &str) -> Option<&'static SignalSpec> {
    SPECS.binary_search_by(|spec| spec.name.cmp(name)).ok().and_then(|index| SPECS.get(index))
}

/// One argument of a signal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arg {
    /// A whole number.
    Number(u32),
    /// A word in quotes.
    Word(Arc<str>),
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => write!(f, "\"{word}\""),
        }
    }
}

/// A function with its arguments: `q`, `qf(24)`, `hazard("piping")`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalKey {
    name: &'static str,
    args: Vec<Arg>,
}

/// A signal that the language does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnknownSignal {
    /// What is wrong, in both languages, one after the other.
    pub message: String,
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl UnknownSignal {
    fn new(zh: String, en: String) -> Self {
        Self { message: format!("{zh} {en}"), zh, en }
    }
}

impl SignalKey {
    /// Checks name and arguments against the vocabulary.
    ///
    /// # Errors
    /// The name or an argument is not in the language.
    pub fn new(name: &str, args: Vec<Arg>) -> Result<Self, UnknownSignal> {
        let Some(spec) = spec(name) else {
            return Err(UnknownSignal::new(
                format!("没有信号 {name}（可用：{}）", known_names()),
                format!("no signal {name} (there are: {})", known_names()),
            ));
        };
        if args.len() != spec.args.len() {
            return Err(UnknownSignal::new(
                format!("{name} 需要 {} 个参数，给了 {} 个", spec.args.len(), args.len()),
                format!("{name} takes {} arguments, {} given", spec.args.len(), args.len()),
            ));
        }
        for (arg, kind) in args.iter().zip(spec.args) {
            check_arg(name, arg, *kind)?;
        }
        Ok(Self { name: spec.name, args })
    }
    /// A signal without arguments; `None` for a name that has none or is unknown.
    pub fn plain(name: &str) -> Option<Self> {
        Self::new(name, Vec::new()).ok()
    }
    /// `q`.
    pub fn discharge() -> Self {
        Self { name: "q", args: Vec::new() }
    }
    /// `qf(hours)`.
    pub fn forecast(hours: u32) -> Self {
        Self { name: "qf", args: vec![Arg::Number(hours)] }
    }
    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// Its arguments.
    pub fn args(&self) -> &[Arg] {
        &self.args
    }
    /// The number in place `index`.
    pub fn number(&self, index: usize) -> Option<u32> {
        match self.args.get(index) {
            Some(Arg::Number(number)) => Some(*number),
            _ => None,
        }
    }
    /// The word in the first place.
    pub fn word(&self) -> Option<&str> {
        match self.args.first() {
            Some(Arg::Word(word)) => Some(word),
            _ => None,
        }
    }
    /// What the vocabulary says about the function.
    pub fn spec(&self) -> Option<&'static SignalSpec> {
        spec(self.name)
    }
}

fn known_names() -> String {
    SPECS.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ")
}

fn check_arg(name: &str, arg: &Arg, kind: ArgKind) -> Result<(), UnknownSignal> {
    match (arg, kind) {
        (Arg::Number(number), ArgKind::Number(_)) if (1..=100_000).contains(number) => Ok(()),
        (_, ArgKind::Number(unit)) => Err(UnknownSignal::new(
            format!("{name} 的参数 {arg} 应为 1 到 100000 的整数（{unit}）"),
            format!("{name}: argument {arg} must be a whole number of {unit} from 1 to 100000"),
        )),
        (Arg::Word(word), ArgKind::Word(words)) if words.contains(&&**word) => Ok(()),
        (_, ArgKind::Word(words)) => Err(UnknownSignal::new(
            format!("{name} 不认识 {arg}（可用：{}）", words.join(", ")),
            format!("{name} does not know {arg} (there are: {})", words.join(", ")),
        )),
    }
}

impl fmt::Display for SignalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        let is_bare_function =
            self.args.is_empty() && matches!(self.spec().map(|spec| spec.yields), Some(Yields::Answer));
        if is_bare_function || self.name == "toe_eta" {
            return f.write_str("()");
        }
        for (index, arg) in self.args.iter().enumerate() {
            f.write_str(if index == 0 { "(" } else { "," })?;
            write!(f, "{arg}")?;
        }
        if self.args.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl FromStr for SignalKey {
    type Err = UnknownSignal;
    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        super::parse::signal(text).map_err(|fault| UnknownSignal::new(fault.zh, fault.en))
    }
}

impl Serialize for SignalKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SignalKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(SPECS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert_eq!((WORKS_HAZARDS.first(), WORKS_HAZARDS.last()), (Some(&"seepage"), Some(&"gate_slip")));
    }

    #[test]
    fn keys_survive_their_text() {
        for text in
            ["q", "qf(24)", "toe_eta()", "above(4000,72)", "hazard(\"piping\")", "grade", "night()", "resolved()"]
        {
            assert_eq!(text.parse::<SignalKey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (text, word) in [
            ("qq", "qq"),
            ("qf", "0 given"),
            ("qf(\"a\")", "whole number"),
            ("hazard(\"fire\")", "fire"),
            ("level(\"V\")", "\"V\""),
            ("qf(0)", "1 to 100000"),
        ] {
            let fault = text.parse::<SignalKey>().unwrap_err();
            assert!(fault.en.contains(word), "{text}: {fault}");
        }
    }
}

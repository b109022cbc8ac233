//! The dictionary of elements (要素): identifier, mnemonic, names, unit and nominal digits.

use std::fmt;

/// Identifier of an element: one byte, or FF and one more for those of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementId {
    /// Of the standard.
    Standard(u8),
    /// After FF.
    User(u8),
}

impl ElementId {
    /// From `39`, `FF05` or the mnemonic `Z`.
    pub fn of_text(text: &str) -> Option<Self> {
        if let Some(known) = of_mnemonic(text) {
            return Some(Self::Standard(known.id));
        }
        let number = u16::from_str_radix(text, 16).ok()?;
        match (text.len(), number.to_be_bytes()) {
            (2, [0, id]) => Some(Self::Standard(id)),
            (4, [0xff, id]) => Some(Self::User(id)),
            _ => None,
        }
    }
    /// What the standard says about it.
    pub fn known(self) -> Option<&'static Known> {
        match self {
            Self::Standard(id) => of_id(id),
            Self::User(_) => None,
        }
    }
}

impl fmt::Display for ElementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(id) => write!(f, "{id:02X}"),
            Self::User(id) => write!(f, "FF{id:02X}"),
        }
    }
}

/// An element of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Identifier in HEX frames.
    pub id: u8,
    /// Identifier in ASCII frames.
    pub mnemonic: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Unit of its values, empty where it has none.
    pub unit: &'static str,
    /// Digits before and after the decimal point where the standard fixes them; (0, 0) where not.
    pub form: (u8, u8),
    /// Quantity as series are named, empty where this project has no word.
    pub quantity: &'static str,
}

macro_rules! elements {
    ($($id:literal $mnemonic:literal $zh:literal $en:literal $unit:literal $form:expr, $quantity:literal;)*) => {
        &[$(Known { id: $id, mnemonic: $mnemonic, name_zh: $zh, name_en: $en, unit: $unit, form: $form, quantity: $quantity },)*]
    };
}

/// In the order of their identifiers.
const KNOWN: &[Known] = elements! {
    0x01 "AC" "断面面积" "section area" "m²" (6, 2), "";
    0x02 "AI" "瞬时气温" "air temperature" "°C" (2, 1), "air_temperature";
    0x03 "C" "瞬时水温" "water temperature" "°C" (2, 1), "water_temperature";
    0x04 "DRxnn" "时间步长码" "time step" "" (0, 0), "";
    0x05 "DT" "时段长" "length of the period" "" (0, 0), "";
    0x06 "ED" "日蒸发量" "daily evaporation" "mm" (0, 0), "";
    0x07 "EJ" "当前蒸发" "current evaporation" "mm" (0, 0), "";
    0x08 "FL" "气压" "air pressure" "hPa" (5, 0), "air_pressure";
    0x09 "GH" "闸坝、水库闸门开启高度" "gate opening" "m" (3, 2), "gate_opening";
    0x0a "GN" "输水设备编号" "gate number" "" (0, 0), "";
    0x0b "GS" "输水设备类别" "kind of gate" "" (0, 0), "";
    0x0c "GT" "闸门开启孔数" "gates open" "" (0, 0), "";
    0x0d "GTP" "地温" "ground temperature" "°C" (0, 0), "";
    0x0e "H" "地下水埋深" "depth of groundwater" "m" (0, 0), "groundwater_depth";
    0x0f "HW" "波浪高度" "wave height" "m" (3, 2), "wave_height";
    0x10 "M10" "10 cm 土壤含水量" "soil moisture at 10 cm" "%" (0, 0), "";
    0x11 "M20" "20 cm 土壤含水量" "soil moisture at 20 cm" "%" (0, 0), "";
    0x12 "M30" "30 cm 土壤含水量" "soil moisture at 30 cm" "%" (0, 0), "";
    0x13 "M40" "40 cm 土壤含水量" "soil moisture at 40 cm" "%" (0, 0), "";
    0x14 "M50" "50 cm 土壤含水量" "soil moisture at 50 cm" "%" (0, 0), "";
    0x15 "M60" "60 cm 土壤含水量" "soil moisture at 60 cm" "%" (0, 0), "";
    0x16 "M80" "80 cm 土壤含水量" "soil moisture at 80 cm" "%" (0, 0), "";
    0x17 "M100" "100 cm 土壤含水量" "soil moisture at 100 cm" "%" (0, 0), "";
    0x18 "MST" "湿度" "humidity" "%" (0, 0), "humidity";
    0x1a "P1" "1 小时降水量" "rain of 1 h" "mm" (4, 1), "rain_1h";
    0x1b "P2" "2 小时降水量" "rain of 2 h" "mm" (4, 1), "rain_2h";
    0x1c "P3" "3 小时降水量" "rain of 3 h" "mm" (4, 1), "rain_3h";
    0x1d "P6" "6 小时降水量" "rain of 6 h" "mm" (4, 1), "rain_6h";
    0x1e "P12" "12 小时降水量" "rain of 12 h" "mm" (4, 1), "rain_12h";
    0x1f "PD" "日降水量" "rain of the day" "mm" (4, 1), "rain_day";
    0x20 "PJ" "当前降水量" "rain since 08:00" "mm" (4, 1), "rain_today";
    0x21 "PN01" "1 分钟降水量" "rain of 1 min" "mm" (4, 1), "rain_1min";
    0x22 "PN05" "5 分钟降水量" "rain of 5 min" "mm" (4, 1), "rain_5min";
    0x23 "PN10" "10 分钟降水量" "rain of 10 min" "mm" (4, 1), "rain_10min";
    0x24 "PN30" "30 分钟降水量" "rain of 30 min" "mm" (4, 1), "rain_30min";
    0x25 "PR" "暴雨量" "rain of the storm" "mm" (4, 1), "rain_storm";
    0x26 "PT" "降水量累计值" "accumulated rain" "mm" (5, 1), "rain";
    0x27 "Q" "瞬时流量" "discharge" "m³/s" (6, 3), "discharge";
    0x28 "Q1" "取（排）水口流量 1" "discharge of intake 1" "m³/s" (6, 3), "";
    0x29 "Q2" "取（排）水口流量 2" "discharge of intake 2" "m³/s" (6, 3), "";
    0x2a "Q3" "取（排）水口流量 3" "discharge of intake 3" "m³/s" (6, 3), "";
    0x2b "Q4" "取（排）水口流量 4" "discharge of intake 4" "m³/s" (6, 3), "";
    0x2c "Q5" "取（排）水口流量 5" "discharge of intake 5" "m³/s" (6, 3), "";
    0x2d "Q6" "取（排）水口流量 6" "discharge of intake 6" "m³/s" (6, 3), "";
    0x2e "Q7" "取（排）水口流量 7" "discharge of intake 7" "m³/s" (6, 3), "";
    0x2f "Q8" "取（排）水口流量 8" "discharge of intake 8" "m³/s" (6, 3), "";
    0x30 "QA" "总出库流量、过闸总流量" "total outflow" "m³/s" (6, 3), "outflow";
    0x31 "QZ" "输水设备流量、过闸（组）流量" "outflow of a sluice" "m³/s" (6, 3), "";
    0x32 "SW" "输沙量" "sediment transport" "10⁴ t" (0, 0), "";
    0x33 "UC" "风向" "wind direction" "" (0, 0), "";
    0x34 "UE" "风力" "wind force" "" (0, 0), "";
    0x35 "US" "风速" "wind speed" "m/s" (3, 1), "wind_speed";
    0x36 "VA" "断面平均流速" "mean velocity of the section" "m/s" (2, 3), "velocity";
    0x37 "VJ" "当前瞬时流速" "velocity at a point" "m/s" (0, 0), "point_velocity";
    0x38 "VT" "电源电压" "battery voltage" "V" (2, 2), "battery";
    0x39 "Z" "瞬时河道水位、潮位" "stage" "m" (4, 3), "stage";
    0x3a "ZB" "库（闸、站）下水位" "stage below the sluice" "m" (4, 3), "stage_below";
    0x3b "ZU" "库（闸、站）上水位" "stage above the sluice" "m" (4, 3), "stage_above";
    0x3c "Z1" "取（排）水口水位 1" "stage of point 1" "m" (4, 3), "";
    0x3d "Z2" "取（排）水口水位 2" "stage of point 2" "m" (4, 3), "";
    0x3e "Z3" "取（排）水口水位 3" "stage of point 3" "m" (4, 3), "";
    0x3f "Z4" "取（排）水口水位 4" "stage of point 4" "m" (4, 3), "";
    0x40 "Z5" "取（排）水口水位 5" "stage of point 5" "m" (4, 3), "";
    0x41 "Z6" "取（排）水口水位 6" "stage of point 6" "m" (4, 3), "";
    0x42 "Z7" "取（排）水口水位 7" "stage of point 7" "m" (4, 3), "";
    0x43 "Z8" "取（排）水口水位 8" "stage of point 8" "m" (4, 3), "";
    0x44 "SQ" "含沙量" "sediment concentration" "kg/m³" (6, 3), "sediment";
    0x45 "ZT" "遥测站状态及报警信息" "status and alarms" "" (0, 0), "";
    0x46 "pH" "pH 值" "pH" "" (0, 0), "";
    0x47 "DO" "溶解氧" "dissolved oxygen" "mg/L" (0, 0), "";
    0x48 "COND" "电导率" "conductivity" "µS/cm" (0, 0), "";
    0x49 "TURB" "浊度" "turbidity" "" (0, 0), "";
    0x70 "VTA" "A 相电压" "voltage of phase A" "V" (0, 0), "";
    0x71 "VTB" "B 相电压" "voltage of phase B" "V" (0, 0), "";
    0x72 "VTC" "C 相电压" "voltage of phase C" "V" (0, 0), "";
    0x73 "VIA" "A 相电流" "current of phase A" "A" (0, 0), "";
    0x74 "VIB" "B 相电流" "current of phase B" "A" (0, 0), "";
    0x75 "VIC" "C 相电流" "current of phase C" "A" (0, 0), "";
    0xf0 "TT" "观测时间" "time of observation" "" (0, 0), "";
    0xf1 "ST" "测站编码" "station" "" (0, 0), "";
    0xf2 "RGZS" "人工置数" "text by hand" "" (0, 0), "";
    0xf3 "PIC" "图片" "picture" "" (0, 0), "";
    0xf4 "DRP" "1 小时内每 5 分钟时段雨量" "rain of each 5 min" "mm" (0, 0), "rain_5min";
    0xf5 "DRZ1" "1 小时内 5 分钟间隔相对水位 1" "stage above the base at each 5 min, 1" "m" (0, 0), "stage";
    0xf6 "DRZ2" "1 小时内 5 分钟间隔相对水位 2" "stage above the base at each 5 min, 2" "m" (0, 0), "stage_below";
    0xf7 "DRZ3" "1 小时内 5 分钟间隔相对水位 3" "stage above the base at each 5 min, 3" "m" (0, 0), "";
    0xf8 "DRZ4" "1 小时内 5 分钟间隔相对水位 4" "stage above the base at each 5 min, 4" "m" (0, 0), "";
    0xf9 "DRZ5" "1 小时内 5 分钟间隔相对水位 5" "stage above the base at each 5 min, 5" "m" (0, 0), "";
    0xfa "DRZ6" "1 小时内 5 分钟间隔相对水位 6" "stage above the base at each 5 min, 6" "m" (0, 0), "";
    0xfb "DRZ7" "1 小时内 5 分钟间隔相对水位 7" "stage above the base at each 5 min, 7" "m" (0, 0), "";
    0xfc "DRZ8" "1 小时内 5 分钟间隔相对水位 8" "stage above the base at each 5 min, 8" "m" (0, 0), "";
};

/// The element of an identifier.
pub fn of_id(id: u8) -> Option<&'static Known> {
    KNOWN.binary_search_by_key(&id, |known| known.id).ok().and_then(|at| KNOWN.get(at))
}

/// The element of a mnemonic, capital or small.
pub fn of_mnemonic(mnemonic: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.mnemonic.eq_ignore_ascii_case(mnemonic))
}

/// Whether values of the element are rain of a span that ends (not the sum that is never reset).
pub(super) fn is_rain_of_a_span(id: ElementId) -> bool {
    matches!(id, ElementId::Standard(0x1a..=0x25))
}

/// Names of the status bits (element 45) that are set to their event: 0 is the event of door and pump.
pub fn status_events(bits: u32) -> Vec<(u8, &'static str, &'static str)> {
    const BITS: [(u8, bool, &str, &str); 12] = [
        (0, true, "交流电停电", "mains off"),
        (1, true, "蓄电池电压低", "battery low"),
        (2, true, "水位超限报警", "stage alarm"),
        (3, true, "流量超限报警", "discharge alarm"),
        (4, true, "水质超限报警", "quality alarm"),
        (5, true, "流量仪表故障", "flow meter fault"),
        (6, true, "水位仪表故障", "stage gauge fault"),
        (7, false, "终端箱门开启", "door open"),
        (8, true, "存储器异常", "memory fault"),
        (9, true, "IC 卡有效", "IC card in use"),
        (10, false, "水泵工作", "pump running"),
        (11, true, "剩余水量超限", "remaining water past its limit"),
    ];
    let set = |bit: u8, event: bool| (bits >> bit & 1 == 1) == event;
    BITS.into_iter().filter(|(bit, event, ..)| set(*bit, *event)).map(|(bit, _, zh, en)| (bit, zh, en)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sl651_dictionary_is_sorted_and_unambiguous() {
        assert!(KNOWN.is_sorted_by(|a, b| a.id < b.id));
        let mnemonics: BTreeSet<String> = KNOWN.iter().map(|known| known.mnemonic.to_uppercase()).collect();
        assert_eq!(mnemonics.len(), KNOWN.len());
        assert_eq!(of_id(0x39).unwrap().mnemonic, "Z");
        assert_eq!(of_mnemonic("pt").unwrap().id, 0x26);
    }

    #[test]
    fn sl651_element_ids_from_text() {
        for (text, id) in [
            ("39", Some(ElementId::Standard(0x39))),
            ("Z", Some(ElementId::Standard(0x39))),
            ("FF05", Some(ElementId::User(5))),
            ("0105", None),
            ("", None),
            ("水位", None),
        ] {
            assert_eq!(ElementId::of_text(text), id, "{text}");
        }
    }

    #[test]
    fn sl651_status_bits_with_their_inverted_ones() {
        // Bit 10 set: the pump stands; bit 7 clear: the door is open.
        let bits: Vec<u8> = status_events(0x0400).into_iter().map(|(bit, ..)| bit).collect();
        assert_eq!(bits, [7]);
        let bits: Vec<u8> = status_events(0x0083).into_iter().map(|(bit, ..)| bit).collect();
        assert_eq!(bits, [0, 1, 10]);
    }
}

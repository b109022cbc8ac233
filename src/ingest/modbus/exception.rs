//! Exception answers by name, and what each asks of us (Modbus application protocol V1.1b3, section 7).

use std::fmt;

/// A refusal by a device or gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception(pub u8);

/// What to do after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Ask the same again in a moment: the device works on it or is busy.
    Retry,
    /// The unit fails as if it had not answered: ask it ever more rarely.
    BackOff,
    /// Asking again changes nothing: the profile or the device must be changed; say so and look again now and then.
    GiveUp,
}

impl Exception {
    /// Chinese and English name.
    pub fn names(self) -> (&'static str, &'static str) {
        match self.0 {
            1 => ("非法功能", "illegal function"),
            2 => ("非法数据地址", "illegal data address"),
            3 => ("非法数据值", "illegal data value"),
            4 => ("从站设备故障", "device failure"),
            5 => ("已接受，处理中", "acknowledged, still working"),
            6 => ("从站设备忙", "device busy"),
            8 => ("存储奇偶校验错", "memory parity error"),
            10 => ("网关路径不可用", "gateway path unavailable"),
            11 => ("网关目标设备无响应", "gateway target failed to respond"),
            _ => ("未知异常码", "unknown exception"),
        }
    }
    /// What it asks of us.
    pub fn reaction(self) -> Reaction {
        match self.0 {
            1..=3 => Reaction::GiveUp,
            5 | 6 => Reaction::Retry,
            _ => Reaction::BackOff,
        }
    }
    /// Whether the refused registers, not the device, may be the reason: a part of them may be had.
    pub(super) fn is_about_address(self) -> bool {
        matches!(self.0, 2 | 3)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (zh, en) = self.names();
        write!(f, "{:02X} {zh} ({en})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_and_a_reaction() {
        let check = |code: u8, words: &str, reaction: Reaction| {
            let exception = Exception(code);
            assert!(exception.to_string().contains(words), "{exception}");
            assert_eq!(exception.reaction(), reaction, "{exception}");
        };
        check(1, "01 非法功能 (illegal function)", Reaction::GiveUp);
        check(2, "illegal data address", Reaction::GiveUp);
        check(3, "非法数据值", Reaction::GiveUp);
        check(4, "device failure", Reaction::BackOff);
        check(5, "still working", Reaction::Retry);
        check(6, "设备忙", Reaction::Retry);
        check(8, "parity", Reaction::BackOff);
        check(10, "0A 网关路径不可用", Reaction::BackOff);
        check(11, "0B 网关目标设备无响应 (gateway target failed to respond)", Reaction::BackOff);
        check(0x55, "unknown", Reaction::BackOff);
    }
}

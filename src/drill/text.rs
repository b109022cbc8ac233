//! Text of a drill: it always begins with 【演练】, so that nobody in the field can take it for an order.

use std::fmt;

/// The mark that opens every text of a drill.
pub const MARK: &str = "【演练】";

/// Words that leave a drill. There is no other way to make one than [`DrillText::new`], which marks it.
///
/// What a live channel sends is text of its own kind; a drill's cannot be handed to it:
///
/// ```compile_fail
/// fn send_live(text: String) {}
/// send_live(anlan::drill::DrillText::new("涵闸关闭"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillText(String);

impl DrillText {
    /// Marks the words, once.
    pub fn new(words: impl AsRef<str>) -> Self {
        let words = words.as_ref().trim();
        Self(if words.starts_with(MARK) { words.to_owned() } else { format!("{MARK}{words}") })
    }
    /// The marked words, for the drill's own journal and report.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
    pub(super) fn into_input(self) -> String {
        self.0
    }
}

impl fmt::Display for DrillText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drill_text_is_marked_once() {
        assert_eq!(DrillText::new("关闸").to_string(), "【演练】关闸");
        assert_eq!(DrillText::new("【演练】关闸").as_str(), "【演练】关闸");
        assert_eq!(DrillText::new("  ").to_string(), "【演练】");
    }
}

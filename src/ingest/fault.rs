//! A fault in a data file, told so that the reader can go there and mend it.

use std::ops::Range;

/// What is wrong at which place of which file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}; {remedy}")]
pub struct FileFault {
    /// The file as it was named to us.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl FileFault {
    /// A fault at a line and column.
    pub fn at(file: &str, line: usize, column: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, column, what: what.into(), remedy: remedy.into() }
    }
    /// A fault at a byte range of the text.
    pub fn span(
        file: &str,
        text: &str,
        span: Range<usize>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        Self::at(file, line, column, what, remedy)
    }
    /// What the TOML reader objected to.
    pub fn toml(file: &str, text: &str, cause: &toml::de::Error) -> Self {
        let why = cause.message().trim().replace('\n', " ");
        let what = format!("{} ({why})", reader_says(&why).0);
        Self::span(file, text, cause.span().unwrap_or(0..0), what, "mend this line (修改此行)")
    }
}

/// The text of a file, or a fault that says how to save it anew.
///
/// # Errors
/// When the bytes are not UTF-8: most likely GBK, as some spreadsheets write.
pub fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, FileFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|cause| {
        let good = bytes.get(..cause.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = good.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1;
        let (_, _, broken) = encoding_rs::GBK.decode(bytes);
        let kind = if broken { "not UTF-8 text" } else { "not UTF-8 but looks like GBK (GBK 编码)" };
        FileFault::at(file, line, column, kind, "save it as UTF-8 (另存为 UTF-8) and load it again")
    })
}

/// The Chinese of what a reader of JSON or TOML says, and the field that it names.
pub fn reader_says(why: &str) -> (&'static str, Option<&str>) {
    let quoted = why.split('`').nth(1);
    let known = [
        ("missing field", "缺少字段", quoted),
        ("unknown field", "没有这个字段", quoted),
        ("unknown variant", "不在可选之列", None),
        ("invalid type", "类型不对", None),
        ("invalid value", "值不可用", None),
        ("invalid length", "个数不对", None),
        ("duplicate", "重复", quoted),
        ("EOF while", "内容不完整", None),
        ("expected", "书写有误", None),
        ("unclosed", "括号或引号没有闭合", None),
        ("un", "书写有误", None),
        ("invalid", "书写有误", None),
    ];
    let found = known.into_iter().find(|(begins, ..)| why.starts_with(begins));
    found.map_or(("不合要求", None), |(_, zh, field)| (zh, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gbk_is_refused_with_words() {
        let (gbk, _, _) = encoding_rs::GBK.encode("time\n花园口");
        let fault = utf8("x.csv", &gbk).expect_err("GBK is not UTF-8");
        assert_eq!((fault.line, fault.column), (2, 1));
        assert!(fault.to_string().contains("GBK") && fault.to_string().contains("UTF-8"), "{fault}");
    }

    #[test]
    fn a_span_becomes_line_and_column() {
        let fault = FileFault::span("a.toml", "一\n二三 x", 11..12, "w", "r");
        assert_eq!(fault.to_string(), "a.toml:2:4: w; r");
    }
}

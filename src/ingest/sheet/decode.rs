//! The text behind the bytes of a CSV file: UTF-8 with or without mark, UTF-16 with mark, else GBK as WPS writes it.

use super::SheetError;

/// Text and the name of its encoding.
///
/// # Errors
/// Bytes that are no text in any of these.
pub(super) fn text_of(bytes: &[u8]) -> Result<(String, &'static str), SheetError> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default());
        return if broken { Err(broken_at(&text, encoding.name())) } else { Ok((text.into_owned(), encoding.name())) };
    }
    if bytes.contains(&0) {
        return Err(SheetError::NoTable);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), "UTF-8"));
    }
    let (text, broken) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if broken { Err(broken_at(&text, "GBK")) } else { Ok((text.into_owned(), "GBK")) }
}

fn broken_at(text: &str, encoding: &'static str) -> SheetError {
    let good = text.split(char::REPLACEMENT_CHARACTER).next().unwrap_or_default();
    SheetError::Encoding { line: good.matches('\n').count() + 1, encoding }
}

/// The separator that the first lines use most evenly.
pub(super) fn separator(text: &str) -> u8 {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    let score = |separator: u8| {
        let counts = lines.iter().map(|line| line.bytes().filter(|byte| *byte == separator).count());
        counts.filter(|count| *count > 0).count()
    };
    // A comma wins a draw: it is what the name of the format says.
    let best = [b',', b'\t', b';'].into_iter().rev().max_by_key(|separator| score(*separator));
    best.unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_out_of_every_usual_encoding() {
        let text = "测站,时间,水位\n花园口,2026-07-18 08:00,91.24\n";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let mut utf16 = vec![0xff, 0xfe];
        utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
        for (bytes, encoding) in [(text.as_bytes(), "UTF-8"), (&marked, "UTF-8"), (&gbk, "GBK"), (&utf16, "UTF-16LE")] {
            assert_eq!(text_of(bytes).unwrap(), (text.to_owned(), encoding));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        assert!(matches!(text_of(b"a,b\n\x81\xff,1\n"), Err(SheetError::Encoding { line: 2, .. })));
        assert!(matches!(text_of(b"a\0b"), Err(SheetError::NoTable)));
        assert!(matches!(text_of(b"\xef\xbb\xbfa\xff"), Err(SheetError::Encoding { line: 1, encoding: "UTF-8" })));
    }

    #[test]
    fn the_separator_is_seen() {
        for (text, expected) in
            [("a,b\n1,2", b','), ("a\tb,c\n1\t2", b'\t'), ("a;b;c\n1,5;2,5;3\n1;2;3", b';'), ("one column", b',')]
        {
            assert_eq!(separator(text), expected, "{text}");
        }
    }
}

//! A photo without what the camera wrote into it: where it was taken, with which phone, by whom.
//!
//! In: JPEG or PNG. Out: the same picture without its notes (EXIF, XMP, comments, text). It does not decode the picture, it
//! walks over its segments; what is cut off or out of order is refused rather than passed on.

/// The picture without notes; nothing for what is neither a whole JPEG nor a whole PNG.
pub fn bare_photo(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        jpeg(bytes)
    } else if let Some(chunks) = bytes.strip_prefix(PNG) {
        png(chunks)
    } else {
        None
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Segments up to the scan; APP0 (JFIF) and APP14 (colours) are needed to show it, other APPn and comments are not.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0xff, 0xd8];
    let mut rest = bytes.get(2..)?;
    loop {
        let (mark, after) = rest.split_first()?;
        let (kind, after) = after.split_first()?;
        if *mark != 0xff {
            return None;
        }
        if *kind == 0xff {
            rest = rest.get(1..)?;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
        let segment = after.get(..length).filter(|_| length >= 2)?;
        let is_note = matches!(kind, 0xe1..=0xed | 0xef | 0xfe);
        if !is_note {
            out.extend([0xff, *kind]);
            out.extend(segment);
        }
        rest = after.get(length..)?;
        if *kind == 0xda {
            // The scans themselves, up to the end of the picture; what hangs behind it goes.
            let end = rest.windows(2).rposition(|pair| pair == [0xff, 0xd9])?;
            out.extend(rest.get(..end + 2)?);
            return Some(out);
        }
    }
}

/// Chunks that make the picture: everything critical, and transparency and colours.
fn png(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = PNG.to_vec();
    loop {
        let length = usize::try_from(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
        let whole = length.checked_add(12)?;
        let chunk = rest.get(..whole)?;
        let kind = chunk.get(4..8)?;
        let is_critical = kind.first()?.is_ascii_uppercase();
        if is_critical || matches!(kind, b"tRNS" | b"gAMA" | b"sRGB" | b"cHRM") {
            out.extend(chunk);
        }
        if kind == b"IEND" {
            return Some(out);
        }
        rest = rest.get(whole..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, kind], length.as_slice(), content].concat()
    }

    #[test]
    fn a_jpeg_loses_its_notes_and_keeps_its_picture() {
        let jfif = segment(0xe0, b"JFIF\0");
        let exif = segment(0xe1, b"Exif\0\0GPS 34.9N 113.6E");
        let note = segment(0xfe, b"phone of somebody");
        let (tables, scan) = (segment(0xdb, &[1; 64]), segment(0xda, &[2; 8]));
        let data = [0x11, 0xff, 0x00, 0x22, 0xff, 0xd9];
        let head: &[u8] = &[0xff, 0xd8];
        let whole = [head, &jfif, &exif, &note, &tables, &scan, &data, b"trailing secrets"].concat();
        let bare = bare_photo(&whole).unwrap();
        assert_eq!(bare, [head, &jfif, &tables, &scan, &data].concat());
        assert_eq!(bare_photo(&bare), Some(bare.clone()), "a second time changes nothing");
        for cut in [3, 10, 40, whole.len() - 40] {
            assert_eq!(bare_photo(&whole[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_png_loses_its_text_and_other_files_are_refused() {
        let chunk = |kind: &[u8], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_be_bytes();
            [length.as_slice(), kind, content, &[0; 4]].concat()
        };
        let (head, text) = (chunk(b"IHDR", &[0; 13]), chunk(b"tEXt", b"Author\0somebody"));
        let (exif, data, end) = (chunk(b"eXIf", b"GPS"), chunk(b"IDAT", &[7; 20]), chunk(b"IEND", b""));
        let bare = bare_photo(&[PNG, &head, &text, &exif, &data, &end, b"more"].concat()).unwrap();
        assert_eq!(bare, [PNG, &head, &data, &end].concat());
        assert_eq!(bare_photo(&[PNG, &head, &data].concat()), None);
        for bytes in [b"".as_slice(), b"<svg/>", b"RIFF1234WEBP", &[0xff, 0xd8, 0xff]] {
            assert_eq!(bare_photo(bytes), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_bare_or_refused(bytes: Vec<u8>, kind in 0..2) {
            let head: &[u8] = if kind == 0 { &[0xff, 0xd8, 0xff] } else { PNG };
            let bytes = [head, &bytes].concat();
            if let Some(bare) = bare_photo(&bytes) {
                proptest::prop_assert!(bare.len() <= bytes.len());
            }
        }
    }
}

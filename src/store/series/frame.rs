//! One journal entry as bytes: what is written before an append is acknowledged, and replayed at start.
//!
//! An entry is a CRC-32 of the rest (4 bytes, little endian) and one or more frames, one for each append of the
//! commit. A frame is the number of points and then for each point, as variable-length integers: the step of the
//! series number, the step of the time in ms, the stored code, and the value: thousandths of the unit if that is
//! exact (even number), else the mark 1 and eight bytes. Steps start from zero in each frame.

/// A point on its way into the journal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FramePoint {
    pub(super) series: u32,
    pub(super) at: i64,
    pub(super) value: f64,
    pub(super) code: u16,
}

/// Appends one point after another to a frame.
#[derive(Debug, Default)]
pub(super) struct FrameWriter {
    bytes: Vec<u8>,
    points: usize,
    series: u32,
    at: i64,
}

/// A finished frame.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    bytes: Vec<u8>,
    /// Points in it.
    pub(super) points: usize,
}

impl FrameWriter {
    pub(super) fn with_room_for(points: usize) -> Self {
        Self { bytes: Vec::with_capacity(points.saturating_mul(8)), ..Self::default() }
    }
    pub(super) fn push(&mut self, point: FramePoint) {
        put_signed(&mut self.bytes, i64::from(point.series) - i64::from(self.series));
        put_signed(&mut self.bytes, point.at.wrapping_sub(self.at));
        put_varint(&mut self.bytes, u64::from(point.code));
        put_value(&mut self.bytes, point.value);
        (self.series, self.at) = (point.series, point.at);
        self.points += 1;
    }
    pub(super) fn points(&self) -> usize {
        self.points
    }
    pub(super) fn finish(self) -> Frame {
        Frame { bytes: self.bytes, points: self.points }
    }
}

/// The journal entry for the frames of one commit.
pub(super) fn entry_of(frames: &[Frame]) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.reserve(frames.iter().map(|f| f.bytes.len() + 10).sum());
    for frame in frames {
        put_varint(&mut out, frame.points as u64);
        out.extend_from_slice(&frame.bytes);
    }
    let sum = out.get(4..).map_or(0, crc32);
    if let Some(place) = out.get_mut(..4) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    out
}

/// Hands every point of an entry to `take`, in order of arrival; nothing is handed out if the checksum is wrong.
pub(super) fn read_entry(entry: &[u8], mut take: impl FnMut(FramePoint)) -> Result<(), &'static str> {
    let (sum, mut rest) = entry.split_first_chunk::<4>().ok_or("entry is cut off")?;
    if u32::from_le_bytes(*sum) != crc32(rest) {
        return Err("checksum does not fit");
    }
    while !rest.is_empty() {
        let points = get_varint(&mut rest).ok_or("frame is cut off")?;
        let (mut series, mut at) = (0i64, 0i64);
        for _ in 0..points {
            let point = get_point(&mut rest, &mut series, &mut at).ok_or("point is cut off")?;
            take(point);
        }
    }
    Ok(())
}

fn get_point(rest: &mut &[u8], series: &mut i64, at: &mut i64) -> Option<FramePoint> {
    *series = series.checked_add(get_signed(rest)?)?;
    *at = at.wrapping_add(get_signed(rest)?);
    let code = u16::try_from(get_varint(rest)?).ok()?;
    Some(FramePoint { series: u32::try_from(*series).ok()?, at: *at, value: get_value(rest)?, code })
}

/// `value` as a whole number of `1 / scale` if dividing back gives exactly the same bits.
pub(super) fn as_scaled(value: f64, scale: f64) -> Option<i64> {
    let scaled = (value * scale).round();
    // Above 2^50 the step between neighbours is too wide to be a scaled decimal; NaN fails the comparison.
    if scaled.abs() < 1_125_899_906_842_624.0 {
        let whole = scaled as i64;
        (((whole as f64) / scale).to_bits() == value.to_bits()).then_some(whole)
    } else {
        None
    }
}

fn put_value(out: &mut Vec<u8>, value: f64) {
    match as_scaled(value, 1000.0) {
        Some(thousandths) => put_varint(out, zigzag(thousandths) << 1),
        None => {
            out.push(1);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

fn get_value(rest: &mut &[u8]) -> Option<f64> {
    let head = get_varint(rest)?;
    if head & 1 == 0 {
        return Some(unzigzag(head >> 1) as f64 / 1000.0);
    }
    let (bytes, tail) = rest.split_first_chunk::<8>()?;
    *rest = tail;
    Some(f64::from_le_bytes(*bytes))
}

/// Small magnitudes of either sign as small numbers.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
/// The inverse of [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, zigzag(value));
}
pub(super) fn get_signed(rest: &mut &[u8]) -> Option<i64> {
    get_varint(rest).map(unzigzag)
}

/// Seven bits a byte, low ones first.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
/// Takes a number off the front; `None` if it is cut off or too long.
pub(super) fn get_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (i, &byte) in rest.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *rest = rest.get(i + 1..)?;
            return Some(value);
        }
    }
    None
}

/// CRC-32 (ISO 3309, polynomial 0xEDB88320), eight bytes at a time.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const TABLES: [[u32; 256]; 8] = crc_tables();
    let look = |table: usize, byte: u32| -> u32 {
        TABLES.get(table).and_then(|t| t.get((byte & 0xff) as usize)).copied().unwrap_or_default()
    };
    let mut crc = !0u32;
    let (blocks, tail) = bytes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in blocks {
        let low = crc ^ u32::from_le_bytes([a, b, c, d]);
        let high = u32::from_le_bytes([e, f, g, h]);
        crc = look(7, low) ^ look(6, low >> 8) ^ look(5, low >> 16) ^ look(4, low >> 24);
        crc ^= look(3, high) ^ look(2, high >> 8) ^ look(1, high >> 16) ^ look(0, high >> 24);
    }
    for &byte in tail {
        crc = look(0, crc ^ u32::from(byte)) ^ (crc >> 8);
    }
    !crc
}

const fn crc_tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(entry: &[u8]) -> Result<Vec<FramePoint>, &'static str> {
        let mut points = Vec::new();
        read_entry(entry, |point| points.push(point))?;
        Ok(points)
    }

    fn same(left: &FramePoint, right: &FramePoint) -> bool {
        (left.series, left.at, left.code, left.value.to_bits())
            == (right.series, right.at, right.code, right.value.to_bits())
    }

    #[test]
    fn series_frame_crc_of_the_usual_check_text() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn series_frame_gauge_values_take_few_bytes() {
        let mut frame = FrameWriter::default();
        for i in 0..1000u32 {
            frame.push(FramePoint { series: i, at: 1_790_000_000_000, value: 93.82, code: 0 });
        }
        assert!(entry_of(&[frame.finish()]).len() < 7_000);
    }

    proptest! {
        #[test]
        fn series_frame_round_trip(rows in prop::collection::vec((any::<u32>(), any::<i64>(), value(), any::<u16>()), 0..50), cut in 0usize..50) {
            let points: Vec<_> = rows.iter().map(|&(series, at, value, code)| FramePoint { series, at, value, code }).collect();
            let (left, right) = points.split_at(cut.min(points.len()));
            let frames: Vec<Frame> = [left, right].iter().map(|part| {
                let mut writer = FrameWriter::default();
                part.iter().for_each(|p| writer.push(*p));
                writer.finish()
            }).collect();
            let back = read(&entry_of(&frames)).unwrap();
            prop_assert_eq!(back.len(), points.len());
            prop_assert!(back.iter().zip(&points).all(|(a, b)| same(a, b)));
        }

        #[test]
        fn series_frame_one_wrong_bit_is_noticed(bit in 0usize..400) {
            let mut writer = FrameWriter::default();
            for i in 0..10 {
                writer.push(FramePoint { series: i, at: i64::from(i) * 10_000, value: 0.1 + f64::from(i) / 3.0, code: 0 });
            }
            let mut entry = entry_of(&[writer.finish()]);
            let bit = bit % (entry.len() * 8);
            entry[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(read(&entry).is_err());
        }

        #[test]
        fn series_frame_random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 4..60)) {
            let sum = crc32(&bytes[4..]).to_le_bytes();
            bytes[..4].copy_from_slice(&sum);
            let mut seen = 0u32;
            let _ = read_entry(&bytes, |_| seen += 1);
            prop_assert!(seen < 60);
        }
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-9_000_000i64..9_000_000).prop_map(|i| i as f64 / 1000.0),
            any::<f64>(),
            Just(-0.0),
            Just(f64::NAN)
        ]
    }
}

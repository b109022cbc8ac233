//! One sealed chunk as bytes: points of one series in order of time, compressed with `pco`.
//!
//! Layout 1: CRC-32 of the rest (4 bytes, little endian), layout (1 byte), kinds (1 byte), number of points, times,
//! values, codes. A kind says how a column is kept: times as first and step if they are regular; values as whole
//! numbers of a decimal fraction with the few that do not fit listed after them, else as they are; codes as one number if they
//! are all the same. A chunk is never changed, only replaced.

use super::frame::{as_scaled, crc32, get_signed, get_varint, put_signed, put_varint};
use super::points::Points;
use pco::standalone::{simple_compress, simple_decompress};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

const LAYOUT: u8 = 1;
const TIMES_REGULAR: u8 = 1;
const CODES_SAME: u8 = 2;
/// Above the two flags: 0 is values as they are, n is whole numbers of `SCALES[n - 1]`.
const SCALE_SHIFT: u8 = 2;
const SCALES: [f64; 5] = [1.0, 10.0, 100.0, 1000.0, 10_000.0];
/// Points of one chunk at most, far above what sealing makes; a larger number in a file is damage.
const MAX_POINTS: u64 = 1 << 20;

/// Compresses points that are in order of time.
pub(super) fn encode(points: &Points) -> Result<Vec<u8>, String> {
    let mut out = vec![0, 0, 0, 0, LAYOUT, 0];
    let mut kinds = 0;
    put_varint(&mut out, points.len() as u64);
    kinds |= put_times(&mut out, &points.times)?;
    kinds |= put_values(&mut out, &points.values)?;
    kinds |= put_codes(&mut out, &points.codes)?;
    if let Some(place) = out.get_mut(5) {
        *place = kinds;
    }
    let sum = out.get(4..).map_or(0, crc32);
    if let Some(place) = out.get_mut(..4) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    Ok(out)
}

/// What follows the checksum of a chunk, if it fits.
pub(super) fn checked(body: &[u8]) -> Result<&[u8], &'static str> {
    let (sum, rest) = body.split_first_chunk::<4>().ok_or("chunk is cut off")?;
    if u32::from_le_bytes(*sum) == crc32(rest) { Ok(rest) } else { Err("checksum does not fit") }
}

/// The points of a chunk, or what is wrong with it.
pub(super) fn decode(body: &[u8]) -> Result<Points, String> {
    let rest = checked(body)?;
    let ([layout, kinds], mut rest) = rest.split_first_chunk::<2>().ok_or("chunk is cut off")?;
    if *layout != LAYOUT {
        return Err(format!("chunk layout {layout} is unknown"));
    }
    let n = get_varint(&mut rest).filter(|n| *n <= MAX_POINTS).ok_or("number of points is wrong")? as usize;
    let times = get_times(&mut rest, n, *kinds)?;
    let values = get_values(&mut rest, n, *kinds)?;
    let codes = get_codes(&mut rest, n, *kinds)?;
    if times.len() != n || values.len() != n || codes.len() != n {
        return Err("columns differ in length".into());
    }
    Ok(Points { times, values, codes })
}

fn whole_numbers() -> ChunkConfig {
    ChunkConfig::default()
        .with_compression_level(6)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::TryConsecutive(1))
}

fn put_block(out: &mut Vec<u8>, block: &[u8]) {
    put_varint(out, block.len() as u64);
    out.extend_from_slice(block);
}

fn get_block<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let length = get_varint(rest).ok_or("column is cut off")?;
    let (block, tail) = rest.split_at_checked(length as usize).ok_or("column is cut off")?;
    *rest = tail;
    Ok(block)
}

fn put_times(out: &mut Vec<u8>, times: &[i64]) -> Result<u8, String> {
    let first = times.first().copied().unwrap_or_default();
    let step = times.get(1).map_or(0, |second| second.wrapping_sub(first));
    let regular = times.iter().zip(times.iter().skip(1)).all(|(a, b)| b.wrapping_sub(*a) == step);
    if regular {
        put_signed(out, first);
        put_signed(out, step);
        return Ok(TIMES_REGULAR);
    }
    put_block(out, &simple_compress(times, &whole_numbers()).map_err(|e| e.to_string())?);
    Ok(0)
}

fn get_times(rest: &mut &[u8], n: usize, kinds: u8) -> Result<Vec<i64>, String> {
    if kinds & TIMES_REGULAR == 0 {
        return simple_decompress(get_block(rest)?).map_err(|e| e.to_string());
    }
    let first = get_signed(rest).ok_or("times are cut off")?;
    let step = get_signed(rest).ok_or("times are cut off")?;
    Ok((0..n as i64).map(|i| first.wrapping_add(step.wrapping_mul(i))).collect())
}

/// Values as whole numbers, and the positions of those that do not fit.
fn scaled(values: &[f64], scale: f64) -> Option<(Vec<i64>, Vec<usize>)> {
    let bearable = values.len() / 32;
    let (mut whole, mut odd) = (Vec::with_capacity(values.len()), Vec::new());
    let mut last = 0;
    for (i, value) in values.iter().enumerate() {
        match as_scaled(*value, scale) {
            Some(number) => last = number,
            None if odd.len() < bearable => odd.push(i),
            None => return None,
        }
        whole.push(last);
    }
    Some((whole, odd))
}

fn put_values(out: &mut Vec<u8>, values: &[f64]) -> Result<u8, String> {
    let found = SCALES.iter().zip(1u8..).find_map(|(scale, kind)| scaled(values, *scale).map(|found| (kind, found)));
    let Some((kind, (whole, odd))) = found else {
        let config = ChunkConfig::default().with_compression_level(6);
        put_block(out, &simple_compress(values, &config).map_err(|e| e.to_string())?);
        return Ok(0);
    };
    put_block(out, &simple_compress(&whole, &whole_numbers()).map_err(|e| e.to_string())?);
    put_varint(out, odd.len() as u64);
    for i in odd {
        put_varint(out, i as u64);
        out.extend_from_slice(&values.get(i).copied().unwrap_or(f64::NAN).to_le_bytes());
    }
    Ok(kind << SCALE_SHIFT)
}

fn get_values(rest: &mut &[u8], n: usize, kinds: u8) -> Result<Vec<f64>, String> {
    let block = get_block(rest)?;
    let Some(kind) = (kinds >> SCALE_SHIFT).checked_sub(1) else {
        return simple_decompress(block).map_err(|e| e.to_string());
    };
    let scale = SCALES.get(usize::from(kind)).ok_or("scale is unknown")?;
    let whole: Vec<i64> = simple_decompress(block).map_err(|e| e.to_string())?;
    let mut values: Vec<f64> = whole.iter().map(|number| *number as f64 / scale).collect();
    for _ in 0..get_varint(rest).filter(|odd| *odd <= n as u64).ok_or("values are cut off")? {
        let place = get_varint(rest).ok_or("values are cut off")?;
        let (bytes, tail) = rest.split_first_chunk::<8>().ok_or("values are cut off")?;
        *rest = tail;
        *values.get_mut(place as usize).ok_or("value has no place")? = f64::from_le_bytes(*bytes);
    }
    Ok(values)
}

fn put_codes(out: &mut Vec<u8>, codes: &[u16]) -> Result<u8, String> {
    let first = codes.first().copied().unwrap_or_default();
    if codes.iter().all(|code| *code == first) {
        put_varint(out, u64::from(first));
        return Ok(CODES_SAME);
    }
    let config = ChunkConfig::default().with_compression_level(6).with_mode_spec(ModeSpec::Classic);
    put_block(out, &simple_compress(codes, &config).map_err(|e| e.to_string())?);
    Ok(0)
}

fn get_codes(rest: &mut &[u8], n: usize, kinds: u8) -> Result<Vec<u16>, String> {
    if kinds & CODES_SAME == 0 {
        return simple_decompress(get_block(rest)?).map_err(|e| e.to_string());
    }
    let code = get_varint(rest).and_then(|code| u16::try_from(code).ok()).ok_or("codes are cut off")?;
    Ok(vec![code; n])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(points: &Points) -> Vec<(i64, u64, u16)> {
        points.iter().map(|(at, value, code)| (at, value.to_bits(), code)).collect()
    }

    fn gauge(n: i64) -> Points {
        let mut points = Points::default();
        for i in 0..n {
            points.push(1_790_000_000_000 + i * 10_000, 93.0 + ((i / 40) % 25) as f64 / 100.0, 0);
        }
        points
    }

    #[test]
    fn series_chunk_of_a_gauge_is_small() {
        assert!(encode(&gauge(4096)).unwrap().len() < 2048);
    }

    #[test]
    fn series_chunk_missing_values_do_not_spoil_the_decimals() {
        let mut points = gauge(4096);
        for i in (0..4096).step_by(100) {
            points.values[i] = f64::NAN;
            points.codes[i] = 0x0440;
        }
        let body = encode(&points).unwrap();
        assert!(body.len() < 2800, "{}", body.len());
        assert_eq!(bits(&decode(&body).unwrap()), bits(&points));
    }

    #[test]
    fn series_chunk_edges_round_trip() {
        for n in [0, 1, 2, 3, 257] {
            let points = gauge(n);
            assert_eq!(decode(&encode(&points).unwrap()).unwrap(), points);
        }
        let mut points = Points::default();
        for (at, value) in [(i64::MIN, -0.0), (-1, f64::INFINITY), (0, 1e300), (i64::MAX, f64::NAN)] {
            points.push(at, value, u16::MAX);
        }
        assert_eq!(bits(&decode(&encode(&points).unwrap()).unwrap()), bits(&points));
    }

    #[test]
    fn series_chunk_damage_is_noticed() {
        let body = encode(&gauge(500)).unwrap();
        for bit in 0..body.len() * 8 {
            let mut broken = body.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&broken).is_err(), "bit {bit}");
        }
        assert!(decode(&body[..body.len() / 2]).is_err());
        assert!(decode(&[]).is_err());
    }

    proptest! {
        #[test]
        fn series_chunk_round_trip(rows in prop::collection::vec((any::<i64>(), any::<f64>(), any::<u16>()), 0..300), whole in any::<bool>()) {
            let mut points = Points::default();
            for (at, value, code) in rows {
                points.push(at, if whole { (value % 1e6).round() / 100.0 } else { value }, code);
            }
            prop_assert_eq!(bits(&decode(&encode(&points).unwrap()).unwrap()), bits(&points));
        }

        #[test]
        fn series_chunk_bytes_with_a_right_checksum_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 6..120)) {
            bytes[4] = LAYOUT;
            let sum = crc32(&bytes[4..]).to_le_bytes();
            bytes[..4].copy_from_slice(&sum);
            if let Ok(points) = decode(&bytes) {
                prop_assert!(points.len() as u64 <= MAX_POINTS);
            }
        }
    }
}

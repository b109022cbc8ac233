//! GeoTIFF in and out, by OGC 19-008r4 (GeoTIFF 1.1).
//!
//! In: one band of numbers in strips or tiles, plain, LZW or deflate, north up, square cells, projected to metres. Out: values with row 0
//! at the south, not a number where the file says NODATA. Degrees, feet, turned grids and files without a projection are refused.

use super::raster::MOST_CELLS;
use crate::hydraulics::Grid;
use std::io::{Cursor, Read, Seek};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::{Compression, TiffEncoder, colortype::Gray32Float, compression::DeflateLevel};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

/// Keys of the key directory.
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const PROJECTED_CRS: u16 = 3072;
const LINEAR_UNITS: u16 = 3076;
const VERTICAL_CRS: u16 = 4096;
const VERTICAL_UNITS: u16 = 4099;
/// The metre among EPSG's units.
const METRE: u16 = 9001;
/// "Defined by the user": no EPSG code.
const OWN: u16 = 32_767;

/// Where on Earth a raster lies, as its keys say it (坐标参考系).
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Projection {
    /// The key directory, four words a key, its head left out.
    keys: Vec<[u16; 4]>,
    doubles: Vec<f64>,
    text: String,
}

impl Projection {
    /// A plane in metres that nobody named; for terrain that came as an ESRI ASCII grid.
    pub(super) fn unnamed() -> Self {
        let keys = vec![[MODEL_TYPE, 0, 1, 1], [RASTER_TYPE, 0, 1, 1], [PROJECTED_CRS, 0, 1, OWN]];
        Self { keys: [keys, vec![[LINEAR_UNITS, 0, 1, METRE]]].concat(), doubles: Vec::new(), text: String::new() }
    }

    fn short(&self, key: u16) -> Option<u16> {
        self.keys.iter().find(|entry| entry[0] == key && entry[1] == 0).map(|entry| entry[3])
    }

    /// EPSG code of a key; none if absent or the user's own.
    fn code(&self, key: u16) -> Option<u16> {
        self.short(key).filter(|code| *code != 0 && *code != OWN)
    }

    /// How this projection or height datum differs from another one, where both say.
    pub(super) fn differs(&self, other: &Self) -> Option<String> {
        let pair = |key| Some((self.code(key)?, other.code(key)?)).filter(|(a, b)| a != b);
        let plane = pair(PROJECTED_CRS).map(|(a, b)| format!("projection EPSG:{a} against EPSG:{b}"));
        plane.or_else(|| pair(VERTICAL_CRS).map(|(a, b)| format!("height datum EPSG:{a} against EPSG:{b}")))
    }

    /// The reference surface of its heights as case files call it, where the file names a known one and the case another.
    pub(super) fn contradicts(&self, named: Option<&str>) -> Option<&'static str> {
        let own = match self.code(VERTICAL_CRS)? {
            5737 => "national85",
            5736 => "yellow-sea-1956",
            _ => return None,
        };
        named.filter(|named| *named != own).map(|_| own)
    }

    /// What must hold before its numbers are metres.
    fn check(&self) -> Result<(), String> {
        if let Some((code, what)) = self.code(PROJECTED_CRS).and_then(|code| Some((code, no_plane_of_metres(code)?))) {
            return Err(format!(
                "its projection EPSG:{code} {what}: project it to metres first, e.g. gdalwarp -t_srs EPSG:4546"
            ));
        }
        match self.short(MODEL_TYPE) {
            Some(1) => {}
            Some(2) => {
                return Err(
                    "it is in degrees (geographic): project it to metres first, e.g. gdalwarp -t_srs EPSG:4546".into(),
                );
            }
            Some(kind) => return Err(format!("its model type {kind} is no projected plane")),
            None => return Err("it does not say its projection (no GTModelTypeGeoKey)".into()),
        }
        for (key, what) in [(LINEAR_UNITS, "plane"), (VERTICAL_UNITS, "heights")] {
            if let Some(unit) = self.code(key).filter(|unit| *unit != METRE) {
                return Err(format!("the unit of its {what} is EPSG:{unit}, not the metre (EPSG:9001)"));
            }
        }
        Ok(())
    }
}

/// Why a code that some files give as their projection is no plane of true metres, whatever else they say.
fn no_plane_of_metres(epsg: u16) -> Option<&'static str> {
    match epsg {
        4214 | 4258 | 4269 | 4326 | 4490 | 4555 | 4610 => Some("is in degrees (geographic)"),
        3395 | 3785 | 3857 => Some("is a Mercator map whose metres are a fifth too long at 35° north"),
        2222..=2289 => Some("is in feet"),
        _ => None,
    }
}

/// Reads a file. The fault says what is wrong; whoever calls says with which file.
pub(super) fn read(file: impl Read + Seek) -> Result<(Grid, Vec<f32>, Projection), String> {
    let mut decoder = Decoder::new(file).map_err(said)?;
    let (columns, rows) = decoder.dimensions().map_err(said)?;
    let (columns, rows) = (columns as usize, rows as usize);
    if columns.saturating_mul(rows) > MOST_CELLS {
        return Err(format!("{columns} x {rows} cells are more than {MOST_CELLS}"));
    }
    match decoder.colortype().map_err(said)? {
        ColorType::Gray(_) => {}
        other => return Err(format!("it holds {other:?}: one band of numbers is needed")),
    }
    let projection = projection(&mut decoder)?;
    projection.check()?;
    let grid = placed(&mut decoder, columns, rows, projection.short(RASTER_TYPE) == Some(2))?;
    let nothing = match decoder.find_tag(Tag::GdalNodata).map_err(said)? {
        Some(value) => Some(nodata(&value.into_string().map_err(said)?)?),
        None => None,
    };
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST_CELLS * 8;
    limits.intermediate_buffer_size = MOST_CELLS * 8;
    let mut decoder = decoder.with_limits(limits);
    let north_first = numbers(decoder.read_image().map_err(said)?)?;
    if north_first.len() != columns * rows {
        return Err(format!("it holds {} values for {columns} x {rows} cells", north_first.len()));
    }
    let mut values = Vec::with_capacity(north_first.len());
    for row in (0..rows).rev() {
        for (column, value) in north_first[row * columns..(row + 1) * columns].iter().enumerate() {
            let hole = nothing.is_some_and(|nothing| *value == nothing || (value.is_nan() && nothing.is_nan()));
            if !hole && !(*value as f32).is_finite() {
                let place = format!("row {} from the north, column {}", row + 1, column + 1);
                return Err(format!("{value} at {place} is not a finite number; holes are marked by NODATA"));
            }
            values.push(if hole { f32::NAN } else { *value as f32 });
        }
    }
    Ok((grid, values, projection))
}

fn said(fault: TiffError) -> String {
    fault.to_string()
}

fn nodata(text: &str) -> Result<f64, String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    text.parse::<f64>().map_err(|_| format!("its NODATA '{text}' is no number"))
}

fn numbers(read: DecodingResult) -> Result<Vec<f64>, String> {
    fn wide<T: Into<f64>>(values: Vec<T>) -> Vec<f64> {
        values.into_iter().map(Into::into).collect()
    }
    Ok(match read {
        DecodingResult::U8(values) => wide(values),
        DecodingResult::U16(values) => wide(values),
        DecodingResult::U32(values) => wide(values),
        DecodingResult::I8(values) => wide(values),
        DecodingResult::I16(values) => wide(values),
        DecodingResult::I32(values) => wide(values),
        DecodingResult::F32(values) => wide(values),
        DecodingResult::F64(values) => values,
        _ => return Err("its numbers are 64-bit integers or half floats; use Float32, Float64 or Int16".into()),
    })
}

fn projection<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<Projection, String> {
    let mut list = |tag| decoder.find_tag(tag).map_err(said);
    let Some(directory) = list(Tag::GeoKeyDirectoryTag)? else {
        return Err(
            "it does not say its projection (no GeoKeyDirectoryTag): a plain TIFF, or made without a CRS".into()
        );
    };
    let words = directory.into_u16_vec().map_err(said)?;
    let keys = words.get(4..).unwrap_or_default().chunks_exact(4).map(|key| [key[0], key[1], key[2], key[3]]).collect();
    let doubles = match list(Tag::GeoDoubleParamsTag)? {
        Some(value) => value.into_f64_vec().map_err(said)?,
        None => Vec::new(),
    };
    let text = match list(Tag::GeoAsciiParamsTag)? {
        Some(value) => value.into_string().map_err(said)?,
        None => String::new(),
    };
    Ok(Projection { keys, doubles, text })
}

/// The grid from scale and tie point, or from the transformation; `point`: a value stands at the middle that the tie point names.
fn placed<R: Read + Seek>(decoder: &mut Decoder<R>, columns: usize, rows: usize, point: bool) -> Result<Grid, String> {
    let mut list = |tag| -> Result<Option<Vec<f64>>, String> {
        decoder.find_tag(tag).map_err(said)?.map(|value| value.into_f64_vec().map_err(said)).transpose()
    };
    let (scale, tie) = (list(Tag::ModelPixelScaleTag)?, list(Tag::ModelTiepointTag)?);
    let (width_m, height_m, west_m, north_m) = match (scale.as_deref(), tie.as_deref()) {
        (Some([dx, dy, ..]), Some([i, j, _, x, y, _])) => (*dx, *dy, x - i * dx, y + j * dy),
        (Some(_), Some(_)) => return Err("it has several tie points: make it a regular grid first".into()),
        _ => match list(Tag::ModelTransformationTag)?.as_deref() {
            Some([a, b, _, x, e, f, _, y, ..]) if *b == 0.0 && *e == 0.0 => (*a, -f, *x, *y),
            Some(_) => return Err("its grid is turned against north: warp it north up first".into()),
            None => return Err("it does not say where it lies (no ModelPixelScaleTag with ModelTiepointTag)".into()),
        },
    };
    let finite = [width_m, height_m, west_m, north_m].iter().all(|number| number.is_finite());
    if !finite || width_m <= 0.0 || height_m <= 0.0 {
        return Err(format!("its cells of {width_m} x {height_m} are no cells, or it is upside down"));
    }
    if (width_m - height_m).abs() > 1e-6 * width_m {
        return Err(format!("its cells of {width_m} x {height_m} m are not square: resample it first"));
    }
    let half_m = if point { 0.5 * width_m } else { 0.0 };
    let south_m = north_m + half_m - rows as f64 * width_m;
    Ok(Grid { columns, rows, cell_m: width_m, west_m: west_m - half_m, south_m })
}

/// One band of single-precision numbers, deflated; not a number is written as −9999, which the file names as NODATA.
pub(super) fn bytes(grid: &Grid, values: &[f32], projection: &Projection) -> Result<Vec<u8>, String> {
    let north_first: Vec<f32> = values
        .chunks_exact(grid.columns)
        .rev()
        .flatten()
        .map(|value| if value.is_nan() { -9999.0 } else { *value })
        .collect();
    let mut out = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut out).map_err(said)?;
    let mut encoder = encoder.with_compression(Compression::Deflate(DeflateLevel::Fast));
    let side = |count: usize| u32::try_from(count).map_err(|_| format!("{count} cells in a row"));
    let mut image = encoder.new_image::<Gray32Float>(side(grid.columns)?, side(grid.rows)?).map_err(said)?;
    let tags = image.encoder();
    let north_m = grid.south_m + grid.rows as f64 * grid.cell_m;
    let (scale, tie) = ([grid.cell_m, grid.cell_m, 0.0], [0.0, 0.0, 0.0, grid.west_m, north_m, 0.0]);
    tags.write_tag(Tag::ModelPixelScaleTag, &scale[..]).map_err(said)?;
    tags.write_tag(Tag::ModelTiepointTag, &tie[..]).map_err(said)?;
    // Values are those of whole cells, whatever the terrain's were.
    let keys = projection.keys.iter().map(|key| if key[0] == RASTER_TYPE { [RASTER_TYPE, 0, 1, 1] } else { *key });
    let words: Vec<u16> = [1, 1, 0, projection.keys.len() as u16].into_iter().chain(keys.flatten()).collect();
    tags.write_tag(Tag::GeoKeyDirectoryTag, &words[..]).map_err(said)?;
    if !projection.doubles.is_empty() {
        tags.write_tag(Tag::GeoDoubleParamsTag, &projection.doubles[..]).map_err(said)?;
    }
    if !projection.text.is_empty() {
        tags.write_tag(Tag::GeoAsciiParamsTag, projection.text.as_str()).map_err(said)?;
    }
    tags.write_tag(Tag::GdalNodata, "-9999").map_err(said)?;
    image.write_data(&north_first).map_err(said)?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiff::encoder::TiffValue;
    use tiff::encoder::colortype::{ColorType as Kind, Gray64Float, GrayI16, RGB8};

    const GRID: Grid = Grid { columns: 3, rows: 2, cell_m: 10.0, west_m: 500_000.0, south_m: 3_800_000.0 };

    fn keys(of: &[[u16; 4]]) -> Vec<u16> {
        [1, 1, 0, of.len() as u16].into_iter().chain(of.iter().flatten().copied()).collect()
    }

    /// A small file of three by two values; tags can be spoiled.
    fn file<C: Kind>(values: &[C::Inner], spoil: &dyn Fn(Tag) -> Option<Vec<f64>>, crs: &[[u16; 4]]) -> Vec<u8>
    where
        [C::Inner]: TiffValue,
    {
        let mut out = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut out).unwrap().with_compression(Compression::Lzw);
        let mut image = encoder.new_image::<C>(3, 2).unwrap();
        for (tag, usual) in [
            (Tag::ModelPixelScaleTag, vec![10.0, 10.0, 0.0]),
            (Tag::ModelTiepointTag, vec![0.0, 0.0, 0.0, 500_000.0, 3_800_020.0, 0.0]),
        ] {
            let numbers = spoil(tag).unwrap_or(usual);
            if !numbers.is_empty() {
                image.encoder().write_tag(tag, &numbers[..]).unwrap();
            }
        }
        if let Some(numbers) = spoil(Tag::ModelTransformationTag) {
            image.encoder().write_tag(Tag::ModelTransformationTag, &numbers[..]).unwrap();
        }
        if !crs.is_empty() {
            image.encoder().write_tag(Tag::GeoKeyDirectoryTag, &keys(crs)[..]).unwrap();
        }
        image.encoder().write_tag(Tag::GdalNodata, "-32768").unwrap();
        image.write_data(values).unwrap();
        out.into_inner()
    }

    const METRES: &[[u16; 4]] = &[[MODEL_TYPE, 0, 1, 1], [RASTER_TYPE, 0, 1, 1], [PROJECTED_CRS, 0, 1, 4546]];

    #[test]
    fn twin_geotiff_reads_back_what_it_wrote() {
        let values = [1.5, f32::NAN, 3.0, -0.25, 1e-7, 6e6];
        let projection = Projection { keys: METRES.to_vec(), doubles: vec![1.0], text: "Xian|".into() };
        let written = bytes(&GRID, &values, &projection).unwrap();
        let (grid, read_back, same) = read(Cursor::new(written)).unwrap();
        assert_eq!((grid, &same), (GRID, &projection));
        assert!(read_back.iter().zip(&values).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())), "{read_back:?}");
    }

    #[test]
    fn twin_geotiff_takes_whole_numbers_doubles_and_points() {
        let (grid, values, _) =
            read(Cursor::new(file::<GrayI16>(&[1, 2, -32768, 4, 5, 6], &|_| None, METRES))).unwrap();
        assert_eq!(grid, GRID);
        assert!(values[5].is_nan());
        assert_eq!(values[..5], [4.0, 5.0, 6.0, 1.0, 2.0]);
        let point = [METRES[0], [RASTER_TYPE, 0, 1, 2], METRES[2]];
        let (grid, ..) = read(Cursor::new(file::<Gray64Float>(&[1.0; 6], &|_| None, &point))).unwrap();
        assert_eq!((grid.west_m, grid.south_m), (499_995.0, 3_800_005.0));
        let transform = |tag| match tag {
            Tag::ModelTransformationTag => {
                Some([vec![10.0, 0.0, 0.0, 5e5, 0.0, -10.0, 0.0, 3_800_020.0], vec![0.0; 7], vec![1.0]].concat())
            }
            _ => Some(vec![]),
        };
        assert_eq!(read(Cursor::new(file::<Gray64Float>(&[1.0; 6], &transform, METRES))).unwrap().0, GRID);
    }

    #[test]
    fn twin_geotiff_in_tiles() {
        // One tile of 16 x 16 that holds three by two cells, as most terrain comes.
        let mut out = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut out).unwrap();
        let mut directory = encoder.image_directory().unwrap();
        let tile: Vec<f32> = (0..256).map(|at| (at / 16 * 3 + at % 16 + 1) as f32).collect();
        let offset = directory.write_data(&tile[..]).unwrap() as u32;
        let words = [
            (Tag::ImageWidth, 3u32),
            (Tag::ImageLength, 2),
            (Tag::TileWidth, 16),
            (Tag::TileLength, 16),
            (Tag::TileOffsets, offset),
            (Tag::TileByteCounts, 1024),
        ];
        words.into_iter().for_each(|(tag, value)| directory.write_tag(tag, value).unwrap());
        let shorts = [
            (Tag::BitsPerSample, 32u16),
            (Tag::Compression, 1),
            (Tag::PhotometricInterpretation, 1),
            (Tag::SamplesPerPixel, 1),
            (Tag::SampleFormat, 3),
        ];
        shorts.into_iter().for_each(|(tag, value)| directory.write_tag(tag, value).unwrap());
        directory.write_tag(Tag::ModelPixelScaleTag, &[10.0, 10.0, 0.0][..]).unwrap();
        let tie = [0.0, 0.0, 0.0, 500_000.0, 3_800_020.0, 0.0];
        directory.write_tag(Tag::ModelTiepointTag, &tie[..]).unwrap();
        directory.write_tag(Tag::GeoKeyDirectoryTag, &keys(METRES)[..]).unwrap();
        directory.finish().unwrap();
        let (grid, values, _) = read(Cursor::new(out.into_inner())).unwrap();
        assert_eq!((grid, values), (GRID, vec![4.0, 5.0, 6.0, 1.0, 2.0, 3.0]));
    }

    #[test]
    fn twin_geotiff_names_what_is_wrong() {
        let check = |bytes: Vec<u8>, expected: &str| {
            let said = read(Cursor::new(bytes)).unwrap_err();
            assert!(said.contains(expected), "{said}");
        };
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let with = |crs: &[[u16; 4]]| file::<Gray64Float>(&numbers, &|_| None, crs);
        check(with(&[[MODEL_TYPE, 0, 1, 2], [2048, 0, 1, 4490]]), "in degrees");
        for (code, expected) in [(4326, "in degrees"), (3857, "Mercator"), (2263, "in feet")] {
            check(with(&[METRES[0], [PROJECTED_CRS, 0, 1, code], [LINEAR_UNITS, 0, 1, METRE]]), expected);
        }
        check(with(&[METRES[0], [LINEAR_UNITS, 0, 1, 9002]]), "EPSG:9002, not the metre");
        check(with(&[METRES[0], [VERTICAL_UNITS, 0, 1, 9003]]), "unit of its heights");
        check(with(&[]), "does not say its projection");
        check(with(&[METRES[1]]), "no GTModelTypeGeoKey");
        let spoilt = |tag: Tag, numbers_of: Vec<f64>| {
            file::<Gray64Float>(&numbers, &move |asked| (asked == tag).then(|| numbers_of.clone()), METRES)
        };
        check(spoilt(Tag::ModelPixelScaleTag, vec![10.0, 20.0, 0.0]), "not square");
        check(spoilt(Tag::ModelPixelScaleTag, vec![-10.0, -10.0, 0.0]), "no cells");
        check(spoilt(Tag::ModelPixelScaleTag, vec![]), "where it lies");
        check(spoilt(Tag::ModelTiepointTag, vec![0.0; 12]), "several tie points");
        let mut hole = numbers;
        hole[4] = f64::NAN;
        check(file::<Gray64Float>(&hole, &|_| None, METRES), "NaN at row 2 from the north, column 2");
        check(file::<RGB8>(&[0; 18], &|_| None, METRES), "one band");
        check(b"no tiff".to_vec(), "");
        let whole = with(METRES);
        check(whole[..whole.len() / 2].to_vec(), "");
    }

    #[test]
    fn twin_geotiff_projections_and_height_datums_are_compared() {
        let of = |plane, height| Projection {
            keys: vec![METRES[0], [PROJECTED_CRS, 0, 1, plane], [VERTICAL_CRS, 0, 1, height]],
            ..Projection::default()
        };
        assert_eq!(of(4546, 5737).differs(&of(4546, 5737)), None);
        assert!(of(4546, 5737).differs(&of(4547, 5737)).unwrap().contains("EPSG:4546 against EPSG:4547"));
        assert!(of(4546, 5737).differs(&of(4546, 5736)).unwrap().contains("height datum EPSG:5737"));
        assert_eq!(of(4546, 5737).differs(&Projection::unnamed()), None);
        assert_eq!(of(4546, 5737).contradicts(Some("dagu")), Some("national85"));
        assert_eq!(of(4546, 5736).contradicts(Some("national85")), Some("yellow-sea-1956"));
        assert_eq!([of(4546, 5737).contradicts(Some("national85")), of(4546, 5737).contradicts(None)], [None; 2]);
        assert_eq!(of(4546, 5703).contradicts(Some("dagu")), None);
    }
}

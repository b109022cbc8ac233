//! GeoTIFF in and out, by OGC 19-008r4 (GeoTIFF 1.1).
//!
//! In: one band of numbers in strips or tiles, plain, LZW or deflate, north up, square cells, projected to metres. Out: values with row 0
//! at the south, not a number where the file says NODATA. Degrees, feet, turned grids and files without a projection are refused.

use super::crs::{self, Of, Plane};
use super::prj::Prj;
use super::raster::{MOST_CELLS, is_hole};
use crate::hydraulics::{Cell, Grid, Spot};
use crate::playbook::Words;
use std::io::{Cursor, Read, Seek};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::{Compression, TiffEncoder, colortype::Gray32Float, compression::DeflateLevel};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

/// Keys of the key directory.
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const CITATION: u16 = 1026;
const PROJECTED_CRS: u16 = 3072;
const METHOD: u16 = 3075;
const LINEAR_UNITS: u16 = 3076;
const LINEAR_UNIT_SIZE: u16 = 3077;
const VERTICAL_CRS: u16 = 4096;
const VERTICAL_UNITS: u16 = 4099;
/// The metre among EPSG's units.
const METRE: u16 = 9001;
/// Mercator among the methods of projection.
const MERCATOR: u16 = 7;
/// "Defined by the user": no EPSG code.
const OWN: u16 = 32_767;
/// Tags that keys may point into.
const DOUBLES: u16 = 34_736;
const ASCII: u16 = 34_737;
/// Tag of GDAL's own words about a file: XML.
const GDAL_METADATA: u16 = 42_112;
/// Bit of the kind of an image: which pixels of another one are there.
const MASK: u32 = 4;

/// Where on Earth a raster lies, as its keys or its `.prj` file say it (坐标参考系).
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Projection {
    /// The key directory, four words a key, its head left out.
    keys: Vec<[u16; 4]>,
    doubles: Vec<f64>,
    text: String,
    /// The plane of a `.prj` file that gives numbers.
    plane: Option<Plane>,
}

impl Projection {
    /// A plane in metres that nobody named; for terrain that came as an ESRI ASCII grid.
    pub(super) fn unnamed() -> Self {
        let keys = vec![[MODEL_TYPE, 0, 1, 1], [RASTER_TYPE, 0, 1, 1], [PROJECTED_CRS, 0, 1, OWN]];
        Self { keys: [keys, vec![[LINEAR_UNITS, 0, 1, METRE]]].concat(), ..Self::default() }
    }

    /// What a `.prj` file says, as keys: its code or its name.
    pub(super) fn of_prj(prj: &Prj) -> Self {
        let (code, mut keys) = (prj.epsg.unwrap_or(OWN), vec![[MODEL_TYPE, 0, 1, 1], [RASTER_TYPE, 0, 1, 1]]);
        let name = Some(prj.name.as_str()).filter(|name| name.is_ascii() && !name.is_empty() && !name.contains('|'));
        let text = name.map_or_else(String::new, |name| format!("{name}|"));
        if let Some(length) = u16::try_from(text.len()).ok().filter(|length| *length > 0) {
            keys.push([CITATION, ASCII, length, 0]);
        }
        keys.extend([[PROJECTED_CRS, 0, 1, code], [LINEAR_UNITS, 0, 1, METRE]]);
        keys.extend(prj.vertical_epsg.map(|code| [VERTICAL_CRS, 0, 1, code]));
        Self { keys, doubles: Vec::new(), text, plane: prj.plane }
    }

    fn short(&self, key: u16) -> Option<u16> {
        self.keys.iter().find(|entry| entry[0] == key && entry[1] == 0).map(|entry| entry[3])
    }

    fn double(&self, key: u16) -> Option<f64> {
        let entry = self.keys.iter().find(|entry| entry[0] == key && entry[1] == DOUBLES)?;
        self.doubles.get(usize::from(entry[3])).copied()
    }

    /// EPSG code of a key; none if absent or the user's own.
    fn code(&self, key: u16) -> Option<u16> {
        self.short(key).filter(|code| *code != 0 && *code != OWN)
    }

    fn plane(&self) -> Option<Plane> {
        self.plane.or_else(|| Plane::of_code(self.code(PROJECTED_CRS)?))
    }

    /// How this projection or height datum differs from another one, where both say.
    pub(super) fn differs(&self, other: &Self) -> Option<Words> {
        let pair = |key| Some((self.code(key)?, other.code(key)?));
        let plane = match pair(PROJECTED_CRS) {
            Some((a, b)) => (a != b).then(|| {
                Words::new(format!("坐标系 EPSG:{a} 与 EPSG:{b}"), format!("projection EPSG:{a} against EPSG:{b}"))
            }),
            None => self.plane().zip(other.plane()).and_then(|(a, b)| a.differs(&b)),
        };
        plane.or_else(|| {
            let (a, b) = pair(VERTICAL_CRS).filter(|(a, b)| a != b)?;
            Some(Words::new(
                format!("高程基准 EPSG:{a} 与 EPSG:{b}"),
                format!("height datum EPSG:{a} against EPSG:{b}"),
            ))
        })
    }

    /// The reference surface of its heights as case files call it, where the file names a known one and the case another.
    pub(super) fn contradicts(&self, named: Option<&str>) -> Option<String> {
        let own = match self.code(VERTICAL_CRS)? {
            5737 => "national85".to_owned(),
            5736 => "yellow-sea-1956".to_owned(),
            other => format!("EPSG:{other}"),
        };
        named.filter(|named| *named != own).map(|_| own)
    }

    /// What must hold before its numbers are metres.
    fn check(&self) -> Result<(), Words> {
        let code = self.code(PROJECTED_CRS);
        let name = |code: u16| Words::new(format!("坐标系 EPSG:{code} "), format!("its projection EPSG:{code}"));
        if let Some((code, why)) = code.and_then(|code| Some((code, crs::no_plane_of_metres(code)?))) {
            return Err(crs::project_first(&name(code), &why));
        }
        match self.short(MODEL_TYPE) {
            Some(1) => {}
            Some(2) => return Err(crs::project_first(&Words::new("", "it"), &crs::in_degrees())),
            Some(kind) => {
                let (zh, en) = ("不是投影平面", "is no projected plane");
                return Err(Words::new(format!("模型类型 {kind} {zh}"), format!("its model type {kind} {en}")));
            }
            None => return Err(Words::new("未写明坐标系", "it does not say its projection (no GTModelTypeGeoKey)")),
        }
        if self.short(METHOD) == Some(MERCATOR) {
            return Err(crs::project_first(&Words::new("", "it"), &crs::mercator()));
        }
        self.check_units()?;
        match code.filter(|code| crs::may_be_in_feet(*code) && self.short(LINEAR_UNITS).is_none()) {
            Some(code) => Err(crs::project_first(
                &name(code),
                &Words::new(
                    "可能以英尺为单位，文件未写明单位",
                    "may be in feet, and the file names no unit (no ProjLinearUnitsGeoKey)",
                ),
            )),
            None => Ok(()),
        }
    }

    fn check_units(&self) -> Result<(), Words> {
        for (key, of) in [(LINEAR_UNITS, Of::Plane), (VERTICAL_UNITS, Of::Heights)] {
            if let Some(unit) = self.code(key).filter(|unit| *unit != METRE) {
                return Err(crs::not_metres(of, &format!("EPSG:{unit}")));
            }
        }
        let size_m = self.double(LINEAR_UNIT_SIZE).filter(|size_m| *size_m != 1.0);
        if let Some(size_m) = size_m.filter(|_| self.short(LINEAR_UNITS) == Some(OWN)) {
            return Err(crs::not_metres(Of::Plane, &format!("{size_m} m")));
        }
        match self.code(VERTICAL_CRS).filter(|code| crs::heights_in_feet(*code)) {
            Some(code) => Err(crs::not_metres(Of::Heights, &format!("EPSG:{code} ft"))),
            None => Ok(()),
        }
    }
}

/// Reads a file. The fault says what is wrong; whoever calls says with which file.
pub(super) fn read(file: impl Read + Seek) -> Result<(Grid, Vec<f32>, Projection), Words> {
    let mut decoder = Decoder::new(file).map_err(said)?;
    let (columns, rows) = decoder.dimensions().map_err(said)?;
    let (columns, rows) = (columns as usize, rows as usize);
    if columns.saturating_mul(rows) > MOST_CELLS {
        return Err(Words::new(
            format!("{columns} x {rows} 格多于 {MOST_CELLS}"),
            format!("{columns} x {rows} cells are more than {MOST_CELLS}"),
        ));
    }
    match decoder.colortype().map_err(said)? {
        ColorType::Gray(_) => {}
        other => {
            let (zh, en) = ("须为单波段数值", "one band of numbers is needed");
            return Err(Words::new(format!("内容为 {other:?}：{zh}"), format!("it holds {other:?}: {en}")));
        }
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
    raw_heights(&mut decoder)?;
    let north_first = numbers(decoder.read_image().map_err(said)?)?;
    no_mask(&mut decoder)?;
    if north_first.len() != columns * rows {
        let found = north_first.len();
        return Err(Words::new(
            format!("{columns} x {rows} 格只有 {found} 个值"),
            format!("it holds {found} values for {columns} x {rows} cells"),
        ));
    }
    let mut values = Vec::with_capacity(north_first.len());
    for row in (0..rows).rev() {
        for (column, value) in north_first[row * columns..(row + 1) * columns].iter().enumerate() {
            let hole = nothing.is_some_and(|nothing| is_hole(*value, nothing));
            if !hole && !(*value as f32).is_finite() {
                let spot = Spot::of(&grid, Cell { column, row: rows - 1 - row });
                return Err(Words::new(
                    format!("{}的 {value} 不是有限数；空洞以 NODATA 表示", spot.zh()),
                    format!("{value} at {} is not a finite number; holes are marked by NODATA", spot.en()),
                ));
            }
            values.push(if hole { f32::NAN } else { *value as f32 });
        }
    }
    Ok((grid, values, projection))
}

/// Numbers must be heights as they stand: GDAL may keep a scale and an offset beside them.
fn raw_heights<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<(), Words> {
    let Some(value) = decoder.find_tag(Tag::Unknown(GDAL_METADATA)).map_err(said)? else { return Ok(()) };
    let text = value.into_string().map_err(said)?;
    for (role, neutral) in [("scale", 1.0), ("offset", 0.0)] {
        let mark = format!("role=\"{role}\"");
        let stated = text.split_once(&mark).and_then(|(_, after)| after.split_once('>')?.1.split_once('<'));
        if let Some((number, _)) = stated.filter(|(number, _)| number.trim().parse::<f64>() != Ok(neutral)) {
            return Err(Words::new(
                format!("数值另有 {role} = {number}：请先换成真高程，例如 gdal_translate -unscale -ot Float32"),
                format!(
                    "its numbers carry {role} = {number}: write true heights first, e.g. gdal_translate -unscale -ot Float32"
                ),
            ));
        }
    }
    Ok(())
}

/// Holes must be marked by NODATA: a mask in an image of its own would be passed over.
fn no_mask<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<(), Words> {
    while decoder.more_images() {
        decoder.next_image().map_err(said)?;
        let kind = decoder.find_tag(Tag::NewSubfileType).map_err(said)?;
        if kind.and_then(|kind| kind.into_u32().ok()).is_some_and(|kind| kind & MASK != 0) {
            return Err(Words::new(
                "空洞记在内部掩膜中：请改用 NODATA，例如 gdalwarp -dstnodata -9999",
                "its holes stand in an internal mask: mark them by NODATA, e.g. gdalwarp -dstnodata -9999",
            ));
        }
    }
    Ok(())
}

fn said(fault: TiffError) -> Words {
    Words::new("不是可读的 GeoTIFF", fault.to_string())
}

fn nodata(text: &str) -> Result<f64, Words> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let wrong = |_| Words::new(format!("NODATA“{text}”不是数"), format!("its NODATA '{text}' is no number"));
    text.parse::<f64>().map_err(wrong)
}

fn numbers(read: DecodingResult) -> Result<Vec<f64>, Words> {
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
        _ => {
            return Err(Words::new(
                "数值为 64 位整数或半精度：请用 Float32、Float64 或 Int16",
                "its numbers are 64-bit integers or half floats; use Float32, Float64 or Int16",
            ));
        }
    })
}

fn projection<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<Projection, Words> {
    let mut list = |tag| decoder.find_tag(tag).map_err(said);
    let Some(directory) = list(Tag::GeoKeyDirectoryTag)? else {
        return Err(Words::new(
            "未写明坐标系",
            "it does not say its projection (no GeoKeyDirectoryTag): a plain TIFF, or made without a CRS",
        ));
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
    Ok(Projection { keys, doubles, text, plane: None })
}

/// The grid from scale and tie point, or from the transformation; `point`: a value stands at the middle that the tie point names.
fn placed<R: Read + Seek>(decoder: &mut Decoder<R>, columns: usize, rows: usize, point: bool) -> Result<Grid, Words> {
    let mut list = |tag| -> Result<Option<Vec<f64>>, Words> {
        decoder.find_tag(tag).map_err(said)?.map(|value| value.into_f64_vec().map_err(said)).transpose()
    };
    let (scale, tie) = (list(Tag::ModelPixelScaleTag)?, list(Tag::ModelTiepointTag)?);
    let (width_m, height_m, west_m, north_m) = match (scale.as_deref(), tie.as_deref()) {
        (Some([dx, dy, ..]), Some([i, j, _, x, y, _])) => (*dx, *dy, x - i * dx, y + j * dy),
        (Some(_), Some(_)) => {
            return Err(Words::new(
                "有多个控制点：请先做成规则网格",
                "it has several tie points: make it a regular grid first",
            ));
        }
        _ => match list(Tag::ModelTransformationTag)?.as_deref() {
            Some([a, b, _, x, e, f, _, y, ..]) if *b == 0.0 && *e == 0.0 => (*a, -f, *x, *y),
            Some(_) => {
                return Err(Words::new(
                    "网格不是正北朝上：请先重投影",
                    "its grid is turned against north: warp it north up first",
                ));
            }
            None => {
                return Err(Words::new(
                    "未写明位置",
                    "it does not say where it lies (no ModelPixelScaleTag with ModelTiepointTag)",
                ));
            }
        },
    };
    let finite = [width_m, height_m, west_m, north_m].iter().all(|number| number.is_finite());
    if !finite || width_m <= 0.0 || height_m <= 0.0 {
        return Err(Words::new(
            format!("格子 {width_m} x {height_m} 不成格，或南北颠倒"),
            format!("its cells of {width_m} x {height_m} are no cells, or it is upside down"),
        ));
    }
    if (width_m - height_m).abs() > 1e-6 * width_m {
        return Err(Words::new(
            format!("格子 {width_m} x {height_m} m 不是正方形：请先重采样"),
            format!("its cells of {width_m} x {height_m} m are not square: resample it first"),
        ));
    }
    let half_m = if point { 0.5 * width_m } else { 0.0 };
    let south_m = north_m + half_m - rows as f64 * width_m;
    Ok(Grid { columns, rows, cell_m: width_m, west_m: west_m - half_m, south_m })
}

/// One band of single-precision numbers, deflated; not a number is written as −9999, which the file names as NODATA.
pub(super) fn bytes(grid: &Grid, values: &[f32], projection: &Projection) -> Result<Vec<u8>, Words> {
    let north_first: Vec<f32> = values
        .chunks_exact(grid.columns)
        .rev()
        .flatten()
        .map(|value| if value.is_nan() { -9999.0 } else { *value })
        .collect();
    let mut out = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut out).map_err(said)?;
    let mut encoder = encoder.with_compression(Compression::Deflate(DeflateLevel::Fast));
    let too_many = |count| Words::new(format!("一行 {count} 格太多"), format!("{count} cells in a row are too many"));
    let side = |count: usize| u32::try_from(count).map_err(|_| too_many(count));
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
    use tiff::encoder::colortype::{ColorType as Kind, Gray8, Gray64Float, GrayI16, RGB8};

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
        let projection =
            Projection { keys: METRES.to_vec(), doubles: vec![1.0], text: "Xian|".into(), ..Projection::default() };
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
            let said = read(Cursor::new(bytes)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let with = |crs: &[[u16; 4]]| file::<Gray64Float>(&numbers, &|_| None, crs);
        check(with(&[[MODEL_TYPE, 0, 1, 2], [2048, 0, 1, 4490]]), "in degrees");
        for (code, expected) in [(4326, "in degrees"), (3857, "Mercator"), (2263, "in feet")] {
            check(with(&[METRES[0], [PROJECTED_CRS, 0, 1, code], [LINEAR_UNITS, 0, 1, METRE]]), expected);
        }
        check(with(&[METRES[0], [LINEAR_UNITS, 0, 1, 9002]]), "EPSG:9002, not the metre");
        check(with(&[METRES[0], [PROJECTED_CRS, 0, 1, 26_741]]), "坐标系 EPSG:26741 以英尺为单位");
        // A plane that may be in feet: its unit must stand there, in a key.
        let long_island = [METRES[0], [PROJECTED_CRS, 0, 1, 6538]];
        check(with(&long_island), "EPSG:6538 may be in feet, and the file names no unit");
        assert!(read(Cursor::new(with(&[&long_island[..], &[[LINEAR_UNITS, 0, 1, METRE]]].concat()))).is_ok());
        check(with(&[METRES[0], [PROJECTED_CRS, 0, 1, OWN], [METHOD, 0, 1, MERCATOR]]), "it is a Mercator map");
        check(with(&[METRES[0], METRES[2], [VERTICAL_CRS, 0, 1, 6360]]), "the unit of its heights is EPSG:6360 ft");
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
        let place = "NaN at row 2 from the north, column 2 (x 500015.00, y 3800005.00)";
        check(file::<Gray64Float>(&hole, &|_| None, METRES), place);
        check(file::<RGB8>(&[0; 18], &|_| None, METRES), "one band");
        check(b"no tiff".to_vec(), "");
        let whole = with(METRES);
        check(whole[..whole.len() / 2].to_vec(), "");
    }

    #[test]
    fn twin_geotiff_refuses_numbers_that_are_no_heights_yet_and_holes_in_a_mask() {
        let of = |metadata: &str, second: Option<u32>| {
            let mut out = Cursor::new(Vec::new());
            let mut encoder = TiffEncoder::new(&mut out).unwrap();
            let mut image = encoder.new_image::<GrayI16>(3, 2).unwrap();
            let tags = image.encoder();
            tags.write_tag(Tag::ModelPixelScaleTag, &[10.0, 10.0, 0.0][..]).unwrap();
            tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, 500_000.0, 3_800_020.0, 0.0][..]).unwrap();
            tags.write_tag(Tag::GeoKeyDirectoryTag, &keys(METRES)[..]).unwrap();
            tags.write_tag(Tag::Unknown(GDAL_METADATA), metadata).unwrap();
            image.write_data(&[1; 6]).unwrap();
            if let Some(kind) = second {
                let mut image = encoder.new_image::<Gray8>(3, 2).unwrap();
                image.encoder().write_tag(Tag::NewSubfileType, kind).unwrap();
                image.write_data(&[255; 6]).unwrap();
            }
            read(Cursor::new(out.into_inner())).map(|(_, values, _)| values).map_err(|said| said.to_string())
        };
        let item = |role: &str, number: &str| {
            format!(
                "<GDALMetadata>\n  <Item name=\"{role}\" sample=\"0\" role=\"{role}\">{number}</Item>\n</GDALMetadata>"
            )
        };
        assert_eq!(of(&item("scale", "1"), Some(1)), Ok(vec![1.0; 6]), "neutral, with an overview");
        let said = of(&item("scale", "0.02"), None).unwrap_err();
        assert!(said.contains("scale = 0.02：请先换成真高程") && said.contains("carry scale = 0.02"), "{said}");
        assert!(of(&item("offset", "1000"), None).unwrap_err().contains("carry offset = 1000"));
        assert!(of(&item("offset", "0"), Some(MASK)).unwrap_err().contains("internal mask"));
    }

    #[test]
    fn twin_geotiff_projections_and_height_datums_are_compared() {
        let of = |plane, height| Projection {
            keys: vec![METRES[0], [PROJECTED_CRS, 0, 1, plane], [VERTICAL_CRS, 0, 1, height]],
            ..Projection::default()
        };
        assert_eq!(of(4546, 5737).differs(&of(4546, 5737)), None);
        let said = |a: &Projection, b: &Projection| a.differs(b).unwrap().to_string();
        assert!(said(&of(4546, 5737), &of(4547, 5737)).contains("EPSG:4546 against EPSG:4547"));
        assert!(said(&of(4546, 5737), &of(4546, 5736)).contains("height datum EPSG:5737"));
        assert_eq!(of(4546, 5737).differs(&Projection::unnamed()), None);
        assert_eq!(of(4546, 5737).contradicts(Some("dagu")).as_deref(), Some("national85"));
        assert_eq!(of(4546, 5736).contradicts(Some("national85")).as_deref(), Some("yellow-sea-1956"));
        assert_eq!([of(4546, 5737).contradicts(Some("national85")), of(4546, 5737).contradicts(None)], [None, None]);
        assert_eq!(of(4546, 5773).contradicts(Some("national85")).as_deref(), Some("EPSG:5773"), "EGM96");
        assert_eq!(of(4546, 5773).contradicts(Some("EPSG:5773")), None);
    }

    #[test]
    fn twin_geotiff_units_of_the_users_own_and_what_a_prj_says() {
        let own = |size_m| Projection {
            keys: vec![
                METRES[0],
                [PROJECTED_CRS, 0, 1, OWN],
                [LINEAR_UNITS, 0, 1, OWN],
                [LINEAR_UNIT_SIZE, DOUBLES, 1, 1],
            ],
            doubles: vec![7.0, size_m],
            ..Projection::default()
        };
        assert_eq!(own(1.0).check(), Ok(()));
        assert!(own(0.3048).check().unwrap_err().en.contains("the unit of its plane is 0.3048 m"));
        let prj = |epsg| Prj { name: "GK 111".into(), epsg, vertical_epsg: Some(5737), plane: Plane::of_code(4546) };
        let said = Projection::of_prj(&prj(None));
        assert_eq!((said.check(), said.text.as_str()), (Ok(()), "GK 111|"));
        assert_eq!(said.contradicts(Some("dagu")).as_deref(), Some("national85"));
        // Without a code its numbers are compared with those of a GeoTIFF's code.
        let tiff = |code| Projection { keys: vec![METRES[0], [PROJECTED_CRS, 0, 1, code]], ..Projection::default() };
        assert_eq!(said.differs(&tiff(4546)), None);
        assert!(said.differs(&tiff(4547)).unwrap().en.contains("central meridian 111 against 114"));
        assert_eq!(Projection::of_prj(&prj(Some(4546))).code(PROJECTED_CRS), Some(4546));
        let written = bytes(&GRID, &[1.0; 6], &said).unwrap();
        assert_eq!(read(Cursor::new(written)).unwrap().2.text.trim_end_matches('\0'), "GK 111|");
    }
}

//! Rows of cells out of a CSV or XLSX file, with their row numbers, bounded in every direction.
//!
//! A formula gives the value that the spreadsheet last computed. A merged area gives its text to all its cells; a merged number
//! belongs to its first cell alone, the others say that they were merged. The areas of an XLSX file are read cell by cell, so
//! that two cells far apart cost two cells.

use super::cell::Cell;
use super::decode::{separator, text_of};
use super::{COLUMNS_MAX, FILE_MAX, ROWS_MAX};
use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use std::io::{Cursor, Read};

/// Most bytes that the parts of an XLSX file may unfold to.
const UNPACKED_MAX: u64 = 128 << 20;
/// Longest text of a cell that is kept, in characters.
const TEXT_MAX: usize = 200;

/// Why a file is no table that can be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// Too many bytes.
    #[error("文件超过 {} MB (the file is larger than that)", FILE_MAX >> 20)]
    TooLarge,
    /// It unfolds to too much.
    #[error("文件解压后超过 {} MB (the workbook unpacks to more than that)", UNPACKED_MAX >> 20)]
    Unpacked,
    /// Too many rows.
    #[error("超过 {ROWS_MAX} 行，请分成几个文件 (more rows than that: split the file)")]
    Rows,
    /// Too many columns.
    #[error("第 {row} 行超过 {COLUMNS_MAX} 列 (row {row} has more columns than that)")]
    Columns {
        /// Counted from 1.
        row: usize,
    },
    /// Not text in a known encoding.
    #[error("第 {line} 行不是 {encoding} 文本，请另存为 UTF-8 (line {line} is not {encoding} text: save it as UTF-8)")]
    Encoding {
        /// Counted from 1.
        line: usize,
        /// What it looked like.
        encoding: &'static str,
    },
    /// The old binary form.
    #[error("旧版 .xls 文件，请另存为 .xlsx 或 CSV (an old .xls file: save it as .xlsx or CSV)")]
    OldExcel,
    /// Something else.
    #[error("既不是 CSV 也不是 XLSX (neither CSV nor XLSX)")]
    NoTable,
    /// A CSV that cannot be cut into cells.
    #[error("CSV 无法读取 (the CSV cannot be read)")]
    Csv(#[source] csv::Error),
    /// A workbook that cannot be read.
    #[error("XLSX 无法读取：{0} (the workbook cannot be read)")]
    Workbook(String),
    /// No sheet of that name.
    #[error("没有工作表 {0} (no such sheet)")]
    NoSheet(String),
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// As the spreadsheet or editor counts, from 1.
    pub(super) number: usize,
    pub(super) cells: Vec<Cell>,
}

/// A file cut into rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// `CSV, GBK` or `XLSX, Sheet1`.
    pub kind: String,
    /// Sheets that were not read.
    pub other_sheets: Vec<String>,
    /// Rows with at least one cell that is not empty.
    pub(super) rows: Vec<Row>,
    /// Rows between them without anything.
    pub(super) empty_rows: usize,
}

impl Book {
    /// Reads a file; of a workbook the named sheet, or the first one that is shown.
    ///
    /// # Errors
    /// What is too large, or is no table.
    pub fn read(bytes: &[u8], sheet: Option<&str>) -> Result<Self, SheetError> {
        if bytes.len() > FILE_MAX {
            return Err(SheetError::TooLarge);
        }
        if bytes.starts_with(b"PK\x03\x04") {
            return workbook(bytes, sheet);
        }
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(SheetError::OldExcel);
        }
        comma_separated(bytes)
    }
}

fn comma_separated(bytes: &[u8]) -> Result<Book, SheetError> {
    let (text, encoding) = text_of(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(&text))
        .from_reader(text.as_bytes());
    let mut book = Book { kind: format!("CSV, {encoding}"), other_sheets: Vec::new(), rows: Vec::new(), empty_rows: 0 };
    let (mut number, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(SheetError::Csv)?;
        // A record begins, for its reader, before the line ends and empty lines that it skips: a person counts those.
        let at = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(usize::MAX));
        let skipped = text.as_bytes().get(at..).unwrap_or_default().iter();
        let at = at + skipped.take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        number += text.as_bytes().get(counted..at).map_or(0, |lines| lines.iter().filter(|b| **b == b'\n').count());
        counted = at;
        if record.len() > COLUMNS_MAX {
            return Err(SheetError::Columns { row: number });
        }
        book.add(number, record.iter().map(Cell::of_text).collect())?;
    }
    Ok(book)
}

impl Book {
    /// Every row as text, with its number.
    pub fn texts(&self) -> impl Iterator<Item = (usize, Vec<String>)> {
        self.rows.iter().map(|row| (row.number, row.cells.iter().map(Cell::text).collect()))
    }

    /// Every row that is not empty, with its number.
    pub fn cells(&self) -> impl Iterator<Item = (usize, &[Cell])> {
        self.rows.iter().map(|row| (row.number, row.cells.as_slice()))
    }

    fn add(&mut self, number: usize, mut cells: Vec<Cell>) -> Result<(), SheetError> {
        while cells.last().is_some_and(|cell| *cell == Cell::Empty) {
            cells.pop();
        }
        if cells.is_empty() {
            self.empty_rows += 1;
            return Ok(());
        }
        if self.rows.len() == ROWS_MAX {
            return Err(SheetError::Rows);
        }
        self.rows.push(Row { number, cells });
        Ok(())
    }
}

fn workbook(bytes: &[u8], wanted: Option<&str>) -> Result<Book, SheetError> {
    refuse_bomb(bytes)?;
    let wrong = |fault: &dyn std::fmt::Display| SheetError::Workbook(fault.to_string().chars().take(200).collect());
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|fault| wrong(&fault))?;
    let shown = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    let names: Vec<_> = book.sheets_metadata().iter().filter(shown).map(|sheet| sheet.name.clone()).collect();
    let name = match wanted {
        Some(wanted) => names.iter().find(|name| *name == wanted).ok_or_else(|| SheetError::NoSheet(wanted.into()))?,
        None => names.first().ok_or(SheetError::NoTable)?,
    };
    let merged = book.merge_cells_by_sheet_name(name).map_err(|fault| wrong(&fault))?;
    let mut rows: std::collections::BTreeMap<u32, Vec<Cell>> = std::collections::BTreeMap::new();
    let mut reader = book.worksheet_cells_reader(name).map_err(|fault| wrong(&fault))?;
    while let Some(cell) = reader.next_cell().map_err(|fault| wrong(&fault))? {
        let (row, column) = cell.get_position();
        let value = cell_of(cell.get_value());
        if value != Cell::Empty {
            put(&mut rows, row, column, value)?;
        }
    }
    for area in merged {
        fill(&mut rows, area.start, area.end)?;
    }
    let last = rows.keys().next_back().map_or(0, |last| *last as usize + 1);
    let empty = last - rows.len();
    let other_sheets = names.iter().filter(|other| *other != name).cloned().collect();
    let mut out = Book { kind: format!("XLSX, {name}"), other_sheets, rows: Vec::new(), empty_rows: empty };
    for (row, cells) in rows {
        out.add(row as usize + 1, cells)?;
    }
    Ok(out)
}

/// Unfolds every part once and counts: the sizes that an archive states prove nothing.
fn refuse_bomb(bytes: &[u8]) -> Result<(), SheetError> {
    let wrong = |fault: zip::result::ZipError| SheetError::Workbook(fault.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
    let mut left = UNPACKED_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(wrong)?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        let unpacked = unpacked.map_err(|fault| SheetError::Workbook(fault.to_string()))?;
        left = left.checked_sub(unpacked).ok_or(SheetError::Unpacked)?;
    }
    Ok(())
}

fn put(
    rows: &mut std::collections::BTreeMap<u32, Vec<Cell>>,
    row: u32,
    column: u32,
    value: Cell,
) -> Result<(), SheetError> {
    let column = column as usize;
    if column >= COLUMNS_MAX {
        return Err(SheetError::Columns { row: row as usize + 1 });
    }
    if rows.len() >= ROWS_MAX && !rows.contains_key(&row) {
        return Err(SheetError::Rows);
    }
    let cells = rows.entry(row).or_default();
    if cells.len() <= column {
        cells.resize(column + 1, Cell::Empty);
    }
    if let Some(cell) = cells.get_mut(column) {
        *cell = value;
    }
    Ok(())
}

/// Text and moments of a merged area hold for all its cells that lie in rows which have something; a number only for the first.
fn fill(
    rows: &mut std::collections::BTreeMap<u32, Vec<Cell>>,
    start: (u32, u32),
    end: (u32, u32),
) -> Result<(), SheetError> {
    let first = rows.get(&start.0).and_then(|cells| cells.get(start.1 as usize)).cloned();
    let value = match first {
        None | Some(Cell::Empty) => return Ok(()),
        Some(value @ (Cell::Text(_) | Cell::Time(_))) => value,
        Some(_) => Cell::Merged,
    };
    let within: Vec<_> = rows.range(start.0..=end.0).map(|(row, _)| *row).collect();
    let last = end.1.min(COLUMNS_MAX as u32 - 1);
    for row in within {
        for column in start.1..=last {
            let empty = rows.get(&row).and_then(|cells| cells.get(column as usize)).is_none_or(|c| *c == Cell::Empty);
            if empty {
                put(rows, row, column, value.clone())?;
            }
        }
    }
    Ok(())
}

fn cell_of(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::String(text) => Cell::of_text(text),
        DataRef::SharedString(text) => Cell::of_text(text),
        DataRef::Bool(yes) => Cell::Text(if *yes { "TRUE" } else { "FALSE" }.into()),
        // A time of day without a date stays the number that it is.
        DataRef::DateTime(at) if at.is_duration() || at.as_f64() < 1.0 => Cell::Number(at.as_f64()),
        DataRef::DateTime(at) => {
            at.as_datetime().map_or(Cell::Number(at.as_f64()), |at| Cell::Time(super::cell::whole_second(at)))
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::of_text(text),
        DataRef::Error(fault) => Cell::Fault(fault.to_string()),
        DataRef::Empty => Cell::Empty,
    }
}

/// Shortens what no table of readings has.
pub(super) fn short(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

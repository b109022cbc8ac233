//! Tables of readings from the duty office: CSV and XLSX, as spreadsheets and databases write them.
//!
//! In: the bytes of a file. Out: a [`Preview`]: which columns were recognised, the readings of each good row, and every other
//! row with row, column and reason. Nothing is kept here. It never loses a row in silence: each one is a reading, a fault, or
//! counted as empty.

mod book;
mod cell;
mod decode;
mod header;
mod preview;
mod rain;

pub use book::{Book, SheetError};
pub use cell::{Cell, Moment};
pub(crate) use header::letter;
pub use header::{Column, Role, SeriesColumn};
pub use preview::{Ask, CellFault, Place, Places, Preview, preview};

/// Largest file, bytes.
pub const FILE_MAX: usize = 8 << 20;
/// Most rows of one table, the header included.
pub const ROWS_MAX: usize = 100_000;
/// Most columns of one table.
pub const COLUMNS_MAX: usize = 200;

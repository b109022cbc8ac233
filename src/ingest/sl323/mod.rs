//! The tables by which bureaus exchange real-time water data (SL 323-2011, 实时雨水情数据库表结构与标识符).
//!
//! In: ST_STBPRP_B, for the datum of each station; ST_RIVER_R, ST_PPTN_R and ST_RSVR_R come in as sheets
//! (`ingest::sheet` knows their columns). Out: the same tables as CSV with the field names of the standard. Datums are
//! never mixed: a stage leaves with the datum of its series in ST_STBPRP_B, and comes in only if that is the one stated.

mod export;
mod stations;

pub use export::{SL323_TABLES, Sl323Site, Sl323Station, Table, export};
pub use stations::{StationTable, stations};

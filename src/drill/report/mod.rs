//! The report of a drill: one list of blocks, written as a page, as Markdown and as a table.
//!
//! In: the tally, the rules, the head. Out: texts, each of which begins with 【演练】. It decides nothing.

mod blocks;
mod html;
mod layout;
mod markdown;
mod names;
mod pdf;
mod table;

pub(super) use blocks::duration;
pub(super) use names::corps_zh;
pub use pdf::{ChineseFont, PdfFault};

use super::field::Inject;
use super::floods::Flood;
use super::tally::Tally;
use crate::command::Core;
use crate::ingest::sensors::Sensors;
use crate::model::Timestamp;

/// What stands above a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportHead {
    /// The flood.
    pub flood: String,
    /// Seed of all chance.
    pub seed: u64,
    /// First moment.
    pub from: Timestamp,
    /// Last moment of the flood.
    pub to: Timestamp,
    /// What the director broke.
    pub injects: Vec<Inject>,
    /// End of the journal's chain, once it is finished.
    pub chain: Option<String>,
    /// The server went down in the middle of it.
    pub interrupted: bool,
}

impl ReportHead {
    /// Of a whole flood that begins; its end is not known yet.
    pub fn begun(flood: &Flood, seed: u64, injects: Vec<Inject>) -> Self {
        let (from, to) = flood.span();
        Self { flood: flood.id().to_owned(), seed, from, to, injects, chain: None, interrupted: false }
    }
}

/// A drill to report on.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// What stands above.
    pub head: &'a ReportHead,
    /// The figures.
    pub tally: &'a Tally,
    /// Titles, places, people.
    pub core: &'a Core,
    /// Names of gauges and stones.
    pub sensors: &'a Sensors,
}

impl Report<'_> {
    /// What was broken: by the script, then by the director while it ran.
    pub(super) fn injects(&self) -> Vec<Inject> {
        let while_running = self.tally.injected.iter().map(|injection| Inject::of(injection, self.head.from));
        self.head.injects.iter().cloned().chain(while_running).collect()
    }
    /// One self-contained page, A4 when printed, Chinese first.
    pub fn html(&self) -> String {
        html::page(&blocks::blocks(self))
    }
    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        markdown::text(&blocks::blocks(self))
    }
    /// The same as an A4 PDF with that font, subset and embedded; the same drill gives the same bytes.
    ///
    /// # Errors
    /// When the font cannot be used or the PDF not be written.
    pub fn pdf(&self, font: &ChineseFont) -> Result<Vec<u8>, PdfFault> {
        pdf::write(&blocks::blocks(self), font)
    }
    /// One row a task, UTF-8 with a byte-order mark.
    ///
    /// # Errors
    /// When a row cannot be written.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        table::csv(self)
    }
}

/// Wall time of the reach with its year.
pub(super) fn beijing_full(at: Timestamp) -> String {
    (at + chrono::TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Wall time of the reach.
pub(super) fn beijing(at: Timestamp) -> String {
    (at + chrono::TimeDelta::hours(8)).format("%m-%d %H:%M:%S").to_string()
}

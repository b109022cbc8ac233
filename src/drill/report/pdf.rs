//! The blocks as a PDF: A4, a Chinese font subset embedded, the same bytes for the same drill.
//!
//! In: the blocks and a font. Out: bytes. It reads no file and no clock; where a font lies is found by its caller.

use super::blocks::Block;
use super::layout::{Ink, Mark, PAGE_H, PAGE_W, Sheet};
use crate::drill::text::DrillText;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use std::sync::Arc;

/// A report cannot be written as PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfFault {
    /// The file is no font, or holds no Chinese.
    #[error("the font cannot be used: it is not readable or holds no Chinese glyphs (字体不可用或不含中文)")]
    Font,
    /// The writer gave up.
    #[error("the PDF cannot be written (无法生成 PDF): {0}")]
    Write(String),
}

/// A font with Chinese glyphs, as read from a file.
#[derive(Clone)]
pub struct ChineseFont {
    bytes: Arc<Vec<u8>>,
    index: u32,
}

impl ChineseFont {
    /// The face of that index in the bytes of a font file.
    ///
    /// # Errors
    /// When it is no font or has no glyph for 演.
    pub fn new(bytes: Vec<u8>, index: u32) -> Result<Self, PdfFault> {
        let font = Self { bytes: Arc::new(bytes), index };
        let has_chinese = font.face()?.charmap().map('演').is_some();
        if has_chinese { Ok(font) } else { Err(PdfFault::Font) }
    }

    fn face(&self) -> Result<FontRef<'_>, PdfFault> {
        FontRef::from_index(&self.bytes, self.index).map_err(|_| PdfFault::Font)
    }
}

impl std::fmt::Debug for ChineseFont {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChineseFont({} bytes, face {})", self.bytes.len(), self.index)
    }
}

/// Glyphs and widths of a face. Chinese and the Latin of such a font need no shaping: one glyph a character.
pub(super) struct Pen<'a> {
    charmap: skrifa::charmap::Charmap<'a>,
    metrics: skrifa::metrics::GlyphMetrics<'a>,
}

impl Pen<'_> {
    /// The glyph of a character and its width in em; a question mark for what the font does not have.
    fn glyph(&self, character: char) -> (u32, f32) {
        let known = self.charmap.map(character).or_else(|| self.charmap.map('?')).unwrap_or_default();
        (known.to_u32(), self.metrics.advance_width(known).unwrap_or(1.0))
    }
    /// Width of a text in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|character| self.glyph(character).1).sum::<f32>() * size
    }
}

pub(super) fn write(blocks: &[Block], font: &ChineseFont) -> Result<Vec<u8>, PdfFault> {
    let face = font.face()?;
    // At one point an em: widths come out in em.
    let metrics = face.glyph_metrics(Size::new(1.0), LocationRef::default());
    let pen = Pen { charmap: face.charmap(), metrics };
    let embedded = Font::new(Arc::clone(&font.bytes).into(), font.index).ok_or(PdfFault::Font)?;
    let title = blocks.iter().find_map(|block| match block {
        Block::Title(text) => Some(text.clone()),
        _ => None,
    });
    let title = DrillText::new(title.unwrap_or_default()).to_string();
    let mut document = Document::new_with(SerializeSettings { enable_tagging: false, ..SerializeSettings::default() });
    let pages = Sheet::lay_out(blocks, &pen, &title);
    for marks in &pages {
        let settings = PageSettings::from_wh(PAGE_W, PAGE_H).ok_or_else(|| PdfFault::Write("page size".into()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, mark, &pen, &embedded);
        }
        surface.finish();
        page.finish();
    }
    document.set_metadata(Metadata::new().title(title).language("zh-CN".into()).creator("anlan".into()));
    document.finish().map_err(|fault| PdfFault::Write(format!("{fault:?}")))
}

fn draw(surface: &mut Surface<'_>, mark: &Mark, pen: &Pen<'_>, font: &Font) {
    let fill = |ink: Ink| {
        let [red, green, blue] = ink.rgb();
        Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, rule: Default::default() }
    };
    match mark {
        Mark::Text { x, y, size, ink, text } => {
            let mut glyphs = Vec::with_capacity(text.len());
            for (at, character) in text.char_indices() {
                let (id, advance) = pen.glyph(character);
                let range = at..at + character.len_utf8();
                glyphs.push(KrillaGlyph::new(GlyphId::new(id), advance, 0.0, 0.0, 0.0, range, None));
            }
            surface.set_fill(Some(fill(*ink)));
            surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, font.clone(), text, *size, false);
        }
        Mark::Box { x, y, w, h, ink } => {
            let mut builder = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*x, *y, *w, *h) {
                builder.push_rect(rect);
            }
            if let Some(path) = builder.finish() {
                surface.set_fill(Some(fill(*ink)));
                surface.draw_path(&path);
            }
        }
    }
}

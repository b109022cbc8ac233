//! Where everything of a PDF report stands: lines broken to their column, tables over several pages with their head repeated.
//!
//! In: blocks and the widths of a font. Out: marks on pages, in points from the upper left corner.

use super::blocks::Block;
use super::pdf::Pen;

/// Width of A4 in points.
pub(super) const PAGE_W: f32 = 595.28;
/// Height of A4 in points.
pub(super) const PAGE_H: f32 = 841.89;
const EDGE: f32 = 42.0;
const TOP: f32 = 56.0;
const BOTTOM: f32 = PAGE_H - 48.0;
const WIDTH: f32 = PAGE_W - 2.0 * EDGE;
const BODY: f32 = 8.5;
const LINE: f32 = 12.0;
const PAD: f32 = 3.0;
const RULE: f32 = 0.5;
/// No column is narrower than this, in points.
const NARROWEST: f32 = 34.0;

/// Colours of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Black,
    Grey,
    Red,
    Rule,
    Head,
    Bar,
}

impl Ink {
    pub(super) fn rgb(self) -> [u8; 3] {
        match self {
            Self::Black => [22, 32, 43],
            Self::Grey => [85, 102, 102],
            Self::Red => [179, 38, 30],
            Self::Rule => [184, 194, 204],
            Self::Head => [238, 242, 246],
            Self::Bar => [47, 111, 168],
        }
    }
}

/// One mark on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// Text on its base line.
    Text { x: f32, y: f32, size: f32, ink: Ink, text: String },
    /// A filled box.
    Box { x: f32, y: f32, w: f32, h: f32, ink: Ink },
}

/// Pages that fill up from above.
pub(super) struct Sheet<'a> {
    pen: &'a Pen<'a>,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl<'a> Sheet<'a> {
    /// All pages, each with the title above and its number below.
    pub(super) fn lay_out(blocks: &[Block], pen: &'a Pen<'a>, title: &str) -> Vec<Vec<Mark>> {
        let mut sheet = Self { pen, pages: vec![Vec::new()], y: TOP };
        for block in blocks {
            match block {
                Block::Title(text) => sheet.title(text),
                Block::Head(zh, en) => sheet.head(zh, en),
                Block::Note(text) => sheet.paragraph(text),
                Block::Point(text) => sheet.point(text),
                Block::Table(_, rows) if rows.is_empty() => sheet.paragraph("无 none"),
                Block::Table(head, rows) => sheet.table(head, rows),
                Block::Bars(bars) => sheet.bars(bars),
            }
        }
        let count = sheet.pages.len();
        for number in 1..=count {
            sheet.edges(title, number, count);
        }
        sheet.pages
    }

    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }
    fn text(&mut self, x: f32, size: f32, ink: Ink, text: &str) {
        let y = self.y + size;
        self.put(Mark::Text { x, y, size, ink, text: text.to_owned() });
    }
    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }
    /// Turns the page unless so much fits below.
    fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.turn();
        }
    }

    fn edges(&mut self, title: &str, number: usize, count: usize) {
        let size = 7.5;
        let numbers = format!("第 {number} 页，共 {count} 页  page {number} of {count}");
        let x = PAGE_W - EDGE - self.pen.width(&numbers, size);
        if let Some(page) = self.pages.get_mut(number - 1) {
            page.push(Mark::Text { x: EDGE, y: 34.0, size, ink: Ink::Red, text: title.to_owned() });
            page.push(Mark::Box { x: EDGE, y: 39.0, w: WIDTH, h: RULE, ink: Ink::Rule });
            page.push(Mark::Text { x, y: PAGE_H - 26.0, size, ink: Ink::Grey, text: numbers });
        }
    }

    fn title(&mut self, text: &str) {
        let size = 17.0;
        for line in broken(self.pen, text, size, WIDTH) {
            self.text(EDGE, size, Ink::Black, &line);
            self.y += size * 1.4;
        }
        let y = self.y;
        self.put(Mark::Box { x: EDGE, y, w: WIDTH, h: 2.0, ink: Ink::Red });
        self.y += 10.0;
    }

    fn head(&mut self, zh: &str, en: &str) {
        // A heading never stands alone at the foot of a page.
        self.need(70.0);
        self.y += 10.0;
        let size = 12.0;
        self.text(EDGE, size, Ink::Black, zh);
        let x = EDGE + self.pen.width(zh, size) + 8.0;
        let y = self.y + size;
        self.put(Mark::Text { x, y, size: BODY, ink: Ink::Grey, text: en.to_owned() });
        self.y += size + 7.0;
    }

    fn paragraph(&mut self, text: &str) {
        for line in broken(self.pen, text, BODY, WIDTH) {
            self.need(LINE);
            self.text(EDGE, BODY, Ink::Grey, &line);
            self.y += LINE;
        }
        self.y += 3.0;
    }

    /// A sentence to read first, with a red bar at its left.
    fn point(&mut self, text: &str) {
        let lines = broken(self.pen, text, BODY, WIDTH - 10.0);
        self.need(lines.len() as f32 * LINE);
        let (y, h) = (self.y + 1.0, lines.len() as f32 * LINE - 2.0);
        self.put(Mark::Box { x: EDGE, y, w: 2.0, h, ink: Ink::Red });
        for line in lines {
            self.text(EDGE + 10.0, BODY, Ink::Black, &line);
            self.y += LINE;
        }
        self.y += 4.0;
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let columns = widths(self.pen, head, rows);
        let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
        let first = rows.first().map_or(LINE, |row| self.height(row, &columns));
        self.need(self.height(&head, &columns) + first.min(80.0));
        self.row(&head, &columns, true);
        for row in rows {
            if self.y + self.height(row, &columns) > BOTTOM && self.y > TOP {
                self.turn();
                self.row(&head, &columns, true);
            }
            self.row(row, &columns, false);
        }
        self.y += 6.0;
    }

    fn height(&self, row: &[String], columns: &[f32]) -> f32 {
        let lines = row.iter().zip(columns).map(|(cell, width)| broken(self.pen, cell, BODY, width - 2.0 * PAD).len());
        lines.max().unwrap_or(1).max(1) as f32 * LINE + 2.0 * PAD - 2.0
    }

    /// One row; what does not fit on a page goes on on the next.
    fn row(&mut self, row: &[String], columns: &[f32], is_head: bool) {
        let cells: Vec<Vec<String>> =
            row.iter().zip(columns).map(|(cell, width)| broken(self.pen, cell, BODY, width - 2.0 * PAD)).collect();
        let most = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let mut done = 0;
        while done < most {
            let fits = (((BOTTOM - self.y - 2.0 * PAD) / LINE).floor().max(1.0) as usize).min(most - done);
            let height = fits as f32 * LINE + 2.0 * PAD - 2.0;
            self.frame(columns, height, is_head);
            let mut x = EDGE;
            for (lines, width) in cells.iter().zip(columns) {
                for (index, line) in lines.iter().skip(done).take(fits).enumerate() {
                    let y = self.y + PAD + index as f32 * LINE + BODY;
                    self.put(Mark::Text { x: x + PAD, y, size: BODY, ink: Ink::Black, text: line.clone() });
                }
                x += width;
            }
            self.y += height;
            done += fits;
            if done < most {
                self.turn();
            }
        }
    }

    fn frame(&mut self, columns: &[f32], height: f32, is_head: bool) {
        let (y, w) = (self.y, columns.iter().sum::<f32>());
        if is_head {
            self.put(Mark::Box { x: EDGE, y, w, h: height, ink: Ink::Head });
        }
        for y in [y, y + height] {
            self.put(Mark::Box { x: EDGE, y, w, h: RULE, ink: Ink::Rule });
        }
        let mut x = EDGE;
        self.put(Mark::Box { x, y, w: RULE, h: height, ink: Ink::Rule });
        for width in columns {
            x += width;
            self.put(Mark::Box { x, y, w: RULE, h: height, ink: Ink::Rule });
        }
    }

    fn bars(&mut self, bars: &[(String, usize)]) {
        let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        self.need(bars.len() as f32 * (LINE + 1.0));
        for (label, count) in bars {
            let x = EDGE + 70.0 - self.pen.width(label, BODY);
            self.text(x, BODY, Ink::Black, label);
            let (y, w) = (self.y + 1.0, *count as f32 * 340.0 / most as f32);
            if *count > 0 {
                self.put(Mark::Box { x: EDGE + 78.0, y, w, h: LINE - 3.0, ink: Ink::Bar });
            }
            self.text(EDGE + 84.0 + w, BODY, Ink::Grey, &count.to_string());
            self.y += LINE + 1.0;
        }
        self.y += 4.0;
    }
}

/// Columns as wide as their widest cell; where that is too much, the wide ones share what the narrow ones leave.
fn widths(pen: &Pen<'_>, head: &[&str], rows: &[Vec<String>]) -> Vec<f32> {
    let natural: Vec<f32> = head
        .iter()
        .enumerate()
        .map(|(at, title)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| pen.width(cell, BODY));
            cells.fold(pen.width(title, BODY), f32::max) + 2.0 * PAD + 1.0
        })
        .collect();
    let all: f32 = natural.iter().sum();
    if all <= WIDTH {
        return natural.iter().map(|width| width * WIDTH / all).collect();
    }
    let fair = WIDTH / natural.len().max(1) as f32;
    let narrow: f32 = natural.iter().filter(|width| **width <= fair).sum();
    let wide: f32 = natural.iter().filter(|width| **width > fair).map(|width| width.sqrt()).sum();
    let share =
        |width: &f32| if *width <= fair { *width } else { ((WIDTH - narrow) * width.sqrt() / wide).max(NARROWEST) };
    natural.iter().map(share).collect()
}

/// A text in lines no wider than that: broken between Chinese characters, between Latin words, within words only where
/// one word is wider than the line. There is always one line.
pub(super) fn broken(pen: &Pen<'_>, text: &str, size: f32, width: f32) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
    for piece in pieces(text) {
        if piece == "\n" {
            lines.push(std::mem::take(&mut line));
            used = 0.0;
            continue;
        }
        let long = pen.width(piece.trim_end(), size);
        if used + long <= width {
            line.push_str(piece);
            used += pen.width(piece, size);
            continue;
        }
        if !line.is_empty() && long <= width {
            lines.push(std::mem::take(&mut line));
            line.push_str(piece);
            used = pen.width(piece, size);
            continue;
        }
        for character in piece.chars() {
            let long = pen.width(character.encode_utf8(&mut [0; 4]), size);
            if used + long > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            line.push(character);
            used += long;
        }
    }
    lines.push(line);
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Latin words with the space after them; every other character by itself, closing marks with what they close.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        let next = characters.peek().map(|(_, next)| *next);
        let in_word = character.is_ascii_graphic() && next.is_some_and(|next| next.is_ascii_graphic() || next == ' ');
        let closes_next = next.is_some_and(|next| "，。；：、）】》！？".contains(next));
        if character != '\n' && (in_word || closes_next || "（【《".contains(character) || next == Some(' ')) {
            continue;
        }
        out.extend(text.get(from..end));
        from = end;
    }
    out.extend(text.get(from..).filter(|rest| !rest.is_empty()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drill_pdf_text_is_cut_between_characters_and_words() {
        let check = |text: &str, expected: &[&str]| assert_eq!(pieces(text), expected, "{text}");
        check("演练，开始", &["演", "练，", "开", "始"]);
        check("drill report 演", &["drill ", "report ", "演"]);
        check("（甲）", &["（甲）"]);
        check("a\nb", &["a", "\n", "b"]);
        check("", &[]);
    }
}

//! The blocks as Markdown.

use super::blocks::Block;

pub(super) fn text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Title(text) => out.push_str(&format!("{text}\n{}\n\n", "=".repeat(40))),
            Block::Head(zh, en) => out.push_str(&format!("## {zh} / {en}\n\n")),
            Block::Point(text) => out.push_str(&format!("- {text}\n\n")),
            Block::Note(text) => out.push_str(&format!("{text}\n\n")),
            Block::Table(_, rows) if rows.is_empty() => out.push_str("无 none\n\n"),
            Block::Table(head, rows) => {
                out.push_str(&format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len())));
                for row in rows {
                    let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
                    out.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
                out.push('\n');
            }
            Block::Bars(bars) => {
                out.push_str("| s | n |\n|---|---|\n");
                for (label, count) in bars {
                    out.push_str(&format!("| {label} | {count} |\n"));
                }
                out.push('\n');
            }
        }
    }
    out
}

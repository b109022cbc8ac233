//! The blocks as one page: no script, nothing from outside, A4 when printed.

use super::blocks::Block;

const HEAD: &str = "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\"><style>\
@page{size:A4;margin:16mm}body{font:14px/1.55 \"Noto Sans CJK SC\",\"Source Han Sans SC\",\"PingFang SC\",\
\"Microsoft YaHei\",sans-serif;max-width:190mm;margin:1em auto;padding:0 1em;color:#16202b}\
h1{font-size:22px;border-bottom:3px solid #b3261e}h2{font-size:16px;margin:1.6em 0 .4em;break-after:avoid}\
h2 small{color:#566;font-weight:400}table{border-collapse:collapse;width:100%}tr{break-inside:avoid}\
thead{display:table-header-group}th,td{border:1px solid #b8c2cc;padding:.2em .5em;text-align:left;vertical-align:top;\
overflow-wrap:anywhere}th{background:#eef2f6}.note{color:#455}.point{margin:.3em 0;padding-left:.8em;border-left:3px solid #b3261e}.empty{color:#566}\
@media print{body{font-size:10pt;margin:0;padding:0}}</style>";

pub(super) fn page(blocks: &[Block]) -> String {
    let mut out = String::from(HEAD);
    for block in blocks {
        match block {
            Block::Title(text) => {
                let text = escape(text);
                out.push_str(&format!("<title>{text}</title></head><body><h1>{text}</h1>\n"));
            }
            Block::Head(zh, en) => out.push_str(&format!("<h2>{} <small>{}</small></h2>\n", escape(zh), escape(en))),
            Block::Point(text) => out.push_str(&format!("<p class=\"point\">{}</p>\n", escape(text))),
            Block::Note(text) => out.push_str(&format!("<p class=\"note\">{}</p>\n", escape(text))),
            Block::Table(_, rows) if rows.is_empty() => out.push_str("<p class=\"empty\">无 none</p>\n"),
            Block::Table(head, rows) => table(&mut out, head, rows),
            Block::Bars(bars) => histogram(&mut out, bars),
        }
    }
    out.push_str("</body></html>\n");
    out
}

fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let cells = |kind: &str, cells: &mut dyn Iterator<Item = &str>| {
        cells.map(|cell| format!("<{kind}>{}</{kind}>", escape(cell))).collect::<String>()
    };
    out.push_str(&format!("<table><thead><tr>{}</tr></thead><tbody>\n", cells("th", &mut head.iter().copied())));
    for row in rows {
        out.push_str(&format!("<tr>{}</tr>\n", cells("td", &mut row.iter().map(String::as_str))));
    }
    out.push_str("</tbody></table>\n");
}

fn histogram(out: &mut String, bars: &[(String, usize)]) {
    const LINE: usize = 20;
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let height = bars.len() * LINE;
    out.push_str(&format!(
        "<svg role=\"img\" aria-label=\"签收用时分布\" viewBox=\"0 0 600 {height}\" width=\"100%\" font-size=\"12\">\n"
    ));
    for (index, (label, count)) in bars.iter().enumerate() {
        let (y, width) = (index * LINE, count * 420 / most);
        out.push_str(&format!(
            "<text x=\"92\" y=\"{0}\" text-anchor=\"end\">{1}</text><rect x=\"100\" y=\"{2}\" width=\"{width}\" \
             height=\"14\" fill=\"#2f6fa8\"/><text x=\"{3}\" y=\"{0}\">{count}</text>\n",
            y + 14,
            escape(label),
            y + 3,
            width + 106,
        ));
    }
    out.push_str("</svg>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

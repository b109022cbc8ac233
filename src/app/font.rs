//! Finds a Chinese font on the machine for PDF reports: the one that is named, else a known family among the system's.

use crate::drill::{ChineseFont, PdfFault};
use fontdb::{Database, Family, Query, Source};
use std::path::{Path, PathBuf};

/// The environment variable that names a font file.
pub const VARIABLE: &str = "ANLAN_FONT";

/// Families with Chinese glyphs, the best first.
const FAMILIES: [&str; 10] = [
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans SC",
    "Noto Serif CJK SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
];

/// No font for a PDF report.
#[derive(Debug, thiserror::Error)]
pub enum FontFault {
    /// None of the known families is there.
    #[error(
        "本机没有中文字体，未生成 report.pdf：请安装 fonts-noto-cjk，或用 {VARIABLE} 指明字体文件 \
         (no Chinese font on this machine, report.pdf was not written: apt install fonts-noto-cjk, or name a font file in {VARIABLE})"
    )]
    None,
    /// The named file.
    #[error("字体文件 {path} 不可读 (the font file is not readable)")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// It is none, or holds no Chinese.
    #[error("字体文件 {path} 不含中文或不是字体 (no font, or one without Chinese glyphs): {cause}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: PdfFault,
    },
}

/// The named font, else that of [`VARIABLE`], else the first known family among the system's fonts.
///
/// # Errors
/// In one line: which file is at fault, or which package to install.
pub fn chinese(named: Option<&Path>) -> Result<ChineseFont, FontFault> {
    let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = named.map(Path::to_path_buf).or(variable) {
        return read(&path, 0);
    }
    let mut known = Database::new();
    known.load_system_fonts();
    among(&known)
}

fn among(known: &Database) -> Result<ChineseFont, FontFault> {
    for family in FAMILIES {
        let query = Query { families: &[Family::Name(family)], ..Query::default() };
        let Some((source, index)) = known.query(&query).and_then(|id| known.face_source(id)) else { continue };
        match source {
            Source::File(path) | Source::SharedFile(path, _) => return read(&path, index),
            Source::Binary(_) => {}
        }
    }
    Err(FontFault::None)
}

fn read(path: &Path, index: u32) -> Result<ChineseFont, FontFault> {
    let bytes = std::fs::read(path).map_err(|cause| FontFault::Unreadable { path: path.to_owned(), cause })?;
    ChineseFont::new(bytes, index).map_err(|cause| FontFault::Unusable { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn font_faults_name_the_file_or_the_package() {
        let none = among(&Database::new()).unwrap_err().to_string();
        assert!(none.contains("fonts-noto-cjk") && !none.contains('\n'), "{none}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ttf");
        assert!(chinese(Some(&file)).unwrap_err().to_string().contains("a.ttf"));
        std::fs::write(&file, b"no font").unwrap();
        assert!(chinese(Some(&file)).unwrap_err().to_string().contains("不是字体"));
    }
}

//! Where the files of a reach come from: the binary, or a folder of the site.

use super::{ReachData, ReachFault, TwinFiles, load_reach};
use rust_embed::Embed;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/reaches/huayuankou"]
struct DemoReach;

/// Largest file of a reach, in bytes: a whole city's grid fits.
const FILE_MAX: u64 = 64 << 20;

/// The demo reach in the binary: file name → text.
pub fn embedded_files() -> BTreeMap<String, String> {
    let text = |name: &str| DemoReach::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
    let own = |name: &std::borrow::Cow<'static, str>| !name.contains('/');
    DemoReach::iter().filter(own).filter_map(|name| Some((name.to_string(), text(&name)?))).collect()
}

/// The demo reach in the binary.
///
/// # Errors
/// Never with the files as committed; a test holds that.
pub fn embedded_reach() -> Result<ReachData, ReachFault> {
    let mut data = load_reach(&embedded_files())?;
    data.twin = embedded_twin().map(Arc::new);
    Ok(data)
}

/// The twin of the demo reach in the binary.
pub fn embedded_twin() -> Option<TwinFiles> {
    TwinFiles::of(embedded_twin_bytes)
}

/// A file of the demo's folder `twin`.
pub(super) fn embedded_twin_bytes(name: &str) -> Option<std::borrow::Cow<'static, [u8]>> {
    DemoReach::get(&format!("twin/{name}")).map(|file| file.data)
}

/// The reach of a folder, or the one in the binary.
///
/// # Errors
/// The first fault of the folder or of its files.
pub fn reach_from(folder: Option<&Path>) -> Result<ReachData, ReachFault> {
    match folder {
        Some(folder) => {
            let mut data = load_reach(&folder_files(folder)?)?;
            data.twin = TwinFiles::of_folder(&folder.join("twin"))?.map(Arc::new);
            if let Some(twin) = &data.twin {
                twin.read()?;
            }
            Ok(data)
        }
        None => embedded_reach(),
    }
}

/// The texts of a folder by file name; other kinds of files and sub-folders are left alone.
///
/// # Errors
/// What cannot be read, is too large, or is not UTF-8.
pub fn folder_files(folder: &Path) -> Result<BTreeMap<String, String>, ReachFault> {
    let unreadable = |path: &Path, cause| ReachFault::Unreadable { path: path.display().to_string(), cause };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|cause| unreadable(folder, cause))? {
        let path = entry.map_err(|cause| unreadable(folder, cause))?.path();
        let (Some(name), Some("toml" | "geojson" | "csv")) =
            (path.file_name().and_then(|name| name.to_str()), path.extension().and_then(|end| end.to_str()))
        else {
            continue;
        };
        let size = fs::metadata(&path).map_err(|cause| unreadable(&path, cause))?.len();
        if size > FILE_MAX {
            let what = format!("{size} 字节，超过上限 {FILE_MAX} / {size} bytes, more than {FILE_MAX}: split the data");
            return Err(ReachFault::Syntax { file: name.to_owned(), line: 0, column: 0, what });
        }
        let bytes = fs::read(&path).map_err(|cause| unreadable(&path, cause))?;
        files.insert(name.to_owned(), utf8(name, bytes)?);
    }
    Ok(files)
}

/// Spreadsheets here save as GBK by default: say where and what to do.
fn utf8(file: &str, bytes: Vec<u8>) -> Result<String, ReachFault> {
    String::from_utf8(bytes).map_err(|fault| {
        let valid = fault.utf8_error().valid_up_to();
        let line = fault.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
        let what = "不是 UTF-8 编码，请另存为 UTF-8 / not UTF-8: save the file as UTF-8".to_owned();
        ReachFault::Syntax { file: file.to_owned(), line, column: 0, what }
    })
}

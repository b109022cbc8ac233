//! The files of playbooks: those in the binary, and those of a folder.

use rust_embed::Embed;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/playbooks/huayuankou"]
struct DemoPlaybook;

/// Largest file of an edition, in bytes: the demo edition's largest has 60 kB.
const FILE_MAX: u64 = 4 << 20;
/// Most files of an edition.
const FILES_MAX: usize = 500;

/// A folder of an edition cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EditionError {
    /// The operating system says no.
    #[error("无法读取 {path} / cannot read {path}")]
    Unreadable {
        /// What was read.
        path: String,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Something that cannot be an edition.
    #[error("{path}: {what}")]
    Unfit {
        /// What was read.
        path: String,
        /// Why it cannot be one, in both languages.
        what: String,
    },
}

/// The playbook in the binary: name → text.
pub fn embedded_playbook() -> BTreeMap<String, String> {
    embedded::<DemoPlaybook>()
}

/// The files of any embedded folder: name → text, names with `/`.
pub fn embedded<Folder: Embed>() -> BTreeMap<String, String> {
    let text = |name: &str| Folder::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
    Folder::iter().filter_map(|name| Some((name.to_string(), text(&name)?))).collect()
}

/// The `.toml` files of a folder and its sub-folders: name → text.
///
/// # Errors
/// The folder or a file cannot be read, is too large or is not UTF-8.
pub fn playbook_in(folder: &Path) -> Result<BTreeMap<String, String>, EditionError> {
    let unfit = |path: &Path, what: &str| EditionError::Unfit { path: path.display().to_string(), what: what.into() };
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((here, prefix)) = folders.pop() {
        for path in entries(&here)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let name = format!("{prefix}{name}");
            if path.is_dir() && prefix.is_empty() {
                folders.push((path, format!("{name}/")));
            } else if name.ends_with(".toml") {
                files.insert(name, text_of(&path)?);
            }
        }
        if files.len() > FILES_MAX {
            return Err(unfit(folder, "文件太多，不像预案目录 / too many files for an edition"));
        }
    }
    if files.is_empty() {
        return Err(unfit(
            folder,
            "目录里没有 .toml 文件，请指到预案目录 / no .toml file here; give the folder of an edition",
        ));
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, EditionError> {
    let unreadable = |cause| EditionError::Unreadable { path: folder.display().to_string(), cause };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn text_of(path: &Path) -> Result<String, EditionError> {
    let shown = path.display().to_string();
    let unreadable = |cause| EditionError::Unreadable { path: shown.clone(), cause };
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX {
        return Err(EditionError::Unfit { path: shown, what: "文件过大 / the file is too large".into() });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        let what = format!("第 {line} 行不是 UTF-8，请另存为 UTF-8 / line {line} is not UTF-8; save the file as UTF-8");
        EditionError::Unfit { path: shown.clone(), what }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Playbook;

    #[test]
    fn playbook_in_the_binary_loads() {
        let files = embedded_playbook();
        let playbook = Playbook::load("", &files).unwrap();
        assert_eq!(playbook.instructions().len(), 390);
        assert!(playbook.edition().starts_with("2026.1+"), "{}", playbook.edition());
    }

    #[test]
    fn playbook_folder_equals_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/huayuankou");
        assert_eq!(playbook_in(&folder).unwrap(), embedded_playbook());
    }

    #[test]
    fn playbook_folder_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(playbook_in(folder.path()).unwrap_err().to_string().contains("no .toml file"));
        assert!(playbook_in(&folder.path().join("absent")).unwrap_err().to_string().contains("cannot read"));
        fs::write(folder.path().join("a.toml"), b"a = 1\nb = \"\xd6\xd0\"\n").unwrap();
        assert!(playbook_in(folder.path()).unwrap_err().to_string().contains("line 2"));
    }
}

//! Puts the built pages into the binary, or a placeholder that says how to build them. Never calls npm.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("web");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web/dist");
    if Path::new("web/dist/index.html").is_file() {
        copy_tree(Path::new("web/dist"), &out)
    } else {
        let page = "<!doctype html><meta charset=utf-8><title>安澜</title><p>页面尚未构建：请运行 <code>make run</code>。\
                    The pages are not built: run <code>make run</code>.";
        fs::write(out.join("index.html"), page)
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

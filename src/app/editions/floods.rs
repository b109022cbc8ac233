//! `floods/` in the binary.

use crate::drill::floods::FloodFiles;
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/floods/"]
struct Floods;

/// One text, e.g. `downstream.toml`.
pub fn text(name: &str) -> Option<String> {
    Floods::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// Name below `floods/` → bytes.
pub fn files() -> FloodFiles {
    Floods::iter().filter_map(|name| Some((name.to_string(), Floods::get(&name)?.data.into_owned()))).collect()
}

//! `floods/` in the binary.

use crate::drill::floods::FloodFiles;
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/floods/"]
struct Floods;

/// Name below `floods/` → bytes.
pub fn files() -> FloodFiles {
    Floods::iter().filter_map(|name| Some((name.to_string(), Floods::get(&name)?.data.into_owned()))).collect()
}

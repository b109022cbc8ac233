//! Draws the demo reach of Huayuankou, all of it synthetic, from one seed.
//!
//! `cargo run --example make_reach -- --seed 7 --out reaches/huayuankou`; the same seed gives the same bytes, and a
//! test holds the committed files to it. Only the public town facts in `reach.toml` are real, with their source.

#[path = "make_reach/mod.rs"]
mod make_reach;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes the files of the demo reach.
#[derive(Debug, Parser)]
struct Args {
    /// Seed of everything that is drawn by chance.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Folder to write into; files of the same name are replaced.
    #[arg(long, default_value = "reaches/huayuankou")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let files = make_reach::generate(args.seed);
    let twin = make_reach::generate_twin(args.seed);
    let written = make_reach::write_into(&args.out, &files);
    match written.and_then(|()| make_reach::write_into(&args.out.join("twin"), &twin)) {
        Ok(()) => {
            println!("{} files written to {}", files.len() + twin.len(), args.out.display());
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("cannot write the reach into {}: {fault}", args.out.display());
            ExitCode::FAILURE
        }
    }
}

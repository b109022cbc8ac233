//! The command line: one file per verb, one line here for each.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// 安澜: flood-warning digital twin for the Yellow River levee grid.
#[derive(Debug, Parser)]
#[command(name = "anlan", version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {}

/// Parses the command line and runs the verb; every failure is one printed chain and a non-zero code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.verb {
        None => ExitCode::SUCCESS,
        Some(verb) => match verb {},
    }
}

//! The command line: one file per verb, one line here for each.

mod playbook;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::process::ExitCode;

/// 安澜: flood-warning digital twin for the Yellow River levee grid.
#[derive(Debug, Parser)]
#[command(name = "anlan", version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// 预案: check, list, preview, import, export, diff.
    Playbook(playbook::Args),
}

/// Parses the command line and runs the verb; every failure is one printed chain and a non-zero code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.verb {
        None => Ok(()),
        Some(Verb::Playbook(args)) => playbook::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with all its causes, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!("\n  because: {inner}"));
        cause = inner.source();
    }
    text
}

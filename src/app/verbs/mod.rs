//! The command line: one file per verb, one line here for each.

mod bench;

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
    /// 性能测量：用同一台机器、同一次运行给出数字。Measure, on this machine, in one run.
    Bench(bench::Args),
}

/// Parses the command line and runs the verb; every failure is one printed chain and a non-zero code.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().verb {
        None => Ok(()),
        Some(Verb::Bench(args)) => bench::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("anlan: {}", chain(fault.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// The message and every cause below it, on one line.
fn chain(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut below = fault.source();
    while let Some(cause) = below {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        below = cause.source();
    }
    text
}

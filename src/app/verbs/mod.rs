//! The command line: one file per verb, one line here for each.

mod bench;
mod field;
mod playbook;
mod sensor;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::process::ExitCode;

/// What a verb may end with; the chain is printed once, here.
type Outcome = Result<(), Box<dyn Error>>;

/// 安澜: flood-warning digital twin for the Yellow River levee grid.
#[derive(Debug, Parser)]
#[command(name = "anlan", version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// 性能测量：用同一台机器、同一次运行给出数字 (measure, on this machine, in one run).
    Bench(bench::Args),
    /// 虚拟现场设备：按洪水过程应答的 Modbus TCP 水位计与智能石头 (virtual field devices).
    Field(field::Args),
    /// 预案: check, list, preview, import, export, diff.
    Playbook(playbook::Args),
    /// 传感器：读取并换算 (sensors).
    Sensor(sensor::Args),
}

/// Parses the command line and runs the verb; every failure is one printed chain and a non-zero code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome: Outcome = match cli.verb {
        None => Ok(()),
        Some(Verb::Bench(args)) => bench::run(args),
        Some(Verb::Field(args)) => field::run(args),
        Some(Verb::Playbook(args)) => playbook::run(args),
        Some(Verb::Sensor(args)) => sensor::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("anlan: {}", chain(&*fault));
            ExitCode::FAILURE
        }
    }
}

/// An error with all its causes, outermost first.
fn chain(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        text.push_str("\n  because: ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

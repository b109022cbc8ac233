//! `anlan bench replay`: the journal of a drill, its chain checked and its inputs folded again, as `anlan journal verify` does it.

use super::meter::median;
use super::scratch::Scratch;
use crate::drill::JOURNAL_FILE;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Arguments of `anlan bench replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 洪水。Flood of the drill whose journal is taken.
    #[arg(long, default_value = "1958-07")]
    flood: String,
    /// 遍数。Runs; the middle one counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    flood: String,
    facts: usize,
    drill_s: f64,
    chain_s: f64,
    replay_s: f64,
    replayed_facts_per_s: f64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let scratch = Scratch::new(None)?;
    let folder = scratch.path.join("drill");
    let drill_s = timed(&["drill", "run", "--flood", &args.flood, "--out"], &folder)?;
    let facts = BufReader::new(std::fs::File::open(folder.join(JOURNAL_FILE))?).lines().count();
    let several =
        |verb: &[&str]| (0..args.runs).map(|_| timed(verb, &folder)).collect::<Result<Vec<_>, _>>().map(median);
    let chain_s = several(&["journal", "verify", "--data"])?;
    let replay_s = several(&["journal", "verify", "--replay", "--data"])?;
    let figures =
        Figures { flood: args.flood, facts, drill_s, chain_s, replay_s, replayed_facts_per_s: facts as f64 / replay_s };
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    println!("{} 条记录 facts of {}", figures.facts, figures.flood);
    println!("演练 drill                        {:>10.2} s", figures.drill_s);
    println!("校验链 chain                      {:>10.2} s", figures.chain_s);
    println!(
        "逐字节重演 folded again, compared {:>10.2} s，{:.0} facts/s",
        figures.replay_s, figures.replayed_facts_per_s
    );
    Ok(())
}

/// One whole run of this program; seconds.
fn timed(verb: &[&str], folder: &Path) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    let mut program = Command::new(std::env::current_exe()?);
    let ended =
        program.args(verb).arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let seconds = began.elapsed().as_secs_f64();
    if ended.success() { Ok(seconds) } else { Err(format!("anlan {} failed: {ended}", verb.join(" ")).into()) }
}

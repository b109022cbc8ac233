//! `anlan drill run`: a whole flood on a virtual clock, with a journal and a report.

use super::{Outcome, field};
use crate::app::rehearsal::{RehearsalParts, SiteFiles, rehearse};
use crate::app::{editions, font};
use crate::command::{Entry, State};
use crate::drill::floods::Flood;
use crate::drill::{DrillPolicy, DrillText, Ledger, Record, Report, ReportHead, Run, Shelf, Tally, script};
use crate::ingest::sensors::Sensors;
use crate::ingest::utf8;
use crate::model::{Observation, Timestamp};
use clap::Subcommand;
use serde_json::json;
use std::error::Error;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Arguments of the verb.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 演练：一场洪水从头到尾，虚拟人员，写日志与报告 (a whole flood with virtual people).
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// Flood of `floods/`.
    #[arg(long)]
    flood: String,
    /// `max`, or seconds of the flood in one second.
    #[arg(long, default_value = "max", value_parser = pace)]
    speed: Pace,
    /// Seed of all chance: the same seed gives the same journal.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// `[[inject]]` rows: at_s, target, kind, value, for_s.
    #[arg(long)]
    script: Option<PathBuf>,
    /// Folder of the playbook; the one in the binary where absent.
    #[arg(long)]
    playbook: Option<PathBuf>,
    /// Folder of the reach; the one in the binary where absent.
    #[arg(long)]
    reach: Option<PathBuf>,
    /// Folder of the sensors; the demo's in the binary where absent.
    #[arg(long)]
    sensors: Option<PathBuf>,
    /// Seconds between two readings of a stone; 0 leaves the stones silent.
    #[arg(long, default_value_t = 60)]
    stones_every: u32,
    /// Seconds between two looks at the water, 60 to 3600.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(60..=3600))]
    look_every: u32,
    /// Font file with Chinese glyphs for report.pdf; a known one of the system where absent.
    #[arg(long)]
    font: Option<PathBuf>,
    /// Folder for journal and report; must be absent or empty.
    #[arg(long)]
    out: PathBuf,
}

/// How fast the virtual clock runs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pace {
    Max,
    Times(f64),
}

fn pace(text: &str) -> Result<Pace, String> {
    if text == "max" {
        return Ok(Pace::Max);
    }
    field::speed(text).map(Pace::Times).map_err(|fault| format!("{fault}; or write max"))
}

pub(super) fn run(args: Args) -> Outcome {
    match args.action {
        Action::Run(args) => run_flood(&args),
    }
}

fn run_flood(args: &RunArgs) -> Outcome {
    let flood = Flood::load(&editions::floods::files(), &args.flood)?;
    let files = SiteFiles::from_folders(args.playbook.as_deref(), args.reach.as_deref(), args.sensors.as_deref())?;
    let injects = match &args.script {
        None => Vec::new(),
        Some(path) => {
            let file = path.display().to_string();
            let bytes = fs::read(path).map_err(|cause| format!("cannot read {file}: {cause}"))?;
            script::read(&file, utf8(&file, &bytes)?, &files.sensors, &files.reach.reach)?
        }
    };
    if let Some(file) = &args.font {
        font::chinese(Some(file))?; // A wrong name is said before the flood, not after it.
    }
    claim(&args.out)?;
    let edition = serde_json::to_vec(&files.playbook)?;
    write(&args.out.join(EDITION_FILE), &edition)?;
    let (from, to) = flood.span();
    let head = ReportHead::begun(&flood, args.seed, injects.clone());
    let sensors = files.sensors.clone();
    let parts = RehearsalParts {
        files,
        flood,
        injects,
        seed: args.seed,
        look_every_s: args.look_every,
        stone_every_s: args.stones_every,
        policy: DrillPolicy::default(),
    };
    let mut run = rehearse(parts)?;
    let mut keeper = Keeper::open(&args.out, args.speed, from, to)?;
    run.to_end(&mut keeper)?;
    keeper.finish(&run, head, &sensors, args)
}

/// The folder is ours from here on: absent before, or empty.
fn claim(out: &Path) -> Result<(), Box<dyn Error>> {
    let shown = out.display();
    let remedy = "choose another folder with --out (请另选目录)";
    fs::create_dir_all(out).map_err(|cause| format!("cannot make {shown}: {cause}; {remedy}"))?;
    let mut entries = fs::read_dir(out).map_err(|cause| format!("cannot read {shown}: {cause}; {remedy}"))?;
    if entries.next().is_some() {
        return Err(format!("{shown} is not empty (目录非空); a drill never writes over another one: {remedy}").into());
    }
    Ok(())
}

/// Keeps a drill in its folder and tells how far it is.
struct Keeper {
    ledger: Ledger,
    shelf: Shelf,
    tally: Tally,
    pace: Pace,
    from: Timestamp,
    to: Timestamp,
    began: Instant,
    told: Instant,
}

impl Keeper {
    fn open(out: &Path, pace: Pace, from: Timestamp, to: Timestamp) -> Result<Self, Box<dyn Error>> {
        let (ledger, shelf) = (Ledger::create(out)?, Shelf::open(&out.join("series.db"))?);
        Ok(Self { ledger, shelf, tally: Tally::default(), pace, from, to, began: Instant::now(), told: Instant::now() })
    }

    fn progress(&mut self, now: Timestamp, state: &State) {
        if self.told.elapsed() < Duration::from_millis(500) && now < self.to {
            return;
        }
        self.told = Instant::now();
        let share = (now - self.from).num_seconds() as f64 / (self.to - self.from).num_seconds().max(1) as f64;
        let local = now + chrono::TimeDelta::hours(8);
        // One line that is written over, or in a file one line each.
        let (begin, end) = if std::io::stderr().is_terminal() { ("\r", "") } else { ("", "\n") };
        eprint!(
            "{begin}【演练】 {} {:>3.0} %  {}  {} 项任务 tasks  {} 条记录 facts {end}",
            local.format("%m-%d %H:%M"),
            share * 100.0,
            state.in_force,
            state.tasks.len(),
            self.ledger.facts(),
        );
    }

    fn finish(self, run: &Run, mut head: ReportHead, sensors: &Sensors, args: &RunArgs) -> Outcome {
        let out = &args.out;
        let (facts, took) = (self.ledger.facts(), self.began.elapsed().as_secs_f64());
        let hashes = self.ledger.finish()?;
        let kept = self.shelf.finish()?;
        head.chain = Some(hashes.chain.clone());
        write_report(&Report { head: &head, tally: &self.tally, core: run.core(), sensors }, args)?;
        let about = json!({
            "flood": head.flood, "seed": head.seed, "playbook": run.core().playbook.edition(), "facts": facts,
            "chain_sha256": hashes.chain, "journal_sha256": hashes.file,
        });
        write(&out.join(ABOUT_FILE), format!("{about:#}\n").as_bytes())?;
        eprintln!();
        let counts = run.counts();
        let mut text = std::io::stdout().lock();
        writeln!(
            text,
            "{}",
            DrillText::new(format!(
                "{}：{facts} 条记录，{} 项任务，{} 个读数（入库 {kept}），{} 次研判，{took:.1} 秒 \
                 ({facts} facts, {} tasks, {} readings, {} evaluations, {} refusals by the core, {took:.1} s)",
                head.flood,
                self.tally.tasks.len(),
                counts.readings,
                counts.evaluations,
                self.tally.tasks.len(),
                counts.readings,
                counts.evaluations,
                counts.refused,
            ))
        )?;
        writeln!(text, "chain sha256:{}", hashes.chain)?;
        writeln!(text, "journal sha256:{}", hashes.file)?;
        Ok(())
    }
}

/// What the drill was, beside its journal; `anlan journal verify` reads it.
pub(super) const ABOUT_FILE: &str = "drill.json";

/// The files of the playbook that was drilled; the journal is folded again with them.
pub(super) const EDITION_FILE: &str = "playbook.json";

fn write_report(report: &Report<'_>, args: &RunArgs) -> Outcome {
    let out = &args.out;
    write(&out.join("report.html"), report.html().as_bytes())?;
    write(&out.join("report.md"), report.markdown().as_bytes())?;
    write(&out.join("report.csv"), &report.csv()?)?;
    match (font::chinese(args.font.as_deref()), &args.font) {
        (Ok(face), _) => write(&out.join("report.pdf"), &report.pdf(&face)?),
        (Err(fault), Some(_)) => Err(fault.into()),
        (Err(fault), None) => {
            eprintln!("\n{fault}");
            Ok(())
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    fs::write(path, bytes).map_err(|cause| format!("cannot write {}: {cause}", path.display()).into())
}

impl Record for Keeper {
    type Fault = Box<dyn Error>;

    fn entries(&mut self, entries: &[Entry], _state: &State) -> Result<(), Self::Fault> {
        self.tally.take(entries);
        Ok(self.ledger.add(entries)?)
    }
    fn observations(&mut self, observations: Vec<Observation>) -> Result<(), Self::Fault> {
        Ok(self.shelf.put(observations)?)
    }
    fn minute(&mut self, now: Timestamp, state: &State) {
        self.progress(now, state);
        if let Pace::Times(speed) = self.pace {
            let due = Duration::from_millis((now - self.from).num_milliseconds().max(0).unsigned_abs()).div_f64(speed);
            std::thread::sleep(due.saturating_sub(self.began.elapsed()));
        }
    }
}

//! `anlan journal`: checks the chain of a journal, folds it again, writes it out.
//!
//! A data directory of a server and the folder of a drill are both taken.

use super::Outcome;
use super::drill::{ABOUT_FILE, EDITION_FILE};
use crate::app::assemble::load_playbook;
use crate::app::rehearsal::SiteFiles;
use crate::command::{ChainHash, Core, Entry, Fact, Input, State};
use crate::drill::JOURNAL_FILE;
use crate::model::FactSeq;
use crate::playbook::Playbook;
use crate::store::{Database, JOURNAL_SCHEMA, Journal, state_file};
use clap::Subcommand;
use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Facts that are read at once.
const PART: usize = 5_000;

/// Arguments of the verb.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 核验：校验链；--replay 用记录的输入重新推演并逐字节比对 (checks the chain; folds it again).
    Verify {
        /// Data directory, or the folder of a drill.
        #[arg(long)]
        data: PathBuf,
        /// Folds the recorded inputs again and compares every fact byte for byte.
        #[arg(long)]
        replay: bool,
        /// Folder of a playbook that was in use and is not kept beside the journal.
        #[arg(long)]
        playbook: Option<PathBuf>,
        /// Folder of the reach; the one in the binary where absent.
        #[arg(long)]
        reach: Option<PathBuf>,
    },
    /// 导出：每行一条记录 (one stored fact a line, to standard output).
    Export {
        /// Data directory, or the folder of a drill.
        #[arg(long)]
        data: PathBuf,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    match args.action {
        Action::Verify { data, replay, playbook, reach } => {
            let mut source = Source::open(&data)?;
            let replay =
                if replay { Some(Replay::new(&mut source, playbook.as_deref(), reach.as_deref())?) } else { None };
            verify(&mut source, replay)
        }
        Action::Export { data } => export(&mut Source::open(&data)?),
    }
}

/// Where stored facts come from, in order, each with the hash it should have where that is stored.
enum Source {
    Drill { lines: std::io::Lines<BufReader<File>>, file: String, read: u64, chain: Option<String>, edition: PathBuf },
    Data { runtime: tokio::runtime::Runtime, journal: Journal, after: FactSeq, part: VecDeque<Stored> },
}

type Stored = (FactSeq, String, Option<ChainHash>);

impl Source {
    fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let lines = folder.join(JOURNAL_FILE);
        let shown = lines.display().to_string();
        if lines.is_file() {
            let open = File::open(&lines).map_err(|cause| format!("无法读取 {shown} (cannot read it): {cause}"))?;
            return Ok(Self::Drill {
                lines: BufReader::new(open).lines(),
                file: shown,
                read: 0,
                chain: chain_of(&folder.join(ABOUT_FILE))?,
                edition: folder.join(EDITION_FILE),
            });
        }
        let database = state_file(folder);
        if !database.is_file() {
            return Err(format!(
                "{}: neither {JOURNAL_FILE} of a drill nor a journal of a server is here (目录中没有日志); give the folder with --data",
                folder.display()
            )
            .into());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let journal = Journal::new(runtime.block_on(Database::open(&database, &[JOURNAL_SCHEMA]))?);
        Ok(Self::Data { runtime, journal, after: FactSeq(0), part: VecDeque::new() })
    }

    fn next(&mut self) -> Result<Option<Stored>, Box<dyn Error>> {
        match self {
            Self::Drill { lines, file, read, .. } => {
                let Some(line) = lines.next() else { return Ok(None) };
                *read += 1;
                let line = line.map_err(|cause| format!("{file}:{read}: cannot be read: {cause}"))?;
                Ok(Some((FactSeq(*read), line, None)))
            }
            Self::Data { runtime, journal, after, part } => {
                if part.is_empty() {
                    let rows = runtime.block_on(journal.texts_after(*after, PART))?;
                    part.extend(rows.into_iter().map(|(seq, body, hash)| (seq, body, Some(hash))));
                }
                let next = part.pop_front();
                if let Some((seq, ..)) = &next {
                    *after = *seq;
                }
                Ok(next)
            }
        }
    }

    /// The files of a playbook edition that is kept beside the journal: that of a drill, or that of this name.
    fn edition(&mut self, name: &str) -> Result<Option<Playbook>, Box<dyn Error>> {
        let text = match self {
            Self::Drill { edition, .. } if !edition.is_file() => None,
            Self::Drill { edition, .. } => {
                let shown = edition.display().to_string();
                Some(
                    std::fs::read_to_string(edition)
                        .map_err(|cause| format!("无法读取 {shown} (cannot read it): {cause}"))?,
                )
            }
            Self::Data { runtime, journal, .. } => runtime.block_on(journal.edition(name))?,
        };
        let Some(text) = text else { return Ok(None) };
        let files = serde_json::from_str(&text)
            .map_err(|cause| format!("the kept playbook {name} is not readable (保存的预案不可读): {cause}"))?;
        Ok(Some(load_playbook(&files)?))
    }

    /// The end that the chain should have, where a drill says so.
    fn expected(&self) -> Option<&str> {
        match self {
            Self::Drill { chain, .. } => chain.as_deref(),
            Self::Data { .. } => None,
        }
    }
}

/// The end of the chain as a drill wrote it down.
fn chain_of(about: &Path) -> Result<Option<String>, Box<dyn Error>> {
    if !about.is_file() {
        return Ok(None);
    }
    let shown = about.display();
    let text = std::fs::read_to_string(about).map_err(|cause| format!("无法读取 {shown} (cannot read it): {cause}"))?;
    let about: serde_json::Value = serde_json::from_str(&text).map_err(|cause| format!("{shown}: {cause}"))?;
    Ok(about.get("chain_sha256").and_then(serde_json::Value::as_str).map(str::to_owned))
}

fn verify(source: &mut Source, mut replay: Option<Replay>) -> Outcome {
    let (mut chain, mut facts) = (ChainHash::START, 0_u64);
    while let Some((seq, body, hash)) = source.next()? {
        facts += 1;
        if seq.0 != facts {
            return Err(format!(
                "fact {facts} is missing, found {} in its place: restore from the last good backup (日志缺失)",
                seq.0
            )
            .into());
        }
        chain = chain.after(&body);
        if hash.is_some_and(|hash| hash != chain) {
            return Err(format!(
                "fact {facts} was changed after it was written: restore from the last good backup (日志被改动)"
            )
            .into());
        }
        if let Some(replay) = &mut replay {
            replay.check(source, facts, &body)?;
        }
    }
    if let Some(expected) = source.expected().filter(|expected| *expected != chain.to_hex()) {
        return Err(format!(
            "the chain ends in {}, the drill wrote down {expected}: a fact was changed, added or removed (日志被改动)",
            chain.to_hex()
        )
        .into());
    }
    let replayed = match replay {
        None => "",
        Some(replay) => {
            replay.finish()?;
            ", folded again byte for byte (重演逐字节一致)"
        }
    };
    println!("{facts} facts, chain sha256:{} good (日志完好){replayed}", chain.to_hex());
    Ok(())
}

fn export(source: &mut Source) -> Outcome {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while let Some((_, body, _)) = source.next()? {
        writeln!(out, "{body}")?;
    }
    out.flush()?;
    Ok(())
}

/// The same inputs through the same core.
struct Replay {
    core: Core,
    state: State,
    expected: VecDeque<String>,
}

impl Replay {
    /// Begins with the given playbook, else the one of the drill, else the one in the binary.
    fn new(source: &mut Source, playbook: Option<&Path>, reach: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let files = SiteFiles::from_folders(playbook, reach, None)?;
        let drilled = if playbook.is_none() { source.edition("")? } else { None };
        let playbook = match drilled {
            Some(drilled) => drilled,
            None => load_playbook(&files.playbook)?,
        };
        let core = Core { playbook: Arc::new(playbook), reach: Arc::new(files.reach.reach) };
        Ok(Self { core, state: State::default(), expected: VecDeque::new() })
    }

    /// An input is folded; the facts that follow must be the stored ones.
    fn check(&mut self, source: &mut Source, number: u64, body: &str) -> Outcome {
        if self.expected.is_empty() {
            let entry: Entry = serde_json::from_str(body)
                .map_err(|cause| format!("fact {number} is not readable by this version: {cause}"))?;
            let Fact::Received { input } = &entry.fact else {
                return Err(format!("fact {number} follows from no recorded input (多出的记录)").into());
            };
            if let Input::UseEdition { edition } = &**input {
                self.take_edition(source, edition)?;
            }
            let again = self.core.step(&mut self.state, input, entry.at);
            let again =
                again.map_err(|refused| format!("fact {number}: the input is refused when folded again: {refused}"))?;
            for entry in again {
                self.expected.push_back(serde_json::to_string(&entry)?);
            }
        }
        let expected = self.expected.pop_front().unwrap_or_default();
        if expected == body {
            return Ok(());
        }
        let in_use = self.core.playbook.edition();
        Err(format!(
            "fact {number} differs when folded again (重演不一致); was another playbook than {in_use} in use? give it with --playbook\n  stored: {}\n  again:  {}",
            head(body),
            head(&expected)
        )
        .into())
    }

    /// From here on another edition was in use: the kept one is taken, so that the same rules judge again.
    fn take_edition(&mut self, source: &mut Source, edition: &str) -> Outcome {
        if self.core.playbook.edition() == edition {
            return Ok(());
        }
        let kept = source.edition(edition)?.filter(|kept| kept.edition() == edition);
        let kept = kept.ok_or_else(|| {
            format!(
                "playbook {edition} was in use and is not kept here; give its folder with --playbook (缺少预案版本 {edition}，用 --playbook 指定目录)"
            )
        })?;
        self.core.playbook = Arc::new(kept);
        Ok(())
    }

    fn finish(self) -> Outcome {
        match self.expected.front() {
            None => Ok(()),
            Some(missing) => Err(format!("the journal ends before {} (日志不完整)", head(missing)).into()),
        }
    }
}

/// As much of a fact as a line of an error holds.
fn head(body: &str) -> String {
    body.chars().take(240).collect()
}

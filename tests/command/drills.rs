//! Whole floods with virtual people: golden transcripts, the same journal twice, replay, and a script that breaks things.
//!
//! Gauges every ten minutes and no stones, so that a debug build needs seconds for a flood; `ANLAN_RENEW=1` writes the
//! transcripts anew, to be read line by line in review.

use anlan::app::editions;
use anlan::app::rehearsal::{RehearsalParts, SiteFiles, rehearse};
use anlan::command::{Core, Entry, Fact, State};
use anlan::drill::floods::Flood;
use anlan::drill::{DrillPolicy, Record, Report, ReportHead, Tally, script};
use anlan::ingest::sensors::Sensors;
use anlan::model::{Observation, TaskStatus, Timestamp, WarningLevel};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::process::Command;

/// A drill that was watched.
struct Seen {
    tally: Tally,
    lines: Vec<String>,
    texts: Vec<String>,
    /// Day → kind of fact → count.
    days: BTreeMap<String, BTreeMap<&'static str, usize>>,
    state: State,
    core: Core,
    head: ReportHead,
    sensors: Sensors,
}

#[derive(Default)]
struct Watching {
    tally: Tally,
    texts: Vec<String>,
    days: BTreeMap<String, BTreeMap<&'static str, usize>>,
}

fn local(at: Timestamp) -> chrono::NaiveDateTime {
    (at + chrono::TimeDelta::hours(8)).naive_utc()
}

impl Record for Watching {
    type Fault = Infallible;
    fn entries(&mut self, entries: &[Entry], _: &State) -> Result<(), Infallible> {
        self.tally.take(entries);
        for entry in entries {
            self.texts.push(serde_json::to_string(entry).unwrap());
            let kind = match &entry.fact {
                Fact::Drafted { .. } => "drafts",
                Fact::Issued { .. } => "issued",
                Fact::Acknowledged { .. } => "answered",
                Fact::Declined { .. } => "declined",
                Fact::Escalated { .. } => "escalated",
                Fact::Completed { .. } => "done",
                Fact::RoundDue { missed: true, .. } => "missed",
                Fact::Withdrawn { .. } => "withdrawn",
                _ => continue,
            };
            let day = local(entry.at).format("%m-%d").to_string();
            *self.days.entry(day).or_default().entry(kind).or_default() += 1;
        }
        Ok(())
    }
    fn observations(&mut self, _: Vec<Observation>) -> Result<(), Infallible> {
        Ok(())
    }
}

fn drill(flood: &str, seed: u64, broken: &str) -> Seen {
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    let injects = script::read("broken.toml", broken, &files.sensors, &files.reach.reach).unwrap();
    let core = Core {
        playbook: anlan::playbook::Playbook::load("", &files.playbook).unwrap().into(),
        reach: files.reach.reach.clone().into(),
    };
    let flood = Flood::load(&editions::floods::files(), flood).unwrap();
    let head = ReportHead::begun(&flood, seed, injects.clone());
    let sensors = files.sensors.clone();
    let parts = RehearsalParts {
        files,
        flood,
        injects,
        seed,
        look_every_s: 600,
        stone_every_s: 0,
        policy: DrillPolicy::default(),
    };
    let mut run = rehearse(parts).unwrap();
    let mut watching = Watching::default();
    run.to_end(&mut watching).unwrap();
    let Watching { tally, texts, days } = watching;
    let lines =
        tally.timeline.iter().map(|(at, words)| format!("{} {}", local(*at).format("%m-%d %H:%M:%S"), words.zh));
    Seen { lines: lines.collect(), tally, texts, days, state: run.state().clone(), core, head, sensors }
}

impl Seen {
    /// Day by day: what headquarters did, then how many tasks moved.
    fn transcript(&self) -> String {
        let mut out = format!("{} seed {}\n", self.head.flood, self.head.seed);
        let mut lines = self.lines.iter().peekable();
        for (day, counts) in &self.days {
            while let Some(line) = lines.next_if(|line| &line[..5] <= day.as_str()) {
                writeln!(out, "{line}").unwrap();
            }
            let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            writeln!(out, "  == {day}: {}", counts.join(", ")).unwrap();
        }
        lines.for_each(|line| writeln!(out, "{line}").unwrap());
        let open = self.state.tasks.values().filter(|task| task.is_live()).count();
        let rate = self.tally.answer_rate().unwrap_or(0.0) * 100.0;
        writeln!(
            out,
            "end: {} facts, event {}, level {}, tasks still open {open}, answered by {rate:.1} % of those called",
            self.tally.facts,
            if self.tally.event_open { "open" } else { "closed" },
            self.state.in_force
        )
        .unwrap();
        out
    }

    fn check(&self, levels: &[WarningLevel]) {
        let set: Vec<_> = self
            .tally
            .requests
            .values()
            .filter(|request| request.from != request.level)
            .map(|request| request.level)
            .collect();
        assert_eq!(set, levels, "the levels that were put in force");
        assert!(!self.tally.event_open, "all-clear");
        assert_eq!(self.state.in_force, WarningLevel::None);
        let flood_task = |code: &str| !code.starts_with('W') && !code.starts_with('D');
        let left: Vec<_> = self
            .state
            .tasks
            .values()
            .filter(|task| task.is_live() && flood_task(task.code.as_str()))
            .map(|task| (&task.code, task.status))
            .collect();
        assert!(left.is_empty(), "every task of the flood has an end: {left:?}");
        let path = format!("{}/tests/command/drills/{}.expected.txt", env!("CARGO_MANIFEST_DIR"), self.head.flood);
        let now = self.transcript();
        if std::env::var_os("ANLAN_RENEW").is_some() {
            std::fs::write(&path, &now).unwrap();
            return;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        let first = now.lines().zip(expected.lines()).enumerate().find(|(_, (now, then))| now != then);
        assert!(now == expected, "{path} differs, first at {first:?}; read it, then ANLAN_RENEW=1");
    }
}

#[test]
fn drills_1958_goes_through_all_levels_and_back() {
    use WarningLevel::{Blue, None, Orange, Red, Yellow};
    drill("1958-07", 7, "").check(&[Blue, Yellow, Orange, Red, Orange, Yellow, Blue, None]);
}

#[test]
fn drills_1982_goes_through_all_levels_and_back() {
    use WarningLevel::{Blue, None, Orange, Red, Yellow};
    drill("1982-08", 7, "").check(&[Blue, Yellow, Orange, Red, Orange, Yellow, Blue, None]);
}

#[test]
fn drills_1996_stays_below_red_and_has_a_second_peak() {
    use WarningLevel::{Blue, None, Yellow};
    drill("1996-08", 7, "").check(&[Blue, Yellow, Blue, None, Blue, None]);
}

#[test]
fn drills_twice_with_one_seed_are_one_journal_and_another_seed_is_another() {
    let first = drill("drill_6000_from_1996", 7, "");
    let again = drill("drill_6000_from_1996", 7, "");
    let other = drill("drill_6000_from_1996", 8, "");
    let differs = first.texts.iter().zip(&again.texts).position(|(one, two)| one != two);
    assert!(
        first.texts == again.texts,
        "{} and {} facts, first difference {differs:?}",
        first.texts.len(),
        again.texts.len()
    );
    assert!(first.texts != other.texts);
}

#[test]
fn drills_script_breaks_things_and_the_report_says_what_followed() {
    let broken = include_str!("drills/broken.toml");
    let seen = drill("1996-08", 7, broken);
    assert!(seen.tally.alarms.keys().any(|key| key.starts_with("silent:jiahetan")), "the dead gauge is an alarm");
    let settled: Vec<_> = seen.tally.reports.values().map(|line| line.settled.map(|(_, nothing)| nothing)).collect();
    assert_eq!(settled, [Some(true), Some(false)], "the rumour is nothing, the breach is dealt with");
    let calm = drill("1996-08", 7, "");
    let escalated = |seen: &Seen| seen.tally.tasks.values().map(|line| line.escalations).sum::<u32>();
    assert!(
        escalated(&seen) > escalated(&calm),
        "a silent squad escalates: {} against {}",
        escalated(&seen),
        escalated(&calm)
    );
    let report = Report { head: &seen.head, tally: &seen.tally, core: &seen.core, sensors: &seen.sensors };
    let (html, markdown) = (report.html(), report.markdown());
    assert!(html.contains("<h1>【演练】1996-08"), "{}", &html[..400.min(html.len())]);
    assert!(!html.contains("<script") && !html.contains("http"), "nothing from outside");
    assert!(markdown.starts_with("【演练】"));
    for words in ["叫应率", "导调注入与反应", "中断", "判为误报", "决口"] {
        assert!(html.contains(words) && markdown.contains(words), "{words} is missing");
    }
    let csv = String::from_utf8(report.csv().unwrap()).unwrap();
    assert!(csv.starts_with("\u{feff}【演练】"));
    assert_eq!(csv.lines().count(), seen.tally.tasks.len() + 1);
    for words in ["夹河滩（整站）", "抢险队", "桩号 3+200", "迁安命令（", "三个时延", "要点"] {
        assert!(html.contains(words), "{words} is missing: names, not ids");
    }
    assert!(!html.contains("drill-duty-a") && !html.contains("bridge_closed"), "no id where there is a name");
    let font = anlan::app::font::chinese(None).unwrap();
    let pdf = report.pdf(&font).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 2_000_000, "{} bytes, the font is a subset", pdf.len());
    assert!(pdf == report.pdf(&font).unwrap(), "the same drill, the same bytes");
    let verified = seen.state.tasks.values().filter(|task| task.status == TaskStatus::Verified).count();
    assert!(verified > 50, "officers check what is done: {verified}");
}

#[test]
fn drills_script_faults_name_file_line_and_remedy() {
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    let check = |row: &str, expected: &str| {
        let fault = script::read("s.toml", row, &files.sensors, &files.reach.reach).unwrap_err().to_string();
        assert!(fault.starts_with(expected), "{fault}");
    };
    check(
        "[[inject]]\nat_s=1\ntarget=\"corps:navy\"\nkind=\"comms\"\n",
        "s.toml:3:8: there is no target \"corps:navy\"; name",
    );
    check("[[inject]]\nat_s=1\ntarget=\"corps:squad\"\nkind=\"spike\"\n", "s.toml:3:8: there is no target");
    check("[[inject]]\nat_s=1\ntarget=\"chainage:99000\"\nkind=\"breach\"\n", "s.toml:3:8: there is no target");
    check("[[inject]]\nat_s=-1\ntarget=\"huayuankou\"\nkind=\"dead\"\n", "s.toml:2:6: at_s");
    check("[[inject]]\nat_s=1\ntarget=\"huayuankou\"\nkind=\"tired\"\n", "s.toml:4:6: ");
}

#[test]
fn drills_run_by_command_can_be_verified_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("drill");
    let anlan = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_anlan")).args(args).output().unwrap();
    let to = out.to_str().unwrap();
    let run =
        ["drill", "run", "--flood", "drill_6000_from_1996", "--stones-every", "0", "--look-every", "600", "--out", to];
    let done = anlan(&run);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = String::from_utf8(done.stdout).unwrap();
    let hash = told.lines().last().unwrap().strip_prefix("journal sha256:").unwrap().to_owned();
    assert_eq!(hash.len(), 64);
    for file in ["journal.jsonl", "report.html", "report.md", "report.csv", "report.pdf", "drill.json"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    let without = folder.path().join("without");
    let mut fontless = run;
    fontless[9] = without.to_str().unwrap();
    let done =
        Command::new(env!("CARGO_BIN_EXE_anlan")).args(fontless).env("ANLAN_FONT", "/none.ttf").output().unwrap();
    assert!(done.status.success(), "no font is no reason to have no report");
    assert!(String::from_utf8(done.stderr).unwrap().contains("/none.ttf"));
    assert!(without.join("report.html").is_file() && !without.join("report.pdf").exists());
    let verified = anlan(&["journal", "verify", "--replay", "--data", to]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let exported = anlan(&["journal", "export", "--data", to]);
    let journal = std::fs::read(out.join("journal.jsonl")).unwrap();
    assert!(exported.stdout == journal, "the export is the journal");
    let again = anlan(&run);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"), "a drill is never written over");
    let unknown = anlan(&["drill", "run", "--flood", "2099-01", "--out", folder.path().join("x").to_str().unwrap()]);
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("known floods"),
        "{}",
        String::from_utf8_lossy(&unknown.stderr)
    );
    let text = String::from_utf8(journal).unwrap();
    assert!(text.contains(r#""signal":"depth_village"#), "what the live twin led to was folded again too");
    let changed = text.replacen("\"acknowledged\"", "\"completed\"", 1);
    assert_ne!(changed, text);
    std::fs::write(out.join("journal.jsonl"), changed).unwrap();
    let broken = anlan(&["journal", "verify", "--data", to]);
    assert!(!broken.status.success());
    let replayed = anlan(&["journal", "verify", "--replay", "--data", to]);
    assert!(
        String::from_utf8_lossy(&replayed.stderr).contains("differs when folded again"),
        "{}",
        String::from_utf8_lossy(&replayed.stderr)
    );
}

#[test]
fn drills_script_of_the_docs_page_loads() {
    let page = include_str!("../../docs/drill.md");
    let sample = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    let injects = script::read("docs/drill.md", sample, &files.sensors, &files.reach.reach).unwrap();
    assert_eq!(injects.len(), 3);
}

//! Faults of field devices: `[[inject]] at_s target kind value for_s`, read from a file and asked for by moment and target.

use crate::command::Injection;
use crate::ingest::FileFault;
use crate::model::{FaultKind, Timestamp};
use chrono::TimeDelta;
use serde::Deserialize;
use toml::Spanned;

/// One fault, in seconds of the reach's clock after the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Inject {
    /// From here on.
    pub at_s: f64,
    /// `huayuankou.stage`, `huayuankou`, `gauge-…`, `stone-…`, `dam:…`, `work:…`.
    pub target: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Its size, in the unit of the kind.
    pub value: Option<f64>,
    /// So long; `None` for ever.
    pub for_s: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsFile {
    #[serde(default)]
    inject: Vec<InjectRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InjectRow {
    at_s: Spanned<f64>,
    target: Spanned<String>,
    kind: FaultKind,
    value: Option<f64>,
    for_s: Option<f64>,
}

/// Reads a faults file; `known` says which targets exist.
///
/// # Errors
/// By line and column: unknown kind or target, a time that is not a number from 0 on.
pub fn read_injects(file: &str, text: &str, known: impl Fn(&str) -> bool) -> Result<Vec<Inject>, FileFault> {
    let known = |kind, target: &str| kind == FaultKind::Rumour || known(target);
    read_script(file, text, "name a series, station, gauge, stone, dam:… or work:… of `anlan field --json`", known)
}

/// As [`read_injects`], where which targets exist depends on the kind; `remedy` says which.
///
/// # Errors
/// By line and column, as [`read_injects`].
pub fn read_script(
    file: &str,
    text: &str,
    remedy: &str,
    known: impl Fn(FaultKind, &str) -> bool,
) -> Result<Vec<Inject>, FileFault> {
    let rows: FaultsFile = toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))?;
    let mut injects = Vec::with_capacity(rows.inject.len());
    for row in rows.inject {
        let (at_s, for_s) = (*row.at_s.get_ref(), row.for_s.unwrap_or(0.0));
        if !at_s.is_finite()
            || at_s < 0.0
            || !for_s.is_finite()
            || for_s < 0.0
            || row.value.is_some_and(|v| !v.is_finite())
        {
            let what = "at_s, for_s and value must be numbers, the times from 0 on";
            return Err(FileFault::span(file, text, row.at_s.span(), what, "write seconds after the start"));
        }
        if !known(row.kind, row.target.get_ref()) {
            let what = format!("there is no target {:?}", row.target.get_ref());
            return Err(FileFault::span(file, text, row.target.span(), what, remedy));
        }
        let for_s = row.for_s.or((row.kind == FaultKind::Spike).then_some(10.0));
        injects.push(Inject { at_s, target: row.target.into_inner(), kind: row.kind, value: row.value, for_s });
    }
    Ok(injects)
}

impl Inject {
    /// As the journal of a drill holds it, counted from that start.
    pub fn of(injection: &Injection, start: Timestamp) -> Self {
        Self {
            at_s: (injection.from - start).num_milliseconds() as f64 / 1000.0,
            target: injection.target.clone(),
            kind: injection.kind,
            value: injection.value,
            for_s: injection.for_s,
        }
    }
    /// The moment it began, if it holds at `now`.
    pub fn since(&self, start: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let from = start + TimeDelta::milliseconds((self.at_s * 1000.0) as i64);
        let until = self.for_s.map(|for_s| from + TimeDelta::milliseconds((for_s * 1000.0) as i64));
        (now >= from && until.is_none_or(|until| now < until)).then_some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_holds_from_its_time_for_its_time() {
        let text = "[[inject]]\nat_s=600\ntarget=\"a\"\nkind=\"frozen\"\nfor_s=60\n[[inject]]\nat_s=0\ntarget=\"a\"\nkind=\"spike\"\n";
        let injects = read_injects("f.toml", text, |_| true).unwrap();
        let start = Timestamp::UNIX_EPOCH;
        let holds = |n: usize, second| injects[n].since(start, start + TimeDelta::seconds(second)).is_some();
        assert_eq!([599, 600, 659, 660].map(|second| holds(0, second)), [false, true, true, false]);
        assert_eq!([0, 9, 10].map(|second| holds(1, second)), [true, true, false]);
    }

    #[test]
    fn faults_of_the_faults_file_name_their_place() {
        let check = |text: &str, expected: &str| {
            let fault = read_injects("f.toml", text, |target| target == "a").unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}");
        };
        check("[[inject]]\nat_s=1\ntarget=\"b\"\nkind=\"dead\"\n", "f.toml:3:8: there is no target \"b\"");
        check("[[inject]]\nat_s=-1\ntarget=\"a\"\nkind=\"dead\"\n", "f.toml:2:6: at_s");
        check("[[inject]]\nat_s=nan\ntarget=\"a\"\nkind=\"dead\"\n", "f.toml:2:6: at_s");
        check("[[inject]]\nat_s=1\ntarget=\"a\"\nkind=\"tired\"\n", "f.toml:4:6: ");
        check("[[inject]]\nat=1\n", "f.toml:2:1: ");
    }
}

//! A password from the keyboard (not shown) or from standard input; never from the arguments, which others can read.

use crate::store::users::Password;
use std::error::Error;
use std::io::{BufRead, IsTerminal};
use std::process::{Command, Stdio};

/// Asks twice at a terminal; reads one line otherwise.
pub(super) fn ask(name: &str) -> Result<Password, Box<dyn Error>> {
    if !std::io::stdin().is_terminal() {
        return Ok(Password::new(line()?));
    }
    let quiet = Quiet::begin()?;
    eprint!("password of {name} (密码，不显示): ");
    let first = line()?;
    eprint!("\nonce more (再输一次): ");
    let second = line()?;
    eprintln!();
    drop(quiet);
    if first != second {
        return Err("the two passwords differ: nothing was changed (两次输入不一致)".into());
    }
    Ok(Password::new(first))
}

fn line() -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    if std::io::stdin().lock().read_line(&mut text)? == 0 {
        return Err("no password on standard input (标准输入没有密码)".into());
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Keeps the terminal from showing what is typed until it is dropped.
struct Quiet;

impl Quiet {
    fn begin() -> Result<Self, Box<dyn Error>> {
        let done = stty("-echo").is_ok_and(|status| status.success());
        let advice = "cannot hide what is typed: give the password on standard input (无法隐藏输入，请用标准输入)";
        done.then_some(Self).ok_or_else(|| advice.into())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = stty("echo");
    }
}

fn stty(argument: &str) -> std::io::Result<std::process::ExitStatus> {
    Command::new("stty").arg(argument).stdin(Stdio::inherit()).status()
}

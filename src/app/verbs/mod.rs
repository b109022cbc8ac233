//! The command line: one file per verb, one line here for each.
//!
//! In: arguments. Out: an exit code, 0 only on success. A failure is printed once, with its causes, on standard error;
//! standard output carries results only.

mod backup;
mod bench;
mod config;
mod decode;
mod demo;
mod device;
mod drill;
mod export;
mod field;
mod import;
mod init;
mod journal;
mod password;
mod place;
mod playbook;
mod restore;
mod sensor;
mod serve;
mod store;
pub(in crate::app) mod twin;
mod user;

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
    /// 演示：虚拟现场设备、真实 Modbus、合成河段 (the demo; also what `anlan` alone does).
    Demo(demo::Args),
    /// 运行服务器 (runs a server).
    Serve(serve::Args),
    /// 性能测量：用同一台机器、同一次运行给出数字 (measure, on this machine, in one run).
    Bench(bench::Args),
    /// 演练：虚拟时钟、虚拟人员，同一套指挥核心 (drills on a virtual clock).
    Drill(drill::Args),
    /// 报文解析 (what a frame says): SL 651-2014.
    Decode(decode::Args),
    /// 虚拟现场设备：按洪水过程应答的 Modbus TCP 水位计与智能石头 (virtual field devices).
    Field(field::Args),
    /// 日志：核验、重演、导出 (checks, replays and exports a journal).
    Journal(journal::Args),
    /// 预案: check, list, preview, import, export, diff.
    Playbook(playbook::Args),
    /// 传感器：读取并换算 (sensors).
    Sensor(sensor::Args),
    /// 水力孪生：二维淹没演进 (the hydraulic twin: inundation on a grid).
    Twin(twin::Args),
    /// 初始化：新建数据目录与配置文件 (makes a data directory and a configuration file).
    Init(init::Args),
    /// 用户：新建、列出、改密、停用 (users; passwords come from the keyboard or standard input).
    User(user::Args),
    /// 导入：CSV、XLSX 水情表，先预览 (imports a table of readings).
    Import(import::Args),
    /// 导出：观测值 CSV、Parquet，SL 323 表 (observations and tables as files).
    Export(export::Args),
    /// 报数设备：新建、列出、注销 (devices that push readings by HTTP).
    Device(device::Args),
    /// 配置：检查配置文件 (checks a configuration file).
    Config(config::Args),
    /// 备份：服务运行时复制数据目录 (copies a data directory while its server runs).
    Backup(backup::Args),
    /// 测验数据库：迁移并核对 (carries the series store to another and compares).
    Store(store::Args),
    /// 恢复：核对备份并放回数据目录 (checks a backup and puts it back).
    Restore(restore::Args),
}

/// Parses the command line and runs the verb; every failure is one printed chain and a non-zero code.
pub fn run() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|fault| {
        if fault.use_stderr() {
            eprintln!("anlan: 命令有误，原因如下；用法见 --help");
        }
        fault.exit()
    });
    // One provider of cryptography for every client and server of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome: Outcome = match cli.verb {
        None => demo::run(demo::Args::default()),
        Some(Verb::Demo(args)) => demo::run(args),
        Some(Verb::Serve(args)) => serve::run(args),
        Some(Verb::Bench(args)) => bench::run(args),
        Some(Verb::Decode(args)) => decode::run(args),
        Some(Verb::Device(args)) => device::run(args),
        Some(Verb::Import(args)) => import::run(args),
        Some(Verb::Export(args)) => export::run(args),
        Some(Verb::Drill(args)) => drill::run(args),
        Some(Verb::Field(args)) => field::run(args),
        Some(Verb::Journal(args)) => journal::run(args),
        Some(Verb::Playbook(args)) => playbook::run(args),
        Some(Verb::Sensor(args)) => sensor::run(args),
        Some(Verb::Twin(args)) => twin::run(args),
        Some(Verb::Init(args)) => init::run(args),
        Some(Verb::User(args)) => user::run(args),
        Some(Verb::Config(args)) => config::run(args),
        Some(Verb::Backup(args)) => backup::run(args),
        Some(Verb::Store(args)) => store::run(args),
        Some(Verb::Restore(args)) => restore::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("anlan: {}", chain(&*fault));
            ExitCode::FAILURE
        }
    }
}

/// An error with all its causes, outermost first; a cause that only repeats the one above is left out.
fn chain(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut above = text.clone();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if line != above {
            text.push_str("\n  because: ");
            text.push_str(&line);
        }
        above = line;
        cause = inner.source();
    }
    text
}

/// Runs a verb that waits for files or the network.
fn wait_for(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

//! `anlan bench`: the figures of `docs/performance.md`, each with the command that makes it. One file for each measurement.

mod dispatch;
mod durable;
mod ensemble;
mod fanout;
mod flood2d;
mod ingest;
mod meter;
mod modbus;
mod modbus_devices;
mod mqtt;
mod mqtt_wire;
mod open;
mod proposal;
mod replay;
mod rules;
mod scratch;
mod site;
mod sl651;
mod workload;

use clap::Subcommand;
use std::error::Error;

/// Arguments of `anlan bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    /// 二维淹没演进：每秒格步数、加速比、每格内存。Inundation: cell updates a second, speed-up, bytes a cell.
    Flood2d(flood2d::Args),
    /// 集合演算：精细网格上的多个成员。A spread of runs on the finest grid, as the jobs of the server compute it.
    Ensemble(ensemble::Args),
    /// 写入时序库：每批落盘后才确认。Points into the series store, each batch acknowledged after it is on disk.
    Ingest(ingest::Args),
    /// 从确认到三百部手机：任务落盘、首字节送出。From the second officer's confirmation to every phone's stream.
    Dispatch(dispatch::Args),
    /// 一条变化送到许多块屏。One change to many open screens.
    Fanout(fanout::Args),
    /// 每秒轮询千台 Modbus 设备，含死机与慢速。A thousand Modbus devices polled each second, some dead, some slow.
    Modbus(modbus::Args),
    /// MQTT 报文经 mosquitto 入库后确认，与代理自身极限对照。Points from a broker, durable before acknowledged; the broker's own limit beside it.
    Mqtt(mqtt::Args),
    /// 打开一年的时序库，或十万条序列。Opening a store that holds a year, or very many series.
    Open(open::Args),
    /// 从测站寄存器变化到大屏上的建议。From the register of a gauge to the proposal on the wall's stream.
    Proposal(proposal::Args),
    /// 重演日志。A journal, folded again.
    Replay(replay::Args),
    /// 判定全部指令条件。All conditions of the playbook, once through.
    Rules(rules::Args),
    /// SL 651 报文：解码、入库后应答、一万站在线的内存。Frames decoded, stored and acknowledged; memory of connected stations.
    Sl651(sl651::Args),
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    match args.what {
        Measurement::Flood2d(args) => flood2d::run(args),
        Measurement::Ensemble(args) => ensemble::run(args),
        Measurement::Ingest(args) => ingest::run(args),
        Measurement::Dispatch(args) => dispatch::run(args),
        Measurement::Fanout(args) => fanout::run(args),
        Measurement::Modbus(args) => modbus::run(args),
        Measurement::Mqtt(args) => mqtt::run(args),
        Measurement::Open(args) => open::run(args),
        Measurement::Proposal(args) => proposal::run(args),
        Measurement::Replay(args) => replay::run(args),
        Measurement::Rules(args) => rules::run(args),
        Measurement::Sl651(args) => sl651::run(args),
    }
}

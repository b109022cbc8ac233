//! `anlan demo`: virtual field devices on loopback, polled by real Modbus; demo accounts with one-time links.

use super::field::{moment, speed};
use super::{Outcome, wait_for};
use crate::app::clock::{DemoClock, wall_now};
use crate::app::config::{LimitsSection, LogSection};
use crate::app::server::{Server, ServerParts, SiteFiles};
use crate::app::{editions, log};
use crate::command::CommandSettings;
use crate::drill::field::{Bench, BenchPart, FieldDevices};
use crate::drill::floods::Flood;
use crate::model::{MemberId, Timestamp, UserName, UserRole};
use crate::playbook::Playbook;
use crate::store::users::{NewUser, UserError, Users};
use chrono::TimeDelta;
use serde_json::json;
use std::error::Error;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the demo begins: a day and a quarter before the crest of 1958.
const START: &str = "1958-07-16T18:00+08:00";
const FLOOD: &str = "1958-07";
/// How long a link stays good.
const LINK_LIFE: TimeDelta = TimeDelta::hours(24);
/// Accounts that are no grid members.
const OFFICERS: [(&str, UserRole); 5] = [
    ("duty-a", UserRole::Duty),
    ("duty-b", UserRole::Duty),
    ("commander", UserRole::Commander),
    ("director", UserRole::Director),
    ("operator", UserRole::Operator),
];
/// How many grid members get an account.
const MEMBERS: usize = 3;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// Address of pages and API.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Data directory; it is kept when the demo ends.
    #[arg(long, default_value = "anlan-data")]
    data: PathBuf,
    /// Flood of the library that the gauges follow.
    #[arg(long, default_value = FLOOD)]
    flood: String,
    /// Moment of the flood at which the clock starts.
    #[arg(long, value_parser = moment)]
    start: Option<Timestamp>,
    /// Seconds of the flood in one second.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Folder of the reach; the demo reach in the binary where absent.
    #[arg(long)]
    reach: Option<PathBuf>,
    /// Folder of the playbook; the edition in the binary where absent.
    #[arg(long)]
    playbook: Option<PathBuf>,
    /// Folder of the sensors; those in the binary where absent.
    #[arg(long)]
    sensors: Option<PathBuf>,
    /// First line: one JSON object with the address and every account's link.
    #[arg(long)]
    json: bool,
    /// Allow an address that others can reach; anyone who has a link then commands the demo.
    #[arg(long)]
    allow_remote_demo: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            data: "anlan-data".into(),
            flood: FLOOD.into(),
            start: None,
            speed: 1.0,
            reach: None,
            playbook: None,
            sensors: None,
            json: false,
            allow_remote_demo: false,
        }
    }
}

pub(super) fn run(args: Args) -> Outcome {
    if !args.listen.ip().is_loopback() && !args.allow_remote_demo {
        return Err(format!(
            "{} 可被其他机器访问，演示账号没有口令：请用 127.0.0.1，或明确加 --allow-remote-demo \
             (others can reach this address; use loopback or say --allow-remote-demo)",
            args.listen
        )
        .into());
    }
    wait_for(demo(args))
}

async fn demo(args: Args) -> Outcome {
    log::start(&LogSection::default())?;
    let flood = Flood::load(&editions::floods::files(), &args.flood)?;
    let (begins, ends) = flood.span();
    let start = match args.start {
        Some(start) if (begins..=ends).contains(&start) => start,
        Some(start) => {
            return Err(format!(
                "--start {start} 不在洪水 {} 的时段 {begins} 至 {ends} 内 (outside the flood)",
                args.flood
            )
            .into());
        }
        None if args.flood == FLOOD => moment(START)?,
        None => begins,
    };
    let mut files = SiteFiles::from_folders(args.playbook.as_deref(), args.reach.as_deref(), args.sensors.as_deref())?;
    if files.sensors.stations.is_empty() {
        let folder = args.sensors.as_deref().unwrap_or(std::path::Path::new("sensors")).display().to_string();
        return Err(format!(
            "--sensors {folder}：没有测站；请指向含 stations.toml 的文件夹，如 {folder}/huayuankou \
             (no stations there: name the folder that holds stations.toml)"
        )
        .into());
    }
    let clock = DemoClock::new(start, args.speed);
    let hands = clock.clone();
    let bench = Bench::new(BenchPart {
        sensors: files.sensors.clone(),
        flood: flood.clone(),
        injects: Vec::new(),
        seed: 7,
        start,
    });
    // Loopback, ports of the system's choice: the poller reaches the devices by Modbus TCP and in no other way.
    let devices =
        FieldDevices::start(Arc::new(bench), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(move || hands.now()))
            .await?;
    files.sensors.use_addresses(devices.addresses());
    let settings = CommandSettings { standing_authorisation: all_preauthorised(&files)?, ..CommandSettings::default() };
    let members = files.reach.reach.members().filter(|member| member.has_app).map(|member| member.id.clone());
    let members: Vec<_> = patrols_first(members.collect(), &files);
    let layer = files.reach.layers.get("cameras").map_or("", String::as_str);
    let cameras = crate::ingest::cameras::CameraMap::of_layer(layer);
    let server = Server::start(ServerParts {
        listen: args.listen,
        data: args.data,
        files,
        clock: Some(clock),
        settings,
        limits: LimitsSection::default(),
        scrape_token: None,
        backup: None,
        sl651: None,
        hooks: crate::ingest::hooks::HookMap::default(),
        cameras,
        public_reports: None,
        series: Default::default(),
        mqtt: Vec::new(),
        demo: Some(flood),
    })
    .await?;
    let accounts = accounts(&server.users, server.address, &members).await?;
    announce(&server, &accounts, args.json)?;
    let ended = server.run().await;
    drop(devices);
    ended
}

/// The demo's standing authorisation lists every row that a playbook allows; flagged as the demo's, like all its data.
fn all_preauthorised(
    files: &SiteFiles,
) -> Result<std::collections::BTreeSet<crate::model::InstructionCode>, Box<dyn Error>> {
    let playbook = Playbook::load("", &files.playbook)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok(playbook.instructions().iter().filter(|row| row.preauthorised).map(|row| row.code.clone()).collect())
}

/// Members who own a patrol first: their phones have something to show.
fn patrols_first(mut members: Vec<MemberId>, files: &SiteFiles) -> Vec<MemberId> {
    let patrols: std::collections::BTreeSet<_> = files
        .reach
        .reach
        .duty_rows()
        .filter(|(role, ..)| matches!(*role, "patrol_team" | "river_bureau_section"))
        .map(|(_, _, owner, _)| owner.clone())
        .collect();
    members.sort_by_key(|member| (!patrols.contains(member), member.clone()));
    members.truncate(MEMBERS);
    members
}

struct Account {
    name: String,
    role: UserRole,
    member: Option<MemberId>,
    link: String,
}

async fn accounts(users: &Users, address: SocketAddr, members: &[MemberId]) -> Result<Vec<Account>, Box<dyn Error>> {
    let officers = OFFICERS.iter().map(|(name, role)| ((*name).to_owned(), *role, None));
    let phones = members.iter().map(|member| (member.to_string(), UserRole::Member, Some(member.clone())));
    let mut accounts = Vec::new();
    for (name, role, member) in officers.chain(phones) {
        let new = NewUser { name: name.clone(), role, member: member.clone(), password: None };
        match users.add(new, wall_now()).await {
            // A data directory that was used before has them: the link below fails for a name that is not there.
            Ok(_) | Err(UserError::Exists { .. } | UserError::MemberTaken { .. }) => {}
            Err(fault) => return Err(fault.into()),
        }
        let token = users.login_link(&UserName::new(&name), LINK_LIFE, wall_now()).await?;
        let page = if role == UserRole::Member { "patrol" } else { "hq" };
        let link = format!("http://{address}/{page}?token={}", token.reveal());
        accounts.push(Account { name, role, member, link });
    }
    Ok(accounts)
}

fn announce(server: &Server, accounts: &[Account], as_json: bool) -> Outcome {
    let mut out = std::io::stdout().lock();
    let first = accounts.first().map_or("", |account| account.link.as_str());
    if as_json {
        let list: Vec<_> = accounts
            .iter()
            .map(|account| {
                let mut shape = json!({ "name": account.name, "role": account.role, "link": account.link });
                if let (Some(shape), Some(member)) = (shape.as_object_mut(), &account.member) {
                    shape.insert("member_id".into(), json!(member));
                }
                shape
            })
            .collect();
        writeln!(out, "{}", json!({ "url": format!("http://{}", server.address), "link": first, "accounts": list }))?;
    } else {
        writeln!(
            out,
            "安澜演示（合成数据）已启动。请在浏览器打开，值班员 duty-a 的链接 (open in a browser, as duty officer duty-a):\n\n  {first}\n"
        )?;
        writeln!(
            out,
            "每个链接只能用一次，之后浏览器保持登录；重新启动得到新链接 (each link works once, then the browser stays logged in;"
        )?;
        writeln!(
            out,
            "a new start gives new links). 蓝色响应为演示预置 (blue is preset). 其他演示账号 (other demo accounts):"
        )?;
        for account in accounts.iter().skip(1) {
            writeln!(out, "  {:<10} {:<9} {}", account.name, account.role.as_str(), account.link)?;
        }
    }
    out.flush()?;
    Ok(())
}

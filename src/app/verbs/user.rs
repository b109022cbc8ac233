//! `anlan user …`: users of a data directory, also while its server runs.

use super::place::ServerPlace;
use super::{Outcome, password, wait_for};
use crate::app::clock::wall_now;
use crate::app::config::Config;
use crate::app::reaches::reach_from;
use crate::model::{MemberId, Reach, UserName, UserRole};
use crate::store::Database;
use crate::store::users::{NewUser, USERS_SCHEMA, User, Users};
use chrono::TimeDelta;
use clap::Subcommand;
use std::error::Error;
use std::path::Path;

/// Makes and manages users; passwords come from the keyboard or standard input (管理用户).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    server: ServerPlace,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a user. Role: viewer, duty, hydrologist, commander, deputy, member, director, operator, auditor.
    Add {
        /// Login name.
        name: String,
        /// What the user may do; `operator` is the administrator.
        #[arg(long)]
        role: UserRole,
        /// The grid member that this user is (mbr-…); needed for role member.
        #[arg(long)]
        member: Option<String>,
        /// Make no password: the user comes in by a link only.
        #[arg(long)]
        no_password: bool,
    },
    /// Lists users.
    List,
    /// Gives a user another password and ends the user's sessions.
    Password {
        /// Login name.
        name: String,
    },
    /// Shuts a user out at once.
    Disable {
        /// Login name.
        name: String,
    },
    /// Ends all sessions of a user: a lost phone.
    Revoke {
        /// Login name.
        name: String,
    },
    /// Prints a token that opens a session once: POST it to /api/v1/session, or open /login?token=….
    Link {
        /// Login name.
        name: String,
        /// How long it stays good, hours.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(i64).range(1..=720))]
        hours: i64,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(async move {
        let known = MembersKnown::of(args.server.config())?;
        let database = Database::open(&args.server.state_file()?, &[USERS_SCHEMA]).await?;
        let outcome = act(&Users::new(database.clone()), &known, args.action, args.json).await;
        database.close().await;
        outcome
    })
}

async fn act(users: &Users, known: &MembersKnown, action: Action, json: bool) -> Outcome {
    let now = wall_now();
    match action {
        Action::Add { name, role, member, no_password } => {
            if let Some(member) = &member {
                known.check(member)?;
            }
            let password = if no_password { None } else { Some(password::ask(&name)?) };
            let user = users.add(NewUser { name, role, member: member.map(MemberId::from), password }, now).await?;
            report(json, &shape(&user), &format!("made {} as {} (已建立用户)", user.name, user.role));
        }
        Action::List => {
            let listed = users.list().await?;
            if json {
                println!("{}", serde_json::Value::Array(listed.iter().map(shape).collect()));
                return Ok(());
            }
            for user in listed {
                let member = user.member.map_or_else(String::new, |member| format!("  {member}"));
                let disabled = if user.disabled { "  disabled 已停用" } else { "" };
                println!("{:<20} {:<12}{member}{disabled}", user.name.as_str(), user.role.as_str());
            }
        }
        Action::Password { name } => {
            let name = UserName::from(name);
            users.set_password(&name, password::ask(name.as_str())?, now).await?;
            report(json, &done(&name), &format!("{name} has a new password; open sessions ended (密码已更新)"));
        }
        Action::Disable { name } => {
            let name = UserName::from(name);
            users.disable(&name, now).await?;
            report(json, &done(&name), &format!("{name} is shut out (已停用)"));
        }
        Action::Revoke { name } => {
            let name = UserName::from(name);
            users.revoke(&name, now).await?;
            report(json, &done(&name), &format!("{name}: all sessions ended (会话已全部注销)"));
        }
        Action::Link { name, hours } => {
            let name = UserName::from(name);
            let life = TimeDelta::hours(hours);
            let token = users.login_link(&name, life, now).await?;
            let shape = serde_json::json!({"name": name, "token": token.reveal(), "expires": now + life});
            report(json, &shape, &format!("/login?token={}", token.reveal()));
        }
    }
    Ok(())
}

/// The members of the reach that the server has; only a configuration tells which reach that is.
struct MembersKnown {
    reach: Reach,
    configured: bool,
}

impl MembersKnown {
    fn of(config: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let folder = config.map(Config::load).transpose()?.and_then(|config| config.reach);
        Ok(Self { reach: reach_from(folder.as_deref())?.reach, configured: config.is_some() })
    }

    /// An account of nobody would never get a task.
    fn check(&self, member: &str) -> Outcome {
        if self.reach.member(&MemberId::new(member)).is_some() {
            return Ok(());
        }
        if self.configured {
            return Err(format!("no member {member} in the reach of this server (本辖区没有网格员 {member})").into());
        }
        eprintln!(
            "anlan: {member} is no member of the demo reach; give --config FILE to check against your own (演示辖区没有此网格员，请用 --config 核对)"
        );
        Ok(())
    }
}

fn shape(user: &User) -> serde_json::Value {
    serde_json::json!({"name": user.name, "role": user.role, "member_id": user.member, "disabled": user.disabled})
}

fn done(name: &UserName) -> serde_json::Value {
    serde_json::json!({"name": name, "ok": true})
}

fn report(json: bool, shape: &serde_json::Value, words: &str) {
    if json { println!("{shape}") } else { println!("{words}") }
}

//! The sample holds every key, its values are the defaults, and each mistake is pointed at.

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("site.toml"))
}

#[test]
fn config_sample_is_valid_and_its_sections_are_the_defaults() {
    let config = parse(SAMPLE).unwrap();
    let bare = parse("listen = '127.0.0.1:8080'\ndata = '/var/lib/anlan'").unwrap();
    assert_eq!(config.backup.as_ref().unwrap().keep, 14);
    assert_eq!(Config { backup: None, ..config.clone() }, bare);
    assert_eq!(config.command_settings(), CommandSettings::default());
}

#[test]
fn config_sample_explains_every_key() {
    // Every key, commented out or not, is set on a line that follows an explanation.
    for key in [
        "listen",
        "data",
        "reach",
        "playbook",
        "sensors",
        "kind",
        "start",
        "speed",
        "address",
        "format",
        "verbosity",
        "body_bytes",
        "report_bytes",
        "streams",
        "scrape_token",
        "call_commanders_after_s",
        "deputies_after_s",
        "expires_after_s",
        "standing_authorisation",
        "unanswered_after_s",
        "deputy_after_s",
        "commander_after_s",
        "rearm_after_s",
        "water_within_s",
        "file",
        "per_hour",
        "all_per_hour",
        "folder",
        "every_h",
        "keep",
        "url",
        "org",
        "bucket",
        "token_file",
        "ca_file",
        "spool_mib",
        "series_max",
        "points_days",
        "minutes_days",
    ] {
        let set = |line: &str| line.trim_start_matches("# ").strip_prefix(key).is_some_and(|r| r.starts_with(" ="));
        let at = SAMPLE.lines().position(set).unwrap_or_else(|| panic!("{key} is not in deploy/anlan.toml"));
        let above = SAMPLE.lines().nth(at - 1).unwrap();
        assert!(above.starts_with('#') && above.len() > 20, "{key} is not explained: {above:?}");
    }
    // Without the leading "# " the optional keys are valid too.
    let opened: String = SAMPLE
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| {
                    rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
                })
                .unwrap_or(line)
        })
        .map(|line| format!("{}\n", line.replace("kind = \"real\"", "kind = \"demo\"")))
        .collect();
    let config = parse(&opened).unwrap();
    assert!(config.reach.is_some() && config.field.address.is_some() && config.sl651.is_some(), "{config:?}");
    assert!(config.mqtt.len() == 1 && config.mqtt[0].ca_file.is_some(), "{config:?}");
    assert!(config.hooks.is_some() && config.public_reports.is_some(), "{config:?}");
    assert!(matches!(config.clock, ClockSection::Demo { .. }));
    let remote = &config.series;
    assert!(remote.kind == SeriesKind::Influx2 && remote.ca_file.is_some(), "{remote:?}");
    let SeriesSection { spool_mib, series_max, .. } = SeriesSection::default();
    assert_eq!((remote.spool_mib, remote.series_max), (spool_mib, series_max));
}

#[test]
fn config_mistakes_are_pointed_at() {
    let base = "listen = '127.0.0.1:8080'\ndata = 'd'\n";
    let check = |text: &str, place: &str, word: &str| {
        let refusal = parse(text).unwrap_err().to_string();
        assert!(refusal.starts_with(&format!("site.toml:{place}: ")), "{refusal}");
        assert!(refusal.contains(word), "{refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    };
    check("listen = '127.0.0.1:8080'\n", "1:1", "data");
    check(&format!("{base}[sl651]\nlisten = '8651'\n"), "4:10", "socket address");
    check(&format!("{base}[sl651]\nport = 8651\n"), "4:1", "port");
    let remote = "[series]\nkind = 'influx2'\nurl = 'http://127.0.0.1:8086'\norg = 'o'\nbucket = 'b'\n";
    check(&format!("{base}{remote}"), "8:1", "token_file");
    check(&format!("{base}{remote}token_file = 't'\nspool_mib = 0\n"), "9:1", "1048576");
    check(&format!("{base}{}", remote.replace("http:", "ftp:") + "token_file = 't'\n"), "5:1", "http://");
    let secret = remote.replace("127.0.0.1", "u:geheim77@127.0.0.1") + "token_file = 't'\n";
    check(&format!("{base}{secret}"), "5:1", "token_file");
    let refusal = parse(&format!("{base}{secret}")).unwrap_err().to_string();
    assert!(!refusal.contains("geheim77"), "{refusal}");
    check(&format!("{base}{}", remote.replace("8086", "8086/?token=s") + "token_file = 't'\n"), "5:1", "查询参数");
    check(&format!("{base}[series]\npoints_days = 0\n"), "4:1", "36600");
    check(&format!("{base}[series]\npoints_days = 9\nminutes_days = 8\n"), "5:1", "points_days");
    check(&format!("{base}[series]\nminutes_days = 8\n"), "4:1", "points_days");
    check(&format!("{base}[series]\nbucket = 'b'\n"), "4:1", "influx2");
    check(&format!("{base}[series]\nkind = 'influxdb'\n"), "4:8", "influx2");
    check(&format!("{base}[series]\ntoken = 'secret'\n"), "4:1", "token");
    let broker = format!("{base}[[mqtt]]\nid = 'a'\nhost = 'b'\nport = 1883\nclient_id = 'c'\n");
    check(&format!("{broker}version = '4'\n"), "8:11", "3.1.1");
    check(&format!("{broker}password = 'secret'\n"), "8:1", "password");
    check(&format!("{broker}password_file = 'p'\n"), "8:1", "needs user");
    check(&format!("{broker}key_file = 'p'\n"), "9:1", "go together");
    check(&format!("{broker}keep_alive_s = 1\n"), "8:1", "5 to 3600");
    check("listen = 'nowhere'\ndata = 'd'\n", "1:10", "socket address");
    check("listen = '127.0.0.1:80\n", "1:23", "string");
    check(&format!("{base}lisen = 'x'\n"), "3:1", "lisen");
    check(&format!("{base}[log]\nverbosity = \"loud\"\n"), "4:13", "loud");
    check(&format!("{base}[limits]\nbody_bytes = -1\n"), "4:14", "-1");
    check(&format!("{base}[limits]\nbody_bytes = 10\n"), "4:1", "1024 to 67108864");
    check(&format!("{base}[release]\n  deputies_after_s = 30\n"), "4:3", "call_commanders_after_s");
    check(&format!("{base}[release]\ncall_commanders_after_s = 400\n"), "5:1", "deputies_after_s");
    check(&format!("{base}[release]\nexpires_after_s = 120\n"), "4:1", "no deputy");
    check(&format!("{base}[ladder]\ncommander_after_s = 200\n"), "4:1", "deputy_after_s");
    check(&format!("{base}[backup]\nfolder = 'b'\nevery_h = 0\nkeep = 3\n"), "5:1", "168");
    check(&format!("{base}[backup]\nfolder = 'b'\nkeep = 3\n"), "3:1", "every_h");
    check(&format!("{base}[metrics]\nscrape_token = 'too-short'\n"), "4:16", "at least 16");
    check(&format!("{base}[metrics]\nscrape_token = 'long enough but spaced'\n"), "4:16", "no spaces");
    for speed in ["0", "-1", "nan", "inf", "1e9"] {
        let text = format!("{base}[clock]\nkind = 'demo'\nstart = '1958-07-16T10:00:00Z'\nspeed = {speed}\n");
        check(&text, "3:1", "speed");
    }
    check(&format!("{base}[clock]\nkind = 'fast'\n"), "4:8", "fast");
    check(&format!("{base}[clock]\nkind = 'real'\nspeed = 2\n"), "3:1", "speed");
}

#[test]
fn config_never_prints_the_scrape_token() {
    let token = "a-token-nobody-guesses";
    let config = parse(&format!("listen = '127.0.0.1:1'\ndata = 'd'\n[metrics]\nscrape_token = '{token}'\n")).unwrap();
    assert!(config.metrics.scrape_token.is_some() && !format!("{config:?}").contains(token));
}

#[test]
fn config_paths_are_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("anlan.toml");
    std::fs::write(&path, "listen = '127.0.0.1:1'\ndata = 'd'\nreach = '/r'\n").unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(config.data, dir.path().join("d"));
    assert_eq!(config.reach, Some(PathBuf::from("/r")));
    let refusal = Config::load(&dir.path().join("absent.toml")).unwrap_err().to_string();
    assert!(refusal.contains("absent.toml"), "{refusal}");
}

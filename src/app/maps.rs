//! The files beside a configuration that `serve` needs before it can listen: `hooks.toml`, `cameras.toml`, what the brokers name.
//!
//! In: a configuration and the site's files. Out: the maps, or the first fault by its file. `config check` reads them the same way,
//! so that what it passes also starts.

use super::config::Config;
use super::rehearsal::SiteFiles;
use crate::ingest::cameras::{Camera, CameraMap, Eye};
use crate::ingest::hooks::HookMap;
use crate::ingest::{mqtt, utf8};
use std::error::Error;
use std::path::Path;

/// What the files say.
pub(super) struct Maps {
    pub(super) hooks: HookMap,
    pub(super) cameras: CameraMap,
}

/// Reads and checks them all.
pub(super) fn read(config: &Config, files: &SiteFiles) -> Result<Maps, Box<dyn Error>> {
    let hooks = match &config.hooks {
        None => HookMap::default(),
        Some(section) => {
            let (file, bytes) = bytes_of(&section.file)?;
            HookMap::load(&file, utf8(&file, &bytes)?, &files.reach.reach)?
        }
    };
    let layer = files.reach.layers.get("cameras").map_or("", String::as_str);
    let cameras = match &config.cameras {
        None => CameraMap::of_layer(layer),
        Some(section) => {
            let (file, bytes) = bytes_of(&section.file)?;
            CameraMap::load(&section.file, utf8(&file, &bytes)?, layer)?
        }
    };
    if cameras.cameras.iter().any(Camera::has_snapshot) {
        Eye::new(&cameras)?;
    }
    // Sources without any broker belong to a site that has none yet, as in the demo.
    if !config.mqtt.is_empty() {
        mqtt::check(&config.mqtt, &files.sensors.mqtt)?;
    }
    Ok(Maps { hooks, cameras })
}

fn bytes_of(path: &Path) -> Result<(String, Vec<u8>), String> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|cause| format!("文件不可读 (cannot read) {file}: {cause}"))?;
    Ok((file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn whatever_serve_would_stop_at_is_found_before() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let check = |sections: &str, word: &str| {
            let config = format!("listen = '127.0.0.1:0'\ndata = 'data'\n{sections}");
            fs::write(at("a.toml"), config).unwrap();
            let config = Config::load(&at("a.toml")).unwrap_or_else(|fault| panic!("{sections}: {fault}"));
            let files = SiteFiles::read(&config).unwrap();
            match read(&config, &files) {
                Ok(_) => assert_eq!(word, "", "{sections}"),
                Err(fault) => assert!(!word.is_empty() && fault.to_string().contains(word), "{sections}: {fault}"),
            }
        };
        check("", "");
        check("[hooks]\nfile = 'hooks.toml'\n", "hooks.toml");
        fs::write(at("hooks.toml"), "[[source]]\nname = 'a b'\nsecret = 'x'\n").unwrap();
        check("[hooks]\nfile = 'hooks.toml'\n", "hooks.toml");
        fs::write(at("hooks.toml"), "").unwrap();
        check("[hooks]\nfile = 'hooks.toml'\n", "");
        check("[cameras]\nfile = 'cameras.toml'\n", "cameras.toml");
        fs::write(at("cameras.toml"), "hosts = []\n[[camera]]\nid = 'cam-1'\nsnapshot = 'http://10.0.0.9/a'\n")
            .unwrap();
        check("[cameras]\nfile = 'cameras.toml'\n", "cameras.toml");
        let broker = |id: &str, client: &str, more: &str| {
            format!("[[mqtt]]\nid = '{id}'\nhost = '127.0.0.1'\nport = 1\nclient_id = '{client}'\n{more}\n")
        };
        fs::create_dir(at("sensors")).unwrap();
        fs::write(
            at("sensors/a.toml"),
            "[[station]]\nid='a'\nname_zh='甲'\nname_en='A'\nlon=113\nlat=34\nsource='x'\n",
        )
        .unwrap();
        let own = |brokers: String| format!("sensors = 'sensors'\n{brokers}");
        check(&own(broker("b", "c", "")), "");
        check(&own(broker("b", "c", "user = 'u'\npassword_file = 'secret'")), "secret");
        check(&own(broker("b", "c", "ca_file = 'ca.pem'")), "ca.pem");
        check(&own(broker("b", "c", "") + &broker("b2", "c", "")), "client_id");
        check(&own(broker("b", "c", "") + &broker("b2", "c2", "")), "");
    }
}

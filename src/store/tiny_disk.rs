//! A small disk for tests of a full one; made with the right to mount, which root has outside of most containers.

use std::path::Path;
use std::process::{Command, Stdio};

/// A folder on a disk of its own, gone with its value.
pub(super) struct TinyDisk(tempfile::TempDir);

impl TinyDisk {
    /// Of so many MiB; `None` without the right to mount.
    pub(super) fn mount(mib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

//! A small disk of its own, so that it can be full without harm to any other.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk in memory, mounted on a folder until it is dropped. It takes root to mount one.
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// With room for so many files.
    pub fn mount(folder: &Path, kib: u32, files: u32) -> Self {
        std::fs::create_dir_all(folder).expect("a folder to mount on");
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={kib}k,nr_inodes={files},mode=700"),
                "tmpfs",
            ])
            .arg(folder)
            .status()
            .expect("mount runs");
        assert!(mounted.success(), "a tmpfs can be mounted; run as root");
        Self(folder.to_owned())
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily, since a service of the test may still have a file open there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

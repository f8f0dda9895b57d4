//! Real processes: our binaries, and the tools that scripts/setup installs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A binary of this workspace, built by `cargo build --workspace`.
pub fn binary(name: &str) -> PathBuf {
    // target/debug/deps/test-… → target/debug/name
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("the target folder");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --workspace` first",
        path.display()
    );
    path
}

/// A tool of scripts/setup.
pub fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../.tools/bin")
        .join(name);
    assert!(
        path.exists(),
        "{} is missing: run `scripts/setup tests` first",
        path.display()
    );
    path
}

/// A running process, killed when the test is over.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .expect("the process starts");
        Self(child)
    }

    fn signal(&self, signal: &str) {
        // The shell's own kill, because not every Debian has the program.
        let done = Command::new("bash")
            .args(["-c", &format!("kill {signal} {}", self.0.id())])
            .status()
            .expect("bash runs");
        assert!(done.success(), "the process is gone already");
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    pub fn kill(mut self) {
        self.0.kill().expect("the process can be killed");
        self.0.wait().expect("it ends");
    }

    /// SIGTERM; gives the exit code once the process has drained.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        let started = std::time::Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("it can be waited for") {
                return status.code();
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the process does not stop"
            );
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

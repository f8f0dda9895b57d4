//! A PostgreSQL server of a test's own, for what the shared one must not suffer.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::port::Port;

/// A server that is not started yet, or runs until this is dropped.
pub struct OwnPostgres {
    folder: TempDir,
    port: Port,
}

impl OwnPostgres {
    /// A folder for one. What is mounted on [`OwnPostgres::data`] now is its disk.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        open(folder.path(), 0o755);
        std::fs::create_dir(folder.path().join("data")).expect("a folder for its data");
        std::fs::create_dir(folder.path().join("wal")).expect("a folder for its log of writes");
        let port = Port::take();
        Self { folder, port }
    }

    /// Where its tables are. Its log of writes is elsewhere, so that it lives when this is full.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The port at which it listens once it is started.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The URL of its first database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port())
    }

    fn cluster(&self) -> PathBuf {
        self.data().join("cluster")
    }

    fn wal(&self) -> PathBuf {
        self.folder.path().join("wal")
    }

    /// PostgreSQL takes folders that are its own alone.
    fn give_folders(&self) {
        for folder in [self.data(), self.wal()] {
            open(&folder, 0o700);
            let owned = Command::new("chown").arg("postgres:").arg(folder).status();
            assert!(owned.expect("chown runs").success(), "run as root");
        }
    }

    /// Makes the server's files and starts it; gives the URL of a new database.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn start(&self) -> String {
        self.give_folders();
        let (inner, wal) = (self.cluster(), self.wal());
        self.run("initdb", |initdb| {
            initdb.args(["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]);
            initdb.args(["--locale=C.UTF-8", "--wal-segsize=1"]);
            initdb
                .arg("-X")
                .arg(wal.join("segments"))
                .arg("-D")
                .arg(&inner);
        });
        self.serve();
        self.url()
    }

    /// A hot standby of this server, which follows it from now on. This server waits for it with
    /// every commit.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn synchronous_standby(&self) -> Self {
        let standby = Self::new();
        standby.give_folders();
        standby.run("pg_basebackup", |copy| {
            copy.args(["-R", "-X", "stream", "-c", "fast", "-d", &self.url()]);
            copy.arg("--waldir").arg(standby.wal().join("segments"));
            copy.arg("-D").arg(standby.cluster());
        });
        standby.serve();
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.execute("SELECT pg_reload_conf()");
        standby
    }

    /// Makes a standby the primary, which waits for nobody.
    ///
    /// # Panics
    /// When it does not become one.
    pub fn promote(&self) {
        self.execute("SELECT pg_promote(true)");
        self.execute("ALTER SYSTEM SET synchronous_standby_names = ''");
        self.execute("SELECT pg_reload_conf()");
    }

    /// Ends it at once, as a power cut does.
    pub fn cut(&self) {
        let process = std::fs::read_to_string(self.cluster().join("postmaster.pid"));
        if let Some(id) = process.unwrap_or_default().lines().next() {
            let _ = Command::new("kill").args(["-QUIT", id]).status();
        }
    }

    /// Executes a statement as its owner.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn execute(&self, sql: &str) {
        let url = self.url();
        self.run("psql", |psql| {
            psql.args(["-Xq", "-v", "ON_ERROR_STOP=1", "-c", sql, &url]);
        });
    }

    /// Starts it on the files that it has.
    fn serve(&self) {
        let (inner, wal) = (self.cluster(), self.wal());
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
             -c shared_buffers=16MB -c max_wal_size=64MB -c wal_level=logical",
            self.port.number()
        );
        self.run("pg_ctl", |start| {
            start.args(["-w", "-s", "-o", &options, "-l"]);
            start
                .arg(wal.join("log"))
                .arg("-D")
                .arg(&inner)
                .arg("start");
        });
    }

    /// Runs a program of PostgreSQL, which refuses to run as root.
    fn run(&self, program: &str, with: impl FnOnce(&mut Command)) {
        let mut command = Command::new("runuser");
        command
            .args(["-u", "postgres", "--"])
            .arg(bin().join(program));
        command.current_dir("/");
        with(&mut command);
        let ended = command.output().expect("runuser runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{program}: {said}");
    }
}

impl Default for OwnPostgres {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        self.cut();
    }
}

fn open(folder: &Path, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(folder, permissions).expect("the folder is ours");
}

/// Where Debian keeps the programs of the newest PostgreSQL.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let usable = folders.filter(|bin| bin.join("initdb").exists());
    usable.max().expect("a PostgreSQL server is installed")
}

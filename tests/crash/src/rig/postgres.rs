//! A throwaway PostgreSQL server with durable settings, and its violent ends.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::db::Db;

/// How long a server may take to come up again.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A PostgreSQL server of our own.
pub struct Postgres {
    pub(super) folder: PathBuf,
    /// How often a standby took over.
    failovers: u64,
    bin: PathBuf,
    account: Option<(u32, u32)>,
    /// Where it listens.
    pub port: u16,
    child: Option<Child>,
}

impl Postgres {
    /// Makes a cluster in `folder` and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub async fn start(folder: &Path, port: u16) -> Result<Self> {
        let mut server = Self {
            folder: folder.join("postgres"),
            failovers: 0,
            bin: find_bin()?,
            account: account()?,
            port,
            child: None,
        };
        std::fs::create_dir_all(&server.folder)?;
        if let Some((uid, gid)) = server.account {
            // The parent folder must be open to that account too.
            std::os::unix::fs::chown(&server.folder, Some(uid), Some(gid))?;
        }
        let log = std::fs::File::create(folder.join("initdb.log"))?;
        let made = server
            .command("initdb")
            .args(["-U", "postgres", "-A", "trust", "-N", "--locale=C.UTF-8"])
            .args(["-E", "UTF8", "-D"])
            .arg(server.data())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()?;
        if !made.success() {
            bail!("initdb failed; see {}", folder.join("initdb.log").display());
        }
        server.configure()?;
        server.up().await?;
        Ok(server)
    }

    /// Writes the settings of a primary.
    fn configure(&self) -> Result<()> {
        let port = self.port;
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
             max_connections = 200\nfsync = on\nsynchronous_commit = on\n\
             full_page_writes = on\ntrack_commit_timestamp = on\nlog_min_messages = warning\n"
        );
        let file = self.data().join("postgresql.auto.conf");
        Ok(std::fs::write(file, settings)?)
    }

    fn data(&self) -> PathBuf {
        self.data_after(self.failovers)
    }

    fn data_after(&self, failovers: u64) -> PathBuf {
        self.folder.join(format!("data-{failovers}"))
    }

    /// Where a standby has its files.
    pub(super) fn next_data(&self) -> PathBuf {
        self.data_after(self.failovers + 1)
    }

    /// Leaves what the old primary had, and goes on with what its standby has.
    pub(super) fn take_over(&mut self) -> Result<()> {
        std::fs::remove_dir_all(self.data())?;
        self.failovers += 1;
        self.configure()
    }

    /// What the servers say.
    pub(super) fn log(&self) -> Result<std::fs::File> {
        Ok(std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.with_extension("log"))?)
    }

    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command
            .current_dir("/")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// The URL of one of its databases, at `port` (its own, or a proxy's).
    #[must_use]
    pub fn url_at(port: u16, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{database}")
    }

    /// Makes a database.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn create(&self, database: &str) -> Result<()> {
        let admin = Db::open(&Self::url_at(self.port, "postgres"))?;
        admin
            .run(&format!("CREATE DATABASE {database} TEMPLATE template0"))
            .await?;
        admin.close().await;
        Ok(())
    }

    /// Drops a database, with whoever is connected.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn remove(&self, database: &str) -> Result<()> {
        let admin = Db::open(&Self::url_at(self.port, "postgres"))?;
        admin
            .run(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            .await?;
        admin.close().await;
        Ok(())
    }

    /// Starts the server and waits until it answers. After a crash the old server's last
    /// processes may still hold its memory, so a start that ends at once is tried again.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn up(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let log = self.log()?;
            let mut command = self.command("postgres");
            command.arg("-D").arg(self.data());
            let child = command
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()
                .context("postgres cannot be started")?;
            self.child = Some(child);
            if self.answers(until).await? {
                return Ok(());
            }
            if Instant::now() > until {
                bail!(
                    "PostgreSQL does not come up again; see {}",
                    self.folder.with_extension("log").display()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for an answer; false when the process has ended.
    async fn answers(&mut self, until: Instant) -> Result<bool> {
        let admin = Db::open(&Self::url_at(self.port, "postgres"))?;
        loop {
            let ended = match &mut self.child {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended || Instant::now() > until {
                return Ok(false);
            }
            let open = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await;
            if open.is_ok() && admin.value("SELECT 1").await.is_ok() {
                admin.close().await;
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What `pg_ctl -m immediate stop` does: SIGQUIT, no checkpoint, recovery at the start.
    ///
    /// # Errors
    /// When the process cannot be signaled.
    pub fn stop_immediately(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            kill_process(Pid::from_child(&child), Signal::QUIT)?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGKILL of the postmaster alone; its children notice by themselves.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.stop_immediately();
    }
}

fn find_bin() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
                .filter(|bin| bin.join("initdb").exists())
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
        .pop()
        .context("no PostgreSQL below /usr/lib/postgresql; scripts/setup installs one")
}

/// PostgreSQL refuses to run as root: then the account `postgres` runs it.
fn account() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    let line = accounts
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .context("there is no account postgres to run the server as")?;
    let mut fields = line.split(':').skip(2);
    let mut id = || -> Result<u32> {
        Ok(fields
            .next()
            .context("the account postgres has no ids")?
            .parse()?)
    };
    Ok(Some((id()?, id()?)))
}

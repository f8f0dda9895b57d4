//! A throwaway MariaDB server with durable settings, and its violent end.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::db::Db;

/// How long a server may take to come up again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A MariaDB server of our own.
pub struct MariaDb {
    folder: PathBuf,
    /// Where it listens.
    pub port: u16,
    child: Option<Child>,
}

impl MariaDb {
    /// Makes a data folder in `folder` and starts a server on it.
    ///
    /// # Errors
    /// When MariaDB is not installed, or does not start.
    pub async fn start(folder: &Path, port: u16) -> Result<Self> {
        let mut server = Self {
            folder: folder.join("mariadb"),
            port,
            child: None,
        };
        let log = std::fs::File::create(folder.join("mariadb-install.log"))?;
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", "--skip-name-resolve"])
            .arg(format!("--datadir={}", server.folder.display()))
            .args(user_argument())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .context("mariadb-install-db is not there; scripts/setup installs it")?;
        if !made.success() {
            bail!("mariadb-install-db failed; see {}", folder.display());
        }
        let init = folder.join("mariadb-init.sql");
        std::fs::write(
            &init,
            "CREATE USER IF NOT EXISTS 'echeck'@'127.0.0.1' IDENTIFIED BY 'echeck';\n\
             GRANT ALL ON *.* TO 'echeck'@'127.0.0.1' WITH GRANT OPTION;\n",
        )?;
        server
            .launch(&[format!("--init-file={}", init.display())])
            .await?;
        Ok(server)
    }

    /// The URL of one of its databases, at `port` (its own, or a proxy's).
    #[must_use]
    pub fn url_at(port: u16, database: &str) -> String {
        format!("mysql://echeck:echeck@127.0.0.1:{port}/{database}")
    }

    /// Makes a database.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn create(&self, database: &str) -> Result<()> {
        self.admin(&format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"))
            .await
    }

    /// Drops a database.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn remove(&self, database: &str) -> Result<()> {
        self.admin(&format!("DROP DATABASE IF EXISTS {database}"))
            .await
    }

    async fn admin(&self, sql: &str) -> Result<()> {
        let admin = Db::open(&Self::url_at(self.port, "mysql"))?;
        admin.run(sql).await?;
        admin.close().await;
        Ok(())
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn up(&mut self) -> Result<()> {
        self.launch(&[]).await
    }

    async fn launch(&mut self, more: &[String]) -> Result<()> {
        let log = self.folder.with_extension("log");
        let child = Command::new("mariadbd")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.folder.display()))
            .arg(format!(
                "--socket={}",
                self.folder.with_extension("sock").display()
            ))
            .arg(format!(
                "--pid-file={}",
                self.folder.with_extension("pid").display()
            ))
            .arg(format!("--log-error={}", log.display()))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args(["--innodb-buffer-pool-size=64M", "--max-connections=200"])
            .args([
                "--innodb-flush-log-at-trx-commit=1",
                "--innodb-fast-shutdown=1",
            ])
            .args(user_argument())
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("mariadbd cannot be started")?;
        self.child = Some(child);
        let admin = Db::open(&Self::url_at(self.port, "mysql"))?;
        let until = Instant::now() + PATIENCE;
        loop {
            let open = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await;
            if open.is_ok() && admin.value("SELECT 1").await.is_ok() {
                admin.close().await;
                return Ok(());
            }
            let ended = match &mut self.child {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended || Instant::now() > until {
                bail!("MariaDB does not come up; see {}", log.display());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGKILL.
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

impl Drop for MariaDb {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.kill();
    }
}

/// As root it has to be told that it may be.
fn user_argument() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--user=root")
}

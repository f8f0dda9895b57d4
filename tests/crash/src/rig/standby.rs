//! A failover of PostgreSQL: a synchronous standby takes the primary's place.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::postgres::{PATIENCE, Postgres};
use crate::db::Db;

impl Postgres {
    /// Gives the server a synchronous standby, kills the server in the middle of what it does, and
    /// promotes the standby. It takes over the address, and has every commit.
    ///
    /// # Errors
    /// When the standby cannot be made, or does not follow or come up in time.
    pub async fn fail_over(&mut self) -> Result<()> {
        let data = self.next_data();
        let port = self.port.to_string();
        let copied = tokio::process::Command::from(self.command("pg_basebackup"))
            .args(["-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1"])
            .args(["-U", "postgres", "-p", &port, "-D"])
            .arg(&data)
            .output()
            .await?;
        if !copied.status.success() {
            let said = String::from_utf8_lossy(&copied.stderr);
            bail!("pg_basebackup failed: {said}");
        }
        let mut standby = self.follow(&data)?;
        let awaited = self.wait_for_standby().await;
        let promoted = match awaited {
            Ok(()) => self.promote(&data).await,
            Err(error) => Err(error),
        };
        kill_process(Pid::from_child(&standby), Signal::INT)?;
        standby.wait()?;
        promoted?;
        self.take_over()?;
        self.up().await
    }

    /// Starts the standby, reachable by no client.
    fn follow(&self, data: &std::path::Path) -> Result<Child> {
        let folder = self.folder.display();
        let log = self.log()?;
        let started = self
            .command("postgres")
            .arg("-D")
            .arg(data)
            .args(["-c", "listen_addresses="])
            .args(["-c", &format!("unix_socket_directories={folder}")])
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(started)
    }

    /// From now on no commit is answered before the standby has it.
    async fn wait_for_standby(&self) -> Result<()> {
        let admin = Db::open(&Self::url_at(self.port, "postgres"))?;
        admin
            .run("ALTER SYSTEM SET synchronous_standby_names = '*'")
            .await?;
        admin.run("SELECT pg_reload_conf()").await?;
        let until = Instant::now() + PATIENCE;
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while admin.number(follows).await? != 1 {
            if Instant::now() > until {
                bail!("the standby does not follow");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // A commit of our own is answered when the standby has everything before it.
        admin
            .run("SELECT pg_logical_emit_message(true, 'failover', '')")
            .await?;
        admin.close().await;
        Ok(())
    }

    async fn promote(&mut self, data: &std::path::Path) -> Result<()> {
        self.kill()?;
        let promoted = tokio::process::Command::from(self.command("pg_ctl"))
            .args(["promote", "-w", "-s", "-D"])
            .arg(data)
            .output()
            .await?;
        if !promoted.status.success() {
            let said = String::from_utf8_lossy(&promoted.stderr);
            bail!("the standby was not promoted: {said}");
        }
        Ok(())
    }
}

//! What a job is given: an SFTP server, a bucket, a mail server, three databases. A test
//! changes what it wants to be otherwise before the job starts.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use echeck::database::DatabaseArguments;
use echeck_test_servers::s3::{self, Bucket, Key};
use echeck_test_servers::smtp::{Security, SmtpServer};
use echeck_test_servers::sshd::{Account, Sshd};

/// Everything outside of our services, and the settings that lead to it.
pub struct Setup {
    pub sshd: Sshd,
    pub mail: SmtpServer,
    pub databases: DatabaseArguments,
    pub folder: tempfile::TempDir,
    pub host: String,
    pub port: u16,
    pub host_key: String,
    pub credentials: Credentials,
    /// Below the server's data folder.
    pub directory: &'static str,
    pub format: &'static str,
    pub after: &'static str,
    /// More keys of `[sources.worldpay.sftp]`.
    pub more_sftp: &'static str,
    pub bucket: Bucket,
    pub key: Key,
    /// How often a file that is missing is looked for.
    pub retry_missing_ms: u64,
    /// More settings of the returns service.
    pub more: String,
    /// Whether everything that may wait does so as long as it does where nobody sets it.
    pub shipped: bool,
    /// The port of RallyPay's adapter, and where the returns service finds it.
    pub rallypay_line: Option<(u16, SocketAddr)>,
    /// By how much the clock of the machine is ahead.
    pub machine_ahead: TimeDelta,
}

/// How the SFTP server is told who we are.
pub enum Credentials {
    Key(PathBuf),
    Password(Account),
}

impl Setup {
    /// Everything works.
    pub async fn new() -> Self {
        Self::with_server(Sshd::start()).await
    }

    /// Everything works, on an SFTP server of the test's own.
    pub async fn with_server(sshd: Sshd) -> Self {
        std::fs::create_dir(sshd.data().join("outgoing")).unwrap();
        std::fs::create_dir(sshd.data().join("taken")).unwrap();
        let bucket = s3::bucket().await;
        Self {
            host: "127.0.0.1".to_owned(),
            port: sshd.port(),
            host_key: sshd.fingerprint(),
            credentials: Credentials::Key(sshd.key_file()),
            directory: "outgoing",
            format: "worldpay_echeck_return",
            after: "after = \"move\"\nmove_to = \"../taken\"",
            more_sftp: "",
            key: bucket.full.clone(),
            bucket,
            mail: SmtpServer::start(Security::Plain, None).await,
            databases: DatabaseArguments {
                returns_db: Some(echeck_test_servers::postgres().await),
                gateway_db: Some(echeck_test_servers::mariadb().await),
                rallypay_db: Some(echeck_test_servers::postgres().await),
            },
            folder: tempfile::tempdir().unwrap(),
            sshd,
            retry_missing_ms: 3_600_000,
            more: String::new(),
            shipped: false,
            rallypay_line: None,
            machine_ahead: TimeDelta::zero(),
        }
    }

    /// Where the acquirer puts its files, seen from here.
    pub fn outgoing(&self) -> PathBuf {
        self.sshd.data().join("outgoing")
    }

    /// Puts a file there, whole.
    pub fn publish(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let part = self.outgoing().join(format!(".{name}.tmp"));
        std::fs::write(&part, bytes).unwrap();
        std::fs::rename(part, self.outgoing().join(name)).unwrap();
    }

    /// Puts a file there as if it had been written at that time.
    pub fn publish_at(&self, name: &str, bytes: impl AsRef<[u8]>, at: DateTime<Utc>) {
        let part = self.outgoing().join(format!(".{name}.tmp"));
        std::fs::write(&part, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&part).unwrap();
        file.set_modified(at.into()).unwrap();
        std::fs::rename(part, self.outgoing().join(name)).unwrap();
    }

    /// The settings of the returns service.
    pub fn toml(&self) -> String {
        let (user, credentials) = match &self.credentials {
            Credentials::Key(file) => (self.sshd.user(), format!("private_key_file = {file:?}")),
            Credentials::Password(account) => (
                account.name.clone(),
                format!("password = {:?}", account.password),
            ),
        };
        let Self {
            host,
            port,
            host_key,
            format,
            after,
            more_sftp,
            retry_missing_ms,
            more,
            ..
        } = self;
        let (pauses, settle, time_outs) = match self.shipped {
            true => (String::new(), "", ""),
            false => (
                format!(
                    "[holds]\nretry_first_ms = 50\nretry_longest_ms = 200\n\
                     [jobs]\nretry_first_ms = 500\nretry_longest_ms = 1000\n\
                     retry_missing_ms = {retry_missing_ms}\n"
                ),
                "settle_ms = 300\n",
                "connect_timeout_ms = 2000\nread_timeout_ms = 3000\n",
            ),
        };
        let directory = self.sshd.data().join(self.directory);
        let bucket = self.bucket.section(&self.key);
        let mail_port = self.mail.port;
        format!(
            "{pauses}[sources.worldpay]\nformat = {format:?}\n\
             [sources.worldpay.sftp]\nhost = {host:?}\nport = {port}\nuser = {user:?}\n\
             host_key = {host_key:?}\n{credentials}\ndirectory = {directory:?}\n\
             pattern = \"ECheckReturnReport_*\"\n{settle}{after}\n\
             retention_days = 7\n{time_outs}{more_sftp}\n\
             [sources.worldpay.schedule]\ncron = \"0 0 1 1 *\"\ntime_zone = \"UTC\"\n\
             days = \"all\"\ndue = \"10:00\"\ngrace_minutes = 30\n\
             [sources.beat]\nformat = \"nacha\"\n[sources.beat.folder]\n\
             directory = {beat:?}\npattern = \"*\"\nsettle_ms = 10\n[sources.beat.schedule]\ncron = \"* * * * *\"\n\
             time_zone = \"UTC\"\ndays = \"all\"\n\
             {bucket}[alerts.channels.staff]\nkind = \"email\"\nhost = \"127.0.0.1\"\n\
             port = {mail_port}\ntls = \"none\"\nfrom = \"echeck@rallypay.example\"\n\
             to = [\"staff@rallypay.example\"]\n{more}\n",
            beat = self.beat(),
        )
    }

    /// A folder of a source that runs every minute and finds nothing: its runs tell that the
    /// scheduler has looked.
    pub fn beat(&self) -> PathBuf {
        self.folder.path().join("beat")
    }
}

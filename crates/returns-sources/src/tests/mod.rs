//! Sources against a real sshd and real folders.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use echeck_service::clock::{SharedClock, SystemClock};
use echeck_service::config::{ConfigError, Settings};
use echeck_test_servers::sshd::Sshd;
use returns_import::{KeptFile, Source, Spool};
use uuid::Uuid;

use super::error::SourceError;
use super::listing::{Listing, RemoteFile};
use super::location::RemoteLocation;
use super::name::RemoteName;
use super::read;
use super::session::Session;

mod archiving;
mod config;
mod downloads;
mod log_in;
mod outages;
mod slow_servers;
mod taking;
mod wrapped;

/// So much is the most that an import may have, where a test does not say otherwise.
const LIMIT_BYTES: u64 = 1 << 30;

/// Short enough for tests, long enough for a machine with other things to do.
const QUICK: &str = "connect_timeout_ms = 3000\nread_timeout_ms = 3000\nsettle_ms = 50\n\
                     slow_after_ms = 1000\n";

/// A source, and where its files are picked up.
struct Bank {
    source: Source,
    location: RemoteLocation,
}

/// The source `bank` with what stands below `[sources.bank.KIND]`.
fn configured(kind: &str, keys: &str) -> Result<Bank, ConfigError> {
    let text = format!("[sources.bank]\nformat = \"nacha\"\n[sources.bank.{kind}]\n{keys}");
    let settings = Settings::from_toml(&text)?;
    let sources = returns_import::source::read(&settings.root());
    let locations = read(&settings.root());
    settings.finish()?;
    Ok(Bank {
        source: sources.into_values().next().unwrap(),
        location: locations.into_values().next().unwrap(),
    })
}

fn source(kind: &str, keys: &str) -> Bank {
    configured(kind, keys).unwrap_or_else(|error| panic!("{error}"))
}

fn location(kind: &str, keys: &str) -> RemoteLocation {
    source(kind, keys).location
}

/// The keys that get into `sshd` by key, with short time-outs and with `more`.
fn keys(sshd: &Sshd, more: &str) -> String {
    format!("{}{QUICK}{more}", sshd.toml())
}

/// The keys with another value for one of them.
fn with(keys: &str, key: &str, value: &str) -> String {
    let start = format!("{key} = ");
    let mut lines: Vec<String> = keys
        .lines()
        .filter(|line| !line.starts_with(&start))
        .map(str::to_owned)
        .collect();
    if !value.is_empty() {
        lines.push(format!("{key} = {value}"));
    }
    lines.join("\n") + "\n"
}

/// The cause of the error that opening gives.
async fn no_session(location: &RemoteLocation) -> SourceError {
    match location.open().await {
        Ok(_) => panic!("the session opened"),
        Err(error) => error,
    }
}

/// A spool, and what goes into it.
struct IncidentReporter {
    folder: tempfile::TempDir,
    spool: Spool,
}

impl IncidentReporter {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), &Spool::new_identity()).unwrap();
        Self { folder, spool }
    }

    async fn fetch(
        &self,
        session: &mut Session,
        file: &RemoteFile,
        bank: &Bank,
    ) -> Result<KeptFile, SourceError> {
        self.fetch_as(session, file, bank, LIMIT_BYTES, Uuid::new_v4())
            .await
    }

    async fn fetch_as(
        &self,
        session: &mut Session,
        file: &RemoteFile,
        bank: &Bank,
        limit_bytes: u64,
        nonce: Uuid,
    ) -> Result<KeptFile, SourceError> {
        let clock: SharedClock = Arc::new(SystemClock);
        let new = session
            .fetch(file, &self.spool, &bank.source, limit_bytes, nonce, &clock)
            .await?;
        let [new] = <[KeptFile; 1]>::try_from(new).unwrap();
        Ok(new)
    }

    /// What was kept, in clear.
    fn content(&self, new: &KeptFile) -> Vec<u8> {
        let mut content = Vec::new();
        let mut reader = self.spool.read(&new.spool_name).unwrap();
        reader.read_to_end(&mut content).unwrap();
        content
    }

    /// The names of the files in the spool.
    fn files(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The only file that is there to be taken.
fn only(listing: &Listing) -> RemoteFile {
    assert_eq!(listing.complete.len(), 1, "{listing:?}");
    listing.complete[0].clone()
}

/// The file as a list shows it just now, complete or not.
async fn listed(session: &mut Session, name: &str) -> RemoteFile {
    let entries = session.list().await.unwrap();
    let found = entries
        .into_iter()
        .find(|entry| entry.name == RemoteName::new(name));
    found.unwrap().into()
}

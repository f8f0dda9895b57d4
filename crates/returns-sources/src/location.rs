//! Where the files of a source are picked up, and how.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use glob::Pattern;

use super::awaited::Awaited;
use super::error::SourceError;
use super::listing::Completeness;
use super::secret::StoredSecret;
use super::session::Session;
use crate::sftp::pin::Pin;
use crate::unwrap::pgp::PgpKey;

/// A directory with files, and what is agreed about them.
#[derive(Debug, Clone)]
pub struct RemoteLocation {
    /// The name of the source.
    pub(crate) source: String,
    pub(crate) kind: LocationKind,
    /// The directory, as the configuration names it.
    pub(crate) directory: String,
    /// Which names are files of this source.
    pub pattern: Pattern,
    pub(crate) completeness: Completeness,
    pub(crate) after: After,
    /// How long the acquirer keeps a file, when that is known.
    pub retention_days: Option<u32>,
    /// What opens encrypted files.
    pub(super) pgp: Option<PgpKey>,
}

/// The kind of location.
#[derive(Debug, Clone)]
pub(crate) enum LocationKind {
    Sftp(Arc<SftpLocation>),
    /// A folder of this machine.
    Folder,
}

/// An SFTP server, and how to get in.
#[derive(Debug)]
pub(crate) struct SftpLocation {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(super) pin: Pin,
    pub(super) private_key: Option<StoredSecret>,
    pub(super) passphrase: Option<StoredSecret>,
    pub(super) password: Option<StoredSecret>,
    pub(super) pace: Pace,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// For the name, the connection and the handshake, each.
    pub(super) connect: Duration,
    /// For any one answer of the server.
    pub(super) read: Duration,
    /// How often a sign of life is sent while nothing else is.
    pub(super) keepalive: Duration,
    /// Fewer bytes a second than this, over `slow_after`, is a crawl. 0 means no limit.
    pub(super) least_bytes_per_second: u64,
    pub(super) slow_after: Duration,
    /// For all of a file: one that needs longer is given up.
    pub(super) longest_download: Duration,
}

/// What becomes of a file at its source once its import is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    Leave,
    /// Moved to a directory; a relative one lies in the source's directory.
    Move(PathBuf),
    Delete,
}

impl RemoteLocation {
    /// Opens a session. It does nothing on this thread but wait; what it waits for is in `awaited`.
    ///
    /// # Errors
    /// Why the log-in failed, within the configured time-outs.
    pub(crate) async fn open_watched(&self, awaited: &Awaited) -> Result<Session, SourceError> {
        Session::open(self.clone(), awaited.clone()).await
    }

    /// Opens a session that nobody watches.
    #[cfg(test)]
    pub(crate) async fn open(&self) -> Result<Session, SourceError> {
        self.open_watched(&Awaited::default()).await
    }

    /// The host and port of its server, where it is on one.
    pub fn host(&self) -> Option<String> {
        match &self.kind {
            LocationKind::Sftp(server) => Some(format!("{}:{}", server.host, server.port)),
            LocationKind::Folder => None,
        }
    }

    /// Where the files are, for people: `sftp://user@host:port/directory` or a folder.
    pub fn shown(&self) -> String {
        match &self.kind {
            LocationKind::Sftp(server) => format!(
                "sftp://{}@{}:{}/{}",
                server.user,
                server.host,
                server.port,
                self.directory.trim_start_matches('/')
            ),
            LocationKind::Folder => self.directory.clone(),
        }
    }
}

//! A source on an SFTP server. Everything here blocks, and runs on a session's own thread.

mod connect;
mod log_in;
pub(crate) mod pin;
mod read;
mod service;
mod speed;

use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::DateTime;
use ssh2::{ErrorCode, FileStat, RenameFlags, Sftp};

use super::error::SourceError;
use super::listing::{RemoteEntry, RemoteEntryKind, RemoteFile};
use super::location::SftpLocation;
use super::name::RemoteName;

// What libssh2 calls its errors (libssh2.h), as far as they are distinguished.
const TIMEOUT: i32 = -9;
const PASSWORD_EXPIRED: i32 = -15;
const FILE: i32 = -16;
const METHOD_NONE: i32 = -17;
const AUTHENTICATION_FAILED: i32 = -18;
const PUBLIC_KEY_UNVERIFIED: i32 = -19;
const SFTP_PROTOCOL: i32 = -31;
const METHOD_NOT_SUPPORTED: i32 = -33;
const INVALID: i32 = -34;
const KEY_FILE_FAILED: i32 = -48;
const ALGORITHM_UNSUPPORTED: i32 = -51;

// What an SFTP server answers (draft-ietf-secsh-filexfer-02, section 7, and later drafts).
const NO_SUCH_FILE: i32 = 2;
const PERMISSION_DENIED: i32 = 3;
const NO_SUCH_PATH: i32 = 10;

/// A directory with more entries is not listed: its names would have to be held in memory.
const MOST_ENTRIES: usize = 200_000;

/// The number of an error of libssh2 itself; 0 for what the SFTP server answered.
fn code(error: &ssh2::Error) -> i32 {
    match error.code() {
        ErrorCode::Session(code) => code,
        ErrorCode::SFTP(_) => 0,
    }
}

/// The number that the SFTP server answered; 0 for an error of libssh2 itself.
fn answer(error: &ssh2::Error) -> i32 {
    match error.code() {
        ErrorCode::SFTP(code) => code,
        ErrorCode::Session(_) => 0,
    }
}

fn is_missing(error: &ssh2::Error) -> bool {
    matches!(answer(error), NO_SUCH_FILE | NO_SUCH_PATH)
}

/// What there is; `None` when the server says that there is nothing.
fn if_there<T>(found: Result<T, ssh2::Error>) -> Result<Option<T>, ssh2::Error> {
    match found {
        Err(error) if is_missing(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// A connection that is logged in.
pub(super) struct SftpConnection {
    server: std::sync::Arc<SftpLocation>,
    directory: PathBuf,
    session: ssh2::Session,
    sftp: Sftp,
    /// The same socket once more, to break the connection off.
    socket: TcpStream,
}

impl SftpConnection {
    /// Gets in.
    pub(super) fn open(
        server: std::sync::Arc<SftpLocation>,
        directory: PathBuf,
    ) -> Result<Self, SourceError> {
        let pace = server.pace;
        let pinned = server.pinned_keys()?;
        let addresses = server.resolve(pace.connect)?;
        let mut socket = None;
        let mut shake = |algorithms: Option<&str>| {
            let stream = server.connect(&addresses, pace.connect)?;
            socket = stream.try_clone().ok();
            server.handshake(stream, algorithms, pace.connect)
        };
        let session = shake(pinned.algorithms().as_deref())?;
        let (session, _) =
            server.check_host_key(session, &pinned, |algorithms| shake(Some(algorithms)))?;
        let socket = socket.ok_or_else(|| SourceError::Refused {
            what: "the connection".to_owned(),
            why: "this process has no file descriptor left for it".to_owned(),
        })?;
        let by = server.log_in(&session, pace.read)?;
        let sftp = server.open_sftp(&session, by, pace.read)?;
        // A sign of life is sent when it is due, and needs no answer: the next read shows it.
        session.set_keepalive(false, 2);
        Ok(Self {
            server,
            directory,
            session,
            sftp,
            socket,
        })
    }

    /// The socket, to break the connection off from outside.
    pub(super) fn socket(&self) -> Option<TcpStream> {
        self.socket.try_clone().ok()
    }

    /// How often [`SftpConnection::keep_alive`] is due.
    pub(super) fn keepalive(&self) -> Duration {
        self.server.pace.keepalive
    }

    /// Sends a sign of life. Whether the connection still lives, the next order finds out.
    pub(super) fn keep_alive(&self) {
        let _ = self.session.keepalive_send();
    }

    /// Says goodbye.
    pub(super) fn close(self) {
        connect::limit(&self.session, Duration::from_secs(1));
        let _ = self.session.disconnect(None, "done", None);
        self.break_off();
    }

    /// Nothing that is still under way on the connection waits any longer.
    fn break_off(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Gives each answer its usual time again; a download is more impatient.
    pub(super) fn at_usual_pace(&self) -> &Self {
        connect::limit(&self.session, self.server.pace.read);
        self
    }

    /// Everything in the directory but itself and its parent.
    pub(super) fn list(&self) -> Result<Vec<RemoteEntry>, SourceError> {
        let time = self.server.pace.read;
        self.server
            .list(&self.session, &self.sftp, &self.directory, time, None)
    }

    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, ssh2::Error> {
        let found = if_there(self.sftp.lstat(&name.within(&self.directory)))?;
        Ok(found.map(|stat| entry(name.clone(), &stat).into()))
    }

    fn failed(&self, what: impl FnOnce() -> String, error: &ssh2::Error) -> SourceError {
        match code(error) {
            TIMEOUT => self.server.silent(self.server.pace.read),
            _ => SourceError::Refused {
                what: what(),
                why: error.message().to_owned(),
            },
        }
    }
}

impl super::archive_remote::SourceDirectory for SftpConnection {
    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, String> {
        Self::file_now(self, name).map_err(|error| error.message().to_owned())
    }

    fn is_there(&self, path: &Path) -> Result<bool, String> {
        let found = if_there(self.sftp.lstat(path)).map_err(|error| error.message().to_owned())?;
        Ok(found.is_some())
    }

    /// Version 3 of the protocol, which all speak, has no flag against overwriting: the servers
    /// refuse by themselves to rename onto a file that is there (section 6.5 of the draft).
    fn rename(&self, from: &Path, to: &Path) -> Result<(), String> {
        let careful = RenameFlags::ATOMIC | RenameFlags::NATIVE;
        let renamed = self.sftp.rename(from, to, Some(careful));
        renamed.map_err(|error| error.message().to_owned())
    }

    fn delete(&self, path: &Path) -> Result<(), String> {
        let deleted = if_there(self.sftp.unlink(path));
        deleted
            .map(drop)
            .map_err(|error| error.message().to_owned())
    }

    fn path(&self) -> &Path {
        &self.directory
    }
}

impl SftpLocation {
    /// Lists a directory; with a deadline it stops there.
    pub(super) fn list(
        &self,
        session: &ssh2::Session,
        sftp: &Sftp,
        directory: &Path,
        time: Duration,
        deadline: Option<Instant>,
    ) -> Result<Vec<RemoteEntry>, SourceError> {
        connect::limit(session, time);
        let shown = || directory.display().to_string();
        let failed = |error: ssh2::Error| match (answer(&error), code(&error)) {
            (NO_SUCH_FILE | NO_SUCH_PATH, _) => {
                SourceError::DirectoryMissing { directory: shown() }
            }
            (_, TIMEOUT) => self.silent(time),
            (0, _) => SourceError::Refused {
                what: format!("the list of {:?}", shown()),
                why: error.message().to_owned(),
            },
            _ => SourceError::DirectoryUnreadable {
                directory: shown(),
                why: error.message().to_owned(),
            },
        };
        let mut open = sftp.opendir(directory).map_err(failed)?;
        let mut entries = Vec::new();
        loop {
            let (path, stat) = match open.readdir() {
                Ok(next) => next,
                // How ssh2 says that there are no more.
                Err(error) if code(&error) == FILE => return Ok(entries),
                Err(error) => return Err(failed(error)),
            };
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Err(self.silent(time));
            }
            let name = RemoteName::new(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
            if matches!(name.as_bytes(), b"." | b"..") {
                continue;
            }
            if entries.len() == MOST_ENTRIES {
                return Err(SourceError::DirectoryUnreadable {
                    directory: shown(),
                    why: format!("it has more than {MOST_ENTRIES} entries"),
                });
            }
            let stat = match stat {
                // Some servers list names alone.
                FileStat { size: None, .. } if name.hostile().is_none() => {
                    sftp.lstat(&name.within(directory)).unwrap_or(stat)
                }
                stat => stat,
            };
            entries.push(entry(name, &stat));
        }
    }
}

fn entry(name: RemoteName, stat: &FileStat) -> RemoteEntry {
    const FORMAT: u32 = 0o170_000;
    let kind = match (stat.perm.map(|mode| mode & FORMAT), stat.size) {
        (_, None) => RemoteEntryKind::Other,
        // A server that does not say what it is has ordinary files, as far as we know.
        (None | Some(0 | 0o100_000), Some(_)) => RemoteEntryKind::File,
        (Some(0o040_000), _) => RemoteEntryKind::Folder,
        (Some(0o120_000), _) => RemoteEntryKind::Link,
        (Some(_), _) => RemoteEntryKind::Other,
    };
    let seconds = stat.mtime.and_then(|seconds| i64::try_from(seconds).ok());
    RemoteEntry {
        name,
        kind,
        size_bytes: stat.size.unwrap_or(0),
        modified_at: seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
    }
}

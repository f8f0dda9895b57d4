//! What can go wrong at a source: an error for each cause that an alert names.

use std::path::PathBuf;

use echeck_service::ErrorChain;
use returns_import::{ReceiveError, SpoolError};
use returns_model::incident::Cause;

use super::name::RemoteName;

/// Why a source could not be used. No secret is ever part of it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("the host name {host:?} does not resolve: {why}")]
    HostNotFound { host: String, why: String },
    /// Nothing is known of the host.
    #[error("the host name {host:?} cannot be resolved: {why}")]
    NameServer { host: String, why: String },
    #[error("{host} refuses connections on port {port}")]
    PortClosed { host: String, port: u16 },
    #[error("{host} port {port} did not answer within {after_ms} ms")]
    HostSilent {
        host: String,
        port: u16,
        after_ms: u64,
    },
    /// It took our connection before; `after_ms` is how long was waited for this answer.
    #[error("{host} did not answer {what} within {after_ms} ms")]
    ServerSilent {
        host: String,
        what: String,
        after_ms: u64,
    },
    #[error("{host} did not answer the log-in within {after_ms} ms")]
    LogInSilent { host: String, after_ms: u64 },
    #[error("the SSH handshake with {host} failed: {why}")]
    Handshake { host: String, why: String },
    #[error("{host} cannot be reached on port {port}: {why}")]
    Unreachable {
        host: String,
        port: u16,
        why: String,
    },
    #[error("{host} did not answer the SSH handshake within {after_ms} ms")]
    HandshakeSilent { host: String, after_ms: u64 },
    #[error("the host key of {host} is {seen}, and the pin is {expected}")]
    HostKey {
        host: String,
        expected: String,
        seen: String,
    },
    #[error("{host} refused the key of user {user:?}")]
    KeyRefused { user: String, host: String },
    #[error("{host} refused the password of user {user:?}")]
    PasswordRefused { user: String, host: String },
    #[error("the password of user {user:?} on {host} has expired")]
    PasswordExpired { user: String, host: String },
    #[error("{host} gives user {user:?} no SFTP service: {why}")]
    NoFileService {
        user: String,
        host: String,
        why: String,
    },
    /// Something of our own that is needed for the log-in cannot be used.
    #[error("{key} cannot be used: {why}")]
    Credential { key: &'static str, why: String },
    #[error("the directory {directory:?} does not exist")]
    DirectoryMissing { directory: String },
    #[error("the directory {directory:?} cannot be read: {why}")]
    DirectoryUnreadable { directory: String, why: String },
    #[error("{name:?} is still being written: it went from {from_bytes} to {to_bytes} bytes")]
    Growing {
        name: RemoteName,
        from_bytes: u64,
        to_bytes: u64,
    },
    #[error("{name:?} is not there any more")]
    Vanished { name: RemoteName },
    /// `at_bytes` is how many had been handed on; a few more may have come.
    #[error("the connection broke at {at_bytes} of {of_bytes} bytes of {name:?}: {why}")]
    Cut {
        name: RemoteName,
        at_bytes: u64,
        of_bytes: u64,
        why: String,
    },
    #[error("{name:?} came at {bytes_per_second} bytes a second; {least} is the least")]
    Slow {
        name: RemoteName,
        bytes_per_second: u64,
        least: u64,
    },
    #[error("{name:?} has {size_bytes} bytes; the limit is {limit_bytes} (import.max_file_bytes)")]
    TooLarge {
        name: RemoteName,
        size_bytes: u64,
        limit_bytes: u64,
    },
    #[error("{name:?} cannot be unpacked: {why}")]
    Unopenable { name: RemoteName, why: String },
    #[error("{name:?} could not be archived at the source: {why}")]
    NotArchivedRemotely { name: RemoteName, why: String },
    #[error("the disk of {path} is full")]
    DiskFull { path: PathBuf },
    #[error("the spool cannot be used: {why}")]
    Spool { path: PathBuf, why: String },
    /// Anything else that the server, or the local folder, did not do.
    #[error("{what} failed: {why}")]
    Refused { what: String, why: String },
}

impl SourceError {
    /// The cause, as an incident names it. A line per error, where rustfmt would make ten of some.
    #[rustfmt::skip]
    pub(crate) fn cause(&self) -> Cause {
        match self.clone() {
            Self::HostNotFound { host, why: _ } => Cause::HostNotFound { host },
            Self::NameServer { host, why } => Cause::NameServerFailed { host, why },
            Self::PortClosed { host, port } => Cause::PortClosed { host, port },
            Self::HostSilent { host, port, after_ms } => Cause::HostSilent { host, port, after_ms },
            Self::ServerSilent { host, what, after_ms } => Cause::ServerSilent { host, what, after_ms },
            Self::LogInSilent { host, after_ms } => Cause::LogInSilent { host, after_ms },
            Self::Handshake { host, why } => Cause::HandshakeFailed { host, why },
            Self::Unreachable { host, port, why } => Cause::HostUnreachable { host, port, why },
            Self::HandshakeSilent { host, after_ms } => Cause::HandshakeSilent { host, after_ms },
            Self::HostKey { host, expected, seen } => Cause::HostKeyChanged { host, expected, seen },
            Self::KeyRefused { user, host } => Cause::KeyRefused { user, host },
            Self::PasswordRefused { user, host } => Cause::PasswordRefused { user, host },
            Self::PasswordExpired { user, host } => Cause::PasswordExpired { user, host },
            Self::NoFileService { user, host, why } => Cause::NoFileService { user, host, why },
            Self::Credential { key, why } => Cause::CredentialUnusable { key: key.to_owned(), why },
            Self::DirectoryMissing { directory } => Cause::DirectoryMissing { directory },
            Self::DirectoryUnreadable { directory, why } => Cause::DirectoryUnreadable { directory, why },
            Self::Growing { name, from_bytes, to_bytes } => Cause::FileGrowing { name: name.text(), from_bytes, to_bytes },
            Self::Cut { name, at_bytes, of_bytes, why: _ } => Cause::DownloadCut { name: name.text(), at_bytes, of_bytes },
            Self::Slow { name, bytes_per_second, least } => Cause::DownloadSlow { name: name.text(), bytes_per_second, least },
            Self::TooLarge { name, size_bytes, limit_bytes } => Cause::FileRejected {
                name: name.text(),
                why: format!("it has {size_bytes} bytes, and the limit is {limit_bytes} (import.max_file_bytes)"),
            },
            Self::Unopenable { name, why } => Cause::FileUnopenable { name: name.text(), why },
            Self::NotArchivedRemotely { name, why } => Cause::NotArchivedRemotely { name: name.text(), why },
            Self::DiskFull { path } => Cause::DiskFull { path: path.display().to_string() },
            Self::Spool { path, why } => Cause::SpoolFailed { path: path.display().to_string(), why },
            Self::Vanished { name } => Cause::SourceFailed {
                what: format!("to send us {name:?}"),
                why: "the file was listed, but is gone".to_owned(),
            },
            Self::Refused { what, why } => Cause::SourceFailed { what, why },
        }
    }

    /// The worker of a session is gone, which it is after a panic only.
    pub(super) fn worker_gone() -> Self {
        Self::Refused {
            what: "the session".to_owned(),
            why: "it ended unexpectedly; the next run opens a new one".to_owned(),
        }
    }
}

impl From<SpoolError> for SourceError {
    fn from(error: SpoolError) -> Self {
        let why = ErrorChain(&error).to_string();
        match error {
            SpoolError::Io { path, source, .. }
                if source.kind() == std::io::ErrorKind::StorageFull =>
            {
                Self::DiskFull { path }
            }
            SpoolError::Full { path, .. } => Self::DiskFull { path },
            SpoolError::Io { path, .. } | SpoolError::Key { path, .. } => Self::Spool { path, why },
            SpoolError::BadIdentity(_) => Self::Spool {
                path: PathBuf::new(),
                why,
            },
        }
    }
}

/// What receiving a file called `name` came to.
pub(super) fn receiving(name: &RemoteName, error: ReceiveError, size_bytes: u64) -> SourceError {
    match error {
        ReceiveError::TooLarge { limit_bytes } => SourceError::TooLarge {
            name: name.clone(),
            size_bytes,
            limit_bytes,
        },
        ReceiveError::Spool(error) => error.into(),
        error @ (ReceiveError::Store(_) | ReceiveError::Cut) => SourceError::Refused {
            what: "the record of the file".to_owned(),
            why: ErrorChain(&error).to_string(),
        },
    }
}

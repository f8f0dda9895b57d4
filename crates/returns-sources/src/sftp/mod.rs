//! A source on an SFTP server. Everything here blocks, and runs on a session's own thread.

mod connect;
mod list;
mod log_in;
pub(crate) mod pin;
mod read;
mod service;
mod speed;

use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ssh2::{ErrorCode, RenameFlags, Sftp};

use super::awaited::{Answer, Awaited};
use super::error::SourceError;
use super::listing::{RemoteEntry, RemoteFile};
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

/// A call that failed, and how long was waited for it.
struct Failure {
    error: ssh2::Error,
    waited: Duration,
}

impl Failure {
    fn is_silence(&self) -> bool {
        code(&self.error) == TIMEOUT
    }

    /// Why, in a line for people.
    fn why(&self) -> String {
        match self.is_silence() {
            true => format!("no answer within {} ms", connect::in_ms(self.waited)),
            false => self.error.message().to_owned(),
        }
    }
}

/// Makes a call, and measures it.
fn timed<T>(call: impl FnOnce() -> Result<T, ssh2::Error>) -> Result<T, Failure> {
    let started = Instant::now();
    call().map_err(|error| Failure {
        error,
        waited: started.elapsed(),
    })
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
    awaited: Awaited,
}

impl SftpConnection {
    /// Gets in.
    pub(super) fn open(
        server: std::sync::Arc<SftpLocation>,
        directory: PathBuf,
        awaited: Awaited,
    ) -> Result<Self, SourceError> {
        let pace = server.pace;
        let pinned = server.pinned_keys()?;
        let addresses = awaited.during(Answer::HostName, || server.resolve(pace.connect))?;
        let mut socket = None;
        let mut shake = |algorithms: Option<&str>| {
            let connecting = || server.connect(&addresses, pace.connect);
            let stream = awaited.during(Answer::Connection, connecting)?;
            socket = stream.try_clone().ok();
            let shaking = || server.handshake(stream, algorithms, pace.connect);
            awaited.during(Answer::Handshake, shaking)
        };
        let session = shake(pinned.algorithms().as_deref())?;
        let (session, _) =
            server.check_host_key(session, &pinned, |algorithms| shake(Some(algorithms)))?;
        let socket = socket.ok_or_else(|| SourceError::Refused {
            what: "the connection".to_owned(),
            why: "this process has no file descriptor left for it".to_owned(),
        })?;
        let service = Answer::To("the request for the SFTP service".into());
        let entered = awaited
            .during(Answer::LogIn, || server.log_in(&session, pace.read))
            .and_then(|by| awaited.during(service, || server.open_sftp(&session, by, pace.read)));
        // Otherwise a silent server would be waited for once more, at the end of the session.
        let sftp = entered.inspect_err(|_| drop(socket.shutdown(Shutdown::Both)))?;
        Ok(Self {
            server,
            directory,
            session,
            sftp,
            socket,
            awaited,
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

    /// Sends a sign of life, which needs no answer. Whether the connection still lives, the next
    /// order finds out. It is off again afterwards: libssh2 ends any wait for an answer, as if it
    /// had timed out, when the next one is due.
    pub(super) fn keep_alive(&self) {
        self.session.set_keepalive(false, 2);
        let _ = self.session.keepalive_send();
        self.session.set_keepalive(false, 0);
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
        let pace = self.server.pace;
        let (session, sftp) = (&self.session, &self.sftp);
        let listed = self.server.list(
            session,
            sftp,
            &self.directory,
            (pace.read, pace.longest_download),
            &self.awaited,
        );
        if matches!(listed, Err(SourceError::ServerSilent { .. })) {
            self.break_off();
        }
        listed
    }

    /// Makes a call to the server. When it is not answered in time the connection is broken off:
    /// a late answer would be taken for that of the next call.
    fn ask<T>(
        &self,
        what: &str,
        call: impl FnOnce(&Sftp) -> Result<T, ssh2::Error>,
    ) -> Result<T, Failure> {
        let asking = || timed(|| call(&self.sftp));
        let answered = self.awaited.during(Answer::To(what.into()), asking);
        answered.inspect_err(|failure| {
            if failure.is_silence() {
                self.break_off();
            }
        })
    }

    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, Failure> {
        let path = name.within(&self.directory);
        let what = format!("the request for the size of {name:?}");
        let found = self.ask(&what, |sftp| if_there(sftp.lstat(&path)))?;
        Ok(found.map(|stat| list::entry(name.clone(), &stat).into()))
    }

    /// The failure of a call that asked the server for `what`.
    fn failed(&self, what: String, failure: &Failure) -> SourceError {
        match failure.is_silence() {
            true => self.server.silent(what, failure.waited),
            false => SourceError::Refused {
                what,
                why: failure.why(),
            },
        }
    }
}

impl super::archive_remote::SourceDirectory for SftpConnection {
    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, String> {
        Self::file_now(self, name).map_err(|failure| failure.why())
    }

    fn is_there(&self, path: &Path) -> Result<bool, String> {
        let what = format!("the request for the size of {path:?}");
        let found = self.ask(&what, |sftp| if_there(sftp.lstat(path)));
        found
            .map(|found| found.is_some())
            .map_err(|failure| failure.why())
    }

    /// Version 3 of the protocol, which all speak, has no flag against overwriting: the servers
    /// refuse by themselves to rename onto a file that is there (section 6.5 of the draft).
    fn rename(&self, from: &Path, to: &Path) -> Result<(), String> {
        let careful = RenameFlags::ATOMIC | RenameFlags::NATIVE;
        let what = format!("the request to move {from:?}");
        let renamed = self.ask(&what, |sftp| sftp.rename(from, to, Some(careful)));
        renamed.map_err(|failure| failure.why())
    }

    fn delete(&self, path: &Path) -> Result<(), String> {
        let what = format!("the request to delete {path:?}");
        let deleted = self.ask(&what, |sftp| if_there(sftp.unlink(path)));
        deleted.map(drop).map_err(|failure| failure.why())
    }

    fn path(&self) -> &Path {
        &self.directory
    }
}

//! Reading one file. libssh2 asks ahead for four times the buffer it is given, so the buffer's
//! size is what makes it fast over a long line.

use std::io::{ErrorKind, Read as _};
use std::time::{Duration, Instant};

use super::connect::limit;
use super::speed::Speed;
use super::{PERMISSION_DENIED, SFTP_PROTOCOL, SftpConnection, answer, code, is_missing};
use crate::awaited::{Answer, Crawl};
use crate::error::SourceError;
use crate::fetch::Remote;
use crate::listing::RemoteFile;

/// How long one call may wait, so that a crawl is noticed in time.
const LOOK_UP: Duration = Duration::from_millis(500);

/// Over how long people are told that a download crawls.
const OF_LATE: Duration = Duration::from_secs(3);

/// A file that is open for reading.
pub(crate) struct Download<'a> {
    connection: &'a SftpConnection,
    listed: &'a RemoteFile,
    file: ssh2::File,
    speed: Speed,
    /// What is awaited while it is read.
    more: Answer,
    /// The speed of late, for people: they are notified of a crawl before it is given up.
    speed_of_late: Speed,
    told: bool,
}

impl SftpConnection {
    /// Opens a file, as long as it is still the one that was listed.
    pub(crate) fn download<'a>(
        &'a self,
        listed: &'a RemoteFile,
    ) -> Result<Download<'a>, SourceError> {
        let pace = self.server.pace;
        self.at_usual_pace();
        let what = || format!("the request to read {:?}", listed.name);
        let path = listed.name.within(&self.directory);
        let file = self
            .ask(&what(), |sftp| sftp.open(path))
            .map_err(|failure| match answer(&failure.error) {
                _ if is_missing(&failure.error) => SourceError::Vanished {
                    name: listed.name.clone(),
                },
                PERMISSION_DENIED => SourceError::Refused {
                    what: what(),
                    why: "permission denied".to_owned(),
                },
                _ => self.failed(what(), &failure),
            })?;
        limit(
            &self.session,
            LOOK_UP.min(pace.read).min(pace.slow_after / 4),
        );
        Ok(Download {
            connection: self,
            listed,
            file,
            speed: Speed::new(pace.slow_after),
            speed_of_late: Speed::new(OF_LATE.min(pace.slow_after)),
            told: false,
            more: Answer::To(format!("the request for more of {:?}", listed.name).into()),
        })
    }
}

impl Download<'_> {
    /// Notes, once, that it crawls.
    fn tell_crawl(&mut self) {
        let least = self.connection.server.pace.least_bytes_per_second;
        // One that has stalled is told as silence.
        let stalled = self.speed.silent() >= OF_LATE / 2;
        if self.told || stalled || !self.speed_of_late.is_below(least) {
            return;
        }
        self.told = true;
        self.connection.awaited.note_crawl(Crawl {
            name: self.listed.name.text(),
            bytes_per_second: self.speed_of_late.per_second(),
            least,
        });
    }

    fn slow(&self) -> SourceError {
        let least = self.connection.server.pace.least_bytes_per_second;
        self.too_slow(self.speed.per_second(), least)
    }

    /// It is fast enough at any one time, and all the same takes too long altogether.
    fn too_long(&self) -> SourceError {
        let seconds = self
            .connection
            .server
            .pace
            .longest_download
            .as_secs()
            .max(1);
        let least = self.listed.size_bytes.div_ceil(seconds);
        self.too_slow(self.speed.per_second_in_all(), least)
    }

    fn too_slow(&self, bytes_per_second: u64, least: u64) -> SourceError {
        self.connection.break_off();
        SourceError::Slow {
            name: self.listed.name.clone(),
            bytes_per_second,
            least,
        }
    }

    fn silent(&self) -> SourceError {
        self.connection.break_off();
        let (name, at, of) = (
            &self.listed.name,
            self.speed.bytes(),
            self.listed.size_bytes,
        );
        let what = format!("the request for more of {name:?}, at {at} of {of} bytes");
        self.connection.server.silent(what, self.speed.silent())
    }

    /// What the failure of a read means.
    fn failed(&self, error: &std::io::Error) -> SourceError {
        let last = ssh2::Error::last_session_error(&self.connection.session);
        if last.is_some_and(|last| code(&last) == SFTP_PROTOCOL) {
            return SourceError::Refused {
                what: format!("the request to read {:?}", self.listed.name),
                why: error.to_string(),
            };
        }
        self.connection.break_off();
        SourceError::Cut {
            name: self.listed.name.clone(),
            at_bytes: self.speed.bytes(),
            of_bytes: self.listed.size_bytes,
            why: error.to_string(),
        }
    }
}

impl Remote for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let awaited = self.connection.awaited.clone();
        awaited.during(self.more.clone(), || self.read_some(buffer))
    }

    fn stat_again(&mut self) -> Result<Option<RemoteFile>, SourceError> {
        self.connection
            .at_usual_pace()
            .file_now(&self.listed.name)
            .map_err(|failure| {
                let what = format!("the request for the size of {:?}", self.listed.name);
                self.connection.failed(what, &failure)
            })
    }
}

impl Download<'_> {
    /// Waits for the next bytes, in short steps.
    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let pace = self.connection.server.pace;
        loop {
            let started = Instant::now();
            let read = self.file.read(buffer);
            let bytes = match &read {
                Ok(bytes) => *bytes,
                Err(error) if error.kind() == ErrorKind::TimedOut => 0,
                Err(error) => return Err(self.failed(error)),
            };
            let waited = started.elapsed();
            self.speed.note(waited, bytes as u64);
            self.speed_of_late.note(waited, bytes as u64);
            let ended = matches!(read, Ok(0));
            if !ended && self.speed.silent() >= pace.read {
                return Err(self.silent());
            }
            // A few bytes that were long in coming are no crawl when there are no more.
            let more = self.speed.bytes() < self.listed.size_bytes;
            if !ended && more {
                self.tell_crawl();
            }
            if !ended && more && self.speed.is_below(pace.least_bytes_per_second) {
                return Err(self.slow());
            }
            if !ended && self.speed.waited() >= pace.longest_download {
                return Err(self.too_long());
            }
            if let Ok(bytes) = read {
                return Ok(bytes);
            }
        }
    }
}

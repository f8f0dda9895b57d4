//! The list of a directory. A server may send one without end, or with names without end, so it
//! is bounded in entries, in bytes and in time.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use ssh2::{FileStat, Sftp};

use super::connect::limit;
use super::{FILE, Failure, NO_SUCH_FILE, NO_SUCH_PATH, answer, code, timed};
use crate::awaited::{Answer, Awaited};
use crate::error::SourceError;
use crate::listing::{RemoteEntry, RemoteEntryKind};
use crate::location::SftpLocation;
use crate::name::RemoteName;

/// The most entries and bytes of names of one list, all of which are held in memory.
const MOST_ENTRIES: usize = 200_000;
const MOST_NAME_BYTES: usize = 16 << 20;

impl SftpLocation {
    /// Lists a directory. Each answer may take `time`, and all of them together `longest`.
    pub(crate) fn list(
        &self,
        session: &ssh2::Session,
        sftp: &Sftp,
        directory: &Path,
        (time, longest): (Duration, Duration),
        awaited: &Awaited,
    ) -> Result<Vec<RemoteEntry>, SourceError> {
        limit(session, time);
        let list: Arc<str> = format!("the list of {:?}", directory.display().to_string()).into();
        let answer = || Answer::To(list.clone());
        let failed = |failure: Failure| {
            if failure.is_silence() {
                // Closing the list would wait for another answer.
                limit(session, Duration::ZERO);
            }
            self.not_listed(directory, &failure)
        };
        let started = Instant::now();
        let mut open = awaited
            .during(answer(), || timed(|| sftp.opendir(directory)))
            .map_err(failed)?;
        let mut entries = Vec::new();
        let (mut seen, mut bytes) = (0, 0);
        loop {
            let (path, stat) = match awaited.during(answer(), || timed(|| open.readdir())) {
                Ok(next) => next,
                // How ssh2 says that there are no more.
                Err(end) if code(&end.error) == FILE => return Ok(entries),
                Err(failure) => return Err(failed(failure)),
            };
            let name = RemoteName::new(path.as_os_str().as_bytes());
            seen += 1;
            bytes += name.as_bytes().len();
            if let Some(why) = too_much(seen, bytes, started.elapsed(), longest) {
                let directory = directory.display().to_string();
                return Err(SourceError::DirectoryUnreadable { directory, why });
            }
            if matches!(name.as_bytes(), b"." | b"..") {
                continue;
            }
            let stat = match stat {
                // Some servers list names alone.
                FileStat { size: None, .. } if name.hostile().is_none() => {
                    let path = name.within(directory);
                    let found = awaited.during(answer(), || timed(|| sftp.lstat(&path)));
                    match found {
                        Err(failure) if failure.is_silence() => return Err(failed(failure)),
                        found => found.unwrap_or(stat),
                    }
                }
                stat => stat,
            };
            entries.push(entry(name, &stat));
        }
    }

    fn not_listed(&self, directory: &Path, failure: &Failure) -> SourceError {
        let directory = directory.display().to_string();
        match answer(&failure.error) {
            NO_SUCH_FILE | NO_SUCH_PATH => SourceError::DirectoryMissing { directory },
            _ if failure.is_silence() => {
                self.silent(format!("the list of {directory:?}"), failure.waited)
            }
            0 => SourceError::Refused {
                what: format!("the list of {directory:?}"),
                why: failure.why(),
            },
            _ => SourceError::DirectoryUnreadable {
                directory,
                why: failure.why(),
            },
        }
    }
}

/// Why a list with so much in it is not read on.
fn too_much(seen: usize, bytes: usize, took: Duration, longest: Duration) -> Option<String> {
    if seen > MOST_ENTRIES {
        return Some(format!("its list has more than {MOST_ENTRIES} entries"));
    }
    if bytes > MOST_NAME_BYTES {
        let most = MOST_NAME_BYTES >> 20;
        return Some(format!("the names in its list have more than {most} MiB"));
    }
    (took > longest).then(|| {
        let ms = took.as_millis();
        format!("its list had no end after {ms} ms and {seen} entries")
    })
}

pub(super) fn entry(name: RemoteName, stat: &FileStat) -> RemoteEntry {
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

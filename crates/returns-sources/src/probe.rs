//! The diagnosis of a source: the same steps that a run takes, one by one, each timed, with
//! what was seen. All of it takes five seconds at most.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;
use ssh2::Sftp;

use super::error::SourceError;
use super::folder::Folder;
use super::listing::{Completeness, Entry, sort_out};
use super::location::{LocationKind, RemoteLocation, SftpLocation};
use crate::sftp::pin::Fingerprint;

/// How long all steps together may take.
const WHOLE: Duration = Duration::from_millis(4_500);
/// What a step may still take when nothing is left, so that it can fail by itself.
const LEAST: Duration = Duration::from_millis(50);
/// After this nobody waits for a step that does not end, whatever it is waiting for.
const PATIENCE: Duration = Duration::from_millis(4_900);

const HOST_NAME: &str = "host name";
const CONNECTION: &str = "connection";
const HANDSHAKE: &str = "SSH handshake";
const HOST_KEY: &str = "host key";
const LOG_IN: &str = "log-in";
const DIRECTORY: &str = "directory";
const FILE: &str = "file";

/// The checks of an SFTP server, in their order. A folder has the last two.
const CHECKS: [&str; 7] = [
    HOST_NAME, CONNECTION, HANDSHAKE, HOST_KEY, LOG_IN, DIRECTORY, FILE,
];
const CHECKS_OF_FOLDER: [&str; 2] = [DIRECTORY, FILE];

/// Looks at a source from the outside in. It changes nothing there.
pub async fn probe(location: &RemoteLocation, now: DateTime<Utc>) -> Vec<Check> {
    let at_work = location.clone();
    let steps = Steps::new();
    let checks = steps.checks.clone();
    let work = tokio::task::spawn_blocking(move || match at_work.place.clone() {
        LocationKind::Sftp(place) => probe_sftp(steps, &at_work, &place, now),
        LocationKind::Folder => probe_folder(steps, &at_work, now),
    });
    // Whether it ended or not, what it found is in the list.
    let _ = tokio::time::timeout(PATIENCE, work).await;
    let mut checks = std::mem::take(&mut *locked(&checks));
    fill_up(&mut checks, location);
    checks
}

/// Adds the checks that did not come to an end: the first did not answer.
fn fill_up(checks: &mut Vec<Check>, location: &RemoteLocation) {
    let patience_ms = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let (names, silent): (&[&'static str], Cause) = match &location.place {
        LocationKind::Sftp(place) => {
            let silent = Cause::HostSilent {
                host: place.host.clone(),
                port: place.port,
                after_ms: patience_ms,
            };
            (&CHECKS, silent)
        }
        LocationKind::Folder => {
            let silent = Cause::DirectoryUnreadable {
                directory: location.directory.clone(),
                why: format!("no answer within {patience_ms} ms"),
            };
            (&CHECKS_OF_FOLDER, silent)
        }
    };
    let mut silent = Some(silent);
    for name in names.iter().skip(checks.len()) {
        let result = match silent.take() {
            Some(cause) => CheckResult::Failed(cause),
            None => CheckResult::Skipped("because the time was over".to_owned()),
        };
        checks.push(Check {
            name,
            of: location.shown(),
            result,
            took: Duration::ZERO,
        });
    }
}

fn locked(checks: &Mutex<Vec<Check>>) -> MutexGuard<'_, Vec<Check>> {
    checks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The checks so far, and the time that is left.
struct Steps {
    checks: Arc<Mutex<Vec<Check>>>,
    started: Instant,
    failed: Option<&'static str>,
}

impl Steps {
    fn new() -> Self {
        Self {
            checks: Arc::default(),
            started: Instant::now(),
            failed: None,
        }
    }

    /// What is left for a step that may take `usual` in a run.
    fn time(&self, usual: Duration) -> Duration {
        let left = WHOLE.saturating_sub(self.started.elapsed());
        // No step takes all: those after it are to be seen too.
        usual.min(left * 2 / 3).max(LEAST)
    }

    /// Takes a step on what the step before gave, and notes what came of it.
    fn step<I, O>(
        &mut self,
        name: &'static str,
        of: &str,
        input: Option<I>,
        work: impl FnOnce(I) -> Result<(O, String), Cause>,
    ) -> Option<O> {
        let started = Instant::now();
        let (result, output) = match input.map(work) {
            Some(Ok((output, seen))) => (CheckResult::Passed(seen), Some(output)),
            Some(Err(cause)) => {
                self.failed = self.failed.or(Some(name));
                (CheckResult::Failed(cause), None)
            }
            None => {
                let before = self.failed.unwrap_or("an earlier check");
                (
                    CheckResult::Skipped(format!("because of the {before}")),
                    None,
                )
            }
        };
        locked(&self.checks).push(Check {
            name,
            of: of.to_owned(),
            result,
            took: started.elapsed(),
        });
        output
    }
}

fn probe_sftp(
    mut steps: Steps,
    location: &RemoteLocation,
    place: &SftpLocation,
    now: DateTime<Utc>,
) {
    let at = format!("{}:{}", place.host, place.port);

    let time = steps.time(place.pace.connect);
    let addresses = steps.step(HOST_NAME, &place.host, Some(()), |()| {
        let addresses = place.resolve(time).map_err(|error| error.cause())?;
        let shown = list(addresses.iter().map(|address| address.ip().to_string()));
        Ok((addresses, shown))
    });

    let time = steps.time(place.pace.connect);
    let connected = steps.step(CONNECTION, &at, addresses, |addresses| {
        let stream = connect(place, &addresses, time)?;
        let peer = stream.peer_addr().map(|peer| peer.to_string());
        Ok(((addresses, stream), peer.unwrap_or_default()))
    });

    let time = steps.time(place.pace.connect);
    let session = steps.step(HANDSHAKE, &at, connected, |(addresses, stream)| {
        let expected = place.expected().map_err(|error| error.cause())?;
        let session = place
            .handshake(stream, expected.algorithms().as_deref(), time)
            .map_err(|error| error.cause())?;
        let banner = session.banner().unwrap_or("no banner").escape_debug();
        let banner = banner.to_string();
        Ok(((addresses, session, expected), banner))
    });

    let time = steps.time(place.pace.connect);
    let trusted = steps.step(HOST_KEY, &at, session, |(addresses, session, expected)| {
        let again = |algorithms: &str| {
            let stream = place.connect(&addresses, time)?;
            place.handshake(stream, Some(algorithms), time)
        };
        let (session, seen) = place
            .check_host_key(session, &expected, again)
            .map_err(|error| error.cause())?;
        Ok((session, pinned(seen)))
    });

    let time = steps.time(place.pace.read);
    let of = format!("{}@{at}", place.user);
    let logged_in = steps.step(LOG_IN, &of, trusted, |session| {
        let sftp: Result<Sftp, SourceError> = place
            .log_in(&session, time)
            .and_then(|by| place.open_sftp(&session, by, time));
        let sftp = sftp.map_err(|error| error.cause())?;
        Ok(((session, sftp), "logged in, SFTP works".to_owned()))
    });

    let time = steps.time(place.pace.read);
    let entries = steps.step(
        DIRECTORY,
        &location.directory,
        logged_in,
        |(session, sftp)| {
            let directory = PathBuf::from(&location.directory);
            let deadline = Instant::now() + time;
            let entries = place
                .list(&session, &sftp, &directory, time, Some(deadline))
                .map_err(|error| error.cause())?;
            Ok((entries.clone(), format!("{} entries", entries.len())))
        },
    );
    look_for_file(&mut steps, location, entries, now);
}

fn probe_folder(mut steps: Steps, location: &RemoteLocation, now: DateTime<Utc>) {
    let entries = steps.step(DIRECTORY, &location.directory, Some(()), |()| {
        let entries = Folder::open(PathBuf::from(&location.directory))
            .and_then(|folder| folder.list())
            .map_err(|error| error.cause())?;
        let seen = format!("{} entries", entries.len());
        Ok((entries, seen))
    });
    look_for_file(&mut steps, location, entries, now);
}

fn connect(
    place: &SftpLocation,
    addresses: &[SocketAddr],
    time: Duration,
) -> Result<TcpStream, Cause> {
    place
        .connect(addresses, time)
        .map_err(|error| error.cause())
}

fn pinned(seen: Fingerprint) -> String {
    format!("{seen}, as pinned")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// The newest file that matches, and what else is there.
fn look_for_file(
    steps: &mut Steps,
    location: &RemoteLocation,
    entries: Option<Vec<Entry>>,
    now: DateTime<Utc>,
) {
    let of = location.pattern.as_str();
    steps.step(FILE, of, entries, |entries| {
        let sorted = sort_out(entries, &location.pattern, &location.completeness);
        let others = sorted.left_alone.len();
        let Some(newest) = sorted.newest() else {
            return Err(Cause::FileMissing {
                directory: location.directory.clone(),
                pattern: of.to_owned(),
                due: None,
                others: Some(others as u64),
            });
        };
        if newest.size_bytes == 0 && !sorted.unmarked.contains(newest) {
            let name = newest.name.text();
            return Err(Cause::FileEmpty { name });
        }
        let age = newest.modified_at.map_or_else(
            || "of unknown age".to_owned(),
            |at| {
                format!(
                    "{} old ({})",
                    age(now - at),
                    at.format("%Y-%m-%d %H:%M UTC")
                )
            },
        );
        let waits = match (&location.completeness, sorted.unmarked.contains(newest)) {
            (Completeness::Marker { suffix }, true) => {
                format!(", which waits for its marker {suffix:?}")
            }
            _ => String::new(),
        };
        let seen = format!(
            "newest is {:?} with {} bytes, {age}{waits}; {} more that match, {others} others",
            newest.name,
            newest.size_bytes,
            sorted.matches() - 1,
        );
        Ok(((), seen))
    });
}

/// An age for people.
fn age(age: chrono::TimeDelta) -> String {
    match (age.num_days(), age.num_hours(), age.num_minutes()) {
        (days @ 2.., _, _) => format!("{days} days"),
        (_, hours @ 2.., _) => format!("{hours} hours"),
        (_, _, minutes) => format!("{} minutes", minutes.max(0)),
    }
}
